; Shows: a guest that attacks Martlet with random cases, each made from its seed and number alone: MSRs, ports, APIC
; registers, control registers, interrupts, spinning, floods of interrupts, page tables, and random bytes executed in
; ring 0. A case may end the guest, or last forever: with restart=N limit=TICKS on the kernel's command line it goes on
; after that case.
;
; The command line may say seed=N, first=N and cases=N (the numbers of the first case and of the one after the last), and
; kind=msr, port, apic, cr, interrupts, spin, flood, tables or bytes; without it every case is of any kind.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"
%include "apic.inc"

DEFAULT_SEED    equ 1
DEFAULT_CASES   equ 4000
SCRATCH         equ 0x200000            ; 2 MiB for whatever a case writes, open to user mode
SCRATCH_MASK    equ 0x1FFFF8
CODE            equ SCRATCH + 0x80000   ; the random bytes
POOL            equ 0x400000            ; 2 MiB of page tables with random entries
POOL_SEED       equ 0x4000              ; bytes of it that are made entry by entry
IO_APIC         equ 0xFEC00000
RESET_PORT      equ 0xCF9
POWER_CONTROL   equ 0x604
DEBUG_CONSOLE   equ 0xE9
MOST_INTERRUPTS equ 64                  ; that a case takes
WATCHDOG_TICKS  equ 1000                ; of the 8254: 0.84 ms
SPIN_TICKS      equ 150                 ; the same for a guest that spins

        MULTIBOOT_HEADER

main:
        CHECK   1
        call    find_martlet
        jne     failed
        OPTION  seed_text, DEFAULT_SEED, seed
        OPTION  cases_text, DEFAULT_CASES, cases
        call    read_kind

        and     byte [directories], ~USER       ; of the image; so SMEP and SMAP may be switched on
        xor     ebx, ebx                ; every vector is caught, on a stack of its own
.gate:  mov     eax, ebx
        shl     eax, 4
        add     eax, stubs
        mov     ecx, ebx
        call    set_gate
        shl     ebx, GATE_SHIFT
        mov     byte [idt + rbx + GATE_STACK], 1
        shr     ebx, GATE_SHIFT
        inc     ebx
        cmp     ebx, 256
        jb      .gate
        mov     byte [idt + (2 << GATE_SHIFT) + GATE_STACK], 2
        mov     rax, nmi_stack_top
        mov     [interrupt_stack_pointer + 8], rax

        mov     eax, 1                  ; what a case finds
        cpuid
        mov     rax, cr4
        test    ecx, 1 << 26
        jz      .no_xsave
        or      eax, CR4_OSXSAVE
.no_xsave:
        or      eax, CR4_OSFXSR | CR4_OSXMMEXCPT
        mov     cr4, rax
        mov     [good_cr4], rax
        mov     rax, cr0
        and     eax, ~(CR0_EM | CR0_TS)
        mov     cr0, rax
        mov     [good_cr0], rax
        mov     ecx, IA32_EFER
        rdmsr
        mov     [good_efer], eax
        and     byte [tss_descriptor + 5], ~2   ; not busy, as LTR wants it
        mov     esi, root
        mov     edi, golden_tables
        mov     ecx, TABLES_SIZE / 8
        rep movsq
        mov     esi, idt
        mov     edi, golden_idt
        mov     ecx, 4096 / 8
        rep movsq
        mov     esi, gdt
        mov     edi, golden_gdt
        mov     ecx, GDT_SIZE
        rep movsb
        mov     esi, POOL               ; entries that point into the pool, with random bits
        mov     qword [state], 1
.pool:  call    some_table_entry
        mov     [rsi], rax
        add     esi, 8
        cmp     esi, POOL + POOL_SEED
        jb      .pool
        mov     edi, esi                ; the other tables are pieces of the first, from anywhere in them
.table: call    random
        and     eax, POOL_SEED / 2 - 8
        lea     esi, [rax + POOL]
        mov     ecx, 512
        rep movsq
        cmp     edi, POOL + 0x200000
        jb      .table
        call    sum_code
        mov     [code_sum], rax

        mov     al, 0xFF                ; the 8259s stay out of it
        out     0x21, al
        out     0xA1, al
        call    start_watchdog

        mov     eax, HYPERCALL_NOTE     ; bits 31:0: the next case; bits 62:32: starts; bit 63: there is a note
        vmcall
        test    rax, rax
        js      .again
        xor     eax, eax
        mov     esi, first_text
        call    option
        bts     rax, 63
        mov     rbx, rax
        mov     esi, begin_text
        call    print
        mov     rax, [seed]
        call    print_decimal
        mov     esi, newline_text
        call    print
        mov     rax, rbx
.again: mov     rbx, 1 << 32
        add     rbx, rax
        mov     eax, HYPERCALL_LEAVE
        vmcall
        CHECK   2
        jmp     next

; RAX = a sum of the guest's code.
sum_code:
        xor     eax, eax
        mov     ecx, (code_end - image) / 8
        mov     esi, IMAGE_BASE
.next:  rol     rax, 1
        add     rax, [rsi]
        add     esi, 8
        dec     ecx
        jnz     .next
        ret

; The 8254 strikes through the I/O APIC as an NMI, which no case can switch off by one flag.
start_watchdog:
        mov     ebx, WATCHDOG_TICKS
        call    set_interval
        mov     edi, IO_APIC
        mov     dword [rdi], 0x10 + 2 * 2 + 1
        mov     dword [rdi + 0x10], 0
        mov     dword [rdi], 0x10 + 2 * 2
        mov     dword [rdi + 0x10], 4 << 8
        ret

; The 8254 strikes every EBX of its ticks.
set_interval:
        mov     al, 0x34                ; channel 0, mode 2
        out     0x43, al
        mov     al, bl
        out     0x40, al
        mov     al, bh
        out     0x40, al
        ret

read_kind:
        xor     ebx, ebx
.try:   mov     eax, -1
        mov     rsi, [kind_names + rbx * 8]
        call    option
        test    eax, eax
        jz      .end                    ; it is there, with no digits after it
        inc     ebx
        cmp     ebx, KINDS
        jb      .try
.end:   mov     [kind], ebx             ; KINDS: any
        ret

; ---- One case after another ----------------------------------------------------------------------

; Cleans up after the last case; arrives here with any stack, segments and registers.
next:   mov     byte [watched], 0
        xor     eax, eax
        mov     dr7, rax
        lgdt    [gdt_pointer]
        lidt    [idt_pointer]
        mov     eax, DATA_SELECTOR
        mov     ss, eax
        mov     rsp, stack_top
        push    DATA_SELECTOR
        push    stack_top
        push    FLAGS_FIXED
        push    CODE_SELECTOR
        push    .clean
        iretq                           ; ends the blocking of NMIs too
.clean: mov     ds, eax
        mov     es, eax
        mov     rax, root
        mov     rcx, cr3
        cmp     rax, rcx
        je      .same_cr3
        mov     cr3, rax
.same_cr3:
        mov     rax, [good_cr4]
        mov     rcx, cr4
        cmp     rax, rcx
        je      .same_cr4
        mov     cr4, rax
.same_cr4:
        mov     rax, [good_cr0]
        mov     rcx, cr0
        cmp     rax, rcx
        je      .same_cr0
        mov     cr0, rax
.same_cr0:
        xor     eax, eax
        mov     cr8, rax
        mov     ecx, IA32_EFER
        rdmsr
        cmp     eax, [good_efer]
        je      .same_efer
        xor     edx, edx
        mov     eax, [good_efer]
        wrmsr
.same_efer:
        call    sum_code
        cmp     rax, [code_sum]
        jne     start_anew
        cmp     dword [last_kind], TABLES_KIND
        jb      .begin
        mov     esi, golden_tables
        mov     edi, root
        mov     ecx, TABLES_SIZE / 8
        rep movsq
        mov     rax, cr3
        mov     cr3, rax
        mov     esi, golden_idt
        mov     edi, idt
        mov     ecx, 4096 / 8
        rep movsq
        mov     esi, golden_gdt
        mov     edi, gdt
        mov     ecx, GDT_SIZE
        rep movsb
        mov     eax, TSS_SELECTOR
        ltr     ax

.begin: mov     eax, HYPERCALL_NOTE
        vmcall
        mov     ecx, eax
        cmp     rcx, [cases]
        jae     done
        lea     rbx, [rax + 1]          ; a case that ends the guest is not made again
        mov     eax, HYPERCALL_LEAVE
        vmcall
        mov     rax, [seed]
        call    begin_case
        cmp     dword [last_kind], SPIN_KIND
        je      .watch
        test    ecx, 15                 ; whatever became of it
        jnz     .watched
.watch:
        call    start_watchdog
.watched:
        mov     dword [budget], MOST_INTERRUPTS
        call    random
        mov     rsi, rax                ; every case begins with random registers
        call    random
        mov     rdi, rax
        call    random
        mov     rbp, rax
        call    random
        mov     rbx, rax
        call    random
        mov     rdx, rax
        call    random
        mov     rcx, rax
        mov     eax, [kind]
        cmp     eax, KINDS
        jb      .chosen
        mov     eax, KINDS
        call    below
.chosen:
        mov     [last_kind], eax
        push    qword next
        jmp     [kinds + rax * 8]

; An exception: the case has ended.
caught: inc     qword [faults]
        jmp     next

non_maskable:
        cmp     byte [watched], 0
        jne     caught
        iretq

; An interrupt is ended wherever it came from. A case that has had its share of them is cut off.
interrupt:
        push    rax
        push    rcx
        push    rdx
        inc     qword [interrupts]
        dec     dword [budget]
        jns     .end_it
        and     qword [rsp + 5 * 8], ~FLAGS_IF
.end_it:
        mov     ecx, IA32_APIC_BASE
        rdmsr
        test    eax, APIC_BASE_EXTENDED
        jz      .memory
        xor     eax, eax
        xor     edx, edx
        mov     ecx, X2APIC + APIC_EOI / 16
        wrmsr
        jmp     .pics
.memory:
        mov     ecx, APIC_MEMORY
        mov     dword [rcx + APIC_EOI], 0
.pics:  mov     al, 0x20
        out     0xA0, al
        out     0x20, al
        pop     rdx
        pop     rcx
        pop     rax
        iretq

; The guest's own code or memory is no longer what it was.
start_anew:
        mov     edx, RESET_PORT
        mov     al, 6
        out     dx, al
        jmp     $

done:   shr     rax, 32
        and     eax, 0x7FFFFFFF
        push    rax
        xor     ebx, ebx                ; no note: a case that wrote 0 to the debug-exit port has one
        mov     eax, HYPERCALL_LEAVE
        vmcall
        pop     rbx
        mov     edx, COM1 + 3           ; whatever was done to COM1
        mov     al, 3
        out     dx, al
        mov     edx, COM1 + 1
        xor     eax, eax
        out     dx, al
        mov     edx, COM1 + 4
        out     dx, al
        mov     esi, end_text
        call    print
        mov     rax, [seed]
        call    print_decimal
        mov     esi, separator_text
        call    print
        mov     esi, cases_text
        call    print
        mov     rax, [cases]
        call    print_decimal
        mov     esi, starts_text
        call    print
        mov     rax, rbx
        call    print_decimal
        mov     esi, faults_text
        call    print
        mov     rax, [faults]
        call    print_decimal
        mov     esi, interrupts_text
        call    print
        mov     rax, [interrupts]
        call    print_decimal
        mov     esi, newline_text
        call    print
        jmp     succeeded

%include "cases.inc"

; RAX = a random word of the array of doublewords at RAX, which begins with their number. Keeps the others.
one_of: push    rbx
        mov     rbx, rax
        mov     eax, [rbx]
        call    below
        mov     eax, [rbx + 4 + rax * 4]
        pop     rbx
        ret

%macro ARRAY 1+                         ; doublewords after their count
        dd      (%%end - $ - 4) / 4
        dd      %1
%%end:
%endmacro

; RAX = a value as software writes it: often one bit, a small number, or all ones. Keeps the others.
some_value:
        push    rcx
        call    random
        mov     rcx, rax
        and     eax, 7
        jz      .bit
        cmp     eax, 2
        jb      .small
        je      .ones
        cmp     eax, 4
        jbe     .low
        mov     rax, rcx
        pop     rcx
        ret
.bit:   xor     eax, eax
        shr     rcx, 8
        bts     rax, rcx
        pop     rcx
        ret
.small: movzx   eax, ch
        pop     rcx
        ret
.ones:  mov     rax, -1
        pop     rcx
        ret
.low:   mov     eax, ecx
        rol     eax, 8
        pop     rcx
        ret

; Lets interrupts come for a moment.
window_open:
        sti
        nop
        nop
        cli
        ret

; ---- MSRs ----------------------------------------------------------------------------------------

msr_case:
        mov     ebp, 8                  ; several registers a case, as long as none faults
.next:  call    one_msr
        dec     ebp
        jnz     .next
        call    window_open
        mov     eax, 16
        call    below
        test    eax, eax
        jz      renew_apic
        ret

one_msr:
        call    some_msr
        mov     eax, 4
        call    below
        cmp     eax, 1
        jb      .read
        je      .flip
        call    some_value
        cmp     ecx, X2APIC + APIC_ICR / 16
        jne     .write
        call    spare_reset
        jmp     .write
.read:  rdmsr
        ret
.flip:  rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     rbx, rax
        call    random
        btc     rbx, rax
        mov     rax, rbx
.write: mov     rdx, rax
        shr     rdx, 32
        wrmsr
        ret

; ECX = an MSR number.
some_msr:
        call    random
        mov     ecx, eax
        shr     rax, 32
        and     eax, 7
        jz      .any
        cmp     eax, 2
        jb      .low
        je      .high
        cmp     eax, 4
        jbe     .x2apic
        mov     rax, known_msrs
        call    one_of
        mov     ecx, eax
.any:   ret
.low:   and     ecx, 0x1FFF
        ret
.high:  and     ecx, 0x1FFF
        or      ecx, 0xC0000000
        ret
.x2apic:
        and     ecx, 0x3F
        or      ecx, X2APIC
        ret

; A command (RAX) that would reset this guest seldom stays one: an INIT IPI is made a fixed one.
spare_reset:
        push    rcx
        mov     ecx, eax
        and     ecx, 7 << 8
        cmp     ecx, ICR_INIT
        jne     .end
        mov     rcx, rax
        mov     eax, 64
        call    below
        test    eax, eax
        mov     rax, rcx
        jz      .end
        and     eax, ~(7 << 8)
        shr     rcx, 32
        shl     rcx, 32
        or      rax, rcx
.end:   pop     rcx
        ret

; The local APIC is on, in one of its modes, at its usual place.
renew_apic:
        mov     ecx, IA32_APIC_BASE
        xor     edx, edx
        mov     eax, APIC_MEMORY
        wrmsr
        mov     eax, APIC_MEMORY | APIC_BASE_ENABLED
        wrmsr
        call    random
        test    eax, 1
        jz      .enable
        mov     eax, APIC_MEMORY | APIC_BASE_ENABLED | APIC_BASE_EXTENDED
        wrmsr
        mov     ecx, X2APIC + APIC_SVR / 16
        mov     eax, SVR_ENABLE | 0xFF
        wrmsr
        ret
.enable:
        mov     edi, APIC_MEMORY
        mov     dword [rdi + APIC_SVR], SVR_ENABLE | 0xFF
        ret

; ---- Ports ---------------------------------------------------------------------------------------

port_case:
        mov     ebp, 8
.next:  mov     eax, PORT_OPERATIONS
        call    below
        call    [port_operations + rax * 8]
        dec     ebp
        jnz     .next
        jmp     window_open

; EDX = a port.
some_port:
        call    random
        mov     edx, eax
        shr     rax, 32
        and     eax, 7
        jz      .any
        mov     rax, known_ports
        call    one_of
        mov     edx, eax
.any:   movzx   edx, dx
        ret

; EDX = a port, EAX = a value to write to it. Never the debug exit; seldom what resets the machine or switches it off.
some_write:
        call    some_port
.again: mov     eax, edx
        and     eax, ~3
        cmp     eax, DEBUG_EXIT & ~3
        je      .other
        cmp     eax, (DEBUG_EXIT & ~3) - 4
        je      .other
        cmp     eax, RESET_PORT & ~3
        je      .seldom
        cmp     eax, POWER_CONTROL & ~3
        je      .seldom
        cmp     edx, 0x64
        je      .seldom
        jmp     some_value
.seldom:
        mov     eax, 16
        call    below
        test    eax, eax
        jz      some_value
.other: mov     edx, DELAY_PORT
        jmp     some_value

in_8:   call    some_port
        in      al, dx
        ret
in_16:  call    some_port
        in      ax, dx
        ret
in_32:  call    some_port
        in      eax, dx
        ret
out_8:  call    some_write
        out     dx, al
        ret
out_16: call    some_write
        out     dx, ax
        ret
out_32: call    some_write
        out     dx, eax
        ret

; RDI and RSI = addresses for string instructions, RCX = a count, mostly small.
string_registers:
        call    some_address
        mov     rdi, rax
        call    some_address
        mov     rsi, rax
        call    random
        mov     ecx, eax
        shr     rax, 32
        and     ecx, 0xFFF
        test    eax, 63
        jz      .end
        and     ecx, 31
.end:   lea     r8d, [rdx - (COM1 - 3)]
        cmp     r8d, 4
        jb      .console
        lea     r8d, [rdx - (DEBUG_CONSOLE - 3)]
        cmp     r8d, 4
        jae     .direction
.console:
        and     ecx, 3                  ; Martlet's own console takes its time for each
.direction:
        bt      rax, 8
        jnc     .up
        std
.up:    ret

ins_8:  call    some_port
        call    string_registers
        rep insb
        cld
        ret
ins_16: call    some_port
        call    string_registers
        rep insw
        insw
        cld
        ret
ins_32: call    some_port
        call    string_registers
        rep insd
        a32 insd
        cld
        ret
outs_8: call    some_write
        call    string_registers
        rep outsb
        cld
        ret
outs_16:
        call    some_write
        call    string_registers
        rep outsw
        cld
        ret
outs_32:
        call    some_write
        call    string_registers
        rep outsd
        a32 outsd
        cld
        ret

; A configuration transfer whose descriptor and target are anywhere in the scratch memory, in none, or beyond the end.
firmware_dma:
        call    some_address
        mov     rdi, rax
        mov     rax, SCRATCH
        xor     rax, rdi
        shr     rax, 21
        jnz     .start                  ; nothing can be written there
        call    some_value
        bswap   rax
        mov     [rdi], rax              ; control and length
        call    some_address
        bswap   rax
        mov     [rdi + 8], rax
.start: mov     rax, rdi
        shr     rax, 32
        bswap   eax
        mov     edx, 0x514
        out     dx, eax
        mov     eax, edi
        bswap   eax
        mov     edx, 0x518
        out     dx, eax
        ret

; RAX = an address that may be written: scratch memory mostly, or absent memory, a device, or no address at all.
some_address:
        push    rcx
        call    random
        mov     rcx, rax
        and     eax, 15
        jz      .absent
        cmp     eax, 2
        jb      .random
        je      .device
        cmp     eax, 3
        je      .window
        shr     rcx, 4
        and     ecx, 0x1FFFFF
        lea     rax, [rcx + SCRATCH]
        pop     rcx
        ret
.absent:
        shr     ecx, 12
        mov     eax, ABSENT_MEMORY
        add     rax, rcx
        pop     rcx
        ret
.random:
        mov     rax, rcx
        pop     rcx
        ret
.device:
        mov     rax, device_addresses
        call    one_of
        pop     rcx
        ret
.window:
        shr     ecx, 11
        lea     rax, [rcx + WINDOW]
        pop     rcx
        ret

; ---- APIC registers ------------------------------------------------------------------------------

apic_case:
        mov     ebp, 8
.next:  mov     eax, 8
        call    below
        cmp     eax, 1
        jb      .msr
        je      .base
        call    some_apic_address
        mov     rdi, rax
        mov     esi, SCRATCH + 0x1000
        call    some_value
        mov     [rsi], rax
        mov     rbx, rax
        mov     eax, edi
        and     eax, 0xFF0
        cmp     eax, APIC_ICR
        jne     .values
        mov     rax, rbx
        call    spare_reset
        mov     rbx, rax
        mov     [rsi], rax
.values:
        call    some_value
        mov     rdx, rax
        mov     eax, 64                 ; what only few instructions know comes seldom
        call    below
        cmp     eax, 1
        mov     eax, COMMON_ACCESSES
        ja      .pick
        mov     eax, ACCESSES
.pick:  call    below
        mov     rcx, [accesses + rax * 8]
        mov     rax, rbx
        call    rcx
        jmp     .done
.msr:   call    random
        mov     ecx, eax
        and     ecx, 0x3F
        or      ecx, X2APIC
        shr     rax, 32
        test    eax, 1
        jz      .read
        call    some_value
        call    spare_reset
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        jmp     .done
.read:  rdmsr
        jmp     .done
.base:  call    random_base
.done:  dec     ebp
        jnz     .next
        call    window_open
        mov     eax, 8
        call    below
        test    eax, eax
        jz      renew_apic
        ret

random_base:
        mov     ecx, IA32_APIC_BASE
        call    random
        xor     edx, edx
        mov     rbx, rax
        shr     rbx, 32
        and     ebx, 3
        jz      .moved
        and     eax, APIC_BASE_ENABLED | APIC_BASE_EXTENDED
        or      eax, APIC_MEMORY
        wrmsr
        ret
.moved: mov     eax, moved_base
        call    one_of
        or      eax, APIC_BASE_ENABLED
        wrmsr
        ret

; RAX = an address of a register, or of none.
some_apic_address:
        push    rcx
        call    random
        mov     rcx, rax
        shr     rcx, 8
        and     eax, 15
        jz      .any
        cmp     eax, 3
        jbe     .io
        cmp     eax, 4
        je      .moved
        and     ecx, 0x3F0
        mov     eax, APIC_MEMORY
        add     rax, rcx
        pop     rcx
        ret
.any:   and     ecx, 0x1FFF
        mov     eax, APIC_MEMORY - 0x10
        add     rax, rcx
        pop     rcx
        ret
.io:    mov     eax, io_apic_offsets
        push    rcx
        call    one_of
        pop     rcx
        mov     ecx, IO_APIC
        add     rax, rcx
        pop     rcx
        ret
.moved: mov     eax, moved_base
        call    one_of
        and     ecx, 0xFF0
        add     rax, rcx
        pop     rcx
        ret

%assign access_count 0
%macro ACCESS 1+                        ; an instruction on memory at RDI (source at RSI): RAX, RBX, RDX are random
access_ %+ access_count:
        %1
        cld
        ret
    %assign access_count access_count + 1
%endmacro

        ACCESS  mov [rdi], eax
        ACCESS  mov [rdi], edx
        ACCESS  mov eax, [rdi]
        ACCESS  mov [rdi], al
        ACCESS  mov [rdi], ax
        ACCESS  mov [rdi], rax
        ACCESS  mov rdx, [rdi]
        ACCESS  mov dl, [rdi]
        ACCESS  mov dword [rdi], 0x12345
        ACCESS  mov byte [rdi + 1], 0x55
        ACCESS  mov r9w, [rdi]
        ACCESS  movzx edx, byte [rdi]
        ACCESS  movzx edx, word [rdi]
        ACCESS  movsx rdx, word [rdi]
        ACCESS  movsxd rdx, dword [rdi]
        ACCESS  xchg [rdi], eax
        ACCESS  and [rdi], edx
        ACCESS  or [rdi], edx
        ACCESS  xor dword [rdi], 0x100
        ACCESS  add [rdi], eax
        ACCESS  test [rdi], eax
        ACCESS  test dword [rdi], 0x1000
        ACCESS  cmp [rdi], edx
        ACCESS  cmp eax, [rdi]
        ACCESS  or eax, [rdi]
        ACCESS  a32 mov [edi], eax
COMMON_ACCESSES equ access_count
        ACCESS  movsd
        ACCESS  xchg rsi, rdi
        ACCESS  stosd
        ACCESS  stosb
        ACCESS  bts dword [rdi], 3
        ACCESS  bt [rdi], eax
        ACCESS  btc dword [rdi], 8
        ACCESS  lock btr dword [rdi], 16
        ACCESS  lock cmpxchg [rdi], edx
        ACCESS  lock xadd [rdi], eax
        ACCESS  lock inc dword [rdi]
        ACCESS  dec dword [rdi]
        ACCESS  neg dword [rdi]
        ACCESS  not dword [rdi]
        ACCESS  lock cmpxchg8b [rdi]
        ACCESS  lock cmpxchg16b [rdi]
        ACCESS  movups xmm0, [rdi]
        ACCESS  movups [rdi], xmm0
        ACCESS  movd [rdi], xmm0
        ACCESS  movnti [rdi], eax
        ACCESS  movdqa xmm1, [rdi]
        ACCESS  shl dword [rdi], 1
        ACCESS  imul eax, [rdi]
        ACCESS  div dword [rdi]
        ACCESS  push qword [rdi]
        ACCESS  pop qword [rdi]
        ACCESS  jmp [rdi]
        ACCESS  sete [rdi]
        ACCESS  cmovne eax, [rdi]
        ACCESS  fild dword [rdi]
        ACCESS  fstp qword [rdi]
        ACCESS  fxsave [rdi]
        ACCESS  ldmxcsr [rdi]
        ACCESS  lgdt [rdi]
        ACCESS  sidt [rdi]
        ACCESS  invlpg [rdi]
        ACCESS  prefetcht0 [rdi]
        ACCESS  clflush [rdi]
        ACCESS  movbe eax, [rdi]
        ACCESS  crc32 eax, dword [rdi]
        ACCESS  jmp rdi
ACCESSES        equ access_count

; ---- Control registers ---------------------------------------------------------------------------

cr_case:
        mov     ebp, 4
.next:  push    rbp
        mov     eax, CR_OPERATIONS
        call    below
        push    rax
        call    some_value
        mov     rbx, rax
        call    random
        mov     rbp, rax
        pop     rax
        call    [cr_operations + rax * 8]
        pop     rbp
        dec     ebp
        jnz     .next
        ret

flip_cr0:
        mov     rax, cr0
        btc     rax, rbp
        mov     cr0, rax
        ret
random_cr0:
        mov     cr0, rbx
        ret
flip_cr4:
        mov     rax, cr4
        btc     rax, rbp
        mov     cr4, rax
        ret
random_cr4:
        mov     cr4, rbx
        ret
flip_cr3:                               ; not the address within RAM, which would be the end
        mov     rax, cr3
        mov     ecx, ebp
        and     ecx, 63
        cmp     ecx, 12
        jb      .flip
        cmp     ecx, 36
        jb      .end
.flip:  btc     rax, rcx
        mov     cr3, rax
.end:   ret
random_cr3:
        test    ebp, 63
        jnz     flip_cr3
        mov     cr3, rbx
        ret
random_cr8:
        mov     rax, rbp
        and     eax, 31
        mov     cr8, rax
        mov     rdx, cr8
        mov     cr8, rbx
        ret
random_xcr0:
        mov     eax, ebp
        and     eax, 0x2FF
        test    ebp, 1 << 16
        jz      .low
        or      eax, 7
.low:   xor     edx, edx
        test    ebp, 7 << 17
        jnz     .set
        mov     eax, ebx
        mov     rdx, rbx
        shr     rdx, 32
.set:   xor     ecx, ecx
        test    ebp, 15 << 20
        setz    cl
        xsetbv
        xor     ecx, ecx
        xgetbv
        cpuid
        ret
random_efer:
        mov     ecx, IA32_EFER
        rdmsr
        btc     eax, ebp
        wrmsr
        ret
random_debug:
        call    some_address
        mov     dr0, rax
        call    some_address
        mov     dr1, rax
        call    some_address
        mov     dr2, rax
        mov     dr3, rbx
        mov     rax, dr6
        xor     rax, rbx
        mov     dr6, rax
        mov     rax, rbp
        test    ebx, 1
        jz      .wild
        mov     eax, eax
.wild:  mov     dr7, rax
        mov     [abs SCRATCH], eax
        mov     rax, dr7
        ret
switch_words:
        smsw    rax
        xor     rax, rbp
        lmsw    ax
        smsw    [abs SCRATCH]
        clts
        ret
random_flags:
        mov     rax, rbp
        and     eax, 0x3F7FD5
        push    rax
        popfq
        nop
        cpuid
        nop
        cli
        ret
read_all:
        mov     rax, cr0
        mov     rax, cr2
        mov     rax, cr3
        mov     rax, cr4
        mov     rax, cr8
        mov     cr2, rbx
        mov     rax, cr2
        ret
other_instructions:
        mov     eax, OTHER_COUNT
        call    below
        lea     rax, [rax * 8 + others]
        jmp     rax

%macro OTHER 1+
        align   8, nop
        %1
        ret
%endmacro
        align   8, nop
others:
        OTHER   wbinvd
        OTHER   invd
        OTHER   invlpg [rbx]
        OTHER   rdtscp
        OTHER   rdpmc
        OTHER   monitor
        OTHER   mwait
        OTHER   rdrand rax
        OTHER   rdseed rax
        OTHER   rsm
        OTHER   getsec
        OTHER   vmxoff
        OTHER   vmlaunch
        OTHER   vmread rax, rbx
        OTHER   vmwrite rax, rbx
        OTHER   vmxon [rbx]
        OTHER   vmptrld [rbx]
        OTHER   db 0x0F, 0x01, 0xD4             ; VMFUNC
        OTHER   invept rax, [rbx]
        OTHER   invvpid rax, [rbx]
        OTHER   invpcid rax, [rbx]
        OTHER   xsaves [rbx]
        OTHER   xrstors [rbx]
        OTHER   wrfsbase rbx
        OTHER   rdgsbase rbx
        OTHER   swapgs
        OTHER   db 0x0F, 0x01, 0xCF             ; ENCLS
        OTHER   db 0x0F, 0x01, 0xC5             ; PCONFIG
        OTHER   db 0x0F, 0x01, 0xEF             ; WRPKRU
        OTHER   db 0x66, 0x0F, 0xAE, 0xF7       ; TPAUSE
        OTHER   lldt bx
        OTHER   sysexit
        align   8, nop
others_end:
OTHER_COUNT     equ (others_end - others) / 8

; ---- Interrupts ----------------------------------------------------------------------------------

interrupt_case:
        mov     ebp, 6
.next:  push    rbp
        mov     eax, INTERRUPT_OPERATIONS
        call    below
        push    rax
        call    some_value
        mov     rbx, rax
        call    random
        mov     rbp, rax
        pop     rax
        call    [interrupt_operations + rax * 8]
        pop     rbp
        call    random
        test    eax, 3
        jz      .held                   ; several wait together
        sti
        mov     ecx, 20
.spin:  pause
        dec     ecx
        jnz     .spin
        cli
.held:  dec     ebp
        jnz     .next
        call    random
        test    eax, 7
        jz      renew_apic
        ret

; WRMSR or a write of EAX to the local APIC's register at offset ESI, depending on its mode.
write_apic:
        mov     edi, eax
        mov     ecx, IA32_APIC_BASE
        rdmsr
        test    eax, APIC_BASE_EXTENDED
        mov     eax, edi
        jz      .memory
        mov     ecx, esi
        shr     ecx, 4
        or      ecx, X2APIC
        xor     edx, edx
        wrmsr
        ret
.memory:
        mov     ecx, APIC_MEMORY
        mov     [rcx + rsi], eax
        ret

send_self:
        movzx   eax, bl
        or      eax, ICR_SELF
        mov     esi, APIC_ICR
        jmp     write_apic
send_burst:
        mov     r8d, 16
.next:  call    random
        movzx   eax, al
        or      eax, ICR_SELF
        mov     esi, APIC_ICR
        call    write_apic
        dec     r8d
        jnz     .next
        ret
send_nonmaskable:
        mov     eax, ICR_SELF | 4 << 8 | 2
        mov     esi, APIC_ICR
        jmp     write_apic
send_anything:
        mov     rax, rbx
        call    spare_reset
        mov     esi, APIC_ICR
        jmp     write_apic
set_priority:
        mov     eax, ebp
        and     eax, 15
        mov     cr8, rax
        ret
run_timer:                              ; any mode, any divisor, often the shortest time
        mov     eax, ebp
        and     eax, 0xB
        mov     esi, APIC_DIVIDE
        call    write_apic
        mov     eax, ebp
        shr     eax, 4
        and     eax, 0x700FF
        mov     esi, APIC_TIMER
        call    write_apic
        mov     eax, 1
        mov     ecx, ebp
        shr     ecx, 27
        shl     eax, cl
        mov     esi, APIC_COUNT
        jmp     write_apic
run_deadline:
        mov     eax, LVT_DEADLINE | 0x60
        mov     esi, APIC_TIMER
        call    write_apic
        rdtsc
        movzx   ecx, bl
        add     eax, ecx
        mov     ecx, IA32_TSC_DEADLINE
        wrmsr
        ret
run_hypercall_timer:
        movzx   ebx, bl
        movzx   ecx, bp
        and     ecx, 0xFF
        mov     eax, HYPERCALL_TIMER
        vmcall
        ret
run_interval_timer:                     ; any mode, the highest rate
        mov     eax, ebp
        and     eax, 0x0F
        or      eax, 0x30
        out     0x43, al
        mov     eax, ebp
        shr     eax, 8
        and     eax, 7
        out     0x40, al
        xor     eax, eax
        out     0x40, al
        ret
run_clock:                              ; its periodic interrupt, at every rate
        mov     al, 0x0A
        out     0x70, al
        mov     eax, ebp
        and     eax, 0x0F
        or      eax, 0x20
        out     0x71, al
        mov     al, 0x0B
        out     0x70, al
        mov     eax, ebp
        shr     eax, 8
        and     eax, 0x72
        out     0x71, al
        mov     al, 0x0C
        out     0x70, al
        in      al, 0x71
        ret
run_serial:                             ; transmitter empty
        mov     edx, COM1 + 1
        mov     eax, ebp
        and     eax, 0x0F
        out     dx, al
        mov     edx, COM1 + 4
        mov     al, 0x18                ; looped back
        out     dx, al
        mov     edx, COM1
        out     dx, al
        in      al, dx
        ret
route_pin:                              ; any entry of the I/O APIC; seldom INIT
        mov     edi, IO_APIC
        mov     eax, ebp
        and     eax, 31
        lea     eax, [rax * 2 + 0x10]
        mov     [rdi], eax
        mov     rax, rbx
        call    spare_reset
        test    ebp, 3 << 8
        jz      .write
        and     eax, 0xFFFF
        and     eax, ~(1 << 11)         ; to physical destination 0
.write: mov     [rdi + 0x10], eax
        ret
route_pics:                             ; initialised, with any vectors, any masks
        mov     al, 0x11
        out     0x20, al
        out     0xA0, al
        mov     eax, ebx
        out     0x21, al
        mov     al, bh
        out     0xA1, al
        mov     al, 4
        out     0x21, al
        mov     al, 2
        out     0xA1, al
        mov     eax, ebp
        and     eax, 0x1F
        or      eax, 1
        out     0x21, al
        out     0xA1, al
        mov     eax, ebp
        shr     eax, 8
        out     0x21, al
        shr     eax, 8
        out     0xA1, al
        ret
end_interrupt:
        xor     eax, eax
        mov     esi, APIC_EOI
        jmp     write_apic
change_line:
        mov     eax, ebp
        and     eax, 0x1F7FF
        mov     esi, APIC_LINE0
        test    ebp, 1 << 20
        jz      .write
        mov     esi, APIC_LINE0 + 0x10
.write: jmp     write_apic
wait_halted:                            ; only with something to come
        mov     ebx, 0x61
        movzx   ecx, bp
        mov     eax, HYPERCALL_TIMER
        vmcall
        sti
        hlt
        cli
        ret

; ---- Spinning ------------------------------------------------------------------------------------

; The watchdog ends it; without one it lasts until Martlet does.
spin_case:
        call    start_watchdog
        mov     ebx, SPIN_TICKS
        call    set_interval
        mov     eax, 32
        call    below
        test    eax, eax
        jnz     .watched
        mov     edi, IO_APIC
        mov     dword [rdi + 0x10], 1 << 16
.watched:
        mov     byte [watched], 1
        mov     edi, ABSENT_MEMORY
        mov     eax, SPINS
        call    below
        lea     rax, [spins + rax * 8]
        jmp     rax

%macro SPIN 1+                          ; at most 8 bytes, which a jump back follows
        align   8, nop
%%again:
        %1
        jmp     %%again
%endmacro
        align   8, nop
spins:
        SPIN    nop
        SPIN    cli
        SPIN    sti
        SPIN    pause
        SPIN    cpuid
        SPIN    rdtsc
        SPIN    vmcall
        SPIN    in al, 0x80
        SPIN    out 0x80, al
        SPIN    rdmsr
        SPIN    wbinvd
        SPIN    mov rax, cr0
        SPIN    mov [rdi], al
        SPIN    int 0x60
        align   8, nop
spins_end:
SPINS           equ (spins_end - spins) / 8

; ---- Floods of interrupts ------------------------------------------------------------------------

; Every timer as fast as possible, lines that stay high, and interrupts to itself, for a while.
flood_case:
        mov     dword [budget], MOST_INTERRUPTS * 4
        mov     ebp, 5
.next:  push    rbp
        mov     eax, FLOODS
        call    below
        push    rax
        call    random
        mov     rbx, rax
        call    random
        mov     rbp, rax
        pop     rax
        call    [floods + rax * 8]
        pop     rbp
        dec     ebp
        jnz     .next
        sti
        mov     ebp, 64
.spin:  pause
        test    ebp, 7
        jnz     .on
        call    random
        movzx   eax, al
        or      eax, ICR_SELF
        mov     esi, APIC_ICR
        call    write_apic
.on:    dec     ebp
        jnz     .spin
        cli
        call    start_watchdog
        mov     al, 0x0B                ; the clock's own interrupts end here
        out     0x70, al
        mov     al, 0x02
        out     0x71, al
        mov     eax, 1 << 16
        mov     esi, APIC_TIMER
        jmp     write_apic

flood_local_timer:                      ; periodic, 1 to 16 ticks
        mov     eax, 0xB
        mov     esi, APIC_DIVIDE
        call    write_apic
        mov     eax, 0x20040
        mov     esi, APIC_TIMER
        call    write_apic
        mov     eax, ebp
        and     eax, 15
        inc     eax
        mov     esi, APIC_COUNT
        jmp     write_apic
flood_interval_timer:                   ; as an interrupt, through the 8259s, or as an NMI: seldom, since it ends all progress
        movzx   r9d, bl
        mov     ebx, 2
        call    set_interval
        mov     edi, IO_APIC
        mov     dword [rdi], 0x10 + 2 * 2
        mov     eax, r9d
        test    ebp, 1
        jz      .route
        mov     eax, 7 << 8
        test    ebp, 0x7E
        jnz     .route
        mov     eax, 4 << 8
.route: mov     [rdi + 0x10], eax
        ret
flood_clock:                            ; 8192 Hz
        mov     al, 0x0A
        out     0x70, al
        mov     al, 0x23
        out     0x71, al
        mov     al, 0x0B
        out     0x70, al
        mov     al, 0x72
        out     0x71, al
        ret
flood_line:                             ; level-triggered; COM1's transmitter has room for ever
        mov     edi, IO_APIC
        mov     dword [rdi], 0x10 + 2 * 4
        movzx   eax, bl
        or      eax, 1 << 15
        mov     [rdi + 0x10], eax
        mov     edx, COM1 + 1
        mov     al, 2
        out     dx, al
        ret

; ---- Page tables ---------------------------------------------------------------------------------

tables_case:
        mov     ebp, 6
.next:  push    rbp
        call    random
        mov     rbx, rax
        call    some_table_entry
        mov     rdx, rax
        mov     ecx, ebx
        and     ecx, 15
        shr     ebx, 4
        cmp     ecx, 1
        jb      .root
        je      .pointer
        cmp     ecx, 4
        jbe     .directory
        and     ebx, 7
        mov     [window_table + rbx * 8], rdx
        jmp     .flush
.root:  and     ebx, 511                ; the first entry leads here
        jz      .flush
        mov     [root + rbx * 8], rdx
        jmp     .flush
.pointer:
        and     ebx, 511
        cmp     ebx, 4
        jb      .flush
        mov     [pointers + rbx * 8], rdx
        jmp     .flush
.directory:
        and     ebx, 3
        mov     [window_directory + rbx * 8], rdx
.flush: call    random
        test    eax, 3
        jz      .touch                  ; what is cached may be used
        test    eax, 4
        jz      .page
        mov     rcx, cr3
        mov     cr3, rcx
        jmp     .touch
.page:  mov     eax, WINDOW
        invlpg  [rax]
.touch: call    some_virtual_address
        mov     rdi, rax
        call    some_virtual_address
        mov     rsi, rax
        mov     eax, TOUCHES
        call    below
        call    [touches + rax * 8]
        cld
        pop     rbp
        dec     ebp
        jnz     .next
        ret

; RAX = a page-table entry: a table of the pool or scratch memory, with random rights; sometimes absent or reserved bits.
some_table_entry:
        push    rcx
        call    random
        mov     rcx, rax
        and     eax, 0x1FF              ; the rights, a large page now and then
        or      eax, PRESENT
        bt      rcx, 9
        jc      .small
        and     eax, ~LARGE
.small: bt      rcx, 10
        jc      .place
        or      eax, WRITABLE | USER
.place: shr     rcx, 16
        push    rcx
        and     ecx, 0x3FF
        shl     ecx, 12
        lea     rax, [rax + rcx + SCRATCH]
        pop     rcx
        shr     rcx, 10
        test    ecx, 31                 ; a bit that should not be there
        jnz     .no_bit
        push    rcx
        shr     ecx, 5
        btc     rax, rcx
        pop     rcx
.no_bit:
        shr     rcx, 11
        test    ecx, 31                 ; or memory that is not
        jnz     .end
        shr     rcx, 5
        and     ecx, 0xFF
        shl     ecx, 12
        and     eax, 0xFFF
        add     rax, rcx
        mov     ecx, ABSENT_MEMORY
        add     rax, rcx
.end:   pop     rcx
        ret

; RAX = an address that the random entries translate.
some_virtual_address:
        push    rcx
        call    random
        mov     rcx, rax
        shr     rcx, 8
        and     eax, 7
        jz      .any
        cmp     eax, 2
        jb      .far
        je      .crossing
        and     ecx, 0x7FFF
        lea     rax, [rcx + WINDOW]
        pop     rcx
        ret
.far:   and     ecx, 0x7FFFFF
        lea     rax, [rcx + WINDOW]
        pop     rcx
        ret
.crossing:
        and     ecx, 0x7007
        lea     rax, [rcx + WINDOW + 0xFFC]
        pop     rcx
        ret
.any:   shl     rcx, 16
        sar     rcx, 16
        mov     rax, rcx
        pop     rcx
        ret

touch_read:
        mov     rax, [rdi]
        ret
touch_write:
        mov     [rdi], rdx
        ret
touch_locked:
        lock xadd [rdi], eax
        ret
touch_fetch:
        mov     byte [watched], 1
        call    rdi
        mov     byte [watched], 0
        ret
touch_copy:
        mov     ecx, 0x40
        rep movsb
        ret
touch_ports:
        mov     ecx, 0x20
        mov     edx, DELAY_PORT
        rep outsb
        rep insb
        mov     ecx, 0x20
        rep insw
        ret
touch_vector:
        movups  xmm0, [rdi]
        movups  [rsi], xmm0
        ret
touch_stack:                            ; an exception's frame goes where the entries say
        mov     [golden_stack], rsp
        mov     rsp, rdi
        push    rax
        push    rdx
        pop     rax
        mov     rsp, [golden_stack]
        ret
touch_task:                             ; and an interrupt's, through the TSS
        test    edx, 3
        jnz     touch_read
        mov     [interrupt_stack_pointer + 16], rdi
        mov     byte [idt + (0x80 << GATE_SHIFT) + GATE_STACK], 3
        int     0x80
        ret
touch_descriptors:
        mov     [abs SCRATCH + 0x1002], rdi
        mov     word [abs SCRATCH + 0x1000], 0xFFF
        test    edx, 3
        jnz     touch_write
        lgdt    [abs SCRATCH + 0x1000]
        mov     eax, 0x18
        mov     gs, eax
        lgdt    [gdt_pointer]
        ret

; ---- Random bytes --------------------------------------------------------------------------------

bytes_case:
        mov     edi, CODE
        mov     eax, 12
        call    below
        lea     ecx, [rax + 4]
.more:  call    random
        mov     rbx, rax
        shr     rax, 8
        test    ebx, 3
        jnz     .random
        mov     eax, OPCODES            ; the beginning of an instruction that is worth it
        call    below
        lea     rdx, [opcodes + rax * 8]
        mov     rax, [rdx]
        movzx   edx, al
        shr     rax, 8
        mov     [rdi], rax
        add     rdi, rdx
        jmp     .counted
.random:
        mov     [rdi], rax
        shr     ebx, 2
        and     ebx, 3
        lea     rdi, [rdi + rbx + 1]
.counted:
        dec     ecx
        jnz     .more
        mov     eax, 0xCCCC0B0F         ; UD2, INT3
        mov     [rdi], eax
        mov     dword [rdi + 4], 0xCCCCCCCC
        mov     qword [rdi + 8], -1

        mov     edi, values             ; all registers
        mov     ecx, 16
.value: call    some_register
        stosq
        loop    .value
        call    random
        and     eax, 0x244AD5           ; no single steps, IOPL 0, and interrupts half of the time
        push    rax
        call    random
        test    eax, 15
        pop     rax
        jnz     .no_step
        bts     rax, 8
.no_step:
        mov     [values + 15 * 8], rax
        call    random
        and     eax, 0xFFFF8
        add     eax, SCRATCH + 0x80000
        mov     [values_stack], rax
        call    random
        test    eax, 7
        jnz     .good_stack
        call    some_register
        mov     [values_stack], rax
.good_stack:
        mov     byte [watched], 1
        mov     rsp, values
        pop     rax
        pop     rcx
        pop     rdx
        pop     rbx
        pop     rbp
        pop     rsi
        pop     rdi
        pop     r8
        pop     r9
        pop     r10
        pop     r11
        pop     r12
        pop     r13
        pop     r14
        pop     r15
        popfq
        mov     rsp, [values_stack]
        jmp     CODE

; RAX = a value for a register: mostly an address of the scratch memory.
some_register:
        push    rcx
        call    random
        mov     rcx, rax
        and     eax, 7
        cmp     eax, 3
        jb      .scratch
        je      .small
        cmp     eax, 5
        jb      .known
        je      .address
        mov     rax, rcx
        rol     rax, 24
        pop     rcx
        ret
.scratch:
        shr     rcx, 8
        and     ecx, SCRATCH_MASK
        lea     rax, [rcx + SCRATCH]
        pop     rcx
        ret
.small: movzx   eax, ch
        pop     rcx
        ret
.known: mov     rax, known_values
        call    one_of
        pop     rcx
        ret
.address:
        pop     rcx
        jmp     some_address

; One stub a vector, 16 bytes each.
        align   16
stubs:
%assign vector 0
%rep 256
        align   16
    %if vector == 2
        jmp     non_maskable
    %elif vector < 32
        jmp     caught
    %else
        jmp     interrupt
    %endif
    %assign vector vector + 1
%endrep

%include "hypercalls.inc"
%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "option.inc"
%include "longmode.inc"

section .text
        align   8
code_end:

section .data
guest_name:     db "fuzz", 0
seed_text:      db "seed=", 0
first_text:     db "first=", 0
cases_text:     db "cases=", 0
begin_text:     db "fuzz: seed=", 0
end_text:       db 10, "fuzz: done, seed=", 0
separator_text: db " ", 0
starts_text:    db ": starts ", 0
faults_text:    db ", since the last: faults ", 0
interrupts_text: db ", interrupts ", 0

msr_name:       db "kind=msr", 0
port_name:      db "kind=port", 0
apic_name:      db "kind=apic", 0
cr_name:        db "kind=cr", 0
interrupts_name: db "kind=interrupts", 0
spin_name:      db "kind=spin", 0
flood_name:     db "kind=flood", 0
tables_name:    db "kind=tables", 0
bytes_name:     db "kind=bytes", 0

        align   8
kind_names:     dq msr_name, port_name, apic_name, cr_name, interrupts_name, spin_name, flood_name
                dq tables_name, bytes_name
kinds:          dq msr_case, port_case, apic_case, cr_case, interrupt_case, spin_case, flood_case
                dq tables_case, bytes_case
KINDS           equ ($ - kinds) / 8
SPIN_KIND       equ 5
TABLES_KIND     equ 7                   ; from this kind on, tables are put right after each case

port_operations:
        dq      in_8, in_8, in_16, in_32, out_8, out_8, out_8, out_16, out_32
        dq      ins_8, ins_16, ins_32, outs_8, outs_16, outs_32, firmware_dma
PORT_OPERATIONS equ ($ - port_operations) / 8

cr_operations:
        dq      flip_cr0, random_cr0, flip_cr4, flip_cr4, random_cr4, flip_cr3, random_cr3, random_cr8, random_xcr0
        dq      random_efer, random_debug, switch_words, random_flags, read_all, other_instructions, other_instructions
CR_OPERATIONS   equ ($ - cr_operations) / 8

interrupt_operations:
        dq      send_self, send_burst, send_nonmaskable, send_anything, set_priority, run_timer, run_timer, run_deadline
        dq      run_hypercall_timer, run_interval_timer, run_clock, run_serial, route_pin, route_pin, route_pics
        dq      end_interrupt, change_line, wait_halted
INTERRUPT_OPERATIONS equ ($ - interrupt_operations) / 8

floods:
        dq      flood_local_timer, flood_interval_timer, flood_clock, flood_line, send_burst, send_nonmaskable
FLOODS          equ ($ - floods) / 8

touches:
        dq      touch_read, touch_read, touch_write, touch_write, touch_locked, touch_fetch, touch_copy, touch_ports
        dq      touch_vector, touch_stack, touch_task, touch_descriptors
TOUCHES         equ ($ - touches) / 8

accesses:
%assign index 0
%rep ACCESSES
        dq      access_ %+ index
    %assign index index + 1
%endrep

%macro OPCODE 1+                        ; the bytes after their count, in 8
%%entry:
        db      %%end - %%start
%%start:
        db      %1
%%end:
        times 8 - ($ - %%entry) db 0xCC
%endmacro
        align   8
opcodes:
        OPCODE  0x0F, 0x20
        OPCODE  0x0F, 0x21
        OPCODE  0x0F, 0x22
        OPCODE  0x0F, 0x23
        OPCODE  0x0F, 0x22, 0xC0
        OPCODE  0x0F, 0x22, 0xE0
        OPCODE  0x44, 0x0F, 0x22, 0xC0
        OPCODE  0x0F, 0x30
        OPCODE  0x0F, 0x32
        OPCODE  0x0F, 0x31
        OPCODE  0x0F, 0x01
        OPCODE  0x0F, 0x00
        OPCODE  0x0F, 0x01, 0xC1
        OPCODE  0x0F, 0x01, 0xD1
        OPCODE  0x0F, 0x02
        OPCODE  0x0F, 0x03
        OPCODE  0x0F, 0x05
        OPCODE  0x0F, 0x07
        OPCODE  0x0F, 0x34
        OPCODE  0x0F, 0x35
        OPCODE  0x0F, 0x38
        OPCODE  0x0F, 0x3A
        OPCODE  0x0F, 0xAE
        OPCODE  0x0F, 0xC7
        OPCODE  0x0F, 0xA2
        OPCODE  0x66, 0x0F
        OPCODE  0xF2, 0x0F
        OPCODE  0xF3, 0x0F
        OPCODE  0x48, 0x0F
        OPCODE  0xF3, 0x48, 0x0F, 0xC7
        OPCODE  0xF0
        OPCODE  0x66
        OPCODE  0x67
        OPCODE  0x64
        OPCODE  0x48
        OPCODE  0x41
        OPCODE  0x4F
        OPCODE  0xC4
        OPCODE  0xC5
        OPCODE  0x62
        OPCODE  0x6C
        OPCODE  0x6D
        OPCODE  0x6E
        OPCODE  0xF3, 0x6E
        OPCODE  0xF3, 0xA4
        OPCODE  0xF3, 0xAB
        OPCODE  0xE4
        OPCODE  0xEC
        OPCODE  0xED
        OPCODE  0xEE
        OPCODE  0xEF
        OPCODE  0xFA
        OPCODE  0xFB
        OPCODE  0xFB, 0xF4
        OPCODE  0xFB, 0xEB, 0xFE
        OPCODE  0xFA, 0xEB, 0xFE
        OPCODE  0x9C
        OPCODE  0x9D
        OPCODE  0xCD
        OPCODE  0xCF
        OPCODE  0x48, 0xCF
        OPCODE  0xCB
        OPCODE  0xFF
        OPCODE  0x8E
        OPCODE  0x0F, 0xB2
        OPCODE  0x48, 0xB8
        OPCODE  0xBA
        OPCODE  0xB9
        OPCODE  0x68
        OPCODE  0xC8
        OPCODE  0xC9
        OPCODE  0xD9
        OPCODE  0xDD
        OPCODE  0x90
        OPCODE  0xF3, 0x90
OPCODES         equ ($ - opcodes) / 8

known_msrs:
        ARRAY   0x10, 0x17, 0x1B, 0x3A, 0x3B, 0x48, 0x49, 0x79, 0x8B, 0xC1, 0xCE, 0xE7, 0xE8, 0xFE, 0x10A, 0x10B, \
                0x122, 0x123, 0x140, 0x174, 0x175, 0x176, 0x179, 0x17A, 0x17B, 0x186, 0x198, 0x199, 0x19A, 0x19B, 0x1A0, \
                0x1A2, 0x1C9, 0x1D9, 0x1DB, 0x1F2, 0x1F3, 0x200, 0x201, 0x20F, 0x250, 0x258, 0x268, 0x26F, 0x277, 0x2FF, \
                0x309, 0x345, 0x38D, 0x38F, 0x390, 0x3F1, 0x400, 0x401, 0x403, 0x41C, 0x480, 0x48B, 0x491, 0x560, 0x570, \
                0x600, 0x606, 0x6A0, 0x6A2, 0x6A4, 0x6A8, 0x6E0, 0x6E1, 0x770, 0x802, 0x808, 0x80B, 0x80D, 0x80F, 0x828, \
                0x82F, 0x830, 0x832, 0x835, 0x836, 0x838, 0x83E, 0x83F, 0xD90, 0xDA0, 0x4B564D00, 0x40000000, \
                0x40000001, 0xC0000080, 0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084, 0xC0000100, 0xC0000101, \
                0xC0000102, 0xC0000103, 0xC0000104, 0xC0010000, 0xC0010015, 0xC001001F, 0xC0010140
known_ports:
        ARRAY   0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0x92, \
                0xB2, 0xE9, 0xF3, 0x3F8, 0x3F9, 0x3FA, 0x3FB, 0x3FC, 0x3FD, 0x3FE, 0x3FF, 0x2F8, 0x510, 0x511, 0x514, \
                0x518, 0x51B, 0x600, 0x601, 0x602, 0x604, 0x605, 0x608, 0x60B, 0x60C, 0xCF8, 0xCF9, 0xCFA, 0xCFC, 0xCFD, \
                0xCFE, 0xCFF, 0x1F0, 0x1CE, 0x3C0, 0x3D4, 0x402, 0x5658, 0x8900, 0xFFFD, 0xFFFF
device_addresses:
        ARRAY   IO_APIC, IO_APIC + 0x10, IO_APIC + 0xFFC, APIC_MEMORY + APIC_ID, APIC_MEMORY + APIC_TPR, \
                APIC_MEMORY + APIC_CURRENT, APIC_MEMORY + 0xFFC, APIC_MEMORY + 0x1000, 0xFED00000, 0xFFFFFFF0, 0xB8000, \
                0xE0000, 0xFFFF0
io_apic_offsets:
        ARRAY   0, 0, 0, 0x10, 0x10, 0x10, 0x10, 0x40, 0x1, 0x12, 0x20, 0xFFC, 0x1000, 0x8
moved_base:
        ARRAY   0xFED40000, 0xFEC00000, 0xFEE00000, ABSENT_MEMORY, SCRATCH, 0x80000000, 0xFFFFF000
known_values:
        ARRAY   IA32_APIC_BASE, IA32_TSC_DEADLINE, IA32_EFER, 0x830, 0x80B, 0x80F, IA32_FS_BASE, COM1, 0x20, 0x43, 0x70, \
                0x71, 0x510, 0x608, 0xCF8, 0xCFC, APIC_MEMORY, APIC_MEMORY + APIC_ICR, APIC_MEMORY + APIC_EOI, IO_APIC, \
                ABSENT_MEMORY, CODE, DATA_SELECTOR, USER_CODE, 1, 2, 3, 0x80000031, 0x40000000, 0xD, CODE_SELECTOR

GDT_SIZE        equ TSS_SIZE + (tss - gdt)
TABLES_SIZE     equ 9 * 4096

section .bss
        alignb  4096
golden_tables:  resb TABLES_SIZE
golden_idt:     resb 4096
golden_gdt:     resb 512
golden_stack:   resq 1
                resb 4096
nmi_stack_top:
values:         resq 16
values_stack:   resq 1
state:          resq 1
seed:           resq 1
cases:          resq 1
code_sum:       resq 1
faults:         resq 1
interrupts:     resq 1
good_cr0:       resq 1
good_cr4:       resq 1
good_efer:      resd 1
kind:           resd 1
last_kind:      resd 1
budget:         resd 1
watched:        resb 1

        MULTIBOOT_END

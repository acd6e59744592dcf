; Shows: a guest that does anything at all. Thousands of random operations, good and bad: port I/O,
; MSRs, CPUID, VMCALL, control registers, absent and unaligned memory, privileged instructions.
; The hypervisor must survive it, and the guest must run to its end.
;
; The command line may say seed=N and operations=N.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

DEFAULT_SEED        equ 1
DEFAULT_OPERATIONS  equ 4000
SCRATCH_SIZE        equ 2 * 4096

        MULTIBOOT_HEADER

main:
        CHECK   1
        call    find_martlet
        jne     failed

        mov     eax, DEFAULT_SEED
        mov     esi, seed_text
        call    option
        mov     esi, seed_text
        call    print
        call    print_decimal
        mov     rcx, 0x9E3779B97F4A7C15         ; spreads small seeds; never zero
        inc     rax
        imul    rax, rcx
        mov     [state], rax
        OPTION  operations_text, DEFAULT_OPERATIONS, left
        mov     esi, separator_text
        call    print
        mov     esi, operations_text
        call    print
        call    print_decimal
        mov     esi, newline_text
        call    print

        mov     ebx, 32                 ; every interrupt has a handler
.gate:  mov     eax, interrupt
        mov     ecx, ebx
        call    set_gate
        inc     ebx
        cmp     ebx, 256
        jb      .gate
        mov     rax, cr0
        mov     [good_cr0], rax
        mov     rax, cr4
        mov     [good_cr4], rax

        CHECK   2
next:                                   ; clean up after the last operation
        cli
        cld
        mov     esp, stack_top
        mov     rax, [good_cr0]
        mov     cr0, rax
        mov     rax, [good_cr4]
        mov     cr4, rax
        xor     eax, eax
        mov     cr8, rax
        mov     qword [resume_at], 0
        sub     qword [left], 1
        jc      .done
        call    random
        mov     rsi, rax                ; every operation begins with random registers
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
        mov     eax, OPERATIONS
        call    below
        EXPECT_FAULT next
        push    qword next
        jmp     [operations + rax * 8]
.done:  jmp     succeeded

%include "random.inc"

; RAX = a random number below EAX. Keeps the others.
below:  push    rdx
        push    rcx
        mov     ecx, eax
        call    random
        xor     edx, edx
        div     rcx
        mov     rax, rdx
        pop     rcx
        pop     rdx
        ret

interrupt:
        iretq

; ---- Ports ---------------------------------------------------------------------------------------

; EDX = a port that may be written: neither the debug exit nor COM1, and none whose wide access would
; reach them.
port_to_write:
        movzx   edx, dx
        mov     eax, edx
        and     eax, ~7
        cmp     eax, DEBUG_EXIT & ~7
        je      .other
        and     eax, ~15
        cmp     eax, COM1 & ~15
        jne     .end
.other: mov     edx, DELAY_PORT
.end:   ret

in_8:   in      al, dx
        ret
in_16:  in      ax, dx
        ret
in_32:  in      eax, dx
        ret
out_8:  call    port_to_write
        mov     eax, ebp
        out     dx, al
        ret
out_16: call    port_to_write
        out     dx, ax
        ret
out_32: call    port_to_write
        out     dx, eax
        ret
in_strings:
        call    somewhere
        and     ecx, 31
        rep insb
        and     ecx, 3
        insw
        mov     ecx, ebp
        and     ecx, 15
        rep insd
        ret
out_strings:
        call    somewhere
        mov     rsi, rdi
        call    port_to_write
        and     ecx, 31
        rep outsd
        mov     ecx, ebp
        and     ecx, 15
        std
        rep outsw
        outsb
        ret

; ---- MSRs and CPUID ------------------------------------------------------------------------------

; ECX = the number of an MSR, most often one that might exist.
some_msr:
        mov     eax, 4
        call    below
        cmp     eax, 1
        ja      .end                    ; half of the time: near the known ones
        and     ecx, 0x1FFF
        test    eax, eax
        jz      .end
        or      ecx, 0xC0000000
        ret
.end:   cmp     eax, 2
        jne     .any
        and     ecx, 0x3FF
.any:   ret

read_msr:
        call    some_msr
        rdmsr
        ret
write_msr:
        call    some_msr
        mov     eax, ebx
        test    ebp, 1                  ; often a small value
        jz      .write
        xor     edx, edx
        and     eax, 0xFFFF
.write: wrmsr
        ret
write_msr_back:                         ; what was read, with one bit changed
        call    some_msr
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        btc     rax, rbp
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        ret
ask_cpuid:
        mov     eax, ebx
        cpuid
        mov     eax, ebp
        and     eax, 0xC000003F
        and     ecx, 3
        cpuid
        ret

; ---- VMCALL, interrupts --------------------------------------------------------------------------

call_hypervisor:
        mov     eax, ebp
        and     eax, 3
        vmcall
        ret
call_hypervisor_anyhow:
        mov     rax, rbp
        vmcall
        ret
let_interrupts_in:
        movzx   ebx, bl
        and     ecx, 0xFFFF
        mov     eax, HYPERCALL_TIMER
        vmcall
        sti
        nop
        cli
        ret
halt_until_due:
        mov     eax, HYPERCALL_TIMER
        movzx   ebx, bl
        or      ebx, 32                 ; a vector that is valid
        and     ecx, 0xFFF
        vmcall
        sti
        hlt
        ret

; ---- Control and debug registers -----------------------------------------------------------------

flip_cr0:
        mov     rax, cr0
        btc     rax, rbp
        mov     cr0, rax
        ret
random_cr0:
        mov     cr0, rbp
        ret
flip_cr4:                               ; not SMEP nor SMAP: all pages are the user's
        mov     rax, cr4
        btc     rax, rbp
        and     rax, ~(CR4_SMEP | CR4_SMAP)
        mov     cr4, rax
        ret
random_cr4:
        and     rbp, ~(CR4_SMEP | CR4_SMAP)
        mov     cr4, rbp
        ret
bad_cr3:
        mov     rax, cr3
        and     ebp, 7
        add     ebp, 52
        bts     rax, rbp
        mov     cr3, rax
        ret
random_cr8:
        mov     rax, rbp
        and     eax, 31
        mov     cr8, rax
        mov     cr8, rbp
        ret
random_xcr0:
        mov     rax, cr4
        or      eax, CR4_OSXSAVE
        mov     cr4, rax
        and     ecx, 1
        xor     edx, edx
        mov     eax, ebp
        and     eax, 0xFF
        xsetbv
        xgetbv
        ret
random_debug:
        mov     dr0, rbp
        mov     dr3, rbx
        mov     rax, dr6
        mov     rax, dr7
        ret
switch_words:
        smsw    rax
        and     ebp, 0xE
        or      eax, ebp
        lmsw    ax
        clts
        ret

; ---- Memory --------------------------------------------------------------------------------------

; RDI = an address: absent memory, the end of RAM, the scratch pages, or none at all.
somewhere:
        mov     eax, 4
        call    below
        cmp     eax, 1
        jb      .absent
        je      .end_of_ram
        cmp     eax, 2
        je      .random
        and     edi, SCRATCH_SIZE / 2 - 1
        add     rdi, scratch
        ret
.absent:
        and     edi, 0xFFFFF
        mov     eax, ABSENT_MEMORY
        add     rdi, rax
        ret
.end_of_ram:                            ; just beyond it
        mov     eax, [multiboot_address]
        mov     eax, [rax + multiboot.mem_upper]
        shl     rax, 10
        add     rax, IMAGE_BASE
        and     edi, 0xFFF
        add     rdi, rax
        ret
.random:
        test    edi, 1
        jz      .end                    ; 64 bits of it: seldom canonical
        mov     eax, WINDOW             ; or where no page is present
        and     edi, 0xFFFF
        add     rdi, rax
.end:   ret

read_memory:
        call    somewhere
        mov     al, [rdi]
        mov     ax, [rdi + 1]
        mov     eax, [rdi + 3]
        mov     r8, [rdi + 5]
        movzx   r9d, byte [rdi]
        movsx   r10, word [rdi]
        ret
write_memory:
        call    somewhere
        mov     [rdi], al
        mov     [rdi + 1], bx
        mov     [rdi + 3], ecx
        mov     [rdi + 5], r9
        mov     qword [rdi + 8], 0x12345678
        ret
write_strings:
        call    somewhere
        and     ecx, 31
        mov     rax, rbp
        rep stosb
        mov     ecx, 2
        rep stosq
        ret
copy_strings:
        call    somewhere
        mov     rsi, scratch
        and     ecx, 31
        rep movsb
        xchg    rsi, rdi
        mov     rdi, scratch
        mov     ecx, 3
        rep movsd
        ret

; ---- Other instructions --------------------------------------------------------------------------

%macro LONE_INSTRUCTION 2
%1:     %2
        ret
%endmacro

        LONE_INSTRUCTION lone_wbinvd,   wbinvd
        LONE_INSTRUCTION lone_invd,     invd
        LONE_INSTRUCTION lone_invlpg,   {invlpg [rbp]}
        LONE_INSTRUCTION lone_rdtsc,    rdtsc
        LONE_INSTRUCTION lone_rdtscp,   rdtscp
        LONE_INSTRUCTION lone_rdpmc,    rdpmc
        LONE_INSTRUCTION lone_monitor,  monitor
        LONE_INSTRUCTION lone_mwait,    mwait
        LONE_INSTRUCTION lone_pause,    pause
        LONE_INSTRUCTION lone_rdrand,   {rdrand rax}
        LONE_INSTRUCTION lone_rdseed,   {rdseed rax}
        LONE_INSTRUCTION lone_rsm,      rsm
        LONE_INSTRUCTION lone_getsec,   getsec
        LONE_INSTRUCTION lone_vmxon,    {vmxon [scratch]}
        LONE_INSTRUCTION lone_vmlaunch, vmlaunch
        LONE_INSTRUCTION lone_vmread,   {vmread rax, rbp}
        LONE_INSTRUCTION lone_vmwrite,  {vmwrite rax, rbp}
        LONE_INSTRUCTION lone_vmptrld,  {vmptrld [scratch]}
        LONE_INSTRUCTION lone_invept,   {invept rax, [scratch]}
        LONE_INSTRUCTION lone_invvpid,  {invvpid rax, [scratch]}
        LONE_INSTRUCTION lone_vmfunc,   {db 0x0F, 0x01, 0xD4}
        LONE_INSTRUCTION lone_invpcid,  {invpcid rax, [scratch]}
        LONE_INSTRUCTION lone_xsaves,   {xsaves [scratch]}
        LONE_INSTRUCTION lone_ud2,      ud2
        LONE_INSTRUCTION lone_int3,     int3
        LONE_INSTRUCTION lone_sgdt,     {sgdt [scratch]}
        LONE_INSTRUCTION lone_str,      {str rax}
        LONE_INSTRUCTION lone_ltr,      {ltr bp}
        LONE_INSTRUCTION lone_lldt,     {lldt bp}

%include "hypercalls.inc"
%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "option.inc"
%include "longmode.inc"

section .data
guest_name:     db "hostile", 0
seed_text:      db "seed=", 0
separator_text: db " ", 0
operations_text: db "operations=", 0

        align   8
operations:
        dq      in_8, in_16, in_32, out_8, out_16, out_32, in_strings, out_strings
        dq      read_msr, read_msr, write_msr, write_msr, write_msr_back, write_msr_back, ask_cpuid
        dq      call_hypervisor, call_hypervisor_anyhow, let_interrupts_in, halt_until_due
        dq      flip_cr0, random_cr0, flip_cr4, random_cr4, bad_cr3, random_cr8, random_xcr0
        dq      random_debug, switch_words
        dq      read_memory, read_memory, write_memory, write_strings, copy_strings
        dq      lone_wbinvd, lone_invd, lone_invlpg, lone_rdtsc, lone_rdtscp, lone_rdpmc
        dq      lone_monitor, lone_mwait, lone_pause, lone_rdrand, lone_rdseed, lone_rsm, lone_getsec
        dq      lone_vmxon, lone_vmlaunch, lone_vmread, lone_vmwrite, lone_vmptrld, lone_invept
        dq      lone_invvpid, lone_vmfunc, lone_invpcid, lone_xsaves, lone_ud2, lone_int3
        dq      lone_sgdt, lone_str, lone_ltr, lone_lldt
OPERATIONS      equ ($ - operations) / 8

section .bss
        alignb  4096
scratch:        resb SCRATCH_SIZE
state:          resq 1
left:           resq 1
good_cr0:       resq 1
good_cr4:       resq 1

        MULTIBOOT_END

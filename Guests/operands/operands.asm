; Shows: every instruction does to a device's memory what it does to RAM: to registers, flags, memory and segments, with
; the same faults and debug traps. Each case is made from its seed and number alone: one of the forms in forms.inc, with random
; operands, flags and rights, is executed twice at the same address, once where RAM is and once where the memory of the
; test device is (TESTDEV=on), in 64-bit, compatibility, protected, virtual-8086 and real mode, in rings 0
; and 3. In real mode, which does not page, the segments of data lie where the window is, and the stack never does.
;
; The command line may say seed=N, first=N and cases=N (the numbers of the first case and of the one after the last), and real=0: no
; case in real mode, whose segment bases beyond 1 MiB a processor without unrestricted guest cannot have.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

DEFAULT_SEED    equ 1
DEFAULT_CASES   equ 20000
MOST_SHOWN      equ 20                  ; failures to print

; Where code of every width reaches all.
SAFE_STACK      equ 0x7800
SAFE_STACK_KEPT equ 0x80                ; bytes of it that are compared
CODE            equ 0x8000              ; the instruction; all of the page else is INT3
LANDING         equ 0x8100              ; what jumps go to
VIEW          equ 0xC000              ; three pages of RAM or the device's
MIDDLE          equ VIEW + 0x1000
RAM             equ 0x300000            ; what is seen in the window
DEVICE          equ 0xFF004000
KEPT            equ 0xF80               ; what is compared of it
KEPT_SIZE       equ 0x180

VECTORS equ 32
CODE_32         equ 0x40
OTHER_TSS       equ 0x88
LEGACY_TSS      equ 0xD8
LONG_TSS        equ 0xE0
REAL_DATA       equ 0xF0
CODE_16         equ 0x48
DATA_16         equ 0x58

LOW             equ 0x9000              ; real-mode code
LOW_STACK       equ 0xAF00

; How a mode is entered.
IN_COMPATIBILITY equ 0
IN_64_BIT       equ 1
IN_LEGACY       equ 2                   ; and all from here on
IN_RING_0       equ 3
IN_VIRTUAL_8086 equ 4
IN_REAL         equ 5

CF      equ 1 << 0
PF      equ 1 << 2
AF      equ 1 << 4
ZF      equ 1 << 6
SF      equ 1 << 7
DF      equ 1 << 10
OF      equ 1 << 11
COMPARES        equ 1 << 15             ; no flag: among the undefined ones it says that the form is a repeated comparison
AC      equ 1 << 18

; What a form's memory holds.
RANDOM          equ 0
DIVISOR         equ 1
EQUAL           equ 2
BITS_NEAR       equ 3
STRINGS         equ 4
NEARBY          equ 5
SELECTOR        equ 6
FAR_DATA        equ 7
STACKED         equ 8                   ; from here on with the stack there
STACKED_SELECTOR equ 9
NEAR_POINTER    equ 10
NEAR_POINTER_STACKED equ 11
FAR_POINTER     equ 12
FAR_POINTER_STACKED equ 13
RETURNS         equ 14
FAR_RETURNS     equ 15
INTERRUPT_RETURNS equ 16
GLOBAL_TABLE    equ 17
INTERRUPT_TABLE equ 18
MACHINE_STATUS  equ 19
CONTROL_WORD    equ 20

struc form
.kind:          resb 1
.size:          resb 1
.undefined:     resw 1
.length:        resb 1
.code:          resb 15
endstruc

%macro FORM 4+                          ; kind, size, undefined flags, instruction
        db      %1, %2
        dw      %3
        db      %%end - %%begin
%%begin:
        %4
%%end:  times 15 - (%%end - %%begin) db 0
%endmacro

; What is compared.
struc result
.registers:     resq 16                 ; in the order of their encodings; RSP from the frame
.vector:        resq 1
.error:         resq 1
.rip:           resq 1
.cs:            resq 1
.flags:         resq 1
.rsp:           resq 1
.ss:            resq 1
.cr2:           resq 1
.dr6:           resq 1
.cr0:           resq 1
.ds:            resw 1
.es:            resw 1
.fs:            resw 1
.gs:            resw 1
.ldt:           resw 1
.task:          resw 1
.gdt:           resb 10
.idt:           resb 10
.fs_base:       resq 1
.gs_base:       resq 1
.descriptors:   resb 0x100
.stack:         resb SAFE_STACK_KEPT
.memory:        resb KEPT_SIZE
.vectors:       resb 1024
endstruc

        MULTIBOOT_HEADER

main:
        CHECK   1
        OPTION  seed_text, DEFAULT_SEED, seed
        OPTION  cases_text, DEFAULT_CASES, cases
        xor     eax, eax
        mov     esi, first_text
        call    option
        mov     [number], rax
        mov     [first], rax
        mov     eax, 1
        mov     esi, real_text
        call    option
        mov     [real], rax

        mov     al, 0xFF                ; no interrupts
        out     0x21, al
        out     0xA1, al
        mov     edi, low_table          ; small pages in the first 2 MiB
        mov     eax, ALL_RIGHTS
.page:  mov     [rdi], rax
        add     edi, 8
        add     eax, 0x1000
        cmp     eax, 0x200000
        jb      .page
        mov     dword [directories], low_table + ALL_RIGHTS
        mov     dword [directories + 4], 0
        mov     rax, cr3
        mov     cr3, rax

        CHECK   2                       ; the device is there
        mov     ebx, DEVICE
        mov     dword [rbx], 0x12345678
        cmp     dword [rbx], 0x12345678
        jne     failed

        mov     rax, cr0
        and     eax, ~(CR0_EM | CR0_TS)
        or      eax, CR0_MP | CR0_NE | CR0_AM
        mov     cr0, rax
        mov     [good_cr0], rax
        mov     rax, cr4
        or      eax, CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_DE
        mov     cr4, rax
        mov     dword [components], 3
        mov     eax, 1
        cpuid
        test    ecx, 1 << 26
        jz      .no_xsave
        mov     rax, cr4
        or      eax, CR4_OSXSAVE
        mov     cr4, rax
        test    ecx, 1 << 28
        jz      .no_avx
        mov     dword [components], 7
.no_avx:
        mov     eax, [components]
        xor     edx, edx
        xor     ecx, ecx
        xsetbv
        inc     byte [has_xsave]
.no_xsave:
        mov     eax, tss                ; the TSS's descriptors in the golden table want the address in pieces
        mov     [golden_tss + 2], ax
        mov     [golden_other_tss + 2], ax
        mov     [golden_long_tss + 2], ax
        shr     eax, 16
        mov     [golden_tss + 4], al
        mov     [golden_tss + 7], ah
        mov     [golden_other_tss + 4], al
        mov     [golden_other_tss + 7], ah
        mov     [golden_long_tss + 4], al
        mov     [golden_long_tss + 7], ah
        mov     eax, ldt
        mov     [golden_ldt + 2], ax
        shr     eax, 16
        mov     [golden_ldt + 4], al
        mov     [golden_ldt + 7], ah
        mov     eax, legacy_tss
        mov     [golden_legacy_tss + 2], ax
        shr     eax, 16
        mov     [golden_legacy_tss + 4], al
        mov     [golden_legacy_tss + 7], ah
        mov     dword [legacy_tss + 4], legacy_stack_top
        mov     dword [legacy_tss + 8], DATA_SELECTOR
        mov     word [legacy_tss + 102], 104    ; no I/O permission map
        mov     edi, legacy_table
        mov     eax, ALL_RIGHTS
.legacy_page:
        stosd
        add     eax, 0x1000
        cmp     eax, 0x400000
        jb      .legacy_page
        mov     dword [legacy_directory], legacy_table + ALL_RIGHTS
        mov     edi, legacy_idt
        mov     eax, legacy_stubs
        mov     ecx, VECTORS
.legacy_gate:
        mov     [rdi], ax
        mov     word [rdi + 2], CODE_32
        mov     word [rdi + 4], 0xEE00
        mov     edx, eax
        shr     edx, 16
        mov     [rdi + 6], dx
        add     eax, 16
        add     edi, 8
        loop    .legacy_gate
        call    reset_descriptors
        lgdt    [tables_pointer]
        xor     esi, esi                ; every exception is caught on a stack of its own
.gate:  mov     eax, esi
        shl     eax, 4
        add     eax, stubs
        mov     ecx, esi
        call    set_gate
        mov     ecx, esi
        shl     ecx, GATE_SHIFT
        mov     byte [idt + rcx + GATE_STACK], 1
        or      byte [idt + rcx + 5], 3 << 5
        inc     esi
        cmp     esi, VECTORS
        jb      .gate

        mov     eax, 0xCCCCCCCC         ; INT3 wherever a jump may lead
        xor     edi, edi
        mov     ecx, 0x10000 / 4
        rep stosd
        mov     edi, RAM
        mov     ecx, 0x3000 / 4
        rep stosd
        mov     edi, DEVICE
        mov     ecx, 0x3000 / 4
        rep stosd

next:   mov     rcx, [number]
        cmp     rcx, [cases]
        jae     done
        inc     qword [number]
        mov     rax, [seed]
        call    begin_case
        call    make_case
        mov     dword [backing], RAM
        mov     qword [target], first_result
        mov     qword [go_on], .second
        jmp     run
.second:
        mov     dword [backing], DEVICE
        mov     qword [target], second_result
        mov     qword [go_on], .compare
        jmp     run
.compare:
        mov     rax, [form_place]
        movzx   eax, word [rax + form.undefined]
        not     eax
        ; A fault has no result, so nothing is undefined, except the flags of the comparisons before it, which some processors
        ; take back.
        cmp     qword [first_result + result.vector], 3
        jbe     .executed
        test    eax, COMPARES
        mov     eax, -1
        jnz     .executed
        mov     eax, ~(CF | PF | AF | ZF | SF | OF)
.executed:
        or      eax, COMPARES
        mov     edi, first_result
        call    mask_flags
        mov     edi, second_result
        call    mask_flags
        mov     esi, first_result
        mov     edi, second_result
        mov     ecx, result_size
        repe cmpsb
        je      next
        call    show
        jmp     next

; Keeps only the flags in EAX of those in the result at EDI, also where the exception saved them.
mask_flags:
        and     [rdi + result.flags], eax
        mov     ecx, [mode_place]
        cmp     word [rcx + mode.wide], IN_REAL
        je      .real
        cmp     word [rcx + mode.wide], IN_RING_0
        jne     .end
        mov     rcx, [rdi + result.rsp]
        sub     rcx, 4 + SAFE_STACK - SAFE_STACK_KEPT
        cmp     rcx, SAFE_STACK_KEPT - 4
        ja      .end
        and     [rdi + rcx + result.stack], eax
.end:   ret
.real:  mov     rcx, [rdi + result.rsp]
        sub     rcx, 2 + SAFE_STACK - SAFE_STACK_KEPT
        cmp     rcx, SAFE_STACK_KEPT - 2
        ja      .end
        and     [rdi + rcx + result.stack], ax
        ret

done:   mov     esi, seed_said
        call    print
        mov     rax, [seed]
        call    print_decimal
        mov     esi, separator_text
        call    print
        mov     rax, [number]
        call    print_decimal
        mov     esi, cases_said
        call    print
        mov     rax, [executed]
        call    print_decimal
        mov     esi, executed_said
        call    print
        mov     rax, [failures]
        call    print_decimal
        mov     esi, failures_said
        call    print
        CHECK   3
        cmp     qword [failures], 0
        jne     failed
        CHECK   4                       ; most cases executed their instruction
        mov     rax, [executed]
        add     rax, rax
        add     rax, [first]
        cmp     rax, [cases]
        jb      failed
        jmp     succeeded

; ---- A case --------------------------------------------------------------------------------------

; RAX = an address near the border of two pages, often aligned.
some_pointer:
        call    random
        push    rcx
        mov     ecx, eax
        shr     eax, 8
        and     eax, 0x3F
        add     eax, MIDDLE - 0x20
        test    cl, 1
        jz      .end
        and     eax, ~15
        test    cl, 6
        jnz     .end
        mov     eax, MIDDLE - 8
.end:   pop     rcx
        ret

; RAX = a selector: often that of the case's code, or one that is likely to be of use.
some_selector:
        call    random
        push    rcx
        push    rsi
        mov     rcx, rax
        mov     esi, [mode_place]
        movzx   eax, word [rsi + mode.code]
        and     ecx, 0xFF
        cmp     ecx, 100
        jb      .end
        movzx   eax, word [rsi + mode.data]
        cmp     ecx, 130
        jb      .end
        mov     eax, SELECTORS * 8
        call    below
        and     eax, ~7
        mov     ecx, eax
        call    random
        and     eax, 7                  ; any RPL, and the local table seldom
        cmp     eax, 4
        jb      .rpl
        mov     eax, 3
.rpl:   or      eax, ecx
.end:   pop     rsi
        pop     rcx
        ret

struc mode
.code:          resw 1
.stack:         resw 1
.data:          resw 1
.wide:          resw 1
.first:         resd 1
.count:         resd 1
endstruc

make_case:
        mov     eax, MODES
        call    below
        imul    eax, mode_size
        add     eax, modes
        cmp     word [rax + mode.wide], IN_REAL
        jne     .chosen
        cmp     dword [real], 0
        jne     .chosen
        add     eax, mode_size          ; the next is virtual-8086 mode
.chosen:
        mov     [mode_place], eax
        mov     ebx, eax
        mov     eax, [rbx + mode.count]
        call    below
        imul    eax, form_size
        add     eax, [rbx + mode.first]
        mov     [form_place], rax
        mov     ebp, eax
        cmp     word [rbx + mode.wide], IN_REAL
        je      .with_stack
        cmp     word [rbx + mode.wide], IN_RING_0       ; where exceptions need the stack: not with those that change it
        jne     .suitable
.with_stack:
        movzx   eax, byte [rbp + form.kind]
        sub     eax, STACKED
        cmp     eax, INTERRUPT_RETURNS - STACKED
        jbe     .unsuitable
        mov     eax, [rbp + form.code]
        cmp     al, 0x66
        jne     .whole_code
        shr     eax, 8
.whole_code:
        cmp     ax, 0xB20F
        je      .unsuitable
        and     eax, 0x38FF
        cmp     eax, 0x108E
        jne     .suitable
.unsuitable:
        add     ebx, mode_size          ; the same in ring 3 is the next
        mov     [mode_place], ebx
.suitable:
        mov     edi, CODE               ; the instruction
        lea     esi, [rbp + form.code]
        mov     ecx, 15
        rep movsb
        movzx   ecx, byte [rbp + form.length]
        lea     edi, [rcx + CODE]
        neg     ecx
        add     ecx, 16
        mov     al, 0xCC
        rep stosb

        mov     edi, memory_image       ; memory
        mov     ecx, KEPT_SIZE / 8
.word:  call    random
        stosq
        loop    .word

        xor     esi, esi                ; registers
.register:
        call    random
        mov     rcx, rax
        test    al, 3
        jnz     .wide
        movzx   ecx, ah
.wide:  cmp     word [rbx + mode.wide], IN_64_BIT
        je      .whole
        mov     ecx, ecx
.whole: mov     [values + rsi * 8], rcx
        inc     esi
        cmp     esi, 16
        jb      .register
        call    some_pointer
        mov     [values + 3 * 8], rax
        call    some_pointer
        mov     [values + 5 * 8], rax
        call    some_pointer
        mov     [values + 6 * 8], rax
        call    some_pointer
        mov     [values + 7 * 8], rax
        mov     qword [values + 4 * 8], SAFE_STACK - 0x40

        call    random                  ; flags
        and     eax, CF | PF | AF | ZF | SF | OF | DF | AC | 3 << 12
        or      eax, FLAGS_FIXED
        mov     ecx, eax
        mov     eax, 16
        call    below
        test    eax, eax
        jnz     .no_trap
        or      ecx, FLAGS_TF
.no_trap:
        mov     [start_flags], rcx

        xor     eax, eax                ; a data breakpoint, seldom
        mov     [breakpoint], rax
        mov     eax, 8
        call    below
        test    eax, eax
        jnz     .no_breakpoint
        call    random
        and     eax, 0x000D0000
        or      eax, 0x00010402
        mov     [breakpoint], rax
        call    random
        and     eax, 7
        add     rax, [values + 3 * 8]
        mov     [breakpoint_place], rax
.no_breakpoint:
        mov     dword [rights + 0], ALL_RIGHTS  ; the pages' rights
        mov     dword [rights + 4], ALL_RIGHTS
        mov     dword [rights + 8], ALL_RIGHTS
        call    random
        test    eax, 0x1F0
        jnz     .rights
        and     eax, 7
        and     eax, ALL_RIGHTS
        mov     [rights + 4], eax
.rights:
        mov     eax, 16                 ; vector registers
        call    below
        test    eax, eax
        jnz     .kind
        call    make_vectors

.kind:  movzx   eax, byte [rbp + form.kind]
        movzx   ecx, byte [rbp + form.size]
        mov     rbx, [values + 3 * 8]   ; where the operand is in the image
        add     rbx, memory_image - VIEW - KEPT
        jmp     [kinds + rax * 8]

kind_random:
        ret
kind_divisor:
        and     qword [values + 2 * 8], 0xFF
        or      byte [rbx + 1], 0x80
        or      byte [rbx + 3], 0x40
        or      byte [rbx + 7], 0x40
        ret
kind_equal:
        mov     rax, [values + 0]
        mov     rdx, [values + 2 * 8]
        mov     [rbx], rax
        cmp     byte [rbp + form.code + 1], 0x0F
        mov     [rbx + 8], rdx
        call    random
        test    al, 1
        jz      .end
        mov     [rbx + 4], edx
.end:   ret
kind_bits:
        movsx   rax, word [values + 2 * 8]
        sar     rax, 7
        mov     [values + 2 * 8], rax
        mov     eax, [mode_place]
        cmp     word [rax + mode.wide], IN_64_BIT
        je      kind_random
        mov     dword [values + 2 * 8 + 4], 0
        ret
kind_strings:
        and     qword [values + 1 * 8], 7
        mov     rax, [values + 7 * 8]   ; Bochs does not copy element after element what overlaps by less than one
        sub     rax, [values + 6 * 8]
        add     rax, 7
        cmp     rax, 14
        ja      .apart
        mov     rax, [values + 6 * 8]
        mov     [values + 7 * 8], rax
.apart: ret
kind_nearby:
        and     qword [values + 6 * 8], 0x1F
        and     qword [values + 7 * 8], 0x3F
        and     qword [values + 9 * 8], 0xF
        ret
kind_selector:
        call    some_selector
        mov     [rbx], ax
        ret
kind_far_data:
        add     rbx, rcx
        jmp     kind_selector
kind_near:
        mov     eax, LANDING
        cmp     ecx, 2
        je      put
        test    byte [state], 7
        jnz     put
        mov     eax, 0x40000000         ; nothing is there
; Stores the ECX bytes of EAX at RBX, and passes them.
put:    cmp     ecx, 4
        jb      .word
        je      .dword
        mov     [rbx], rax
        jmp     .end
.dword: mov     [rbx], eax
        jmp     .end
.word:  mov     [rbx], ax
.end:   add     rbx, rcx
        ret
kind_near_stacked:
        call    kind_near
kind_stacked:
        call    some_pointer
        mov     edx, eax
        call    random
        test    al, 3
        jz      .odd
        and     edx, ~7
.odd:   mov     [values + 4 * 8], rdx
        mov     eax, [rbp + form.code]  ; ENTER starts again at each page: what it reads must not be what it wrote
        cmp     al, 0x66
        jne     .first
        mov     al, ah
.first: cmp     al, 0xC8
        jne     .apart
        mov     qword [values + 5 * 8], MIDDLE + 0x60
.apart:
        lea     rbx, [rdx + memory_image - VIEW - KEPT]
        ret
kind_stacked_selector:
        call    kind_stacked
        jmp     kind_selector
kind_far:
        mov     eax, LANDING
        call    put
        jmp     kind_selector
kind_far_stacked:
        call    kind_far
        jmp     kind_stacked
kind_returns:
        call    kind_stacked
        jmp     kind_near
kind_far_returns:
        call    kind_stacked
.frame: mov     eax, LANDING
        call    put
        call    some_selector
        call    put
        cmp     byte [rbp + form.kind], INTERRUPT_RETURNS
        jne     .stack
        call    random
        and     eax, ~(1 << 14 | 1 << 17 | 1 << 9)
        call    put
.stack: cmp     byte [rbp + form.code], 0xCA
        jne     .pointer
        add     ebx, 8                  ; parameters
.pointer:
        mov     eax, SAFE_STACK - 0x60
        call    put
        call    random
        test    al, 3
        jz      .any
        mov     eax, [mode_place]
        movzx   eax, word [rax + mode.stack]
        jmp     put
.any:   call    some_selector
        jmp     put
kind_interrupt_returns equ kind_far_returns
kind_global_table:
        mov     ax, [tables_pointer]
        mov     [rbx], ax
        mov     rax, [tables_pointer + 2]
        mov     [rbx + 2], rax
        ret
kind_interrupt_table:
        mov     esi, idt_pointer
        mov     eax, [mode_place]
        cmp     word [rax + mode.wide], IN_LEGACY
        jb      .idt
        mov     esi, legacy_idt_pointer
        cmp     word [rax + mode.wide], IN_REAL
        jne     .idt
        mov     esi, real_idt_pointer
.idt:   mov     ax, [rsi]
        mov     [rbx], ax
        mov     rax, [rsi + 2]
        mov     [rbx + 2], rax
        ret
kind_machine_status:
        mov     eax, [mode_place]
        cmp     word [rax + mode.wide], IN_REAL
        jne     kind_random
        and     byte [rbx], ~1          ; the mode stays
        ret
kind_control_word:
        or      word [rbx], 0x3F
        ret

make_vectors:
        mov     edi, start_vectors
        mov     ecx, 832 / 8
.word:  call    random
        stosq
        loop    .word
        mov     edi, start_vectors
        mov     word [rdi], 0x37F       ; control word
        and     word [rdi + 2], 0x3800
        mov     byte [rdi + 5], 0
        xor     eax, eax
        mov     [rdi + 6], ax
        mov     [rdi + 8], rax
        mov     [rdi + 16], rax
        mov     dword [rdi + 24], 0x1F80
        add     edi, 512
        mov     eax, [components]
        stosq
        xor     eax, eax
        mov     ecx, 7
        rep stosq
        ret

; ---- Its execution ---------------------------------------------------------------------------------

reset_descriptors:
        mov     esi, golden
        mov     edi, descriptors
        mov     ecx, TABLE
        rep movsq
        ret

run:    call    reset_descriptors
        mov     eax, [mode_place]
        cmp     word [rax + mode.wide], IN_LEGACY
        jb      .long
        mov     rax, [golden_ldt]       ; TSSs here would be for task switches
        mov     [descriptors + TSS_SELECTOR], rax
        mov     [descriptors + OTHER_TSS], rax
        xor     eax, eax
        mov     [descriptors + TSS_SELECTOR + 8], rax
        mov     rdi, [target]
        mov     ecx, result_size
        rep stosb
.long:
        lgdt    [tables_pointer]
        lidt    [idt_pointer]
        xor     eax, eax
        lldt    ax
        mov     eax, LONG_TSS
        ltr     ax
        mov     esi, memory_image
        mov     edi, [backing]
        add     edi, KEPT
        mov     ecx, KEPT_SIZE / 8
        rep movsq
        mov     edi, SAFE_STACK - SAFE_STACK_KEPT
        mov     ecx, SAFE_STACK_KEPT / 8
        xor     eax, eax
        rep stosq
        xor     ecx, ecx                ; the window
.page:  mov     eax, ecx
        shl     eax, 12
        add     eax, [backing]
        or      eax, [rights + rcx * 4]
        mov     [low_table + VIEW / 0x1000 * 8 + rcx * 8], rax
        mov     [legacy_table + VIEW / 0x1000 * 4 + rcx * 4], eax
        mov     edx, ecx
        shl     edx, 12
        invlpg  [rdx + VIEW]
        inc     ecx
        cmp     ecx, 3
        jb      .page
        xor     eax, eax
        mov     cr2, rax
        mov     rax, [breakpoint_place]
        mov     dr0, rax
        mov     eax, 0xFFFF0FF0
        mov     dr6, rax
        mov     rax, [breakpoint]
        mov     dr7, rax
        cmp     byte [has_xsave], 0
        je      .fxsave
        mov     eax, [components]
        xor     edx, edx
        xrstor  [start_vectors]
        jmp     .vectors
.fxsave:
        fxrstor [start_vectors]
.vectors:
        mov     ebx, [mode_place]
        cmp     word [rbx + mode.wide], IN_LEGACY
        jae     run_legacy
        movzx   eax, word [rbx + mode.data]
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        movzx   eax, word [rbx + mode.stack]
        push    rax
        push    qword [values + 4 * 8]
        push    qword [start_flags]
        movzx   eax, word [rbx + mode.code]
        push    rax
        push    CODE
        mov     rax, [values]
        mov     rcx, [values + 1 * 8]
        mov     rdx, [values + 2 * 8]
        mov     rbx, [values + 3 * 8]
        mov     rbp, [values + 5 * 8]
        mov     rsi, [values + 6 * 8]
        mov     rdi, [values + 7 * 8]
%assign register 8
%rep 8
        mov     r %+ register, [values + register * 8]
  %assign register register + 1
%endrep
        iretq

; The same in legacy mode: out of long mode, by IRET or, in ring 0, by a jump, and back from the exception's handler.
run_legacy:
        push    CODE_32
        push    .leave
        db      0x48, 0xCB              ; RETF of 64 bits
        bits    32
.leave: mov     eax, DATA_SELECTOR
        mov     ss, eax
        mov     ds, eax
        mov     es, eax
        mov     esp, legacy_stack_top
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax
        mov     ecx, IA32_EFER
        rdmsr
        and     eax, ~EFER_LME
        wrmsr
        cmp     word [ebx + mode.wide], IN_REAL
        je      run_real
        mov     eax, legacy_directory
        mov     cr3, eax
        mov     eax, cr4
        and     eax, ~CR4_PAE
        mov     cr4, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        lidt    [legacy_idt_pointer]
        mov     eax, LEGACY_TSS
        ltr     ax
        movzx   edx, word [ebx + mode.data]
        movzx   ecx, word [ebx + mode.stack]
        movzx   esi, word [ebx + mode.code]
        mov     eax, [start_flags]
        cmp     word [ebx + mode.wide], IN_RING_0
        je      .jump
        cmp     word [ebx + mode.wide], IN_VIRTUAL_8086
        jne     .frame
        or      eax, 1 << 17
        push    edx
        push    edx
        push    edx
        push    edx
        mov     edx, DATA_SELECTOR      ; IRET loads those of virtual-8086 mode
.frame: push    ecx
        push    dword [values + 4 * 8]
        push    eax
        push    esi
        push    CODE
        call    .load
        iretd
.jump:  and     eax, ~FLAGS_TF
        mov     [far_place + 4], esi
        mov     [stack_place + 4], ecx
        mov     ecx, [values + 4 * 8]
        mov     [stack_place], ecx
        push    eax
        call    .load
        popfd
        lss     esp, [cs:stack_place]
        jmp     far [cs:far_place]
; Loads all registers but the stack's, and EDX into the data segments' first.
.load:  pop     edi
        push    dword [values + 0 * 8]
        push    dword [values + 1 * 8]
        push    dword [values + 2 * 8]
        push    dword [values + 3 * 8]
        push    eax
        push    dword [values + 5 * 8]
        push    dword [values + 6 * 8]
        push    dword [values + 7 * 8]
        mov     [load_return], edi
        mov     fs, edx
        mov     gs, edx
        mov     es, edx
        mov     ds, edx
        popad
        jmp     [cs:load_return]

        align   16
legacy_stubs:
%assign vector 0
%rep VECTORS
        align   16
    %if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        push    0
    %endif
        push    vector
        jmp     legacy_caught
    %assign vector vector + 1
%endrep

legacy_caught:
        cld
        pushad
        push    ds
        push    es
        push    fs
        push    gs
        mov     eax, DATA_SELECTOR
        mov     ds, eax
        mov     es, eax
        xor     eax, eax
        mov     dr7, eax
        mov     ebx, [target]
        mov     eax, [esp]
        mov     [ebx + result.gs], ax
        mov     eax, [esp + 4]
        mov     [ebx + result.fs], ax
        mov     eax, [esp + 8]
        mov     [ebx + result.es], ax
        mov     eax, [esp + 12]
        mov     [ebx + result.ds], ax
%assign register 0
%rep 8
        mov     eax, [esp + 16 + 4 * (7 - register)]
        mov     [ebx + result.registers + 8 * register], eax
  %assign register register + 1
%endrep
        mov     dword [ebx + result.registers + 8 * 4], 0
%assign place 0
%rep 5                                  ; vector, error code, EIP, CS, flags
        mov     eax, [esp + 48 + 4 * place]
        mov     [ebx + result.vector + 8 * place], eax
  %assign place place + 1
%endrep
        lea     ecx, [esp + 68]         ; where the stack was
        mov     edx, ss
        test    dword [esp + 64], 1 << 17
        jnz     .virtual
        test    dword [esp + 60], 3
        jz      .same_ring
        mov     ecx, [esp + 68]
        mov     edx, [esp + 72]
        jmp     .same_ring
.virtual:
        mov     eax, [esp + 76]
        mov     [ebx + result.es], ax
        mov     eax, [esp + 80]
        mov     [ebx + result.ds], ax
        mov     eax, [esp + 84]
        mov     [ebx + result.fs], ax
        mov     eax, [esp + 88]
        mov     [ebx + result.gs], ax
        mov     ecx, [esp + 68]
        mov     edx, [esp + 72]
.same_ring:
        mov     [ebx + result.rsp], ecx
        mov     [ebx + result.ss], dx
        mov     eax, cr2
        mov     [ebx + result.cr2], eax
        mov     eax, dr6
        mov     [ebx + result.dr6], eax
        mov     eax, cr0
        mov     [ebx + result.cr0], eax
        sldt    [ebx + result.ldt]
        str     [ebx + result.task]
        sgdt    [ebx + result.gdt]
        sidt    [ebx + result.idt]
to_long:
        mov     eax, DATA_SELECTOR
        mov     ss, eax
        mov     esp, legacy_stack_top
        mov     eax, [good_cr0]
        and     eax, ~CR0_PG
        mov     cr0, eax
        mov     eax, cr4
        or      eax, CR4_PAE
        mov     cr4, eax
        mov     eax, root
        mov     cr3, eax
        mov     ecx, IA32_EFER
        rdmsr
        or      eax, EFER_LME
        wrmsr
        mov     eax, [good_cr0]
        mov     cr0, eax
        jmp     CODE_SELECTOR:.back
        bits    64
.back:  mov     ebx, ebx
        jmp     collect

; The same in real mode. The code of this mode lies where it can be reached.
        bits    32
run_real:
        mov     esi, low_code
        mov     edi, LOW
        mov     ecx, low_code_end - low_code
        rep movsb
        mov     edi, VIEW               ; what a prefix of CS or SS finds instead of the window
        mov     edx, dr7                ; this is not for breakpoints
        xor     eax, eax
        mov     dr7, eax
        mov     eax, 0xCCCCCCCC
        mov     ecx, 0x3000 / 4
        rep stosd
        mov     dr7, edx
        xor     edi, edi                ; the interrupt vectors
        mov     eax, LOW + low_stubs - low_code
        mov     ecx, VECTORS
.vector:
        stosd
        add     eax, 8
        loop    .vector
        mov     eax, [backing]          ; data where the window shows it
        sub     eax, VIEW
        mov     edx, eax
        shl     eax, 16
        or      eax, 0xFFFF
        mov     [descriptors + REAL_DATA], eax
        mov     eax, edx
        and     eax, 0xFF000000
        shr     edx, 16
        mov     al, dl
        or      ah, 0x93
        mov     [descriptors + REAL_DATA + 4], eax
        mov     eax, [start_flags]
        and     eax, ~FLAGS_TF
        mov     esp, LOW_STACK
        push    eax
        push    dword [values + 0 * 8]
        push    dword [values + 1 * 8]
        push    dword [values + 2 * 8]
        push    dword [values + 3 * 8]
        push    eax
        push    dword [values + 5 * 8]
        push    dword [values + 6 * 8]
        push    dword [values + 7 * 8]
        mov     eax, [values + 4 * 8]
        mov     [LOW + low_stack - low_code], eax
        lidt    [real_idt_pointer]
        mov     eax, DATA_16
        mov     ss, eax
        mov     eax, REAL_DATA
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        jmp     CODE_16:LOW + low_enter - low_code

real_caught:
        mov     eax, DATA_SELECTOR
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     esp, legacy_stack_top
        cld
        mov     esi, LOW + low_saved - low_code
        mov     ebx, [target]
        xor     ecx, ecx
.register:
        lodsd
        mov     [ebx + result.registers + ecx * 8], eax
        inc     ecx
        cmp     ecx, 8
        jb      .register
        mov     eax, [ebx + result.registers + 4 * 8]
        mov     [ebx + result.rsp], eax
        mov     dword [ebx + result.registers + 4 * 8], 0
        lodsd
        mov     [ebx + result.cr0], eax
%macro TAKE 1-*
%rep %0
        lodsw
        mov     [ebx + %1], ax
%rotate 1
%endrep
%endmacro
        TAKE    result.ds, result.es, result.fs, result.gs, result.ss, result.vector, result.rip, result.cs, result.flags
        sgdt    [ebx + result.gdt]
        sidt    [ebx + result.idt]
        mov     eax, dr6
        mov     [ebx + result.dr6], eax
        xor     eax, eax
        mov     dr7, eax
        mov     [descriptors + REAL_DATA], eax
        mov     [descriptors + REAL_DATA + 4], eax
        xor     edi, edi                ; no vectors where a jump may lead
        mov     eax, 0xCCCCCCCC
        mov     ecx, VECTORS
        rep stosd
        jmp     to_long

        bits    16
        align   8
low_code:
low_enter:
        mov     eax, cr0
        and     eax, ~CR0_PE
        mov     cr0, eax
        jmp     0:LOW + .real - low_code
.real:  popad
        popfd
        mov     esp, [cs:LOW + low_stack - low_code]
        jmp     0:CODE
        align   8
low_stubs:
%assign vector 0
%rep VECTORS
        align   8
        push    word vector
        jmp     low_caught
    %assign vector vector + 1
%endrep
        align   8
low_caught:
        mov     [cs:LOW + low_saved - low_code + 0], eax
        mov     [cs:LOW + low_saved - low_code + 4], ecx
        mov     [cs:LOW + low_saved - low_code + 8], edx
        mov     [cs:LOW + low_saved - low_code + 12], ebx
        mov     [cs:LOW + low_saved - low_code + 20], ebp
        mov     [cs:LOW + low_saved - low_code + 24], esi
        mov     [cs:LOW + low_saved - low_code + 28], edi
        mov     eax, cr0
        mov     [cs:LOW + low_saved - low_code + 32], eax
        mov     [cs:LOW + low_saved - low_code + 36], ds
        mov     [cs:LOW + low_saved - low_code + 38], es
        mov     [cs:LOW + low_saved - low_code + 40], fs
        mov     [cs:LOW + low_saved - low_code + 42], gs
        mov     [cs:LOW + low_saved - low_code + 44], ss
        pop     word [cs:LOW + low_saved - low_code + 46]
        pop     word [cs:LOW + low_saved - low_code + 48]
        pop     word [cs:LOW + low_saved - low_code + 50]
        pop     word [cs:LOW + low_saved - low_code + 52]
        mov     [cs:LOW + low_saved - low_code + 16], esp
        mov     eax, cr0
        or      eax, CR0_PE
        mov     cr0, eax
        jmp     dword CODE_32:real_caught
        align   8
low_stack:      dd      0
low_saved:      times 56 db 0
low_code_end:
        bits    64

; The stubs push a zero where the processor pushes no error code, then the vector.
        align   16
stubs:
%assign vector 0
%rep VECTORS
        align   16
    %if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        push    0
    %endif
        push    vector
        jmp     caught
    %assign vector vector + 1
%endrep

caught: cld
        push    rax
        xor     eax, eax
        mov     dr7, rax
        mov     rax, cr0
        mov     [seen_cr0], rax
        mov     rax, [good_cr0]
        mov     cr0, rax
        mov     rax, [target]
        mov     [rax + result.registers + 1 * 8], rcx
        pop     rcx
        mov     [rax + result.registers + 0 * 8], rcx
        mov     [rax + result.registers + 2 * 8], rdx
        mov     [rax + result.registers + 3 * 8], rbx
        mov     [rax + result.registers + 5 * 8], rbp
        mov     [rax + result.registers + 6 * 8], rsi
        mov     [rax + result.registers + 7 * 8], rdi
%assign register 8
%rep 8
        mov     [rax + result.registers + register * 8], r %+ register
  %assign register register + 1
%endrep
        lea     rdi, [rax + result.vector]
        mov     rsi, rsp
        mov     ecx, 7
        rep movsq
        mov     rdx, cr2
        mov     [rax + result.cr2], rdx
        mov     rdx, dr6
        mov     [rax + result.dr6], rdx
        mov     rdx, [seen_cr0]
        mov     [rax + result.cr0], rdx
        mov     [rax + result.ds], ds
        mov     [rax + result.es], es
        mov     [rax + result.fs], fs
        mov     [rax + result.gs], gs
        sldt    [rax + result.ldt]
        str     [rax + result.task]
        sgdt    [rax + result.gdt]
        sidt    [rax + result.idt]
        mov     rbx, rax
        mov     ecx, IA32_FS_BASE
        rdmsr
        mov     [rbx + result.fs_base], eax
        mov     [rbx + result.fs_base + 4], edx
        mov     ecx, IA32_GS_BASE
        rdmsr
        mov     [rbx + result.gs_base], eax
        mov     [rbx + result.gs_base + 4], edx
collect:                                ; RBX = the result
        cmp     byte [has_xsave], 0
        je      .fxsave
        mov     eax, [components]
        xor     edx, edx
        xsave   [rbx + result.vectors]
        jmp     .vectors
.fxsave:
        fxsave  [rbx + result.vectors]
.vectors:
        mov     esi, descriptors
        lea     edi, [rbx + result.descriptors]
        mov     ecx, SELECTORS
        rep movsq
        mov     esi, SAFE_STACK - SAFE_STACK_KEPT
        lea     edi, [rbx + result.stack]
        mov     ecx, SAFE_STACK_KEPT / 8
        rep movsq
        mov     esi, [backing]
        add     esi, KEPT
        lea     edi, [rbx + result.memory]
        mov     ecx, KEPT_SIZE / 8
        rep movsq
        cmp     qword [rbx + result.vector], 3
        ja      .faulted
        inc     qword [executed]
.faulted:
        mov     eax, DATA_SELECTOR
        mov     ss, eax
        mov     ds, eax
        mov     es, eax
        mov     rsp, stack_top
        jmp     [go_on]

; ---- Reporting a failure ---------------------------------------------------------------------------

show:   inc     qword [failures]
        cmp     qword [failures], MOST_SHOWN
        ja      .end
        lea     rbx, [rsi - 1]          ; the first byte that differs
        sub     rbx, first_result
        mov     esi, case_text
        call    print
        mov     rax, [number]
        dec     rax
        call    print_decimal
        mov     esi, code_text
        call    print
        mov     eax, [mode_place]
        movzx   eax, word [rax + mode.code]
        call    print_hex
        mov     esi, colon_text
        call    print
        mov     rdi, [form_place]
        movzx   ecx, byte [rdi + form.length]
        xor     edx, edx
.byte:  mov     esi, blank_text
        call    print
        movzx   eax, byte [rdi + form.code + rdx]
        call    print_hex
        inc     edx
        cmp     edx, ecx
        jb      .byte
        mov     esi, differs_text
        call    print
        mov     rax, rbx
        call    print_hex
        mov     esi, colon_text
        call    print
        and     ebx, ~7
        mov     rax, [first_result + rbx]
        call    print_hex
        mov     esi, blank_text
        call    print
        mov     rax, [second_result + rbx]
        call    print_hex
        mov     esi, vectors_text
        call    print
        mov     rax, [first_result + result.vector]
        call    print_hex
        mov     esi, blank_text
        call    print
        mov     rax, [second_result + result.vector]
        call    print_hex
        mov     esi, at_said
        call    print
        mov     rax, [values + 3 * 8]
        call    print_hex
        mov     esi, blank_text
        call    print
        mov     rax, [values + 4 * 8]
        call    print_hex
        mov     esi, blank_text
        call    print
        mov     rax, [start_flags]
        call    print_hex
        mov     esi, blank_text
        call    print
        mov     rax, [breakpoint]
        call    print_hex
        mov     esi, newline_text
        call    print
.end:   ret

%include "cases.inc"
%include "exceptions.inc"
%include "longmode.inc"
%include "console.inc"
%include "option.inc"
%include "outcome.inc"

section .data
guest_name:     db "operands", 0
seed_text:      db "seed=", 0
first_text:     db "first=", 0
cases_text:     db "cases=", 0
real_text:      db "real=", 0
seed_said:      db "operands: seed=", 0
separator_text: db ": ", 0
cases_said:     db " cases, ", 0
executed_said:  db " instructions executed, ", 0
failures_said:  db " failures", 10, 0
case_text:      db "case ", 0
code_text:      db ", code ", 0
colon_text:     db ": ", 0
blank_text:     db " ", 0
differs_text:   db ", differs at ", 0
vectors_text:   db ", vectors ", 0
at_said:        db ", RBX, RSP, flags, DR7 ", 0

        align   8
kinds:  dq      kind_random, kind_divisor, kind_equal, kind_bits, kind_strings, kind_nearby, kind_selector, kind_far_data
        dq      kind_stacked, kind_stacked_selector, kind_near, kind_near_stacked, kind_far, kind_far_stacked
        dq      kind_returns, kind_far_returns, kind_interrupt_returns, kind_global_table, kind_interrupt_table
        dq      kind_machine_status, kind_control_word

SELECTORS       equ 27                  ; that cases may use
TABLE           equ 31
golden: dq      0
        dq      0x00AF9B000000FFFF      ; 08: 64-bit code
        dq      0x00CF93000000FFFF      ; 10: data
        dq      0x00CFFA000000FFFF      ; 18: 32-bit user code, not accessed
        dq      0x00CFF2000000FFFF      ; 20: user data
        dq      0x00AFFB000000FFFF      ; 28: 64-bit user code
golden_tss:
        dq      0x0000890000000000 + TSS_SIZE - 1       ; 30
        dq      0
        dq      0x00CF9A000000FFFF      ; 40: 32-bit code
        dq      0x00009A000000FFFF      ; 48: 16-bit code
        dq      0x0000FA000000FFFF      ; 50: 16-bit user code
        dq      0x000092000000FFFF      ; 58: 16-bit data
        dq      0x0000F2000000FFFF      ; 60: 16-bit user data
golden_ldt:
        dq      0x0000820000000000 + 15 ; 68: LDT
        dq      0
        dq      0x0000EC0000080000 + LANDING    ; 78: call gate
        dq      0
golden_other_tss:
        dq      0x0000890000000000 + TSS_SIZE - 1       ; 88
        dq      0
        dq      0x00CF9E000000FFFF      ; 98: conforming code
        dq      0x00CF72000000FFFF      ; A0: data that is not present
        dq      0x00CF7A000000FFFF      ; A8: code that is not present
        dq      0x0000F6000000CFFF      ; B0: data that expands down, to below the middle
        dq      0x0000F0000000FFFF      ; B8: data that cannot be written
        dq      0x0000F8000000FFFF      ; C0: code that cannot be read
        dq      0x0000F2000000D00F      ; C8: data with a limit after the middle
        dq      0x00CFBE000000FFFF      ; D0: conforming code of ring 1
golden_legacy_tss:
        dq      0x0000890000000000 + 103        ; D8
golden_long_tss:
        dq      0x0000890000000000 + TSS_SIZE - 1       ; E0
        dq      0
        dq      0                       ; F0: where real mode finds the window
ldt:    dq      0x00CFF2000000FFFF
        dq      0x00CFFA000000FFFF
        dw      0, 0, 0
tables_pointer:
        dw      TABLE * 8 - 1
        dq      descriptors
        dw      0, 0, 0
real_idt_pointer:
        dw      VECTORS * 4 - 1
        dq      0
        dw      0, 0, 0
legacy_idt_pointer:
        dw      VECTORS * 8 - 1
        dq      legacy_idt

MODES   equ 13
modes:  dw      0x08, 0x10, 0x23, 1
        dd      forms64, (forms64_end - forms64) / form_size
        dw      0x2B, 0x23, 0x23, 1
        dd      forms64, (forms64_end - forms64) / form_size
        dw      0x40, 0x10, 0x23, 0
        dd      forms32, (forms32_end - forms32) / form_size
        dw      0x1B, 0x23, 0x23, 0
        dd      forms32, (forms32_end - forms32) / form_size
        dw      0x48, 0x58, 0x63, 0
        dd      forms16, (forms16_end - forms16) / form_size
        dw      0x53, 0x63, 0x63, 0
        dd      forms16, (forms16_end - forms16) / form_size
        dw      0x53, 0x63, 0xCB, 0     ; with a limit that operands may cross
        dd      forms16, (forms16_end - forms16) / form_size

        dw      0x40, 0x10, 0x23, IN_RING_0
        dd      forms32, (forms32_end - forms32) / form_size
        dw      0x1B, 0x23, 0x23, IN_LEGACY
        dd      forms32, (forms32_end - forms32) / form_size
        dw      0x48, 0x58, 0x63, IN_RING_0
        dd      forms16, (forms16_end - forms16) / form_size
        dw      0x53, 0x63, 0x63, IN_LEGACY
        dd      forms16, (forms16_end - forms16) / form_size
        dw      0, 0, 0, IN_VIRTUAL_8086
        dd      forms16, (forms16_end - forms16) / form_size

        dw      0, 0, 0, IN_REAL
        dd      forms16, (forms16_end - forms16) / form_size
        dw      0, 0, 0, IN_VIRTUAL_8086
        dd      forms16, (forms16_end - forms16) / form_size

        align   8
far_place:      dd      CODE, 0
stack_place:    dd      0, 0
load_return:    dd      0

forms64:
%include "forms.inc"
forms64_end:
        bits    32
forms32:
%include "forms.inc"
forms32_end:
        bits    16
forms16:
%include "forms.inc"
forms16_end:
        bits    64

section .bss
        alignb  4096
low_table:      resb 4096
legacy_table:   resb 4096
legacy_directory: resb 4096
        alignb  64
start_vectors:  resb 1024
first_result:   resb result_size
        alignb  64
second_result:  resb result_size
        alignb  64
descriptors:    resq 32
legacy_idt:     resq VECTORS
legacy_tss:     resb 104
                resb 4096
legacy_stack_top:
memory_image:   resb KEPT_SIZE
values:         resq 16
state:          resq 1
seed:           resq 1
cases:          resq 1
real:           resq 1
number:         resq 1
first:          resq 1
form_place:     resq 1
start_flags:    resq 1
breakpoint:     resq 1
breakpoint_place: resq 1
target:         resq 1
go_on:          resq 1
good_cr0:       resq 1
seen_cr0:       resq 1
failures:       resq 1
executed:       resq 1
backing:        resd 1
rights:         resd 3
mode_place:     resd 1
components:     resd 1
has_xsave:      resb 1

        MULTIBOOT_END

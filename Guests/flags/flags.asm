; Shows: what a guest sees of RFLAGS.TF and of the debug registers, wherever the processor stores them. It is the same when
; someone steps through it or has breakpoints set: for the tests of stepping. Only printing makes it exit.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "apic.inc"
%include "syscall.inc"
%include "multiboot.inc"

INT_VECTOR      equ 0x50
IPI_VECTOR      equ 0x51
USER_INT        equ 0x52                ; how user mode comes back
GATE_RIGHTS     equ 5                   ; offset in a gate
BP_VECTOR       equ 3
FLAGS_RF        equ 1 << 16
DR6_CLEAR       equ 0xFFFF0FF0
DR6_B0          equ 1 << 0
DR6_B1          equ 1 << 1
DR6_BS          equ 1 << 14
DR7_FIXED       equ 1 << 10
DR7_G0          equ 1 << 1
DR7_G1          equ 1 << 3
DR7_WRITE4_1    equ 0xD << 20           ; DR1: writes of four bytes

        MULTIBOOT_HEADER

; A handler that records the flags as they were stored, and nothing else.
%macro TAKES_FLAGS 2                    ; vector, the length of the instruction to be passed
        mov     eax, %%handler
        mov     ecx, %1
        call    set_gate
        jmp     %%done
%%handler:
        push    rax
        mov     rax, [rsp + 24]
        mov     [stored_flags], rax
        inc     dword [taken]
        pop     rax
        add     qword [rsp], %2
        iretq
%%done:
%endmacro

; An event was taken, once, and its stored flags have TF or do not.
%macro STORED_WITHOUT_TF 0
        cmp     dword [taken], 1
        jne     failed
        mov     dword [taken], 0
        test    dword [stored_flags], FLAGS_TF
        jnz     failed
%endmacro

main:
        TAKES_FLAGS INT_VECTOR, 0
        TAKES_FLAGS BP_VECTOR, 0
        TAKES_FLAGS UD_VECTOR, 2
        mov     eax, debug_handler
        mov     ecx, DB_VECTOR
        call    set_gate
        mov     eax, interrupt_handler
        mov     ecx, IPI_VECTOR
        call    set_gate
        mov     eax, back_from_user
        mov     ecx, USER_INT
        call    set_gate
        or      byte [idt + 16 * USER_INT + GATE_RIGHTS], 3 << 5        ; open to user mode

        CHECK   1                       ; PUSHF
        pushfq
        pop     rax
        test    eax, FLAGS_TF
        jnz     failed
        mov     rax, -1
        push    rax
        o16 pushf
        mov     ax, [rsp]
        add     rsp, 2
        test    eax, FLAGS_TF
        jnz     failed
        pop     rax
        cmp     rax, -1
        jne     failed

        CHECK   2                       ; PUSHF in the shadow of MOV SS
        mov     eax, ss
        mov     ss, eax
        pushfq
        pop     rax
        test    eax, FLAGS_TF
        jnz     failed
        mov     [selector], ss
        mov     ss, [selector]
        pushfq
        pop     rax
        test    eax, FLAGS_TF
        jnz     failed
        mov     eax, ss
        mov     ss, eax
        int     INT_VECTOR
        STORED_WITHOUT_TF

        CHECK   3                       ; INT n, INT3, a fault
        int     INT_VECTOR
        STORED_WITHOUT_TF
        int3
        STORED_WITHOUT_TF
        ud2
        STORED_WITHOUT_TF

        CHECK   4                       ; INT1: nothing in DR6 tells of a step
        int1
        cmp     dword [steps], 1
        jne     failed
        test    dword [step_dr6], DR6_BS
        jnz     failed
        test    dword [step_flags], FLAGS_TF
        jnz     failed
        mov     dword [steps], 0

        CHECK   5                       ; an interrupt, in the middle of instructions and in the shadow of STI
        mov     ecx, IA32_APIC_BASE
        rdmsr
        or      eax, APIC_BASE_EXTENDED | APIC_BASE_ENABLED
        wrmsr
        mov     ecx, X2APIC + APIC_SVR / 16
        mov     eax, SVR_ENABLE | 0xFF
        xor     edx, edx
        wrmsr
        mov     ecx, X2APIC + APIC_SELF / 16
        mov     eax, IPI_VECTOR
        wrmsr
        xor     ebx, ebx
        sti
        inc     ebx                     ; the interrupt comes after this one
        inc     ebx
        cli
        STORED_WITHOUT_TF
        cmp     dword [seen_count], 1
        jne     failed
        sti
        nop
        mov     ecx, X2APIC + APIC_SELF / 16
        mov     eax, IPI_VECTOR
        wrmsr
        nop
        cli
        STORED_WITHOUT_TF

        CHECK   6                       ; SYSCALL and SYSRET, with TF among the bits to be cleared and without
        ENABLE_SYSCALL system_call
        mov     ebx, 0
        call    call_system
        mov     ebx, FLAGS_TF
        call    call_system

        CHECK   7                       ; the guest's own TF: one trap, after the instruction after POPF
        pushfq
        or      dword [rsp], FLAGS_TF
        popfq
        nop
.trap:  nop
        cmp     dword [steps], 1
        jne     failed
        mov     dword [steps], 0
        cmp     qword [step_address], .trap
        jne     failed
        test    dword [step_dr6], DR6_BS
        jz      failed
        test    dword [step_flags], FLAGS_TF
        jz      failed

        CHECK   8                       ; the same by IRET, and PUSHF stores it
        mov     rax, rsp
        push    DATA_SELECTOR
        push    rax
        push    FLAGS_FIXED | FLAGS_TF
        push    CODE_SELECTOR
        push    .stepped
        iretq
.stepped:
        pushfq
.pushed:
        pop     rax
        test    eax, FLAGS_TF
        jz      failed
        cmp     dword [steps], 1
        jne     failed
        mov     dword [steps], 0
        cmp     qword [step_address], .pushed
        jne     failed

        CHECK   9                       ; what MOV puts into the debug registers is there
        mov     eax, .breakpoint
        mov     dr0, rax
        mov     eax, datum
        mov     dr1, rax
        mov     rax, 0x123456789ABC
        mov     dr2, rax
        mov     eax, DR7_FIXED | DR7_G0 | DR7_G1 | DR7_WRITE4_1
        mov     dr7, rax
        mov     rbx, dr7
        cmp     rbx, rax
        jne     failed
        mov     rbx, dr0
        cmp     rbx, .breakpoint
        jne     failed
        mov     rax, 0x123456789ABC
        mov     rbx, dr2
        cmp     rbx, rax
        jne     failed

        CHECK   10                      ; the guest's own breakpoints: before an instruction, after a write
.breakpoint:
        nop
        cmp     dword [steps], 1
        jne     failed
        cmp     qword [step_address], .breakpoint
        jne     failed
        mov     eax, [step_dr6]
        and     eax, DR6_B0 | DR6_B1 | DR6_BS
        cmp     eax, DR6_B0
        jne     failed
        mov     dword [steps], 0
        mov     dword [datum], 1
.written:
        cmp     dword [steps], 1
        jne     failed
        cmp     qword [step_address], .written
        jne     failed
        mov     eax, [step_dr6]
        and     eax, DR6_B0 | DR6_B1 | DR6_BS
        cmp     eax, DR6_B1
        jne     failed
        mov     eax, DR7_FIXED
        mov     dr7, rax
        jmp     succeeded

; ---- Handlers ------------------------------------------------------------------------------------

debug_handler:
        push    rax
        inc     dword [steps]
        mov     rax, [rsp + 8]
        mov     [step_address], rax
        mov     rax, [rsp + 24]
        mov     [step_flags], rax
        mov     rax, dr6
        mov     [step_dr6], eax
        mov     eax, DR6_CLEAR
        mov     dr6, rax
        and     dword [rsp + 24], ~FLAGS_TF
        or      dword [rsp + 24], FLAGS_RF      ; past a breakpoint here
        pop     rax
        iretq

interrupt_handler:
        push    rax
        push    rcx
        push    rdx
        mov     rax, [rsp + 40]
        mov     [stored_flags], rax
        inc     dword [taken]
        mov     [seen_count], ebx
        mov     ecx, X2APIC + APIC_EOI / 16
        xor     eax, eax
        xor     edx, edx
        wrmsr
        pop     rdx
        pop     rcx
        pop     rax
        iretq

; ---- SYSCALL -------------------------------------------------------------------------------------

call_system:                            ; with B as IA32_FMASK, from user mode and back
        mov     ecx, IA32_FMASK
        mov     eax, ebx
        xor     edx, edx
        wrmsr
        mov     [caller_stack], rsp
        push    USER_DATA
        push    user_stack_top
        push    FLAGS_FIXED
        push    USER_CODE
        push    .user
        iretq
.user:  syscall
        pushfq                          ; after SYSRET
        pop     rax
        int     USER_INT
back_from_user:
        mov     rsp, [caller_stack]
        test    eax, FLAGS_TF
        jnz     failed
        mov     ecx, IA32_FMASK
        rdmsr
        cmp     eax, ebx
        jne     failed
        ret

system_call:
        test    r11d, FLAGS_TF
        jnz     failed
        mov     rsp, [caller_stack]
        pushfq
        pop     rax
        test    eax, FLAGS_TF
        jnz     failed
        mov     esp, user_stack_top
        o64 sysret

%include "exceptions.inc"
%include "longmode.inc"
%include "console.inc"
%include "outcome.inc"

section .data
guest_name:     db "flags", 0

section .bss
alignb 8
caller_stack:   resq 1
stored_flags:   resq 1
step_address:   resq 1
step_flags:     resq 1
step_dr6:       resd 1
steps:          resd 1                  ; debug exceptions
taken:          resd 1                  ; other events
seen_count:     resd 1                  ; EBX at the interrupt
datum:          resd 1
selector:       resd 1
alignb 16
                resb 256
user_stack_top:

        MULTIBOOT_END

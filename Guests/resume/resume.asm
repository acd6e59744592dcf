; Shows: a breakpoint on an instruction is hit once, however often the instruction exits, and again where the next one has
; one too. An interrupt during a repetition pushes RF set, so that its handler returns past the breakpoint.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"
%include "apic.inc"

VECTOR          equ 0x50
PERIOD          equ 30000               ; ticks between two interrupts
ROUNDS           equ 5000                ; more than an exit does
FLAGS_RF        equ 1 << 16

        MULTIBOOT_HEADER

; BREAK COUNT, INSTRUCTION: a breakpoint on an instruction, and one on the next, are hit that often in all.
%macro BREAK 2+
        mov     dword [hits], 0
        mov     rax, %%here
        mov     dr0, rax
        mov     [place], rax
        mov     rax, %%next
        mov     dr1, rax
        mov     eax, 0x400 | 1 | 1 << 2
        mov     dr7, rax
        mov     esi, source
        mov     edi, destination
        mov     ecx, ROUNDS
        mov     edx, DELAY_PORT
        mov     r8d, ABSENT_MEMORY
        xor     eax, eax
        sti
%%here: %2
%%next: nop
        cli
        xor     eax, eax
        mov     dr7, rax
        cmp     dword [hits], %1
        jne     failed
        cmp     dword [wrong], 0
        jne     failed
%endmacro

main:   mov     eax, breakpoint
        mov     ecx, DB_VECTOR
        call    set_gate
        mov     eax, interrupt
        mov     ecx, VECTOR
        call    set_gate
        mov     esi, APIC_MEMORY
        mov     dword [rsi + APIC_SVR], SVR_ENABLE | 0xFF
        mov     dword [rsi + APIC_DIVIDE], 0xB
        mov     dword [rsi + APIC_TIMER], VECTOR | LVT_PERIODIC
        mov     dword [rsi + APIC_COUNT], PERIOD

        CHECK   1                       ; ports
        BREAK   2, rep outsb
        BREAK   2, rep insb
        BREAK   2, rep outsd
        CHECK   2                       ; absent memory
        BREAK   2, call to_absent
        CHECK   3                       ; and what needs no second exit
        BREAK   2, cpuid
        BREAK   2, out dx, al
        BREAK   2, in al, dx
        BREAK   2, mov eax, [r8]
        BREAK   2, wbinvd
        BREAK   2, vmcall
        CHECK   4                       ; interrupts came amid the repetitions
        cmp     dword [amid], 0
        je      failed
        jmp     succeeded

; Repetitions on absent memory, each with a breakpoint of its own at DR2.
to_absent:
%macro ABSENT 1+
        mov     dword [inner], 0
        mov     rax, %%here
        mov     dr2, rax
        mov     [place], rax
        mov     eax, 0x400 | 1 | 1 << 2 | 1 << 4
        mov     dr7, rax
        mov     esi, ABSENT_MEMORY
        mov     edi, ABSENT_MEMORY
        mov     ecx, ROUNDS
        xor     eax, eax
%%here: %1
        cmp     dword [inner], 1
        jne     failed
%endmacro
        ABSENT  rep stosb
        ABSENT  rep movsb
        ABSENT  rep lodsb
        ABSENT  repne scasb
        ABSENT  repe cmpsb
        ret

breakpoint:
        push    rax
        mov     rax, dr6
        test    eax, 1 << 2
        jz      .outer
        inc     dword [inner]
        jmp     .end
.outer: inc     dword [hits]
.end:   mov     eax, 0xFFFF0FF0
        mov     dr6, rax
        or      dword [rsp + 24], FLAGS_RF
        pop     rax
        iretq

interrupt:
        push    rax
        mov     rax, [rsp + 8]
        cmp     rax, [place]
        jne     .end
        cmp     ecx, ROUNDS              ; before the first iteration the breakpoint is still to come
        je      .end
        inc     dword [amid]
        test    dword [rsp + 24], FLAGS_RF
        jnz     .end
        inc     dword [wrong]
.end:   mov     eax, APIC_MEMORY + APIC_EOI
        mov     dword [rax], 0
        pop     rax
        iretq

%include "hypercalls.inc"
%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "longmode.inc"

section .data
guest_name:     db "resume", 0

section .bss
        alignb  8
place:          resq 1                  ; of the instruction that is broken on
hits:           resd 1
inner:          resd 1
amid:           resd 1                  ; interrupts amid a repetition, and those that pushed RF clear
wrong:          resd 1
source:         resb 4 * ROUNDS
destination:    resb 4 * ROUNDS

        MULTIBOOT_END

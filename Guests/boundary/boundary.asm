; Shows: what comes first where several events wait after an instruction, and what ends HLT. Each way of sending an event is
; stepped through, or has a data breakpoint before it that MOV SS holds: the debug trap comes first, the event then, and
; neither is lost.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"
%include "apic.inc"

NMI_VECTOR      equ 2
LINE_VECTOR     equ 0x30                ; of the 8259 pair's first line, the 8254
VECTOR          equ 0x50
COMMAND_NMI     equ 4 << 8 | ICR_ASSERT
COMMAND_SELF    equ ICR_SELF | ICR_ASSERT | VECTOR
DR7_WATCH       equ 1 | 3 << 16 | 1 << 18       ; reads and writes of the word at DR0
DR6_WATCH       equ 1 << 0
DR6_STEP        equ 1 << 14
IO_APIC         equ 0xFEC00000
COUNT           equ 0x1000              ; of the 8254: some milliseconds

        MULTIBOOT_HEADER

; STEP FLAGS, INSTRUCTION: steps through one instruction. RAX, RCX, RDX, RSI, and RDI are its own.
%macro STEP 2+
        call    clear
        mov     qword [after], %%after
        pushfq
        or      qword [rsp], FLAGS_TF | %1
        popfq
        %2
%%after: nop
        pushfq
        and     qword [rsp], ~(FLAGS_TF | FLAGS_IF)
        popfq
%endmacro

; HOLD FLAGS, INSTRUCTION: executes one after a MOV SS that reads a watched word.
%macro HOLD 2+
        call    clear
        mov     qword [after], %%after
        pushfq
        or      qword [rsp], %1
        mov     rbx, watched
        mov     dr0, rbx
        mov     ebx, DR7_WATCH
        mov     dr7, rbx
        popfq
        mov     ss, [watched]
        %2
%%after: nop
        cli
        xor     ebx, ebx
        mov     dr7, rbx
%endmacro

; X2APIC_REGISTERS REGISTER, VALUE: what WRMSR wants.
%macro X2APIC_REGISTERS 2
        mov     ecx, X2APIC + %1 / 16
        mov     eax, %2
        xor     edx, edx
%endmacro

; The trap came, for a reason in DR6, right after the instruction, and before the event, which came at an address.
%macro EXPECT 2
        mov     eax, %1
        mov     rbx, %2
        call    check
%endmacro

main:   mov     al, 0xFF
        out     0x21, al
        out     0xA1, al
        mov     eax, nmi
        mov     ecx, NMI_VECTOR
        call    set_gate
        mov     eax, trap
        mov     ecx, DB_VECTOR
        call    set_gate
        mov     eax, interrupt
        mov     ecx, VECTOR
        call    set_gate
        mov     eax, line_interrupt
        mov     ecx, LINE_VECTOR
        call    set_gate
        mov     rax, 0xFFFF0FF0
        mov     dr6, rax

        ; The local APIC in memory
        mov     ebp, APIC_MEMORY
        mov     dword [rbp + APIC_ICR_HIGH], 0
        mov     esi, APIC_MEMORY + APIC_ICR

        CHECK   1                       ; an NMI to itself
        mov     edi, COMMAND_NMI
        STEP    0, mov [rsi], edi
        EXPECT  DR6_STEP, trap
        HOLD    0, mov [rsi], edi
        EXPECT  DR6_WATCH, trap

        CHECK   2                       ; an interrupt to itself
        mov     edi, COMMAND_SELF
        STEP    FLAGS_IF, mov [rsi], edi
        EXPECT  DR6_STEP, [after]
        HOLD    FLAGS_IF, mov [rsi], edi
        EXPECT  DR6_WATCH, [after]

        CHECK   3                       ; one that waits for a lower task priority
        mov     dword [rbp + APIC_TPR], 0x90
        mov     [rsi], edi
        mov     esi, APIC_MEMORY + APIC_TPR
        xor     edi, edi
        STEP    FLAGS_IF, mov [rsi], edi
        EXPECT  DR6_STEP, [after]
        mov     dword [rbp + APIC_TPR], 0x90
        mov     dword [rbp + APIC_ICR], COMMAND_SELF
        HOLD    FLAGS_IF, mov [rsi], edi
        EXPECT  DR6_WATCH, [after]

        CHECK   4                       ; the same by CR8
        mov     dword [rbp + APIC_TPR], 0x90
        mov     dword [rbp + APIC_ICR], COMMAND_SELF
        xor     eax, eax
        STEP    FLAGS_IF, mov cr8, rax
        EXPECT  DR6_STEP, [after]
        mov     dword [rbp + APIC_TPR], 0x90
        mov     dword [rbp + APIC_ICR], COMMAND_SELF
        xor     eax, eax
        HOLD    FLAGS_IF, mov cr8, rax
        EXPECT  DR6_WATCH, [after]

        CHECK   5                       ; a line of the 8259 pair that is unmasked
        call    start_controllers
        call    request_line
        mov     al, 0xFE
        STEP    FLAGS_IF, out 0x21, al
        EXPECT  DR6_STEP, [after]
        mov     al, 0xFF
        out     0x21, al
        call    request_line
        mov     al, 0xFE
        HOLD    FLAGS_IF, out 0x21, al
        EXPECT  DR6_WATCH, [after]
        mov     al, 0xFF
        out     0x21, al

        CHECK   6                       ; the timer, whose deadline is past
        mov     dword [rbp + APIC_TIMER], LVT_DEADLINE | VECTOR
        mov     ecx, IA32_TSC_DEADLINE
        mov     eax, 1
        xor     edx, edx
        STEP    FLAGS_IF, wrmsr
        EXPECT  DR6_STEP, [after]
        mov     ecx, IA32_TSC_DEADLINE
        mov     eax, 1
        xor     edx, edx
        HOLD    FLAGS_IF, wrmsr
        EXPECT  DR6_WATCH, [after]
        mov     dword [rbp + APIC_TIMER], LVT_MASKED

        ; HLT
        CHECK   7                       ; a single step ends it, and a breakpoint that MOV SS holds
        STEP    0, hlt
        mov     eax, DR6_STEP
        call    check_trap
        STEP    FLAGS_IF, hlt
        mov     eax, DR6_STEP
        call    check_trap
        HOLD    0, hlt
        mov     eax, DR6_WATCH
        call    check_trap

        CHECK   8                       ; an NMI ends it with interrupts off; what waits goes on waiting
        call    clear
        mov     dword [rbp + APIC_ICR], COMMAND_SELF
        mov     r8d, IO_APIC
        mov     dword [r8], 0x15
        mov     dword [r8 + 0x10], 0
        mov     dword [r8], 0x14
        mov     dword [r8 + 0x10], 4 << 8  ; the 8254's pin
        call    start_count
        hlt
.woken: cmp     dword [events], 1
        jne     failed
        mov     rax, .woken
        cmp     [event_ip], rax
        jne     failed
        sti
        nop
.open:  cli
        cmp     dword [events], 2
        jne     failed
        mov     dword [r8 + 0x10], LVT_MASKED

        CHECK   9                       ; STI and HLT: the interrupt that waits ends it
        call    clear
        mov     dword [rbp + APIC_ICR], COMMAND_SELF
        sti
        hlt
.behind:
        cli
        mov     rax, .behind
        cmp     [event_ip], rax
        jne     failed
        cmp     dword [events], 1
        jne     failed

        ; The local APIC as MSRs
        mov     ecx, IA32_APIC_BASE
        rdmsr
        or      eax, APIC_BASE_EXTENDED
        wrmsr

        CHECK   10                      ; an NMI to itself
        X2APIC_REGISTERS APIC_ICR, COMMAND_NMI
        STEP    0, wrmsr
        EXPECT  DR6_STEP, trap
        X2APIC_REGISTERS APIC_ICR, COMMAND_NMI
        HOLD    0, wrmsr
        EXPECT  DR6_WATCH, trap

        CHECK   11                      ; an interrupt to itself, by both registers
        X2APIC_REGISTERS APIC_ICR, COMMAND_SELF
        STEP    FLAGS_IF, wrmsr
        EXPECT  DR6_STEP, [after]
        X2APIC_REGISTERS APIC_SELF, VECTOR
        STEP    FLAGS_IF, wrmsr
        EXPECT  DR6_STEP, [after]
        X2APIC_REGISTERS APIC_ICR, COMMAND_SELF
        HOLD    FLAGS_IF, wrmsr
        EXPECT  DR6_WATCH, [after]
        X2APIC_REGISTERS APIC_SELF, VECTOR
        HOLD    FLAGS_IF, wrmsr
        EXPECT  DR6_WATCH, [after]

        CHECK   12                      ; an NMI while an interrupt waits, which comes right after it
        call    clear
        X2APIC_REGISTERS APIC_SELF, VECTOR
        wrmsr
        X2APIC_REGISTERS APIC_ICR, COMMAND_NMI
        sti                             ; holds the interrupt until WRMSR is over
        wrmsr
.after: nop
        cli
        cmp     dword [events], 2
        jne     failed
        mov     rax, .after
        cmp     [event_ip], rax         ; the interrupt's, which came last
        jne     failed
        cmp     dword [last_vector], VECTOR
        jne     failed

        jmp     succeeded

; Checks the trap, and that an event came after it, at the address in RBX: at its handler, or where that had returned.
check:  cmp     [event_ip], rbx
        jne     failed
        cmp     dword [events], 1
        jne     failed
        mov     rcx, trap
        cmp     rbx, rcx
        je      check_trap
        mov     ecx, [event_moment]
        cmp     ecx, [trap_moment]
        jbe     failed
; Checks that one trap came right after the instruction, for the reason in EAX.
check_trap:
        cmp     dword [traps], 1
        jne     failed
        mov     ecx, [status]
        and     ecx, DR6_STEP | DR6_WATCH
        cmp     ecx, eax
        jne     failed
        ret

clear:  mov     dword [traps], 0
        mov     dword [events], 0
        mov     dword [moment], 0
        mov     dword [trap_moment], 0
        mov     dword [event_moment], 0
        mov     qword [event_ip], 0
        ret

trap:   push    rax
        mov     rax, [rsp + 8]
        cmp     rax, [after]
        jne     .other
        inc     dword [traps]
        inc     dword [moment]
        mov     eax, [moment]
        mov     [trap_moment], eax
        mov     rax, dr6
        mov     [status], eax
.other: mov     rax, 0xFFFF0FF0
        mov     dr6, rax
        pop     rax
        iretq

nmi:    push    rax
        mov     dword [last_vector], NMI_VECTOR
        call    note
        pop     rax
        iretq

interrupt:
        push    rax
        mov     dword [last_vector], VECTOR
        call    note
        push    rcx
        push    rdx
        mov     ecx, IA32_APIC_BASE
        rdmsr
        test    eax, APIC_BASE_EXTENDED
        jz      .memory
        mov     ecx, X2APIC + APIC_EOI / 16
        xor     eax, eax
        xor     edx, edx
        wrmsr
        jmp     .ended
.memory:
        mov     eax, APIC_MEMORY + APIC_EOI
        mov     dword [rax], 0
.ended: pop     rdx
        pop     rcx
        pop     rax
        iretq

line_interrupt:
        push    rax
        mov     dword [last_vector], LINE_VECTOR
        call    note
        mov     al, 0x20
        out     0x20, al
        pop     rax
        iretq

; Below the return address: RAX, and where the event came.
note:   inc     dword [events]
        inc     dword [moment]
        mov     eax, [moment]
        mov     [event_moment], eax
        mov     rax, [rsp + 16]
        mov     [event_ip], rax
        ret

; The 8259 pair, all masked.
start_controllers:
        mov     al, 0x11
        out     0x20, al
        mov     al, LINE_VECTOR
        out     0x21, al
        mov     al, 4
        out     0x21, al
        mov     al, 1
        out     0x21, al
        mov     al, 0xFF
        out     0x21, al
        ret

start_count:
        mov     al, 0x30                ; the output rises when the count is over
        out     0x43, al
        mov     al, COUNT & 0xFF
        out     0x40, al
        mov     al, COUNT >> 8
        out     0x40, al
        ret

; Waits until the 8259 has a request from the 8254.
request_line:
        call    start_count
        mov     al, 0x0A
        out     0x20, al
.wait:  in      al, 0x20
        test    al, 1
        jz      .wait
        ret

%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "longmode.inc"

section .data
guest_name:     db "boundary", 0
        align   2
watched:        dw DATA_SELECTOR

section .bss
        alignb  8
after:          resq 1
event_ip:       resq 1
traps:          resd 1
events:         resd 1
moment:         resd 1
trap_moment:    resd 1
event_moment:   resd 1
status:         resd 1
last_vector:    resd 1
        MULTIBOOT_END

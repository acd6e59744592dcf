; Shows: the local APIC in both its modes: interprocessor interrupts, priorities, its timer, its base. What of that exits
; depends on how much of it the processor virtualizes; what the guest sees does not.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"
%include "apic.inc"

LOW_VECTOR      equ 0x40
VECTOR          equ 0x50
HIGH_VECTOR     equ 0x70
MOVED_MEMORY    equ 0xFED40000          ; neither RAM nor a device otherwise
COVERED_MEMORY  equ 0x300000            ; RAM
SOON            equ 2000000             ; ticks: long enough for an access even in a nested machine

; A register of the APIC, in memory.
%macro REGISTER 1
        mov     esi, APIC_MEMORY + %1
%endmacro

; WRMSR of a constant to an x2APIC register.
%macro WRITE_X2APIC 2
        mov     ecx, X2APIC + %1 / 16
        mov     eax, %2
        xor     edx, edx
        wrmsr
%endmacro
%macro READ_X2APIC 1
        mov     ecx, X2APIC + %1 / 16
        rdmsr
%endmacro

; Lets interrupts come for a moment.
%macro WINDOW_OPEN 0
        sti
        nop
        nop
        cli
%endmacro

        MULTIBOOT_HEADER

main:
        mov     eax, low_handler
        mov     ecx, LOW_VECTOR
        call    set_gate
        mov     eax, handler
        mov     ecx, VECTOR
        call    set_gate
        mov     eax, high_handler
        mov     ecx, HIGH_VECTOR
        call    set_gate

        CHECK   1                       ; it is there, on, and at its place
        mov     eax, 1
        cpuid
        test    edx, 1 << 9
        jz      failed
        mov     ecx, IA32_APIC_BASE
        rdmsr
        cmp     eax, APIC_MEMORY | APIC_BASE_ENABLED | 1 << 8
        jne     failed
        REGISTER APIC_VERSION
        mov     eax, [rsi]
        cmp     al, 0x14
        jne     failed
        REGISTER APIC_ID
        cmp     dword [rsi], 0
        jne     failed
        REGISTER APIC_SVR
        cmp     dword [rsi], SVR_ENABLE | 0xFF  ; firmware's virtual wire
        jne     failed
        mov     dword [rsi], SVR_ENABLE | 0xFF
        cmp     dword [rsi], SVR_ENABLE | 0xFF
        jne     failed

        CHECK   2                       ; an interrupt to itself comes when interrupts are on, once
        call    send_memory
        cmp     dword [count], 0
        jne     failed
        REGISTER APIC_IRR + 0x20
        test    dword [rsi], 1 << (VECTOR & 31)
        jz      failed
        WINDOW_OPEN
        cmp     dword [count], 1
        jne     failed
        REGISTER APIC_IRR + 0x20
        cmp     dword [rsi], 0
        jne     failed
        REGISTER APIC_ISR + 0x20        ; its handler ended it
        cmp     dword [rsi], 0
        jne     failed
        WINDOW_OPEN
        cmp     dword [count], 1
        jne     failed

        CHECK   3                       ; the task priority holds it back, in memory and as CR8
        REGISTER APIC_TPR
        mov     dword [rsi], 0x50
        mov     rax, cr8
        cmp     eax, 5
        jne     failed
        call    send_memory
        WINDOW_OPEN
        cmp     dword [count], 1
        jne     failed
        sti
        mov     eax, 4
        mov     cr8, rax
        nop
        cli
        cmp     dword [count], 2
        jne     failed
        REGISTER APIC_TPR
        cmp     dword [rsi], 0x40
        jne     failed
        mov     dword [rsi], 0xF0
        call    send_memory
        WINDOW_OPEN
        cmp     dword [count], 2
        jne     failed
        REGISTER APIC_TPR
        sti
        mov     dword [rsi], 0
        nop
        cli
        cmp     dword [count], 3
        jne     failed

        CHECK   4                       ; the higher priority comes first, the lower after the end of that
        REGISTER APIC_ICR
        mov     dword [rsi], ICR_SELF | LOW_VECTOR
        mov     dword [rsi], ICR_SELF | HIGH_VECTOR
        WINDOW_OPEN
        cmp     dword [low_order], 2
        jne     failed
        cmp     dword [high_order], 1
        jne     failed

        CHECK   5                       ; the timer, once and again
        REGISTER APIC_DIVIDE
        mov     dword [rsi], 0b1011     ; by 1
        REGISTER APIC_TIMER
        mov     dword [rsi], VECTOR
        REGISTER APIC_COUNT
        mov     dword [rsi], SOON
        REGISTER APIC_CURRENT
        mov     eax, [rsi]
        dec     eax
        cmp     eax, SOON
        jae     failed
        mov     dword [count], 0
        sti
        hlt
        cli
        cmp     dword [count], 1
        jne     failed
        cmp     dword [rsi], 0
        jne     failed
        REGISTER APIC_TIMER
        mov     dword [rsi], LVT_PERIODIC | VECTOR
        REGISTER APIC_COUNT
        mov     dword [rsi], SOON
        sti
.again: hlt
        cmp     dword [count], 5
        jb      .again
        cli
        mov     dword [rsi], 0
        WINDOW_OPEN
        mov     dword [count], 0

        CHECK   6                       ; INIT and SIPI to all others: there are none
        REGISTER APIC_ICR
        mov     dword [rsi], ICR_OTHERS | ICR_INIT | ICR_ASSERT
        mov     dword [rsi], ICR_OTHERS | ICR_STARTUP | ICR_ASSERT | 0x10
        mov     dword [rsi], ICR_OTHERS | VECTOR
        WINDOW_OPEN
        cmp     dword [count], 0
        jne     failed

        CHECK   7                       ; a vector below 16 is an error
        REGISTER APIC_ICR
        mov     dword [rsi], ICR_SELF | 5
        REGISTER APIC_ESR
        mov     dword [rsi], 0
        cmp     dword [rsi], 1 << 5
        jne     failed

        CHECK   8                       ; moved in memory
        mov     ecx, IA32_APIC_BASE
        mov     eax, MOVED_MEMORY | APIC_BASE_ENABLED | 1 << 8
        xor     edx, edx
        wrmsr
        mov     esi, MOVED_MEMORY + APIC_SVR
        cmp     dword [rsi], SVR_ENABLE | 0xFF
        jne     failed
        REGISTER APIC_SVR
        cmp     dword [rsi], -1
        jne     failed
        mov     dword [eoi_address], MOVED_MEMORY + APIC_EOI
        mov     esi, MOVED_MEMORY + APIC_ICR
        mov     dword [rsi], ICR_SELF | VECTOR
        WINDOW_OPEN
        cmp     dword [count], 1
        jne     failed
        mov     dword [eoi_address], APIC_MEMORY + APIC_EOI
        mov     ecx, IA32_APIC_BASE
        mov     eax, APIC_MEMORY | APIC_BASE_ENABLED | 1 << 8
        xor     edx, edx
        wrmsr
        call    send_memory
        WINDOW_OPEN
        cmp     dword [count], 2
        jne     failed

        CHECK   15                      ; moved over RAM, which is hidden meanwhile and as it was afterwards
        mov     edi, COVERED_MEMORY
        mov     ecx, 1024
        mov     eax, 0x5A5A5A5A
        rep stosd
        mov     ecx, IA32_APIC_BASE
        mov     eax, COVERED_MEMORY | APIC_BASE_ENABLED | 1 << 8
        xor     edx, edx
        wrmsr
        mov     esi, COVERED_MEMORY
        cmp     dword [rsi + APIC_SVR], SVR_ENABLE | 0xFF
        jne     failed
        mov     dword [rsi + APIC_TPR], 0x20
        cmp     dword [rsi + APIC_TPR], 0x20
        jne     failed
        mov     edi, covered_copy       ; a string instruction's operand is the register too
        lea     esi, [rsi + APIC_TPR]
        movsd
        cmp     dword [covered_copy], 0x20
        jne     failed
        mov     esi, COVERED_MEMORY
        mov     dword [rsi + APIC_TPR], 0
        cmp     dword [rsi + 0x1000], 0x5A5A5A5A
        je      failed                  ; the next page is its own
        mov     ecx, IA32_APIC_BASE
        mov     eax, APIC_MEMORY | APIC_BASE_ENABLED | 1 << 8
        xor     edx, edx
        wrmsr
        mov     edi, COVERED_MEMORY
        mov     ecx, 1024
        mov     eax, 0x5A5A5A5A
        repe scasd
        jne     failed

        CHECK   9                       ; as MSRs: what was set stays, and the memory is gone
        mov     ecx, IA32_APIC_BASE
        mov     eax, APIC_MEMORY | APIC_BASE_ENABLED | APIC_BASE_EXTENDED | 1 << 8
        xor     edx, edx
        wrmsr
        mov     byte [is_extended], 1
        REGISTER APIC_SVR
        cmp     dword [rsi], -1
        jne     failed
        READ_X2APIC APIC_SVR
        cmp     eax, SVR_ENABLE | 0xFF
        jne     failed
        READ_X2APIC APIC_LDR
        cmp     eax, 1
        jne     failed
        WRITE_X2APIC APIC_SELF, VECTOR
        WINDOW_OPEN
        cmp     dword [count], 3
        jne     failed
        WRITE_X2APIC APIC_ICR, ICR_SELF | VECTOR
        WINDOW_OPEN
        cmp     dword [count], 4
        jne     failed
        mov     ecx, X2APIC + APIC_ICR / 16     ; to its own number
        mov     eax, VECTOR
        xor     edx, edx
        wrmsr
        WINDOW_OPEN
        cmp     dword [count], 5
        jne     failed
        WRITE_X2APIC APIC_TPR, 0x50
        WRITE_X2APIC APIC_SELF, VECTOR
        READ_X2APIC APIC_PPR
        cmp     eax, 0x50
        jne     failed
        WINDOW_OPEN
        cmp     dword [count], 5
        jne     failed
        sti
        WRITE_X2APIC APIC_TPR, 0
        nop
        cli
        cmp     dword [count], 6
        jne     failed

        CHECK   10                      ; what no x2APIC has
        EXPECT_FAULT .no_read
        READ_X2APIC APIC_EOI
        jmp     failed
.no_read:
        EXPECT_FAULT .no_write
        WRITE_X2APIC APIC_EOI, 1
        jmp     failed
.no_write:
        EXPECT_FAULT .no_version
        WRITE_X2APIC APIC_VERSION, 0
        jmp     failed
.no_version:
        EXPECT_FAULT .no_register
        READ_X2APIC 0x2F0
        jmp     failed
.no_register:
        EXPECT_FAULT .no_way_back
        mov     ecx, IA32_APIC_BASE
        mov     eax, APIC_MEMORY | APIC_BASE_ENABLED | 1 << 8
        xor     edx, edx
        wrmsr
        jmp     failed
.no_way_back:

        CHECK   11                      ; a deadline that is past, one that is near, one that is taken back
        mov     dword [count], 0
        WRITE_X2APIC APIC_TIMER, LVT_DEADLINE | VECTOR
        mov     ecx, IA32_TSC_DEADLINE
        mov     eax, 1
        xor     edx, edx
        wrmsr
        WINDOW_OPEN
        cmp     dword [count], 1
        jne     failed
        mov     ecx, IA32_TSC_DEADLINE
        rdmsr
        or      eax, edx
        jnz     failed
        call    set_deadline
        mov     r8, rax
        sti
        hlt
        cli
        cmp     dword [count], 2
        jne     failed
        call    read_time
        cmp     rax, r8
        jb      failed
        call    set_deadline
        mov     r8, rax
        sti
.spin:  call    read_time               ; no exit but that of the timer
        cmp     dword [count], 3
        jb      .spin
        cli
        call    read_time               ; it may have come after the last look
        cmp     rax, r8
        jb      failed
        call    set_deadline
        mov     r8, rax
        mov     ecx, IA32_TSC_DEADLINE
        xor     eax, eax
        xor     edx, edx
        wrmsr
        sti
.wait:  call    read_time
        sub     rax, SOON
        cmp     rax, r8
        jb      .wait
        cli
        cmp     dword [count], 3
        jne     failed

        CHECK   12                      ; off, and on again as after reset
        mov     ecx, IA32_APIC_BASE
        mov     eax, APIC_MEMORY | 1 << 8
        xor     edx, edx
        wrmsr
        mov     eax, 1
        cpuid
        test    edx, 1 << 9
        jnz     failed
        REGISTER APIC_SVR
        cmp     dword [rsi], -1
        jne     failed
        mov     ecx, IA32_APIC_BASE
        mov     eax, APIC_MEMORY | APIC_BASE_ENABLED | 1 << 8
        xor     edx, edx
        wrmsr
        REGISTER APIC_SVR
        cmp     dword [rsi], 0xFF
        jne     failed
        jmp     succeeded

send_memory:                            ; VECTOR to itself
        REGISTER APIC_ICR
        mov     dword [rsi], ICR_SELF | VECTOR
        ret

set_deadline:                           ; RAX: when
        call    read_time
        add     rax, SOON
        push    rax
        mov     rdx, rax
        shr     rdx, 32
        mov     ecx, IA32_TSC_DEADLINE
        wrmsr
        pop     rax
        ret

; ---- The handlers count, and end the interrupt in the current mode ---------------------------------

handler:
        inc     dword [count]
        jmp     end_interrupt
high_handler:
        inc     dword [order]
        push    rax
        mov     eax, [order]
        mov     [high_order], eax
        pop     rax
        jmp     end_interrupt
low_handler:
        inc     dword [order]
        push    rax
        mov     eax, [order]
        mov     [low_order], eax
        pop     rax
end_interrupt:
        push    rax
        push    rcx
        push    rdx
        cmp     byte [is_extended], 0
        jne     .extended
        mov     eax, [eoi_address]
        mov     dword [rax], 0
        jmp     .end
.extended:
        WRITE_X2APIC APIC_EOI, 0
.end:   pop     rdx
        pop     rcx
        pop     rax
        iretq

%include "hypercalls.inc"
%include "console.inc"
%include "time.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "longmode.inc"

section .data
guest_name:     db "apic", 0
is_extended:    db 0
        align   4
eoi_address:    dd APIC_MEMORY + APIC_EOI

section .bss
count:          resd 1
covered_copy:   resd 1
order:          resd 1
low_order:      resd 1
high_order:     resd 1

        MULTIBOOT_END

; Shows: timers go by the clock. Whatever a guest does while it waits, and however often that exits, the interrupt of each
; timer comes when it is due, and a periodic one loses no tick. The bounds are for Bochs, where a tick is an instruction.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"
%include "apic.inc"

VECTOR          equ 0x50
PIC_VECTOR      equ 0x60                ; of IRQ 0; IRQ 8 is 8 further on
AHEAD           equ 100000              ; ticks until a timer is due
PERIOD          equ 40000               ; ticks between two of a periodic one
TICKS           equ 20
LATEST          equ 4000                ; ticks that an interrupt may be late: the longest exit, and its own way to the guest
COUNTER_HZ      equ 1193182
COUNT           equ 2400                ; of the 8254, until its interrupt
CLOCK_TICKS     equ 16                  ; of the real-time clock, at 8192 Hz

        MULTIBOOT_HEADER

main:   mov     eax, local_handler
        mov     ecx, VECTOR
        call    set_gate
        mov     eax, counter_handler
        mov     ecx, PIC_VECTOR
        call    set_gate
        mov     eax, clock_handler
        mov     ecx, PIC_VECTOR + 8
        call    set_gate
        call    open_controllers
        mov     esi, APIC_MEMORY
        mov     dword [rsi + APIC_SVR], SVR_ENABLE | 0xFF
        mov     dword [rsi + APIC_DIVIDE], 0xB          ; by 1
        call    find_frequency
        call    stop_timers

        mov     ebp, sources
.source:
        mov     r12d, loops
.loop:  mov     qword [came], 0
        mov     qword [count], 0
        mov     qword [span], 0
        call    [rbp]                   ; starts the timer; RAX: when its last interrupt is due
        mov     r13, rax
        sti
.wait:  call    [r12]
        mov     rax, [count]
        cmp     rax, [rbp + 8]
        jb      .wait
        cli
        call    stop_timers
        mov     rax, [span]
        test    rax, rax
        jz      .compare
        add     rax, [first]            ; which may have been late itself
        sub     rax, LATEST
        mov     r13, rax
.compare:
        mov     rax, [came]
        sub     rax, r13
        js      early
        sub     rax, [rbp + 16]
        jc      .next
        cmp     rax, LATEST
        ja      late
.next:  add     r12d, 16
        cmp     r12d, loops_end
        jb      .loop
        add     ebp, 32
        cmp     ebp, sources_end
        jb      .source
        jmp     succeeded

early:  neg     rax
        mov     edi, early_text
        jmp     report
late:   mov     edi, late_text
report: mov     rsi, [rbp + 24]
        call    print
        mov     esi, while_text
        call    print
        mov     rsi, [r12 + 8]
        call    print
        mov     esi, edi
        call    print
        call    print_decimal
        mov     esi, end_text
        call    print
        jmp     failed

; ---- What goes on meanwhile ----------------------------------------------------------------------

do_nothing:
        nop
        ret
do_cpuid:
        xor     eax, eax
        cpuid
        ret
do_hypercall:
        xor     eax, eax
        vmcall
        ret
do_read_msr:
        mov     ecx, IA32_APIC_BASE
        rdmsr
        ret
do_write_msr:
        mov     ecx, IA32_MISC_ENABLE
        rdmsr
        wrmsr
        ret
do_out: out     DELAY_PORT, al
        ret
do_in:  in      al, 0x71
        ret
do_controller:
        in      al, 0x21
        ret
do_configuration:
        mov     edx, 0xCF8
        mov     eax, 0x8000_0804        ; the command register of the ISA bridge
        out     dx, eax
        mov     edx, 0xCFC
        in      eax, dx
        out     dx, eax
        ret
do_read_memory:
        mov     esi, ABSENT_MEMORY
        mov     eax, [rsi]
        ret
do_write_memory:
        mov     esi, 0xFEC00000         ; its identifier
        xor     eax, eax
        mov     [rsi], eax
        mov     [rsi + 0x10], eax
        ret
do_flush:
        wbinvd
        ret
do_control:
        mov     rax, cr0
        xor     eax, CR0_CD
        mov     cr0, rax
        ret
do_outs:
        mov     esi, scratch
        mov     ecx, [length]
        mov     edx, DELAY_PORT
        rep outsb
        ret
do_ins: mov     edi, scratch
        mov     ecx, [length]
        mov     edx, 0x71
        rep insb
        ret
do_long_outs:
        mov     dword [length], 5000
        jmp     do_outs
do_long_ins:
        mov     dword [length], 5000
        jmp     do_ins
do_copy:
        mov     esi, ABSENT_MEMORY
        mov     edi, scratch
        mov     ecx, 5000
        rep movsb
        ret
do_fill:
        mov     edi, ABSENT_MEMORY
        mov     ecx, 5000
        xor     eax, eax
        rep stosb
        ret
do_search:
        mov     edi, ABSENT_MEMORY
        mov     ecx, 5000
        xor     eax, eax
        repne scasb
        ret

; ---- The timers ----------------------------------------------------------------------------------

start_deadline:
        mov     esi, APIC_MEMORY
        mov     dword [rsi + APIC_TIMER], VECTOR | LVT_DEADLINE
        mfence
        call    read_time
        add     rax, AHEAD
        push    rax
        mov     rdx, rax
        shr     rdx, 32
        mov     ecx, IA32_TSC_DEADLINE
        wrmsr
        pop     rax
        ret

start_count:
        mov     esi, APIC_MEMORY
        mov     dword [rsi + APIC_TIMER], VECTOR
        mov     ecx, AHEAD
        mov     edi, 1
start_local:                            ; that many ticks, EDI times
        call    read_time
        push    rax
        mov     eax, ecx
        imul    edi, ecx
        mov     cl, [timer_shift]
        shr     eax, cl
        mov     [rsi + APIC_COUNT], eax
        pop     rax
        mov     ecx, edi
        add     rax, rcx
        ret

start_period:
        mov     esi, APIC_MEMORY
        mov     dword [rsi + APIC_TIMER], VECTOR | LVT_PERIODIC
        mov     ecx, PERIOD
        mov     edi, TICKS
        jmp     start_local

start_counter:                          ; mode 0: once, after a count
        mov     al, 0x30
        out     0x43, al
        mov     ecx, COUNT
        jmp     start_count_of

start_square_wave:                      ; mode 2: at each end of a count
        mov     al, 0x34
        out     0x43, al
        sti                             ; that makes its output rise, which is an interrupt
        nop
        nop
        cli
        mov     qword [count], 0
        mov     ecx, COUNT * TICKS
start_count_of:                         ; RAX: now, and that many counts of the 8254 later
        mov     al, COUNT & 0xFF
        out     0x40, al
        call    read_time
        push    rax
        mov     al, COUNT >> 8
        out     0x40, al
        mov     eax, ecx
        mul     qword [frequency]
        mov     ecx, COUNTER_HZ
        div     rcx
        pop     rdx
        add     rax, rdx
        ret

start_clock:                            ; periodic at 8192 Hz; its first tick tells when
        mov     al, 0x0A
        out     0x70, al
        mov     al, 0x23
        out     0x71, al
        mov     al, 0x0B
        out     0x70, al
        mov     al, 0x42
        out     0x71, al
        call    read_cause
        mov     eax, CLOCK_TICKS - 1
        mul     qword [frequency]
        mov     ecx, 8192
        div     rcx
        mov     [span], rax
        ret

stop_timers:
        mov     esi, APIC_MEMORY
        mov     dword [rsi + APIC_TIMER], LVT_MASKED
        mov     dword [rsi + APIC_COUNT], 0     ; or it would go on, and interrupt once it is unmasked again
        mov     al, 0x30                ; the 8254 waits for a count
        out     0x43, al
        mov     al, 0x0B
        out     0x70, al
        mov     al, 0x02
        out     0x71, al
        call    read_cause
        sti                             ; what came meanwhile is over
        nop
        nop
        cli
        ret

read_cause:                             ; lets the clock interrupt again
        mov     al, 0x0C
        out     0x70, al
        in      al, 0x71
        mov     al, 0x0D                ; what the loops read
        out     0x70, al
        ret

; ---- The interrupts ------------------------------------------------------------------------------

note_time:
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        inc     qword [count]
        cmp     qword [count], 1
        jne     .last
        mov     [first], rax
.last:  mov     rdx, [rbp + 8]
        cmp     [count], rdx
        jne     .end
        mov     [came], rax
.end:
        ret

local_handler:
        push    rax
        push    rdx
        call    note_time
        mov     eax, APIC_MEMORY
        mov     dword [rax + APIC_EOI], 0
        pop     rdx
        pop     rax
        iretq

counter_handler:
        push    rax
        push    rdx
        call    note_time
        mov     al, 0x20
        out     0x20, al
        pop     rdx
        pop     rax
        iretq

clock_handler:
        push    rax
        push    rdx
        call    note_time
        call    read_cause
        mov     al, 0x20
        out     0xA0, al
        out     0x20, al
        pop     rdx
        pop     rax
        iretq

open_controllers:
        mov     al, 0x11
        out     0x20, al
        out     0xA0, al
        mov     al, PIC_VECTOR
        out     0x21, al
        mov     al, PIC_VECTOR + 8
        out     0xA1, al
        mov     al, 4
        out     0x21, al
        mov     al, 2
        out     0xA1, al
        mov     al, 1
        out     0x21, al
        out     0xA1, al
        mov     al, 0xFA                ; IRQ 0 and the cascade
        out     0x21, al
        mov     al, 0xFE                ; IRQ 8
        out     0xA1, al
        ret

find_frequency:
        mov     eax, 0x40000010
        cpuid
        mov     ecx, 1000
        mul     rcx
        mov     [frequency], rax
        mov     esi, APIC_MEMORY
        mov     dword [rsi + APIC_TIMER], LVT_MASKED
        mov     dword [rsi + APIC_COUNT], 1000000
        mov     edi, [rsi + APIC_CURRENT]
        call    read_time
        mov     r8, rax
.wait:  call    read_time
        sub     rax, r8
        cmp     rax, 200000
        jb      .wait
        sub     edi, [rsi + APIC_CURRENT]
        cmp     edi, 150000
        seta    al
        xor     al, 1
        mov     [timer_shift], al
        ret

%include "hypercalls.inc"
%include "console.inc"
%include "time.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "longmode.inc"

section .data
guest_name:     db "clock", 0
while_text:     db " during ", 0
late_text:      db ": late by ", 0
early_text:     db ": early by ", 0
end_text:       db " ticks", 10, 0

; What starts a timer, how many interrupts are waited for, how many ticks more it may be late (its own clock is coarser, and
; the 8259 pair is asked besides), its name.
        align   8
sources:        dq start_deadline, 1, 0, deadline_text
                dq start_count, 1, 200, count_text
                dq start_period, TICKS, 200, period_text
                dq start_counter, 1, 700, counter_text
                dq start_square_wave, TICKS, 700, wave_text
                dq start_clock, CLOCK_TICKS, LATEST, clock_text
sources_end:
; What goes on, and its name.
loops:          dq do_nothing, nothing_text
                dq do_cpuid, cpuid_text
                dq do_hypercall, hypercall_text
                dq do_read_msr, read_msr_text
                dq do_write_msr, write_msr_text
                dq do_out, out_text
                dq do_in, in_text
                dq do_controller, controller_text
                dq do_configuration, configuration_text
                dq do_read_memory, read_memory_text
                dq do_write_memory, write_memory_text
                dq do_flush, flush_text
                dq do_control, control_text
                dq do_outs, outs_text
                dq do_ins, ins_text
                dq do_long_outs, long_outs_text
                dq do_long_ins, long_ins_text
                dq do_copy, copy_text
                dq do_fill, fill_text
                dq do_search, search_text
loops_end:
length:         dd 100
deadline_text:  db "TSC deadline", 0
count_text:     db "one-shot timer", 0
period_text:    db "periodic timer", 0
counter_text:   db "8254, once", 0
wave_text:      db "8254, periodic", 0
clock_text:     db "real-time clock", 0
nothing_text:   db "nothing", 0
cpuid_text:     db "CPUID", 0
hypercall_text: db "VMCALL", 0
read_msr_text:  db "RDMSR", 0
write_msr_text: db "WRMSR", 0
out_text:       db "OUT 80H", 0
in_text:        db "IN 71H", 0
controller_text: db "IN 21H", 0
configuration_text: db "PCI configuration", 0
read_memory_text: db "MOV from absent memory", 0
write_memory_text: db "MOV to the I/O APIC", 0
flush_text:     db "WBINVD", 0
control_text:   db "MOV to CR0", 0
outs_text:      db "REP OUTSB of 100", 0
ins_text:       db "REP INSB of 100", 0
long_outs_text: db "REP OUTSB of 5000", 0
long_ins_text:  db "REP INSB of 5000", 0
copy_text:      db "REP MOVSB from absent memory", 0
fill_text:      db "REP STOSB to absent memory", 0
search_text:    db "REPNE SCASB of absent memory", 0

section .bss
        alignb  8
came:           resq 1               ; when the last interrupt did, and the first
first:          resq 1
span:           resq 1               ; from the first to the last as it should be, where only the first tells
count:          resq 1
frequency:      resq 1               ; of the time stamp, in Hz
timer_shift:    resb 1               ; 1 where the local APIC's timer has half of that
        alignb  8
scratch:        resb 8192

        MULTIBOOT_END

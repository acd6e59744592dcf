; Shows: what an exit costs, and what costs none. Prints `bench NAME VALUE instructions` (exits) for
; each kind. Where a tick of the TSC is one instruction (Bochs, one processor), VALUE is the number
; of instructions that the hypervisor executes for one exit.
;
; The command line may say rounds=N.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "syscall.inc"
%include "multiboot.inc"
%include "apic.inc"

DEFAULT_ROUNDS  equ 100000
FEW_ROUNDS      equ 10                  ; for what should not exit
TRIES           equ 3                   ; so that an exit of the preemption timer does not count
SPIN            equ 50000000            ; instructions without an exit
TIMER_VECTOR    equ 0x60
APIC_VECTOR     equ 0x61
TIMED_VECTOR    equ 0x62
PM_TIMER        equ 0x608
DISTANT         equ 0xFFFFFFFF          ; ticks: not during a run
MMIO_REGISTER   equ 0x80                ; an offset in a page: at 0 the operand may begin in the page before

        MULTIBOOT_HEADER

main:
        CHECK   1
        call    find_martlet
        jne     failed
        mov     eax, timer_handler
        mov     ecx, TIMER_VECTOR
        call    set_gate
        ENABLE_SYSCALL syscall_handler

        mov     r15d, touch_ram         ; once, before anything else touches it
        mov     r12d, 1
        call    count_exits
        mov     esi, ram_text
        call    print_exits

        CHECK   2
        mov     eax, DEFAULT_ROUNDS
        mov     esi, rounds_text
        call    option
        test    rax, rax
        jz      failed
        mov     [rounds], rax

        call    open_apic
        mov     ebp, costs
.cost:  mov     r15, [rbp + 8]          ; the operation
        call    measure
        mov     r13, rax
        mov     r15, [rbp + 16]         ; its twin, which does not exit
        call    measure
        sub     r13, rax
        mov     eax, 0
        cmovs   r13, rax                ; (a noisy clock may make nothing less than nothing)
        mov     rcx, [rounds]           ; the difference per round, to the nearest
        mov     rax, rcx
        shr     rax, 1
        add     rax, r13
        xor     edx, edx
        div     rcx
        mov     rsi, [rbp]
        call    print_cost
        add     rbp, 24
        cmp     rbp, costs_end
        jb      .cost

        mov     ebx, 0                  ; disarm the timer
        mov     eax, HYPERCALL_TIMER
        vmcall
        mov     r15d, end_interrupt
        call    measure
        mov     rax, [timed]
        xor     edx, edx
        div     qword [rounds]
        mov     rsi, end_text
        call    print_cost


        CHECK   3
        call    exits                   ; the preemption timer
        mov     r13, rax
        call    now
        mov     r14, rax
        mov     ecx, SPIN / 2
.spin:  dec     ecx
        jnz     .spin
        call    now
        sub     rax, r14
        sub     rax, SPIN
        mov     r14, rax                ; ticks that were not the loop's
        call    exits
        sub     rax, r13
        dec     rax                     ; that question was an exit itself
        mov     rsi, preemption_text
        call    print_exits
        test    rax, rax
        jz      .none
        mov     rcx, rax
        mov     rax, r14
        xor     edx, edx
        div     rcx
        call    print_cost
.none:

        CHECK   4
        mov     ebp, free
.free:  mov     r15, [rbp + 8]
        mov     r14, -1                 ; the fewest of some tries
        mov     r13d, TRIES
.try:   mov     r12d, FEW_ROUNDS
        call    count_exits
        cmp     rax, r14
        cmovb   r14, rax
        dec     r13d
        jnz     .try
        mov     rax, r14
        mov     rsi, [rbp]
        call    print_exits
        add     rbp, 16
        cmp     rbp, free_end
        jb      .free
        jmp     succeeded

; The ticks that the routine at R15 takes in all rounds. Every round begins with RCX = 0, and the
; first with EDX:EAX = IA32_MISC_ENABLE and RSI = a register in absent memory. Keeps RBP and R13.
measure:
        mov     r12, [rounds]
        call    now
        mov     r14, rax
        mov     esi, ABSENT_MEMORY + MMIO_REGISTER
        mov     ecx, IA32_MISC_ENABLE
        rdmsr
.round: xor     ecx, ecx
        call    r15
        dec     r12
        jnz     .round
        call    now
        sub     rax, r14
        ret

; The exits that R12 rounds of the routine at R15 cause. Keeps RBP, R13 and R14.
count_exits:
        push    r13
        call    exits
        mov     r13, rax
.round: call    r15
        dec     r12
        jnz     .round
        call    exits
        sub     rax, r13
        dec     rax                     ; that question was an exit itself
        pop     r13
        ret

exits:  mov     eax, HYPERCALL_EXITS
        vmcall
        ret

now:    rdtsc
        shl     rdx, 32
        or      rax, rdx
        ret

print_cost:                             ; the name at RSI, the number in RAX
        mov     rdi, instructions_text
        jmp     print_result
print_exits:
        mov     rdi, exits_text
print_result:
        push    rsi
        mov     rsi, bench_text
        call    print
        pop     rsi
        push    rsi
        call    print
        mov     rsi, space_text
        call    print
        call    print_decimal
        mov     rsi, rdi
        call    print
        pop     rsi
        ret

; ---- What exits ----------------------------------------------------------------------------------

; An operation: its name, an instruction that prepares it and the one that exits. Its twin has a NOP
; in the place of that.
%macro OPERATION 3
%1:     %2
        %3
        ret
%1_twin:
        %2
        nop
        ret
%endmacro

        OPERATION cpuid_1,      {mov eax, 1},                   cpuid
        OPERATION cpuid_7,      {mov eax, 7},                   cpuid
        OPERATION vmcall_0,     {xor eax, eax},                 vmcall
        OPERATION read_msr,     {mov ecx, IA32_APIC_BASE},      rdmsr
        OPERATION write_msr,    {mov ecx, IA32_MISC_ENABLE},    wrmsr
        OPERATION out_80,       nop,                            {out DELAY_PORT, al}
        OPERATION in_status,    {mov edx, COM1_STATUS},         {in al, dx}
        OPERATION pm_timer,     {mov edx, PM_TIMER},            {in eax, dx}
        OPERATION read_mmio,    nop,                            {mov eax, [rsi]}
        OPERATION write_mmio,   nop,                            {mov [rsi], eax}
        OPERATION read_start,   nop,                            {mov eax, [rsi - MMIO_REGISTER]}

arm_timer:                              ; VMCALL function 1 by itself
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        mov     ecx, DISTANT
        vmcall
        ret
arm_timer_twin:
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        mov     ecx, DISTANT
        nop
        ret

halt:                                   ; HLT, woken at once. The twin arms the timer too.
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        xor     ecx, ecx
        vmcall
        sti
        hlt
        cli
        ret
halt_twin:
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        mov     ecx, DISTANT
        vmcall
        sti
        nop
        nop                             ; for the handler's one instruction
        cli
        ret

timer_handler:
        iretq

; ---- The local APIC, as MSRs ---------------------------------------------------------------------

open_apic:                              ; x2APIC mode, enabled, with the timer awaiting deadlines
        mov     eax, apic_handler
        mov     ecx, APIC_VECTOR
        call    set_gate
        mov     eax, timed_handler
        mov     ecx, TIMED_VECTOR
        call    set_gate
        mov     ecx, IA32_APIC_BASE
        rdmsr
        or      eax, APIC_BASE_ENABLED | APIC_BASE_EXTENDED
        wrmsr
        xor     edx, edx
        mov     ecx, X2APIC + (APIC_SVR >> 4)
        mov     eax, SVR_ENABLE | 0xFF
        wrmsr
        mov     ecx, X2APIC + (APIC_TIMER >> 4)
        mov     eax, LVT_DEADLINE | APIC_VECTOR
        wrmsr
        ret

apic_handler:                           ; three instructions and its return
        mov     ecx, X2APIC + (APIC_EOI >> 4)
        xor     eax, eax
        wrmsr
        iretq

; WRMSR of EDX:EAX, and the interrupt that it asks for, to its end. The twin has the handler's instructions.
%macro INTERRUPT_OPERATION 3
%1:     mov     ecx, %2
        mov     eax, %3
        xor     edx, edx
        sti
        nop
        wrmsr
        nop
        cli
        ret
%1_twin:
        mov     ecx, %2
        mov     eax, %3
        xor     edx, edx
        sti
        nop
        nop
        times 4 nop
        nop
        cli
        ret
%endmacro

        INTERRUPT_OPERATION self_ipi, X2APIC + (APIC_ICR >> 4), ICR_SELF | ICR_ASSERT | APIC_VECTOR
        INTERRUPT_OPERATION self_register, X2APIC + (APIC_SELF >> 4), APIC_VECTOR
        INTERRUPT_OPERATION deadline, IA32_TSC_DEADLINE, 1

; An end of interrupt, counted where it happens: in the handler of an interrupt to itself.
end_interrupt:
        mov     ecx, X2APIC + (APIC_SELF >> 4)
        mov     eax, TIMED_VECTOR
        xor     edx, edx
        wrmsr
        sti
        nop
        cli
        ret

timed_handler:
        rdtsc
        mov     ebx, eax
        mov     ecx, X2APIC + (APIC_EOI >> 4)
        xor     eax, eax
        xor     edx, edx
        wrmsr
        rdtsc
        sub     eax, ebx
        sub     eax, 6                  ; the handler's own, from RDTSC to RDTSC
        add     [timed], rax
        iretq

end_interrupt_alone:                    ; none is in service
        mov     ecx, X2APIC + (APIC_EOI >> 4)
        xor     eax, eax
        xor     edx, edx
        wrmsr
        ret

; ---- What does not -------------------------------------------------------------------------------

write_cr8:
        xor     eax, eax
        mov     cr8, rax
        ret

write_dr0:
        mov     dr0, rax
        ret

write_dr7:
        mov     eax, 0x400
        mov     dr7, rax
        ret

kernel_gs_base:
        mov     ecx, IA32_KERNEL_GS_BASE
        rdmsr
        wrmsr
        ret

toggle_wp:
        mov     rax, cr0
        xor     eax, CR0_WP
        mov     cr0, rax
        xor     eax, CR0_WP
        mov     cr0, rax
        ret

toggle_pge:
        mov     rax, cr4
        xor     eax, CR4_PGE
        mov     cr4, rax
        xor     eax, CR4_PGE
        mov     cr4, rax
        ret

load_cr3:
        mov     rax, cr3
        mov     cr3, rax
        ret

invalidate_page:
        invlpg  [abs WINDOW]
        ret

read_tsc:
        rdtsc
        ret

page_fault:
        EXPECT_FAULT .after
        mov     al, [abs WINDOW]
.after: ret

system_call:                            ; to user mode by SYSRET and back by SYSCALL, on this stack
        mov     ecx, .user
        mov     r11d, FLAGS_FIXED
        o64 sysret
.user:  syscall
syscall_handler:
        ret

touch_ram:                              ; reads and writes every page from 1 MiB up, changing nothing
        mov     edx, [multiboot_address]
        mov     edx, [rdx + multiboot.mem_upper]
        shr     edx, 2                  ; in pages
        mov     eax, IMAGE_BASE
.page:  lock or byte [rax], 0
        add     rax, 0x1000
        cmp     rax, WINDOW             ; no more is mapped
        jae     .end
        dec     edx
        jnz     .page
.end:   ret

%include "hypercalls.inc"
%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "option.inc"
%include "longmode.inc"

section .data
guest_name:             db "bench", 0
rounds_text:            db "rounds=", 0
bench_text:             db "bench ", 0
space_text:             db " ", 0
instructions_text:      db " instructions", 10, 0
exits_text:             db " exits", 10, 0
ram_text:               db "touch-ram", 0
preemption_text:        db "preemption-timer", 0

        align   8
costs:  dq      cpuid_1_text,       cpuid_1,    cpuid_1_twin
        dq      cpuid_7_text,       cpuid_7,    cpuid_7_twin
        dq      vmcall_0_text,      vmcall_0,   vmcall_0_twin
        dq      self_ipi_text,      self_ipi,   self_ipi_twin
        dq      self_text,          self_register, self_register_twin
        dq      deadline_text,      deadline,   deadline_twin
        dq      arm_timer_text,     arm_timer,  arm_timer_twin
        dq      read_msr_text,      read_msr,   read_msr_twin
        dq      write_msr_text,     write_msr,  write_msr_twin
        dq      out_80_text,        out_80,     out_80_twin
        dq      in_status_text,     in_status,  in_status_twin
        dq      pm_timer_text,      pm_timer,   pm_timer_twin
        dq      read_mmio_text,     read_mmio,  read_mmio_twin
        dq      write_mmio_text,    write_mmio, write_mmio_twin
        dq      read_start_text,    read_start, read_start_twin
        dq      halt_text,          halt,       halt_twin
costs_end:
free:   dq      end_text,           end_interrupt_alone
        dq      self_text,          self_register
        dq      write_cr8_text,     write_cr8
        dq      write_dr0_text,     write_dr0
        dq      write_dr7_text,     write_dr7
        dq      kernel_gs_text,     kernel_gs_base
        dq      toggle_wp_text,     toggle_wp
        dq      toggle_pge_text,    toggle_pge
        dq      load_cr3_text,      load_cr3
        dq      invalidate_text,    invalidate_page
        dq      read_tsc_text,      read_tsc
        dq      page_fault_text,    page_fault
        dq      system_call_text,   system_call
free_end:

cpuid_1_text:           db "cpuid-1", 0
cpuid_7_text:           db "cpuid-7", 0
vmcall_0_text:          db "vmcall-signature", 0
arm_timer_text:         db "vmcall-timer", 0
read_msr_text:          db "rdmsr-apic-base", 0
write_msr_text:         db "wrmsr-misc-enable", 0
out_80_text:            db "out-80", 0
in_status_text:         db "in-3fd", 0
read_mmio_text:         db "mmio-read", 0
write_mmio_text:        db "mmio-write", 0
read_start_text:        db "mmio-page-start", 0
pm_timer_text:          db "pm-timer", 0
end_text:               db "eoi-x2apic", 0
self_ipi_text:          db "self-ipi-icr", 0
self_text:              db "self-ipi", 0
deadline_text:          db "deadline-due", 0
halt_text:              db "hlt-timer-due", 0
write_cr8_text:         db "cr8-write", 0
write_dr0_text:         db "dr0-write", 0
write_dr7_text:         db "dr7-write", 0
kernel_gs_text:         db "kernel-gs-base", 0
toggle_wp_text:         db "cr0-wp-toggle", 0
toggle_pge_text:        db "cr4-pge-toggle", 0
load_cr3_text:          db "cr3-load", 0
invalidate_text:        db "invlpg", 0
read_tsc_text:          db "rdtsc", 0
page_fault_text:        db "page-fault", 0
system_call_text:       db "syscall-sysret", 0

section .bss
rounds:         resq 1
timed:          resq 1

        MULTIBOOT_END

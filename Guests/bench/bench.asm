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
PIC_COMMAND     equ 0x20
PIC_DATA        equ 0x21
PIT_COUNTER0    equ 0x40
PIT_CONTROL     equ 0x43
KEYBOARD_DATA   equ 0x60
SPEAKER_PORT    equ 0x61
KEYBOARD_STATUS equ 0x64
RTC_INDEX       equ 0x70
RTC_DATA        equ 0x71
PM_CONTROL      equ 0x604
PM_TIMER        equ 0x608
PCI_DATA        equ 0xCFC
IA32_TSC_ADJUST         equ 0x3B
IA32_MTRRCAP            equ 0xFE
IA32_MCG_CAP            equ 0x179
IA32_MCG_STATUS         equ 0x17A
IA32_MTRR_PHYSMASK7     equ 0x20F
IA32_MTRR_FIX4K_F8000   equ 0x26F
IA32_MTRR_DEF_TYPE      equ 0x2FF
IA32_MC9_CTL            equ 0x424
TIMER_VECTOR    equ 0x60
APIC_VECTOR     equ 0x61
TIMED_VECTOR    equ 0x62
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
        call    read_time
        mov     r14, rax
        mov     ecx, SPIN / 2
.spin:  dec     ecx
        jnz     .spin
        call    read_time
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
        call    read_time
        mov     r14, rax
        mov     esi, ABSENT_MEMORY + MMIO_REGISTER
        mov     ecx, IA32_MISC_ENABLE
        rdmsr
.round: xor     ecx, ecx
        call    r15
        dec     r12
        jnz     .round
        call    read_time
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

; An operation: its name, the instruction that exits, and those that prepare it. Its twin has a NOP in place of the one
; that exits.
%macro OPERATION 3-*
%1:
%assign %%count %0 - 2
%rep %%count
%rotate 1
        %2
%endrep
%rotate -%%count
        %2
        ret
%1_twin:
%rep %%count
%rotate 1
        %2
%endrep
        nop
        ret
%endmacro

        OPERATION cpuid_1, cpuid, {mov eax, 1}
        OPERATION cpuid_7, cpuid, {mov eax, 7}
        OPERATION cpuid_4, cpuid, {mov eax, 4}, {mov ecx, 3}
        OPERATION cpuid_b, cpuid, {mov eax, 0xB}, {mov ecx, 1}
        OPERATION cpuid_d, cpuid, {mov eax, 0xD}
        OPERATION cpuid_d_2, cpuid, {mov eax, 0xD}, {mov ecx, 2}
        OPERATION cpuid_d_63, cpuid, {mov eax, 0xD}, {mov ecx, 63}
        OPERATION cpuid_hypervisor, cpuid, {mov eax, HYPERVISOR_LEAF}
        OPERATION cpuid_width, cpuid, {mov eax, 0x80000008}
        OPERATION cpuid_beyond, cpuid, {mov eax, 0x12345678}
        OPERATION vmcall_0, vmcall, {xor eax, eax}
        OPERATION read_msr, rdmsr, {mov ecx, IA32_APIC_BASE}
        OPERATION read_adjust, rdmsr, {mov ecx, IA32_TSC_ADJUST}
        OPERATION read_misc, rdmsr, {mov ecx, IA32_MISC_ENABLE}
        OPERATION read_mtrr_cap, rdmsr, {mov ecx, IA32_MTRRCAP}
        OPERATION read_mtrr_mask, rdmsr, {mov ecx, IA32_MTRR_PHYSMASK7}
        OPERATION read_mtrr_fixed, rdmsr, {mov ecx, IA32_MTRR_FIX4K_F8000}
        OPERATION read_mtrr_type, rdmsr, {mov ecx, IA32_MTRR_DEF_TYPE}
        OPERATION read_mcg_cap, rdmsr, {mov ecx, IA32_MCG_CAP}
        OPERATION read_mc_control, rdmsr, {mov ecx, IA32_MC9_CTL}
        OPERATION write_msr, wrmsr, {mov ecx, IA32_MISC_ENABLE}
        OPERATION write_mtrr_mask, wrmsr, {mov ecx, IA32_MTRR_PHYSMASK7}, {xor edx, edx}, {xor eax, eax}
        OPERATION write_mtrr_fixed, wrmsr, {mov ecx, IA32_MTRR_FIX4K_F8000}, {mov edx, 0x05050505}, {mov eax, edx}
        OPERATION write_mcg_status, wrmsr, {mov ecx, IA32_MCG_STATUS}, {xor edx, edx}, {xor eax, eax}
        OPERATION write_mc_control, wrmsr, {mov ecx, IA32_MC9_CTL}, {xor edx, edx}, {xor eax, eax}
        OPERATION out_80, {out DELAY_PORT, al}, nop
        OPERATION in_80, {in al, DELAY_PORT}, nop
        OPERATION in_controller, {in al, PIC_DATA}, nop
        OPERATION out_controller, {out PIC_DATA, al}, {mov al, 0xFF}
        OPERATION end_controller, {out PIC_COMMAND, al}, {mov al, 0x20}
        OPERATION in_timer, {in al, PIT_COUNTER0}, nop
        OPERATION latch_timer, {out PIT_CONTROL, al}, {xor eax, eax}
        OPERATION in_speaker, {in al, SPEAKER_PORT}, nop
        OPERATION out_speaker, {out SPEAKER_PORT, al}, {xor eax, eax}
        OPERATION in_keyboard, {in al, KEYBOARD_STATUS}, nop
        OPERATION in_key, {in al, KEYBOARD_DATA}, nop
        OPERATION index_clock, {out RTC_INDEX, al}, {xor eax, eax}
        OPERATION in_clock, {in al, RTC_DATA}, nop
        OPERATION in_status, {in al, dx}, {mov edx, COM1_STATUS}
        OPERATION in_scratch, {in al, dx}, {mov edx, COM1_SCRATCH}
        OPERATION out_scratch, {out dx, al}, {mov edx, COM1_SCRATCH}
        OPERATION in_configuration, {in al, dx}, {mov edx, PCI_DATA}
        OPERATION out_configuration, {out dx, al}, {mov edx, PCI_DATA}
        OPERATION in_power, {in al, dx}, {mov edx, PM_CONTROL}
        OPERATION pm_timer, {in eax, dx}, {mov edx, PM_TIMER}
        OPERATION in_absent, {in al, dx}, {mov edx, ABSENT_PORT}
        OPERATION out_absent, {out dx, al}, {mov edx, ABSENT_PORT}
        OPERATION read_mmio, {mov eax, [rsi]}, nop
        OPERATION write_mmio, {mov [rsi], eax}, nop
        OPERATION read_start, {mov eax, [rsi - MMIO_REGISTER]}, nop

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

clear_et:                               ; which stays set
        mov     rax, cr0
        and     eax, ~CR0_ET
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
%include "time.inc"
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
costs:
        dq      cpuid_1_text, cpuid_1, cpuid_1_twin
        dq      cpuid_7_text, cpuid_7, cpuid_7_twin
        dq      cpuid_4_text, cpuid_4, cpuid_4_twin
        dq      cpuid_b_text, cpuid_b, cpuid_b_twin
        dq      cpuid_d_text, cpuid_d, cpuid_d_twin
        dq      cpuid_d_2_text, cpuid_d_2, cpuid_d_2_twin
        dq      cpuid_d_63_text, cpuid_d_63, cpuid_d_63_twin
        dq      cpuid_hypervisor_text, cpuid_hypervisor, cpuid_hypervisor_twin
        dq      cpuid_width_text, cpuid_width, cpuid_width_twin
        dq      cpuid_beyond_text, cpuid_beyond, cpuid_beyond_twin
        dq      vmcall_0_text, vmcall_0, vmcall_0_twin
        dq      self_ipi_text,      self_ipi,   self_ipi_twin
        dq      self_text,          self_register, self_register_twin
        dq      deadline_text,      deadline,   deadline_twin
        dq      arm_timer_text,     arm_timer,  arm_timer_twin
        dq      read_msr_text, read_msr, read_msr_twin
        dq      read_adjust_text, read_adjust, read_adjust_twin
        dq      read_misc_text, read_misc, read_misc_twin
        dq      read_mtrr_cap_text, read_mtrr_cap, read_mtrr_cap_twin
        dq      read_mtrr_mask_text, read_mtrr_mask, read_mtrr_mask_twin
        dq      read_mtrr_fixed_text, read_mtrr_fixed, read_mtrr_fixed_twin
        dq      read_mtrr_type_text, read_mtrr_type, read_mtrr_type_twin
        dq      read_mcg_cap_text, read_mcg_cap, read_mcg_cap_twin
        dq      read_mc_control_text, read_mc_control, read_mc_control_twin
        dq      write_msr_text, write_msr, write_msr_twin
        dq      write_mtrr_mask_text, write_mtrr_mask, write_mtrr_mask_twin
        dq      write_mtrr_fixed_text, write_mtrr_fixed, write_mtrr_fixed_twin
        dq      write_mcg_status_text, write_mcg_status, write_mcg_status_twin
        dq      write_mc_control_text, write_mc_control, write_mc_control_twin
        dq      out_80_text, out_80, out_80_twin
        dq      in_80_text, in_80, in_80_twin
        dq      in_controller_text, in_controller, in_controller_twin
        dq      out_controller_text, out_controller, out_controller_twin
        dq      end_controller_text, end_controller, end_controller_twin
        dq      in_timer_text, in_timer, in_timer_twin
        dq      latch_timer_text, latch_timer, latch_timer_twin
        dq      in_speaker_text, in_speaker, in_speaker_twin
        dq      out_speaker_text, out_speaker, out_speaker_twin
        dq      in_keyboard_text, in_keyboard, in_keyboard_twin
        dq      in_key_text, in_key, in_key_twin
        dq      index_clock_text, index_clock, index_clock_twin
        dq      in_clock_text, in_clock, in_clock_twin
        dq      in_status_text, in_status, in_status_twin
        dq      in_scratch_text, in_scratch, in_scratch_twin
        dq      out_scratch_text, out_scratch, out_scratch_twin
        dq      in_configuration_text, in_configuration, in_configuration_twin
        dq      out_configuration_text, out_configuration, out_configuration_twin
        dq      in_power_text, in_power, in_power_twin
        dq      pm_timer_text, pm_timer, pm_timer_twin
        dq      in_absent_text, in_absent, in_absent_twin
        dq      out_absent_text, out_absent, out_absent_twin
        dq      read_mmio_text, read_mmio, read_mmio_twin
        dq      write_mmio_text, write_mmio, write_mmio_twin
        dq      read_start_text, read_start, read_start_twin
        dq      halt_text,          halt,       halt_twin
costs_end:
free:   dq      end_text,           end_interrupt_alone
        dq      self_text,          self_register
        dq      write_cr8_text,     write_cr8
        dq      write_dr0_text,     write_dr0
        dq      write_dr7_text,     write_dr7
        dq      kernel_gs_text,     kernel_gs_base
        dq      toggle_wp_text,     toggle_wp
        dq      clear_et_text,      clear_et
        dq      toggle_pge_text,    toggle_pge
        dq      load_cr3_text,      load_cr3
        dq      invalidate_text,    invalidate_page
        dq      read_tsc_text,      read_tsc
        dq      page_fault_text,    page_fault
        dq      system_call_text,   system_call
free_end:

cpuid_1_text:           db "cpuid-1", 0
cpuid_7_text:           db "cpuid-7", 0
cpuid_4_text:           db "cpuid-4-3", 0
cpuid_b_text:           db "cpuid-b-1", 0
cpuid_d_text:           db "cpuid-d-0", 0
cpuid_d_2_text:         db "cpuid-d-2", 0
cpuid_d_63_text:        db "cpuid-d-63", 0
cpuid_hypervisor_text:  db "cpuid-40000000", 0
cpuid_width_text:       db "cpuid-80000008", 0
cpuid_beyond_text:      db "cpuid-beyond", 0
vmcall_0_text:          db "vmcall-signature", 0
read_msr_text:          db "rdmsr-apic-base", 0
read_adjust_text:       db "rdmsr-tsc-adjust", 0
read_misc_text:         db "rdmsr-misc-enable", 0
read_mtrr_cap_text:     db "rdmsr-mtrrcap", 0
read_mtrr_mask_text:    db "rdmsr-mtrr-mask7", 0
read_mtrr_fixed_text:   db "rdmsr-mtrr-fix4k", 0
read_mtrr_type_text:    db "rdmsr-mtrr-type", 0
read_mcg_cap_text:      db "rdmsr-mcg-cap", 0
read_mc_control_text:   db "rdmsr-mc9-ctl", 0
write_msr_text:         db "wrmsr-misc-enable", 0
write_mtrr_mask_text:   db "wrmsr-mtrr-mask7", 0
write_mtrr_fixed_text:  db "wrmsr-mtrr-fix4k", 0
write_mcg_status_text:  db "wrmsr-mcg-status", 0
write_mc_control_text:  db "wrmsr-mc9-ctl", 0
out_80_text:            db "out-80", 0
in_80_text:             db "in-80", 0
in_controller_text:     db "in-21", 0
out_controller_text:    db "out-21", 0
end_controller_text:    db "out-20", 0
in_timer_text:          db "in-40", 0
latch_timer_text:       db "out-43", 0
in_speaker_text:        db "in-61", 0
out_speaker_text:       db "out-61", 0
in_keyboard_text:       db "in-64", 0
in_key_text:            db "in-60", 0
index_clock_text:       db "out-70", 0
in_clock_text:          db "in-71", 0
in_status_text:         db "in-3fd", 0
in_scratch_text:        db "in-3ff", 0
out_scratch_text:       db "out-3ff", 0
in_configuration_text:  db "in-cfc", 0
out_configuration_text: db "out-cfc", 0
in_power_text:          db "in-604", 0
pm_timer_text:          db "pm-timer", 0
in_absent_text:         db "in-absent", 0
out_absent_text:        db "out-absent", 0
read_mmio_text:         db "mmio-read", 0
write_mmio_text:        db "mmio-write", 0
read_start_text:        db "mmio-page-start", 0
arm_timer_text:         db "vmcall-timer", 0
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
clear_et_text:          db "cr0-et-clear", 0
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

; Shows: that the rules a guest can see are kept at an exit: registers, flags, interrupt shadows,
; single steps, faults in the middle of an instruction, wrong values refused without a change.
;
; Prints a line for every rule; ends with the number of broken ones.

        org     0x100000
        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

TIMER_VECTOR    equ 0x60
RETURN_VECTOR   equ 0x61                ; how user mode comes back
DR6_BS          equ 1 << 14             ; the debug exception is a single step
DR6_CLEAR       equ 0xFFFF0FF0
GATE_RIGHTS     equ 5                   ; offset in a gate
NP_VECTOR       equ 11
COMPATIBILITY_SELECTOR equ 0x18         ; a free place in the descriptor table
LOWER_HALF_END  equ 1 << 47
NO_MARTLET      equ 127                 ; the value this ends with under anything else

        MULTIBOOT_HEADER

main:
        mov     eax, timer_handler
        mov     ecx, TIMER_VECTOR
        call    set_gate
        mov     eax, step_handler
        mov     ecx, DB_VECTOR
        call    set_gate
        mov     eax, back_from_user
        mov     ecx, RETURN_VECTOR
        call    set_gate
        or      byte [idt + 16 * RETURN_VECTOR + GATE_RIGHTS], 3 << 5   ; open to user mode
        call    find_martlet
        je      .begin
        mov     esi, stranger_text
        call    print
        mov     eax, NO_MARTLET
        jmp     end_run

.begin: mov     qword [rule], rules
next_rule:
        mov     rbx, [rule]
        cmp     rbx, rules_end
        jae     end_of_rules
        mov     esp, stack_top
        call    [rbx]                   ; comes back, or jumps to `failed`
        mov     esi, ok_text
        jmp     report

failed: mov     esp, stack_top
        inc     dword [broken]
        mov     esi, failed_text

report: mov     rbx, [rule]
        push    rsi
        mov     rsi, [rbx + 8]
        call    print
        pop     rsi
        call    print
        add     qword [rule], 16
        cli
        mov     qword [resume_at], 0
        mov     ebx, 0                  ; no timer is left armed
        call    arm
        jmp     next_rule

end_of_rules:
        mov     eax, [broken]
        call    print_decimal
        mov     esi, broken_text
        mov     edi, one_broken_text
        cmp     dword [broken], 1
        cmove   esi, edi
        call    print
        jmp     end_run

; ---- Registers -----------------------------------------------------------------------------------

rule_cpuid_clears_upper_halves:
        mov     rdi, 0xFFFFFFFF00000000
        mov     eax, 1
        call    .leaf
        mov     eax, 7
        call    .leaf
        mov     eax, HYPERVISOR_LEAF
        call    .leaf
        mov     eax, 0x80000001
        call    .leaf
        mov     eax, 0x0BADBAD0         ; far above the last basic leaf
.leaf:  or      rax, rdi
        mov     rbx, rdi
        mov     rcx, rdi
        mov     rdx, rdi
        cpuid
        or      rax, rbx
        or      rax, rcx
        or      rax, rdx
        shr     rax, 32
        jnz     failed
        ret

rule_exits_keep_registers:              ; those that the instruction does not write, and the flags
        mov     rax, cr4
        or      eax, CR4_OSFXSR
        mov     cr4, rax
        mov     rsi, 0x0123456789ABCDEF
        mov     rdi, rsi
        mov     rbp, rsi
        mov     r8, rsi
        mov     r9, rsi
        mov     r10, rsi
        mov     r11, rsi
        mov     r12, rsi
        mov     r13, rsi
        mov     r14, rsi
        mov     r15, rsi
        movq    xmm0, rsi
        movq    xmm15, rsi
        mov     cr2, rsi
        mov     eax, 5
        mov     cr8, rax
        mov     eax, 1
        stc
        cpuid
        jnc     failed
        mov     eax, 0x1000             ; an unknown function
        mov     rbx, rsi
        mov     rcx, rsi
        mov     rdx, rsi
        vmcall
        out     DELAY_PORT, al
        jnc     failed
        mov     rax, cr8
        cmp     eax, 5
        jne     failed
        xor     eax, eax
        mov     cr8, rax
        mov     rax, rbx
        and     rax, rcx
        and     rax, rdx
        and     rax, rdi
        and     rax, rbp
        and     rax, r8
        and     rax, r9
        and     rax, r10
        and     rax, r11
        and     rax, r12
        and     rax, r13
        and     rax, r14
        and     rax, r15
        cmp     rax, rsi
        jne     failed
        or      rax, rbx
        or      rax, rcx
        or      rax, rdx
        or      rax, rdi
        or      rax, rbp
        or      rax, r8
        or      rax, r9
        or      rax, r10
        or      rax, r11
        or      rax, r12
        or      rax, r13
        or      rax, r14
        or      rax, r15
        cmp     rax, rsi
        jne     failed
        movq    rax, xmm0
        cmp     rax, rsi
        jne     failed
        movq    rax, xmm15
        cmp     rax, rsi
        jne     failed
        mov     rax, cr2
        cmp     rax, rsi
        jne     failed
        ret

rule_in_writes_its_width:
        mov     edx, ABSENT_PORT
        mov     rbx, 0x123456789ABCDEF0
        mov     rax, rbx
        out     dx, al
        out     dx, ax
        out     dx, eax
        cmp     rax, rbx
        jne     failed
        in      al, dx
        mov     rcx, 0x123456789ABCDEFF
        cmp     rax, rcx
        jne     failed
        mov     rax, rbx
        in      ax, dx
        mov     rcx, 0x123456789ABCFFFF
        cmp     rax, rcx
        jne     failed
        mov     rax, rbx
        in      eax, dx
        mov     ecx, 0xFFFFFFFF
        cmp     rax, rcx
        jne     failed
        ret

rule_mmio_writes_its_width:
        mov     esi, ABSENT_MEMORY
        mov     rbx, 0x123456789ABCDE00
        mov     rax, rbx
        mov     ah, [rsi + 1]           ; bits 15:8, and those only
        mov     rcx, 0x123456789ABCFF00
        cmp     rax, rcx
        jne     failed
        mov     rbp, rbx
        mov     bpl, [rsi]
        mov     rcx, 0x123456789ABCDEFF
        cmp     rbp, rcx
        jne     failed
        mov     r15, rbx
        mov     r15w, [rsi]
        mov     rcx, 0x123456789ABCFFFF
        cmp     r15, rcx
        jne     failed
        mov     r15d, [rsi]
        mov     ecx, 0xFFFFFFFF
        cmp     r15, rcx
        jne     failed
        movzx   edi, byte [rsi]
        cmp     rdi, 0xFF
        jne     failed
        movsx   r8d, word [rsi]
        cmp     r8, rcx
        jne     failed
        movsx   r8, word [rsi]
        cmp     r8, -1
        jne     failed
        mov     r9, [rsi + 0xFFC]       ; unaligned, over the boundary of two absent pages
        cmp     r9, -1
        jne     failed
        ret

; ---- Single steps --------------------------------------------------------------------------------

; With TF set, one instruction is followed by a debug exception right after it.
%macro STEP_OVER 1+
        mov     dword [steps], 0
        pushfq
        or      dword [rsp], FLAGS_TF
        popfq
        %1
%%after:
        cmp     dword [steps], 1
        jne     failed
        cmp     qword [step_address], %%after
        jne     failed
        test    dword [step_dr6], DR6_BS
        jz      failed
%endmacro

rule_step_over_nop:                     ; done by the processor alone: tests the test
        STEP_OVER nop
        ret

rule_step_over_cpuid:
        xor     eax, eax
        STEP_OVER cpuid
        ret

rule_step_over_out:
        STEP_OVER out DELAY_PORT, al
        ret

rule_step_over_in:
        mov     edx, ABSENT_PORT
        STEP_OVER in eax, dx
        ret

rule_step_over_rdmsr:
        mov     ecx, IA32_APIC_BASE
        STEP_OVER rdmsr
        ret

rule_step_over_vmcall:
        mov     eax, HYPERCALL_SIGNATURE
        STEP_OVER vmcall
        ret

rule_step_over_cr0_write:
        mov     rax, cr0
        xor     eax, CR0_NE
        STEP_OVER mov cr0, rax
        xor     eax, CR0_NE
        STEP_OVER mov cr0, rax
        ret

rule_step_over_mmio:
        mov     esi, ABSENT_MEMORY
        STEP_OVER mov eax, [rsi]
        STEP_OVER mov [rsi], eax
        ret

rule_step_after_mov_ss:                 ; not after MOV SS: after the instruction that follows it
        mov     dword [steps], 0
        mov     esi, ss
        xor     eax, eax
        pushfq
        or      dword [rsp], FLAGS_TF
        popfq
        mov     ss, esi
        cpuid
.after: cmp     dword [steps], 1
        jne     failed
        cmp     qword [step_address], .after
        jne     failed
        ret

step_handler:
        inc     dword [steps]
        push    rax
        mov     rax, [rsp + 8]
        mov     [step_address], rax
        mov     rax, dr6
        mov     [step_dr6], eax
        mov     eax, DR6_CLEAR
        mov     dr6, rax
        and     dword [rsp + 24], ~FLAGS_TF
        pop     rax
        iretq

; ---- Interrupts ----------------------------------------------------------------------------------

; The one timer interrupt so far was taken at an address.
%macro TAKEN_AT 1
        cli
        cmp     dword [timer_interrupts], 1
        jne     failed
        cmp     qword [timer_address], %1
        jne     failed
%endmacro

; Arms the timer for ECX ticks from now; EBX is the vector.
arm:    mov     dword [timer_interrupts], 0
        mov     eax, HYPERCALL_TIMER
        vmcall
        ret

arm_due:                                ; the timer is due at once
        mov     ebx, TIMER_VECTOR
        xor     ecx, ecx
        call    arm
        test    rax, rax
        jnz     failed
        ret

timer_handler:
        inc     dword [timer_interrupts]
        push    qword [rsp]
        pop     qword [timer_address]
        iretq

rule_interrupt_waits_for_if:
        call    arm_due
        mov     esi, 1000
.wait:  xor     eax, eax
        cpuid
        dec     esi
        jnz     .wait
        cmp     dword [timer_interrupts], 0
        jne     failed
        sti
        nop                             ; in the shadow of STI
.after: TAKEN_AT .after
        ret

rule_sti_shadow_ends_with_cpuid:
        call    arm_due
        xor     eax, eax
        sti
        cpuid
.after: TAKEN_AT .after
        ret

rule_sti_shadow_ends_with_vmcall:       ; which makes the interrupt due
        mov     dword [timer_interrupts], 0
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        xor     ecx, ecx
        sti
        vmcall
.after: TAKEN_AT .after
        ret

rule_mov_ss_shadow_ends_with_vmcall:
        mov     dword [timer_interrupts], 0
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        xor     ecx, ecx
        mov     edx, ss
        sti
        nop
        mov     ss, edx
        vmcall
.after: TAKEN_AT .after
        ret

rule_sti_shadow_ends_with_mmio:
        call    arm_due
        mov     esi, ABSENT_MEMORY
        sti
        mov     eax, [rsi]
.after: TAKEN_AT .after
        ret

rule_halt_with_interrupt_due:
        call    arm_due
        sti
        hlt
.after: TAKEN_AT .after
        ret

rule_halt_until_interrupt:
        mov     ebx, TIMER_VECTOR
        mov     ecx, 100000
        call    arm
        rdtsc
        mov     ebp, eax
        sti
        hlt
.after: TAKEN_AT .after
        rdtsc
        sub     eax, ebp
        cmp     eax, 50000              ; it did wait
        jb      failed
        ret

rule_interrupt_without_exits:           ; of a guest that only runs
        mov     ebx, TIMER_VECTOR
        mov     ecx, 50000
        call    arm
        mov     ecx, 10000000
        sti
.wait:  cmp     dword [timer_interrupts], 0
        jne     .taken
        dec     ecx
        jnz     .wait
        jmp     failed
.taken: cli
        ret

rule_interrupt_on_fresh_stack:          ; at the end of RAM, which was never touched before
        mov     esi, [multiboot_address]
        mov     esi, [rsi + multiboot.mem_upper]
        shl     rsi, 10
        add     rsi, IMAGE_BASE
        and     rsi, -16
        mov     rbp, [interrupt_stack_pointer]
        mov     [interrupt_stack_pointer], rsi
        mov     byte [idt + 16 * TIMER_VECTOR + GATE_STACK], 1
        call    arm_due
        sti
        nop
.after: mov     [interrupt_stack_pointer], rbp
        mov     byte [idt + 16 * TIMER_VECTOR + GATE_STACK], 0
        TAKEN_AT .after
        cmp     qword [rsi - 40], .after        ; where the interrupt went, on that stack
        jne     failed
        ret

rule_timer_disarmed:
        mov     ebx, TIMER_VECTOR
        mov     ecx, 5000
        call    arm
        mov     ebx, 0
        call    arm
        mov     ecx, 20000
        sti
.wait:  dec     ecx
        jnz     .wait
        cli
        cmp     dword [timer_interrupts], 0
        jne     failed
        ret

rule_vmcall_refuses:                    ; vectors below 32 and above 255
        mov     ecx, 1000
        mov     ebx, 31
        call    arm
        cmp     rax, -1
        jne     failed
        mov     ebx, 256
        call    arm
        cmp     rax, -1
        jne     failed
        mov     rax, -2                 ; an unknown function
        vmcall
        cmp     rax, -1
        jne     failed
        ret

; ---- User mode -----------------------------------------------------------------------------------

; Goes to the address in RSI in user mode, with interrupts off; comes back to its caller when that
; raises RETURN_VECTOR, with RAX to RDX as they were there.
call_in_user_mode:
        mov     [caller_stack], rsp
        push    USER_DATA
        push    user_stack_top
        push    FLAGS_FIXED
        push    USER_CODE
        push    rsi
        iretq
back_from_user:
        mov     rsp, [caller_stack]
        ret

rule_vmcall_in_user_mode:               ; may ask, may not arm the timer
        mov     esi, .ask
        call    call_in_user_mode
        mov     rbx, MARTLET_64
        cmp     rax, rbx
        jne     failed
        mov     esi, .arm
        call    call_in_user_mode
        cmp     rax, -1
        jne     failed
        ret
.ask:   mov     eax, HYPERCALL_SIGNATURE
        vmcall
        int     RETURN_VECTOR
.arm:   mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        mov     ecx, 1000
        vmcall
        int     RETURN_VECTOR

; The upper halves of registers that 64-bit code left do not count.
rule_vmcall_in_32_bit_code:
        mov     rax, 0x00CF9B000000FFFF ; the free place in the table: 32-bit code
        mov     [gdt + COMPATIBILITY_SELECTOR], rax
        mov     rax, 0xABCD000000000000 + HYPERCALL_LEAVE
        mov     rbx, 0xFEDC000012345678
        mov     ecx, .narrow
        push    COMPATIBILITY_SELECTOR
        push    rcx
        retfq
        bits    32
.narrow:
        mov     ecx, DATA_SELECTOR
        mov     ds, ecx
        vmcall
        mov     [scratch], eax
        jmp     CODE_SELECTOR:.wide
        bits    64
.wide:  mov     qword [gdt + COMPATIBILITY_SELECTOR], 0
        cmp     dword [scratch], 0
        jne     failed
        mov     eax, HYPERCALL_NOTE
        vmcall
        cmp     rax, 0x12345678
        jne     failed
        ret

; An instruction that exits is the last below the end of the lower half: what follows it faults, in the guest.
rule_last_of_the_lower_half:
        mov     dword [root + 255 * 8], low_pointers + PRESENT + WRITABLE
        mov     dword [low_pointers + 511 * 8], low_directory + PRESENT + WRITABLE
        mov     dword [low_directory + 511 * 8], low_table + PRESENT + WRITABLE
        mov     dword [low_table + 511 * 8], last_page + PRESENT + WRITABLE
        mov     word [last_page + SMALL_PAGE - 2], 0xA20F       ; CPUID
        EXPECT_FAULT .after
        mov     rax, LOWER_HALF_END - 2
        jmp     rax
.after: mov     rax, LOWER_HALF_END
        cmp     [fault_ip], rax
        jne     failed
        cmp     qword [fault_vector], GP_VECTOR
        jne     failed
        ; With a single step the trap comes at the same place, where its handler cannot return to.
        mov     [caller_stack], rsp
        mov     rcx, rsp
        EXPECT_FAULT .stepped
        mov     rax, LOWER_HALF_END - 2
        push    DATA_SELECTOR
        push    rcx
        push    FLAGS_FIXED | FLAGS_TF
        push    CODE_SELECTOR
        push    rax
        iretq
.stepped:
        mov     rsp, [caller_stack]
        mov     rax, LOWER_HALF_END
        cmp     [step_address], rax
        jne     failed
        cmp     qword [fault_vector], GP_VECTOR
        jne     failed
        ret

rule_user_mode_has_no_privilege:        ; the fault comes before the exit
        mov     esi, .out
        call    .faults
        mov     esi, .halt
        call    .faults
        mov     esi, .wbinvd
        call    .faults
        mov     esi, .read
        call    .faults
        mov     esi, .write
.faults:
        EXPECT_FAULT .after             ; still in user mode, as the handler returns
        mov     qword [fault_vector], -1
        call    call_in_user_mode
        cmp     qword [fault_vector], GP_VECTOR
        jne     failed
        cmp     [fault_ip], rsi         ; at the instruction itself
        jne     failed
        ret
.out:   out     DELAY_PORT, al
        jmp     .after
.halt:  hlt
        jmp     .after
.wbinvd:
        wbinvd
        jmp     .after
.read:  mov     rax, cr0
        jmp     .after
.write: mov     cr8, rax
.after: int     RETURN_VECTOR

; ---- Wrong values --------------------------------------------------------------------------------

; Writing RAX to a register faults, and the register keeps its value.
%macro REFUSED 1
        mov     rbp, %1
        EXPECT_FAULT %%refused
        mov     %1, rax
        mov     %1, rbp
        jmp     failed
%%refused:
        cmp     qword [fault_vector], GP_VECTOR
        jne     failed
        cmp     qword [fault_error], 0
        jne     failed
        mov     rax, %1
        cmp     rax, rbp
        jne     failed
%endmacro

; One instruction faults with a vector.
%macro FAULTS 2+
        EXPECT_FAULT %%faulted
        %2
        jmp     failed
%%faulted:
        cmp     qword [fault_vector], %1
        jne     failed
%endmacro

rule_cr0_refuses:
        mov     rax, cr0
        and     eax, ~CR0_PE            ; paging without protection
        REFUSED cr0
        mov     rax, cr0
        and     eax, ~CR0_CD
        or      eax, CR0_NW             ; not write-through with the caches on
        REFUSED cr0
        mov     rax, cr0
        bts     rax, 32                 ; the upper half is reserved
        REFUSED cr0
        mov     rax, cr0
        and     eax, ~CR0_PG            ; no way out of 64-bit code
        REFUSED cr0
        ret

rule_cr0_reads_as_written:
        mov     rbp, cr0
        mov     ecx, CR0_NE
        call    .toggle
        mov     ecx, CR0_CD
        call    .toggle
        mov     ecx, CR0_CD | CR0_NW
        call    .toggle
        mov     ecx, CR0_WP | CR0_TS | CR0_MP | CR0_AM
        call    .toggle
        mov     ecx, CR0_EM
.toggle:
        mov     rax, rbp
        xor     rax, rcx
        mov     cr0, rax
        mov     rdx, cr0
        mov     cr0, rbp
        cmp     rax, rdx
        jne     failed
        mov     rdx, cr0
        cmp     rdx, rbp
        jne     failed
        ret

rule_lmsw_keeps_pe:                     ; LMSW can set PE, and not clear it
        mov     rbp, cr0
        mov     eax, CR0_MP
        lmsw    ax
        mov     rbx, cr0
        mov     cr0, rbp
        test    bl, CR0_PE
        jz      failed
        test    bl, CR0_MP
        jz      failed
        ret

rule_cr4_refuses:
        mov     rax, cr4
        and     eax, ~CR4_PAE           ; 64-bit mode needs it
        REFUSED cr4
        mov     rax, cr4
        bts     rax, 15                 ; reserved
        REFUSED cr4
        mov     rax, cr4
        bts     rax, 63                 ; reserved
        REFUSED cr4
        mov     eax, 1
        cpuid
        mov     esi, ecx
        bt      esi, 5                  ; VMX is not offered
        jc      .vmx
        mov     rax, cr4
        or      eax, CR4_VMXE
        REFUSED cr4
.vmx:   bt      esi, 26                 ; XSAVE
        jc      .xsave
        mov     rax, cr4
        or      eax, CR4_OSXSAVE
        REFUSED cr4
.xsave: ret

rule_cr3_and_cr8_refuse:
        mov     rax, cr3
        bts     rax, 62
        REFUSED cr3
        mov     eax, 16
        REFUSED cr8
        ret

rule_xcr0_refuses:
        mov     eax, 1
        cpuid
        bt      ecx, 26                 ; XSAVE
        jnc     .none
        FAULTS  UD_VECTOR, xgetbv       ; not before CR4.OSXSAVE
        mov     rax, cr4
        or      eax, CR4_OSXSAVE
        mov     cr4, rax
        xor     ecx, ecx
        xgetbv
        mov     ebp, eax
        xor     edx, edx
        xor     eax, eax                ; x87 cannot be off
        FAULTS  GP_VECTOR, xsetbv
        mov     eax, 5                  ; AVX without SSE
        FAULTS  GP_VECTOR, xsetbv
        mov     eax, 3
        mov     edx, 1 << 30            ; no such state
        FAULTS  GP_VECTOR, xsetbv
        xor     edx, edx
        mov     eax, 3
        mov     ecx, 1                  ; no such register
        FAULTS  GP_VECTOR, xsetbv
        xor     ecx, ecx
        xgetbv
        cmp     eax, ebp
        jne     failed
        mov     rax, cr4
        and     eax, ~CR4_OSXSAVE
        mov     cr4, rax
.none:  ret

rule_efer_refuses:
        mov     ecx, IA32_EFER
        rdmsr
        mov     ebp, eax
        and     eax, ~EFER_LME          ; not while paging is on
        FAULTS  GP_VECTOR, wrmsr
        mov     eax, ebp
        or      eax, 1 << 1             ; reserved
        FAULTS  GP_VECTOR, wrmsr
        mov     eax, ebp
        mov     edx, 1
        FAULTS  GP_VECTOR, wrmsr
        rdmsr
        cmp     eax, ebp
        jne     failed
        ret

rule_msrs_refuse:
        mov     ecx, UNKNOWN_MSR
        FAULTS  GP_VECTOR, rdmsr
        xor     eax, eax
        xor     edx, edx
        FAULTS  GP_VECTOR, wrmsr
        mov     ecx, 0xC0012345         ; in the other half of the MSR bitmaps
        FAULTS  GP_VECTOR, rdmsr
        mov     ecx, -1                 ; in neither
        FAULTS  GP_VECTOR, rdmsr
        FAULTS  GP_VECTOR, wrmsr
        mov     ecx, IA32_FS_BASE
        mov     edx, 0x12345678         ; not canonical
        FAULTS  GP_VECTOR, wrmsr
        mov     ecx, IA32_LSTAR
        FAULTS  GP_VECTOR, wrmsr
        mov     ecx, IA32_PAT
        mov     eax, 2                  ; no such memory type
        xor     edx, edx
        FAULTS  GP_VECTOR, wrmsr
        mov     ecx, 0x3FFFFFFF         ; no such counter
        FAULTS  GP_VECTOR, rdpmc
        ret

rule_vmx_is_not_there:
        mov     eax, 1
        cpuid
        bt      ecx, 5
        jc      .offered
        FAULTS  UD_VECTOR, vmxon [scratch]
        FAULTS  UD_VECTOR, vmclear [scratch]
        FAULTS  UD_VECTOR, vmptrld [scratch]
        FAULTS  UD_VECTOR, vmptrst [scratch]
        FAULTS  UD_VECTOR, vmread rax, rbx
        FAULTS  UD_VECTOR, vmwrite rax, rbx
        FAULTS  UD_VECTOR, vmlaunch
        FAULTS  UD_VECTOR, vmresume
        FAULTS  UD_VECTOR, vmxoff
        FAULTS  UD_VECTOR, invept rax, [scratch]
        FAULTS  UD_VECTOR, invvpid rax, [scratch]
.offered:
        ret

rule_mwait_as_offered:
        mov     eax, 1
        cpuid
        bt      ecx, 3                  ; MONITOR
        jc      .offered
        mov     eax, scratch
        xor     ecx, ecx
        xor     edx, edx
        FAULTS  UD_VECTOR, monitor
        xor     eax, eax
        FAULTS  UD_VECTOR, mwait
.offered:
        ret

; ---- Faults in the middle ------------------------------------------------------------------------

SMALL_PAGE      equ 0x1000

rule_ins_restarts_after_fault:
        mov     qword [window_table], frames + ALL_RIGHTS
        mov     qword [window_table + 8], 0
        mov     rax, 0x5555555555555555
        mov     [frames + SMALL_PAGE - 8], rax
        mov     [frames + SMALL_PAGE], rax
        mov     edi, WINDOW + SMALL_PAGE - 4
        mov     ecx, 10
        mov     edx, ABSENT_PORT
        EXPECT_FAULT .fault
.again: rep insb
        jmp     .done
.fault: cmp     qword [fault_vector], PF_VECTOR
        jne     failed
        cmp     qword [fault_address], WINDOW + SMALL_PAGE
        jne     failed
        cmp     qword [fault_error], 2  ; a write
        jne     failed
        cmp     rcx, 6
        jne     failed
        cmp     rdi, WINDOW + SMALL_PAGE
        jne     failed
        cmp     qword [fault_ip], .again
        jne     failed
        mov     qword [window_table + 8], frames + SMALL_PAGE + ALL_RIGHTS
        jmp     .again
.done:  test    rcx, rcx
        jnz     failed
        cmp     rdi, WINDOW + SMALL_PAGE + 6
        jne     failed
        cmp     dword [frames + SMALL_PAGE - 8], 0x55555555
        jne     failed
        cmp     dword [frames + SMALL_PAGE - 4], -1
        jne     failed
        mov     rax, 0x5555FFFFFFFFFFFF
        cmp     [frames + SMALL_PAGE], rax
        jne     failed
        cmp     qword [fault_vector], PF_VECTOR ; the fault did come
        jne     failed
        ret

rule_outs_restarts_after_fault:
        mov     qword [window_table], frames + ALL_RIGHTS
        mov     qword [window_table + 8], 0
        invlpg  [abs WINDOW + SMALL_PAGE]
        mov     qword [fault_vector], -1
        mov     esi, WINDOW + SMALL_PAGE - 8
        mov     ecx, 5
        mov     edx, DELAY_PORT
        EXPECT_FAULT .fault
.again: rep outsd
        jmp     .done
.fault: cmp     qword [fault_vector], PF_VECTOR
        jne     failed
        cmp     qword [fault_address], WINDOW + SMALL_PAGE
        jne     failed
        cmp     qword [fault_error], 0  ; a read
        jne     failed
        cmp     rcx, 3
        jne     failed
        cmp     rsi, WINDOW + SMALL_PAGE
        jne     failed
        mov     qword [window_table + 8], frames + SMALL_PAGE + ALL_RIGHTS
        jmp     .again
.done:  cmp     qword [fault_vector], PF_VECTOR
        jne     failed
        test    rcx, rcx
        jnz     failed
        cmp     rsi, WINDOW + SMALL_PAGE + 12
        jne     failed
        ret

rule_ins_honours_write_protection:
        mov     qword [window_table], frames + PRESENT
        invlpg  [abs WINDOW]
        mov     edi, WINDOW
        mov     edx, ABSENT_PORT
        mov     dword [frames], 0x55555555
        FAULTS  PF_VECTOR, insd
        cmp     qword [fault_error], 3  ; a write, a page that is present
        jne     failed
        cmp     rdi, WINDOW
        jne     failed
        cmp     dword [frames], 0x55555555
        jne     failed
        ret

rule_rep_of_nothing:                    ; a count of zero does nothing, not even fault
        mov     qword [window_table], 0
        invlpg  [abs WINDOW]
        mov     edi, WINDOW
        mov     esi, WINDOW
        mov     edx, ABSENT_PORT
        xor     ecx, ecx
        rep insb
        rep outsb
        cmp     rdi, rsi
        jne     failed
        cmp     rsi, WINDOW
        jne     failed
        ret

rule_double_fault:                      ; the #GP for RDMSR finds no handler, nor is that forgiven
        and     byte [idt + 16 * GP_VECTOR + GATE_RIGHTS], 0x7F
        mov     ecx, UNKNOWN_MSR
        EXPECT_FAULT .fault
        rdmsr
        or      byte [idt + 16 * GP_VECTOR + GATE_RIGHTS], 0x80
        jmp     failed
.fault: or      byte [idt + 16 * GP_VECTOR + GATE_RIGHTS], 0x80
        cmp     qword [fault_vector], DF_VECTOR
        jne     failed
        cmp     qword [fault_error], 0
        jne     failed
        ret

rule_fault_after_benign_fault:          ; the #UD for a VMX instruction finds no handler: a fault of
                                        ; its own, with the gate in its error code
        and     byte [idt + 16 * UD_VECTOR + GATE_RIGHTS], 0x7F
        EXPECT_FAULT .fault
        vmxoff
        or      byte [idt + 16 * UD_VECTOR + GATE_RIGHTS], 0x80
        jmp     failed
.fault: or      byte [idt + 16 * UD_VECTOR + GATE_RIGHTS], 0x80
        cmp     qword [fault_vector], NP_VECTOR
        jne     failed
        cmp     qword [fault_error], UD_VECTOR * 8 + 2
        je      .right
        cmp     qword [fault_error], UD_VECTOR * 8 + 3  ; EXT set: allowed for a delivered event
        jne     failed
.right: ret

; ---- The caches, the random numbers --------------------------------------------------------------

rule_invd_loses_nothing:
        mov     qword [scratch], "kept"
        invd
        wbinvd
        cmp     qword [scratch], "kept"
        jne     failed
        ret

rule_rdrand_as_offered:
        mov     eax, 1
        cpuid
        bt      ecx, 30
        jnc     .none
        mov     ecx, 10
.again: rdrand  rax
        jc      .none
        dec     ecx
        jnz     .again
        jmp     failed
.none:  ret

%include "hypercalls.inc"
%include "console.inc"
%include "exceptions.inc"
%include "longmode.inc"

section .data
ok_text:        db " ok", 10, 0
failed_text:    db " FAILED", 10, 0
stranger_text:  db "rules: this is not Martlet", 10, 0
broken_text:    db " broken rules", 10, 0
one_broken_text: db " broken rule", 10, 0

; A rule is an entry of two words: its routine, its name.
        align   8
rules:
        dq      rule_cpuid_clears_upper_halves, name_cpuid_clears_upper_halves
        dq      rule_exits_keep_registers, name_exits_keep_registers
        dq      rule_in_writes_its_width, name_in_writes_its_width
        dq      rule_mmio_writes_its_width, name_mmio_writes_its_width
        dq      rule_step_over_nop, name_step_over_nop
        dq      rule_step_over_cpuid, name_step_over_cpuid
        dq      rule_step_over_out, name_step_over_out
        dq      rule_step_over_in, name_step_over_in
        dq      rule_step_over_rdmsr, name_step_over_rdmsr
        dq      rule_step_over_vmcall, name_step_over_vmcall
        dq      rule_step_over_cr0_write, name_step_over_cr0_write
        dq      rule_step_over_mmio, name_step_over_mmio
        dq      rule_step_after_mov_ss, name_step_after_mov_ss
        dq      rule_interrupt_waits_for_if, name_interrupt_waits_for_if
        dq      rule_sti_shadow_ends_with_cpuid, name_sti_shadow_ends_with_cpuid
        dq      rule_sti_shadow_ends_with_vmcall, name_sti_shadow_ends_with_vmcall
        dq      rule_mov_ss_shadow_ends_with_vmcall, name_mov_ss_shadow_ends_with_vmcall
        dq      rule_sti_shadow_ends_with_mmio, name_sti_shadow_ends_with_mmio
        dq      rule_halt_with_interrupt_due, name_halt_with_interrupt_due
        dq      rule_halt_until_interrupt, name_halt_until_interrupt
        dq      rule_interrupt_without_exits, name_interrupt_without_exits
        dq      rule_interrupt_on_fresh_stack, name_interrupt_on_fresh_stack
        dq      rule_timer_disarmed, name_timer_disarmed
        dq      rule_vmcall_refuses, name_vmcall_refuses
        dq      rule_vmcall_in_user_mode, name_vmcall_in_user_mode
        dq      rule_vmcall_in_32_bit_code, name_vmcall_in_32_bit_code
        dq      rule_last_of_the_lower_half, name_last_of_the_lower_half
        dq      rule_user_mode_has_no_privilege, name_user_mode_has_no_privilege
        dq      rule_cr0_refuses, name_cr0_refuses
        dq      rule_cr0_reads_as_written, name_cr0_reads_as_written
        dq      rule_lmsw_keeps_pe, name_lmsw_keeps_pe
        dq      rule_cr4_refuses, name_cr4_refuses
        dq      rule_cr3_and_cr8_refuse, name_cr3_and_cr8_refuse
        dq      rule_xcr0_refuses, name_xcr0_refuses
        dq      rule_efer_refuses, name_efer_refuses
        dq      rule_msrs_refuse, name_msrs_refuse
        dq      rule_vmx_is_not_there, name_vmx_is_not_there
        dq      rule_mwait_as_offered, name_mwait_as_offered
        dq      rule_ins_restarts_after_fault, name_ins_restarts_after_fault
        dq      rule_outs_restarts_after_fault, name_outs_restarts_after_fault
        dq      rule_ins_honours_write_protection, name_ins_honours_write_protection
        dq      rule_rep_of_nothing, name_rep_of_nothing
        dq      rule_double_fault, name_double_fault
        dq      rule_fault_after_benign_fault, name_fault_after_benign_fault
        dq      rule_invd_loses_nothing, name_invd_loses_nothing
        dq      rule_rdrand_as_offered, name_rdrand_as_offered
rules_end:

name_cpuid_clears_upper_halves: db "cpuid clears upper halves", 0
name_exits_keep_registers: db "exits keep registers", 0
name_in_writes_its_width: db "in writes its width", 0
name_mmio_writes_its_width: db "mmio writes its width", 0
name_step_over_nop: db "step over nop", 0
name_step_over_cpuid: db "step over cpuid", 0
name_step_over_out: db "step over out", 0
name_step_over_in: db "step over in", 0
name_step_over_rdmsr: db "step over rdmsr", 0
name_step_over_vmcall: db "step over vmcall", 0
name_step_over_cr0_write: db "step over cr0 write", 0
name_step_over_mmio: db "step over mmio", 0
name_step_after_mov_ss: db "step after mov ss", 0
name_interrupt_waits_for_if: db "interrupt waits for if", 0
name_sti_shadow_ends_with_cpuid: db "sti shadow ends with cpuid", 0
name_sti_shadow_ends_with_vmcall: db "sti shadow ends with vmcall", 0
name_mov_ss_shadow_ends_with_vmcall: db "mov ss shadow ends with vmcall", 0
name_sti_shadow_ends_with_mmio: db "sti shadow ends with mmio", 0
name_halt_with_interrupt_due: db "halt with interrupt due", 0
name_halt_until_interrupt: db "halt until interrupt", 0
name_interrupt_without_exits: db "interrupt without exits", 0
name_interrupt_on_fresh_stack: db "interrupt on fresh stack", 0
name_timer_disarmed: db "timer disarmed", 0
name_vmcall_refuses: db "vmcall refuses", 0
name_vmcall_in_user_mode: db "vmcall in user mode", 0
name_vmcall_in_32_bit_code: db "vmcall in 32-bit code", 0
name_last_of_the_lower_half: db "the last instruction of the lower half", 0
name_user_mode_has_no_privilege: db "user mode has no privilege", 0
name_cr0_refuses: db "cr0 refuses", 0
name_cr0_reads_as_written: db "cr0 reads as written", 0
name_lmsw_keeps_pe: db "lmsw keeps pe", 0
name_cr4_refuses: db "cr4 refuses", 0
name_cr3_and_cr8_refuse: db "cr3 and cr8 refuse", 0
name_xcr0_refuses: db "xcr0 refuses", 0
name_efer_refuses: db "efer refuses", 0
name_msrs_refuse: db "msrs refuse", 0
name_vmx_is_not_there: db "vmx is not there", 0
name_mwait_as_offered: db "mwait as offered", 0
name_ins_restarts_after_fault: db "ins restarts after fault", 0
name_outs_restarts_after_fault: db "outs restarts after fault", 0
name_ins_honours_write_protection: db "ins honours write protection", 0
name_rep_of_nothing: db "rep of nothing", 0
name_double_fault: db "double fault", 0
name_fault_after_benign_fault: db "fault after benign fault", 0
name_invd_loses_nothing: db "invd loses nothing", 0
name_rdrand_as_offered: db "rdrand as offered", 0

section .bss
        alignb  4096
frames:         resb 2 * SMALL_PAGE
low_pointers:   resb SMALL_PAGE
low_directory:  resb SMALL_PAGE
low_table:      resb SMALL_PAGE
last_page:      resb SMALL_PAGE
                resb STACK_SIZE
user_stack_top:
rule:           resq 1
scratch:        resq 2
caller_stack:   resq 1
step_address:   resq 1
timer_address:  resq 1
steps:          resd 1
step_dr6:       resd 1
timer_interrupts: resd 1
broken:         resd 1

        MULTIBOOT_END

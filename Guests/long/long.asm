; Shows: everything a 64-bit guest ordinarily does. With an exit: CPUID, VMCALL, HLT, I/O instruction
; (all widths, REP), RDMSR and WRMSR of emulated and unknown MSRs, control-register access (CR0.NE,
; CR4.OSXSAVE), XSETBV, WBINVD, VMX instructions, EPT violation. Without one: exceptions, CR3, CR8,
; RDTSC, INVLPG, the MSRs passed through.
;
; An ELF64 multiboot image with the address fields.

        bits    64
        default rel

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

TIMER_VECTOR    equ 0x60

UPPER_ONES      equ 0xFFFFFFFF00000000

global start

section .text

        MULTIBOOT_HEADER

main:
        CHECK   1                       ; 64-bit mode, from a multiboot loader
        cmp     dword [multiboot_magic], MULTIBOOT_LOADER_MAGIC
        jne     failed
        mov     ecx, IA32_EFER
        rdmsr
        test    eax, EFER_LMA
        jz      failed
        call    find_martlet
        jne     failed

        CHECK   2                       ; CPUID clears the upper halves of its four registers
        xor     edi, edi                ; the basic leaves
        call    all_leaves
        mov     edi, HYPERVISOR_LEAF
        call    all_leaves
        mov     edi, 0x80000000
        call    all_leaves

        CHECK   3                       ; VMCALL
        mov     eax, HYPERCALL_SIGNATURE
        vmcall
        mov     rbx, MARTLET_64
        cmp     rax, rbx
        jne     failed
        mov     eax, HYPERCALL_EXITS
        vmcall
        mov     rbx, rax
        mov     eax, HYPERCALL_EXITS
        vmcall
        cmp     rax, rbx
        jbe     failed
        mov     eax, 1000               ; no such function
        vmcall
        cmp     rax, -1
        jne     failed

        CHECK   4                       ; a VMX instruction: #UD
        EXPECT_FAULT .no_vmx
        vmread  rax, rbx
        jmp     failed
.no_vmx:
        cmp     qword [fault_vector], UD_VECTOR
        jne     failed

        CHECK   5                       ; an unknown MSR: #GP(0), nothing changed
        mov     ecx, UNKNOWN_MSR
        mov     rax, 0x1122334455667788
        mov     rdx, rax
        mov     rbx, rax
        EXPECT_FAULT .no_read
        rdmsr
        jmp     failed
.no_read:
        cmp     qword [fault_vector], GP_VECTOR
        jne     failed
        cmp     qword [fault_error], 0
        jne     failed
        cmp     rax, rbx
        jne     failed
        cmp     rdx, rbx
        jne     failed
        EXPECT_FAULT .no_write
        wrmsr
        jmp     failed
.no_write:
        cmp     qword [fault_vector], GP_VECTOR
        jne     failed

        CHECK   6                       ; #PF, on the interrupt stack
        mov     byte [idt + 16 * PF_VECTOR + GATE_STACK], 1
        EXPECT_FAULT .read_fault
        mov     rax, [abs WINDOW + 0x5678]
        jmp     failed
.read_fault:
        cmp     qword [fault_vector], PF_VECTOR
        jne     failed
        cmp     qword [fault_error], 0
        jne     failed
        cmp     qword [fault_address], WINDOW + 0x5678
        jne     failed
        mov     rax, interrupt_stack
        mov     rbx, [fault_stack]
        sub     rbx, rax
        cmp     rbx, STACK_SIZE
        jae     failed
        EXPECT_FAULT .write_fault
        mov     [abs WINDOW + 0x1FF8], rax
        jmp     failed
.write_fault:
        cmp     qword [fault_error], 2  ; a write
        jne     failed
        cmp     qword [fault_address], WINDOW + 0x1FF8
        jne     failed

        CHECK   7                       ; memory, over several large pages
        mov     rdi, 0x400000
.write: mov     [rdi], rdi
        add     rdi, 0x200000
        cmp     rdi, 0x1000000
        jb      .write
.read:  sub     rdi, 0x200000
        cmp     [rdi], rdi
        jne     failed
        cmp     rdi, 0x400000
        ja      .read

        CHECK   8                       ; MSRs that are the guest's own
        mov     rbx, own_msrs
.msr:   mov     ecx, [rbx]
        rdmsr
        mov     ebp, eax
        mov     edi, edx                ; what was there
        mov     eax, [rbx + 4]
        mov     edx, [rbx + 8]
        wrmsr
        rdmsr
        cmp     eax, [rbx + 4]
        jne     failed
        cmp     edx, [rbx + 8]
        jne     failed
        mov     eax, ebp
        mov     edx, edi
        wrmsr
        add     rbx, 12
        cmp     rbx, own_msrs_end
        jb      .msr

        CHECK   9                       ; SWAPGS and the segment bases agree with the MSRs
        mov     ecx, IA32_KERNEL_GS_BASE
        mov     rax, own_value
        xor     edx, edx
        wrmsr
        swapgs
        mov     rax, [gs:abs 0]
        swapgs
        cmp     rax, [own_value]
        jne     failed

        CHECK   10                      ; MSRs that are emulated
        mov     ecx, IA32_EFER
        rdmsr
        mov     ebx, eax
        xor     eax, EFER_SCE
        wrmsr
        mov     ebp, eax
        rdmsr
        cmp     eax, ebp
        jne     failed
        mov     eax, ebx
        wrmsr
        mov     ecx, IA32_APIC_BASE
        rdmsr
        mov     ebx, eax
        and     eax, 0xFFFFF000
        cmp     eax, 0xFEE00000
        jne     failed
        mov     eax, ebx
        wrmsr
        mov     ecx, IA32_MISC_ENABLE
        rdmsr
        test    eax, 1 << 12            ; no precise event-based sampling
        jz      failed
        wrmsr
        mov     ecx, IA32_FEATURE_CONTROL
        rdmsr
        test    eax, 1                  ; locked
        jz      failed
        mov     ecx, IA32_BIOS_SIGN_ID
        xor     eax, eax
        xor     edx, edx
        wrmsr
        rdmsr

        CHECK   11                      ; port I/O: IN replaces as much of RAX as it should
        mov     eax, 0x12345678
        out     DELAY_PORT, al
        out     DELAY_PORT, ax
        out     DELAY_PORT, eax
        mov     edx, ABSENT_PORT
        mov     rbx, 0x123456789ABCDEF0
        mov     rax, rbx
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

        CHECK   12                      ; REP INS and OUTS over the boundary of two pages whose frames
                                        ; are in the other order
        mov     rax, frames + 0x1000 + ALL_RIGHTS
        mov     [window_table], rax
        mov     rax, frames + ALL_RIGHTS
        mov     [window_table + 8], rax
        mov     edi, WINDOW + 0x0FFA
        mov     ecx, 3
        rep insd
        test    ecx, ecx
        jnz     failed
        cmp     rdi, WINDOW + 0x1006
        jne     failed
        cmp     word [frames + 0x1FF8], 0       ; one word before
        jne     failed
        cmp     dword [frames + 0x1FFA], -1
        jne     failed
        cmp     word [frames + 0x1FFE], -1
        jne     failed
        cmp     dword [frames], -1
        jne     failed
        cmp     dword [frames + 4], 0x0000FFFF  ; two bytes more, and none after
        jne     failed
        mov     esi, WINDOW + 0x0FFD
        mov     edx, DELAY_PORT
        mov     ecx, 3
        rep outsw
        cmp     rsi, WINDOW + 0x1003
        jne     failed
        mov     esi, text
        mov     edi, WINDOW + 0x0FFE
        mov     ecx, TEXT_LENGTH
        rep movsb
        mov     esi, WINDOW + 0x0FFE
        mov     edx, COM1
        mov     ecx, TEXT_LENGTH
        rep outsb
        mov     edi, WINDOW + 0x1003
        mov     edx, ABSENT_PORT
        mov     ecx, 4
        std
        rep insb                        ; and downwards
        cld
        cmp     rdi, WINDOW + 0x0FFF
        jne     failed
        cmp     dword [frames], -1
        jne     failed

        CHECK   13                      ; the time-stamp counter goes forward
        rdtsc
        call    join
        mov     rbx, rax
        rdtsc
        call    join
        cmp     rax, rbx
        jbe     failed
        mov     rbx, rax
        mov     ecx, IA32_TSC
        rdmsr
        call    join
        cmp     rax, rbx
        jbe     failed
        mov     rbp, rax
        mov     eax, 0x80000001
        cpuid
        bt      edx, 27                 ; RDTSCP
        jnc     .no_rdtscp
        rdtscp
        call    join
        cmp     rax, rbp
        jbe     failed
.no_rdtscp:

        CHECK   14                      ; HLT, woken by the timer
        mov     eax, timer_handler
        mov     ecx, TIMER_VECTOR
        call    set_gate
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        mov     ecx, 20000
        vmcall
        test    rax, rax
        jnz     failed
        sti
        hlt
        cli
        cmp     dword [timer_interrupts], 1
        jne     failed

        CHECK   15                      ; CR0 reads as written
        mov     rbp, cr0
        mov     rbx, cr0_bits
.cr0:   mov     eax, [rbx]
        xor     rax, rbp
        mov     cr0, rax
        mov     rcx, cr0
        mov     cr0, rbp
        cmp     rax, rcx
        jne     failed
        add     rbx, 4
        cmp     rbx, cr0_bits_end
        jb      .cr0
        smsw    ax
        or      al, CR0_TS
        lmsw    ax
        mov     rcx, cr0
        test    cl, CR0_TS
        jz      failed
        clts
        mov     rcx, cr0
        test    cl, CR0_TS
        jnz     failed
        mov     cr0, rbp

        CHECK   16                      ; CR4 too
        mov     rbp, cr4
        mov     rbx, cr4_bits
.cr4:   mov     eax, [rbx]
        xor     rax, rbp
        mov     cr4, rax
        mov     rcx, cr4
        mov     cr4, rbp
        cmp     rax, rcx
        jne     failed
        add     rbx, 4
        cmp     rbx, cr4_bits_end
        jb      .cr4

        CHECK   17                      ; CR8 and CR3
        mov     ebx, 15
.cr8:   mov     cr8, rbx
        mov     rax, cr8
        cmp     rax, rbx
        jne     failed
        sub     ebx, 1
        jnc     .cr8
        mov     rax, cr3
        mov     cr3, rax
        mov     rcx, cr3
        cmp     rax, rcx
        jne     failed

        CHECK   18                      ; XSETBV, where XSAVE is offered
        mov     eax, 1
        cpuid
        bt      ecx, 26                 ; XSAVE
        jnc     .no_xsave
        mov     rax, cr4
        or      eax, CR4_OSXSAVE
        mov     cr4, rax
        mov     eax, 1
        cpuid
        bt      ecx, 27                 ; CPUID says what CR4 does
        jnc     failed
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, 3                  ; x87 and SSE
        xsetbv
        xgetbv
        cmp     eax, 3
        jne     failed
        test    edx, edx
        jnz     failed
        mov     rax, cr4
        and     eax, ~CR4_OSXSAVE
        mov     cr4, rax
        mov     eax, 1
        cpuid
        bt      ecx, 27
        jc      failed
.no_xsave:

        CHECK   19                      ; INVLPG: the window shows the other frame
        mov     dword [frames], "old"
        mov     dword [frames + 0x1000], "new"
        cmp     dword [abs WINDOW + 0x1000], "old"
        jne     failed
        mov     rax, [window_table]
        mov     [window_table + 8], rax
        invlpg  [abs WINDOW + 0x1000]
        cmp     dword [abs WINDOW + 0x1000], "new"
        jne     failed
        wbinvd

        CHECK   20                      ; absent memory reads as ones ...
        mov     esi, ABSENT_MEMORY
        mov     rbx, 0x123456789ABCDEF0
        mov     rax, rbx
        mov     al, [rsi]
        mov     rcx, 0x123456789ABCDEFF
        cmp     rax, rcx
        jne     failed
        mov     rax, rbx
        mov     ax, [rsi + 2]
        mov     rcx, 0x123456789ABCFFFF
        cmp     rax, rcx
        jne     failed
        mov     r9, rbx
        mov     r9d, [rsi + rbx * 0 + 4]
        mov     ecx, 0xFFFFFFFF
        cmp     r9, rcx
        jne     failed
        mov     r10, [rsi + 8]
        cmp     r10, -1
        jne     failed
        movzx   rax, byte [rsi]
        cmp     rax, 0xFF
        jne     failed
        movzx   eax, word [rsi]
        cmp     rax, 0xFFFF
        jne     failed
        movsx   rax, byte [rsi]
        cmp     rax, -1
        jne     failed
        movsx   eax, word [rsi]
        cmp     rax, rcx
        jne     failed
        movsxd  r11, dword [rsi]
        cmp     r11, -1
        jne     failed
        mov     rax, ABSENT_MEMORY + PRESENT + WRITABLE
        mov     [window_table + 16], rax
        mov     rax, rbx
        mov     eax, [rel $$ + WINDOW + 0x2000 - IMAGE_BASE]
        cmp     rax, rcx
        jne     failed

        CHECK   21                      ; ... and swallows writes
        mov     [rsi], al
        mov     [rsi + 2], bx
        mov     [rsi + 4], r10d
        mov     [rsi + 8], r11
        mov     byte [rsi], 0x12
        mov     word [rsi], 0x1234
        mov     dword [rsi], 0x12345678
        mov     qword [rsi], 0x12345678
        mov     qword [rel $$ + WINDOW + 0x2000 - IMAGE_BASE], 0
        cmp     [rsi], r10
        jne     failed

        CHECK   22                      ; string instructions with absent memory
        xor     eax, eax
        mov     edi, ABSENT_MEMORY
        mov     ecx, 3
        rep stosb
        mov     ecx, 2
        rep stosq
        test    rcx, rcx
        jnz     failed
        cmp     rdi, rsi
        jbe     failed
        sub     rdi, rsi
        cmp     rdi, 3 + 2 * 8
        jne     failed
        mov     edi, frames             ; absent memory to RAM
        mov     ecx, 4
        rep movsw
        cmp     qword [frames], -1
        jne     failed
        cmp     rdi, frames + 8
        jne     failed
        mov     esi, frames             ; RAM to absent memory
        mov     edi, ABSENT_MEMORY
        mov     ecx, 2
        rep movsd
        cmp     rsi, frames + 8
        jne     failed
        jmp     succeeded

; Visits the leaves of one range of CPUID, which begins at EDI and whose first leaf tells its last.
all_leaves:
        mov     eax, edi
        cpuid
        mov     esi, eax
.leaf:  mov     r8, UPPER_ONES
        mov     eax, edi
        or      rax, r8
        mov     rbx, r8
        mov     rcx, r8                 ; subleaf 0
        mov     rdx, r8
        cpuid
        or      rax, rbx
        or      rax, rcx
        or      rax, rdx
        shr     rax, 32
        jnz     failed
        inc     edi
        cmp     edi, esi
        jbe     .leaf
        ret

join:   shl     rdx, 32                 ; EDX:EAX to RAX
        or      rax, rdx
        ret

timer_handler:
        inc     dword [timer_interrupts]
        iretq

%include "hypercalls.inc"
%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "longmode.inc"

section .data
guest_name:     db "long", 0
text:           db "long: this line lay in two pages", 10
TEXT_LENGTH     equ $ - text

%macro OWN_MSR 2                        ; number, value
        dd      %1
        dq      %2
%endmacro
own_msrs:
        OWN_MSR IA32_FS_BASE,        0x00007FFF12345678
        OWN_MSR IA32_GS_BASE,        0xFFFF800012345678
        OWN_MSR IA32_KERNEL_GS_BASE, 0xFFFFFFFF81234567
        OWN_MSR IA32_STAR,           0x0018000800000000
        OWN_MSR IA32_LSTAR,          0xFFFFFFFF80001000
        OWN_MSR IA32_CSTAR,          0xFFFFFFFF80002000
        OWN_MSR IA32_FMASK,          0x0000000000000700
        OWN_MSR IA32_SYSENTER_CS,    0x0000000000000008
        OWN_MSR IA32_SYSENTER_ESP,   0xFFFFFFFF80003000
        OWN_MSR IA32_SYSENTER_EIP,   0xFFFFFFFF80004000
        OWN_MSR IA32_PAT,            0x0007010600070406
own_msrs_end:
        align   8
own_value:      dq 0x1122334455667788

cr0_bits:       dd CR0_WP, CR0_TS, CR0_MP, CR0_AM, CR0_NE, CR0_CD
cr0_bits_end:
cr4_bits:       dd CR4_PGE, CR4_PSE, CR4_DE, CR4_TSD, CR4_OSFXSR, CR4_OSXMMEXCPT
cr4_bits_end:

section .bss
        alignb  4096
frames:         resb 2 * 4096
timer_interrupts: resd 1

        MULTIBOOT_END

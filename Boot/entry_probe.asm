; The world switch for the proof of the entry checks: one attempt at a VM entry. The kernel returns from its exit whatever
; the host-state area did to the processor, as long as this code can still be fetched and its memory read.
;
; martlet_probe_entry() -> eax: 0 a VM exit or a failed entry, 1 VMfailInvalid, 2 VMfailValid

global martlet_probe_entry
global martlet_probe_exit

IA32_SYSENTER_CS  equ 0x174
IA32_SYSENTER_ESP equ 0x175
IA32_SYSENTER_EIP equ 0x176
IA32_PAT          equ 0x277
IA32_EFER         equ 0xC0000080
IA32_FS_BASE      equ 0xC0000100
IA32_GS_BASE      equ 0xC0000101
KERNEL_GS_BASE    equ 0xC0000102
BUSY              equ 2                                 ; of a TSS descriptor's type, in its sixth byte

%macro save_msr 1
    mov ecx, %1
    rdmsr
    mov [rel saved_msr_%1], eax
    mov [rel saved_msr_%1 + 4], edx
%endmacro
%macro restore_msr 1
    mov ecx, %1
    mov eax, [rel saved_msr_%1]
    mov edx, [rel saved_msr_%1 + 4]
    wrmsr
%endmacro
%macro for_each_msr 1
    %1 IA32_EFER
    %1 IA32_PAT
    %1 IA32_SYSENTER_CS
    %1 IA32_SYSENTER_ESP
    %1 IA32_SYSENTER_EIP
    %1 IA32_FS_BASE
    %1 IA32_GS_BASE
    %1 KERNEL_GS_BASE
%endmacro

section .text
martlet_probe_entry:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    pushfq
    mov [rel saved_rsp], rsp
    mov rax, cr0
    mov [rel saved_cr0], rax
    mov rax, cr3
    mov [rel saved_cr3], rax
    mov rax, cr4
    mov [rel saved_cr4], rax
    sgdt [rel saved_gdtr]
    sidt [rel saved_idtr]
    str [rel saved_tr]
    mov [rel saved_cs], cs
    mov [rel saved_ss], ss
    mov [rel saved_ds], ds
    mov [rel saved_es], es
    mov [rel saved_fs], fs
    mov [rel saved_gs], gs
    for_each_msr save_msr
    vmlaunch
    ; Still here: VMLAUNCH failed, nothing was loaded. The flags say how (SDM volume 3, 32.2 "Conventions").
    mov eax, 2
    mov ecx, 1
    cmovc eax, ecx
    jmp leave_probe

; No stack, descriptor table or segment register can be trusted here. In 64-bit mode, code and data need none.
align 16
martlet_probe_exit:
    mov rax, [rel saved_cr4]
    mov cr4, rax
    mov rax, [rel saved_cr3]
    mov cr3, rax
    mov rax, [rel saved_cr0]
    mov cr0, rax
    for_each_msr restore_msr
    lgdt [rel saved_gdtr]
    lidt [rel saved_idtr]
    mov ss, [rel saved_ss]
    mov ds, [rel saved_ds]
    mov es, [rel saved_es]
    mov fs, [rel saved_fs]                              ; clears the base, which is restored again below
    mov gs, [rel saved_gs]
    restore_msr IA32_FS_BASE
    restore_msr IA32_GS_BASE
    mov rsp, [rel saved_rsp]
    ; LTR accepts only an available task, and marks it busy.
    movzx eax, word [rel saved_tr]
    mov rcx, [rel saved_gdtr + 2]
    and byte [rcx + rax + 5], ~BUSY
    ltr ax
    ; IRET reloads CS, and ends any blocking of NMIs left by the guest.
    mov rdx, rsp
    movzx eax, word [rel saved_ss]
    push rax
    push rdx
    pushfq
    movzx eax, word [rel saved_cs]
    push rax
    lea rax, [rel .reloaded]
    push rax
    iretq
.reloaded:
    xor eax, eax

leave_probe:
    popfq
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

section .bss.probe nobits alloc write noexec align=8
saved_rsp: resq 1
saved_cr0: resq 1
saved_cr3: resq 1
saved_cr4: resq 1
saved_gdtr: resb 16
saved_idtr: resb 16
saved_tr: resw 1
saved_cs: resw 1
saved_ss: resw 1
saved_ds: resw 1
saved_es: resw 1
saved_fs: resw 1
saved_gs: resw 1
alignb 8
%macro reserve_msr 1
saved_msr_%1: resq 1
%endmacro
for_each_msr reserve_msr

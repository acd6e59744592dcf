; The world switch of the proof of VMRUN's checks: one attempt, with all that VMRUN itself does not load and save
; (APM volume 2, "VMSAVE and VMLOAD Instructions").
;
; martlet_probe_vmrun(rdi: the guest's VMCB, rsi: a VMCB that keeps the host's state; physical addresses)
;
; VMRUN keeps RIP, RSP, RAX, RFLAGS, the control registers, IDTR and GDTR, and CS, SS, DS and ES of the host in the page of
; VM_HSAVE_PA. FS, GS, TR, LDTR and the registers of system calls are kept here. The global interrupt flag is 0 meanwhile, so that
; no interrupt and no NMI comes in between.

global martlet_probe_vmrun

section .text
martlet_probe_vmrun:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    push rsi
    clgi
    mov rax, rsi
    vmsave
    mov rax, rdi
    vmload
    vmrun
    ; All registers but RAX and RSP are the guest's.
    mov rax, [rsp]
    vmload
    stgi
    pop rsi
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    cld
    ret

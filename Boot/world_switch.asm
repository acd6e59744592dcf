; VM entry and VM exit.
;
; martlet_enter_guest(rdi = virtual CPU, esi = launched) -> eax: 0 an exit to be handled, 1 VMfailInvalid, 2 VMfailValid
;
; The virtual CPU begins with the block of general registers in the order of their encodings (128 bytes; the slot of RSP
; is unused, RSP lives in the VMCS), then one word for the host's stack pointer. HOST_RSP is the end of the block, so
; that a VM exit pushes the guest's registers straight into it; it is written once.
; Every push and pop below costs each exit one instruction: change with `make bench` at hand.

global martlet_enter_guest
global martlet_vm_exit
extern martlet_handle_exit

REGISTERS_SIZE equ 128

%macro load_guest_registers 0
    pop rax
    pop rcx
    pop rdx
    pop rbx
    pop rbp                                             ; the slot of RSP
    pop rbp
    pop rsi
    pop rdi
    pop r8
    pop r9
    pop r10
    pop r11
    pop r12
    pop r13
    pop r14
    pop r15
%endmacro

section .text
martlet_enter_guest:
    push rbp
    mov rbp, rsp
    push rbx
    push r12
    push r13
    push r14
    push r15
    push rdi
    mov [rdi + REGISTERS_SIZE], rsp
    test esi, esi
    mov rsp, rdi
    jnz .resume
    load_guest_registers
    vmlaunch
    jmp failed
.resume:
    load_guest_registers
    vmresume

; VMLAUNCH or VMRESUME failed: RSP is the end of the register block. The flags say how (SDM volume 3, 32.2 "Conventions").
failed:
    mov rsp, [rsp]
    mov eax, 2
    mov ecx, 1
    cmovc eax, ecx
    jmp leave_to_run_loop

align 16
martlet_vm_exit:
    push r15
    push r14
    push r13
    push r12
    push r11
    push r10
    push r9
    push r8
    push rdi
    push rsi
    push rbp
    push rbp                                            ; the slot of RSP
    push rbx
    push rdx
    push rcx
    push rax
    mov rdi, rsp
    mov rsp, [rdi + REGISTERS_SIZE]
    call martlet_handle_exit                            ; finished at once: al = 1; for the run loop: al = 0
    test al, al
    jz .to_run_loop
    mov rsp, [rsp]
    load_guest_registers
    vmresume
    jmp failed
.to_run_loop:
    xor eax, eax

leave_to_run_loop:
    pop rdi
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

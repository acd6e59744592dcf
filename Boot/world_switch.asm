; VM entry and VM exit.
;
; martlet_enter_guest(rdi = virtual CPU, esi = launched) -> eax: 0 an exit for the run loop, 1 VMfailInvalid, 2 VMfailValid
;
; The virtual CPU begins with the block of general registers in the order of their encodings, without RSP, which lives in
; the VMCS (120 bytes), then one word for the run loop's stack pointer. HOST_RSP is the end of the block, written once: a
; VM exit pushes the guest's registers straight into it, and the exit handler's stack lies right below the virtual CPU.
; So neither direction has to switch stacks.
; Every push and pop below costs each exit one instruction: check changes with `make bench`.

global martlet_enter_guest
global martlet_vm_exit
global martlet_vm_exit_observed
global martlet_vm_exit_recorded
global martlet_vm_exit_recorded_observed
global world_switch_layout
extern martlet_handle_exit
extern martlet_records_full

RUN_LOOP_STACK equ 120                                  ; offset in the virtual CPU, after the registers

RECORD_SLOT equ 128                                     ; after that, where exits are recorded
RECORD_END equ 136

%include "registers.inc"
%include "records.inc"

section .text
martlet_enter_guest:
    push rbp
    mov rbp, rsp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi + RUN_LOOP_STACK], rsp
    test esi, esi
    mov rsp, rdi
    jnz .resume
    pop_registers
    vmlaunch
    jmp failed
.resume:
    pop_registers
    vmresume

; VMLAUNCH or VMRESUME failed: RSP is the end of the register block. The flags say how (SDM volume 3, 32.2 "Conventions").
failed:
    mov eax, 2
    mov ecx, 1
    cmovc eax, ecx
    mov rsp, [rsp]                                      ; the word after the block
    jmp leave_to_run_loop

align 16
martlet_vm_exit:
    push_registers
    mov rdi, rsp
    call martlet_handle_exit
    test eax, eax
    jz leave_guest
    pop_registers
    vmresume
    jmp failed

; HOST_RIP of a virtual CPU whose exits are recorded: 38 more instructions; none when nothing is recorded.
; R15, which the handler preserves, is the record.
align 16
martlet_vm_exit_recorded:
    push_registers
    begin_record
    mov rdi, rsp
    call martlet_handle_exit
    test eax, eax
    jz leave_guest                                      ; the run loop ends the record
    end_record
    add r15, RECORD_SIZE
    cmp r15, [rsp + RECORD_END]
    je .full
    mov [rsp + RECORD_SLOT], r15
.resume:
    pop_recorded_registers
    vmresume
    jmp failed
.full:
    mov rdi, rsp
    call martlet_records_full                           ; makes room, after taking the registers itself
    jmp .resume

; The same when every exit is also to be observed.
align 16
martlet_vm_exit_recorded_observed:
    push_registers
    begin_record
    jmp leave_guest

; HOST_RIP of a virtual CPU whose every exit is to be observed.
align 16
martlet_vm_exit_observed:
    push_registers

; RSP is the virtual CPU: to the run loop.
leave_guest:
    mov rsp, [rsp + RUN_LOOP_STACK]
    xor eax, eax

leave_to_run_loop:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

section .rodata
align 4
; What the code above assumes about Swift's layouts. The kernel compares it at its start.
world_switch_layout: dd REGISTER_BLOCK, RUN_LOOP_STACK, RECORD_SLOT, RECORD_END, RECORD_SIZE

; One stub for each of the 256 vectors: makes all frames uniform and calls Swift with a pointer to the frame.
; The frame, from its start: RAX RCX RDX RBX RBP RSI RDI R8 to R15, vector, error code, RIP, CS, RFLAGS, RSP, SS
; (SDM volume 3, 7.14.2 "64-Bit Mode Stack Frame").

global interrupt_stubs
global interrupt_frame_size
extern martlet_interrupt

%include "registers.inc"

FRAME_SIZE equ REGISTER_BLOCK + 7 * 8

section .text
%assign vector 0
%rep 256
align 16
stub_%+vector:
  %if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21 && vector != 29 && vector != 30
    push 0                                              ; no error code for this vector
  %endif
    push vector
    jmp all_vectors
  %assign vector vector + 1
%endrep

all_vectors:
    push_registers
    cld
    mov rdi, rsp
    mov rbp, rsp
    and rsp, -16
    call martlet_interrupt
    mov rsp, rbp
    pop_registers
    add rsp, 16
    iretq

section .rodata
align 8
interrupt_stubs:
%assign vector 0
%rep 256
    dq stub_%+vector
  %assign vector vector + 1
%endrep

align 4
interrupt_frame_size: dd FRAME_SIZE

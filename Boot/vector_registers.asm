; The guest's vector registers, which stay in the processor across VM exits: the only kernel instructions that name any.
; Swift calls these only for a guest instruction that moves one to or from a device.

global martlet_read_vector
global martlet_read_wide_vector
global martlet_write_vector
global martlet_write_vector_clearing
global martlet_write_wide_vector

; A function of (edi = register number, rsi = memory) that jumps into a table of 16 entries of 8 bytes, one per register.
%macro FOR_EACH_REGISTER 2                              ; name, instruction
%1:
    and     edi, 15
    lea     rax, [rel .table]
    lea     rax, [rax + 8 * rdi]
    jmp     rax
align 8
.table:
%assign number 0
%rep 16
    %2      number
    ret
    align   8
  %assign number number + 1
%endrep
%endmacro

%macro READ 1
    movdqu  [rsi], xmm%1
%endmacro
%macro READ_WIDE 1
    vmovdqu [rsi], ymm%1
%endmacro
%macro WRITE 1
    movdqu  xmm%1, [rsi]
%endmacro
%macro WRITE_CLEARING 1                                 ; the bits above the lowest 128 become 0
    vmovdqu xmm%1, [rsi]
%endmacro
%macro WRITE_WIDE 1
    vmovdqu ymm%1, [rsi]
%endmacro

section .text
FOR_EACH_REGISTER martlet_read_vector, READ
FOR_EACH_REGISTER martlet_read_wide_vector, READ_WIDE
FOR_EACH_REGISTER martlet_write_vector, WRITE
FOR_EACH_REGISTER martlet_write_vector_clearing, WRITE_CLEARING
FOR_EACH_REGISTER martlet_write_wide_vector, WRITE_WIDE

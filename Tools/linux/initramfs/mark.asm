; mark NAME: print "mark NAME N", N being the time-stamp counter when this program began, in decimal. A static program
; for Linux: where a tick is an instruction, what lies between two marks is counted by them.

section .text
global _start
_start: rdtsc
        shl rdx, 32
        or rax, rdx
        mov rbx, rax
        mov esi, mark
        call print
        mov rsi, [rsp + 16]             ; the first argument, if there is one
        test rsi, rsi
        jz .last
        call print
.last:  mov esi, blank
        call print
        mov rax, rbx
        call decimal
        call print
        mov eax, 60                     ; exit(0)
        xor edi, edi
        syscall

%include "print.inc"

section .data
mark:   db "mark ", 0
blank:  db " ", 0

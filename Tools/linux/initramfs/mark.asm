; mark NAME: print "mark NAME N", N being the time-stamp counter when this program began, in decimal. A static program
; for Linux: where a tick is an instruction, what lies between two marks is counted by them.

section .text
global _start
_start: rdtsc
        shl rdx, 32
        or rax, rdx
        mov edi, number.end             ; the digits, from the last one on
        mov ecx, 10
.digit: xor edx, edx
        div rcx
        add dl, '0'
        dec rdi
        mov [rdi], dl
        test rax, rax
        jnz .digit
        mov ebx, number.end + 1         ; and the new line
        sub ebx, edi
        mov r12, rdi
        mov esi, mark
        mov edx, mark.end - mark
        call print
        mov rsi, [rsp + 16]             ; the first argument, if there is one
        test rsi, rsi
        jz .last
        mov rdx, -1
.count: inc rdx
        cmp byte [rsi + rdx], 0
        jne .count
        call print
.last:  mov esi, blank
        mov edx, 1
        call print
        mov rsi, r12
        mov edx, ebx
        call print
        mov eax, 60                     ; exit(0)
        xor edi, edi
        syscall

print:  mov eax, 1                      ; write(1, rsi, rdx)
        mov edi, 1
        syscall
        ret

section .data
mark:   db "mark "
.end:
blank:  db " "
number: times 20 db 0
.end:   db 10

; port NUMBER: copy the standard input to an I/O port, the number in hexadecimal. A static program for Linux, since
; /dev/port would write each byte to the next port.

section .text
%include "argument.inc"
.read:  xor eax, eax                    ; read(0, buffer, 4096)
        xor edi, edi
        mov esi, buffer
        mov edx, 4096
        syscall
        test rax, rax
        jle .end
        mov ecx, eax
        mov edx, ebx
        rep outsb
        jmp .read
.end:   mov eax, 60                     ; exit(0)
        xor edi, edi
        syscall

section .bss
buffer: resb 4096

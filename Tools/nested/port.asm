; port NUMBER: copy the standard input to an I/O port, the number in hexadecimal. A static program for Linux, since
; /dev/port would write each byte to the next port.

section .text
global _start
_start: mov rsi, [rsp + 16]             ; the first argument
        xor ebx, ebx
.digit: movzx eax, byte [rsi]
        inc rsi
        test al, al
        jz .allow
        or al, 0x20
        sub al, '0'
        cmp al, 9
        jbe .add
        sub al, 'a' - '0' - 10
.add:   shl ebx, 4
        or ebx, eax
        jmp .digit
.allow: mov eax, 172                    ; iopl(3)
        mov edi, 3
        syscall
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

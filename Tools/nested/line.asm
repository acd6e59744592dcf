; line PORT: copy the standard input to a UART until it ends, and what comes in there to the standard output; the number
; of the port in hexadecimal. A static program for Linux, whose own driver would take what comes early, and echo it, before
; anyone reads it. It asks a hundred times a second: a guest shares the time with it. Without its FIFO the UART holds one
; byte, and Bochs keeps the others until that is taken: nothing is ever lost.

section .text
%include "argument.inc"
        lea edx, [rbx + 3]              ; line control: 8 bits at 115200 baud
        mov al, 0x83
        out dx, al
        mov edx, ebx
        mov al, 1
        out dx, al
        lea edx, [rbx + 1]
        mov al, 0
        out dx, al
        lea edx, [rbx + 3]
        mov al, 3
        out dx, al

.wait:  mov eax, 7                      ; poll(input, 1, 10 milliseconds)
        mov edi, input
        mov esi, 1
        mov edx, 10
        syscall
        test eax, eax
        jle .take
        xor eax, eax                    ; read(0, buffer, SIZE)
        xor edi, edi
        mov esi, buffer
        mov edx, SIZE
        syscall
        test rax, rax
        jle .end
        mov rcx, rax
        mov esi, buffer
.room:  lea edx, [rbx + 5]              ; line status
        in al, dx
        test al, 0x20                   ; holding register empty
        jz .room
        mov edx, ebx
        outsb
        dec rcx
        jnz .room

.take:  mov edi, buffer
        mov ecx, 1                      ; one look for the first byte
.ready: lea edx, [rbx + 5]
        in al, dx
        test al, 1                      ; data ready
        jnz .byte
        dec ecx
        jnz .ready
        jmp .pass
.byte:  mov edx, ebx
        insb
        mov ecx, PATIENCE
        cmp edi, buffer + SIZE
        jb .ready
.pass:  sub edi, buffer
        jz .wait
        mov edx, edi                    ; write(1, buffer, what came)
        mov esi, buffer
        mov eax, 1
        mov edi, 1
        syscall
        jmp .wait

.end:   mov eax, 60                     ; exit(0)
        xor edi, edi
        syscall

SIZE     equ 4096
PATIENCE equ 2000                       ; looks for the next byte: they take longer than it does

section .data
input:  dd 0                            ; the standard input
        dw 1, 0                         ; there is something to read, or it has ended

section .bss
buffer: resb SIZE

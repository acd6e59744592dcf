; keyboard: copy what comes in on COM3 to the standard output, for ever. A static program for Linux that asks the UART a
; hundred times a second: without its FIFO no byte of Bochs's is ever lost, and a guest shares the time with it.

PORT    equ 0x3E8

section .text
global _start
_start: mov eax, 172                    ; iopl(3)
        mov edi, 3
        syscall
        mov dx, PORT + 3                ; line control: 8 bits at 115200 baud
        mov al, 0x83
        out dx, al
        mov dx, PORT
        mov al, 1
        out dx, al
        mov dx, PORT + 1
        mov al, 0
        out dx, al
        mov dx, PORT + 3
        mov al, 3
        out dx, al
.wait:  mov dx, PORT + 5                ; line status
        in al, dx
        test al, 1                      ; data ready
        jz .sleep
        mov dx, PORT
        in al, dx
        mov [byte_read], al
        mov eax, 1                      ; write(1, byte, 1)
        mov edi, 1
        mov esi, byte_read
        mov edx, 1
        syscall
.sleep: mov eax, 35                     ; nanosleep(pause, nothing)
        mov edi, pause
        xor esi, esi
        syscall
        jmp .wait

section .data
pause:  dq 0, 10000000

section .bss
byte_read: resb 1

; A kernel that tries the launcher, with nothing of Martlet in it. It prints its command line and its modules' strings as
; it got them, then ends as the word "end=" of the command line wishes:
;   end=NUMBER  with that status, of at most three digits      end=panic   with a backtrace and status 12
;   end=error   with an error message and status 4             end=silent  without a word
;   end=hang    never                                          end=fault   in a triple fault
;   end=reset   in a reset of the machine                      end=echo    when COM1 received a "q", each byte printed

bits 32

section .multiboot
align 4
        dd 0x1BADB002, 0, -0x1BADB002

section .text
global start
start:  mov esp, stack
        mov dx, 0x2FB                   ; eight bits: out of reset Bochs sends five
        mov al, 3
        out dx, al
        mov dx, 0x3FB
        out dx, al
        mov ebp, ebx                    ; the multiboot information
        in al, 0xE9
        cmp al, 0xE9                    ; only Bochs's port reads so
        sete [on_bochs]
        mov esi, command_line
        call print
        mov esi, [ebp + 16]
        call print_words
        mov ecx, [ebp + 20]
        mov edi, [ebp + 24]
.module:
        jecxz .end
        mov esi, module
        call print
        mov esi, [edi + 8]
        call print_words
        add edi, 16
        dec ecx
        jmp .module

.end:   mov edi, [ebp + 16]             ; find "end="
.find:  cmp byte [edi], 0
        je power_off
        cmp dword [edi], "end="
        lea edi, [edi + 1]
        jne .find
        add edi, 3
        cmp dword [edi], "hang"
        je hang
        cmp dword [edi], "sile"
        je power_off
        cmp dword [edi], "faul"
        je fault
        cmp dword [edi], "rese"
        je reset
        cmp dword [edi], "erro"
        je error
        cmp dword [edi], "echo"
        je echo
        cmp dword [edi], "pani"
        je panic
        mov esi, status
        call report
.digit: mov al, [edi]
        inc edi
        cmp al, '0'
        jb .words
        cmp al, '9'
        ja .words
        call report_byte
        jmp .digit
.words: mov esi, as_wished
        call report

power_off:                              ; each machine has its own port for it
        mov esi, shutdown
        mov edx, 0x8900
        mov ecx, 8
        rep outsb
        xor eax, eax
        out 0xF4, al
hang:   pause
        jmp hang

fault:  lidt [no_interrupts]
        ud2

reset:  mov edx, 0xCF9                  ; by the chipset's reset control
        mov al, 2
        out dx, al
        mov al, 6
        out dx, al
        jmp hang

echo:   mov dx, 0x3FB                   ; 115200 bits a second, 8 of them a byte, FIFO on
        mov al, 0x83
        out dx, al
        mov dx, 0x3F8
        mov al, 1
        out dx, al
        inc dx
        xor al, al
        out dx, al
        mov dx, 0x3FB
        mov al, 3
        out dx, al
        dec dx
        mov al, 7
        out dx, al
.ask:   mov esi, question
        call print
.wait:  mov dx, 0x3FD
        in al, dx
        test al, 1
        jz .wait
        mov dx, 0x3F8
        in al, dx
        mov bl, al
        mov ah, al
        shr al, 4
        call .digit
        mov al, ah
        and al, 15
        call .digit
        mov al, 10
        call print_byte
        cmp bl, 10
        je .ask
        cmp bl, 'q'
        jne .wait
        mov esi, ended
        call report
        jmp power_off
.digit: movzx eax, ax
        mov ecx, eax
        and ecx, 15
        mov al, [digits + ecx]
        jmp print_byte

error:  mov esi, refusal
        call report
        jmp power_off

panic:  call panicking                  ; the line that the backtrace must name
        jmp power_off
panicking:
        mov esi, frame
        call report
        pop edi
        mov ecx, 8
.digit: rol edi, 4
        mov eax, edi
        and eax, 15
        mov al, [digits + eax]
        call report_byte
        loop .digit
        mov esi, panicked
        call report
        jmp power_off

print_words:                            ; esi: a string of the loader's, printed between brackets
        mov al, '['
        call print_byte
        call grub
        je .grub
        call print
        jmp .close
.grub:  lodsb                           ; undo GRUB's quoting: a backslash before \ ' ", quotes around blanks
        test al, al
        jz .close
        cmp al, '"'
        je .grub
        cmp al, '\'
        jne .print
        cmp byte [esi], '\'
        je .next
        cmp byte [esi], '"'
        je .next
        cmp byte [esi], "'"
        jne .print
.next:  lodsb
.print: call print_byte
        jmp .grub
.close: mov esi, closing
        jmp print

grub:   test dword [ebp], 1 << 9        ; equal: the loader says that it is GRUB
        jz .no
        mov eax, [ebp + 64]
        cmp dword [eax], "GRUB"
        ret
.no:    inc eax
        test esp, esp
        ret

print:  lodsb                           ; esi: a string that a zero ends
        test al, al
        jz .end
        call print_byte
        jmp print
.end:   ret

print_byte:
        cmp byte [on_bochs], 1
        jne .serial
        out 0xE9, al
        ret
.serial:
        mov dx, 0x3F8
        jmp send

report: lodsb
        test al, al
        jz .end
        call report_byte
        jmp report
.end:   ret

report_byte:
        mov dx, 0x2F8
send:   push eax                        ; al to the UART at dx
        add edx, 5
.wait:  in al, dx
        test al, 0x20
        jz .wait
        sub edx, 5
        pop eax
        out dx, al
        push eax
        add edx, 5
.sent:  in al, dx                       ; until it has left, since the machine may end next
        test al, 0x40
        jz .sent
        pop eax
        ret

section .data
command_line:   db "command line ", 0
module:         db "module ", 0
closing:        db "]", 10, 0
status:         db "status ", 0
as_wished:      db " as wished", 10, 0
refusal:        db "error the image is no image", 10, "status 4 refused", 10, 0
frame:          db "frame 0x", 0
panicked:       db 10, "status 12 panic", 10, 0
digits:         db "0123456789abcdef"
shutdown:       db "Shutdown"
question:       db "ready> ", 0
ended:          db "status 0 echoed", 10, 0
no_interrupts:  dw 0
                dd 0

section .bss
on_bochs:       resb 1
alignb 16
                resb 4096
stack:

; memset, memcpy, memmove and memcmp: the only external symbols that compiled Swift needs.

global memset
global memcpy
global memmove
global memcmp

section .text
; rdi = destination, esi = byte, rdx = count; returns the destination
memset:
    mov r8, rdi
    mov eax, esi
    mov rcx, rdx
    rep stosb
    mov rax, r8
    ret

; rdi = destination, rsi = source, rdx = count; returns the destination
memcpy:
    mov rax, rdi
    mov rcx, rdx
    shr rcx, 3                                          ; in words, and the rest in bytes
    rep movsq
    mov ecx, edx
    and ecx, 7
    rep movsb
    ret

; as memcpy, for ranges that may overlap
memmove:
    mov rax, rdi
    mov rcx, rdx
    mov r8, rdi
    sub r8, rsi
    cmp r8, rdx
    jb .backwards                                       ; the destination starts inside the source
    jmp memcpy
.backwards:
    lea rdi, [rdi + rdx - 1]
    lea rsi, [rsi + rdx - 1]
    std
    rep movsb
    cld
    ret

; rdi, rsi = two ranges, rdx = count; returns 0 if they are equal, else a number with the sign of the first difference
memcmp:
    mov rcx, rdx
    xor eax, eax                                        ; and ZF, for a count of 0
    repe cmpsb
    je .end
    movzx eax, byte [rdi - 1]
    movzx ecx, byte [rsi - 1]
    sub eax, ecx
.end:
    ret

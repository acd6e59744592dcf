; vectors SEED SECONDS: computes with x87 and AVX for that time, with results that are known; prints "vectors SEED right"
; or "vectors SEED WRONG". A static program for Linux. Two of them at once show whether the registers of one ever reach the other: all sixteen
; vector registers and the x87 stack hold values of this process's seed all the time.

section .text
global _start
_start: mov rsi, [rsp + 16]
        mov [name], rsi
        call number
        mov r12, rax                    ; seed
        mov rsi, [rsp + 24]
        call number
        mov rbp, rax                    ; seconds, then the time to end at
        call time
        add rbp, rax
        xor r13d, r13d                  ; rounds

        mov eax, 1                      ; AVX, and its state switched by the system?
        cpuid
        and ecx, 0x18000000
        xor r14d, r14d
        cmp ecx, 0x18000000
        sete r14b

        cvtsi2sd xmm0, r12              ; exact: small whole numbers
        movsd [seed], xmm0
        finit
        xor ebx, ebx
.fill:  mov rax, r12                    ; register n holds the whole numbers seed * 100 + n
        imul rax, 100
        add rax, rbx
        cvtsi2sd xmm0, rax
        mov edi, ebx
        shl edi, 5
        add edi, table
        movsd [rdi], xmm0
        movsd [rdi + 8], xmm0
        movsd [rdi + 16], xmm0
        movsd [rdi + 24], xmm0
        inc ebx
        cmp ebx, 16
        jb .fill
        call load

.round: fld qword [seed]                ; x87: ((seed + seed) * seed - seed) / seed = 2 * seed - 1, exactly
        fld st0
        fadd st0, st1
        fmul st0, st1
        fsub st0, st1
        fdiv st0, st1
        mov ecx, 2000                   ; time to be interrupted with all registers in use
.spin:  dec ecx
        jnz .spin
        fistp qword [result]
        fstp st0
        lea rax, [2 * r12 - 1]
        cmp rax, [result]
        jne wrong
        call add_one
        inc r13
        test r13d, 63
        jnz .round
        call time
        cmp rax, rbp
        jb .round

        call store                      ; every lane must now be seed * 100 + n + rounds
        xor ebx, ebx
.check: mov rax, r12
        imul rax, 100
        add rax, rbx
        add rax, r13
        cvtsi2sd xmm0, rax
        movq rdx, xmm0
        mov edi, ebx
        shl edi, 5
        add edi, table
        mov ecx, 4
        test r14d, r14d
        jnz .lane
        mov ecx, 2
.lane:  cmp rdx, [rdi]
        jne wrong
        add edi, 8
        dec ecx
        jnz .lane
        inc ebx
        cmp ebx, 16
        jb .check
        mov ebx, right_words
        jmp tell
wrong:  mov ebx, wrong_words
tell:   mov esi, first_words
        call print
        mov rsi, [name]
        call print
        mov esi, ebx
        call print
        mov eax, 60                     ; exit(0 if right)
        xor edi, edi
        cmp ebx, right_words
        setne dil
        syscall

%include "print.inc"
section .text

time:   mov eax, 201                    ; time(nothing), in whole seconds
        xor edi, edi
        syscall
        ret

number: xor eax, eax                    ; rsi: digits
.next:  movzx edx, byte [rsi]
        sub edx, '0'
        jb .end
        inc rsi
        imul rax, rax, 10
        add rax, rdx
        jmp .next
.end:   ret

%macro each 2                           ; 256 bits with AVX, 128 without
        test r14d, r14d
        jz %%narrow
%assign n 0
%rep 16
        %1
%assign n n + 1
%endrep
        ret
%%narrow:
%assign n 0
%rep 16
        %2
%assign n n + 1
%endrep
        ret
%endmacro

%macro load_wide 0
        vmovupd ymm %+ n, [table + 32 * n]
%endmacro
%macro load_narrow 0
        movupd xmm %+ n, [table + 32 * n]
%endmacro
%macro store_wide 0
        vmovupd [table + 32 * n], ymm %+ n
%endmacro
%macro store_narrow 0
        movupd [table + 32 * n], xmm %+ n
%endmacro
%macro add_wide 0
        vaddpd ymm %+ n, ymm %+ n, [ones]
%endmacro
%macro add_narrow 0
        addpd xmm %+ n, [ones]
%endmacro

load:    each load_wide, load_narrow
store:   each store_wide, store_narrow
add_one: each add_wide, add_narrow

section .data
first_words:    db "vectors ", 0
right_words:    db " right", 10, 0
wrong_words:    db " WRONG", 10, 0
align 32
ones:   dq 1.0, 1.0, 1.0, 1.0

section .bss
name:   resq 1
seed:   resq 1
result: resq 1
alignb 32
table:  resb 16 * 32

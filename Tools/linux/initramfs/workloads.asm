; workloads: what memory costs a system. Runs each workload of `rows`, or those that are named, in order, and prints "row NAME N", N
; being the ticks of the time-stamp counter that one round took: instructions, where a tick is one. A static program for Linux.
; The rows are those of UnixBench in kind, and the page-touching program of the literature.

%define READ 0
%define WRITE 1
%define OPEN 2
%define CLOSE 3
%define LSEEK 8
%define MMAP 9
%define MPROTECT 10
%define MUNMAP 11
%define PIPE 22
%define MADVISE 28
%define FORK 57
%define VFORK 58
%define EXECVE 59
%define EXIT 60
%define WAIT4 61
%define UNLINK 87
%define GETPPID 110

%define AREA (64 << 20)
%define PAGES (AREA / 4096)

; kernel NUMBER, ARGUMENT...: a system call that has to succeed; what it returns is in rax.
%macro kernel 1-7
%if %0 > 1
%ifnempty %2
        mov rdi, %2
%endif
%endif
%if %0 > 2
        mov rsi, %3
%endif
%if %0 > 3
        mov rdx, %4
%endif
%if %0 > 4
        mov r10, %5
%endif
%if %0 > 5
        mov r8, %6
%endif
%if %0 > 6
        mov r9, %7
%endif
        mov eax, %1
        syscall
        test rax, rax
        js failed
%endmacro

section .text
global _start
_start: lea r15, [rsp + 8]
        cmp qword [r15 + 8], 0
        je .all
.named: add r15, 8
        mov rbx, [r15]
        test rbx, rbx
        jz leave
        mov r12, rows
.look:  mov rdi, [r12]
        test rdi, rdi
        jz failed
        mov rsi, rbx
.same:  mov al, [rsi]
        cmp al, [rdi]
        jne .next
        inc rsi
        inc rdi
        test al, al
        jnz .same
        call measure
        jmp .named
.next:  add r12, 24
        jmp .look

.all:   mov r12, rows
.each:  cmp qword [r12], 0
        je leave
        call measure
        add r12, 24
        jmp .each

leave:  xor edi, edi
        mov eax, EXIT
        syscall

failed: mov rsi, word_failed
        call print
        mov edi, 1
        mov eax, EXIT
        syscall

; Runs the workload of row r12: name, procedure, rounds. The procedure says begin and end where its rounds begin and end.
measure:
        push r12
        call [r12 + 8]
        pop r12
        mov rsi, word_row
        call print
        mov rsi, [r12]
        call print
        mov rax, [ended]
        sub rax, [begun]
        xor edx, edx
        div qword [r12 + 16]
        call decimal
        dec rsi
        mov byte [rsi], ' '
        jmp print

%include "print.inc"
section .text

%macro begin 0
        rdtsc
        shl rdx, 32
        or rax, rdx
        mov [begun], rax
%endmacro
%macro end 0
        rdtsc
        shl rdx, 32
        or rax, rdx
        mov [ended], rax
%endmacro

; Computing: whole numbers, text and branches; then floating-point numbers.

integers:
        begin
        mov ebx, 20000
.round: mov esi, text
        xor eax, eax
        mov ecx, 64
.byte:  movzx edx, byte [rsi]
        inc rsi
        imul eax, 31
        add eax, edx
        test al, 1
        jz .even
        xor eax, 0x5A
.even:  dec ecx
        jnz .byte
        dec ebx
        jnz .round
        end
        ret

floats: begin
        mov ebx, 20000
        movsd xmm0, [one]
        movsd xmm1, [one]
.round: mov ecx, 16
.step:  addsd xmm0, xmm1
        mulsd xmm1, [most]
        sqrtsd xmm2, xmm0
        divsd xmm0, xmm2
        dec ecx
        jnz .step
        dec ebx
        jnz .round
        end
        ret

; Memory: 64 MiB page by page, twice, and at random; an area taken and given back; a page that may not be written, and may.

touch:  call map
        mov ecx, PAGES
        begin
.page:  mov byte [rbx], 1
        add rbx, 4096
        dec ecx
        jnz .page
        end
        ret
map:    mov rbx, [area]
        test rbx, rbx
        jnz .there
        kernel MMAP, 0, AREA, 3, 0x22, -1, 0
        mov [area], rax
        kernel MADVISE, [area], AREA, 15 ; pages of 4 KiB
        mov rbx, [area]
.there: ret

random: call map
        mov esi, 100000
        mov edi, 1
        begin
.round: imul edi, 1103515245
        add edi, 12345
        mov eax, edi
        shr eax, 4
        and eax, AREA - 1
        inc byte [rbx + rax]
        dec esi
        jnz .round
        end
        ret

protect:
        call map
        mov ebx, 500
        begin
.round: kernel MPROTECT, [area], 4096, 1
        kernel MPROTECT, [area], 4096, 3
        mov rax, [area]
        inc byte [rax]
        dec ebx
        jnz .round
        end
        ret

unmap:  call map
        begin
        kernel MUNMAP, [area], AREA
        end
        mov qword [area], 0
        ret

; The kernel: a call, a pipe, two processes that wait for each other, processes made.

call:   mov ebx, 10000
        begin
.round: kernel GETPPID
        dec ebx
        jnz .round
        end
        ret

pipe:   kernel PIPE, first
        mov ebx, 4000
        begin
.round: mov edi, [first + 4]
        kernel WRITE, , buffer, 512
        mov edi, [first]
        kernel READ, , buffer, 512
        dec ebx
        jnz .round
        end
        ret

switch: kernel PIPE, first
        kernel PIPE, second
        kernel FORK
        test rax, rax
        jz .child
        mov ebx, 2000
        begin
.round: mov edi, [first + 4]
        kernel WRITE, , buffer, 4
        mov edi, [second]
        kernel READ, , buffer, 4
        dec ebx
        jnz .round
        end
        kernel WAIT4, -1, 0, 0, 0
        ret
.child: mov ebx, 2000
.answer:
        mov edi, [first]
        kernel READ, , buffer, 4
        mov edi, [second + 4]
        kernel WRITE, , buffer, 4
        dec ebx
        jnz .answer
        jmp leave

fork:   mov ebx, 200
        begin
.round: kernel FORK
        test rax, rax
        jz leave
        kernel WAIT4, -1, 0, 0, 0
        dec ebx
        jnz .round
        end
        ret

exec:   mov ebx, 200
        mov rdi, path_true
        mov rsi, arguments_true
        jmp programs
; One program after the other: rdi its path, rsi its arguments, ebx how many.
programs:
        mov r12, rdi
        mov r13, rsi
        begin
.round: call start
        kernel WAIT4, -1, 0, 0, 0
        dec ebx
        jnz .round
        end
        ret
start:  mov eax, VFORK                  ; both of them have one stack: what is on it stays in a register
        pop r14
        syscall
        push r14
        test rax, rax
        js failed
        jz .child
        ret
.child: kernel EXECVE, r12, r13, 0      ; which does not come back

shell1: mov ebx, 8
        mov rdi, path_shell
        mov rsi, arguments_shell
        jmp programs
shell8: mov r12, path_shell
        mov r13, arguments_shell
        begin
        mov ebx, 8
.start: call start
        dec ebx
        jnz .start
        mov ebx, 8
.wait:  kernel WAIT4, -1, 0, 0, 0
        dec ebx
        jnz .wait
        end
        ret

; Copies of a file in memory: ebx bytes at a time.

copy256:
        mov ebx, 256
        mov r13d, 1024
        jmp copy
copy1024:
        mov ebx, 1024
        mov r13d, 1024
        jmp copy
copy4096:
        mov ebx, 4096
        mov r13d, 1024
copy:   kernel OPEN, path_source, 0x242, 0o600
        mov [first], eax
        kernel OPEN, path_copy, 0x242, 0o600
        mov [second], eax
        mov r12d, r13d
.fill:  mov edi, [first]
        kernel WRITE, , buffer, rbx
        dec r12d
        jnz .fill
        mov edi, [first]
        kernel LSEEK, , 0, 0
        begin
.round: mov edi, [first]
        kernel READ, , buffer, rbx
        mov edi, [second]
        kernel WRITE, , buffer, rbx
        dec r13d
        jnz .round
        end
        mov edi, [first]
        kernel CLOSE
        mov edi, [second]
        kernel CLOSE
        kernel UNLINK, path_source
        kernel UNLINK, path_copy
        ret

section .rodata
%macro row 3
        dq %%name, %2, %3
[section .strings]
%%name: db %1, 0
__SECT__
%endmacro
section .strings progbits alloc noexec nowrite
section .rodata
align 8
rows:   row "integers", integers, 20000
        row "floats", floats, 20000
        row "touch", touch, PAGES
        row "touch-again", touch, PAGES
        row "random", random, 100000
        row "protect", protect, 500
        row "unmap", unmap, PAGES
        row "call", call, 10000
        row "pipe", pipe, 4000
        row "switch", switch, 4000
        row "fork", fork, 200
        row "exec", exec, 200
        row "copy-256", copy256, 1024
        row "copy-1024", copy1024, 1024
        row "copy-4096", copy4096, 1024
        row "shell-1", shell1, 8
        row "shell-8", shell8, 8
        dq 0
arguments_true: dq path_true, 0
arguments_shell: dq path_shell, path_script, 0
one:    dq 1.0
most:   dq 0.999
path_true: db "/bin/true", 0
path_shell: db "/bin/sh", 0
path_script: db "/scripts/texts", 0
path_source: db "/tmp/source", 0
path_copy: db "/tmp/copy", 0
word_row: db "row ", 0
word_failed: db "workloads: a system call failed", 10, 0

section .data
text:   times 8 db "memory, "

section .bss
align 4096
buffer: resb 4096
begun:  resq 1
ended:  resq 1
area:   resq 1
first:  resd 2
second: resd 2

; Starts Linux on a machine without Martlet as Martlet starts it in a guest: by the 64-bit entry of the boot protocol
; (Linux documentation, "The Linux/x86 Boot Protocol"), with the machine's own memory map and firmware. A multiboot 1
; kernel, whose modules are the Linux kernel (its words are the command line) and the initramfs. The time stamp at the
; entry is left in the last word of the boot parameters, where /sys/kernel/boot_params/data shows it.

KERNEL equ 0x1000000

bits 32

section .multiboot
align 4
        dd 0x1BADB002, 3, -0x1BADB002 - 3

section .text
global start
start:  mov esp, stack
        mov ebp, ebx                    ; the multiboot information
        cld
        mov ebx, [ebp + 24]             ; the modules
        mov esi, [ebx]                  ; the kernel's file; its header is copied as far as its length byte says
        mov edx, esi
        movzx ecx, byte [esi + 0x201]
        add ecx, 0x202 - 0x1F1
        add esi, 0x1F1
        mov edi, parameters + 0x1F1
        rep movsb
        mov byte [parameters + 0x210], 0xFF
        mov dword [parameters + 0x228], line

        mov esi, [ebx + 8]              ; command line: what follows the module's name
.name:  lodsb
        test al, al
        jz .none
        cmp al, ' '
        jne .name
        mov edi, line
.line:  lodsb
        stosb
        test al, al
        jnz .line
.none:
        mov eax, [ebp + 8]              ; the initramfs, to the end of memory below 4 GiB
        add eax, 1024
        shl eax, 10
        mov ecx, [ebx + 20]
        sub ecx, [ebx + 16]
        mov [parameters + 0x21C], ecx
        sub eax, ecx
        sub eax, 0x20000                ; what the firmware keeps there
        and eax, ~0xFFF
        mov [parameters + 0x218], eax
        mov esi, [ebx + 16]
        mov edi, eax
        rep movsb

        mov esi, edx                    ; the kernel proper; source and target may overlap, so from its end
        movzx eax, byte [esi + 0x1F1]
        inc eax
        shl eax, 9
        add esi, eax
        mov ecx, [ebx + 4]
        sub ecx, esi
        mov edi, KERNEL
        lea esi, [esi + ecx - 1]
        lea edi, [edi + ecx - 1]
        std
        rep movsb
        cld

        mov esi, [ebp + 48]             ; memory map
        mov ecx, [ebp + 44]
        add ecx, esi
        mov edi, parameters + 0x2D0
.area:  cmp esi, ecx
        jae .areas
        mov edx, [esi]
        push ecx
        push esi
        add esi, 4
        mov ecx, 5
        rep movsd
        pop esi
        pop ecx
        lea esi, [esi + edx + 4]
        inc byte [parameters + 0x1E8]
        jmp .area
.areas:
        mov dword [tables], tables + 0x1003
        mov edi, tables + 0x1000
        mov eax, tables + 0x2003
        mov ecx, 4
.table: mov [edi], eax
        add edi, 8
        add eax, 0x1000
        loop .table
        mov edi, tables + 0x2000
        mov eax, 0x83
        mov ecx, 2048
.page:  mov [edi], eax
        add edi, 8
        add eax, 0x200000
        loop .page

        mov eax, cr4
        or eax, 0x20                    ; PAE
        mov cr4, eax
        mov eax, tables
        mov cr3, eax
        mov ecx, 0xC0000080             ; EFER.LME
        rdmsr
        or eax, 0x100
        wrmsr
        lgdt [descriptors.pointer]
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        jmp 0x10:.long
bits 64
.long:  mov eax, 0x18
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov esi, parameters
        rdtsc
        shl rdx, 32
        or rax, rdx
        mov [parameters + 0xFF8], rax
        mov eax, KERNEL + 0x200
        jmp rax

section .data
align 8
descriptors:
        dq 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
.pointer:
        dw $ - descriptors - 1
        dd descriptors

section .bss
alignb 4096
parameters:     resb 4096
tables:         resb 6 * 4096           ; 4 GiB to themselves, in pages of 2 MiB
line:           resb 4096
                resb 4096
stack:

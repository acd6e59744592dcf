; From the loader's 32-bit protected mode to 64-bit mode, and into Swift.
; SDM volume 3, 11.8.5 "Initializing IA-32e Mode".

global multiboot_entry
extern image_main
extern main_stack_top

CR0_PG   equ 1 << 31
CR0_EM   equ 1 << 2
CR0_TS   equ 1 << 3
CR0_WP   equ 1 << 16
CR0_NW   equ 1 << 29
CR0_CD   equ 1 << 30
CR4_PAE  equ 1 << 5
EFER     equ 0xC0000080
EFER_LME equ 1 << 8
PRESENT_WRITABLE equ 3
LARGE    equ 1 << 7
LONG_MODE_FEATURE equ 1 << 29                           ; CPUID.80000001H:EDX

bits 32
section .boot32 progbits alloc exec nowrite align=16
multiboot_entry:
    cli
    cld
    mov esp, main_stack_top
    mov edi, eax                                        ; the loader's magic
    mov esi, ebx                                        ; its information structure
    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000001
    jb no_long_mode
    mov eax, 0x80000001
    cpuid
    test edx, LONG_MODE_FEATURE
    jz no_long_mode

    ; The first 4 GiB, each address mapped to itself by 2 MiB pages, until Swift builds the real tables.
    mov eax, boot_pdpt + PRESENT_WRITABLE
    mov [boot_pml4], eax
    mov eax, boot_directories + PRESENT_WRITABLE
    mov ecx, 4
    mov ebx, boot_pdpt
.directory:
    mov [ebx], eax
    add eax, 4096
    add ebx, 8
    loop .directory
    mov eax, LARGE | PRESENT_WRITABLE
    mov ecx, 4 * 512
    mov ebx, boot_directories
.page:
    mov [ebx], eax
    add eax, 2 << 20
    add ebx, 8
    loop .page

    mov eax, CR4_PAE                                    ; and nothing else that the loader may have left
    mov cr4, eax
    mov eax, boot_pml4
    mov cr3, eax
    mov ecx, EFER
    rdmsr
    or eax, EFER_LME
    wrmsr
    mov eax, cr0
    and eax, ~(CR0_CD | CR0_NW | CR0_EM | CR0_TS)       ; the loader leaves these undefined, and some firmware leaves the caches off
    or eax, CR0_PG | CR0_WP
    mov cr0, eax
    lgdt [boot_gdt_pointer]
    jmp 8:long_mode_entry

; Without long mode there is no Swift: says so on COM1 and on port 0xE9, and stops.
no_long_mode:
    mov esi, no_long_mode_text
.next:
    lodsb
    test al, al
    jz .stop
    out 0xE9, al
    mov bl, al
    mov dx, 0x3FD
    mov ecx, 100000                                     ; a machine without a UART must not hang here
.wait:
    in al, dx
    test al, 0x20
    loopz .wait
    mov dx, 0x3F8
    mov al, bl
    out dx, al
    jmp .next
.stop:
    hlt
    jmp .stop

bits 64
long_mode_entry:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rsp, main_stack_top
    mov edi, edi                                        ; clear the upper halves: the two arguments of the main function
    mov esi, esi
    xor ebp, ebp                                        ; ends every backtrace
    call image_main
.stop:
    cli
    hlt
    jmp .stop

section .rodata
no_long_mode_text: db "martlet: error: this processor has no 64-bit mode (long mode); Martlet needs an x86-64 processor", 13, 10, 0
align 8
boot_gdt:
    dq 0
    dq 0x00AF9B000000FFFF                               ; 64-bit code
    dq 0x00CF93000000FFFF                               ; data
boot_gdt_pointer:
    dw $ - boot_gdt - 1
    dd boot_gdt

section .bss align=4096
boot_pml4: resb 4096
boot_pdpt: resb 4096
boot_directories: resb 4 * 4096

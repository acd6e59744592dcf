; The headers by which a boot loader recognizes the kernel: multiboot 1 and multiboot 2 in one image.
; QEMU takes an ELF64 image only through the multiboot1 address fields (flags bit 16).

extern multiboot_entry
extern image_start
extern image_load_end
extern image_end

MULTIBOOT1_MAGIC equ 0x1BADB002
MULTIBOOT1_FLAGS equ (1 << 16) | (1 << 1) | (1 << 0)    ; address fields, memory map, modules on page boundaries
MULTIBOOT2_MAGIC equ 0xE85250D6

section .multiboot progbits alloc exec nowrite align=8
align 8
multiboot1_header:
    dd MULTIBOOT1_MAGIC
    dd MULTIBOOT1_FLAGS
    dd -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)
    dd multiboot1_header
    dd image_start
    dd image_load_end
    dd image_end
    dd multiboot_entry

align 8
multiboot2_header:
    dd MULTIBOOT2_MAGIC
    dd 0                                                ; architecture: i386, protected mode
    dd multiboot2_header_end - multiboot2_header
    dd -(MULTIBOOT2_MAGIC + (multiboot2_header_end - multiboot2_header))
align 8
    dw 2, 0                                             ; address
    dd 24
    dd multiboot2_header
    dd image_start
    dd image_load_end
    dd image_end
align 8
    dw 3, 0                                             ; entry address
    dd 12
    dd multiboot_entry
align 8
    dw 6, 0                                             ; modules on page boundaries
    dd 8
align 8
    dw 0, 0                                             ; end
    dd 8
multiboot2_header_end:

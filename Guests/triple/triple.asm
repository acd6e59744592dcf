; Shows: the exit for a triple fault. With an empty IDT the first exception has no handler, nor has
; the double fault that follows, and the processor shuts down.

        org     0x100000
        bits    32

%include "multiboot.inc"

        MULTIBOOT_HEADER

start:
        lidt    [empty_idt]
        ud2

section .data
empty_idt:
        dw      0
        dd      0

        MULTIBOOT_END

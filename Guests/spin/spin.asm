; Shows: what bounds a guest that never exits by itself, with its interrupts off (the VMX-preemption
; timer).

        org     0x100000
        bits    32

%include "multiboot.inc"

        MULTIBOOT_HEADER

start:
        jmp     start

        MULTIBOOT_END

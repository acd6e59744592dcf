; An ELF32 multiboot image made by hand, good or broken in one way: nasm -f bin -DVARIANT=n.
;   0 good   1 wrong machine   2 segments overlap   3 a segment outside RAM   4 a segment wraps
;   5 truncated program headers   6 truncated segment data   7 entry outside   8 not an executable   9 64 bits wide, good
;  10 ELF without a multiboot header   11 good: nothing of a segment in the file, behind whose end it lies
;  12 more of a segment in the file than in memory   13 good: high virtual addresses, a physical entry point
bits 32
%if VARIANT == 1
%define MACHINE 40
%else
%define MACHINE 3
%endif

file:
    db 0x7F, "ELF", 1, 1, 1
    times 9 db 0
    dw (VARIANT == 8 ? 3 : 2)
    dw MACHINE
    dd 1
    dd (VARIANT == 7 ? 0x500000 : 0x100000 + start - file)
    dd (VARIANT == 5 ? 0x100000 : headers - file)
    dd 0, 0
    dw 52, 32, 2, 0, 0, 0
headers:
    dd 1, 0, (VARIANT == 13 ? 0xC0100000 : 0x100000), 0x100000, (VARIANT == 6 ? 0x100000 : file_end - file), (VARIANT == 6 ? 0x100000 : file_end - file), 7, 4096
    dd 1, (VARIANT == 11 ? 0x5000 : 0)
%if VARIANT == 2
    dd 0x100010, 0x100010
%elif VARIANT == 3
    dd 0xC0000000, 0xC0000000
%elif VARIANT == 4
    dd 0xFFFFFF00, 0xFFFFFF00
%else
    dd 0x200000, 0x200000
%endif
%if VARIANT == 4
    dd 16, 0x1000, 7, 4096
%elif VARIANT == 11
    dd 0, 0x1000, 7, 4096
%elif VARIANT == 12
    dd 16, 8, 7, 4096
%else
    dd 16, 16, 7, 4096
%endif
align 4
%if VARIANT != 10
    dd 0x1BADB002, 0, -0x1BADB002
%endif
start:
    xor eax, eax
    out 0xF4, al
file_end:

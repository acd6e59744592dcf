; Shows: what a multiboot loader hands over. Its exits are those of printing (REP OUTSB).

        org     0x100000
        bits    32

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

        MULTIBOOT_HEADER

; Prints a name and the number at an offset of the information.
%macro PRINT_FIELD 2
        mov     esi, %1
        call    print
        mov     eax, [ebp + %2]
        call    print_decimal
        call    end_line
%endmacro

start:
        mov     esp, stack_top
        cld
        mov     ebp, ebx

        CHECK   1
        cmp     eax, MULTIBOOT_LOADER_MAGIC
        jne     failed

        CHECK   2                       ; everything printed below is there
        mov     eax, [ebp + multiboot.flags]
        not     eax
        test    eax, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9
        jnz     failed

        mov     esi, loader_text
        call    print
        mov     esi, [ebp + multiboot.loader_name]
        call    print_line
        mov     esi, command_line_text
        call    print
        mov     esi, [ebp + multiboot.command_line]
        call    print_line
        PRINT_FIELD lower_text, multiboot.mem_lower
        PRINT_FIELD upper_text, multiboot.mem_upper

        mov     edi, [ebp + multiboot.mmap_addr]
        mov     ebx, [ebp + multiboot.mmap_length]
        add     ebx, edi
.range: cmp     edi, ebx
        jae     .modules
        mov     esi, range_text
        call    print
        mov     eax, [edi + memory_range.base + 4]
        call    print_hex
        mov     esi, separator_text
        call    print
        mov     eax, [edi + memory_range.base]
        call    print_hex
        mov     esi, length_text
        call    print
        mov     eax, [edi + memory_range.length + 4]
        call    print_hex
        mov     esi, separator_text
        call    print
        mov     eax, [edi + memory_range.length]
        call    print_hex
        mov     esi, type_text
        call    print
        mov     eax, [edi + memory_range.type]
        call    print_decimal
        call    end_line
        add     edi, [edi + memory_range.size]
        add     edi, 4                  ; the size does not count itself
        jmp     .range

.modules:
        PRINT_FIELD modules_text, multiboot.mods_count
        mov     edi, [ebp + multiboot.mods_addr]
        mov     ebx, [ebp + multiboot.mods_count]
.module:
        sub     ebx, 1
        jc      succeeded
        mov     esi, module_text
        call    print
        mov     eax, [edi + multiboot_module.end]
        sub     eax, [edi + multiboot_module.start]
        call    print_decimal
        mov     esi, bytes_text
        call    print
        mov     ecx, eax                ; the first bytes, at most 8
        cmp     ecx, 8
        jbe     .short
        mov     ecx, 8
.short: mov     esi, [edi + multiboot_module.start]
.byte:  sub     ecx, 1
        jc      .string
        lodsb
        movzx   eax, al
        call    print_hex
        push    esi
        mov     esi, space_text
        call    print
        pop     esi
        jmp     .byte
.string:
        mov     esi, string_text
        call    print
        mov     esi, [edi + multiboot_module.string]
        call    print_line
        add     edi, multiboot_module_size
        jmp     .module

print_line:                             ; the string at ESI, then a newline
        call    print
end_line:
        push    esi
        mov     esi, newline_text
        call    print
        pop     esi
        ret

%include "console.inc"
%include "outcome.inc"

section .data
guest_name:             db "info", 0
loader_text:            db "loader: ", 0
command_line_text:      db "command line: ", 0
lower_text:             db "lower memory in KiB: ", 0
upper_text:             db "upper memory in KiB: ", 0
range_text:             db "memory 0x", 0
length_text:            db ", length 0x", 0
separator_text:         db ":", 0
type_text:              db ", type ", 0
modules_text:           db "modules: ", 0
module_text:            db "module of ", 0
bytes_text:             db " bytes: ", 0
string_text:            db "... ", 0
space_text:             db " ", 0
newline_text:           db 10, 0

section .bss
                resb 4096
stack_top:

        MULTIBOOT_END

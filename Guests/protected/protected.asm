; Shows: what a 32-bit guest with paging does without an exit (page faults, CR3, CR4.PGE, CR0.WP,
; INVLPG, debug registers), and the exits it does have: CR0 access for paging, RDMSR of an unknown
; MSR, I/O instruction.
;
; An ELF32 multiboot image.

        bits    32

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

; The linear addresses: 0 to 4 MiB by small pages and 4 to 16 MiB by large ones are themselves;
; WINDOW is a table of small pages, all absent at first.
LARGE_PAGE      equ 0x400000
TOP             equ 4 * LARGE_PAGE
WINDOW          equ 0x40000000
DATA_SELECTOR   equ 0x10

global start

section .text

        MULTIBOOT_HEADER

start:
        mov     esp, stack_top
        cld
        mov     edi, ebx

        CHECK   1                       ; the multiboot state
        cmp     eax, MULTIBOOT_LOADER_MAGIC
        jne     failed
        pushfd
        pop     eax
        test    eax, FLAGS_IF
        jnz     failed
        mov     eax, cr0
        and     eax, CR0_PG | CR0_PE
        cmp     eax, CR0_PE
        jne     failed

        CHECK   2                       ; the multiboot information: memory, command line
        mov     eax, [edi + multiboot.flags]
        not     eax
        test    eax, 1 << 0 | 1 << 2 | 1 << 6 | 1 << 9
        jnz     failed
        cmp     dword [edi + multiboot.mem_upper], (TOP - IMAGE_BASE) / 1024
        jb      failed
        mov     eax, [edi + multiboot.command_line]
        cmp     byte [eax], 0
        je      failed

        CHECK   3                       ; ... the loader's name
        mov     esi, [edi + multiboot.loader_name]
        cmp     dword [esi], "Mart"
        jne     failed
        cmp     dword [esi + 4], "let"  ; with the zero after it
        jne     failed

        CHECK   4                       ; ... the memory map: RAM from 1 MiB to at least TOP
        mov     esi, [edi + multiboot.mmap_addr]
        mov     ecx, [edi + multiboot.mmap_length]
        add     ecx, esi                ; its end
.range: cmp     esi, ecx
        jae     failed
        mov     eax, [esi + memory_range.base]
        add     eax, [esi + memory_range.length]
        cmp     dword [esi + memory_range.type], 1
        jne     .next
        cmp     dword [esi + memory_range.base], IMAGE_BASE
        ja      .next
        cmp     eax, TOP
        jae     .found
.next:  add     esi, [esi + memory_range.size]
        add     esi, 4                  ; the size does not count itself
        jmp     .range
.found:
        CHECK   5                       ; paging, with large and small pages
        lgdt    [gdt_pointer]
        jmp     CODE_SELECTOR:.flush
.flush: mov     eax, DATA_SELECTOR
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        call    load_idt
        mov     edi, low_table          ; small pages for the first 4 MiB
        mov     eax, PRESENT | WRITABLE
.small: mov     [edi], eax
        add     edi, 4
        add     eax, 0x1000
        cmp     eax, LARGE_PAGE
        jb      .small
        mov     dword [directory], low_table + (PRESENT | WRITABLE)
        mov     dword [directory + 4], 1 * LARGE_PAGE + (PRESENT | WRITABLE | LARGE)
        mov     dword [directory + 8], 2 * LARGE_PAGE + (PRESENT | WRITABLE | LARGE)
        mov     dword [directory + 12], 3 * LARGE_PAGE + (PRESENT | WRITABLE | LARGE)
        mov     dword [directory + (WINDOW >> 20)], window_table + (PRESENT | WRITABLE)
        mov     eax, cr4
        or      eax, CR4_PSE
        mov     cr4, eax
        mov     eax, directory
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        mov     ebx, cr0
        cmp     eax, ebx
        jne     failed
        test    dword [directory], 1 << 5       ; the processor has set "accessed"
        jz      failed

        CHECK   6                       ; page faults: a read and a write of an absent page
        EXPECT_FAULT .read_fault
        mov     eax, [WINDOW + 0x123]
        jmp     failed
.read_fault:
        cmp     dword [fault_vector], PF_VECTOR
        jne     failed
        cmp     dword [fault_address], WINDOW + 0x123
        jne     failed
        cmp     dword [fault_error], 0
        jne     failed
        EXPECT_FAULT .write_fault
        mov     [WINDOW + 0x456], al
        jmp     failed
.write_fault:
        cmp     dword [fault_address], WINDOW + 0x456
        jne     failed
        cmp     dword [fault_error], 2  ; a write
        jne     failed

        CHECK   7                       ; one frame through a large and a small page
        mov     dword [window_table], 2 * LARGE_PAGE + (PRESENT | WRITABLE)
        mov     dword [WINDOW], "seen"
        cmp     dword [2 * LARGE_PAGE], "seen"
        jne     failed

        CHECK   8                       ; INVLPG, then a reload of CR3
        mov     dword [3 * LARGE_PAGE], "next"
        mov     dword [window_table], 3 * LARGE_PAGE + (PRESENT | WRITABLE)
        invlpg  [WINDOW]
        cmp     dword [WINDOW], "next"
        jne     failed
        mov     dword [window_table], 2 * LARGE_PAGE + PRESENT  ; read-only now
        mov     eax, cr3
        mov     cr3, eax
        cmp     dword [WINDOW], "seen"
        jne     failed

        CHECK   9                       ; CR0.WP: off, the supervisor writes everywhere
        mov     eax, cr0
        and     eax, ~CR0_WP
        mov     cr0, eax
        mov     dword [WINDOW], "wp=0"
        cmp     dword [2 * LARGE_PAGE], "wp=0"
        jne     failed
        or      eax, CR0_WP
        mov     cr0, eax
        mov     ebx, cr0
        cmp     eax, ebx
        jne     failed
        EXPECT_FAULT .protected
        mov     dword [WINDOW], "wp=1"
        jmp     failed
.protected:
        cmp     dword [fault_error], 3  ; a write, a page that is present
        jne     failed
        cmp     dword [2 * LARGE_PAGE], "wp=0"
        jne     failed

        CHECK   10                      ; CR4 reads as written
        mov     eax, cr4
        mov     ebp, eax
        or      eax, CR4_PGE | CR4_DE | CR4_TSD
        mov     cr4, eax
        mov     ebx, cr4
        cmp     eax, ebx
        jne     failed
        mov     cr4, ebp
        mov     ebx, cr4
        cmp     ebp, ebx
        jne     failed

        CHECK   11                      ; the debug registers
        mov     eax, 0x12345678
        mov     dr0, eax
        not     eax
        mov     dr3, eax
        mov     ebx, dr0
        mov     ecx, dr3
        not     ecx
        cmp     ebx, 0x12345678
        jne     failed
        cmp     ecx, ebx
        jne     failed
        mov     eax, 0x400              ; all breakpoints off
        mov     dr7, eax
        mov     ebx, dr7
        cmp     eax, ebx
        jne     failed

        CHECK   12                      ; an unknown MSR
        EXPECT_FAULT .no_such_msr
        mov     ecx, UNKNOWN_MSR
        rdmsr
        jmp     failed
.no_such_msr:
        cmp     dword [fault_vector], GP_VECTOR
        jne     failed
        cmp     dword [fault_error], 0
        jne     failed
        jmp     succeeded

%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"

section .data
guest_name:     db "protected", 0
        align   8
gdt:    dq      0
        dq      0x00CF9B000000FFFF      ; CODE_SELECTOR
        dq      0x00CF93000000FFFF      ; DATA_SELECTOR
gdt_pointer:
        dw      gdt_pointer - gdt - 1
        dd      gdt

section .bss
        alignb  4096
directory:      resd 1024
low_table:      resd 1024
window_table:   resd 1024
                resb 4096
stack_top:

        MULTIBOOT_END

; Shows: what address spaces cost. Prints `row NAME VALUE`, the instructions of a round: pages touched for the first time and
; again, accesses at random in more and more memory, switches between 2 to 16 address spaces, and exits with a working set.
; With record=1 on the command line it does each once more and prints what it accessed, for Tools/mmu.
;
; It runs without Martlet (-DBARE) and under every MMU=. The addresses: 0 to 4 MiB itself; WINDOW all memory from 16 MiB on, by
; small pages; HOME, pages of each address space's own.

        org     0x100000
        bits    64

%define OWN_TABLES

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

KEEP_BIT        equ 63                  ; of a load of CR3: what is cached of its address space stays
CPUID_PCID      equ 1 << 17             ; leaf 1, ECX

WINDOW          equ 1 << 39             ; the second entry of a root
HOME            equ 2 << 39             ; the third
LOG             equ 0x200000            ; of what was accessed, up to 4 MiB
LOG_END         equ 0x400000
WINDOW_TABLES   equ 0x400000            ; no table is mapped: direct paging would not have it written to
WINDOW_DIRECTORY equ 0x600000
WINDOW_POINTERS equ 0x601000
LOW_DIRECTORY   equ 0x602000
LOW_POINTERS    equ 0x603000
SPACE_TABLES    equ 0x610000            ; of each address space: root, pointers, directory, table
SPACE_SIZE      equ 0x4000
HOME_MEMORY     equ 0xA00000
HOME_PAGES      equ 64
WINDOW_MEMORY   equ 0x1000000
LARGEST_WINDOW  equ 1 << 30
SPACES          equ 16
TOUCHED         equ 8                   ; pages after a switch

ACCESSES        equ 20000
SWITCHES        equ 4000
EXITS           equ 4000
RECORDED        equ 8000                ; accesses, or switches and exits by their accesses

ENTRY_RIGHTS    equ PRESENT | WRITABLE

        MULTIBOOT_HEADER

        bits    32
%include "direct.inc"

; Writes an entry at EDI with the address in EAX, and goes on to the next.
add_entry:
        push    eax
        add     eax, [base]
        or      eax, ENTRY_RIGHTS
        mov     [edi], eax
        mov     dword [edi + 4], 0
        add     edi, 8
        pop     eax
        ret

; ECX entries from EDI on, of what begins at EAX and is EDX apart.
add_entries:
        call    add_entry
        add     eax, edx
        loop    add_entries
        ret

build_tables:
        mov     esi, [multiboot_address]
        mov     eax, [esi + multiboot.mem_upper]
        shl     eax, 10
        sub     eax, WINDOW_MEMORY - 0x100000
        and     eax, -0x200000
        cmp     eax, LARGEST_WINDOW
        jbe     .size
        mov     eax, LARGEST_WINDOW
.size:  mov     [window_size], eax
        call    find_base
        mov     edi, WINDOW_TABLES
        xor     eax, eax
        mov     ecx, (SPACE_TABLES + SPACES * SPACE_SIZE - WINDOW_TABLES) / 4
        rep stosd
        mov     edx, 0x1000
        mov     edi, WINDOW_TABLES
        mov     eax, WINDOW_MEMORY
        mov     ecx, [window_size]
        shr     ecx, 12
        call    add_entries
        mov     edi, WINDOW_DIRECTORY
        mov     eax, WINDOW_TABLES
        mov     ecx, [window_size]
        shr     ecx, 21
        call    add_entries
        mov     edi, WINDOW_POINTERS
        mov     eax, WINDOW_DIRECTORY
        call    add_entry
        mov     edi, LOW_DIRECTORY
        mov     eax, LARGE
        call    add_entry
        mov     eax, 0x200000 | LARGE
        call    add_entry
        mov     edi, LOW_POINTERS
        mov     eax, LOW_DIRECTORY
        call    add_entry

        mov     ebx, SPACE_TABLES
        mov     ebp, HOME_MEMORY
.space: mov     edi, ebx
        mov     eax, LOW_POINTERS
        call    add_entry
        mov     eax, WINDOW_POINTERS
        call    add_entry
        lea     eax, [ebx + 0x1000]
        call    add_entry
        lea     edi, [ebx + 0x1000]
        lea     eax, [ebx + 0x2000]
        call    add_entry
        lea     edi, [ebx + 0x2000]
        lea     eax, [ebx + 0x3000]
        call    add_entry
        lea     edi, [ebx + 0x3000]
        mov     eax, ebp
        mov     ecx, HOME_PAGES
        call    add_entries
        mov     ebp, eax
        add     ebx, SPACE_SIZE
        cmp     ebx, SPACE_TABLES + SPACES * SPACE_SIZE
        jb      .space
        mov     eax, SPACE_TABLES
        add     eax, [base]
        ret

        bits    64
; Martlet knows the tables of the first address space. The others are registered, from below.
register_spaces:
        cmp     byte [is_direct], 0
        je      .end
        mov     r8d, 1
.space: mov     rbx, r8
        imul    rbx, rbx, SPACE_SIZE
        add     rbx, SPACE_TABLES + 0x4000
        add     rbx, [base]
        mov     ecx, 1
.level: sub     rbx, 0x1000
        mov     eax, HYPERCALL_REGISTER
        vmcall
        test    rax, rax
        jnz     failed
        inc     ecx
        cmp     ecx, 4
        jbe     .level
        mov     eax, HYPERCALL_PIN
        vmcall
        test    rax, rax
        jnz     failed
        inc     r8d
        cmp     r8d, SPACES
        jb      .space
.end:   ret

; ---- The workloads: without a log, and with one at R11 --------------------------------------------

%macro LOG_EVENT 1
%if logs
        mov     [r11], %1
        add     r11, 8
%endif
%endmacro

; %1: what their names begin with; %2: whether they log.
%macro WORKLOADS 2
%assign logs %2

%1_pages:                               ; EBP pages, one after the other
        mov     rbx, WINDOW
.next:  LOG_EVENT rbx
        mov     rax, [rbx]
        add     rbx, 0x1000
        dec     ebp
        jnz     .next
        ret

%1_random:                              ; EBP accesses in R13 bytes
        mov     r14, WINDOW
.next:  call    random
        lea     rbx, [r13 - 8]
        and     rbx, rax
        add     rbx, r14
        LOG_EVENT rbx
        mov     rax, [rbx]
        dec     ebp
        jnz     .next
        ret

%1_switches:                            ; EBP loads of CR3, among R13 roots from R12 on
        xor     r14d, r14d
.next:  mov     rax, [r12 + r14 * 8]
%if logs
        lea     rcx, [r14 + r14 + 1]
        LOG_EVENT rcx
%endif
        mov     cr3, rax
        mov     rbx, HOME
        mov     ecx, TOUCHED
.page:  LOG_EVENT rbx
        mov     rax, [rbx]
        add     rbx, 0x1000
        dec     ecx
        jnz     .page
        inc     r14
        cmp     r14, r13
        jb      .counted
        xor     r14d, r14d
.counted:
        dec     ebp
        jnz     .next
        ret

%1_exits:                               ; EBP exits, with R13 pages touched after each
        mov     rdi, WINDOW
.next:
%if logs
        mov     eax, 2
        LOG_EVENT rax
%endif
        xor     eax, eax
        cpuid
        mov     rsi, rdi
        mov     ecx, r13d
.page:  LOG_EVENT rsi
        mov     rax, [rsi]
        add     rsi, 0x1000
        dec     ecx
        jnz     .page
        dec     ebp
        jnz     .next
        ret
%endmacro

        WORKLOADS plain, 0
        WORKLOADS logged, 1

; ---- Measuring -----------------------------------------------------------------------------------

; Runs the workload at R15 with EBP rounds and prints a row named by the text at RSI, and the number in R10 if it is not 0.
measure:
        push    rsi
        mov     [rounds], rbp
        call    read_time
        push    rax
        call    r15
        call    read_time
        pop     rcx
        sub     rax, rcx
        xor     edx, edx
        div     qword [rounds]
        pop     rsi
        push    rax
        mov     edi, row_text
        call    print_name
        pop     rax
        mov     esi, space_text
        call    print
        call    print_decimal
        mov     esi, end_text
        jmp     print

print_name:                             ; EDI, RSI, and R10 if it is not 0
        xchg    rsi, rdi
        call    print
        mov     rsi, rdi
        call    print
        test    r10, r10
        jz      .end
        mov     rax, r10
        call    print_decimal
.end:   ret

; Runs the workload at R15 with a log, and prints that.
record: push    rsi
        mov     r11d, LOG
        call    r15
        pop     rsi
        mov     edi, run_text
        call    print_name
        mov     esi, end_text
        call    print
        mov     ebx, LOG
.event: cmp     rbx, r11
        jae     .end
        mov     rax, [rbx]
        add     rbx, 8
        mov     esi, exit_text
        cmp     rax, 2
        je      .word
        mov     esi, load_text
        shr     rax, 1
        jc      .number
        mov     esi, read_text
        shr     rax, 11
.number:
        call    print
        call    print_hex
        mov     esi, end_text
.word:  call    print
        jmp     .event
.end:   ret

main:   CHECK   1
        call    register_spaces
        mov     ecx, SPACES             ; what CR3 is loaded with
        mov     eax, SPACE_TABLES
        add     rax, [base]
        mov     edi, roots
.root:  mov     [rdi], rax
        lea     rbx, [rax + rcx]        ; RCX is the identifier
        bts     rbx, KEEP_BIT
        mov     [rdi + tagged_roots - roots], rbx
        add     rax, SPACE_SIZE
        add     edi, 8
        loop    .root

        CHECK   2                       ; the window
        xor     r10d, r10d
        mov     r15d, plain_pages
        mov     ebp, [window_size]
        shr     ebp, 12
        mov     esi, first_text
        call    measure
        mov     ebp, [window_size]
        shr     ebp, 12
        mov     esi, again_text
        call    measure
        mov     r15d, plain_random
        mov     r13d, 16 << 20
.random:
        cmp     r13, [window_size]
        ja      .exits
        mov     ebp, ACCESSES
        mov     r10, r13
        shr     r10, 20
        mov     esi, random_text
        call    measure
        shl     r13, 2
        jmp     .random

.exits: mov     r15d, plain_exits
        mov     r13d, 16
        mov     ebp, EXITS
        xor     r10d, r10d
        mov     esi, exits_text
        call    measure

        CHECK   3                       ; the address spaces
        mov     r15d, plain_switches
        mov     r12d, roots
        mov     ebx, switch_text
        call    measure_switches
        mov     rax, [roots]
        mov     cr3, rax
        call    open_identifiers
        jne     .record
        mov     r12d, tagged_roots
        mov     ebx, tagged_text
        call    measure_switches

.record:
        xor     eax, eax
        mov     esi, record_text
        call    option
        test    rax, rax
        jz      .end
        call    record_all
.end:   jmp     succeeded

measure_switches:                       ; between 2 to 16 address spaces; RBX: the row's name
        mov     r13d, 2
.next:  mov     ebp, SWITCHES
        mov     r10, r13
        mov     rsi, rbx
        push    rbx
        call    measure
        pop     rbx
        shl     r13d, 1
        cmp     r13d, SPACES
        jbe     .next
        ret

; Address spaces get identifiers, if the processor has any. ZF: it has. (Under direct paging each load drops all.)
open_identifiers:
        cmp     byte [is_direct], 0
        jne     .end
        mov     eax, 1
        cpuid
        not     ecx
        test    ecx, CPUID_PCID
        jnz     .end
        mov     rax, cr4
        or      eax, CR4_PCIDE
        mov     cr4, rax
        xor     eax, eax
.end:   ret

record_all:
        mov     esi, window_text        ; where its pages lie, for the model
        call    print
        mov     eax, [window_size]
        shr     eax, 12
        call    print_hex
        mov     esi, home_text
        call    print
        xor     r10d, r10d
        mov     r15d, logged_pages
        mov     ebp, RECORDED
        mov     esi, again_text
        call    record
        mov     r15d, logged_random
        mov     r13d, 16 << 20
.random:
        cmp     r13, [window_size]
        ja      .exits
        mov     ebp, RECORDED
        mov     r10, r13
        shr     r10, 20
        mov     esi, random_text
        call    record
        shl     r13, 2
        jmp     .random
.exits: mov     r15d, logged_exits
        mov     r13d, 16
        mov     ebp, RECORDED / 16
        xor     r10d, r10d
        mov     esi, exits_text
        call    record
        mov     r15d, logged_switches
        mov     r12d, roots
        mov     r13d, 2
.switches:
        mov     ebp, RECORDED / TOUCHED
        mov     r10, r13
        mov     esi, switch_text
        call    record
        shl     r13d, 1
        cmp     r13d, SPACES
        jbe     .switches
        ret

%include "random.inc"
%include "option.inc"
%include "hypercalls.inc"
%include "console.inc"
%include "time.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "longmode.inc"

section .data
guest_name:     db "spaces", 0
row_text:       db "row ", 0
run_text:       db "run ", 0
first_text:     db "touch", 0
again_text:     db "again", 0
random_text:    db "random-", 0
exits_text:     db "exits", 0
switch_text:    db "switch-", 0
tagged_text:    db "tagged-", 0
record_text:    db "record=", 0
window_text:    db "map 8000000 1000 ", 0
home_text:      db " 0", 10, "map 10000000 a00 40 40", 10, 0
load_text:      db "s ", 0
read_text:      db "r ", 0
exit_text:      db "x", 10, 0
space_text:     db " ", 0
end_text:       db 10, 0
        align   8
window_size:    dq 0
rounds:         dq 0
state:          dq 0x9E3779B97F4A7C15
roots:          times SPACES dq 0
tagged_roots:   times SPACES dq 0
        MULTIBOOT_END

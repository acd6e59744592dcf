; Shows: a guest that attacks direct paging (MMU=direct; Docs/Memory.md) with random hypercalls: page tables registered, unregistered,
; pinned, loaded and written to, with addresses of its own tables and pages, of Martlet's memory and of none, entries of all kinds,
; any level and any count. It works out itself what each call should answer (model.inc). A table that it can write to through any
; translation, or memory that is not what it should be, ends it.
;
; The command line may say seed=N and cases=N.
;
; The addresses: 0 to 4 MiB itself by small pages, 4 to 8 MiB itself by large ones. What lies above is whatever the cases make of it.

        org     0x100000
        bits    64

%define OWN_TABLES

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

DEFAULT_SEED    equ 1
DEFAULT_CASES   equ 20000
LOW_FRAMES      equ 12                  ; the frames of the cases: some in this image, the first of them the tables at the start,
HIGH_FRAMES     equ 12                  ; and some in the large page behind it, which can be mapped writable while none is a table
FRAMES          equ LOW_FRAMES + HIGH_FRAMES
HIGH_MEMORY     equ 0x300000
ROOT_FRAME      equ 0
POINTERS_FRAME  equ 1
DIRECTORY_FRAME equ 2
LOW_FRAME       equ 3                   ; the page table of the first 2 MiB
HIGH_FRAME      equ 4                   ; and of the second
HOME_LARGE      equ 4                   ; entries of the directory that this guest needs
HOME_END        equ HOME_LARGE << 21
MOST_PAIRS      equ 512                 ; that one call looks at
BATCH           equ MOST_PAIRS + 8
RECENT          equ 16                  ; addresses that are accessed again, by what the processor has cached
CHECK_EVERY     equ 32                  ; cases
SWEEP_EVERY     equ 256
SWEEP_BUDGET    equ 20000               ; entries

GLOBAL_PAGE     equ 1 << 8
ACCESSED_DIRTY  equ 3 << 5              ; the processor's
EXECUTE_DISABLE equ 63
ADDRESS_BITS    equ 0x000FFFFFFFFFF000
CPUID_PCID      equ 1 << 17             ; leaf 1, ECX
CPUID_1GIB      equ 1 << 26             ; leaf 80000001H, EDX
ERROR_PROTECTED equ 3                   ; of a page fault: a write to a page that is there
ERROR_WRITE     equ 2
ERROR_RESERVED  equ 9
MOV_TO_CR3      equ 14                  ; counted behind the functions

        MULTIBOOT_HEADER

        bits    32
%include "direct.inc"

build_tables:
        call    find_base
        mov     ebx, [base]
        mov     edi, low_table
        lea     eax, [ebx + PRESENT + WRITABLE]
        mov     ecx, 512
        call    .pages
        mov     edi, high_table
        mov     ecx, 512
        call    .pages
        mov     edi, low_frames
        shr     edi, 9
        mov     ecx, 5
.table: and     byte [low_table + edi], ~WRITABLE
        add     edi, 8
        loop    .table
        lea     edx, [ebx + PRESENT + WRITABLE]
        lea     eax, [edx + low_table]
        mov     [directory], eax
        lea     eax, [edx + high_table]
        mov     [directory + 8], eax
        lea     eax, [edx + 0x400000 + LARGE]
        mov     [directory + 16], eax
        add     eax, 0x200000
        mov     [directory + 24], eax
        lea     eax, [edx + directory]
        mov     [pointers], eax
        lea     eax, [edx + pointers]
        mov     [root], eax
        lea     eax, [ebx + root]
        ret
.pages: mov     [edi], eax
        add     edi, 8
        add     eax, 0x1000
        loop    .pages
        ret

        bits    64
main:   CHECK   1
        cmp     byte [is_direct], 0
        je      failed
        mov     rax, [page_count]
        shl     rax, 12
        mov     [ram_size], rax
        cmp     rax, HOME_END
        jb      failed
        OPTION  seed_text, DEFAULT_SEED, seed
        OPTION  cases_text, DEFAULT_CASES, cases

        mov     eax, 1
        cpuid
        mov     rax, cr4
        or      eax, CR4_PGE            ; some translations outlast loads of CR3, on a bare processor
        test    ecx, CPUID_PCID
        jz      .no_identifiers
        or      eax, CR4_PCIDE
        inc     byte [has_identifiers]
.no_identifiers:
        mov     cr4, rax
        mov     eax, 0x80000001
        cpuid
        test    edx, CPUID_1GIB
        setnz   [has_1gib]

        mov     ecx, IA32_EFER
        rdmsr
        or      eax, EFER_NXE
        wrmsr

        mov     byte [levels + ROOT_FRAME], 4
        mov     byte [pinned + ROOT_FRAME], 1
        mov     byte [levels + POINTERS_FRAME], 3
        mov     byte [levels + DIRECTORY_FRAME], 2
        mov     byte [levels + LOW_FRAME], 1
        mov     byte [levels + HIGH_FRAME], 1
        mov     rax, cr3
        mov     [loaded_cr3], rax
        xor     r12d, r12d
.copy:  call    copy_frame
        inc     r12d
        cmp     r12d, FRAMES
        jb      .copy

        CHECK   2
.case:  mov     rcx, [case_number]
        cmp     rcx, [cases]
        jae     .done
        mov     rax, [seed]
        call    begin_case
        mov     eax, OPERATIONS
        call    below
        call    [operations + rax * 8]
        mov     rax, [case_number]
        test    eax, CHECK_EVERY - 1
        jnz     .unchecked
        call    check_frames
.unchecked:
        test    dword [case_number], SWEEP_EVERY - 1
        jnz     .next
        call    sweep
.next:  inc     qword [case_number]
        jmp     .case

.done:  call    check_frames
        call    sweep
        mov     esi, done_text
        call    print
        mov     esi, seed_text
        mov     rax, [seed]
        call    tell
        mov     esi, blank_cases_text
        mov     rax, [cases]
        call    tell
        xor     ebx, ebx
.count: mov     rsi, [count_names + rbx * 8]
        mov     rax, [counts + rbx * 8]
        call    tell
        inc     ebx
        cmp     ebx, COUNTS
        jb      .count
        mov     esi, newline_text
        call    print
        jmp     succeeded

tell:   call    print
        jmp     print_decimal

; Something is wrong: RSI says what.
broken: push    rsi
        mov     esi, case_text
        mov     rax, [case_number]
        call    tell
        mov     esi, separator_text
        call    print
        pop     rsi
        call    print
        mov     esi, newline_text
        call    print
        jmp     failed

%include "cases.inc"
%include "model.inc"
%include "calls.inc"
%include "accesses.inc"

; ---- What a case does ----------------------------------------------------------------------------

; One call about a page, with any arguments.
register_any:
        call    some_address
        mov     rbx, rax
        call    some_level
        mov     rcx, rax
        jmp     call_register

unregister_any:
        call    some_address
        mov     rbx, rax
        jmp     call_unregister

pin_any:
        call    some_address
        mov     rbx, rax
        call    random
        and     eax, 1
        lea     edx, [rax + HYPERCALL_PIN]
        jmp     call_pin

; A root that lacks what this guest needs is loaded only if that is refused.
switch_any:
        mov     ecx, 8
.try:   mov     eax, FRAMES
        call    below
        cmp     byte [pinned + rax], 0
        jne     .pinned
        loop    .try
        call    some_address
        jmp     .address
.pinned:
        mov     eax, [places + rax * 4]
        add     rax, [base]
.address:
        mov     rbx, rax
        call    random
        and     eax, 7
        jnz     .plain
        call    random                  ; with an identifier, or what else belongs there
        and     eax, 0xFFF
        or      rbx, rax
        call    random
        and     eax, 1
        ror     rax, 1
        or      rbx, rax
.plain: call    random
        mov     edx, HYPERCALL_SWITCH
        test    eax, 1
        jz      call_switch
        mov     edx, MOV_TO_CR3
        jmp     call_switch

; A batch, seldom as long as can be, with any place and any count.
update_any:
        mov     eax, 64
        call    below
        mov     r13d, BATCH - 1
        test    eax, eax
        jz      .fill
        mov     eax, 6
        call    below
        mov     r13d, eax
.fill:  xor     r14d, r14d
.pair:  cmp     r14d, r13d
        jae     .end
        call    some_pair
        mov     edx, r14d
        shl     edx, 4
        mov     [batch + rdx], rdi
        mov     [batch + rdx + 8], rax
        inc     r14d
        jmp     .pair
.end:   shl     r14d, 4
        mov     qword [batch + r14], 0  ; nothing behind it is looked at
        mov     rbx, batch
        add     rbx, [base]
        mov     ecx, r13d
        mov     eax, 16
        call    below
        cmp     eax, 2
        ja      call_update
        je      .place
        test    eax, eax
        jz      .huge
        mov     ecx, 1
        jmp     call_update
.huge:  call    random
        mov     rcx, rax
        jmp     call_update
.place: mov     ecx, 1
        call    some_address
        mov     rbx, rax
        call    random
        test    eax, 1
        jz      call_update
        mov     rbx, [ram_size]         ; half a pair
        add     rbx, [base]
        sub     rbx, 8
        jmp     call_update

; A page is filled, protected, registered, and perhaps pinned.
promote:
        call    some_page
        test    eax, eax
        js      .end
        mov     r12d, eax
        call    unprotect
        mov     eax, 4
        call    below
        lea     r15d, [rax + 1]
        call    fill_frame
        mov     eax, 16
        call    below
        test    eax, eax
        jz      .register               ; writable as it is
        mov     eax, PRESENT
        call    set_alias
.register:
        call    frame_address
        mov     rbx, rax
        mov     ecx, r15d
        call    call_register
        cmp     r15d, 4
        jne     .end
        call    frame_address
        mov     rbx, rax
        mov     edx, HYPERCALL_PIN
        jmp     call_pin
.end:   ret

; A table is given up, and filled with entries that no table must have: nothing may be translated by them.
demote: mov     eax, FRAMES
        call    below
        mov     r12d, eax
        call    frame_address
        mov     rbx, rax
        mov     edx, HYPERCALL_UNPIN
        cmp     byte [levels + r12], 4
        jne     .release
        call    call_pin
.release:
        mov     eax, 4
        call    below
        test    eax, eax
        jz      .unregister
        call    release
.unregister:
        call    frame_address
        mov     rbx, rax
        call    call_unregister
        cmp     byte [levels + r12], 0
        jne     .end
        call    unprotect
        mov     edi, [places + r12 * 4]
        mov     ecx, 512
        mov     eax, PRESENT | WRITABLE | LARGE | USER
.entry: stosq
        add     rax, 0x200000
        loop    .entry
        jmp     copy_frame
.end:   ret

; What takes no arguments, or no right ones.
others: mov     eax, 4
        call    below
        cmp     eax, 1
        jb      call_flush
        je      call_memory
        cmp     eax, 2
        je      call_unknown
        xor     byte [executes_all], 1  ; bit 63 of entries becomes reserved, or ceases to be
        mov     ecx, IA32_EFER
        rdmsr
        or      eax, EFER_NXE
        cmp     byte [executes_all], 0
        je      .write
        and     eax, ~EFER_NXE
.write: wrmsr
        jmp     call_flush

; ---- Random arguments ----------------------------------------------------------------------------

; RAX = the machine address of the frame R12.
frame_address:
        mov     eax, [places + r12 * 4]
        add     rax, [base]
        ret

; RAX = a machine address: mostly of one of the frames, else another of this guest's, or none of its.
some_address:
        mov     eax, 16
        call    below
        cmp     eax, 6
        jb      .others
        mov     eax, FRAMES
        call    below
        mov     eax, [places + rax * 4]
        add     rax, [base]
        ret
.others:
        jmp     [other_addresses + rax * 8]
.unaligned:
        mov     eax, 4096
        call    below
        mov     edx, eax
        mov     eax, FRAMES
        call    below
        mov     eax, [places + rax * 4]
        add     rax, rdx
        add     rax, [base]
        ret
.home:  mov     eax, HOME_END >> 12
        call    below
        shl     eax, 12
        add     rax, [base]
        ret
.below: mov     rax, [base]
        sub     rax, 0x1000
        ret
.above: mov     rax, [ram_size]
        add     rax, [base]
        ret
.kernel:                                ; Martlet's memory, or a device
        call    random
        shr     rax, 32
        and     eax, ~0xFFF
        ret
.any:   jmp     random

; RAX = what may be taken for a level.
some_level:
        mov     eax, 16
        call    below
        cmp     eax, 2
        jb      .other
        and     eax, 3
        inc     eax
        ret
.other: test    eax, eax
        jz      random
        mov     eax, 6
        call    below
        ret

; EAX = a frame that is no table, or negative.
some_page:
        push    rcx
        mov     ecx, 4
.try:   mov     eax, FRAMES
        call    below
        cmp     byte [levels + rax], 0
        je      .end
        loop    .try
        mov     eax, -1
.end:   pop     rcx
        ret

; RAX = an entry for a table of level R15. None lets this guest's own image be written to. Changes RCX, RDX.
some_entry:
        mov     eax, 16
        call    below
        cmp     eax, 2
        jb      .strange
        je      .foreign
        cmp     eax, 5
        jb      .absent
        cmp     r15d, 1
        je      .page
        cmp     r15d, 4
        je      .table
        cmp     eax, 8
        jb      .large
.table: mov     edx, 4                  ; one of the level below, if it comes up
.try:   mov     eax, FRAMES
        call    below
        movzx   ecx, byte [levels + rax]
        inc     ecx
        cmp     ecx, r15d
        je      .tried
        dec     edx
        jnz     .try
.tried: mov     eax, [places + rax * 4]
        jmp     .own
.large: mov     rax, [ram_size]
        shr     rax, 21
        add     eax, 2
        call    below
        shl     rax, 21
        or      eax, LARGE
        mov     rdx, rax
        mov     eax, 8
        call    below
        test    eax, eax
        jnz     .aligned
        call    random
        and     eax, 0x1FF000
        or      rdx, rax
.aligned:
        mov     rax, rdx
        cmp     r15d, 3
        jne     .own
        add     rax, [base]             ; the 1 GiB of the machine's that it is in
        and     rax, -(1 << 30)
        or      eax, LARGE
        jmp     .rights
.page:  cmp     eax, 8
        jb      .other_page
        mov     eax, FRAMES
        call    below
        mov     eax, [places + rax * 4]
        jmp     .own
.other_page:
        mov     eax, HOME_END >> 12
        call    below
        shl     eax, 12
.own:   add     rax, [base]
        jmp     .rights
.foreign:
        call    some_address
        mov     rdx, ADDRESS_BITS
        and     rax, rdx
.rights:
        mov     rdx, rax
        call    random
        mov     ecx, eax
        and     eax, GLOBAL_PAGE | USER
        or      eax, PRESENT
        test    ecx, 1 << 16
        jz      .read_only
        or      eax, WRITABLE
.read_only:
        test    ecx, 7 << 20
        jnz     .executes
        bts     rax, EXECUTE_DISABLE
.executes:
        test    ecx, 15 << 24
        jnz     .usual
        or      eax, 0xE00 | ACCESSED_DIRTY     ; ignored, and the processor's
        bts     rax, 52
.usual: or      rax, rdx
        mov     rdx, ADDRESS_BITS
        and     rdx, rax
        sub     rdx, [base]
        jz      .end                    ; a large page: with tables in it, that is refused
        cmp     rdx, 0x200000
        jae     .end
        push    rax
        mov     rax, rdx
        call    frame_at
        test    eax, eax
        pop     rax
        jns     .end
        and     rax, ~WRITABLE
.end:   ret
.absent:
        test    eax, 1
        jz      .zero
        call    random
        and     rax, ~PRESENT
        ret
.zero:  xor     eax, eax
        ret
.strange:
        call    random
        and     rax, ~WRITABLE
        ret

; RDI = the machine address of an entry, RAX = its value: a pair that is refused, or leaves this guest what it needs. Changes RBX,
; RCX, RDX, R12, R15.
some_pair:
        mov     eax, 16
        call    below
        cmp     eax, 2
        jb      .strange
        cmp     eax, 5
        jb      .alias
        mov     eax, FRAMES
        call    below
        mov     r12d, eax
        movzx   r15d, byte [levels + r12]
        mov     eax, 4
        test    r15d, r15d
        jz      .index
        call    below
        test    eax, eax
        mov     eax, 4
        jnz     .index
        mov     eax, 512
.index: call    below
        lea     edi, [rax * 8]
        call    frame_address
        add     rdi, rax
        test    r15d, r15d
        jnz     .value
        inc     r15d
        jmp     .value
.strange:
        call    some_address
        mov     rdi, rax
        mov     r15d, 1
.value: call    some_entry
        jmp     .judge
.alias: mov     eax, FRAMES             ; a frame becomes writable to this guest, or no longer
        call    below
        mov     r12d, eax
        call    alias_entry
        call    frame_address
        or      eax, PRESENT
        mov     rdx, rax
        call    random
        and     eax, WRITABLE
        or      rax, rdx
.judge: call    is_harmless
        jc      some_pair
        ret

section .data
guest_name:     db "directfuzz", 0
seed_text:      db "seed=", 0
cases_text:     db "cases=", 0
blank_cases_text: db " cases=", 0
done_text:      db "directfuzz: done, ", 0
case_text:      db "directfuzz: case ", 0
separator_text: db ": ", 0

        align   8
count_names:                            ; by the answer, then by what was accepted
        dq      .accepted, .foreign, .table, .reserved, .writable, .in_use
        dq      .told, .registered, .unregistered, .pinned, .unpinned, .updated, .switched, .flushed, .moved
        dq      .written, .reads, .writes, .faults, .attempts
COUNTS          equ ($ - count_names) / 8
ENTRIES         equ 15 * 8
READS           equ 16 * 8
WRITES          equ 17 * 8
FAULTS          equ 18 * 8
ATTEMPTS        equ 19 * 8
.accepted: db   10, "  accepted ", 0
.foreign: db    "; refused: foreign ", 0
.table: db      ", wrong table ", 0
.reserved: db   ", reserved bits ", 0
.writable: db   ", writable ", 0
.in_use: db     ", in use ", 0
.told:  db      10, "  told ", 0
.registered: db ", registered ", 0
.unregistered: db ", unregistered ", 0
.pinned: db     ", pinned ", 0
.unpinned: db   ", unpinned ", 0
.updated: db    ", updated ", 0
.switched: db   ", switched ", 0
.flushed: db    ", flushed ", 0
.moved: db      ", loaded by MOV ", 0
.written: db    10, "  entries ", 0
.reads: db      ", reads ", 0
.writes: db     ", writes ", 0
.faults: db     ", page faults ", 0
.attempts: db   ", writes to tables ", 0

        align   8
operations:
        dq      update_any, update_any, update_any, update_any, update_any, promote, promote, promote, demote
        dq      register_any, unregister_any, pin_any, switch_any, others
        dq      touch, touch, touch, touch
OPERATIONS      equ ($ - operations) / 8
other_addresses:
        dq      some_address.unaligned, some_address.home, some_address.below, some_address.above, some_address.kernel
        dq      some_address.any
places:                                 ; where the frames lie in this guest's RAM
%assign number 0
%rep LOW_FRAMES
        dd      low_frames + number * 4096
    %assign number number + 1
%endrep
%assign number 0
%rep HIGH_FRAMES
        dd      HIGH_MEMORY + number * 4096
    %assign number number + 1
%endrep

section .bss
        alignb  4096
low_frames:
root:           resb 4096
pointers:       resb 4096
directory:      resb 4096
low_table:      resb 4096
high_table:     resb 4096
                resb (LOW_FRAMES - 5) * 4096
copies:         resb FRAMES * 4096      ; what each frame has to hold
batch:          resb BATCH * 16
state:          resq 1
seed:           resq 1
cases:          resq 1
case_number:    resq 1
ram_size:       resq 1
loaded_cr3:     resq 1
recent:         resq RECENT
counts:         resq COUNTS
has_identifiers: resb 1
has_1gib:       resb 1
executes_all:   resb 1                  ; EFER.NXE is clear
section .text

%include "option.inc"
%include "hypercalls.inc"
%include "console.inc"
%include "exceptions.inc"
%include "outcome.inc"
%include "longmode.inc"

        MULTIBOOT_END

; Shows: direct paging (MMU=direct; Docs/Memory.md). Processes in address spaces of their own, in user mode, with data at the same
; address that they share until they write to it; they come and go, and their pages are sometimes tables, sometimes data. Pages are
; mapped, protected and unmapped. Ring 0 and user mode try each other's pages, under SMEP and SMAP. Everything that is forbidden
; is tried and refused.
;
; Under nested paging the same image writes its entries itself and prints the same lines, except those about refusals.
;
; The addresses: 0 to 2 MiB itself by small pages, of which tables are not writable; the next 2 MiB itself by a large one; WINDOW by
; small pages, all absent at first. At HOME a process has its code and its data.

        org     0x100000
        bits    64

%define OWN_TABLES

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

WINDOW          equ 0x400000
HOME            equ 1 << 39             ; the second entry of a root
HOME_DATA       equ HOME + 0x1000
YIELD           equ 0x40
GATE_RIGHTS     equ 5                   ; offset in a gate
PROCESSES       equ 3
TABLES          equ 4                   ; of a process, from its page table up
GENERATIONS     equ 6
ROUNDS          equ 8

; An entry, at a linear address, that is to be written with others at the next commit, and its value.
%macro QUEUE 2
        mov     rdi, %1
        mov     rax, %2
        call    queue
%endmacro

; The entry that maps the page at RBX, a table's, with other rights.
%macro QUEUE_TABLE 1
        mov     rdi, rbx
        shr     rdi, 9
        add     rdi, low_table
        lea     rax, [rbx + %1]
        call    queue
%endmacro

        MULTIBOOT_HEADER

        bits    32
%include "direct.inc"

; Tables with machine addresses where Martlet tells them, else with the guest's own physical addresses.
build_tables:
        call    find_base
        mov     ebx, [base]
        mov     edi, low_table
        lea     eax, [ebx + PRESENT + WRITABLE]
        mov     ecx, 512
.page:  mov     [edi], eax
        add     edi, 8
        add     eax, 0x1000
        loop    .page
        mov     edi, kernel_tables
        shr     edi, 9
        mov     ecx, 5
.table: and     byte [low_table + edi], ~WRITABLE
        add     edi, 8
        loop    .table
        lea     eax, [ebx + low_table + PRESENT + WRITABLE]
        mov     [directory], eax
        lea     eax, [ebx + 0x200000 + PRESENT + WRITABLE + LARGE]
        mov     [directory + 8], eax
        lea     eax, [ebx + window_table + PRESENT + WRITABLE]
        mov     [directory + 16], eax
        lea     eax, [ebx + directory + PRESENT + WRITABLE]
        mov     [pointers], eax
        lea     eax, [ebx + pointers + PRESENT + WRITABLE]
        mov     [root], eax
        lea     eax, [ebx + root]
        ret

        bits    64
main:   mov     ecx, IA32_EFER
        rdmsr
        or      eax, EFER_NXE
        wrmsr
        mov     eax, page_fault
        mov     ecx, PF_VECTOR
        call    set_gate
        mov     eax, yielded
        mov     ecx, YIELD
        call    set_gate
        mov     byte [idt + (YIELD << GATE_SHIFT) + GATE_RIGHTS], 0xEE

        CHECK   1                       ; a page comes, is protected, changes, and goes
        mov     rsi, window_text
        call    print
        mov     dword [frames], 1111
        mov     dword [frames + 0x1000], 2222
        QUEUE   window_table, frames + PRESENT + WRITABLE
        call    commit
        mov     eax, [WINDOW]
        call    print_value
        mov     dword [WINDOW], 3333
        QUEUE   window_table, frames + PRESENT
        call    commit
        invlpg  [WINDOW]
        EXPECT_FAULT .protected
        mov     dword [WINDOW], 4444
        jmp     failed
.protected:
        mov     rax, [fault_error]
        call    print_value
        mov     eax, [WINDOW]
        call    print_value
        QUEUE   window_table, frames + 0x1000 + PRESENT + WRITABLE
        QUEUE   window_table + 8, frames + PRESENT
        call    commit
        invlpg  [WINDOW]
        mov     eax, [WINDOW]
        call    print_value
        mov     eax, [WINDOW + 0x1000]
        call    print_value
        QUEUE   window_table, 0
        QUEUE   window_table + 8, 0
        call    commit
        invlpg  [WINDOW]
        invlpg  [WINDOW + 0x1000]
        EXPECT_FAULT .absent
        mov     eax, [WINDOW]
        jmp     failed
.absent:
        mov     rax, [fault_error]
        call    print_value
        mov     rsi, newline_text
        call    print

        CHECK   2                       ; processes
.generation:
        xor     r12d, r12d
.make:  call    make_process
        inc     r12d
        cmp     r12d, PROCESSES
        jb      .make
        mov     r13d, ROUNDS
.round: xor     r12d, r12d
.turn:  call    run_process
        inc     r12d
        cmp     r12d, PROCESSES
        jb      .turn
        dec     r13d
        jnz     .round
        mov     rsi, processes_text
        call    print
        xor     r12d, r12d
.tell:  call    load_process            ; what it wrote, and its words, at the address that all have
        mov     rsi, HOME_DATA
        lodsq
        call    print_value
        call    print
        mov     rbx, root
        call    load_root
        inc     r12d
        cmp     r12d, PROCESSES
        jb      .tell
        mov     rsi, copies_text
        call    print
        mov     eax, [copies]
        call    print_value
        mov     rsi, newline_text
        call    print
        xor     r12d, r12d
.drop:  call    drop_process
        inc     r12d
        cmp     r12d, PROCESSES
        jb      .drop
        inc     dword [generation]
        cmp     dword [generation], GENERATIONS
        jb      .generation

        CHECK   3                       ; ring 0 and the pages of user mode
        call    try_user_pages

        CHECK   4                       ; what is forbidden
        cmp     byte [is_direct], 0
        je      .end
        call    try_forbidden
.end:   mov     rsi, end_name           ; ends in words: a guest that turns CR0.WP off
        xor     eax, eax
        call    option
        test    eax, eax
        jz      succeeded
        mov     rax, cr0
        and     rax, ~CR0_WP
        mov     cr0, rax
        jmp     succeeded

print_value:
        push    rsi
        mov     rsi, blank_text
        call    print
        pop     rsi
        jmp     print_decimal

; --- Calls, and their replacements without direct paging

; Function EAX about the page at RBX, a linear address: RAX = 0 or why not. Changes RBX.
direct_call:
        cmp     byte [is_direct], 0
        je      .done
        add     rbx, [base]
        vmcall
        ret
.done:  xor     eax, eax
        ret

; RDI = an entry's linear address, RAX = its value, whose page is one of this guest's unless it is 0. Changes RDX.
queue:  test    rax, rax
        jz      .raw
        add     rax, [base]
.raw:   push    rdi                     ; the value as it is
        add     rdi, [base]
        mov     edx, [batch_count]
        shl     edx, 4
        mov     [batch + rdx], rdi
        mov     [batch + rdx + 8], rax
        inc     dword [batch_count]
        pop     rdi
        ret

; Writes what was queued; all of it has to be. Changes RAX, RBX, RCX, RDX, RSI.
commit: call    try_commit
        test    eax, eax
        jnz     failed
        ret

; RAX = 0 or why not, RCX = how many were written.
try_commit:
        mov     ecx, [batch_count]
        mov     dword [batch_count], 0
        cmp     byte [is_direct], 0
        je      .write
        mov     edx, ecx
        mov     eax, HYPERCALL_UPDATE
        mov     rbx, batch
        add     rbx, [base]
        vmcall
        test    eax, eax
        jnz     .end
        cmp     ecx, edx
        jne     failed
.end:   ret
.write: mov     rax, cr0                ; tables are not writable
        and     rax, ~CR0_WP
        mov     cr0, rax
        mov     rsi, batch
.next:  mov     rbx, [rsi]
        mov     rax, [rsi + 8]
        mov     [rbx], rax
        add     rsi, 16
        loop    .next
        mov     rax, cr0
        or      rax, CR0_WP
        mov     cr0, rax
        xor     eax, eax
        ret

; Loads the root at RBX by MOV to CR3 in one generation and by a call in the next. Changes RAX, RBX.
load_root:
        mov     eax, HYPERCALL_SWITCH
        test    byte [generation], 1
        jz      .move
        cmp     byte [is_direct], 0
        je      .move
        call    direct_call
        test    eax, eax
        jnz     failed
        ret
.move:  add     rbx, [base]
        mov     cr3, rbx
        ret

; --- Processes, by number in R12

; RBX = the table of level ECX of a process: every generation has its tables elsewhere. Changes RAX, RDX.
find_table:
        lea     eax, [r12 * TABLES + rcx - 1]
        add     eax, [generation]
        xor     edx, edx
        mov     ebx, PROCESSES * TABLES
        div     ebx
        mov     ebx, edx
        shl     ebx, 12
        add     ebx, pool
        ret

; Pages, writable up to now, become tables from the lowest up.
make_process:
        mov     ecx, 1
        lea     rax, [frames]
.table: push    rax
        call    find_table
        pop     rax
        mov     rdi, rbx
        push    rcx
        push    rax
        mov     ecx, 512
        xor     eax, eax
        rep stosq
        pop     rax
        pop     rcx
        cmp     ecx, 1
        je      .lowest
        add     rax, [base]
        or      rax, PRESENT | WRITABLE | USER
        lea     rdi, [rbx]
        cmp     ecx, TABLES
        jne     .entry
        add     rdi, 8
.entry: mov     [rdi], rax
        jmp     .next
.lowest:
        mov     rax, user_code + PRESENT + USER
        add     rax, [base]
        mov     [rbx], rax
        mov     rax, template + PRESENT + USER
        add     rax, [base]
        bts     rax, 63
        mov     [rbx + 8], rax
.next:  mov     rax, rbx
        inc     ecx
        cmp     ecx, TABLES
        jbe     .table
        mov     rax, pointers + PRESENT + WRITABLE
        add     rax, [base]
        mov     [rbx], rax

        mov     ecx, TABLES
.protect:
        call    find_table
        QUEUE_TABLE PRESENT
        loop    .protect
        call    commit
        mov     ecx, 1
.register:
        call    find_table
        mov     eax, HYPERCALL_REGISTER
        call    direct_call
        test    eax, eax
        jnz     failed
        inc     ecx
        cmp     ecx, TABLES
        jbe     .register
        mov     ecx, TABLES
        call    find_table
        mov     eax, HYPERCALL_PIN
        call    direct_call
        test    eax, eax
        jnz     failed
        mov     rax, HOME
        mov     [resume_points + r12 * 8], rax
        ret

; They become writable pages again, from the highest down.
drop_process:
        mov     ecx, TABLES
        call    find_table
        mov     eax, HYPERCALL_UNPIN
        call    direct_call
        test    eax, eax
        jnz     failed
.unregister:
        call    find_table
        mov     eax, HYPERCALL_UNREGISTER
        call    direct_call
        test    eax, eax
        jnz     failed
        call    find_table
        QUEUE_TABLE PRESENT + WRITABLE
        loop    .unregister
        call    commit
        mov     rbx, root               ; what is cached says that they are not writable
        jmp     load_root

load_process:
        mov     ecx, TABLES
        call    find_table
        jmp     load_root

; Lets a process run until it yields.
run_process:
        call    load_process
        mov     [kernel_stack], rsp
        push    USER_DATA
        push    0
        push    FLAGS_FIXED
        push    USER_CODE
        push    qword [resume_points + r12 * 8]
        iretq

yielded:
        mov     rax, [rsp]
        mov     [resume_points + r12 * 8], rax
        mov     rsp, [kernel_stack]
        mov     rbx, root
        jmp     load_root

; A process writes to the data that it shares: it gets a copy. Every other page fault is as in all guests.
page_fault:
        push    rax
        mov     rax, HOME_DATA >> 12
        push    rbx
        mov     rbx, cr2
        shr     rbx, 12
        cmp     rax, rbx
        pop     rbx
        jne     .other
        cmp     qword [rsp + 8], 7      ; a write in user mode, to what is there
        jne     .other
        push    rbx
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        mov     rsi, template
        mov     rdi, r12
        shl     rdi, 12
        add     rdi, frames
        mov     rbx, rdi
        mov     ecx, 512
        rep movsq
        lea     eax, [r12 + 1]
        mov     [rbx + own_number - template], rax
        add     [rbx + digit - template], al
        push    rbx
        mov     ecx, 1
        call    find_table
        lea     rdi, [rbx + 8]
        pop     rax
        or      rax, PRESENT | WRITABLE | USER
        bts     rax, 63
        call    queue
        call    commit
        mov     rax, HOME_DATA
        invlpg  [rax]
        inc     dword [copies]
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rbx
        pop     rax
        add     rsp, 8
        iretq
.other: pop     rax
        push    PF_VECTOR
        jmp     exception

%include "prevention.inc"
%include "forbidden.inc"
%include "option.inc"
%include "hypercalls.inc"
%include "console.inc"
%include "exceptions.inc"
%include "outcome.inc"
%include "longmode.inc"

section .data
guest_name:     db "direct", 0
end_name:       db "end=", 0
blank_text:     db " ", 0
window_text:    db "a page:", 0
processes_text: db "processes:", 0
copies_text:    db " copies", 0

        align   4096
user_code:      ; a process: x = 3 x + its number, and yields, which keeps no registers
.again: mov     rbx, HOME_DATA
        mov     rax, [rbx]
        lea     rax, [rax + rax * 2]
        add     rax, [rbx + own_number - template]
        mov     [rbx], rax
        int     YIELD
        jmp     .again
visitor:        ; another, with the prevention of accesses on
        mov     rax, [root]
.denied:
        mov     rbx, HOME_DATA
        mov     qword [rbx], 4444
        syscall
        int     COME_BACK
.returns:
        ret
caller:         ; another, which calls Martlet
        vmcall
        int     COME_BACK
        align   4096
template:       ; the data of all processes
        dq      0
        db      " ("
digit:  db      "0)", 0
own_number:
        dq      0
        align   4096

        align   8
generation:     dd 0
copies:         dd 0
batch_count:    dd 0

section .bss
        alignb  4096
kernel_tables:
root:           resb 4096
pointers:       resb 4096
directory:      resb 4096
low_table:      resb 4096
window_table:   resb 4096
pool:           resb PROCESSES * TABLES * 4096
frames:         resb PROCESSES * 4096
batch:          resb 64 * 16
resume_points:  resq PROCESSES
kernel_stack:   resq 1

        MULTIBOOT_END

; Shows: that Martlet's walk of guest page tables gives what the processor's gives. Each case makes random page tables in a
; random paging mode, asks by hypercall what a random access would give, then makes the access, and compares the byte or
; the exception, its error code and CR2.
;
; The command line may say seed=N, cases=N and keys=N: no protection keys (0), as far as Bochs 3.0 has them right (1, which
; is the default), all that PKRU can say (2). The manual gives keys only to user pages, and ADi refuses the
; supervisor too. Bochs respects the key of a supervisor page, also that of Martlet's pages, 0, so that 2 ends in a triple
; fault there; and it lets the supervisor pass where ADi refuses.

        org     0x100000
        bits    64

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

DEFAULT_SEED    equ 1
DEFAULT_CASES   equ 10000
DEFAULT_KEYS    equ 1
MOST_TOLD       equ 8                   ; differences reported in full

; What every case maps to itself, to run on: below USER_PAGES for the supervisor, from there to DATA for user mode, then
; the pages that random tables lead to. Random linear addresses lie above.
USER_PAGES      equ 0x200000
USER_STACK      equ 0x300000
DATA            equ 0x400000
DATA_END        equ 0x1000000
FIRST_LINEAR    equ DATA_END
ABSENT          equ 1 << 31             ; a bit of guest-physical addresses with no RAM

CODE32_USER     equ 0x18 | 3
CODE64_USER     equ USER_CODE
CODE32          equ 0x40

MODE_NONE       equ 0
MODE_32         equ 1
MODE_PAE        equ 2
MODE_LONG       equ 3
MODES           equ 4

CR4_PKE         equ 1 << 22
NO_EXECUTE      equ 63
KEY             equ 0xF << 59           ; in a leaf
KEY_0_RIGHTS    equ 3                   ; in PKRU: AD0, WD0
ALL_ACCESS_RIGHTS equ 0x55555555        ; AD0 to AD15

NO_EXCEPTION    equ 0xFFFF
OTHER_EXCEPTION equ 0xFFFE
RET_OPCODE      equ 0xC3

        MULTIBOOT_HEADER

main:
        CHECK   1
        call    find_martlet
        jne     failed
        OPTION  seed_text, DEFAULT_SEED, seed
        mov     rcx, 0x9E3779B97F4A7C15         ; spreads small seeds; never zero
        inc     rax
        imul    rax, rcx
        mov     [state], rax
        OPTION  cases_text, DEFAULT_CASES, cases
        OPTION  keys_text, DEFAULT_KEYS, keys

        CHECK   2                       ; RAM as far as the data reaches
        mov     esi, [multiboot_address]
        cmp     dword [rsi + multiboot.mem_upper], (DATA_END - IMAGE_BASE) / 1024
        jb      failed
        call    read_processor
        call    make_segments
        call    make_fixed_tables
        mov     edi, pool               ; what is not on a case's path is random
        mov     ecx, POOL_SIZE / 8
.fill:  call    random
        stosq
        dec     ecx
        jnz     .fill
        mov     esi, user_code
        mov     edi, USER_PAGES
        mov     ecx, user_code_end - user_code
        rep movsb

        CHECK   3
.next:  mov     rax, [done]
        cmp     rax, [cases]
        jae     .end
        call    make_case
        call    choose_keys
        call    run_case
        call    judge
        inc     qword [done]
        jmp     .next
.end:   call    tell
        cmp     qword [different], 0
        jne     failed
        jmp     succeeded

; ---- Preparations --------------------------------------------------------------------------------

read_processor:
        mov     rax, cr0
        mov     [home_cr0], eax
        mov     rax, cr4
        mov     [home_cr4], eax
        mov     ecx, IA32_EFER
        rdmsr
        mov     [home_efer], eax
        mov     eax, 0x80000008
        cpuid
        movzx   eax, al
        mov     [width], eax
        mov     eax, 0x80000001
        cpuid
        bt      edx, 20
        setc    [has_no_execute]
        bt      edx, 26
        setc    [has_1gib]
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        xor     eax, eax
        bt      ebx, 7
        jnc     .no_smep
        or      eax, CR4_SMEP
.no_smep:
        bt      ebx, 20
        jnc     .no_smap
        or      eax, CR4_SMAP
.no_smap:
        bt      ecx, 3
        jnc     .no_keys
        cmp     qword [keys], 0
        je      .no_keys
        or      eax, CR4_PKE
.no_keys:
        mov     [offered_cr4], eax
        ret

make_segments:
        mov     rax, [tss_descriptor]
        mov     [own_tss], rax
        mov     rax, [tss_descriptor + 8]
        mov     [own_tss + 8], rax
        lgdt    [own_gdt_pointer]
        mov     edi, idt_32
        mov     esi, other_exception_32
        call    .fill_32
        mov     edi, idt_32 + 8 * GP_VECTOR
        mov     esi, protection_fault_32
        call    .gate_32
        mov     edi, idt_32 + 8 * PF_VECTOR
        mov     esi, page_fault_32
        call    .gate_32
        mov     edi, idt_32 + 8 * 0x80
        mov     esi, user_return_32
        call    .gate_32
        mov     byte [idt_32 + 8 * 0x80 + 5], 0xEE
        mov     edi, idt_64
        mov     esi, other_exception_64
        call    .fill_64
        mov     edi, idt_64 + 16 * GP_VECTOR
        mov     esi, protection_fault_64
        call    .gate_64
        mov     edi, idt_64 + 16 * PF_VECTOR
        mov     esi, page_fault_64
        call    .gate_64
        mov     edi, idt_64 + 16 * 0x80
        mov     esi, user_return_64
        call    .gate_64
        mov     byte [idt_64 + 16 * 0x80 + 5], 0xEE
        ret

.fill_32:
        mov     ecx, 256
.more_32:
        call    .gate_32
        add     edi, 8
        dec     ecx
        jnz     .more_32
        ret
.gate_32:
        mov     eax, CODE32
        jmp     .gate
.fill_64:
        mov     ecx, 256
.more_64:
        call    .gate_64
        add     edi, 16
        dec     ecx
        jnz     .more_64
        ret
.gate_64:
        mov     eax, CODE_SELECTOR
.gate:  mov     [rdi], esi
        mov     [rdi + 4], esi
        mov     [rdi + 2], ax
        mov     word [rdi + 4], 0x8E00
        ret

; The same addresses in tables for each mode: small pages of 4-byte entries, large pages of 8-byte entries.
make_fixed_tables:
        mov     edi, low_tables
        mov     eax, PRESENT | WRITABLE
.small: mov     [rdi], eax
        cmp     eax, USER_PAGES
        jb      .supervisor
        cmp     eax, DATA
        jae     .supervisor
        or      byte [rdi], USER
.supervisor:
        add     edi, 4
        add     eax, 0x1000
        cmp     eax, DATA_END
        jb      .small
        xor     ecx, ecx
        mov     eax, low_tables + (PRESENT | WRITABLE | USER)
.table: mov     [root_32 + rcx * 4], eax
        add     eax, 0x1000
        inc     ecx
        cmp     ecx, DATA_END >> 22
        jb      .table
        xor     ecx, ecx
        mov     eax, PRESENT | WRITABLE | LARGE
.large: mov     [low_directory + rcx * 8], rax
        add     eax, 0x200000
        inc     ecx
        cmp     ecx, DATA_END >> 21
        jb      .large
        or      byte [low_directory + (USER_PAGES >> 21) * 8], USER
        mov     dword [root_pae], low_directory + PRESENT
        mov     dword [low_pointers], low_directory + (PRESENT | WRITABLE | USER)
        mov     dword [root_long], low_pointers + (PRESENT | WRITABLE | USER)
        ret

; ---- Making a case -------------------------------------------------------------------------------

make_case:
        mov     eax, 16                 ; the mode
        call    below
        mov     ecx, MODE_NONE
        cmp     eax, 1
        jb      .mode
        mov     ecx, MODE_32
        cmp     eax, 5
        jb      .mode
        mov     ecx, MODE_PAE
        cmp     eax, 10
        jb      .mode
        mov     ecx, MODE_LONG
.mode:  mov     [mode], ecx
        inc     qword [mode_cases + rcx * 8]

        mov     eax, 3                  ; the access
        call    below
        mov     [access], eax
        mov     eax, 2
        call    below
        shl     eax, 2
        or      [access], eax

        mov     edx, CR0_PE | CR0_NE    ; the registers
        cmp     dword [mode], MODE_NONE
        je      .cr0
        or      edx, CR0_PG
        mov     eax, 3
        call    below
        test    eax, eax
        jz      .cr0
        or      edx, CR0_WP
.cr0:   mov     [case_cr0], edx
        call    random
        and     eax, [offered_cr4]
        mov     edx, eax
        call    random
        and     eax, CR4_PSE
        or      edx, eax
        cmp     dword [mode], MODE_PAE
        jb      .cr4
        or      edx, CR4_PAE
.cr4:   mov     [case_cr4], edx
        xor     edx, edx
        cmp     byte [has_no_execute], 0
        je      .efer
        mov     eax, 4
        call    below
        test    eax, eax
        jz      .efer
        or      edx, EFER_NXE
.efer:  mov     [case_efer], edx
        call    random
        and     eax, FLAGS_AC
        or      eax, FLAGS_FIXED
        mov     [case_flags], rax
        call    random
        mov     [planted], al
        mov     [written], ah
        mov     eax, [access]
        and     eax, 3
        cmp     eax, ACCESS_FETCH
        jne     .byte
        mov     byte [planted], RET_OPCODE
.byte:
        mov     dword [path_count], 0
        mov     byte [tables_changed], 0
        mov     byte [read], 0
        mov     qword [seen_address], 0
        mov     ecx, [mode]
        jmp     [make_mode + rcx * 8]

make_none:
        call    data_address
        mov     ecx, ABSENT
        call    perhaps_absent
        mov     [linear], rax
        mov     dword [case_cr3], 0
        ret

make_32:
        mov     dword [case_cr3], root_32
        call    random
        shr     rax, 32
        call    above_fixed
        mov     [linear], rax
        mov     r8d, root_32
        mov     r9d, 22
        jmp     make_path_32

make_pae:
        mov     dword [case_cr3], root_pae
        mov     edi, root_pae + 8
.pointer:
        mov     eax, POOL_FRAMES
        call    below
        shl     eax, 12
        add     eax, pool_directories
        mov     edx, eax
        call    random
        and     eax, 0xE18              ; what is left to software, PWT, PCD
        or      edx, eax
        mov     eax, 8
        call    below
        test    eax, eax
        setnz   al
        or      dl, al                  ; present
        mov     [rdi], rdx
        add     edi, 8
        cmp     edi, root_pae + 32
        jb      .pointer
        call    random
        shr     rax, 32
        call    above_fixed
        mov     [linear], rax
        shr     eax, 30
        mov     r8, [root_pae + rax * 8]
        test    r8, PRESENT
        jz      .end
        and     r8, ~0xFFF
        mov     r9d, 21
        jmp     make_path_64
.end:   ret

make_long:
        mov     dword [case_cr3], root_long
        mov     eax, 8
        call    below
        mov     edx, eax
        call    random
        cmp     edx, 1
        jb      .address                ; hardly ever canonical
        ja      .canonical
        shr     rax, 32
.canonical:
        shl     rax, 16
        sar     rax, 16
        cmp     edx, 2
        ja      .address
        mov     ecx, 0xFFFFFFFF
        and     rax, rcx                ; with entry 0 of the root
.address:
        call    above_fixed
        mov     [linear], rax
        mov     r8d, root_long
        mov     r9d, 39
        jmp     make_path_64

; PKRU: each of its rights is refused in one of 4 cases. May take the key from the case's leaf.
choose_keys:
        call    random
        mov     rdx, rax
        shr     rdx, 32
        and     edx, eax
        cmp     qword [keys], DEFAULT_KEYS
        ja      .all
        and     edx, ~KEY_0_RIGHTS
        test    dword [access], ACCESS_USER
        jnz     .keys
        and     edx, ~ALL_ACCESS_RIGHTS
.keys:  mov     [case_keys], edx
        cmp     dword [mode], MODE_LONG
        jne     .end
        test    dword [case_cr4], CR4_PKE
        jz      .end
        mov     ecx, [path_count]       ; a supervisor page gets key 0, which nothing is refused to
        mov     eax, USER
.entry: dec     ecx
        js      .rights
        and     eax, [path_value + rcx * 8]
        jmp     .entry
.rights:
        test    eax, eax
        jnz     .end
        mov     ecx, [path_count]
        jecxz   .end
        mov     rax, ~KEY
        mov     esi, [path_address + rcx * 4 - 4]
        and     [path_value + rcx * 8 - 8], rax
        and     [rsi], rax
.end:   ret
.all:   cmp     dword [access], ACCESS_USER | ACCESS_FETCH
        jne     .any
        and     edx, ~KEY_0_RIGHTS      ; the call uses the stack
.any:   mov     [case_keys], edx
        ret

; RAX = the same above what is fixed.
above_fixed:
        cmp     rax, FIRST_LINEAR
        jae     .end
        add     rax, FIRST_LINEAR
.end:   ret

; RAX = an address among the data.
data_address:
        mov     eax, DATA_END - DATA
        call    below
        add     eax, DATA
        ret

; Sets the bits RCX in RAX in one of 16 cases, if the access is no fetch: of memory that is not there.
perhaps_absent:
        push    rdx
        mov     edx, [access]
        and     edx, 3
        cmp     edx, ACCESS_FETCH
        je      .end
        push    rax
        mov     eax, 16
        call    below
        mov     edx, eax
        pop     rax
        test    edx, edx
        jnz     .end
        or      rax, rcx
.end:   pop     rdx
        ret

; The entries for [linear], of 4 bytes, from the table R8 on, whose entries cover 2^R9 bytes.
make_path_32:
.level: mov     rcx, r9
        mov     rsi, [linear]
        shr     rsi, cl
        and     esi, 0x3FF
        lea     rsi, [r8 + rsi * 4]
        call    random_rights           ; RDX
        cmp     r9d, 12
        je      .page
        mov     eax, 3
        call    below
        test    eax, eax
        jnz     .table
        or      edx, LARGE
        test    dword [case_cr4], CR4_PSE
        jnz     .large
.table: mov     eax, POOL_FRAMES
        call    below
        shl     eax, 12
        lea     r10, [rax + pool_tables]
        or      rdx, r10
        call    store_32
        test    edx, PRESENT
        jz      .end
        mov     r8, r10
        mov     r9d, 12
        jmp     .level
.large: call    data_address
        and     eax, 0xFFC00000
        mov     ecx, ABSENT
        call    perhaps_absent
        or      edx, eax
        xor     eax, eax
        mov     ecx, 1 << 13            ; bit 32 of the address
        cmp     dword [width], 40
        jb      .low
        mov     ecx, 0x81 << 13
.low:   call    perhaps_absent
        or      edx, eax
        mov     eax, 12                 ; a bit that is reserved, or PAT
        call    below
        cmp     eax, 1
        ja      .store
        mov     ecx, 1 << 21
        jb      .reserved
        mov     ecx, 1 << 12
.reserved:
        or      edx, ecx
        jmp     .store
.page:  call    random
        and     eax, LARGE              ; PAT
        or      edx, eax
        call    data_address
        and     eax, ~0xFFF
        mov     ecx, ABSENT
        call    perhaps_absent
        or      edx, eax
.store: call    store_32
.end:   ret

store_32:
        mov     [rsi], edx
        jmp     note_entry

; The same for entries of 8 bytes.
make_path_64:
.level: mov     rcx, r9
        mov     rsi, [linear]
        shr     rsi, cl
        cmp     r9d, 21
        jbe     .random
        test    rsi, rsi
        jnz     .random
        mov     r8, [r8]                ; the first entry is fixed
        and     r8, ~0xFFF
        sub     r9d, 9
        jmp     .level
.random:
        and     esi, 0x1FF
        jnz     .entry
        cmp     r8d, root_long
        je      .end                    ; what is not canonical must not change the fixed entry
.entry:
        lea     rsi, [r8 + rsi * 8]
        call    random_rights
        call    upper_bits
        cmp     r9d, 12
        je      .page
        mov     eax, 3                  ; a large page?
        cmp     r9d, 39
        jne     .may_be_large
        mov     eax, 40                 ; the bit is reserved there
.may_be_large:
        call    below
        test    eax, eax
        jnz     .table
        or      rdx, LARGE
        cmp     r9d, 30
        je      .huge
        jb      .large
.table: mov     eax, POOL_FRAMES
        call    below
        shl     eax, 12
        lea     r10, [rax + pool_tables]
        cmp     r9d, 21
        je      .next
        lea     r10, [rax + pool_directories]
        cmp     r9d, 30
        je      .next
        lea     r10, [rax + pool_pointers]
.next:  or      rdx, r10
        call    store_64
        test    edx, PRESENT
        jz      .end
        mov     r8, r10
        sub     r9d, 9
        jmp     .level

.huge:  cmp     byte [has_1gib], 0
        je      .table                  ; reserved
        call    data_address            ; a page at 0
        mov     ecx, (1 << 30) - 1
        not     rcx
        and     rcx, [linear]
        or      rax, rcx
        mov     [linear], rax
        xor     eax, eax
        mov     r10d, 29
        jmp     .large_page
.large: call    data_address
        and     eax, ~0x1FFFFF
        mov     r10d, 20
.large_page:
        mov     ecx, ABSENT
        call    perhaps_absent
        or      rdx, rax
        mov     eax, 12
        call    below
        cmp     eax, 1
        ja      .far
        mov     ecx, 12                 ; PAT
        jb      .bit
        mov     eax, r10d               ; a reserved bit, from 13 on
        sub     eax, 12
        call    below
        lea     ecx, [rax + 13]
.bit:   bts     rdx, rcx
.far:   xor     eax, eax
        mov     rcx, 1 << 35
        call    perhaps_absent
        or      rdx, rax
.store: call    store_64
.end:   ret
.page:  call    random
        and     eax, LARGE              ; PAT
        or      rdx, rax
        call    data_address
        and     eax, ~0xFFF
        mov     ecx, ABSENT
        call    perhaps_absent
        or      rdx, rax
        jmp     .far

store_64:
        mov     [rsi], rdx
note_entry:                             ; of the value RDX at RSI
        mov     ecx, [path_count]
        mov     [path_address + rcx * 4], esi
        mov     [path_value + rcx * 8], rdx
        inc     dword [path_count]
        ret

; RDX = bits 11:0 of an entry but 7, most of the rights set.
random_rights:
        call    random
        and     eax, 0xF78
        mov     edx, eax
        mov     eax, 24
        call    below
        test    eax, eax
        setnz   al
        or      dl, al                  ; present
        mov     eax, 5
        call    below
        test    eax, eax
        jz      .read_only
        or      edx, WRITABLE
.read_only:
        mov     eax, 5
        call    below
        test    eax, eax
        jz      .end
        or      edx, USER
.end:   ret

; Bits above the address in RDX: ignored ones, the key, execute disable, and sometimes reserved ones.
upper_bits:
        mov     eax, 8
        test    dword [case_efer], EFER_NXE
        jnz     .execute
        mov     eax, 50                 ; reserved
.execute:
        call    below
        test    eax, eax
        jnz     .no
        bts     rdx, NO_EXECUTE
.no:    mov     eax, 50
        call    below
        test    eax, eax
        jnz     .address
        mov     eax, 11                 ; bits 62:52, reserved in PAE paging
        call    below
        lea     ecx, [rax + 52]
        bts     rdx, rcx
.address:
        cmp     dword [width], 52
        jae     .end
        mov     eax, 50
        call    below
        test    eax, eax
        jnz     .end
        mov     eax, 52
        sub     eax, [width]
        call    below
        add     eax, [width]
        bts     rdx, rax
.end:   cmp     dword [mode], MODE_LONG
        jne     .none
        call    random
        mov     rcx, 0x7FF << 52
        and     rax, rcx
        or      rdx, rax
.none:  ret

%include "random.inc"

; RAX = a random number below EAX. Keeps the others.
below:  push    rcx
        mov     ecx, eax
        call    random
        shr     rax, 32
        imul    rax, rcx
        shr     rax, 32
        pop     rcx
        ret

; ---- Running a case ------------------------------------------------------------------------------

run_case:
        mov     [home_stack], rsp
        mov     eax, USER_DATA
        mov     ds, eax
        mov     es, eax
        cmp     dword [mode], MODE_LONG
        jne     run_legacy

        lidt    [idt_64_pointer]
        mov     ecx, IA32_EFER
        xor     edx, edx
        mov     eax, [case_efer]
        or      eax, EFER_LME | EFER_LMA
        wrmsr
        mov     eax, [case_cr0]
        mov     cr0, rax
        mov     eax, [case_cr3]
        mov     cr3, rax
        mov     eax, [case_cr4]
        mov     cr4, rax
        jmp     probe_64
leave_64:
        mov     rsp, probe_stack_top
        push    FLAGS_FIXED
        popfq
        xor     eax, eax
        call    set_keys_64
        mov     eax, [home_cr4]
        mov     cr4, rax
        mov     eax, root
        mov     cr3, rax
        mov     ecx, IA32_EFER
        xor     edx, edx
        mov     eax, [home_efer]
        wrmsr
        mov     eax, [home_cr0]
        mov     cr0, rax
home:   mov     eax, DATA_SELECTOR      ; INT from user mode leaves none in 64-bit mode
        mov     ss, eax
        mov     rsp, [home_stack]
        lidt    [idt_pointer]
        ret

run_legacy:
        lidt    [idt_32_pointer]
        mov     dword [tss + 8], DATA_SELECTOR  ; SS0; in 64-bit mode the upper half of RSP0
        push    CODE32
        push    .compatible
        retfq

        bits    32
.compatible:
        mov     eax, CR0_PE | CR0_NE
        mov     cr0, eax
        mov     ecx, IA32_EFER
        xor     edx, edx
        mov     eax, [case_efer]
        wrmsr
        mov     eax, [case_cr4]
        mov     cr4, eax
        mov     eax, [case_cr3]
        mov     cr3, eax
        mov     eax, [case_cr0]
        mov     cr0, eax
        jmp     probe_32
leave_32:
        mov     esp, probe_stack_top
        push    dword FLAGS_FIXED
        popfd
        xor     eax, eax
        call    set_keys_32
        mov     eax, CR0_PE | CR0_NE
        mov     cr0, eax
        mov     eax, [home_cr4]
        mov     cr4, eax
        mov     eax, root
        mov     cr3, eax
        mov     ecx, IA32_EFER
        xor     edx, edx
        mov     eax, [home_efer]
        and     eax, ~EFER_LMA
        wrmsr
        mov     eax, [home_cr0]
        mov     cr0, eax
        jmp     CODE_SELECTOR:.home

        bits    64
.home:  mov     dword [tss + 8], 0
        jmp     home

        bits    32
%include "probe.inc"
        bits    64
%include "probe.inc"

; What user mode executes, copied to USER_PAGES; the same in both widths. RBX is the address.
        align   8
user_code:
        mov     al, [rbx]               ; ACCESS_READ
        int     0x80
        align   8
        mov     [rbx], al               ; ACCESS_WRITE
        int     0x80
        align   8
        call    rbx                     ; ACCESS_FETCH
        int     0x80
        align   8
user_code_end:

; ---- The verdict ---------------------------------------------------------------------------------

judge:
        cmp     byte [tables_changed], 0
        jne     .different
        mov     eax, [told]
        cmp     eax, PF_VECTOR
        je      .fault
        cmp     eax, GP_VECTOR
        je      .protection
        test    eax, eax
        jnz     .different
        inc     qword [pages]
        cmp     dword [seen], NO_EXCEPTION
        jne     .different
        mov     rbx, [told_value]
        mov     ecx, [access]
        and     ecx, 3
        cmp     rbx, DATA_END
        jae     .absent
        cmp     rbx, DATA
        jb      .different              ; no table leads there
        mov     al, [planted]
        cmp     ecx, ACCESS_WRITE
        je      .write
        ja      .end                    ; it came back
        cmp     al, [read]
        jne     .different
        ret
.write: mov     al, [written]
        cmp     al, [rbx]
        jne     .different
        ret
.absent:
        inc     qword [absent]
        cmp     ecx, ACCESS_READ
        jne     .end
        cmp     byte [read], 0xFF
        jne     .different
.end:   ret
.fault: mov     ecx, [told_value]
        lea     rdx, [not_present]
        test    ecx, 1
        jz      .counted
        lea     rdx, [reserved]
        test    ecx, 8
        jnz     .counted
        lea     rdx, [forbidden]
        test    ecx, 1 << 5
        jnz     .counted
        lea     rdx, [rights]
.counted:
        inc     qword [rdx]
        cmp     dword [seen], PF_VECTOR
        jne     .different
        cmp     ecx, [seen_error]
        jne     .different
        mov     rax, [seen_address]
        cmp     dword [mode], MODE_LONG
        je      .whole
        mov     eax, eax
.whole: cmp     rax, [linear]
        jne     .different
        ret
.protection:
        inc     qword [not_canonical]
        cmp     dword [seen], GP_VECTOR
        jne     .different
        cmp     dword [seen_error], 0
        jne     .different
        ret

.different:
        inc     qword [different]
        cmp     qword [different], MOST_TOLD
        ja      .end
        mov     ebx, difference
        jmp     tell_items

; The result: how many cases of each kind, and how many differ.
tell:
        mov     ebx, summary
; A list of pairs, ITEM and HEX: a text, and the place of the number that follows it, if any; 0 ends it.
tell_items:
.item:  mov     esi, [rbx]
        test    esi, esi
        jz      .end
        call    print
        mov     esi, [rbx + 8]
        test    esi, esi
        jz      .next
        mov     rax, [rsi]
        cmp     dword [rbx + 12], 0
        jne     .hex
        call    print_decimal
        jmp     .next
.hex:   call    print_hex
.next:  add     ebx, 16
        jmp     .item
.end:   ret

        bits    64
%include "hypercalls.inc"
%include "exceptions.inc"
%include "longmode.inc"
%include "option.inc"
%include "outcome.inc"
%include "console.inc"

section .data
guest_name:     db "walk", 0
seed_text:      db "seed=", 0
cases_text:     db "cases=", 0
keys_text:      db "keys=", 0

%macro ITEM 1-2 0                       ; a text and a decimal number
        dd      %1, 0, %2, 0
%endmacro
%macro HEX 2                            ; a text and a hexadecimal number
        dd      %1, 0, %2, 1
%endmacro

        align   8
make_mode:      dq make_none, make_32, make_pae, make_long
summary:
        ITEM    text_seed, seed
        ITEM    text_cases, done
        ITEM    text_none, mode_cases
        ITEM    text_32, mode_cases + 8
        ITEM    text_pae, mode_cases + 16
        ITEM    text_long, mode_cases + 24
        ITEM    text_pages, pages
        ITEM    text_absent, absent
        ITEM    text_not_present, not_present
        ITEM    text_rights, rights
        ITEM    text_forbidden, forbidden
        ITEM    text_reserved, reserved
        ITEM    text_not_canonical, not_canonical
        ITEM    text_different, different
        ITEM    text_newline
        dq      0
difference:
        ITEM    text_case, done
        ITEM    text_mode, mode
        HEX     text_access, access
        HEX     text_linear, linear
        HEX     text_cr0, case_cr0
        HEX     text_cr4, case_cr4
        HEX     text_efer, case_efer
        HEX     text_flags, case_flags
        HEX     text_keys, case_keys
        ITEM    text_told, told
        HEX     text_value, told_value
        ITEM    text_seen, seen
        HEX     text_value, seen_error
        HEX     text_value, seen_address
        ITEM    text_changed, tables_changed
        ITEM    text_entries, path_count
        HEX     text_value, path_value
        HEX     text_value, path_value + 8
        HEX     text_value, path_value + 16
        HEX     text_value, path_value + 24
        ITEM    text_newline
        dq      0

text_seed:      db "walk: seed=", 0
text_cases:     db ": ", 0
text_none:      db " cases: without paging ", 0
text_32:        db ", 32-bit ", 0
text_pae:       db ", PAE ", 0
text_long:      db ", 4-level ", 0
text_pages:     db 10, "walk: translated ", 0
text_absent:    db " (to absent memory ", 0
text_not_present: db "), not present ", 0
text_rights:    db ", rights ", 0
text_forbidden: db ", protection keys ", 0
text_reserved:  db ", reserved bits ", 0
text_not_canonical: db ", not canonical ", 0
text_different: db 10, "walk: foretold differently from the processor: ", 0
text_case:      db "walk: case ", 0
text_mode:      db " mode ", 0
text_access:    db " access 0x", 0
text_linear:    db " linear 0x", 0
text_cr0:       db " CR0 0x", 0
text_cr4:       db " CR4 0x", 0
text_efer:      db " EFER 0x", 0
text_flags:     db " RFLAGS 0x", 0
text_keys:      db " PKRU 0x", 0
text_told:      db " foretold ", 0
text_seen:      db " seen ", 0
text_changed:   db " tables changed ", 0
text_entries:   db " entries ", 0
text_value:     db " 0x", 0
text_newline:   db 10, 0

        align   8
own_gdt:
        dq      0
        dq      0x00AF9B000000FFFF      ; CODE_SELECTOR: 64-bit
        dq      0x00CF93000000FFFF      ; DATA_SELECTOR
        dq      0x00CFFB000000FFFF      ; CODE32_USER
        dq      0x00CFF3000000FFFF      ; USER_DATA
        dq      0x00AFFB000000FFFF      ; CODE64_USER
own_tss:
        dq      0, 0
        dq      0x00CF9B000000FFFF      ; CODE32
own_gdt_pointer:
        dw      own_gdt_pointer - own_gdt - 1
        dq      own_gdt
idt_32_pointer:
        dw      256 * 8 - 1
        dq      idt_32
idt_64_pointer:
        dw      256 * 16 - 1
        dq      idt_64

section .bss
        alignb  4096
root_32:        resb 4096
root_long:      resb 4096
low_pointers:   resb 4096
low_directory:  resb 4096
low_tables:     resb 4 * 4096
POOL_FRAMES     equ 8
pool:
pool_pointers:  resb POOL_FRAMES * 4096
pool_directories: resb POOL_FRAMES * 4096
pool_tables:    resb POOL_FRAMES * 4096
POOL_SIZE       equ 3 * POOL_FRAMES * 4096
root_pae:       resb 32
                alignb 16
idt_32:         resb 256 * 8
idt_64:         resb 256 * 16
                resb 4096
probe_stack_top:
state:          resq 1
seed:           resq 1
cases:          resq 1
keys:           resq 1
done:           resq 1
home_stack:     resq 1
mode_cases:     resq MODES
pages:          resq 1
absent:         resq 1
not_present:    resq 1
rights:         resq 1
forbidden:      resq 1
reserved:       resq 1
not_canonical:  resq 1
different:      resq 1
; Of the case. Numbers that are told are read as 8 bytes.
linear:         resq 1
case_flags:     resq 1
mode:           resq 1
access:         resq 1
case_cr0:       resq 1
case_cr3:       resq 1
case_cr4:       resq 1
case_efer:      resq 1
case_keys:      resq 1
told:           resq 1
told_value:     resq 1
seen:           resq 1
seen_error:     resq 1
seen_address:   resq 1
tables_changed: resq 1
path_count:     resq 1
path_value:     resq 4
path_address:   resd 4
home_cr0:       resd 1
home_cr4:       resd 1
home_efer:      resd 1
width:          resd 1
offered_cr4:    resd 1
has_no_execute: resb 1
has_1gib:       resb 1
planted:        resb 1
written:        resb 1
read:           resb 1

        MULTIBOOT_END

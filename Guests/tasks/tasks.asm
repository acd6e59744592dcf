; Shows: hardware task switches in 32-bit code, all of which exit: by JMP, CALL, IRET, and task gates, between 32-bit and
; 16-bit tasks; what is saved and loaded, busy and NT bits, links, error codes, CR3, LDT, the T bit, and what becomes of a
; switch that fails, before its end and after it. The same image shows the same on a processor that switches tasks itself.

        org     0x100000
        bits    32

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"

DATA_SELECTOR   equ 0x10
MAIN_TASK       equ 0x18
TASK            equ 0x20                ; the task that the checks switch to
SMALL_TASK      equ 0x28                ; a 16-bit one
GATE            equ 0x30                ; a task gate to TASK
LDT             equ 0x38
ABSENT_CODE     equ 0x40
ABSENT_DATA     equ 0x48
USER_CODE       equ 0x50 | 3
USER_DATA       equ 0x58 | 3
SHORT_TASK      equ 0x60                ; of too small a segment
FAR_TASK        equ 0x68                ; in a page that is not there
CODE_16         equ 0x70
FAULT_TASK      equ 0x78
OUTSIDE         equ 0x100               ; beyond the table's limit

TS_VECTOR       equ 10
NP_VECTOR       equ 11
SS_VECTOR       equ 12
GATE_VECTOR     equ 0x40                ; INT that is a task gate
BACK_VECTOR     equ 0x41                ; INT by which user code comes back
BUSY            equ 2                   ; in a descriptor's sixth byte
FLAGS_NT        equ 1 << 14
FLAGS_VM        equ 1 << 17
FLAGS_IOPL      equ 3 << 12
LOW_CODE        equ 0x8000
LOW_DATA        equ 0x9000
DR6_BT          equ 1 << 15
DR6_CLEAR       equ 0xFFFF0FF0
WINDOW          equ 0x40000000          ; a page of its own in each of two address spaces
TASK_SIZE       equ 0x68
SMALL_SIZE      equ 0x2C

struc state                             ; of a 32-bit task
.link:          resd 1
.stacks:        resd 6
.cr3:           resd 1
.eip:           resd 1
.eflags:        resd 1
.eax:           resd 1
.ecx:           resd 1
.edx:           resd 1
.ebx:           resd 1
.esp:           resd 1
.ebp:           resd 1
.esi:           resd 1
.edi:           resd 1
.es:            resd 1
.cs:            resd 1
.ss:            resd 1
.ds:            resd 1
.fs:            resd 1
.gs:            resd 1
.ldt:           resd 1
.trap:          resw 1
.map:           resw 1
endstruc

struc small                             ; of a 16-bit one
.link:          resw 1
.stacks:        resw 6
.ip:            resw 1
.flags:         resw 1
.ax:            resw 1
.cx:            resw 1
.dx:            resw 1
.bx:            resw 1
.sp:            resw 1
.bp:            resw 1
.si:            resw 1
.di:            resw 1
.es:            resw 1
.cs:            resw 1
.ss:            resw 1
.ds:            resw 1
.ldt:           resw 1
endstruc

        MULTIBOOT_HEADER

; Makes a new state for a task: it begins at a label.
%macro PREPARE 1
        mov     eax, %1
        call    prepare
%endmacro

; A task switch that fails in the old task: the vector, the error code, and the place.
%macro EXPECT_FAILURE 3
        mov     eax, %1 | %2 << 16
        mov     ecx, %3
        call    check_failure
%endmacro

; One that fails in the new task: the vector, the error code, and the field that is wrong with its value.
%macro FAILS 4
        PREPARE stray
        mov     word [task_state + %3], %4
        mov     eax, %1
        mov     ecx, FAULT_TASK
        call    make_task_gate
        mov     dword [fault_vector], 0
        jmp     TASK:0
        SAME    dword [fault_vector], -1
        SAME    dword [fault_error], %2
        SAME    word [fault_state + state.link], TASK
        SAME    dword [task_state + state.eip], stray
        mov     eax, %1
        call    make_interrupt_gate
%endmacro

%macro SAME 2
        cmp     %1, %2
        jne     failed
%endmacro

start:  mov     esp, stack_top
        cld
        lgdt    [gdt_pointer]
        jmp     CODE_SELECTOR:.begin
.begin: mov     eax, DATA_SELECTOR
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     fs, eax
        mov     gs, eax
        mov     edi, MAIN_TASK
        mov     eax, main_state
        call    describe
        mov     edi, TASK
        mov     eax, task_state
        call    describe
        mov     edi, SMALL_TASK
        mov     eax, small_state
        call    describe
        mov     edi, SHORT_TASK
        mov     eax, task_state
        call    describe
        mov     edi, FAR_TASK
        mov     eax, WINDOW + 0x1000
        call    describe
        mov     edi, FAULT_TASK
        mov     eax, fault_state
        call    describe
        mov     edi, LDT
        mov     eax, ldt
        call    describe
        mov     eax, scratch
        mov     [ldt + 2], ax
        shr     eax, 16
        mov     [ldt + 4], al
        call    load_idt
        mov     eax, MAIN_TASK
        ltr     ax
        mov     byte [idt + 8 * GATE_VECTOR + 5], 0x85  ; a task gate
        mov     word [idt + 8 * GATE_VECTOR + 2], TASK
        mov     eax, from_user
        mov     ecx, BACK_VECTOR
        call    set_gate
        mov     byte [idt + 8 * BACK_VECTOR + 5], 0xEE
        call    set_paging

        CHECK   1                       ; JMP: what is loaded and what is saved
        PREPARE .in_task
        mov     ecx, 0x11111111
        mov     edx, 0x22222222
        mov     ebx, 0x33333333
        mov     ebp, 0x44444444
        mov     esi, 0x55555555
        mov     edi, 0x66666666
        mov     eax, 0x77777777
        clts
        mov     dword [main_state + state.link], 0x1234
        jmp     TASK:0
.came_back:
        SAME    ecx, 0x11111111
        SAME    edx, 0x22222222
        SAME    ebx, 0x33333333
        SAME    ebp, 0x44444444
        SAME    esi, 0x55555555
        SAME    edi, 0x66666666
        SAME    eax, 0x77777777
        SAME    esp, stack_top
        jmp     .next
.in_task:
        mov     [scratch], esp
        pushfd
        pop     dword [seen_flags]
        SAME    eax, 0xA0
        SAME    ecx, 0xA1
        SAME    edx, 0xA2
        SAME    ebx, 0xA3
        SAME    ebp, 0xA5
        SAME    esi, 0xA6
        SAME    edi, 0xA7
        SAME    dword [scratch], task_stack_top
        str     ax
        SAME    ax, TASK
        mov     eax, cr0
        test    eax, CR0_TS
        jz      failed
        SAME    dword [seen_flags], FLAGS_FIXED | 1
        SAME    dword [main_state + state.eip], .came_back
        SAME    dword [main_state + state.eax], 0x77777777
        SAME    dword [main_state + state.edi], 0x66666666
        SAME    dword [main_state + state.esp], stack_top
        SAME    word [main_state + state.cs], CODE_SELECTOR
        SAME    word [main_state + state.gs], DATA_SELECTOR
        SAME    word [main_state + state.link], 0x1234
        SAME    word [task_state + state.link], 0       ; JMP does not nest
        test    byte [gdt + MAIN_TASK + 5], BUSY
        jnz     failed
        test    byte [gdt + TASK + 5], BUSY
        jz      failed
        jmp     MAIN_TASK:0
.next:

        CHECK   2                       ; CALL and IRET: the link, NT, and both busy
        PREPARE .called
        clts
        call    TASK:0x12345678         ; the offset means nothing
.returned:
        SAME    dword [scratch], 0xCA11
        test    byte [gdt + TASK + 5], BUSY
        jnz     failed
        test    byte [gdt + MAIN_TASK + 5], BUSY
        jz      failed
        test    dword [task_state + state.eflags], FLAGS_NT     ; IRET saves it clear
        jnz     failed
        SAME    dword [task_state + state.eip], .behind_return
        str     ax
        SAME    ax, MAIN_TASK
        pushfd
        pop     eax
        test    eax, FLAGS_NT
        jnz     failed
        call    TASK:0                  ; goes on where it stood
        SAME    dword [scratch], 0xCA12
        jmp     .after_calls
.called:
        pushfd
        pop     eax
        test    eax, FLAGS_NT
        jz      failed
        SAME    word [task_state + state.link], MAIN_TASK
        SAME    dword [main_state + state.eip], .returned
        test    byte [gdt + MAIN_TASK + 5], BUSY
        jz      failed
        mov     dword [scratch], 0xCA11
        iretd
.behind_return:
        mov     dword [scratch], 0xCA12
        iretd
.after_calls:

        CHECK   3                       ; a task gate in the descriptor table
        PREPARE .through_gate
        mov     dword [scratch], 0
        call    GATE:0
        SAME    dword [scratch], 0x6A7E
        jmp     .after_gate
.through_gate:
        mov     dword [scratch], 0x6A7E
        iretd
.after_gate:

        CHECK   4                       ; INT n through a task gate, which returns after it
        PREPARE .interrupted
        mov     dword [scratch], 0
        int     GATE_VECTOR
.behind_int:
        SAME    dword [scratch], 0x1274
        jmp     .after_int
.interrupted:
        SAME    dword [main_state + state.eip], .behind_int
        SAME    esp, task_stack_top     ; no error code
        mov     dword [scratch], 0x1274
        iretd
.after_int:

        CHECK   5                       ; an exception with an error code through one, and one without
        PREPARE .fault_task
        mov     eax, GP_VECTOR
        mov     ecx, TASK
        call    make_task_gate
        mov     eax, OUTSIDE | 4        ; in no table
        xor     ebx, ebx
.faults:
        mov     ds, ax
        SAME    ebx, 1
        mov     eax, GP_VECTOR
        call    make_interrupt_gate
        jmp     .no_code
.fault_task:
        SAME    esp, task_stack_top - 4
        pop     eax
        SAME    eax, OUTSIDE | 4
        SAME    dword [main_state + state.eip], .faults
        test    dword [main_state + state.eflags], 1 << 16      ; RF, of a fault
        jz      failed
        mov     dword [main_state + state.ebx], 1
        add     dword [main_state + state.eip], 2
        iretd
.no_code:
        PREPARE .invalid_task
        mov     eax, UD_VECTOR
        mov     ecx, TASK
        call    make_task_gate
.invalid:
        ud2
        mov     eax, UD_VECTOR
        call    make_interrupt_gate
        jmp     .after_exceptions
.invalid_task:
        SAME    esp, task_stack_top
        SAME    dword [main_state + state.eip], .invalid
        add     dword [main_state + state.eip], 2
        iretd
.after_exceptions:

        CHECK   6                       ; a 16-bit task: halves of registers, no FS and GS, no CR3
        call    prepare_small
        mov     ecx, 0xCCCC1111
        mov     dword [scratch], 0
        call    SMALL_TASK:0
        SAME    ecx, 0xCCCC1111
        SAME    dword [scratch], 0x16
        SAME    word [small_state + small.cx], 0xB1
        SAME    word [small_state + small.link], MAIN_TASK
        test    word [small_state + small.flags], FLAGS_NT
        jnz     failed
        mov     ax, fs
        SAME    ax, DATA_SELECTOR
        jmp     .after_small
.small_task:
        SAME    cx, 0xB1
        SAME    bp, 0xB5
        mov     ax, fs
        SAME    ax, 0
        str     ax
        SAME    ax, SMALL_TASK
        mov     dword [scratch], 0x16
        iretd
.after_small:

        CHECK   7                       ; the T bit: a debug trap before the first instruction
        PREPARE .traced
        mov     word [task_state + state.trap], 1
        mov     eax, DR6_CLEAR
        mov     dr6, eax
        mov     eax, 1 << 0 | 1 << 1 | 1 << 8   ; L0, G0, LE: the local ones are cleared
        mov     dr7, eax
        EXPECT_FAULT .traced
        jmp     TASK:0
        jmp     .after_trace
.traced:
        SAME    dword [fault_vector], DB_VECTOR
        SAME    dword [fault_ip], .traced
        mov     eax, dr6
        test    eax, DR6_BT
        jz      failed
        mov     eax, dr7
        and     eax, 1 << 0 | 1 << 1 | 1 << 8
        SAME    eax, 1 << 1
        xor     eax, eax
        mov     dr7, eax
        mov     word [task_state + state.trap], 0
        jmp     MAIN_TASK:0
.after_trace:

        CHECK   8                       ; CR3: another address space
        PREPARE .elsewhere
        mov     dword [task_state + state.cr3], other_directory
        mov     dword [WINDOW], 1
        mov     dword [scratch], 0
        call    TASK:0
        SAME    dword [WINDOW], 1
        SAME    dword [scratch], 2
        mov     eax, cr3
        SAME    eax, directory
        jmp     .after_spaces
.elsewhere:
        mov     eax, [WINDOW]
        mov     [scratch], eax
        iretd
.after_spaces:

        CHECK   9                       ; the local descriptor table
        PREPARE .local
        mov     word [task_state + state.ldt], LDT
        mov     word [task_state + state.fs], 4 ; its first descriptor
        mov     byte [ldt + 5], 0x92    ; not accessed yet
        call    TASK:0
        SAME    byte [ldt + 5], 0x93
        sldt    ax
        SAME    ax, 0
        jmp     .after_local
.local: sldt    ax
        SAME    ax, LDT
        mov     eax, [fs:0]
        SAME    eax, [scratch]
        iretd
.after_local:

        CHECK   10                      ; a task in user mode
        PREPARE .user
        mov     word [task_state + state.cs], USER_CODE
        mov     word [task_state + state.ss], USER_DATA
        mov     word [task_state + state.ds], USER_DATA
        mov     word [task_state + state.es], USER_DATA
        mov     word [task_state + state.fs], 0
        mov     word [task_state + state.gs], 0
        mov     dword [task_state + state.stacks], kernel_stack_top
        mov     dword [task_state + state.stacks + 4], DATA_SELECTOR
        mov     dword [scratch], 0
        call    TASK:0
        SAME    dword [scratch], 0x0503
        jmp     .after_user
.user:  mov     ax, cs
        SAME    ax, USER_CODE
        mov     dword [scratch], 0x0503
        int     BACK_VECTOR
.after_user:

        CHECK   11                      ; one in virtual-8086 mode
        PREPARE 0
        mov     dword [task_state + state.eflags], FLAGS_FIXED | FLAGS_VM | FLAGS_IOPL
        mov     word [task_state + state.cs], LOW_CODE >> 4
        mov     word [task_state + state.ds], LOW_DATA >> 4
        mov     word [task_state + state.ss], LOW_DATA >> 4
        mov     dword [task_state + state.esp], 0x100
        mov     dword [task_state + state.stacks], kernel_stack_top
        mov     dword [task_state + state.stacks + 4], DATA_SELECTOR
        mov     dword [LOW_CODE], 0x000006C7    ; mov word [0], 8086H
        mov     dword [LOW_CODE + 4], (BACK_VECTOR << 24) + 0xCD8086    ; int BACK_VECTOR
        mov     dword [LOW_DATA], 0
        call    TASK:0
        SAME    dword [LOW_DATA], 0x8086
        SAME    word [task_state + state.cs], CODE_SELECTOR     ; where it came back from

        CHECK   12                      ; what fails in the new task: code, stack, data, and local table
        FAILS   NP_VECTOR, ABSENT_CODE, state.cs, ABSENT_CODE
        FAILS   TS_VECTOR, DATA_SELECTOR, state.cs, DATA_SELECTOR
        FAILS   TS_VECTOR, OUTSIDE, state.cs, OUTSIDE
        FAILS   TS_VECTOR, 0, state.cs, 0
        FAILS   TS_VECTOR, USER_CODE & ~3, state.cs, USER_CODE & ~3
        FAILS   SS_VECTOR, ABSENT_DATA, state.ss, ABSENT_DATA
        FAILS   TS_VECTOR, USER_DATA & ~3, state.ss, USER_DATA
        FAILS   TS_VECTOR, CODE_SELECTOR, state.ss, CODE_SELECTOR
        FAILS   TS_VECTOR, 0, state.ss, 0
        FAILS   NP_VECTOR, ABSENT_DATA, state.ds, ABSENT_DATA
        FAILS   TS_VECTOR, OUTSIDE, state.gs, OUTSIDE
        FAILS   TS_VECTOR, DATA_SELECTOR, state.es, DATA_SELECTOR | 3
        FAILS   TS_VECTOR, MAIN_TASK, state.fs, MAIN_TASK
        FAILS   TS_VECTOR, DATA_SELECTOR, state.ldt, DATA_SELECTOR
        FAILS   TS_VECTOR, LDT | 4, state.ldt, LDT | 4

        CHECK   13                      ; what fails in the old one: small and absent segments
        EXPECT_FAULT .short
.to_short:
        jmp     SHORT_TASK:0
.short: EXPECT_FAILURE TS_VECTOR, SHORT_TASK, .to_short
        EXPECT_FAULT .far
.to_far:
        jmp     FAR_TASK:0
.far:   SAME    dword [fault_vector], PF_VECTOR
        SAME    dword [fault_ip], .to_far
        str     ax
        SAME    ax, MAIN_TASK
        mov     eax, [fault_address]
        and     eax, ~0xFFF
        SAME    eax, WINDOW + 0x1000
        test    byte [gdt + MAIN_TASK + 5], BUSY        ; nothing was changed
        jz      failed
        test    byte [gdt + FAR_TASK + 5], BUSY
        jnz     failed
        EXPECT_FAULT .busy
.to_busy:
        jmp     MAIN_TASK:0
.busy:  EXPECT_FAILURE GP_VECTOR, MAIN_TASK, .to_busy

        jmp     succeeded


; Checks a failure in the old task: the vector and the error code are in EAX, the place is in ECX.
check_failure:
        movzx   edx, ax
        SAME    [fault_vector], edx
        shr     eax, 16
        SAME    [fault_error], eax
        SAME    [fault_ip], ecx
        str     ax
        SAME    ax, MAIN_TASK
        ret

stray:  jmp     failed

; The task of faults in other tasks.
fault_task:
        pop     dword [fault_error]
        mov     dword [fault_vector], -1
        jmp     MAIN_TASK:0

; The descriptor EDI gets the base EAX.
describe:
        mov     [gdt + edi + 2], ax
        shr     eax, 16
        mov     [gdt + edi + 4], al
        mov     [gdt + edi + 7], ah
        ret

; The vector EAX leads to the task ECX, or as at first.
make_task_gate:
        mov     edx, [idt + 8 * eax]
        mov     [saved_gate], edx
        mov     edx, [idt + 8 * eax + 4]
        mov     [saved_gate + 4], edx
        mov     [idt + 8 * eax + 2], cx
        mov     byte [idt + 8 * eax + 5], 0x85
        ret
make_interrupt_gate:
        mov     ecx, [saved_gate]
        mov     [idt + 8 * eax], ecx
        mov     ecx, [saved_gate + 4]
        mov     [idt + 8 * eax + 4], ecx
        ret

prepare:
        push    edi
        mov     edi, task_state
        mov     edx, task_stack_top
        call    prepare_state
        mov     eax, fault_task
        mov     edi, fault_state
        mov     edx, fault_stack_top
        call    prepare_state
        and     byte [gdt + TASK + 5], ~BUSY
        and     byte [gdt + FAULT_TASK + 5], ~BUSY
        pop     edi
        ret

; The task at EDI begins at EAX, with the stack EDX.
prepare_state:
        push    edi
        push    eax
        mov     ecx, TASK_SIZE / 4
        xor     eax, eax
        rep stosd
        pop     eax
        pop     edi
        mov     [edi + state.eip], eax
        mov     [edi + state.esp], edx
        mov     eax, cr3
        mov     [edi + state.cr3], eax
        mov     [main_state + state.cr3], eax
        mov     dword [edi + state.eflags], FLAGS_FIXED | 1
        mov     dword [edi + state.eax], 0xA0
        mov     dword [edi + state.ecx], 0xA1
        mov     dword [edi + state.edx], 0xA2
        mov     dword [edi + state.ebx], 0xA3
        mov     dword [edi + state.ebp], 0xA5
        mov     dword [edi + state.esi], 0xA6
        mov     dword [edi + state.edi], 0xA7
        mov     eax, DATA_SELECTOR
        mov     [edi + state.es], eax
        mov     [edi + state.ss], eax
        mov     [edi + state.ds], eax
        mov     [edi + state.fs], eax
        mov     [edi + state.gs], eax
        mov     dword [edi + state.cs], CODE_SELECTOR
        ret

prepare_small:
        mov     edi, small_state
        mov     ecx, SMALL_SIZE / 4
        xor     eax, eax
        rep stosd
        mov     eax, start.small_task
        sub     eax, [code_16_base]
        mov     [small_state + small.ip], ax
        mov     word [small_state + small.flags], FLAGS_FIXED
        mov     word [small_state + small.cx], 0xB1
        mov     word [small_state + small.bp], 0xB5
        mov     word [small_state + small.sp], 0x7000
        mov     word [small_state + small.cs], CODE_16
        mov     word [small_state + small.ss], DATA_SELECTOR
        mov     word [small_state + small.ds], DATA_SELECTOR
        mov     word [small_state + small.es], DATA_SELECTOR
        ret

; From user mode, back to the task that called.
from_user:
        mov     eax, DATA_SELECTOR
        mov     ds, eax
        pushfd
        or      dword [esp], FLAGS_NT
        popfd
        iretd

; Two address spaces: 16 MiB by large pages, the same in both, and a page of its own in each.
set_paging:
        mov     ecx, 4
        mov     eax, PRESENT | WRITABLE | USER | LARGE
        mov     edi, directory
.large: mov     [edi], eax
        mov     [edi + other_directory - directory], eax
        add     eax, 0x400000
        add     edi, 4
        loop    .large
        mov     dword [directory + (WINDOW >> 22) * 4], window_table + (PRESENT + WRITABLE)
        mov     dword [other_directory + (WINDOW >> 22) * 4], other_table + (PRESENT + WRITABLE)
        mov     dword [window_table], window_page + (PRESENT + WRITABLE)
        mov     dword [other_table], other_page + (PRESENT + WRITABLE)
        mov     dword [other_page], 2
        mov     eax, cr4
        or      eax, CR4_PSE
        mov     cr4, eax
        mov     eax, directory
        mov     cr3, eax
        mov     eax, cr0
        and     eax, ~(CR0_CD | CR0_NW)
        or      eax, CR0_PG
        mov     cr0, eax
        ret

%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"

section .data
guest_name:     db "tasks", 0
        align   8
gdt:    dq      0
        dq      0x00CF9B000000FFFF      ; CODE_SELECTOR
        dq      0x00CF93000000FFFF      ; DATA_SELECTOR
        dq      0x0000890000000000 + TASK_SIZE - 1      ; MAIN_TASK
        dq      0x0000890000000000 + TASK_SIZE - 1      ; TASK
        dq      0x0000810000000000 + SMALL_SIZE - 1     ; SMALL_TASK
        dq      0x0000850000000000 + (TASK << 16)       ; GATE
        dq      0x0000820000000000 + 15                 ; LDT
        dq      0x00CF1B000000FFFF      ; ABSENT_CODE
        dq      0x00CF13000000FFFF      ; ABSENT_DATA
        dq      0x00CFFB000000FFFF      ; USER_CODE
        dq      0x00CFF3000000FFFF      ; USER_DATA
        dq      0x0000890000000000 + TASK_SIZE - 2      ; SHORT_TASK
        dq      0x0000890000000000 + TASK_SIZE - 1      ; FAR_TASK
        dq      0x00409B100000FFFF      ; CODE_16: 32-bit code of 64 KiB at 1 MiB
        dq      0x0000890000000000 + TASK_SIZE - 1      ; FAULT_TASK
        dw      0
gdt_pointer:
        dw      gdt_pointer - 2 - gdt - 1
        dd      gdt
code_16_base:   dd 0x100000
        align   8
ldt:    dq      0x0040920000000003      ; the four bytes at scratch
        dq      0

section .bss
        alignb  4096
directory:      resb 4096
other_directory: resb 4096
window_table:   resb 4096
other_table:    resb 4096
window_page:    resb 4096
other_page:     resb 4096
                resb 4096
stack_top:      resb 4096
task_stack_top: resb 4096
kernel_stack_top: resb 4096
fault_stack_top:
fault_state:    resb TASK_SIZE
main_state:     resb TASK_SIZE
task_state:     resb TASK_SIZE
small_state:    resb SMALL_SIZE
scratch:        resd 1
seen_flags:     resd 1
saved_gate:     resd 2
        MULTIBOOT_END

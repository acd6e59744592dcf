; Shows: I/O instruction (OUT, IN, REP OUTSB, REP INSB; 8, 16 and 32 bits), CPUID, VMCALL, HLT and
; CR0 access, all from 16-bit real mode, with a visit to protected mode.
;
; A flat binary entered at 0000:7C00, as firmware enters a boot sector.

        org     0x7C00
        bits    16

%include "width.inc"
%include "machine.inc"
%include "checks.inc"

TIMER_VECTOR    equ 0x40
SOFTWARE_VECTOR equ 0x41
HIGH_ADDRESS    equ 0x110000            ; beyond what real mode reaches by itself

CODE32          equ 0x08
FLAT_DATA       equ 0x10
CODE16          equ 0x18
DATA16          equ 0x20

start:
        CHECK   1                       ; the state: registers zero, except those of stack and drive
        or      eax, ebx
        or      eax, ecx
        or      eax, esi
        or      eax, edi
        or      eax, ebp
        jnz     failed
        cmp     esp, 0x7C00
        jne     failed
        cmp     edx, 0x80
        jne     failed
        pushfd
        pop     eax
        and     eax, ~0x8D5             ; without the arithmetic flags that OR has set
        cmp     eax, FLAGS_FIXED
        jne     failed
        mov     eax, cr0
        cmp     eax, 1 << 4
        jne     failed
        mov     ax, ds
        mov     bx, es
        mov     cx, ss
        or      ax, bx
        or      ax, cx
        jnz     failed

        CHECK   2
        call    find_martlet
        jne     failed

        CHECK   3                       ; port I/O of every width
        mov     eax, 0x12345678
        out     DELAY_PORT, al
        out     DELAY_PORT, ax
        out     DELAY_PORT, eax
        mov     dx, COM1_SCRATCH
        mov     al, 0x5A
        out     dx, al
        xor     eax, eax
        in      al, dx
        cmp     eax, 0x5A
        jne     failed
        mov     dx, ABSENT_PORT
        mov     eax, 0x12345678
        in      al, dx
        cmp     eax, 0x123456FF
        jne     failed
        in      ax, dx
        cmp     eax, 0x1234FFFF
        jne     failed
        in      eax, dx
        cmp     eax, 0xFFFFFFFF
        jne     failed

        CHECK   4                       ; string I/O
        mov     di, buffer
        mov     cx, 16
        rep insb
        jcxz    .read
        jmp     failed
.read:  cmp     di, buffer + 16
        jne     failed
        mov     di, buffer
        mov     cx, 8
        mov     ax, 0xFFFF
        repe scasw
        jne     failed
        cmp     word [buffer + 16], 0   ; and not a byte more
        jne     failed
        mov     dx, DELAY_PORT
        mov     si, buffer
        mov     cx, 4
        rep outsd
        cmp     si, buffer + 16
        jne     failed

        CHECK   5                       ; a software interrupt and a fault
        mov     dword [SOFTWARE_VECTOR * 4], software_handler
        mov     dword [DE_VECTOR * 4], divide_handler
        mov     dword [TIMER_VECTOR * 4], timer_handler
        int     SOFTWARE_VECTOR
        cmp     byte [software_interrupts], 1
        jne     failed
        xor     bl, bl
        div     bl
        cmp     byte [divide_faults], 1
        jne     failed

        CHECK   6                       ; VMCALL
        mov     eax, HYPERCALL_SIGNATURE
        vmcall
        cmp     eax, MARTLET_32
        jne     failed

        CHECK   7                       ; HLT, woken by the timer
        mov     eax, HYPERCALL_TIMER
        mov     ebx, TIMER_VECTOR
        mov     ecx, 20000
        vmcall
        test    eax, eax
        jnz     failed
        sti
        hlt
        cli
        cmp     byte [timer_interrupts], 1
        jne     failed

        CHECK   8                       ; to protected mode and back
        lgdt    [gdt_pointer]
        mov     eax, cr0
        mov     ebp, eax
        or      al, CR0_PE
        mov     cr0, eax
        jmp     CODE32:in_protected_mode

        bits    32
in_protected_mode:
        mov     ax, FLAT_DATA
        mov     fs, ax
        mov     eax, cr0
        test    al, CR0_PE
        jz      .back                   ; checked again there
        mov     dword [fs:HIGH_ADDRESS], "high"
.back:  jmp     CODE16:.segment16

        bits    16
.segment16:
        mov     ax, DATA16              ; real mode's limits, except for FS
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     cr0, ebp
        jmp     0:in_real_mode

in_real_mode:
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, cr0
        cmp     eax, ebp
        jne     failed
        cmp     dword [fs:dword HIGH_ADDRESS], "high"   ; FS has kept its 4 GiB ("unreal mode")
        jne     failed
        jmp     succeeded

software_handler:
        inc     byte [software_interrupts]
        iret

divide_handler:                         ; steps over the two bytes of DIV BL
        push    bp
        mov     bp, sp
        add     word [bp + 2], 2
        pop     bp
        inc     byte [divide_faults]
        iret

timer_handler:
        inc     byte [timer_interrupts]
        iret

%include "hypercalls.inc"
%include "console.inc"
%include "outcome.inc"

section .data
guest_name:             db "real", 0
software_interrupts:    db 0
divide_faults:          db 0
timer_interrupts:       db 0

        align   8
gdt:    dq      0
        dq      0x00CF9B000000FFFF      ; CODE32
        dq      0x00CF93000000FFFF      ; FLAT_DATA
        dq      0x00009B000000FFFF      ; CODE16
        dq      0x000093000000FFFF      ; DATA16
gdt_pointer:
        dw      gdt_pointer - gdt - 1
        dd      gdt

buffer: times 18 db 0

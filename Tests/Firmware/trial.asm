; A ROM for QEMU that holds the BIOS and a program which calls it: every check that fails ends the machine with its number,
; success with 60H. 64 KiB at F000:0000. It does first what Martlet does for its guests.

        bits    16
        org     0

DEBUG_EXIT      equ 0xF4
SUCCESS         equ 0x60
MARK            equ 0x55AA1234
PIC             equ 0x20
PIC2            equ 0xA0
TIMER           equ 0x40
COM1            equ 0x3F8

%macro  SET 2                           ; a port's value
        mov     al, %2
  %if %1 > 0xFF
        mov     dx, %1
        out     dx, al
  %else
        out     %1, al
  %endif
%endmacro

        xor     ax, ax
        mov     ss, ax
        mov     sp, 0x7000
        cld
        mov     es, ax                  ; interrupt vectors and data
        xor     di, di
        mov     si, 0x8000
        mov     cx, 0x500
        cs rep movsb
        SET     PIC, 0x11
        SET     PIC + 1, 0x08
        SET     PIC + 1, 4
        SET     PIC + 1, 1
        SET     PIC + 1, 0xFA
        SET     PIC2, 0x11
        SET     PIC2 + 1, 0x70
        SET     PIC2 + 1, 2
        SET     PIC2 + 1, 1
        SET     PIC2 + 1, 0xFF
        SET     TIMER + 3, 0x34
        SET     TIMER, 0
        SET     TIMER, 0
        SET     COM1 + 3, 0x83
        SET     COM1, 1
        SET     COM1 + 1, 0
        SET     COM1 + 3, 3
        SET     COM1 + 4, 3
        mov     ax, 0x9020              ; the program, where setup code would be entered
        mov     es, ax
        xor     di, di
        mov     si, program
        mov     cx, program_end - program
        cs rep movsb
        mov     ax, 0x9000
        mov     ss, ax
        mov     sp, 0xE000
        mov     ds, ax
        mov     es, ax
        jmp     0x9020:0

        align   16
program:                                ; at 9020:0000
%define AT(label) (label - program + 0x200)

%macro  CHECK 1                         ; the number of what follows
        mov     byte [AT(number)], %1
%endmacro
%macro  EXPECT 1                        ; that a condition holds
        j%+1    %%holds
        jmp     failed
%%holds:
%endmacro

        CHECK   1                       ; the data area, and an interrupt that nobody has
        push    word 0x40
        pop     fs
        cmp     word [fs:0], 0x3F8
        EXPECT  e
        cmp     word [fs:0x0E], 0x9FC0
        EXPECT  e
        cmp     byte [fs:0x49], 3
        EXPECT  e
        cmp     word [fs:0x63], 0x3D4
        EXPECT  e
        int     0x60

        CHECK   2                       ; conventional memory and equipment
        int     0x12
        cmp     ax, 639
        EXPECT  e
        int     0x11
        cmp     ax, 0x0222
        EXPECT  e

        CHECK   3                       ; the address map, entry by entry
        xor     ebx, ebx
        xor     bp, bp
.entry: mov     eax, 0xE820
        mov     edx, "PAMS"
        mov     ecx, 24
        mov     di, AT(buffer)
        stc
        int     0x15
        EXPECT  nc
        cmp     eax, "PAMS"
        EXPECT  e
        cmp     ecx, 20
        EXPECT  e
        inc     bp
        test    ebx, ebx
        jnz     .entry
        cmp     bp, 5
        EXPECT  e
        cmp     dword [AT(buffer)], 0xFEE00000  ; the last
        EXPECT  e
        mov     ebx, 5
        mov     eax, 0xE820
        int     0x15
        EXPECT  c

        CHECK   4                       ; the older ways: 128 MiB
        mov     ax, 0xE801
        int     0x15
        EXPECT  nc
        cmp     ax, 0x3C00
        EXPECT  e
        cmp     cx, ax
        EXPECT  e
        cmp     bx, 0x700
        EXPECT  e
        cmp     dx, bx
        EXPECT  e
        mov     ah, 0x88
        int     0x15
        EXPECT  nc
        cmp     ax, 0xFC00
        EXPECT  e

        CHECK   5                       ; a block moved up and back
        mov     dword [AT(descriptors) + 0x12], 0x93000000 | 0x90000 + AT(mark)
        mov     dword [AT(descriptors) + 0x1A], 0x93000000 | 0x200000
        mov     byte [AT(descriptors) + 0x1F], 0x01     ; 18 MiB: above the first 16
        mov     si, AT(descriptors)
        mov     cx, 2
        mov     ah, 0x87
        int     0x15
        EXPECT  nc
        test    ah, ah
        EXPECT  z
        mov     dword [AT(mark)], 0
        mov     dword [AT(descriptors) + 0x1A], 0x93000000 | 0x90000 + AT(mark)
        mov     byte [AT(descriptors) + 0x1F], 0
        mov     dword [AT(descriptors) + 0x12], 0x93000000 | 0x200000
        mov     byte [AT(descriptors) + 0x17], 0x01
        mov     ah, 0x87
        int     0x15
        EXPECT  nc
        cmp     dword [AT(mark)], MARK
        EXPECT  e
        mov     ax, ds
        cmp     ax, 0x9000
        EXPECT  e

        CHECK   6                       ; address line 20, what is absent, the table
        mov     ax, 0x2401
        int     0x15
        EXPECT  nc
        mov     ax, 0x2402
        int     0x15
        EXPECT  nc
        cmp     ax, 1
        EXPECT  e
        mov     ax, 0x2400
        int     0x15
        EXPECT  c
        mov     ax, 0x5300
        int     0x15
        EXPECT  c
        cmp     ah, 0x86
        EXPECT  e
        mov     ah, 0x02
        int     0x13
        EXPECT  c
        push    es
        mov     ah, 0xC0
        int     0x15
        EXPECT  nc
        cmp     word [es:bx], 8
        EXPECT  e
        pop     es

        CHECK   7                       ; teletype: the screen, the cursor, the serial line, scrolling
        mov     ax, 0x0003
        int     0x10
        mov     si, AT(words)
        call    print
        mov     ah, 3
        int     0x10
        cmp     dx, 1 << 8
        EXPECT  e
        push    word 0xB800
        pop     fs
        cmp     dword [fs:0], 0x076F0748        ; "Ho"
        EXPECT  e
        mov     dx, 24 << 8 | 79
        mov     ah, 2
        int     0x10
        mov     ax, 0x0E00 | 'x'
        int     0x10                    ; fills the last place: the screen scrolls
        mov     ah, 3
        int     0x10
        cmp     dx, 24 << 8
        EXPECT  e
        cmp     word [fs:2 * (23 * 80 + 79)], 0x0778
        EXPECT  e
        cmp     dword [fs:0], 0x07200720
        EXPECT  e
        cmp     word [fs:2 * 24 * 80], 0x0720
        EXPECT  e

        CHECK   8                       ; characters with attributes, windows
        mov     ax, 0x0003
        int     0x10
        mov     ah, 0x0F
        int     0x10
        cmp     ax, 80 << 8 | 3
        EXPECT  e
        mov     dx, 5 << 8 | 10
        mov     ah, 2
        mov     bh, 0
        int     0x10
        mov     ax, 0x0900 | '*'
        mov     bx, 0x001E
        mov     cx, 3
        int     0x10
        cmp     word [fs:2 * (5 * 80 + 12)], 0x1E2A
        EXPECT  e
        cmp     word [fs:2 * (5 * 80 + 13)], 0x0720
        EXPECT  e
        mov     ah, 8
        int     0x10
        cmp     ax, 0x1E2A
        EXPECT  e
        mov     ax, 0x0602              ; the window up by two rows, attribute 4F behind it
        mov     bh, 0x4F
        mov     cx, 3 << 8 | 11
        mov     dx, 6 << 8 | 20
        int     0x10
        cmp     word [fs:2 * (3 * 80 + 11)], 0x1E2A
        EXPECT  e
        cmp     word [fs:2 * (5 * 80 + 11)], 0x4F20
        EXPECT  e
        cmp     word [fs:2 * (5 * 80 + 10)], 0x1E2A
        EXPECT  e
        cmp     word [fs:2 * (6 * 80 + 20)], 0x4F20
        EXPECT  e
        cmp     word [fs:2 * (6 * 80 + 21)], 0x0720
        EXPECT  e
        mov     ax, 0x0701              ; and down by one
        mov     bh, 0x07
        int     0x10
        cmp     word [fs:2 * (4 * 80 + 11)], 0x1E2A
        EXPECT  e
        cmp     word [fs:2 * (3 * 80 + 11)], 0x0720
        EXPECT  e
        mov     ax, 0x0600              ; all of it, with a corner beyond the screen
        mov     cx, 0
        mov     dx, 0xFFFF
        int     0x10
        cmp     word [fs:2 * (4 * 80 + 11)], 0x0720
        EXPECT  e
        mov     ax, 0x1301              ; a text with an attribute
        mov     bx, 0x002F
        mov     cx, 2
        mov     dx, 2 << 8 | 4
        mov     bp, AT(words)
        int     0x10
        cmp     dword [fs:2 * (2 * 80 + 4)], 0x2F6F2F48
        EXPECT  e
        mov     ah, 3
        int     0x10
        cmp     dx, 2 << 8 | 6
        EXPECT  e

        CHECK   9                       ; the timer's interrupt counts, and waiting waits
        mov     ah, 0
        int     0x1A
        mov     bx, dx
        sti
.tick:  hlt
        mov     ah, 0
        int     0x1A
        EXPECT  nc
        sub     dx, bx
        cmp     dx, 2
        jb      .tick
        mov     ah, 0
        int     0x1A
        mov     bx, dx
        mov     ah, 0x86
        mov     cx, 3                   ; 196608 microseconds and a bit: more than three ticks
        mov     dx, 0x4000
        int     0x15
        EXPECT  nc
        mov     ah, 0
        int     0x1A
        sub     dx, bx
        cmp     dx, 3
        EXPECT  ae
        mov     cx, 0x12
        mov     dx, 0x3456
        mov     ah, 1
        int     0x1A
        mov     ah, 0
        int     0x1A
        cmp     cx, 0x12
        EXPECT  e

        CHECK   10                      ; the clock, in decimal digits
        mov     ah, 4
        int     0x1A
        EXPECT  nc
        cmp     ch, 0x20
        EXPECT  e
        cmp     dh, 0x12
        EXPECT  be
        mov     ah, 2
        int     0x1A
        EXPECT  nc
        cmp     ch, 0x23
        EXPECT  be

        CHECK   11                      ; PCI: there, the host bridge, its identity, a class, a write
        mov     ax, 0xB101
        int     0x1A
        EXPECT  nc
        cmp     edx, "PCI "
        EXPECT  e
        cmp     cl, 0
        EXPECT  e
        mov     ax, 0xB102
        mov     cx, 0x7000
        mov     dx, 0x8086
        xor     si, si
        int     0x1A
        EXPECT  nc
        cmp     bx, 1 << 3
        EXPECT  e
        mov     ax, 0xB102
        mov     si, 1
        int     0x1A
        EXPECT  c
        cmp     ah, 0x86
        EXPECT  e
        mov     ax, 0xB103
        mov     ecx, 0x060000
        xor     si, si
        int     0x1A
        EXPECT  nc
        test    bx, bx
        EXPECT  z
        mov     di, 0
        mov     ax, 0xB10A
        int     0x1A
        EXPECT  nc
        cmp     ecx, 0x12378086
        EXPECT  e
        mov     di, 2
        mov     ax, 0xB109
        int     0x1A
        cmp     cx, 0x1237
        EXPECT  e
        mov     di, 0x0B
        mov     ax, 0xB108
        int     0x1A
        cmp     cl, 6
        EXPECT  e
        mov     ax, 0xB10F
        int     0x1A
        EXPECT  c
        cmp     ah, 0x81
        EXPECT  e

        CHECK   12                      ; keys: none, two that were stored, as many as find room, then one from the serial line
        mov     ah, 1
        int     0x16
        EXPECT  z
        mov     ah, 5
        mov     cx, 0x1E61
        int     0x16
        mov     ah, 5
        mov     cx, 0x3062
        int     0x16
        mov     ah, 1
        int     0x16
        EXPECT  nz
        cmp     ax, 0x1E61
        EXPECT  e
        mov     ah, 0
        int     0x16
        cmp     ax, 0x1E61
        EXPECT  e
        mov     ah, 0
        int     0x16
        cmp     ax, 0x3062
        EXPECT  e
        mov     bx, 15                  ; the ring holds 15
.store: mov     ah, 5
        int     0x16
        test    al, al
        EXPECT  z
        dec     bx
        jnz     .store
        mov     ah, 5
        int     0x16
        cmp     al, 1
        EXPECT  e
        mov     dx, COM1 + 4
        mov     al, 0x13                ; loop: what is sent comes back
        out     dx, al
        mov     ah, 1
        mov     al, 13
        xor     dx, dx
        int     0x14
        test    ah, 0x80
        EXPECT  z
        mov     ah, 1                   ; a look finds no room for it: it stays where it is
        int     0x16
        EXPECT  nz
        mov     bx, 15
.empty: mov     ah, 0
        int     0x16
        cmp     ax, 0x1C0D
        EXPECT  ne
        dec     bx
        jnz     .empty
        mov     ah, 0
        int     0x16
        cmp     ax, 0x1C0D
        EXPECT  e

        mov     byte [AT(number)], SUCCESS
failed: mov     al, [AT(number)]
        mov     dx, DEBUG_EXIT
        out     dx, al
        cli
        hlt

print:  lodsb
        test    al, al
        jz      .done
        mov     ah, 0x0E
        mov     bx, 7
        int     0x10
        jmp     print
.done:  ret

number: db      0
words:  db      "Horses", 13, 10, 0
        align   4
mark:   dd      MARK
descriptors:
        times   48 db 0
buffer: times   24 db 0
program_end:

        times   0x7000 - ($ - $$) db 0
        dw      5                       ; the address map of 128 MiB, without the I/O APIC
        dq      0, 0x9FC00
        dd      1
        dq      0x9FC00, 0x400
        dd      2
        dq      0xF0000, 0x10000
        dd      2
        dq      0x100000, 0x7F00000
        dd      1
        dq      0xFEE00000, 0x1000
        dd      2

        times   0x8000 - ($ - $$) db 0
        incbin  "build/bios.bin", 0, 0x7FF0
        jmp     0xF000:0
        times   0x10000 - ($ - $$) db 0

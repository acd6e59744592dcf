; The BIOS of the virtual PC: what real-mode programs need of one. 32 KiB at F000:8000, up to 1 MiB; it stores nothing in itself,
; only in the BIOS data area at 0040:0000.
;
; It begins with what firmware leaves at address 0, the interrupt vectors and that data area, which the loader copies there for
; every guest; the devices are set up in the same way (Kernel/Devices/Board+Firmware.swift). Interrupts that are not here return
; at once.

        bits    16
        org     0x8000

SEGMENT_HERE    equ 0xF000
ADDRESS_MAP     equ 0x7000              ; in the same segment, from the loader: a count, then entries of 20 bytes
SCREEN          equ 0xB800
COLUMNS         equ 80
ROWS            equ 25
BLANK           equ 0x0720
EXTENDED_DATA   equ 0x9FC0              ; a segment, which begins with its size
CONVENTIONAL    equ 639                 ; KiB
TICKS_A_DAY     equ 0x1800B0

; The BIOS data area
DATA            equ 0x40
COM_PORTS       equ 0x00
EXTENDED_PLACE  equ 0x0E
EQUIPMENT       equ 0x10
MEMORY_SIZE     equ 0x13
KEY_HEAD        equ 0x1A                ; then the tail
KEY_TAIL        equ 0x1C
KEYS            equ 0x1E
KEYS_END        equ 0x3E
VIDEO_MODE      equ 0x49
VIDEO_COLUMNS   equ 0x4A
CURSOR          equ 0x50
CURSOR_SHAPE    equ 0x60
VIDEO_PORT      equ 0x63
TICKS           equ 0x6C
DAYS            equ 0x70
KEYS_START_AT   equ 0x80
KEYS_END_AT     equ 0x82
LAST_ROW        equ 0x84
CHARACTER_SIZE  equ 0x85

COM1            equ 0x3F8
PIC             equ 0x20
PIC2            equ 0xA0
END_OF_INTERRUPT equ 0x20
TIMER           equ 0x40
CLOCK           equ 0x70
CRT_CONTROLLER  equ 0x3D4               ; its index register, then its data register
RESET           equ 0xCF9
PCI_ADDRESS     equ 0xCF8
PCI_DATA        equ 0xCFC

; --- What is at address 0

%macro  VECTORS 2                       ; so many vectors of a handler
        times %1 dw %2, SEGMENT_HERE
%endmacro

low_memory:
        VECTORS 8, ignore
        VECTORS 1, timer_interrupt      ; 08H
        VECTORS 1, keyboard_interrupt
        VECTORS 6, first_controller
        VECTORS 1, video                ; 10H
        VECTORS 1, equipment
        VECTORS 1, memory_size
        VECTORS 1, disk
        VECTORS 1, serial
        VECTORS 1, system
        VECTORS 1, keyboard
        VECTORS 1, ignore
        VECTORS 2, no_system            ; 18H
        VECTORS 1, clock
        VECTORS 0x70 - 0x1B, ignore
        VECTORS 8, second_controller    ; 70H
        VECTORS 0x100 - 0x78, ignore

%macro  DATA_AT 2+                      ; a place in the data area, and what is there
        times %1 - ($ - data_area) db 0
        %2
%endmacro

data_area:
        DATA_AT COM_PORTS, dw COM1
        DATA_AT EXTENDED_PLACE, dw EXTENDED_DATA
        DATA_AT EQUIPMENT, dw 0x0222    ; one serial port, 80 columns in colour, a coprocessor
        DATA_AT MEMORY_SIZE, dw CONVENTIONAL
        DATA_AT KEY_HEAD, dw KEYS, KEYS
        DATA_AT VIDEO_MODE, db 3
        DATA_AT VIDEO_COLUMNS, dw COLUMNS, 0x1000
        DATA_AT CURSOR_SHAPE, dw 0x0D0E
        DATA_AT VIDEO_PORT, dw CRT_CONTROLLER
        DATA_AT KEYS_START_AT, dw KEYS, KEYS_END
        DATA_AT LAST_ROW, db ROWS - 1
        DATA_AT CHARACTER_SIZE, dw 16
        times 0x100 - ($ - data_area) db 0

reset:
        mov     dx, RESET
        mov     al, 6
        out     dx, al
stop:   cli
        hlt
        jmp     stop

; --- All of memory

; Gives DS and ES base 0 and 4 GiB, which they keep in real mode until they are loaded again. Interrupts must be off.
widen_segments:
        push    eax
        push    bx
        lgdt    [cs:flat_pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     bx, 8
        mov     ds, bx
        mov     es, bx
        and     al, ~1
        mov     cr0, eax
        pop     bx
        pop     eax
        ret

        align   8
flat:   dq      0
        dq      0x00CF93000000FFFF
flat_pointer:
        dw      flat_pointer - flat - 1
        dd      (SEGMENT_HERE << 4) + 0x8000 + (flat - $$)

; --- Ways back from an interrupt: the carry flag is the caller's, on its stack

%macro  CARRY_RETURN 1
        push    bp
        mov     bp, sp
  %if %1
        or      byte [bp + 6], 1
  %else
        and     byte [bp + 6], ~1
  %endif
        pop     bp
        iret
%endmacro

ignore: iret
good:   CARRY_RETURN 0
bad:    CARRY_RETURN 1

unsupported:
        mov     ah, 0x86
        jmp     bad

; --- Hardware interrupts

timer_interrupt:
        push    ds
        push    eax
        mov     ax, DATA
        mov     ds, ax
        mov     eax, [TICKS]
        inc     eax
        cmp     eax, TICKS_A_DAY
        jb      .same
        xor     eax, eax
        inc     byte [DAYS]
.same:  mov     [TICKS], eax
        int     0x1C
        mov     al, END_OF_INTERRUPT
        out     PIC, al
        pop     eax
        pop     ds
        iret

keyboard_interrupt:
        push    ax
        in      al, 0x60
        pop     ax
first_controller:
        push    ax
        mov     al, END_OF_INTERRUPT
        out     PIC, al
        pop     ax
        iret

second_controller:
        push    ax
        mov     al, END_OF_INTERRUPT
        out     PIC2, al
        out     PIC, al
        pop     ax
        iret

; --- INT 10H: the screen is the text buffer in memory; what is written as on a teletype also goes to COM1

video:
        cld
        push    ds
        push    es
        push    word DATA
        pop     ds
        push    word SCREEN
        pop     es
        cmp     ah, 0x00
        je      .set_mode
        cmp     ah, 0x01
        je      .set_shape
        cmp     ah, 0x02
        je      .set_cursor
        cmp     ah, 0x03
        je      .get_cursor
        cmp     ah, 0x06
        je      .scroll
        cmp     ah, 0x07
        je      .scroll
        cmp     ah, 0x08
        je      .read
        cmp     ah, 0x09
        je      .write
        cmp     ah, 0x0A
        je      .write
        cmp     ah, 0x0E
        je      .teletype
        cmp     ah, 0x0F
        je      .get_mode
        cmp     ax, 0x1130
        je      .get_font
        cmp     ah, 0x13
        je      .write_text
.done:  pop     es
        pop     ds
        iret

.set_mode:                              ; every mode is mode 3
        test    al, 0x80
        jnz     .home
        call    clear_screen
.home:  push    dx
        xor     dx, dx
        call    move_cursor
        pop     dx
        jmp     .done

.set_shape:
        push    ax
        push    dx
        mov     [CURSOR_SHAPE], cx
        mov     dx, CRT_CONTROLLER
        mov     al, 0x0A
        mov     ah, ch
        out     dx, ax
        inc     ax
        mov     ah, cl
        out     dx, ax
        pop     dx
        pop     ax
        jmp     .done

.set_cursor:
        push    dx
        call    keep_on_screen
        call    move_cursor
        pop     dx
        jmp     .done

.get_cursor:
        mov     dx, [CURSOR]
        mov     cx, [CURSOR_SHAPE]
        jmp     .done

.scroll:
        call    scroll
        jmp     .done

.read:
        push    di
        call    cursor_place
        mov     ax, [es:di]
        pop     di
        jmp     .done

.write:                                 ; CX characters AL from the cursor on; the cursor stays
        push    cx
        push    di
        call    cursor_place
.each:  jcxz    .written
        cmp     di, 2 * COLUMNS * ROWS
        jae     .written
        stosb
        cmp     ah, 0x0A
        je      .keep
        mov     [es:di], bl
.keep:  inc     di
        dec     cx
        jmp     .each
.written:
        pop     di
        pop     cx
        jmp     .done

.teletype:
        call    teletype
        jmp     .done

.get_mode:
        mov     al, [VIDEO_MODE]
        mov     ah, COLUMNS
        mov     bh, 0
        jmp     .done

.get_font:
        mov     cx, 16
        mov     dl, ROWS - 1
        jmp     .done

.write_text:                            ; CX characters at ES:BP, from DL, DH on, with attribute BL or each with its own
        pop     es
        push    es
        push    ax
        push    bx
        push    cx
        push    dx
        push    bp
        push    word [CURSOR]
        call    keep_on_screen
        call    move_cursor
        mov     dl, al
.next:  jcxz    .text_done
        dec     cx
        mov     al, [es:bp]
        inc     bp
        test    dl, 2
        jz      .colour
        mov     bl, [es:bp]
        inc     bp
.colour:
        push    es
        push    word SCREEN
        pop     es
        cmp     al, 0x20
        jb      .control
        push    di
        call    cursor_place
        mov     [es:di + 1], bl
        pop     di
.control:
        call    teletype
        pop     es
        jmp     .next
.text_done:
        pop     ax                      ; where the cursor was
        test    dl, 1
        jnz     .moved
        xchg    ax, dx
        call    move_cursor
.moved: pop     bp
        pop     dx
        pop     cx
        pop     bx
        pop     ax
        jmp     .done

; DH and DL within the screen.
keep_on_screen:
        cmp     dh, ROWS - 1
        jbe     .row
        mov     dh, ROWS - 1
.row:   cmp     dl, COLUMNS - 1
        jbe     .column
        mov     dl, COLUMNS - 1
.column:
        ret

; DI: where the cursor is in the text buffer. DS is the data area.
cursor_place:
        push    dx
        mov     dx, [CURSOR]
        call    keep_on_screen
        call    place
        pop     dx
        ret

; DI: the place of row DH, column DL.
place:
        push    ax
        mov     al, COLUMNS
        mul     dh
        mov     di, ax
        mov     al, dl
        xor     ah, ah
        add     di, ax
        shl     di, 1
        pop     ax
        ret

; The cursor to row DH, column DL: for the BIOS, and for the CRT controller. DS is the data area.
move_cursor:
        push    ax
        push    dx
        push    di
        mov     [CURSOR], dx
        call    place
        shr     di, 1
        mov     dx, CRT_CONTROLLER
        mov     ax, di
        mov     al, 0x0E
        out     dx, ax
        mov     ax, di
        mov     ah, al
        mov     al, 0x0F
        out     dx, ax
        pop     di
        pop     dx
        pop     ax
        ret

clear_screen:
        push    ax
        push    cx
        push    di
        push    es
        push    word SCREEN
        pop     es
        xor     di, di
        mov     ax, BLANK
        mov     cx, COLUMNS * ROWS
        rep stosw
        pop     es
        pop     di
        pop     cx
        pop     ax
        ret

; Scrolls the window from row CH, column CL to row DH, column DL by AL rows, all of them if AL is 0, up (AH 6) or down (AH 7),
; and fills the freed rows with blanks of attribute BH. ES is the screen.
scroll:
        pusha
        push    ds
        push    es
        pop     ds
        mov     bp, sp                  ; pusha's AX is at [bp + 16], BX at [bp + 10]
        call    keep_on_screen
        cmp     ch, dh
        ja      .done
        cmp     cl, dl
        ja      .done
        mov     bl, dh
        sub     bl, ch
        inc     bl                      ; rows of the window
        cmp     al, bl
        ja      .all
        test    al, al
        jnz     .rows
.all:   mov     al, bl
.rows:  sub     bl, al                  ; rows to move
        mov     bh, al                  ; rows to fill
        sub     dl, cl
        inc     dl                      ; columns
        mov     si, 2 * COLUMNS
        cmp     byte [bp + 17], 7
        jne     .start
        neg     si
        mov     ch, dh                  ; from the last row up
.start: xchg    cx, dx
        xor     ch, ch
        call    place                   ; DI: where the next row goes, SI: how far on the one after it is
.move:  test    bl, bl
        jz      .fill
        dec     bl
        push    si
        push    di
        push    cx
        mov     al, bh
        cbw
        imul    si, ax
        add     si, di
        rep movsw
        pop     cx
        pop     di
        pop     si
        add     di, si
        jmp     .move
.fill:  test    bh, bh
        jz      .done
        dec     bh
        mov     al, 0x20
        mov     ah, [bp + 11]
        push    di
        push    cx
        rep stosw
        pop     cx
        pop     di
        add     di, si
        jmp     .fill
.done:  pop     ds
        popa
        ret

; Writes AL to COM1 and at the cursor, which moves. DS is the data area, ES the screen.
teletype:
        pusha
        call    transmit
        mov     dx, [CURSOR]
        call    keep_on_screen
        cmp     al, 7
        je      .done
        cmp     al, 8
        je      .back
        cmp     al, 10
        je      .line
        cmp     al, 13
        je      .return
        call    place
        mov     [es:di], al
        inc     dl
        cmp     dl, COLUMNS
        jb      .set
        xor     dl, dl
.line:  inc     dh
        cmp     dh, ROWS
        jb      .set
        dec     dh
        push    dx
        mov     bh, [es:2 * COLUMNS * ROWS - 1]
        mov     ax, 0x0601
        xor     cx, cx
        mov     dx, (ROWS - 1) << 8 | COLUMNS - 1
        call    scroll
        pop     dx
        jmp     .set
.back:  test    dl, dl
        jz      .set
        dec     dl
        jmp     .set
.return:
        xor     dl, dl
.set:   call    move_cursor
.done:  popa
        ret

; Sends AL through COM1, unless its transmitter never becomes empty.
transmit:
        push    ax
        push    cx
        push    dx
        mov     ah, al
        mov     dx, COM1 + 5
        mov     cx, 0xFFFF
.wait:  in      al, dx
        test    al, 0x20
        jnz     .send
        loop    .wait
.send:  mov     dx, COM1
        mov     al, ah
        out     dx, al
        pop     dx
        pop     cx
        pop     ax
        ret

; --- INT 11H, 12H, 13H

equipment:
        push    ds
        push    word DATA
        pop     ds
        mov     ax, [EQUIPMENT]
        pop     ds
        iret

memory_size:
        push    ds
        push    word DATA
        pop     ds
        mov     ax, [MEMORY_SIZE]
        pop     ds
        iret

disk:   mov     ah, 1                   ; there is none
        jmp     bad

; --- INT 14H: COM1 as port 0

serial:
        test    dx, dx
        jnz     .absent
        push    dx
        cmp     ah, 1
        jb      .status
        je      .send
        cmp     ah, 2
        je      .receive
.status:
        mov     dx, COM1 + 6
        in      al, dx
        dec     dx
        mov     ah, al
        in      al, dx
        xchg    al, ah
        pop     dx
        iret
.send:  call    transmit
        jmp     .line
.receive:
        mov     dx, COM1 + 5
        in      al, dx
        test    al, 1
        jz      .none
        mov     dx, COM1
        in      al, dx
.line:  push    ax
        mov     dx, COM1 + 5
        in      al, dx
        mov     dl, al
        pop     ax
        mov     ah, dl
        and     ah, 0x7F
        pop     dx
        iret
.none:  pop     dx
.absent:
        mov     ah, 0x80                ; timed out
        iret

; --- INT 15H

system:
        cmp     ax, 0xE820
        je      address_map
        cmp     ax, 0xE801
        je      memory_in_pieces
        cmp     ah, 0x24
        je      address_line_20
        cmp     ah, 0x86
        je      pause_microseconds
        cmp     ah, 0x87
        je      move_block
        cmp     ah, 0x88
        je      extended_memory
        cmp     ah, 0xC0
        je      configuration
        cmp     ah, 0xC1
        je      extended_data
        jmp     unsupported

address_map:
        cmp     edx, "PAMS"
        jne     unsupported
        cmp     ecx, 20
        jb      unsupported
        movzx   eax, word [cs:ADDRESS_MAP]
        cmp     ebx, eax
        jae     unsupported
        push    ds
        push    si
        push    di
        push    cs
        pop     ds
        imul    si, bx, 20
        add     si, ADDRESS_MAP + 2
        mov     cx, 5
        cld
        rep movsd
        pop     di
        pop     si
        pop     ds
        mov     ecx, 20
        inc     ebx
        cmp     ebx, eax
        jb      .more
        xor     ebx, ebx
.more:  mov     eax, edx
        jmp     good

; EAX: the end of extended memory, which is the fourth entry.
end_of_memory:
        mov     eax, [cs:ADDRESS_MAP + 2 + 3 * 20]
        add     eax, [cs:ADDRESS_MAP + 2 + 3 * 20 + 8]
        ret

memory_in_pieces:
        push    eax
        call    end_of_memory
        mov     ebx, eax
        sub     eax, 0x100000
        shr     eax, 10
        cmp     eax, 15 * 1024
        jbe     .low
        mov     eax, 15 * 1024
.low:   mov     cx, ax
        sub     ebx, 0x1000000
        jae     .high
        xor     ebx, ebx
.high:  shr     ebx, 16
        mov     dx, bx
        pop     eax
        mov     ax, cx
        jmp     good

extended_memory:                        ; 63 MiB at most, in KiB
        call    end_of_memory
        sub     eax, 0x100000
        shr     eax, 10
        cmp     eax, 0xFC00
        jbe     good
        mov     eax, 0xFC00
        jmp     good

; Address line 20 is always on.
address_line_20:
        cmp     al, 1
        je      .on
        cmp     al, 2
        je      .status
        cmp     al, 3
        jne     unsupported
        xor     bx, bx                  ; neither the keyboard controller nor port 92H switches it
        jmp     .on
.status:
        mov     al, 1
.on:    mov     ah, 0
        jmp     good

; Waits CX:DX microseconds by the timer's channel 0, which runs at 1193182 Hz.
pause_microseconds:
        sti
        push    eax
        push    ebx
        push    ecx
        push    edx
        mov     ax, cx
        shl     eax, 16
        mov     ax, dx
        mov     edx, 1193
        mul     edx
        mov     ecx, 1000
        cmp     edx, ecx
        jb      .divide
        lea     edx, [ecx - 1]
.divide:
        div     ecx
        mov     ecx, eax                ; counts to go
        call    read_timer
        mov     bx, ax
.wait:  call    read_timer
        sub     bx, ax                  ; it counts down
        movzx   edx, bx
        mov     bx, ax
        sub     ecx, edx
        ja      .wait
        pop     edx
        pop     ecx
        pop     ebx
        pop     eax
        mov     ah, 0
        jmp     good

; AX: channel 0 now.
read_timer:
        mov     al, 0
        out     TIMER + 3, al
        in      al, TIMER
        mov     ah, al
        in      al, TIMER
        xchg    al, ah
        ret

; Copies CX words; the third and fourth descriptor at ES:SI tell from where to where.
move_block:
        cli
        push    ds
        push    es
        pushad
        movzx   ecx, cx
        mov     ebx, [es:si + 0x12]
        and     ebx, 0xFFFFFF
        mov     al, [es:si + 0x17]
        shl     eax, 24
        or      ebx, eax
        mov     edi, [es:si + 0x1A]
        and     edi, 0xFFFFFF
        mov     al, [es:si + 0x1F]
        shl     eax, 24
        or      edi, eax
        mov     esi, ebx
        call    widen_segments
        cld
        a32 rep movsw
        popad
        pop     es
        pop     ds
        mov     ah, 0
        jmp     good

configuration:
        push    cs
        pop     es
        mov     bx, .table
        mov     ah, 0
        jmp     good
.table: dw      8
        db      0xFC, 0, 0              ; model and submodel: an AT; revision
        db      0x74                    ; a second interrupt controller, a clock, a wait function, an extended data area
        dw      0, 0

extended_data:
        mov     ax, EXTENDED_DATA
        mov     es, ax
        jmp     good

; --- INT 16H: keys come from COM1

keyboard:
        cmp     ah, 0x00
        je      .read
        cmp     ah, 0x10
        je      .read
        cmp     ah, 0x01
        je      .check
        cmp     ah, 0x11
        je      .check
        cmp     ah, 0x02
        je      .shift
        cmp     ah, 0x12
        je      .shift
        cmp     ah, 0x05
        je      .store
        iret

.read:  push    ds
        push    word DATA
        pop     ds
.wait:  call    poll_key
        call    first_key
        jnz     .take
        sti
        hlt                             ; the timer wakes it
        jmp     .wait
.take:  push    bx
        mov     bx, [KEY_HEAD]
        call    next_place
        mov     [KEY_HEAD], bx
        pop     bx
        pop     ds
        iret

.check: push    ds
        push    word DATA
        pop     ds
        call    poll_key
        call    first_key
        pop     ds
        push    bp
        mov     bp, sp
        jz      .none
        and     byte [bp + 6], ~0x40
        pop     bp
        iret
.none:  or      byte [bp + 6], 0x40
        pop     bp
        iret

.shift: mov     al, 0                   ; no key is held
        iret

.store: push    ds
        push    word DATA
        pop     ds
        mov     ax, cx
        call    store_key
        mov     al, 0
        jnc     .stored
        mov     al, 1                   ; full
.stored:
        pop     ds
        iret

; AX: the first waiting key, and the zero flag clear; else AX stays and the zero flag is set.
first_key:
        push    bx
        mov     bx, [KEY_HEAD]
        cmp     bx, [KEY_TAIL]
        je      .none
        mov     ax, [bx]
.none:  pop     bx
        ret

; BX: the place after BX in the ring of keys.
next_place:
        add     bx, 2
        cmp     bx, [KEYS_END_AT]
        jb      .inside
        mov     bx, [KEYS_START_AT]
.inside:
        ret

; Keeps key AX; carry if there is no room.
store_key:
        push    bx
        push    si
        mov     si, [KEY_TAIL]
        mov     bx, si
        call    next_place
        cmp     bx, [KEY_HEAD]
        je      .full
        mov     [si], ax
        mov     [KEY_TAIL], bx
        clc
        jmp     .done
.full:  stc
.done:  pop     si
        pop     bx
        ret

; Stores what has come through COM1, with the scan code of the key that makes it. What there is no room for stays in the UART
; and with the sender.
poll_key:
        push    ax
        push    bx
        push    dx
        mov     bx, [KEY_TAIL]
        call    next_place
        cmp     bx, [KEY_HEAD]
        je      .done
        mov     dx, COM1 + 5
        in      al, dx
        test    al, 1
        jz      .done
        mov     dx, COM1
        in      al, dx
        test    al, 0x80
        jnz     .plain
        cmp     al, 0x7F
        jne     .not_delete
        mov     al, 8                   ; as terminals send it
.not_delete:
        mov     bx, scan_codes
        mov     ah, al
        cs xlatb
        xchg    al, ah
        jmp     .store
.plain: mov     ah, 0
.store: call    store_key
.done:  pop     dx
        pop     bx
        pop     ax
        ret

; The key for each ASCII character, on a US keyboard.
scan_codes:
        db      0x03, 0x1E, 0x30, 0x2E, 0x20, 0x12, 0x21, 0x22, 0x0E, 0x0F, 0x24, 0x25, 0x26, 0x1C, 0x31, 0x18
        db      0x19, 0x10, 0x13, 0x1F, 0x14, 0x16, 0x2F, 0x11, 0x2D, 0x15, 0x2C, 0x01, 0x2B, 0x1B, 0x07, 0x0C
        db      0x39, 0x02, 0x28, 0x04, 0x05, 0x06, 0x08, 0x28, 0x0A, 0x0B, 0x09, 0x0D, 0x33, 0x0C, 0x34, 0x35
        db      0x0B, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x27, 0x27, 0x33, 0x0D, 0x34, 0x35
        db      0x03, 0x1E, 0x30, 0x2E, 0x20, 0x12, 0x21, 0x22, 0x23, 0x17, 0x24, 0x25, 0x26, 0x32, 0x31, 0x18
        db      0x19, 0x10, 0x13, 0x1F, 0x14, 0x16, 0x2F, 0x11, 0x2D, 0x15, 0x2C, 0x1A, 0x2B, 0x1B, 0x07, 0x0C
        db      0x29, 0x1E, 0x30, 0x2E, 0x20, 0x12, 0x21, 0x22, 0x23, 0x17, 0x24, 0x25, 0x26, 0x32, 0x31, 0x18
        db      0x19, 0x10, 0x13, 0x1F, 0x14, 0x16, 0x2F, 0x11, 0x2D, 0x15, 0x2C, 0x1A, 0x2B, 0x1B, 0x29, 0x0E

; --- INT 18H and 19H: there is no disk to start from

no_system:
        push    cs
        pop     ds
        mov     si, .words
        cld
.next:  lodsb
        test    al, al
        jz      stop
        mov     ah, 0x0E
        int     0x10
        jmp     .next
.words: db      13, 10, "No disk to start from.", 13, 10, 0

; --- INT 1AH: clock and PCI

clock:
        cmp     ah, 0xB1
        je      pci
        cmp     ah, 0x01
        jb      .get_ticks
        je      .set_ticks
        cmp     ah, 0x02
        je      .get_time
        cmp     ah, 0x04
        je      .get_date
        jmp     bad

.get_ticks:
        push    ds
        push    word DATA
        pop     ds
        mov     cx, [TICKS + 2]
        mov     dx, [TICKS]
        mov     al, 0
        xchg    al, [DAYS]
        pop     ds
        mov     ah, 0
        jmp     good

.set_ticks:
        push    ds
        push    word DATA
        pop     ds
        mov     [TICKS], dx
        mov     [TICKS + 2], cx
        mov     byte [DAYS], 0
        pop     ds
        mov     ah, 0
        jmp     good

.get_time:
        push    ax
        call    wait_for_clock
        mov     al, 4
        call    read_clock
        mov     ch, al
        mov     al, 2
        call    read_clock
        mov     cl, al
        mov     al, 0
        call    read_clock
        mov     dh, al
        mov     al, 0x0B
        call    read_clock
        and     al, 1
        mov     dl, al
        pop     ax
        mov     ah, 0
        jmp     good

.get_date:
        push    ax
        call    wait_for_clock
        mov     al, 0x32
        call    read_clock
        mov     ch, al
        mov     al, 9
        call    read_clock
        mov     cl, al
        mov     al, 8
        call    read_clock
        mov     dh, al
        mov     al, 7
        call    read_clock
        mov     dl, al
        pop     ax
        mov     ah, 0
        jmp     good

; AL: register AL of the clock.
read_clock:
        out     CLOCK, al
        in      al, CLOCK + 1
        ret

; Waits until no update is in progress.
wait_for_clock:
        push    cx
        mov     cx, 0xFFFF
.wait:  mov     al, 0x0A
        call    read_clock
        test    al, 0x80
        loopnz  .wait
        pop     cx
        ret

; PCI BIOS 2.10, with configuration mechanism 1 and bus 0.
pci:
        cmp     al, 0x01
        je      .present
        cmp     al, 0x02
        je      .find_device
        cmp     al, 0x03
        je      .find_class
        cmp     al, 0x08
        jb      .unknown
        cmp     al, 0x0D
        ja      .unknown
        jmp     .access
.unknown:
        mov     ah, 0x81
        jmp     bad

.present:
        mov     edx, "PCI "
        mov     ax, 0x0001
        mov     bx, 0x0210
        mov     cl, 0
        jmp     good

; Device CX of vendor DX, or class ECX, and the SI-th of them: BX.
.find_device:
        push    edx
        push    ecx
        shl     ecx, 16
        mov     cx, dx
        mov     edx, 0xFFFFFFFF
        mov     ah, 0
        jmp     .find
.find_class:
        push    edx
        push    ecx
        shl     ecx, 8
        mov     edx, 0xFFFFFF00
        mov     ah, 8
.find:                                  ; the register AH masked with EDX is to be ECX
        push    edi
        push    si
        xor     bx, bx
.next:  push    edx
        push    eax
        movzx   edi, ah
        call    pci_address
        mov     dx, PCI_DATA
        in      eax, dx
        mov     edi, eax
        pop     eax
        pop     edx
        and     edi, edx
        cmp     edi, ecx
        jne     .other
        sub     si, 1
        jb      .found
.other: inc     bl
        jnz     .next
        pop     si
        pop     edi
        pop     ecx
        pop     edx
        mov     ah, 0x86
        jmp     bad
.found: pop     si
        pop     edi
        pop     ecx
        pop     edx
        mov     ah, 0
        jmp     good

; Register DI of device BX: read (08H to 0AH) or written (0BH to 0DH), as a byte, a word or a double word in ECX.
.access:
        push    eax
        push    edx
        call    pci_address
        mov     dx, di
        and     dx, 3
        add     dx, PCI_DATA
        cmp     al, 0x09
        jb      .read_byte
        je      .read_word
        cmp     al, 0x0B
        jb      .read_double
        je      .write_byte
        cmp     al, 0x0C
        je      .write_word
        mov     eax, ecx
        out     dx, eax
        jmp     .accessed
.read_byte:
        in      al, dx
        mov     cl, al
        jmp     .accessed
.read_word:
        in      ax, dx
        mov     cx, ax
        jmp     .accessed
.read_double:
        in      eax, dx
        mov     ecx, eax
        jmp     .accessed
.write_byte:
        mov     al, cl
        out     dx, al
        jmp     .accessed
.write_word:
        mov     ax, cx
        out     dx, ax
.accessed:
        pop     edx
        pop     eax
        mov     ah, 0
        jmp     good

; Selects register DI of device BX.
pci_address:
        push    eax
        push    edx
        movzx   eax, bx
        shl     eax, 8
        or      eax, 1 << 31
        mov     dx, di
        and     dl, 0xFC
        mov     al, dl
        mov     dx, PCI_ADDRESS
        out     dx, eax
        pop     edx
        pop     eax
        ret

; --- Where a processor starts, and what model it is in

        times   0xFFF0 - 0x8000 - ($ - $$) db 0
        jmp     SEGMENT_HERE:reset
        db      "11/21/26"
        db      0
        db      0xFC                    ; an AT
        db      0

; Shows: the virtual PC as other people's test images find it: started in flat 32-bit mode with paging off, by its
; devices, its firmware's tables and the odd instructions that look for hypervisors.
;
; The command line may say
;       poweroff        ends by the sleep type that the DSDT gives, instead of the debug-exit port
;       reboot          resets the machine in three ways, one after the other; the count is kept in CMOS memory

        org     0x100000
        bits    32

%include "width.inc"
%include "machine.inc"
%include "checks.inc"
%include "multiboot.inc"
%include "apic.inc"
%include "pc.inc"

        MULTIBOOT_HEADER

start:
        mov     esp, stack_top
        cld
        mov     [multiboot_magic], eax
        mov     [multiboot_address], ebx
        lgdt    [gdt_pointer]
        jmp     CODE_SELECTOR:.flush
.flush: mov     eax, DATA_SELECTOR
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        call    load_idt
        call    load_interrupts
        call    take_low_memory
        call    check_start
        call    check_memory
        call    check_configuration
        call    check_tables
        call    count_starts
        call    check_absence
        call    check_instructions
        call    check_serial
        call    check_controllers
        call    check_frequencies
        call    check_clock
        call    check_keyboard
        call    check_local
        call    check_io_apic
        call    check_modes

        CHECK   200                     ; low memory is still as it was left
        call    compare_low_memory
        mov     esi, poweroff_text
        call    find_word
        jnc     power_off
        jmp     succeeded

power_off:
        CHECK   201                     ; the guest does not outlive it
        mov     al, [sleep_type]
        movzx   eax, al
        shl     eax, 10
        or      eax, 1 << 13
        mov     edx, [control_port]
        out     dx, ax
        jmp     failed

; ---- The start -----------------------------------------------------------------------------------

; Everything below LOW_END is ours: nothing that the boot loader hands over is there.
take_low_memory:
        xor     edi, edi
.next:  mov     eax, edi
        xor     eax, LOW_PATTERN
        mov     [edi], eax
        add     edi, 4
        cmp     edi, 0x1000
        jb      .next
.high:  mov     eax, edi
        xor     eax, LOW_PATTERN
        mov     [edi], eax
        add     edi, 4
        cmp     edi, LOW_END
        jb      .high
        ret

compare_low_memory:
        xor     edi, edi
.next:  mov     eax, edi
        xor     eax, LOW_PATTERN
        cmp     [edi], eax
        jne     failed
        add     edi, 4
        cmp     edi, LOW_END
        jb      .next
        ret

check_start:
        CHECK   1                       ; flat 32-bit mode, paging and interrupts off
        cmp     dword [multiboot_magic], MULTIBOOT_LOADER_MAGIC
        jne     failed
        pushfd
        pop     eax
        test    eax, FLAGS_IF
        jnz     failed
        mov     eax, cr0
        and     eax, CR0_PG | CR0_PE
        cmp     eax, CR0_PE
        jne     failed

        CHECK   2                       ; what the loader tells is between 128 KiB and 640 KiB
        mov     ebx, [multiboot_address]
        mov     eax, ebx
        call    .is_high
        mov     eax, [ebx + multiboot.command_line]
        call    .is_high
        mov     eax, [ebx + multiboot.mmap_addr]
        call    .is_high
        mov     eax, [ebx + multiboot.loader_name]
        call    .is_high

        CHECK   3                       ; an unmarked page: the machine starts again with clear memory
        cmp     dword [start_mark], 0
        jne     failed
        mov     dword [start_mark], "mark"

        CHECK   4                       ; the hypervisor tells the frequency of the time stamp
        call    find_martlet
        jne     failed
        mov     eax, 0x40000010
        cpuid
        mov     [kilohertz], eax
        mov     [timer_kilohertz], ebx
        test    eax, eax
        jz      failed
        mov     eax, 0x15               ; and so does the processor
        cpuid
        mov     esi, eax
        mov     eax, ecx
        mul     ebx
        div     esi
        xor     edx, edx
        mov     ecx, 1000
        div     ecx
        cmp     eax, [kilohertz]
        jne     failed
        ret

.is_high:
        sub     eax, 0x20000
        cmp     eax, 0x80000
        jae     failed
        ret

; The word at ESI on the command line: carry clear if it is there. Changes EAX, ECX, EDI.
find_word:
        mov     edi, [multiboot_address]
        mov     edi, [edi + multiboot.command_line]
.try:   xor     ecx, ecx
.same:  mov     al, [esi + ecx]
        test    al, al
        jz      .end                    ; carry is clear
        inc     ecx
        cmp     al, [edi + ecx - 1]
        je      .same
        inc     edi
        cmp     byte [edi - 1], 1       ; carry at the line's end
        jnc     .try
.end:   ret

; ---- Starting again ------------------------------------------------------------------------------

; The CMOS memory, which a reset leaves alone, holds the number of starts and its complement.
count_starts:
        mov     esi, reboot_text
        call    find_word
        jc      .end
        CHECK   5                       ; the count of starts
        mov     al, CMOS_STARTS
        call    read_cmos
        mov     bl, al
        mov     al, CMOS_STARTS + 1
        call    read_cmos
        test    bl, bl
        jz      .known
        not     al
        cmp     al, bl
        jne     failed
.known: cmp     bl, 3
        je      .end
        mov     ah, bl
        inc     ah
        mov     al, CMOS_STARTS
        call    write_cmos
        not     ah
        mov     al, CMOS_STARTS + 1
        call    write_cmos
        CHECK   6                       ; each way of resetting does reset
        mov     edx, [reset_port]       ; the register that the FADT gives
        mov     al, [reset_value]
        cmp     bl, 1
        jb      .reset
        mov     edx, KEYBOARD_COMMAND   ; a pulse on the keyboard controller's line
        mov     al, 0xFE
        je      .reset
        mov     edx, 0xCF9              ; the host bridge's register, in two steps
        mov     al, 2
        out     dx, al
        mov     al, 6
.reset: out     dx, al
        jmp     failed
.end:   ret

; ---- What is not there ---------------------------------------------------------------------------

check_absence:
        CHECK   10                      ; memory: reads as ones in every width, swallows writes
        mov     esi, ABSENT_MEMORY
        cmp     byte [esi + 3], -1
        jne     failed
        cmp     word [esi + 5], -1
        jne     failed
        mov     dword [esi], 0
        cmp     dword [esi], -1
        jne     failed
        cmp     dword [esi + 0xFFE], -1 ; in two pages
        jne     failed
        mov     edi, buffer
        mov     ecx, 4
        rep movsd
        cmp     dword [buffer + 12], -1
        jne     failed
        mov     esi, [memory_end]       ; right after the RAM
        cmp     dword [esi], -1
        jne     failed
        cmp     dword [esi - 2], 0xFFFF0000     ; half in it
        jne     failed

        CHECK   11                      ; ports
        mov     edx, ABSENT_PORT
        in      eax, dx
        cmp     eax, -1
        jne     failed
        in      ax, dx
        cmp     ax, -1
        jne     failed
        in      al, dx
        cmp     al, -1
        jne     failed

        CHECK   12                      ; another hypervisor's port
        mov     eax, "hXMV"
        mov     ebx, -2
        mov     ecx, 10
        mov     edx, 0x5658
        in      eax, dx
        cmp     eax, -1
        jne     failed
        cmp     ebx, -2
        jne     failed
        ret

; ---- Instructions that look for hypervisors ------------------------------------------------------

%macro UNDEFINED 1+
        EXPECT_FAULT %%after
        %1
        jmp     failed
%%after:
        cmp     dword [fault_vector], UD_VECTOR
        jne     failed
%endmacro

check_instructions:
        CHECK   15                      ; AMD's
        xor     eax, eax
        UNDEFINED vmmcall
        UNDEFINED vmrun
        UNDEFINED stgi
        CHECK   16                      ; Intel's, without CR4.VMXE
        UNDEFINED vmread eax, ebx
        UNDEFINED vmwrite eax, ebx
        UNDEFINED vmxon [buffer]
        UNDEFINED vmxoff
        UNDEFINED vmptrld [buffer]
        UNDEFINED vmclear [buffer]
        UNDEFINED vmlaunch
        UNDEFINED vmresume
        UNDEFINED invept eax, [buffer]
        UNDEFINED invvpid eax, [buffer]
        CHECK   17                      ; those of system management and of measured launch
        UNDEFINED rsm
        UNDEFINED getsec
        UNDEFINED monitor
        CHECK   18                      ; no performance counters
        EXPECT_FAULT .no_counter
        xor     ecx, ecx
        rdpmc
        jmp     failed
.no_counter:
        cmp     dword [fault_vector], GP_VECTOR
        jne     failed
        CHECK   19                      ; VMX is neither shown nor to be turned on
        mov     eax, 1
        cpuid
        test    ecx, 1 << 5
        jnz     failed
        EXPECT_FAULT .no_vmx
        mov     eax, cr4
        or      eax, CR4_VMXE
        mov     cr4, eax
        jmp     failed
.no_vmx:
        cmp     dword [fault_vector], GP_VECTOR
        jne     failed
        ret

%include "memory.inc"
%include "tables.inc"
%include "serial.inc"
%include "controllers.inc"
%include "timers.inc"
%include "local.inc"
%include "ioapic.inc"
%include "hypercalls.inc"
%include "console.inc"
%include "outcome.inc"
%include "exceptions.inc"
%include "interrupts.inc"

section .data
guest_name:     db "pc", 0
poweroff_text:  db "poweroff", 0
reboot_text:    db "reboot", 0
        align   8
gdt:    dq      0
        dq      0x00CF9B000000FFFF      ; CODE_SELECTOR
        dq      0x00CF93000000FFFF      ; DATA_SELECTOR
gdt_pointer:
        dw      gdt_pointer - gdt - 1
        dd      gdt

section .bss
        alignb  16
                resb 8192
stack_top:
buffer:         resd 8
multiboot_magic:        resd 1
multiboot_address:      resd 1
start_mark:             resd 1
kilohertz:              resd 1          ; of the time stamp
timer_kilohertz:        resd 1          ; of the local APIC's timer
memory_end:             resd 1

        MULTIBOOT_END

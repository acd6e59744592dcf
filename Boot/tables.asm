; Memory with an alignment or a lifetime that Swift does not express: the processor's descriptor tables, the virtual CPU
; (the world switch knows its beginning), the area from which extended state is reset, and serial input.

global descriptor_table
global interrupt_table
global task_state
global processors
global virtual_cpu_area
global virtual_cpu_guard
global initial_extended_state
global serial_input_buffer
global screen_buffer
global agent_area
global test_device_memory
global stand_in_area

section .bss.tables nobits alloc write noexec align=4096
descriptor_table: resb 64
alignb 16
interrupt_table: resb 256 * 16
alignb 16
task_state: resb 104
alignb 4096
processors: resb 4096                                   ; what each has of its own
virtual_cpu_guard: resb 4096
resb 16 * 1024                                          ; the stack of the exit handler, right below the virtual CPU
virtual_cpu_area: resb 32 * 1024
serial_input_buffer: resb 4096
screen_buffer: resb 4096                                ; what was shown of the guest's screen
agent_area: resb 20 * 1024                              ; the agent, with states of a guest under study
test_device_memory: resb 64 * 1024                      ; what a guest stores in the test device
stand_in_area: resb 32 * 4096                           ; stand-in pages for devices, and nested page tables that map them

section .rodata
align 64
; x87, SSE and AVX as after initialisation. XRSTOR takes MXCSR from here although XSTATE_BV is 0 (SDM volume 1, 13.8.1
; "Standard Form of XRSTOR"), FXRSTOR takes everything.
initial_extended_state:
    dw 0x037F                                           ; FCW
    times 22 db 0
    dd 0x1F80                                           ; MXCSR: all SIMD exceptions masked
    times 4096 - 28 db 0

; The guest's BIOS.
global bios_start
global bios_end
align 16
bios_start: incbin "build/bios.bin"
bios_end:

; The guests of the tour, in its order, each with its name.
global embedded_guests
section .rodata
align 8
embedded_guests:
    dq real_start, real_end, real_name
    dq protected_start, protected_end, protected_name
    dq long_start, long_end, long_name
    dq 0, 0, 0
align 16
real_start: incbin "build/guests/real.bin"
real_end:
align 16
protected_start: incbin "build/guests/protected.elf"
protected_end:
align 16
long_start: incbin "build/guests/long.elf"
long_end:
real_name: db "real.bin", 0
protected_name: db "protected.elf", 0
long_name: db "long.elf", 0

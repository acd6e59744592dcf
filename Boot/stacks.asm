; The kernel's stacks, each above a page that the final page tables leave unmapped: running out of stack faults at once.

global stack_guards
global main_stack_top
global nmi_stack_top
global double_fault_stack_top
global machine_check_stack_top
extern virtual_cpu_guard

MAIN_STACK equ 96 * 1024
EXCEPTION_STACK equ 16 * 1024

section .bss.stacks nobits alloc write noexec align=4096
main_guard: resb 4096
resb MAIN_STACK
main_stack_top:
nmi_guard: resb 4096
resb EXCEPTION_STACK
nmi_stack_top:
double_fault_guard: resb 4096
resb EXCEPTION_STACK
double_fault_stack_top:
machine_check_guard: resb 4096
resb EXCEPTION_STACK
machine_check_stack_top:

section .rodata
align 8
; The guard pages, ended by 0.
stack_guards: dq main_guard, nmi_guard, double_fault_guard, machine_check_guard, virtual_cpu_guard, 0

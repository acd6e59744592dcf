// The privileged and special instructions that Swift cannot express, each as one always-inline function, and the symbols
// defined by the nasm sources and the linker script. There is no policy here.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define INSTRUCTION static inline __attribute__((always_inline))

// Ports

INSTRUCTION void outb(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
INSTRUCTION void outw(uint16_t port, uint16_t value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
INSTRUCTION void outl(uint16_t port, uint32_t value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
INSTRUCTION void write_port_bytes(uint16_t port, const void *bytes, uint64_t count) {
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"(port) : "memory");
}
INSTRUCTION uint8_t inb(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

// Registers

INSTRUCTION uint64_t read_cr0(void) { uint64_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t read_cr2(void) { uint64_t v; __asm__ volatile("mov %%cr2, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t read_cr3(void) { uint64_t v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t read_cr4(void) { uint64_t v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
INSTRUCTION void write_cr0(uint64_t v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
INSTRUCTION void write_cr2(uint64_t v) { __asm__ volatile("mov %0, %%cr2" : : "r"(v)); }
INSTRUCTION void write_cr3(uint64_t v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
INSTRUCTION void write_cr4(uint64_t v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
INSTRUCTION uint64_t read_dr0(void) { uint64_t v; __asm__ volatile("mov %%dr0, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t read_dr1(void) { uint64_t v; __asm__ volatile("mov %%dr1, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t read_dr2(void) { uint64_t v; __asm__ volatile("mov %%dr2, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t read_dr3(void) { uint64_t v; __asm__ volatile("mov %%dr3, %0" : "=r"(v)); return v; }
INSTRUCTION void write_dr0(uint64_t v) { __asm__ volatile("mov %0, %%dr0" : : "r"(v)); }
INSTRUCTION void write_dr1(uint64_t v) { __asm__ volatile("mov %0, %%dr1" : : "r"(v)); }
INSTRUCTION void write_dr2(uint64_t v) { __asm__ volatile("mov %0, %%dr2" : : "r"(v)); }
INSTRUCTION void write_dr3(uint64_t v) { __asm__ volatile("mov %0, %%dr3" : : "r"(v)); }
INSTRUCTION uint64_t read_dr6(void) { uint64_t v; __asm__ volatile("mov %%dr6, %0" : "=r"(v)); return v; }
INSTRUCTION void write_dr6(uint64_t v) { __asm__ volatile("mov %0, %%dr6" : : "r"(v)); }
/// The word at the GS base.
INSTRUCTION uint64_t read_gs_word(void) { uint64_t v; __asm__ volatile("mov %%gs:0, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t read_frame_pointer(void) { uint64_t v; __asm__ volatile("mov %%rbp, %0" : "=r"(v)); return v; }

INSTRUCTION uint64_t read_msr(uint32_t number) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}
INSTRUCTION void write_msr(uint32_t number, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}
INSTRUCTION void write_xcr0(uint64_t value) {
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/// RDPKRU with CR4.PKE, which is otherwise off: Bochs 3.0 applies the guest's PKRU to the kernel's supervisor pages too.
INSTRUCTION uint32_t read_pkru(void) {
    uint32_t low, high;
    uint64_t cr4 = read_cr4();
    __asm__ volatile("mov %3, %%cr4\n rdpkru\n mov %4, %%cr4"
                     : "=&a"(low), "=&d"(high) : "c"(0), "r"(cr4 | 1 << 22), "r"(cr4));
    return low;
}

INSTRUCTION uint64_t read_xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

typedef struct { uint32_t eax, ebx, ecx, edx; } cpuid_registers;
INSTRUCTION cpuid_registers execute_cpuid(uint32_t leaf, uint32_t subleaf) {
    cpuid_registers r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}
INSTRUCTION uint64_t read_tsc(void) {
    // The instruction clears the upper halves of both.
    uint64_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}

// x87, SSE and AVX state: the kernel never uses it, only swaps one guest's for another's.
INSTRUCTION void save_extended_state(void *xsave_area) {
    __asm__ volatile("xsave64 (%0)" : : "r"(xsave_area), "a"(0xFFFFFFFFu), "d"(0xFFFFFFFFu) : "memory");
}
INSTRUCTION void save_fxsave_state(void *fxsave_area) {
    __asm__ volatile("fxsave64 (%0)" : : "r"(fxsave_area) : "memory");
}
INSTRUCTION void load_extended_state(const void *xsave_area) {
    __asm__ volatile("xrstor64 (%0)" : : "r"(xsave_area), "a"(0xFFFFFFFFu), "d"(0xFFFFFFFFu) : "memory");
}
INSTRUCTION void load_fxsave_state(const void *fxsave_area) {
    __asm__ volatile("fxrstor64 (%0)" : : "r"(fxsave_area) : "memory");
}

INSTRUCTION bool compare_exchange(uint64_t address, uint64_t expected, uint64_t desired) {
    return __atomic_compare_exchange_n((uint64_t *)address, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Descriptor tables, caches, waiting

// NMIs stay blocked after one was taken until the next IRET.
INSTRUCTION void unblock_nmi(void) {
    __asm__ volatile(
        "mov %%rsp, %%rax\n pushq %%rax; mov %%ss, %%ecx; mov %%ecx, (%%rsp)\n pushq %%rax\n pushfq\n"
        "mov %%cs, %%ecx; pushq %%rcx\n lea 1f(%%rip), %%rcx; pushq %%rcx\n iretq\n 1:"
        : : : "rax", "rcx", "memory");
}

struct __attribute__((packed)) table_pointer { uint16_t limit; uint64_t base; };
INSTRUCTION void load_gdt(const void *base, uint16_t limit) {
    struct table_pointer p = {limit, (uint64_t)base};
    __asm__ volatile("lgdt %0" : : "m"(p) : "memory");
}
INSTRUCTION void load_idt(const void *base, uint16_t limit) {
    struct table_pointer p = {limit, (uint64_t)base};
    __asm__ volatile("lidt %0" : : "m"(p) : "memory");
}
INSTRUCTION void load_task_register(uint16_t selector) { __asm__ volatile("ltr %0" : : "r"(selector) : "memory"); }
INSTRUCTION void load_segments(uint16_t code, uint16_t data) {
    __asm__ volatile(
        "mov %1, %%ds\n mov %1, %%es\n mov %1, %%ss\n"
        "pushq %0\n lea 1f(%%rip), %%rax\n pushq %%rax\n lretq\n 1:"
        : : "r"((uint64_t)code), "r"((uint32_t)data) : "rax", "memory");
}
INSTRUCTION void spin_pause(void) { __asm__ volatile("pause"); }
INSTRUCTION void disable_interrupts(void) { __asm__ volatile("cli" : : : "memory"); }
INSTRUCTION bool take_lock(uint32_t *lock) { return !__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE); }
INSTRUCTION void release_lock(uint32_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }
INSTRUCTION void memory_fence(void) { __asm__ volatile("mfence" : : : "memory"); }
// A pending interrupt comes after HLT has begun, and so ends it.
INSTRUCTION void wait_for_interrupt(void) { __asm__ volatile("sti\n hlt\n cli" : : : "memory"); }
INSTRUCTION void halt(void) { __asm__ volatile("hlt"); }
INSTRUCTION void call_address(uint64_t address) { __asm__ volatile("call *%0" : : "r"(address) : "memory"); }
INSTRUCTION void write_byte(uint64_t address, uint8_t value) {
    __asm__ volatile("movb %0, (%1)" : : "q"(value), "r"(address) : "memory");
}
INSTRUCTION uint32_t read_word(uint64_t address) {
    uint32_t value;
    __asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
    return value;
}
INSTRUCTION void write_word(uint64_t address, uint32_t value) {
    __asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}
INSTRUCTION void undefined_instruction(void) { __asm__ volatile("ud2"); }

// VMX. Results follow the manual's conventions: CF is VMfailInvalid, ZF is VMfailValid (SDM volume 3, 32.2 "Conventions").

typedef enum { vmx_succeed = 0, vmx_fail_invalid = 1, vmx_fail_valid = 2 } vmx_result;

#define VMX_RESULT(invalid, valid) ((invalid) ? vmx_fail_invalid : (valid) ? vmx_fail_valid : vmx_succeed)

INSTRUCTION vmx_result execute_vmxon(uint64_t physical) {
    bool invalid, valid;
    __asm__ volatile("vmxon %2" : "=@ccc"(invalid), "=@ccz"(valid) : "m"(physical) : "memory");
    return VMX_RESULT(invalid, valid);
}
INSTRUCTION vmx_result execute_vmclear(uint64_t physical) {
    bool invalid, valid;
    __asm__ volatile("vmclear %2" : "=@ccc"(invalid), "=@ccz"(valid) : "m"(physical) : "memory");
    return VMX_RESULT(invalid, valid);
}
INSTRUCTION vmx_result execute_vmptrld(uint64_t physical) {
    bool invalid, valid;
    __asm__ volatile("vmptrld %2" : "=@ccc"(invalid), "=@ccz"(valid) : "m"(physical) : "memory");
    return VMX_RESULT(invalid, valid);
}
INSTRUCTION void execute_vmxoff(void) { __asm__ volatile("vmxoff" : : : "memory", "cc"); }

typedef struct { uint64_t value; bool failed; } vmread_result;
INSTRUCTION vmread_result execute_vmread(uint64_t encoding) {
    vmread_result r;
    __asm__ volatile("vmread %2, %0" : "=r"(r.value), "=@ccbe"(r.failed) : "r"(encoding));
    return r;
}
INSTRUCTION bool execute_vmwrite(uint64_t encoding, uint64_t value) {
    bool failed;
    __asm__ volatile("vmwrite %2, %1" : "=@ccbe"(failed) : "r"(encoding), "r"(value));
    return failed;
}

// For fields that every processor with VMX has: with a current VMCS, these cannot fail.
INSTRUCTION uint64_t execute_universal_vmread(uint64_t encoding) {
    uint64_t value;
    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(encoding) : "cc");
    return value;
}
INSTRUCTION void execute_universal_vmwrite(uint64_t encoding, uint64_t value) {
    __asm__ volatile("vmwrite %1, %0" : : "r"(encoding), "r"(value) : "cc");
}

typedef struct { uint64_t low, high; } invalidation_descriptor;
INSTRUCTION bool execute_invept(uint64_t kind, uint64_t eptp) {
    bool failed;
    invalidation_descriptor d = {eptp, 0};
    __asm__ volatile("invept %1, %2" : "=@ccbe"(failed) : "m"(d), "r"(kind) : "memory");
    return failed;
}
INSTRUCTION bool execute_invvpid(uint64_t kind, uint16_t vpid, uint64_t address) {
    bool failed;
    invalidation_descriptor d = {vpid, address};
    __asm__ volatile("invvpid %1, %2" : "=@ccbe"(failed) : "m"(d), "r"(kind) : "memory");
    return failed;
}

// Defined in Boot/ and by Linker/kernel.ld

extern const char image_start[], text_end[], rodata_end[], image_load_end[], image_end[];
extern const uint64_t stack_guards[];
extern char main_stack_top[], nmi_stack_top[], double_fault_stack_top[], machine_check_stack_top[];
extern const uint64_t interrupt_stubs[256];
extern const uint32_t interrupt_frame_size, world_switch_layout[5];
extern const char martlet_vm_exit[], martlet_vm_exit_observed[];
extern const char martlet_vm_exit_recorded[], martlet_vm_exit_recorded_observed[];
extern uint32_t martlet_enter_guest(void *virtual_cpu, uint32_t launched);
extern const char martlet_probe_exit[];
extern uint32_t martlet_probe_entry(void);
extern void martlet_probe_vmrun(uint64_t guest_vmcb, uint64_t host_vmcb);

extern void martlet_read_vector(uint32_t number, void *value);
extern void martlet_read_wide_vector(uint32_t number, void *value);
extern void martlet_write_vector(uint32_t number, const void *value);
extern void martlet_write_vector_clearing(uint32_t number, const void *value);
extern void martlet_write_wide_vector(uint32_t number, const void *value);

extern uint64_t descriptor_table[8], interrupt_table[512];
extern char task_state[104], virtual_cpu_area[32768], agent_area[20480], test_device_memory[65536], stand_in_area[131072];
extern const char initial_extended_state[4096];
extern char processors[4096];

typedef struct { const uint8_t *start, *end; const char *name; } embedded_guest;
extern const embedded_guest embedded_guests[4];
extern const uint8_t bios_start[], bios_end[];
INSTRUCTION const uint8_t *bios_code(void) { return bios_start; }
INSTRUCTION uint64_t bios_size(void) { return (uint64_t)(bios_end - bios_start); }
INSTRUCTION embedded_guest embedded_guest_at(uint64_t index) { return embedded_guests[index & 3]; }

INSTRUCTION void set_gate(uint64_t vector, uint64_t low, uint64_t high) {
    interrupt_table[2 * (vector & 255)] = low;
    interrupt_table[2 * (vector & 255) + 1] = high;
}

extern uint8_t serial_input_buffer[4096];
extern uint16_t screen_buffer[2048];
INSTRUCTION uint64_t address_of_screen_buffer(void) { return (uint64_t)screen_buffer; }
INSTRUCTION void serial_input_buffer_write(uint64_t index, uint8_t byte) { serial_input_buffer[index & 4095] = byte; }
INSTRUCTION uint8_t serial_input_buffer_read(uint64_t index) { return serial_input_buffer[index & 4095]; }

INSTRUCTION void *agent_memory(void) { return agent_area; }
INSTRUCTION void *memory_of_test_device(void) { return test_device_memory; }
INSTRUCTION void *memory_of_stand_ins(void) { return stand_in_area; }
INSTRUCTION uint64_t agent_memory_size(void) { return sizeof agent_area; }

#define ADDRESS_OF(symbol) INSTRUCTION uint64_t address_of_##symbol(void) { return (uint64_t)symbol; }
ADDRESS_OF(image_start)
ADDRESS_OF(text_end)
ADDRESS_OF(rodata_end)
ADDRESS_OF(image_load_end)
ADDRESS_OF(image_end)
ADDRESS_OF(main_stack_top)
ADDRESS_OF(nmi_stack_top)
ADDRESS_OF(double_fault_stack_top)
ADDRESS_OF(machine_check_stack_top)
ADDRESS_OF(martlet_vm_exit)
ADDRESS_OF(martlet_vm_exit_observed)
ADDRESS_OF(martlet_vm_exit_recorded)
ADDRESS_OF(martlet_vm_exit_recorded_observed)
ADDRESS_OF(martlet_probe_exit)
ADDRESS_OF(descriptor_table)
ADDRESS_OF(interrupt_table)
ADDRESS_OF(task_state)
ADDRESS_OF(virtual_cpu_area)
ADDRESS_OF(initial_extended_state)
INSTRUCTION uint64_t stack_guard(uint64_t index) { return stack_guards[index]; }
INSTRUCTION void *processor_memory(void) { return processors; }
INSTRUCTION uint64_t size_of_processor_memory(void) { return sizeof processors; }
INSTRUCTION uint64_t size_of_virtual_cpu_area(void) { return sizeof virtual_cpu_area; }
INSTRUCTION uint32_t size_of_interrupt_frame(void) { return interrupt_frame_size; }
INSTRUCTION uint32_t world_switch_offset(uint64_t index) { return world_switch_layout[index]; }
INSTRUCTION uint64_t interrupt_stub(uint64_t vector) { return interrupt_stubs[vector & 255]; }

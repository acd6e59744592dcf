import Instructions
import Text
import Virtualization
import X86

/// What an interrupt stub leaves on the stack, from its lowest address (Boot/interrupts.asm).
struct InterruptFrame {
    var registers: GeneralRegisters
    var vector, errorCode: UInt64
    var rip, cs, rflags, rsp, ss: UInt64
}

/// The kernel's descriptor tables: flat 64-bit segments, a task-state segment with stacks of their own for NMI, #DF and
/// #MC, and a gate for each of the 256 vectors.
enum DescriptorTables {
    static var codeSelector: UInt16 { 8 }
    static var dataSelector: UInt16 { 16 }
    static var taskSelector: UInt16 { 24 }

    static func load() {
        set_descriptor(0, 0)
        set_descriptor(1, 0x00AF_9B00_0000_FFFF)
        set_descriptor(2, 0x00CF_9300_0000_FFFF)
        // An available 64-bit TSS takes two places (SDM volume 3, 9.2.3 "TSS Descriptor in 64-bit mode").
        let base = address_of_task_state()
        set_descriptor(3, 0x0000_8900_0000_0067 | (base & 0xFF_FFFF) << 16 | (base >> 24 & 0xFF) << 56)
        set_descriptor(4, base >> 32)
        set_interrupt_stack(1, address_of_nmi_stack_top())
        set_interrupt_stack(2, address_of_double_fault_stack_top())
        set_interrupt_stack(3, address_of_machine_check_stack_top())
        load_gdt(UnsafeRawPointer(bitPattern: UInt(address_of_descriptor_table())), 39)
        load_segments(codeSelector, dataSelector)
        load_task_register(taskSelector)
        for vector in 0..<UInt64(256) {
            let stack: UInt64 =
                switch vector {
                case 2: 1
                case 8: 2
                case 18: 3
                default: 0
                }
            let handler = interrupt_stub(vector)
            set_gate(
                vector,
                handler & 0xFFFF | UInt64(codeSelector) << 16 | stack << 32 | 0x8E << 40 | (handler >> 16 & 0xFFFF) << 48,
                handler >> 32)
        }
        load_idt(UnsafeRawPointer(bitPattern: UInt(address_of_interrupt_table())), 4095)
    }
}

/// Called by every interrupt stub. The kernel raises no exceptions on purpose and runs with interrupts off: an NMI is let
/// pass, a stray interrupt ended, an exception is a bug.
@c(martlet_interrupt)
func handleInterrupt(_ stack: UnsafeMutableRawPointer) {
    let frame = stack.assumingMemoryBound(to: InterruptFrame.self)
    let vector = UInt8(truncatingIfNeeded: frame.pointee.vector)
    if vector == ExceptionVector.nonMaskableInterrupt.number { return }
    if vector >= 32 { return InterruptControllers.finish(vector) }
    let exception = ExceptionVector(vector)
    // Each runtime check of Swift ends in a UD2 of its own.
    if exception == .invalidOpcode {
        Panic.stop("a check of the kernel failed (\(exception) at \(hex: frame.pointee.rip))", frame.pointee)
    }
    Panic.stop(
        "\(exception) in the kernel, error code \(hex: frame.pointee.errorCode), at \(hex: frame.pointee.rip)", frame.pointee)
}

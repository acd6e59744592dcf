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

/// A processor's descriptor tables: flat 64-bit segments, a task-state segment with separate stacks for NMI, #DF and #MC, and
/// a gate for each of the 256 vectors, which all processors share.
struct DescriptorTables {
    static var codeSelector: UInt16 { 8 }
    static var dataSelector: UInt16 { 16 }
    static var taskSelector: UInt16 { 24 }

    /// Room for five descriptors.
    let descriptors: UnsafeMutablePointer<UInt64>
    /// 104 bytes.
    let taskState: UnsafeMutableRawPointer
    // The ends of the stacks.
    let nonMaskableStack: UInt64
    let doubleFaultStack: UInt64
    let machineCheckStack: UInt64

    static var ofFirstProcessor: Self {
        .init(
            descriptors: UnsafeMutablePointer(bitPattern: UInt(address_of_descriptor_table()))!,
            taskState: UnsafeMutableRawPointer(bitPattern: UInt(address_of_task_state()))!,
            nonMaskableStack: address_of_nmi_stack_top(), doubleFaultStack: address_of_double_fault_stack_top(),
            machineCheckStack: address_of_machine_check_stack_top())
    }

    var descriptorBase: UInt64 { UInt64(UInt(bitPattern: descriptors)) }
    var taskStateBase: UInt64 { UInt64(UInt(bitPattern: taskState)) }

    func load() {
        descriptors[0] = 0
        descriptors[1] = 0x00AF_9B00_0000_FFFF
        descriptors[2] = 0x00CF_9300_0000_FFFF
        // An available 64-bit TSS takes two places (SDM volume 3, "TSS Descriptor in 64-bit mode").
        let base = taskStateBase
        descriptors[3] = 0x0000_8900_0000_0067 | (base & 0xFF_FFFF) << 16 | (base >> 24 & 0xFF) << 56
        descriptors[4] = base >> 32
        // The interrupt stacks lie at offset 36 of the task-state segment.
        taskState.storeBytes(of: nonMaskableStack, toByteOffset: 36, as: UInt64.self)
        taskState.storeBytes(of: doubleFaultStack, toByteOffset: 44, as: UInt64.self)
        taskState.storeBytes(of: machineCheckStack, toByteOffset: 52, as: UInt64.self)
        load_gdt(UnsafeRawPointer(descriptors), 39)
        load_segments(Self.codeSelector, Self.dataSelector)
        load_task_register(Self.taskSelector)
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
                handler & 0xFFFF | UInt64(Self.codeSelector) << 16 | stack << 32 | 0x8E << 40
                    | (handler >> 16 & 0xFFFF) << 48,
                handler >> 32)
        }
        load_idt(UnsafeRawPointer(bitPattern: UInt(address_of_interrupt_table())), 4095)
    }
}

/// Called by every interrupt stub. The kernel raises no exceptions on purpose and runs with interrupts off: it ignores an
/// NMI and ends a stray interrupt; an exception is a bug.
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

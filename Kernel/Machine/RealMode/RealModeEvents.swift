import Devices
import Memory
import Virtualization
import X86

// Events in real mode, where the processor runs virtual-8086 mode in its place: it would deliver them through the guest's IDT
// as in protected mode. Every exception exits, and what is to be injected is delivered here, through real mode's table.

extension VirtualCPU {
    /// Before the guest goes on: delivers what is to be injected, if it is in such a real mode.
    /// - Returns: false if the guest has ended because the event cannot be delivered.
    @inline(never)
    mutating func followRealMode() -> Bool {
        guard processor.emulatesRealMode else { return true }
        // Every path back into the guest passes here.
        attention.insert(.realMode)
        guard let event = processor.takeEvent(), !deliver(event) else { return true }
        end(.tripleFault)
        return false
    }

    /// SDM volume 3, "Interrupt and Exception Handling" in "8086 Emulation": FLAGS, CS and IP are pushed, no error code.
    /// - Returns: false if that is impossible, even for a double fault.
    private mutating func deliver(_ event: Event) -> Bool {
        let (table, limit) = processor.interruptDescriptorTable
        var vector = event.vector
        if !isInTable(vector, limit) { vector = ExceptionVector.generalProtection.number }
        if !isInTable(vector, limit) { vector = ExceptionVector.doubleFault.number }
        guard isInTable(vector, limit) else { return false }
        let entry = readPhysical(GuestPhysicalAddress((table &+ 4 &* UInt64(vector)) & 0xFFFF_FFFF), size: 4)
        let flags = processor.flags
        let code = processor.segment(.cs).selector.rawValue
        let returned = processor.instructionPointer &+ (vector == event.vector ? UInt64(event.instructionLength) : 0)
        push(flags.rawValue, size: 2)
        push(UInt64(code), size: 2)
        push(returned, size: 2)
        jump(to: entry, in: UInt16(truncatingIfNeeded: entry >> 16))
        processor.flags = flags.subtracting(.interruptEnable | .trap | .alignmentCheck | .resume)
        if event.kind == .nonMaskableInterrupt { processor.blockNonMaskableInterrupts(true) }
        return true
    }

    mutating func jump(to pointer: UInt64, in selector: UInt16) {
        var code = processor.segment(.cs)
        code.selector.rawValue = selector
        code.base = UInt64(selector) << 4
        processor.setSegment(.cs, code)
        processor.instructionPointer = pointer & 0xFFFF
    }

    private func isInTable(_ vector: UInt8, _ limit: UInt32) -> Bool { 4 * UInt32(vector) + 3 <= limit }

    // MARK: The stack, which SP addresses

    mutating func push(_ value: UInt64, size: Int) {
        let pointer = processor.stackPointer &- UInt64(size)
        processor.stackPointer = processor.stackPointer.replacing(size: 2, with: pointer)
        write(stackPlace(pointer & 0xFFFF, size: size), count: size, value)
    }

    mutating func pop(size: Int) -> UInt64 {
        let pointer = processor.stackPointer
        processor.stackPointer = pointer.replacing(size: 2, with: pointer &+ UInt64(size))
        return read(stackPlace(pointer & 0xFFFF, size: size), count: size)
    }

    /// A value split by the segment's end wraps to its beginning.
    private mutating func stackPlace(_ offset: UInt64, size: Int) -> OperandPlace {
        let base = processor.segment(.ss).base
        let first = GuestPhysicalAddress((base &+ offset) & 0xFFFF_FFFF)
        let inFirst = 0x1_0000 &- offset & 0xFFFF
        return inFirst == 0 || inFirst >= UInt64(size)
            ? OperandPlace(first) : OperandPlace(first, count: Int(truncatingIfNeeded: inFirst), then: GuestPhysicalAddress(base))
    }
}

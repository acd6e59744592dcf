import Devices
import Memory
import Virtualization
import X86

// MOVS, STOS, LODS, CMPS and SCAS.

/// What a string instruction does with each of its elements.
private struct StringWork {
    let size: Int
    let addressSize: Int
    /// The significant bits of RSI, RDI and RCX.
    let mask: UInt64
    let segment: SegmentRegister
    let hasSource: Bool
    let hasDestination: Bool
    let writesDestination: Bool
    /// The zero flag that ends a repetition, if one does.
    let lastZeroFlag: Bool?
    var source = OperandPage()
    var destination = OperandPage()

    init(_ instruction: MemoryInstruction, mask: UInt64) {
        size = instruction.size
        addressSize = instruction.addressSize
        self.mask = mask
        segment = instruction.segmentOverride ?? .ds
        let operation = instruction.operation
        hasSource = operation != .storeString && operation != .scanString
        hasDestination = operation != .loadString
        writesDestination = operation == .storeString || operation == .moveString
        lastZeroFlag = hasDestination && !writesDestination ? instruction.repetition != .whileEqual : nil
    }
}

extension VirtualCPU {
    /// With REP, up to one page's worth per exit: the instruction then runs again and exits again, with interrupts in between
    /// as on a processor, so no count a guest chooses holds Martlet up. A fault leaves RCX, RSI and RDI at the element that
    /// faulted, and the flags as they were.
    @_optimize(speed)
    mutating func emulateString(_ instruction: MemoryInstruction, in mode: ProcessorMode) -> Outcome {
        let step = Outcome.stepLength(UInt8(truncatingIfNeeded: instruction.length))
        var work = StringWork(instruction, mask: addressMask(instruction.addressSize))
        var flags = processor.flags
        guard instruction.repetition != .none else {
            if let outcome = emulateElement(&work, &flags, in: mode) { return outcome }
            processor.flags = flags
            return step
        }
        var remaining = registers.rcx & work.mask
        if remaining == 0 { return step }
        var budget = iterationBudget(elementSize: work.size)
        while true {
            if let outcome = emulateElement(&work, &flags, in: mode) { return outcome }
            remaining &-= 1
            registers.rcx = registers.rcx.replacing(size: work.addressSize, with: remaining)
            budget -= 1
            if remaining == 0 || flags.contains(.zero) == work.lastZeroFlag {
                processor.flags = flags
                return step
            }
            if budget == 0 || isInterrupted {
                processor.flags = flags
                return .iterate
            }
        }
    }

    /// Whether something is due, or needs attention, between two elements of a long instruction.
    var isInterrupted: Bool {
        mutating get {
            if isDue { attention.insert(.time) }
            return attention.isForGuest
        }
    }

    /// How many elements to do per exit: one when the guest single-steps, or a breakpoint may end the instruction.
    mutating func iterationBudget(elementSize: Int) -> Int {
        processor.flags.contains(.trap) || hasBreakpoints ? 1 : 4096 / elementSize
    }

    /// One element. All places are found before any is accessed.
    /// - Returns: what the guest gets instead, or nil.
    @_optimize(speed)
    private mutating func emulateElement(_ work: inout StringWork, _ flags: inout RFlags, in mode: ProcessorMode) -> Outcome? {
        let size = work.size
        var source = OperandPlace(GuestPhysicalAddress(0))
        var destination = source
        if work.hasSource,
            let outcome = locate(
                offset: registers.rsi & work.mask, size: size, in: work.segment, .read, mode, &work.source, &source)
        {
            return outcome
        }
        if work.hasDestination,
            let outcome = locate(
                offset: registers.rdi & work.mask, size: size, in: .es, work.writesDestination ? .write : .read, mode,
                &work.destination, &destination)
        {
            return outcome
        }
        let value = work.hasSource ? read(source, count: size) : registers.rax
        if work.writesDestination {
            write(destination, count: size, value)
        } else if work.hasDestination {
            let other = read(destination, count: size)
            flags = MemoryInstruction.Arithmetic.compare.apply(value, other, size: size, flags: flags).flags
        } else {
            registers.rax = registers.rax.replacing(size: size, with: value)
        }
        let step = flags.contains(.direction) ? 0 &- UInt64(size) : UInt64(size)
        if work.hasSource { registers.rsi = registers.rsi.replacing(size: work.addressSize, with: registers.rsi &+ step) }
        if work.hasDestination { registers.rdi = registers.rdi.replacing(size: work.addressSize, with: registers.rdi &+ step) }
        return nil
    }
}

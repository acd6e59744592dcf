import Devices
import Memory
import Virtualization
import X86

// MOVS, STOS, LODS, CMPS and SCAS.

/// Where the last pages lie that a string instruction has translated: so does a processor, which does not walk the tables for
/// each element.
struct StringPages {
    struct Page {
        /// No page has this address.
        var linear = UInt64.max
        var physical = GuestPhysicalAddress(0)
    }

    var source = Page()
    var destination = Page()
}

extension VirtualCPU {
    /// With REP, up to one page's worth an exit: the instruction then runs again and exits again, with interrupts between
    /// as on a processor, so that no count a guest chooses holds Martlet up. A fault leaves RCX, RSI and RDI at the element
    /// that faulted, and the flags as they were.
    mutating func emulateString(_ instruction: MemoryInstruction, in mode: ProcessorMode) -> Outcome {
        let step = Outcome.stepLength(UInt8(truncatingIfNeeded: instruction.length))
        let addressSize = instruction.addressSize
        var pages = StringPages()
        guard instruction.repetition != .none else {
            var flags = processor.flags
            if let outcome = emulateElement(instruction, &flags, &pages, in: mode) { return outcome }
            processor.flags = flags
            return step
        }
        var remaining = registers.rcx & addressMask(addressSize)
        if remaining == 0 { return step }
        var flags = processor.flags
        var budget = iterationBudget(elementSize: instruction.size)
        while true {
            if let outcome = emulateElement(instruction, &flags, &pages, in: mode) { return outcome }
            remaining &-= 1
            registers.rcx = registers.rcx.replacing(size: addressSize, with: remaining)
            budget -= 1
            if remaining == 0 || isOver(instruction, flags) {
                processor.flags = flags
                return step
            }
            if budget == 0 || isInterrupted {
                processor.flags = flags
                return .iterate
            }
        }
    }

    /// Whether something is due, or asks to be looked at, between two elements of an instruction that is long.
    var isInterrupted: Bool {
        mutating get {
            if isDue { attention.insert(.time) }
            return attention.isForGuest
        }
    }

    /// How many elements an exit does: one when the guest single-steps, or a breakpoint may end the instruction.
    mutating func iterationBudget(elementSize: Int) -> Int {
        processor.flags.contains(.trap) || hasBreakpoints ? 1 : 4096 / elementSize
    }

    /// Whether CMPS or SCAS has found what its prefix looks for.
    private func isOver(_ instruction: MemoryInstruction, _ flags: RFlags) -> Bool {
        switch instruction.operation {
        case .compareString, .scanString: flags.contains(.zero) != (instruction.repetition == .whileEqual)
        default: false
        }
    }

    /// The same as `locate`, where the page of the element before is nearly always that of this one.
    private mutating func locate(
        offset: UInt64, size: Int, in register: SegmentRegister, _ kind: GuestAccess.Kind, _ mode: ProcessorMode,
        _ page: inout StringPages.Page
    ) -> LocatedOperand {
        let address: GuestVirtualAddress
        switch linear(offset, size: size, in: register, kind, mode) {
        case .address(let found): address = found
        case .outcome(let outcome): return .outcome(outcome)
        }
        let place = address.rawValue & 0xFFF
        let isWhole = place + UInt64(size) <= 0x1000
        if isWhole, address.rawValue &- place == page.linear {
            return .place(OperandPlace(page.physical.advanced(by: ByteCount(place))))
        }
        let located = locate(address, size: size, kind, through: register)
        if isWhole, case .place(let found) = located {
            page = .init(linear: address.rawValue &- place, physical: GuestPhysicalAddress(found.first.rawValue &- place))
        }
        return located
    }

    /// One element. All places are found before any is accessed.
    /// - Returns: what the guest gets instead, or nil.
    private mutating func emulateElement(
        _ instruction: MemoryInstruction, _ flags: inout RFlags, _ pages: inout StringPages, in mode: ProcessorMode
    ) -> Outcome? {
        let size = instruction.size
        let operation = instruction.operation
        let mask = addressMask(instruction.addressSize)
        var source: OperandPlace?
        var destination: OperandPlace?
        if operation != .storeString, operation != .scanString {
            switch locate(
                offset: registers.rsi & mask, size: size, in: instruction.segmentOverride ?? .ds, .read, mode, &pages.source)
            {
            case .place(let place): source = place
            case .outcome(let outcome): return outcome
            }
        }
        if operation != .loadString {
            let isWritten = operation == .storeString || operation == .moveString
            switch locate(
                offset: registers.rdi & mask, size: size, in: .es, isWritten ? .write : .read, mode, &pages.destination)
            {
            case .place(let place): destination = place
            case .outcome(let outcome): return outcome
            }
        }
        let value = source.map { read($0, count: size) } ?? registers.rax
        if let destination {
            switch operation {
            case .storeString, .moveString: write(destination, count: size, value)
            default:
                let other = read(destination, count: size)
                flags = MemoryInstruction.Arithmetic.compare.apply(value, other, size: size, flags: flags).flags
            }
        } else {
            registers.rax = registers.rax.replacing(size: size, with: value)
        }
        let step = flags.contains(.direction) ? 0 &- UInt64(size) : UInt64(size)
        if source != nil { registers.rsi = registers.rsi.replacing(size: instruction.addressSize, with: registers.rsi &+ step) }
        if destination != nil {
            registers.rdi = registers.rdi.replacing(size: instruction.addressSize, with: registers.rdi &+ step)
        }
        return nil
    }
}

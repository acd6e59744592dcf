import Devices
import Memory
import Virtualization
import X86

extension VirtualCPU {
    /// IN.
    @inline(__always)
    mutating func input(_ port: UInt16, _ size: Int) -> Outcome {
        let value = UInt64(readPort(port, size))
        registers.rax = registers.rax.replacing(size: size, with: value)
        return .step
    }

    /// OUT of AX or EAX.
    @inline(__always)
    mutating func writePort(_ port: UInt16, _ size: Int) {
        board.pointee.write(port, size: size, UInt32(truncatingIfNeeded: registers.rax), at: clock.now)
    }

    @inline(__always)
    private mutating func readPort(_ port: UInt16, _ size: Int) -> UInt32 {
        let time = clock.now
        let value = size == 1 ? UInt32(board.pointee.readByte(port, at: time)) : board.pointee.read(port, size: size, at: time)
        followBoard()
        return value
    }

    /// Does what a write asks of the machine, or by a device's line.
    @inline(__always)
    mutating func answerBoard() -> Outcome {
        followBoard()
        switch board.pointee.takeEffect() {
        case .none: break
        case .transmit(let byte): host.transmit(byte)
        case .exit(let value): return .end(.debugExit(value))
        case .powerOff: return .end(.powerOff)
        case .reset: return .end(.reset)
        case .flush: processor.flushTranslations()
        }
        return .step
    }

    /// INS and OUTS, with or without REP: element by element, as the processor does, up to one page's worth per exit, so no
    /// count a guest chooses holds Martlet up. A fault leaves RCX, RSI and RDI at the element that faulted.
    ///
    /// The exit comes before the processor looks at the memory operand, its segment included (SDM volume 3,
    /// "Relative Priority of Faults and VM Exits").
    @inline(never)
    mutating func performStringIO(_ access: IOAccess) -> Outcome { performStringIO(access, processor.stringIOOperand()) }

    @_optimize(speed)
    mutating func performStringIO(_ access: IOAccess, _ operand: StringIOOperand) -> Outcome {
        let mask = addressMask(operand.addressSize)
        let mode = processor.mode
        var page = OperandPage()
        var remaining = access.isRepeated ? registers.rcx & mask : 1
        if remaining == 0 { return .step }
        let step = processor.flags.contains(.direction) ? 0 &- UInt64(access.size) : UInt64(access.size)
        var budget = iterationBudget(elementSize: access.size)
        while remaining > 0, budget > 0 {
            switch transfer(access, operand, mask, &page, in: mode) {
            case .step: break
            case let other: return other
            }
            advanceIndex(isInput: access.isInput, by: step, addressSize: operand.addressSize)
            remaining -= 1
            if access.isRepeated {
                registers.rcx = registers.rcx.replacing(size: operand.addressSize, with: remaining)
            }
            budget -= 1
            if isInterrupted { break }
        }
        // Not at the end: the instruction runs again and exits again, with interrupts in between as on a processor.
        return remaining == 0 ? .step : .iterate
    }

    /// One element between port and memory. The place in memory is found first: a fault must come before the port is read.
    private mutating func transfer(
        _ access: IOAccess, _ operand: StringIOOperand, _ mask: UInt64, _ page: inout OperandPage, in mode: ProcessorMode
    ) -> Outcome {
        let offset = (access.isInput ? registers.rdi : registers.rsi) & mask
        let place: OperandPlace
        if let known = page.place(of: offset, size: access.size), known.rawValue & UInt64(access.size - 1) == 0, !hasBreakpoints {
            place = OperandPlace(known)
        } else {
            switch locate(access, at: offset, in: access.isInput ? .es : operand.segment, &page, in: mode) {
            case .place(let found): place = found
            case .outcome(let outcome): return outcome
            }
        }
        if access.isInput {
            write(place, count: access.size, UInt64(readPort(access.port, access.size)))
            return .step
        }
        board.pointee.write(
            access.port, size: access.size, UInt32(truncatingIfNeeded: read(place, count: access.size)), at: clock.now)
        return answerBoard()
    }

    /// An element not known to be in one page, whole and aligned.
    @inline(never)
    @_optimize(speed)
    private mutating func locate(
        _ access: IOAccess, at offset: UInt64, in segment: SegmentRegister, _ page: inout OperandPage, in mode: ProcessorMode
    ) -> LocatedOperand {
        let kind: GuestAccess.Kind = access.isInput ? .write : .read
        let address: GuestVirtualAddress
        switch linear(offset, size: access.size, in: segment, kind, mode) {
        case .address(let found): address = found
        case .outcome(let outcome): return .outcome(outcome)
        }
        if address.rawValue & UInt64(access.size - 1) != 0, checksAlignment {
            return .outcome(.inject(.exception(.alignmentCheck, errorCode: 0)))
        }
        let located = locateAnew(offset: offset, size: access.size, in: segment, kind, mode, &page)
        if hasBreakpoints, case .place = located {
            meetBreakpoints(access.isInput ? .write : .read, at: address.rawValue, size: access.size)
            meetBreakpoints(.port, at: UInt64(access.port), size: access.size)
        }
        return located
    }

    private mutating func advanceIndex(isInput: Bool, by step: UInt64, addressSize: Int) {
        if isInput {
            registers.rdi = registers.rdi.replacing(size: addressSize, with: registers.rdi &+ step)
        } else {
            registers.rsi = registers.rsi.replacing(size: addressSize, with: registers.rsi &+ step)
        }
    }
}

extension UInt64 {
    /// A general register after a write of its low `size` bytes (1, 2, 4 or 8): a write of 4 clears the upper half
    /// (SDM volume 1, "General-Purpose Registers in 64-Bit Mode").
    @inline(__always)
    func replacing(size: Int, with value: UInt64) -> UInt64 {
        switch size {
        case 1: self & ~0xFF | value & 0xFF
        case 2: self & ~0xFFFF | value & 0xFFFF
        case 4: value & 0xFFFF_FFFF
        default: value
        }
    }
}

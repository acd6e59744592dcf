import Devices
import Memory
import Virtualization
import X86

extension VirtualCPU {
    /// All RAM is mapped, so a nested page fault is an access to a device, or to absent memory, which reads as ones and swallows
    /// writes, counted. The instruction is decoded and emulated; the processor does not tell its length.
    @inline(__always)
    mutating func resolve(_ fault: NestedPageFault) -> Outcome {
        if fault.duringWalk || fault.isFetch || processor.isDeliveringEvent { return endWithout(fault) }
        // Only the processor tells which of the guest's breakpoints an access hits.
        if hasBreakpoints { return .execute }
        if isDevice(fault.address) { return accessDevice(fault) }
        // The same code twice, so that the compiler knows the frequent mode.
        return processor.executes64BitCode ? emulate(fault, in: .long64) : emulateOutside64BitMode(fault)
    }

    /// Not an instruction's operand: the guest's walk, its code, or an event whose delivery needs a stack or a descriptor table.
    /// All except the walk may be in the test device's memory.
    @inline(never)
    private mutating func endWithout(_ fault: NestedPageFault) -> Outcome {
        if !fault.duringWalk, board.pointee.testMemoryPage(fault.address.rawValue) != nil { return .execute }
        return .end(.unsupported(fault.isFetch && !fault.duringWalk ? .fetchFromAbsentMemory : .tableInAbsentMemory))
    }

    // MARK: The frequent case: a MOV

    @inline(never)
    private mutating func emulateOutside64BitMode(_ fault: NestedPageFault) -> Outcome {
        emulate(fault, in: processor.mode)
    }

    @inline(__always)
    private mutating func emulate(_ fault: NestedPageFault, in mode: ProcessorMode) -> Outcome {
        let bytes = fetchInstruction(in: mode)
        guard let move = InstructionDecoder.decodePlainMove(bytes, in: mode), isSurelyWhole(fault, move) else {
            return mode.is64Bit ? emulateAtPageStart(bytes, fault) : emulateAny(bytes, fault, in: mode)
        }
        return moveAbsent(move)
    }

    /// A MOV to or from absent memory.
    @inline(__always)
    private mutating func moveAbsent(_ move: PlainMove) -> Outcome {
        absentMemoryAccesses &+= 1
        if !move.isStore { write(.max &>> UInt64(truncatingIfNeeded: 64 &- 8 &* move.size), to: move.register, size: move.size) }
        return .stepLength(UInt8(truncatingIfNeeded: move.length))
    }

    /// Whether the operand lies in one page, and the fault's address says so: at a page's start the processor may report the
    /// second part of an operand that begins in the page before.
    @inline(__always)
    private mutating func isSurelyWhole(_ fault: NestedPageFault, _ move: PlainMove) -> Bool {
        let offset = fault.address.rawValue & 0xFFF
        return offset != 0 && offset &+ UInt64(truncatingIfNeeded: move.size) <= 0x1000
    }

    /// A MOV in 64-bit code whose operand clearly begins where the fault is, at a page's start; a separate function, since most
    /// are elsewhere.
    @inline(never)
    @_optimize(speed)
    private mutating func emulateAtPageStart(_ bytes: InstructionBytes, _ fault: NestedPageFault) -> Outcome {
        guard let move = InstructionDecoder.decodePlainMove(bytes, in: .long64), isPlainlyAtPageStart(move, fault) else {
            return emulateAny(bytes, fault, in: .long64)
        }
        return moveAbsent(move)
    }

    @inline(__always)
    private mutating func isPlainlyAtPageStart(_ move: PlainMove, _ fault: NestedPageFault) -> Bool {
        guard let base = move.operand.simpleBase, fault.address.rawValue & 0xFFF == 0 else { return false }
        return (registers.value(of: RegisterNumber(base)) &+ UInt64(bitPattern: move.operand.displacement)) & 0xFFF == 0
    }

    /// An access to a device: RAM does not fault.
    @inline(never)
    private mutating func accessDevice(_ fault: NestedPageFault) -> Outcome {
        let mode = processor.mode
        let bytes = fetchInstruction(in: mode)
        guard let move = InstructionDecoder.decodePlainMove(bytes, in: mode),
            isSurelyWhole(fault, move) || (mode.is64Bit && isPlainlyAtPageStart(move, fault))
        else { return emulateAny(bytes, fault, in: mode) }
        let bits = UInt64.max &>> UInt64(truncatingIfNeeded: 64 &- 8 &* move.size)
        if move.isStore {
            writeDevice(fault.address, size: move.size, read(move.register) & bits)
        } else {
            write(readDevice(fault.address, size: move.size) & bits, to: move.register, size: move.size)
        }
        return .stepLength(UInt8(truncatingIfNeeded: move.length))
    }

    // MARK: Any instruction

    /// The processor executes an instruction that is not known here.
    @inline(never)
    @_optimize(speed)
    private mutating func emulateAny(
        _ bytes: InstructionBytes, _ fault: NestedPageFault, in mode: ProcessorMode
    ) -> Outcome {
        guard let instruction = InstructionDecoder.decode(bytes, in: mode) else { return .execute }
        if instruction.isLocked, !instruction.allowsLock { return .inject(.invalidOpcode) }
        return emulate(instruction, fault, in: mode)
    }
}

import Memory
import Virtualization
import X86

// Moves between memory and vector registers. The guest's registers are in the processor, since the kernel uses none.

extension VirtualCPU {
    mutating func emulateVectorLoad(
        _ instruction: MemoryInstruction, _ move: MemoryInstruction.VectorMove, _ fault: NestedPageFault,
        in mode: ProcessorMode
    ) -> Outcome {
        if let event = vectorFault(move) { return .inject(event) }
        let place: OperandPlace
        switch locate(instruction, .read, fault, in: mode) {
        case .place(let found): place = found
        case .outcome(let outcome): return outcome
        }
        var value = VectorValue()
        switch move.part {
        case .whole, .scalar:
            let piece = min(instruction.size, 8)
            for index in 0..<instruction.size / piece { value[index] = read(place, at: 8 * index, count: piece) }
        case .low, .high:
            value = host.readVector(move.other, isWide: false)
            value[move.part == .low ? 0 : 1] = read(place, count: 8)
        }
        host.writeVector(move.register, value, instruction.size == 32 ? .all32 : move.isVEX ? .all16 : .lowest16)
        return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
    }

    mutating func emulateVectorStore(
        _ instruction: MemoryInstruction, _ move: MemoryInstruction.VectorMove, _ fault: NestedPageFault,
        in mode: ProcessorMode
    ) -> Outcome {
        if let event = vectorFault(move) { return .inject(event) }
        let place: OperandPlace
        switch locate(instruction, .write, fault, in: mode) {
        case .place(let found): place = found
        case .outcome(let outcome): return outcome
        }
        let value = host.readVector(move.register, isWide: instruction.size == 32)
        let piece = min(instruction.size, 8)
        let first = move.part == .high ? 1 : 0
        for index in 0..<instruction.size / piece { write(place, at: 8 * index, count: piece, value[first + index]) }
        return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
    }

    /// The fault of an instruction that the guest has not enabled (SDM volume 3, "Providing Operating System Support
    /// for SSE Extensions", and volume 2, "AVX and SSE Instruction Exception Classification"). The processor raises it
    /// before the access; but a guest may have changed the instruction since, and the new one must not fault in the kernel.
    private mutating func vectorFault(_ move: MemoryInstruction.VectorMove) -> Event? {
        let cr0 = processor.cr0
        let cr4 = processor.cr4
        if move.isVEX {
            guard cr4.contains(.xsave), ~host.readExtendedControl() & (ExtendedState.sse | ExtendedState.avx) == 0 else {
                return .invalidOpcode
            }
        } else {
            guard !cr0.contains(.emulation), cr4.contains(.fxsave) else { return .invalidOpcode }
        }
        return cr0.contains(.taskSwitched) ? .deviceNotAvailable : nil
    }
}

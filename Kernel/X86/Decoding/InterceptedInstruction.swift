/// An instruction that a hypervisor may intercept, as far as it has to know it: its length, and where its operands are (APM
/// volume 3; APM volume 2, "Instruction Intercepts").
public struct InterceptedInstruction: Equatable, Sendable {
    public enum Kind: UInt8, Equatable, Sendable {
        case cpuid, halt, pause, resumeFromSystemManagement
        /// INVD, and WBINVD or WBNOINVD.
        case invalidateCaches, writeBackCaches
        case readMSR, writeMSR, readTimeStamp, readTimeStampWithAuxiliary, readPerformanceCounter, readProcessorRegister
        case setExtendedControlRegister
        /// INVLPG, INVPCID, INVLPGA, INVLPGB and TLBSYNC.
        case invalidatePage, invalidateByPCID, invalidatePageOfASID, broadcastInvalidation, synchronizeInvalidation
        case run, call, callOfIntel, load, save, setGlobalInterrupts, clearGlobalInterrupts, secureInit
        /// MONITOR and MONITORX, MWAIT and MWAITX.
        case monitor, wait
        case commit
        /// INT1, INT3, INTO and INT n.
        case debugBreak, breakpoint, overflow, softwareInterrupt
        case pushFlags, popFlags, interruptReturn
        /// CALL and JMP to another segment, which may be a task.
        case farCall, farJump
        /// IN and OUT, and INS and OUTS.
        case port, string
        case readControlRegister, writeControlRegister, readDebugRegister, writeDebugRegister
        case clearTaskSwitched, storeMachineStatus, loadMachineStatus
        case storeGlobalTable, storeInterruptTable, storeLocalTable, storeTaskRegister
        case loadGlobalTable, loadInterruptTable, loadLocalTable, loadTaskRegister
    }

    public var kind: Kind
    public var length: Int
    /// The registers that ModRM names: the numbers of bits 5:3 and, without an operand in memory, of bits 2:0.
    public var register: UInt8 = 0
    public var general: UInt8 = 0
    /// The operand in memory, if ModRM names one.
    public var operand: MemoryInstruction.Operand?
    /// 2, 4 or 8.
    public var addressSize: Int
    public var segmentOverride: SegmentRegister?
    /// Of INT n.
    public var vector: UInt8 = 0
}

extension InstructionDecoder {
    /// The instruction at the beginning of `bytes`; nil if it is none of these, or not all there.
    public static func decodeIntercepted(_ bytes: InstructionBytes, in mode: ProcessorMode) -> InterceptedInstruction? {
        var decoder = InstructionDecoder(bytes, mode)
        return decoder.decodeIntercepted()
    }

    private mutating func decodeIntercepted() -> InterceptedInstruction? {
        guard var opcode = nextAfterREX() else { return nil }
        while takePrefix(opcode) {
            // A REX prefix counts only right before the opcode.
            rex = 0
            guard let following = nextAfterREX() else { return nil }
            opcode = following
        }
        return opcode == 0x0F ? twoByteIntercepted() : oneByteIntercepted(opcode)
    }

    private mutating func oneByteIntercepted(_ opcode: UInt8) -> InterceptedInstruction? {
        switch opcode {
        case 0x6C...0x6F: return found(.string)
        // With REX.B it is an XCHG.
        case 0x90: return repetition == .whileEqual && rex & 1 == 0 ? found(.pause) : nil
        case 0x9A: return is64Bit ? nil : found(.farCall, behind: operandSize + 2)
        case 0x9C: return found(.pushFlags)
        case 0x9D: return found(.popFlags)
        case 0xCC: return found(.breakpoint)
        case 0xCD:
            guard let vector = next() else { return nil }
            var instruction = found(.softwareInterrupt)
            instruction?.vector = vector
            return instruction
        case 0xCE: return is64Bit ? nil : found(.overflow)
        case 0xCF: return found(.interruptReturn)
        case 0xE4...0xE7: return found(.port, behind: 1)
        case 0xEC...0xEF: return found(.port)
        case 0xEA: return is64Bit ? nil : found(.farJump, behind: operandSize + 2)
        case 0xF1: return found(.debugBreak)
        case 0xF4: return found(.halt)
        case 0xFF:
            guard let number = memoryExtension(), number == 3 || number == 5 else { return nil }
            return found(number == 3 ? .farCall : .farJump)
        default: return nil
        }
    }

    private mutating func twoByteIntercepted() -> InterceptedInstruction? {
        guard let opcode = next() else { return nil }
        switch opcode {
        case 0x00: return groupIntercepted(.storeLocalTable, .storeTaskRegister, .loadLocalTable, .loadTaskRegister)
        case 0x01: return systemIntercepted()
        case 0x06: return found(.clearTaskSwitched)
        case 0x08: return found(.invalidateCaches)
        case 0x09: return found(.writeBackCaches)
        // The operand is a register, whatever the two upper bits say.
        case 0x20: return foundRegister(.readControlRegister)
        case 0x21: return foundRegister(.readDebugRegister)
        case 0x22: return foundRegister(.writeControlRegister)
        case 0x23: return foundRegister(.writeDebugRegister)
        case 0x30: return found(.writeMSR)
        case 0x31: return found(.readTimeStamp)
        case 0x32: return found(.readMSR)
        case 0x33: return found(.readPerformanceCounter)
        case 0x38: return next() == 0x82 && hasOperandSizePrefix && passOperand() ? found(.invalidateByPCID) : nil
        case 0xA2: return found(.cpuid)
        case 0xAA: return found(.resumeFromSystemManagement)
        default: return nil
        }
    }

    private mutating func groupIntercepted(
        _ zero: InterceptedInstruction.Kind, _ one: InterceptedInstruction.Kind, _ two: InterceptedInstruction.Kind,
        _ three: InterceptedInstruction.Kind
    ) -> InterceptedInstruction? {
        guard let modRM = rest.first else { return nil }
        let kind: InterceptedInstruction.Kind
        switch modRM >> 3 & 7 {
        case 0: kind = zero
        case 1: kind = one
        case 2: kind = two
        case 3: kind = three
        default: return nil
        }
        if modRM >= 0xC0 { return foundRegister(kind) }
        return passOperand() ? found(kind) : nil
    }

    /// 0F 01.
    private mutating func systemIntercepted() -> InterceptedInstruction? {
        guard let modRM = rest.first else { return nil }
        let number = modRM >> 3 & 7
        guard modRM >= 0xC0 else {
            switch number {
            case 4, 6, 7:
                guard passOperand() else { return nil }
                return found(number == 4 ? .storeMachineStatus : number == 6 ? .loadMachineStatus : .invalidatePage)
            default: return groupIntercepted(.storeGlobalTable, .storeInterruptTable, .loadGlobalTable, .loadInterruptTable)
            }
        }
        switch modRM {
        // It exits as an undefined one, which it is with LOCK everywhere.
        case 0xC1: return isLocked ? nil : foundRegister(.callOfIntel)
        case 0xC8: return foundRegister(.monitor)
        case 0xC9: return foundRegister(.wait)
        case 0xD1: return foundRegister(.setExtendedControlRegister)
        case 0xD8: return foundRegister(.run)
        case 0xD9: return foundRegister(.call)
        case 0xDA: return foundRegister(.load)
        case 0xDB: return foundRegister(.save)
        case 0xDC: return foundRegister(.setGlobalInterrupts)
        case 0xDD: return foundRegister(.clearGlobalInterrupts)
        case 0xDE: return foundRegister(.secureInit)
        case 0xDF: return foundRegister(.invalidatePageOfASID)
        case 0xE0...0xE7: return foundRegister(.storeMachineStatus)
        case 0xF0...0xF7: return foundRegister(.loadMachineStatus)
        case 0xF9: return foundRegister(.readTimeStampWithAuxiliary)
        case 0xFA: return foundRegister(repetition == .whileEqual ? .commit : .monitor)
        case 0xFB: return foundRegister(.wait)
        case 0xFD: return foundRegister(.readProcessorRegister)
        case 0xFE: return foundRegister(.broadcastInvalidation)
        case 0xFF: return foundRegister(.synchronizeInvalidation)
        default: return nil
        }
    }

    /// An instruction whose ModRM, which is next, names registers alone.
    private mutating func foundRegister(_ kind: InterceptedInstruction.Kind) -> InterceptedInstruction? {
        guard let modRM = next(), var instruction = found(kind) else { return nil }
        instruction.register = modRM >> 3 & 7 | rex << 1 & 8
        instruction.general = modRM & 7 | rex << 3 & 8
        return instruction
    }

    /// - Parameter count: how many bytes of an immediate operand are still to come.
    private mutating func found(_ kind: InterceptedInstruction.Kind, behind count: Int = 0) -> InterceptedInstruction? {
        guard count == 0 || rest.take(count) != nil else { return nil }
        let hasOperand = operand != MemoryInstruction.Operand()
        var instruction = InterceptedInstruction(
            kind: kind, length: length &- rest.count, addressSize: addressSize, segmentOverride: segmentOverride)
        if hasOperand {
            instruction.operand = operand
            instruction.register = operand.modRM >> 3 & 7 | rex << 1 & 8
        }
        return instruction
    }
}

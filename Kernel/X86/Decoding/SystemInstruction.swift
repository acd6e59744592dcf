/// An instruction that virtual-8086 mode refuses and real mode executes (SDM volume 3, "8086 Emulation", on protection and on sensitive
/// instructions).
public struct SystemInstruction: Equatable, Sendable {
    public enum Operation: Equatable, Sendable {
        case halt
        case clearInterruptFlag
        case setInterruptFlag
        case pushFlags
        case popFlags
        case interrupt(vector: UInt8)
        case interruptReturn
        /// IN and OUT. Without a port, DX names it.
        case port(UInt8?, isInput: Bool, size: Int)
        /// INS and OUTS.
        case string(isInput: Bool, size: Int)
        /// LGDT and LIDT, of the operand in memory.
        case loadDescriptorTable(ofInterrupts: Bool)
        /// LMSW, of a register or the operand in memory.
        case loadMachineStatus(UInt8?)
        case clearTaskSwitched
        case readControlRegister(UInt8, to: UInt8)
        case writeControlRegister(UInt8, from: UInt8)
        case readDebugRegister(UInt8, to: UInt8)
        case writeDebugRegister(UInt8, from: UInt8)
        case readMSR
        case writeMSR
        case setExtendedControlRegister
        /// INVD, WBINVD and INVLPG.
        case invalidate
    }

    public var operation: Operation
    public var length: Int
    /// 2 or 4.
    public var operandSize: Int
    public var addressSize: Int
    public var isRepeated: Bool
    public var segmentOverride: SegmentRegister?
    /// As a memory instruction, which tells where its operand is.
    public var memory: MemoryInstruction?
}

extension InstructionDecoder {
    /// The instruction at the beginning of `bytes`, in real mode; nil if it is none of these, not all there, or locked.
    public static func decodeSystem(_ bytes: InstructionBytes) -> SystemInstruction? {
        var decoder = InstructionDecoder(bytes, .real)
        return decoder.decodeSystem()
    }

    private mutating func decodeSystem() -> SystemInstruction? {
        guard var opcode = next() else { return nil }
        while takePrefix(opcode) {
            guard let following = next() else { return nil }
            opcode = following
        }
        if isLocked { return nil }
        var memory: MemoryInstruction?
        guard let operation = opcode == 0x0F ? twoByteSystem(&memory) : oneByteSystem(opcode) else { return nil }
        return SystemInstruction(
            operation: operation, length: length &- rest.count, operandSize: operandSize, addressSize: addressSize,
            isRepeated: repetition != .none, segmentOverride: segmentOverride, memory: memory)
    }

    private mutating func oneByteSystem(_ opcode: UInt8) -> SystemInstruction.Operation? {
        switch opcode {
        case 0x6C, 0x6D: return .string(isInput: true, size: size(opcode))
        case 0x6E, 0x6F: return .string(isInput: false, size: size(opcode))
        case 0x9C: return .pushFlags
        case 0x9D: return .popFlags
        case 0xCD: return next().map { .interrupt(vector: $0) }
        case 0xCF: return .interruptReturn
        case 0xE4...0xE7:
            guard let port = next() else { return nil }
            return .port(port, isInput: opcode & 2 == 0, size: size(opcode))
        case 0xEC...0xEF: return .port(nil, isInput: opcode & 2 == 0, size: size(opcode))
        case 0xF4: return .halt
        case 0xFA: return .clearInterruptFlag
        case 0xFB: return .setInterruptFlag
        default: return nil
        }
    }

    private mutating func twoByteSystem(_ memory: inout MemoryInstruction?) -> SystemInstruction.Operation? {
        guard let opcode = next() else { return nil }
        switch opcode {
        case 0x01: return descriptorSystem(&memory)
        case 0x06: return .clearTaskSwitched
        case 0x08, 0x09: return .invalidate
        case 0x20...0x23:
            // The operand is a register, whatever the upper two bits say.
            guard let modRM = next() else { return nil }
            let (number, general) = (modRM >> 3 & 7, modRM & 7)
            switch opcode {
            case 0x20: return .readControlRegister(number, to: general)
            case 0x21: return .readDebugRegister(number, to: general)
            case 0x22: return .writeControlRegister(number, from: general)
            default: return .writeDebugRegister(number, from: general)
            }
        case 0x30: return .writeMSR
        case 0x32: return .readMSR
        default: return nil
        }
    }

    private mutating func descriptorSystem(_ memory: inout MemoryInstruction?) -> SystemInstruction.Operation? {
        guard let modRM = rest.first else { return nil }
        if modRM >= 0xC0 {
            _ = next()
            if modRM == 0xD1 { return .setExtendedControlRegister }
            return modRM >> 3 & 7 == 6 ? .loadMachineStatus(modRM & 7) : nil
        }
        guard let number = memoryExtension() else { return nil }
        memory = finish(.storeSegment(.cs), number == 6 ? 2 : 6)
        switch number {
        case 2: return .loadDescriptorTable(ofInterrupts: false)
        case 3: return .loadDescriptorTable(ofInterrupts: true)
        case 6: return .loadMachineStatus(nil)
        case 7: return .invalidate
        default: return nil
        }
    }
}

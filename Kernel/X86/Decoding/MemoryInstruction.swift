/// An instruction with one operand in memory, as far as emulating that access needs it.
public struct MemoryInstruction: Equatable, Sendable {
    public enum Operation: Equatable, Sendable {
        /// MOV, MOVZX, MOVSX, MOVSXD from memory: to a register of `destinationSize` bytes.
        case load(register: Register, destinationSize: Int, signExtends: Bool)
        /// MOV to memory from a register.
        case store(register: Register)
        /// MOV to memory of a constant.
        case storeImmediate(UInt64)
        /// An arithmetic instruction whose destination is a register.
        case computeRegister(Arithmetic, register: Register)
        /// An arithmetic instruction whose destination is memory, with a register.
        case computeMemory(Arithmetic, register: Register)
        /// An arithmetic instruction whose destination is memory, with a constant.
        case computeMemoryImmediate(Arithmetic, UInt64)
        /// XCHG.
        case exchange(register: Register)
        /// STOS.
        case storeString
        /// LODS.
        case loadString
        /// MOVS.
        case moveString
    }

    /// The two-operand arithmetic instructions, by their place in the opcode map; TEST stands behind them.
    public enum Arithmetic: UInt8, Sendable {
        case add = 0, or = 1, addWithCarry = 2, subtractWithBorrow = 3, and = 4, subtract = 5, exclusiveOr = 6
        case compare = 7, test = 8

        /// CMP and TEST only set flags.
        public var writesResult: Bool { rawValue < 7 }
    }

    /// A general register as an instruction names it; AH to BH are bits 15:8 of the first four.
    public struct Register: Equatable, Sendable {
        public var number: UInt8
        public var isHighByte: Bool

        public init(number: UInt8, isHighByte: Bool = false) {
            self.number = number
            self.isHighByte = isHighByte
        }
    }

    public var operation: Operation
    public var operand: Operand
    /// The size of the memory operand in bytes: 1, 2, 4 or 8.
    public var size: Int
    /// The length of the instruction in bytes.
    public var length: Int
    /// The address size in bytes: 2, 4 or 8.
    public var addressSize: Int
    /// A REP prefix on a string instruction.
    public var isRepeated: Bool
    /// The segment register of a prefix: for a ModRM operand, or the source of MOVS and LODS.
    public var segmentOverride: SegmentRegister?

    /// STOS, LODS or MOVS: addresses come from RSI and RDI.
    public var isString: Bool {
        switch operation {
        case .storeString, .loadString, .moveString: true
        default: false
        }
    }

    /// Whether the value in memory matters.
    public var readsMemory: Bool {
        switch operation {
        case .store, .storeImmediate, .storeString: false
        default: true
        }
    }
}

/// An instruction with an operand in memory, as far as emulating that access requires.
public struct MemoryInstruction: Equatable, Sendable {
    public enum Operation: Equatable, Sendable {
        /// MOV, MOVZX, MOVSX, MOVSXD from memory: to a register of `destinationSize` bytes.
        case load(register: Register, destinationSize: Int, signExtends: Bool)
        /// MOVBE from memory.
        case loadSwapped(register: Register)
        /// CMOVcc from memory, which is always read.
        case loadConditionally(Condition, register: Register)
        /// MOV and MOVNTI to memory from a register.
        case store(register: Register)
        /// MOV to memory of a constant.
        case storeImmediate(UInt64)
        /// MOVBE to memory.
        case storeSwapped(register: Register)
        /// MOV to memory of a segment selector.
        case storeSegment(SegmentRegister)
        /// SETcc.
        case storeCondition(Condition)
        /// An arithmetic instruction whose destination is a register.
        case computeRegister(Arithmetic, register: Register)
        /// An arithmetic instruction whose destination is memory.
        case computeMemory(Arithmetic, Source)
        /// INC, DEC, NOT, NEG.
        case modify(Modification)
        /// Shifts and rotations.
        case shift(Shift, count: Source)
        /// BT, BTS, BTR, BTC. A register's bit offset reaches beyond the operand and moves its address.
        case testBit(BitTest, offset: Source)
        /// XCHG.
        case exchange(register: Register)
        /// XADD.
        case exchangeAdd(register: Register)
        /// CMPXCHG.
        case compareExchange(register: Register)
        /// CMPXCHG8B and CMPXCHG16B, with the halves in DX:AX and CX:BX of half the operand's size.
        case compareExchangePair
        /// BSF, BSR, TZCNT, LZCNT, POPCNT.
        case countBits(BitCount, register: Register)
        /// IMUL of a register by memory.
        case multiply(register: Register)
        /// IMUL of memory by a constant, to a register.
        case multiplyByConstant(UInt64, register: Register)
        /// MUL and IMUL of the accumulator by memory.
        case multiplyAccumulator(isSigned: Bool)
        /// PUSH of memory.
        case push
        /// POP to memory.
        case pop
        /// STOS.
        case storeString
        /// LODS.
        case loadString
        /// MOVS.
        case moveString
        /// CMPS.
        case compareString
        /// SCAS.
        case scanString
        /// A move from memory to a vector register.
        case loadVector(VectorMove)
        /// A move to memory from a vector register.
        case storeVector(VectorMove)
    }

    /// The two-operand arithmetic instructions, by their place in the opcode map; TEST comes after them.
    public enum Arithmetic: UInt8, Sendable {
        case add = 0, or = 1, addWithCarry = 2, subtractWithBorrow = 3, and = 4, subtract = 5, exclusiveOr = 6
        case compare = 7, test = 8

        /// CMP and TEST only set flags.
        public var writesResult: Bool { rawValue < 7 }
    }

    /// The instructions with one operand that is both source and destination.
    public enum Modification: Equatable, Sendable { case increment, decrement, not, negate }

    /// Shifts and rotations, by bits 5:3 of ModRM.
    public enum Shift: UInt8, Sendable {
        case rotateLeft = 0, rotateRight = 1, rotateLeftThroughCarry = 2, rotateRightThroughCarry = 3
        case left = 4, right = 5, arithmeticRight = 7
    }

    /// What happens to the bit after it is copied to CF, by the low bits of the opcode.
    public enum BitTest: UInt8, Sendable { case keep = 0, set = 1, reset = 2, complement = 3 }

    public enum BitCount: Equatable, Sendable {
        case scanForward, scanReverse, trailingZeros, leadingZeros, population
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

    /// The operand that is not in memory.
    public enum Source: Equatable, Sendable {
        case register(Register)
        case constant(UInt64)
    }

    /// The prefix of a string instruction: REP or REPE (F3H), REPNE (F2H). For those that do not compare, both are REP.
    public enum Repetition: Equatable, Sendable { case none, whileEqual, whileNotEqual }

    /// A move between memory and a vector register (SSE and AVX).
    public struct VectorMove: Equatable, Sendable {
        /// Which part of the register is moved.
        public enum Part: Equatable, Sendable {
            /// All 16 bytes, or 32.
            case whole
            /// The lowest 4 or 8 bytes; a load clears the others of the 16.
            case scalar
            /// Bytes 7:0 or 15:8. A load takes the other half from `other`.
            case low, high
        }

        public var part: Part
        /// XMM or YMM 0 to 15.
        public var register: UInt8
        /// The register whose other half a load of one half takes.
        public var other: UInt8
        /// Encoded with a VEX prefix: a load clears all of the register that it does not write.
        public var isVEX: Bool

        public init(_ part: Part, register: UInt8, other: UInt8, isVEX: Bool) {
            self.part = part
            self.register = register
            self.other = other
            self.isVEX = isVEX
        }
    }

    public var operation: Operation
    public var operand: Operand
    /// The size of the memory operand in bytes: 1, 2, 4, 8, 16 or 32.
    public var size: Int
    /// The length of the instruction in bytes.
    public var length: Int
    /// The address size in bytes: 2, 4 or 8.
    public var addressSize: Int
    /// The REP prefix of a string instruction.
    public var repetition: Repetition
    /// A LOCK prefix.
    public var isLocked: Bool
    /// The segment register of a prefix: for a ModRM operand, or the source of a string instruction.
    public var segmentOverride: SegmentRegister?

    /// Addresses come from RSI and RDI.
    public var isString: Bool {
        switch operation {
        case .storeString, .loadString, .moveString, .compareString, .scanString: true
        default: false
        }
    }

    /// Whether the value in memory matters. Not asked of string, stack and vector instructions.
    public var readsMemory: Bool {
        switch operation {
        case .store, .storeImmediate, .storeSwapped, .storeSegment, .storeCondition: false
        default: true
        }
    }

    /// Whether memory is written, even with what it holds: the access must then be allowed to write. Not asked of string,
    /// stack and vector instructions.
    public var writesMemory: Bool {
        switch operation {
        case .store, .storeImmediate, .storeSwapped, .storeSegment, .storeCondition, .modify, .shift, .exchange,
            .exchangeAdd, .compareExchange, .compareExchangePair:
            true
        case .computeMemory(let arithmetic, _): arithmetic.writesResult
        case .testBit(let test, _): test != .keep
        default: false
        }
    }

    /// Whether LOCK may stand before it; before any other instruction it is an invalid opcode (SDM volume 2, "LOCK - Assert
    /// LOCK# Signal Prefix").
    public var allowsLock: Bool {
        switch operation {
        case .modify, .exchange, .exchangeAdd, .compareExchange, .compareExchangePair: true
        case .computeMemory(let arithmetic, _): arithmetic.writesResult
        case .testBit(let test, _): test != .keep
        default: false
        }
    }
}

// The opcode maps as far as they name instructions on memory that are emulated (SDM volume 2, appendix A "Opcode Map"). An
// opcode that is not here is not known. The tables are functions, so that no global has to be initialised.

/// How an instruction's operands are encoded, and what it does with them. Unless stated otherwise, bit 0 of the opcode
/// chooses between a byte and the operand size, and ModRM names memory and a register.
enum OpcodeForm {
    /// Bits 5:3 choose the arithmetic; bit 1, that the destination is the register.
    case arithmetic
    /// Bits 5:3 of ModRM choose the arithmetic; a constant follows.
    case arithmeticConstant
    /// The same with a byte that is extended.
    case arithmeticByte
    case test, testConstant
    /// Bit 1, that the destination is the register.
    case move
    /// The operand's offset follows without ModRM; bit 1, that the accumulator is stored.
    case moveAccumulator
    case moveConstant, moveNonTemporal
    case moveExtending(from: Int?, signed: Bool)
    /// Bit 0 chooses the direction.
    case moveSwapped
    case moveConditionally, setCondition, storeSegment
    case exchange, exchangeAdd, compareExchange, compareExchangePair
    case modify(MemoryInstruction.Modification)
    /// Bits 5:3 of ModRM choose the shift.
    case shiftByConstant, shiftByOne, shiftByCounter
    /// Bits 4:3 of the opcode choose what happens to the bit.
    case testBit
    /// Bits 4:3 of ModRM do, and a byte follows.
    case testBitConstant
    case countBits(MemoryInstruction.BitCount)
    case multiply, multiplyByConstant, multiplyByByte
    case multiplyAccumulator(signed: Bool)
    case push, pop
    case string(MemoryInstruction.Operation)
    /// Bits 5:3 of ModRM continue the opcode.
    case group(OpcodeGroup)
}

/// Opcodes that ModRM continues.
enum OpcodeGroup {
    case group1A, group3, group4, group5, group8, group9, group11
}

/// The prefix that takes part in the opcode.
enum MandatoryPrefix {
    case none, p66, pF3, pF2
}

enum OpcodeTables {
    static func oneByte(_ opcode: UInt8, is64Bit: Bool) -> OpcodeForm? {
        switch opcode {
        case 0x00...0x3F: opcode & 7 < 4 ? .arithmetic : nil
        case 0x63: is64Bit ? .moveExtending(from: nil, signed: true) : nil  // MOVSXD; else ARPL
        case 0x69: .multiplyByConstant
        case 0x6B: .multiplyByByte
        case 0x80, 0x81: .arithmeticConstant
        case 0x83: .arithmeticByte
        case 0x84, 0x85: .test
        case 0x86, 0x87: .exchange
        case 0x88...0x8B: .move
        case 0x8C: .storeSegment
        case 0x8F: .group(.group1A)
        case 0xA0...0xA3: .moveAccumulator
        case 0xA4, 0xA5: .string(.moveString)
        case 0xA6, 0xA7: .string(.compareString)
        case 0xAA, 0xAB: .string(.storeString)
        case 0xAC, 0xAD: .string(.loadString)
        case 0xAE, 0xAF: .string(.scanString)
        case 0xC0, 0xC1: .shiftByConstant
        case 0xC6, 0xC7: .group(.group11)
        case 0xD0, 0xD1: .shiftByOne
        case 0xD2, 0xD3: .shiftByCounter
        case 0xF6, 0xF7: .group(.group3)
        case 0xFE: .group(.group4)
        case 0xFF: .group(.group5)
        default: nil
        }
    }

    /// After 0FH.
    static func twoByte(_ opcode: UInt8, _ prefix: MandatoryPrefix) -> OpcodeForm? {
        switch (opcode, prefix) {
        case (0x40...0x4F, _): .moveConditionally
        case (0x90...0x9F, _): .setCondition
        case (0xA3, _), (0xAB, _), (0xB3, _), (0xBB, _): .testBit
        case (0xAF, _): .multiply
        case (0xB0, _), (0xB1, _): .compareExchange
        case (0xB6, _): .moveExtending(from: 1, signed: false)
        case (0xB7, _): .moveExtending(from: 2, signed: false)
        case (0xB8, .pF3): .countBits(.population)
        case (0xBA, _): .group(.group8)
        case (0xBC, .pF3): .countBits(.trailingZeros)
        case (0xBC, _): .countBits(.scanForward)
        case (0xBD, .pF3): .countBits(.leadingZeros)
        case (0xBD, _): .countBits(.scanReverse)
        case (0xBE, _): .moveExtending(from: 1, signed: true)
        case (0xBF, _): .moveExtending(from: 2, signed: true)
        case (0xC0, _), (0xC1, _): .exchangeAdd
        case (0xC3, .none): .moveNonTemporal
        case (0xC7, .none), (0xC7, .p66): .group(.group9)
        default: nil
        }
    }

    /// After 0FH and 38H.
    static func threeByte(_ opcode: UInt8, _ prefix: MandatoryPrefix) -> OpcodeForm? {
        switch (opcode, prefix) {
        case (0xF0, .none), (0xF0, .p66), (0xF1, .none), (0xF1, .p66): .moveSwapped
        default: nil
        }
    }

    /// By bits 5:3 of ModRM.
    static func member(_ number: UInt8, of group: OpcodeGroup) -> OpcodeForm? {
        switch (group, number) {
        case (.group1A, 0): .pop
        case (.group3, 0), (.group3, 1): .testConstant
        case (.group3, 2): .modify(.not)
        case (.group3, 3): .modify(.negate)
        case (.group3, 4): .multiplyAccumulator(signed: false)
        case (.group3, 5): .multiplyAccumulator(signed: true)
        case (.group4, 0), (.group5, 0): .modify(.increment)
        case (.group4, 1), (.group5, 1): .modify(.decrement)
        case (.group5, 6): .push
        case (.group8, 4...7): .testBitConstant
        case (.group9, 1): .compareExchangePair
        case (.group11, 0): .moveConstant
        default: nil
        }
    }
}

/// A move between memory and a vector register.
struct VectorForm {
    enum Size { case bytes4, bytes8, whole, general }

    let isStore: Bool
    let part: MemoryInstruction.VectorMove.Part
    /// Whole is 16 bytes or 32; general 4 or, with W, 8.
    let size: Size
}

extension VectorForm {
    private static func load(_ part: MemoryInstruction.VectorMove.Part, _ size: Size) -> VectorForm {
        VectorForm(isStore: false, part: part, size: size)
    }

    private static func store(_ part: MemoryInstruction.VectorMove.Part, _ size: Size) -> VectorForm {
        VectorForm(isStore: true, part: part, size: size)
    }

    /// After 0FH, or in that map of a VEX prefix.
    static func twoByte(_ opcode: UInt8, _ prefix: MandatoryPrefix) -> VectorForm? {
        switch (opcode, prefix) {
        case (0x10, .none), (0x10, .p66): .load(.whole, .whole)  // MOVUPS, MOVUPD
        case (0x11, .none), (0x11, .p66): .store(.whole, .whole)
        case (0x10, .pF3): .load(.scalar, .bytes4)  // MOVSS
        case (0x11, .pF3): .store(.scalar, .bytes4)
        case (0x10, .pF2): .load(.scalar, .bytes8)  // MOVSD
        case (0x11, .pF2): .store(.scalar, .bytes8)
        case (0x12, .none), (0x12, .p66): .load(.low, .bytes8)  // MOVLPS, MOVLPD
        case (0x13, .none), (0x13, .p66): .store(.low, .bytes8)
        case (0x16, .none), (0x16, .p66): .load(.high, .bytes8)  // MOVHPS, MOVHPD
        case (0x17, .none), (0x17, .p66): .store(.high, .bytes8)
        case (0x28, .none), (0x28, .p66): .load(.whole, .whole)  // MOVAPS, MOVAPD
        case (0x29, .none), (0x29, .p66): .store(.whole, .whole)
        case (0x2B, .none), (0x2B, .p66): .store(.whole, .whole)  // MOVNTPS, MOVNTPD
        case (0x6E, .p66): .load(.scalar, .general)  // MOVD, MOVQ
        case (0x7E, .p66): .store(.scalar, .general)
        case (0x7E, .pF3): .load(.scalar, .bytes8)  // MOVQ
        case (0xD6, .p66): .store(.scalar, .bytes8)
        case (0x6F, .p66), (0x6F, .pF3): .load(.whole, .whole)  // MOVDQA, MOVDQU
        case (0x7F, .p66), (0x7F, .pF3): .store(.whole, .whole)
        case (0xE7, .p66): .store(.whole, .whole)  // MOVNTDQ
        case (0xF0, .pF2): .load(.whole, .whole)  // LDDQU
        default: nil
        }
    }

    /// After 0FH and 38H, or in that map of a VEX prefix.
    static func threeByte(_ opcode: UInt8, _ prefix: MandatoryPrefix) -> VectorForm? {
        switch (opcode, prefix) {
        case (0x2A, .p66): .load(.whole, .whole)  // MOVNTDQA
        default: nil
        }
    }
}

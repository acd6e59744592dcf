/// Decodes the instructions that software uses on devices in memory, by the tables of OpcodeTables.swift (SDM volume 2,
/// chapter 2 "Instruction Format").
///
/// An unknown instruction is nil, never a guess.
public struct InstructionDecoder {
    /// What is still to be read.
    var rest: InstructionBytes
    let length: Int
    let is64Bit: Bool
    let allowsVEX: Bool
    private let defaultOperandSize: Int
    private let defaultAddressSize: Int
    var rex: UInt8 = 0
    var hasOperandSizePrefix = false
    private var hasAddressSizePrefix = false
    var repetition = MemoryInstruction.Repetition.none
    var isLocked = false
    var isVEX = false
    var segmentOverride: SegmentRegister?
    var operand = MemoryInstruction.Operand()

    @inline(__always)
    init(_ bytes: InstructionBytes, _ mode: ProcessorMode) {
        rest = bytes
        length = bytes.count
        is64Bit = mode.is64Bit
        allowsVEX = mode != .real && mode != .virtual8086
        defaultAddressSize = mode.defaultAddressSize
        defaultOperandSize = defaultAddressSize == 2 ? 2 : 4
    }

    /// The instruction at the beginning of `bytes`, or nil if it is unknown or incomplete.
    public static func decode(_ bytes: InstructionBytes, in mode: ProcessorMode) -> MemoryInstruction? {
        var decoder = InstructionDecoder(bytes, mode)
        return decoder.decode()
    }

    /// The same for a MOV between a general register and memory with no prefix except REX, by far the most frequent: inlined,
    /// and so in few instructions. Any other instruction is nil here.
    @inline(__always)
    public static func decodePlainMove(_ bytes: InstructionBytes, in mode: ProcessorMode) -> PlainMove? {
        var decoder = InstructionDecoder(bytes, mode)
        guard let opcode = decoder.nextAfterREX(), opcode & 0xFC == 0x88 else { return nil }
        return decoder.decodePlainMove(opcode)
    }

    @inline(__always)
    mutating func next() -> UInt8? {
        guard let byte = rest.take(1) else { return nil }
        return UInt8(truncatingIfNeeded: byte)
    }

    private mutating func decode() -> MemoryInstruction? {
        guard var opcode = nextAfterREX() else { return nil }
        while takePrefix(opcode) {
            // A REX prefix counts only right before the opcode.
            rex = 0
            guard let following = nextAfterREX() else { return nil }
            opcode = following
        }
        if opcode == 0x0F { return decodeTwoByte() }
        if opcode & 0xFE == 0xC4 { return decodeVEX(opcode) }
        guard let form = OpcodeTables.oneByte(opcode, is64Bit: is64Bit) else { return nil }
        return decode(form, opcode)
    }

    /// Takes a byte, after a REX prefix if there is one.
    @inline(__always)
    mutating func nextAfterREX() -> UInt8? {
        guard let first = next() else { return nil }
        guard is64Bit, first & 0xF0 == 0x40 else { return first }
        rex = first
        return next()
    }

    /// 88H to 8BH, MOV between a general register and memory.
    @inline(__always)
    private mutating func decodePlainMove(_ opcode: UInt8) -> PlainMove? {
        let size = size(opcode)
        guard passOperand() else { return nil }
        return PlainMove(isStore: opcode & 2 == 0, size: size, length: length &- rest.count, operand: operand)
    }

    /// Whether a byte is a legacy prefix, which is then recorded.
    mutating func takePrefix(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x66: hasOperandSizePrefix = true
        case 0x67: hasAddressSizePrefix = true
        case 0xF3: repetition = .whileEqual
        case 0xF2: repetition = .whileNotEqual
        case 0xF0: isLocked = true
        case 0x26: overrideSegment(.es)
        case 0x2E: overrideSegment(.cs)
        case 0x36: overrideSegment(.ss)
        case 0x3E: overrideSegment(.ds)
        case 0x64: segmentOverride = .fs
        case 0x65: segmentOverride = .gs
        default: return false
        }
        return true
    }

    /// In 64-bit mode the prefixes of ES, CS, SS and DS have no meaning, not even after one of FS or GS (SDM volume 1,
    /// "Segment Registers in 64-Bit Mode").
    private mutating func overrideSegment(_ register: SegmentRegister) {
        if !is64Bit { segmentOverride = register }
    }

    // MARK: Sizes

    @inline(__always)
    var operandSize: Int {
        if rex & 8 != 0 { return 8 }
        return hasOperandSizePrefix ? 6 - defaultOperandSize : defaultOperandSize
    }

    @inline(__always)
    var addressSize: Int {
        guard hasAddressSizePrefix else { return defaultAddressSize }
        return defaultAddressSize == 4 ? 2 : 4
    }

    /// Bit 0 of most opcodes: a byte or the operand size.
    @inline(__always)
    func size(_ opcode: UInt8) -> Int { opcode & 1 == 0 ? 1 : operandSize }

    /// PUSH and POP have no operand size of 4 in 64-bit mode.
    var stackOperandSize: Int { is64Bit && operandSize == 4 ? 8 : operandSize }

    // MARK: The result

    @inline(__always)
    func finish(_ operation: MemoryInstruction.Operation, _ size: Int) -> MemoryInstruction {
        MemoryInstruction(
            operation: operation, operand: operand, size: size, length: length &- rest.count, addressSize: addressSize,
            repetition: repetition, isLocked: isLocked, segmentOverride: segmentOverride)
    }

    // MARK: ModRM, SIB, displacement, immediate

    /// Skips a ModRM byte that names memory, and everything that belongs to it.
    /// - Returns: the register that it also names.
    mutating func memoryOperand(registerSize: Int) -> MemoryInstruction.Register? {
        passOperand() ? operand.register(size: registerSize) : nil
    }

    /// Skips a ModRM byte that names memory, and everything that belongs to it.
    /// - Returns: bits 5:3, or nil if the operand is a register.
    mutating func memoryExtension() -> UInt8? {
        passOperand() ? operand.modRM >> 3 & 7 : nil
    }

    /// Skips a ModRM byte and everything that belongs to it.
    /// - Returns: false if the operand is a register, or incomplete.
    @inline(__always)
    mutating func passOperand() -> Bool {
        guard let modRM = next(), modRM < 0xC0 else { return false }
        operand.rex = rex
        return !is64Bit && addressSize == 2 ? shortOperand(modRM) : operand(modRM)
    }

    /// The 32-bit and 64-bit forms (SDM volume 2, "Addressing-Mode Encoding of ModR/M and SIB Bytes").
    @inline(__always)
    private mutating func operand(_ modRM: UInt8) -> Bool {
        operand.form = .long
        operand.modRM = modRM
        let mod = modRM &>> 6
        var base = modRM & 7
        if base == 4 {
            guard let sib = next() else { return false }
            operand.sib = sib
            base = sib & 7
        } else if mod == 0, base == 5, is64Bit {
            operand.form = .ripRelative
        }
        if mod == 0 { return base != 5 || displacement(4) }
        return displacement(mod == 1 ? 1 : 4)
    }

    /// The 16-bit forms.
    private mutating func shortOperand(_ modRM: UInt8) -> Bool {
        operand.form = .short
        operand.modRM = modRM
        let mod = modRM >> 6
        if mod == 0 { return modRM & 7 != 6 || displacement(2) }
        return displacement(Int(mod))
    }

    /// Reads a signed displacement of 1, 2, 4 or 8 bytes.
    @inline(__always)
    mutating func displacement(_ size: Int) -> Bool {
        guard let value = rest.take(size) else { return false }
        let unused = UInt64(truncatingIfNeeded: 64 &- 8 &* size)
        operand.displacement = Int64(bitPattern: value &<< unused) &>> Int64(bitPattern: unused)
        return true
    }

    mutating func signedByte() -> UInt64? {
        guard let byte = next() else { return nil }
        return UInt64(bitPattern: Int64(Int8(bitPattern: byte)))
    }

    /// A constant of the operand's size; for 8 bytes only 4 are encoded, and sign-extended.
    mutating func immediate(_ size: Int) -> UInt64? {
        guard let value = rest.take(min(size, 4)) else { return nil }
        return size == 8 ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value))) : value
    }
}

/// Decodes the instructions that software uses on devices in memory: the MOV family, two-operand arithmetic, XCHG and the
/// string instructions (SDM volume 2, chapter 2 "Instruction Format" and appendix A "Opcode Map").
///
/// An instruction that it does not know is nil, never a guess.
public struct InstructionDecoder {
    /// What is still to be read.
    private var rest: InstructionBytes
    private let length: Int
    private let is64Bit: Bool
    private let defaultOperandSize: Int
    private let defaultAddressSize: Int
    private var rex: UInt8 = 0
    private var hasOperandSizePrefix = false
    private var hasAddressSizePrefix = false
    private var isRepeated = false
    private var segmentOverride: SegmentRegister?
    private var operand = MemoryInstruction.Operand()

    @inline(__always)
    private init(_ bytes: InstructionBytes, _ mode: ProcessorMode) {
        rest = bytes
        length = bytes.count
        is64Bit = mode.is64Bit
        defaultAddressSize = mode.defaultAddressSize
        defaultOperandSize = defaultAddressSize == 2 ? 2 : 4
    }

    /// The instruction at the beginning of `bytes`, or nil if it is not one of those above or not all there.
    public static func decode(_ bytes: InstructionBytes, in mode: ProcessorMode) -> MemoryInstruction? {
        var decoder = InstructionDecoder(bytes, mode)
        return decoder.decode()
    }

    /// The same for a MOV between a general register and memory without prefixes but REX, by far the most frequent: in
    /// place, and so in few instructions. Any other instruction is nil here.
    @inline(__always)
    public static func decodePlainMove(_ bytes: InstructionBytes, in mode: ProcessorMode) -> MemoryInstruction? {
        var decoder = InstructionDecoder(bytes, mode)
        guard let opcode = decoder.nextAfterREX(), opcode & 0xFC == 0x88 else { return nil }
        return decoder.decodeMove(opcode)
    }

    @inline(__always)
    private mutating func next() -> UInt8? {
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
        return opcode == 0x0F ? decodeTwoByte() : decodeOneByte(opcode)
    }

    /// Takes a byte, after a REX prefix if there is one.
    @inline(__always)
    private mutating func nextAfterREX() -> UInt8? {
        guard let first = next() else { return nil }
        guard is64Bit, first & 0xF0 == 0x40 else { return first }
        rex = first
        return next()
    }

    /// 88H to 8BH, MOV between a general register and memory.
    @inline(__always)
    private mutating func decodeMove(_ opcode: UInt8) -> MemoryInstruction? {
        let size = size(opcode)
        guard let register = memoryOperand(registerSize: size) else { return nil }
        return finish(
            opcode & 2 == 0
                ? .store(register: register) : .load(register: register, destinationSize: size, signExtends: false), size)
    }

    /// Whether a byte is a legacy prefix, which is then noted. LOCK changes nothing for a lone virtual CPU; REPNE repeats the
    /// string instructions here as REP does.
    private mutating func takePrefix(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x66: hasOperandSizePrefix = true
        case 0x67: hasAddressSizePrefix = true
        case 0xF3, 0xF2: isRepeated = true
        case 0xF0: break  // one virtual CPU: every access is its own
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

    /// In 64-bit mode the prefixes of ES, CS, SS and DS mean nothing, not even against one of FS or GS before (SDM volume 1,
    /// 3.4.2.1 "Segment Registers in 64-Bit Mode").
    private mutating func overrideSegment(_ register: SegmentRegister) {
        if !is64Bit { segmentOverride = register }
    }

    // MARK: Sizes

    @inline(__always)
    private var operandSize: Int {
        if rex & 8 != 0 { return 8 }
        return hasOperandSizePrefix ? 6 - defaultOperandSize : defaultOperandSize
    }

    @inline(__always)
    private var addressSize: Int {
        guard hasAddressSizePrefix else { return defaultAddressSize }
        return defaultAddressSize == 4 ? 2 : 4
    }

    /// Bit 0 of most opcodes: a byte or the operand size.
    @inline(__always)
    private func size(_ opcode: UInt8) -> Int { opcode & 1 == 0 ? 1 : operandSize }

    // MARK: Opcodes

    private mutating func decodeOneByte(_ opcode: UInt8) -> MemoryInstruction? {
        switch opcode {
        case 0x00...0x3F:
            guard opcode & 7 < 4, let arithmetic = MemoryInstruction.Arithmetic(rawValue: opcode >> 3) else { return nil }
            let size = size(opcode)
            guard let register = memoryOperand(registerSize: size) else { return nil }
            return finish(
                opcode & 2 == 0
                    ? .computeMemory(arithmetic, register: register) : .computeRegister(arithmetic, register: register), size)
        case 0x63:
            guard is64Bit, let register = memoryOperand(registerSize: operandSize) else { return nil }
            return finish(.load(register: register, destinationSize: operandSize, signExtends: true), min(operandSize, 4))
        case 0x80, 0x81, 0x83: return decodeArithmeticImmediate(opcode)
        case 0x84, 0x85:
            let size = size(opcode)
            guard let register = memoryOperand(registerSize: size) else { return nil }
            return finish(.computeMemory(.test, register: register), size)
        case 0x86, 0x87:
            let size = size(opcode)
            guard let register = memoryOperand(registerSize: size) else { return nil }
            return finish(.exchange(register: register), size)
        case 0x88...0x8B: return decodeMove(opcode)
        case 0xA0...0xA3:
            let size = size(opcode)
            guard displacement(addressSize) else { return nil }
            let accumulator = MemoryInstruction.Register(number: 0)
            return finish(
                opcode & 2 == 0
                    ? .load(register: accumulator, destinationSize: size, signExtends: false)
                    : .store(register: accumulator), size)
        case 0xA4, 0xA5: return finish(.moveString, size(opcode))
        case 0xAA, 0xAB: return finish(.storeString, size(opcode))
        case 0xAC, 0xAD: return finish(.loadString, size(opcode))
        case 0xC6, 0xC7:
            let size = size(opcode)
            guard memoryExtension() == 0, let value = immediate(size) else { return nil }
            return finish(.storeImmediate(value), size)
        case 0xF6, 0xF7:
            let size = size(opcode)
            guard let number = memoryExtension(), number < 2, let value = immediate(size) else { return nil }
            return finish(.computeMemoryImmediate(.test, value), size)
        default: return nil
        }
    }

    private mutating func decodeArithmeticImmediate(_ opcode: UInt8) -> MemoryInstruction? {
        let size = size(opcode)
        guard let number = memoryExtension(), let arithmetic = MemoryInstruction.Arithmetic(rawValue: number),
            let value = opcode == 0x83 ? signedByte() : immediate(size)
        else { return nil }
        return finish(.computeMemoryImmediate(arithmetic, value), size)
    }

    private mutating func decodeTwoByte() -> MemoryInstruction? {
        guard let opcode = next() else { return nil }
        switch opcode {
        case 0xB6, 0xB7, 0xBE, 0xBF:
            guard let register = memoryOperand(registerSize: operandSize) else { return nil }
            return finish(
                .load(register: register, destinationSize: operandSize, signExtends: opcode & 8 != 0),
                opcode & 1 == 0 ? 1 : 2)
        default: return nil
        }
    }

    @inline(__always)
    private func finish(_ operation: MemoryInstruction.Operation, _ size: Int) -> MemoryInstruction {
        MemoryInstruction(
            operation: operation, operand: operand, size: size, length: length &- rest.count, addressSize: addressSize, isRepeated: isRepeated,
            segmentOverride: segmentOverride)
    }

    // MARK: ModRM, SIB, displacement, immediate

    /// Passes a ModRM byte that names memory, and all that belongs to it.
    /// - Returns: the register that it names besides.
    @inline(__always)
    private mutating func memoryOperand(registerSize: Int) -> MemoryInstruction.Register? {
        guard let number = memoryExtension() else { return nil }
        // Without REX, byte registers 4 to 7 are AH, CH, DH and BH.
        if registerSize == 1, rex == 0, number >= 4 { return .init(number: number - 4, isHighByte: true) }
        return .init(number: number | rex << 1 & 8)
    }

    /// Passes a ModRM byte that names memory, and all that belongs to it.
    /// - Returns: bits 5:3, or nil if the operand is a register.
    @inline(__always)
    private mutating func memoryExtension() -> UInt8? {
        guard let modRM = next(), modRM < 0xC0 else { return nil }
        let isComplete = !is64Bit && addressSize == 2 ? shortOperand(modRM) : operand(modRM)
        return isComplete ? modRM >> 3 & 7 : nil
    }

    /// The 32-bit and 64-bit forms (SDM volume 2, 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes").
    @inline(__always)
    private mutating func operand(_ modRM: UInt8) -> Bool {
        operand.form = .long
        operand.modRM = modRM
        operand.rex = rex
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
    private mutating func displacement(_ size: Int) -> Bool {
        guard let value = rest.take(size) else { return false }
        let unused = UInt64(truncatingIfNeeded: 64 &- 8 &* size)
        operand.displacement = Int64(bitPattern: value &<< unused) &>> Int64(bitPattern: unused)
        return true
    }

    private mutating func signedByte() -> UInt64? {
        guard let byte = next() else { return nil }
        return UInt64(bitPattern: Int64(Int8(bitPattern: byte)))
    }

    /// A constant of the operand's size; of 8 bytes only 4 are there, extended by their sign.
    private mutating func immediate(_ size: Int) -> UInt64? {
        guard let value = rest.take(min(size, 4)) else { return nil }
        return size == 8 ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value))) : value
    }
}

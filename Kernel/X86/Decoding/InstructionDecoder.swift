/// Decodes the instructions that software uses on devices in memory, by the tables of OpcodeTables.swift (SDM volume 2,
/// chapter 2 "Instruction Format").
///
/// An instruction that it does not know is nil, never a guess.
public struct InstructionDecoder {
    /// What is still to be read.
    private var rest: InstructionBytes
    private let length: Int
    private let is64Bit: Bool
    private let allowsVEX: Bool
    private let defaultOperandSize: Int
    private let defaultAddressSize: Int
    private var rex: UInt8 = 0
    private var hasOperandSizePrefix = false
    private var hasAddressSizePrefix = false
    private var repetition = MemoryInstruction.Repetition.none
    private var isLocked = false
    private var isVEX = false
    private var segmentOverride: SegmentRegister?
    private var operand = MemoryInstruction.Operand()

    @inline(__always)
    private init(_ bytes: InstructionBytes, _ mode: ProcessorMode) {
        rest = bytes
        length = bytes.count
        is64Bit = mode.is64Bit
        allowsVEX = mode != .real && mode != .virtual8086
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
    public static func decodePlainMove(_ bytes: InstructionBytes, in mode: ProcessorMode) -> PlainMove? {
        var decoder = InstructionDecoder(bytes, mode)
        guard let opcode = decoder.nextAfterREX(), opcode & 0xFC == 0x88 else { return nil }
        return decoder.decodePlainMove(opcode)
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
        if opcode == 0x0F { return decodeTwoByte() }
        if opcode & 0xFE == 0xC4 { return decodeVEX(opcode) }
        guard let form = OpcodeTables.oneByte(opcode, is64Bit: is64Bit) else { return nil }
        return decode(form, opcode)
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
    private mutating func decodePlainMove(_ opcode: UInt8) -> PlainMove? {
        let size = size(opcode)
        guard passOperand() else { return nil }
        return PlainMove(isStore: opcode & 2 == 0, size: size, length: length &- rest.count, operand: operand)
    }

    /// Whether a byte is a legacy prefix, which is then noted.
    private mutating func takePrefix(_ byte: UInt8) -> Bool {
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

    /// PUSH and POP have no operand size of 4 in 64-bit mode.
    private var stackOperandSize: Int { is64Bit && operandSize == 4 ? 8 : operandSize }

    // MARK: Opcodes

    private mutating func decode(_ form: OpcodeForm, _ opcode: UInt8) -> MemoryInstruction? {
        switch form {
        case .arithmetic:
            guard let arithmetic = MemoryInstruction.Arithmetic(rawValue: opcode >> 3) else { return nil }
            if opcode & 2 == 0 { return withRegister(size(opcode)) { .computeMemory(arithmetic, .register($0)) } }
            return withRegister(size(opcode)) { .computeRegister(arithmetic, register: $0) }
        case .arithmeticConstant, .arithmeticByte:
            guard let number = memoryExtension(), let arithmetic = MemoryInstruction.Arithmetic(rawValue: number),
                let value = opcode == 0x83 ? signedByte() : immediate(size(opcode))
            else { return nil }
            return finish(.computeMemory(arithmetic, .constant(value)), size(opcode))
        case .test: return withRegister(size(opcode)) { .computeMemory(.test, .register($0)) }
        case .testConstant: return withConstant(opcode) { .computeMemory(.test, .constant($0)) }
        case .move:
            let size = size(opcode)
            if opcode & 2 == 0 { return withRegister(size) { .store(register: $0) } }
            return withRegister(size) { .load(register: $0, destinationSize: size, signExtends: false) }
        case .moveAccumulator: return decodeAccumulatorMove(opcode)
        case .moveConstant: return withConstant(opcode) { .storeImmediate($0) }
        case .moveNonTemporal: return withRegister(max(operandSize, 4)) { .store(register: $0) }
        case .moveExtending(let from, let signed):
            let destinationSize = operandSize
            guard let register = memoryOperand(registerSize: destinationSize) else { return nil }
            return finish(
                .load(register: register, destinationSize: destinationSize, signExtends: signed),
                from ?? min(destinationSize, 4))
        case .moveSwapped:
            if opcode & 1 == 0 { return withRegister(operandSize) { .loadSwapped(register: $0) } }
            return withRegister(operandSize) { .storeSwapped(register: $0) }
        case .moveConditionally:
            return withRegister(operandSize) { .loadConditionally(Condition(opcode), register: $0) }
        case .setCondition: return memoryExtension() == nil ? nil : finish(.storeCondition(Condition(opcode)), 1)
        case .storeSegment:
            guard let number = memoryExtension(), number < 6, let register = SegmentRegister(rawValue: number) else { return nil }
            return finish(.storeSegment(register), 2)
        case .exchange: return withRegister(size(opcode)) { .exchange(register: $0) }
        case .exchangeAdd: return withRegister(size(opcode)) { .exchangeAdd(register: $0) }
        case .compareExchange: return withRegister(size(opcode)) { .compareExchange(register: $0) }
        case .compareExchangePair:
            return memoryExtension() == nil ? nil : finish(.compareExchangePair, rex & 8 != 0 ? 16 : 8)
        case .modify(let modification): return memoryExtension() == nil ? nil : finish(.modify(modification), size(opcode))
        case .shiftByConstant, .shiftByOne, .shiftByCounter: return decodeShift(form, opcode)
        case .testBit:
            let test = MemoryInstruction.BitTest(rawValue: opcode >> 3 & 3) ?? .keep
            return withRegister(operandSize) { .testBit(test, offset: .register($0)) }
        case .testBitConstant:
            guard let number = memoryExtension(), let offset = next() else { return nil }
            return finish(
                .testBit(MemoryInstruction.BitTest(rawValue: number & 3) ?? .keep, offset: .constant(UInt64(offset))),
                operandSize)
        case .countBits(let count): return withRegister(operandSize) { .countBits(count, register: $0) }
        case .multiply: return withRegister(operandSize) { .multiply(register: $0) }
        case .multiplyByConstant, .multiplyByByte:
            guard let register = memoryOperand(registerSize: operandSize),
                let value = opcode == 0x6B ? signedByte() : immediate(operandSize)
            else { return nil }
            return finish(.multiplyByConstant(value, register: register), operandSize)
        case .multiplyAccumulator(let signed):
            return memoryExtension() == nil ? nil : finish(.multiplyAccumulator(isSigned: signed), size(opcode))
        case .push: return memoryExtension() == nil ? nil : finish(.push, stackOperandSize)
        case .pop: return memoryExtension() == nil ? nil : finish(.pop, stackOperandSize)
        case .string(let operation): return finish(operation, size(opcode))
        case .group(let group):
            guard let modRM = rest.first, let member = OpcodeTables.member(modRM >> 3 & 7, of: group) else { return nil }
            return decode(member, opcode)
        }
    }

    /// A ModRM operand in memory and a register.
    private mutating func withRegister(
        _ size: Int, _ operation: (MemoryInstruction.Register) -> MemoryInstruction.Operation
    ) -> MemoryInstruction? {
        guard let register = memoryOperand(registerSize: size) else { return nil }
        return finish(operation(register), size)
    }

    /// A ModRM operand in memory and a constant.
    private mutating func withConstant(
        _ opcode: UInt8, _ operation: (UInt64) -> MemoryInstruction.Operation
    ) -> MemoryInstruction? {
        guard memoryExtension() != nil, let value = immediate(size(opcode)) else { return nil }
        return finish(operation(value), size(opcode))
    }

    private mutating func decodeAccumulatorMove(_ opcode: UInt8) -> MemoryInstruction? {
        guard displacement(addressSize) else { return nil }
        let accumulator = MemoryInstruction.Register(number: 0)
        return finish(
            opcode & 2 == 0
                ? .load(register: accumulator, destinationSize: size(opcode), signExtends: false)
                : .store(register: accumulator), size(opcode))
    }

    private mutating func decodeShift(_ form: OpcodeForm, _ opcode: UInt8) -> MemoryInstruction? {
        guard let number = memoryExtension(), let shift = MemoryInstruction.Shift(rawValue: number) else { return nil }
        let count: MemoryInstruction.Source
        switch form {
        case .shiftByOne: count = .constant(1)
        case .shiftByCounter: count = .register(.init(number: 1))
        default:
            guard let value = next() else { return nil }
            count = .constant(UInt64(value))
        }
        return finish(.shift(shift, count: count), size(opcode))
    }

    private mutating func decodeTwoByte() -> MemoryInstruction? {
        guard var opcode = next() else { return nil }
        let prefix: MandatoryPrefix =
            switch repetition {
            case .whileEqual: .pF3
            case .whileNotEqual: .pF2
            case .none: hasOperandSizePrefix ? .p66 : .none
            }
        let isThreeByte = opcode == 0x38
        if isThreeByte {
            guard let following = next() else { return nil }
            opcode = following
        }
        if let form = isThreeByte ? VectorForm.threeByte(opcode, prefix) : VectorForm.twoByte(opcode, prefix) {
            return decodeVector(form, wide: false, other: 0)
        }
        guard let form = isThreeByte ? OpcodeTables.threeByte(opcode, prefix) : OpcodeTables.twoByte(opcode, prefix)
        else { return nil }
        return decode(form, opcode)
    }

    // MARK: Vector registers

    /// An instruction behind C4H or C5H (SDM volume 2, 2.3.5 "The VEX Prefix"). Outside 64-bit mode these are LES and LDS
    /// unless the next byte is like a ModRM byte of a register.
    private mutating func decodeVEX(_ first: UInt8) -> MemoryInstruction? {
        guard allowsVEX, rex == 0, repetition == .none, !hasOperandSizePrefix, !isLocked, var byte = next() else { return nil }
        if !is64Bit, byte < 0xC0 { return nil }
        var map: UInt8 = 1
        var extensions = ~byte >> 5 & 4
        if first == 0xC4 {
            map = byte & 0x1F
            extensions = ~byte >> 5 & 7
            guard let second = next() else { return nil }
            byte = second
            extensions |= byte >> 4 & 8
        }
        // Outside 64-bit mode there are eight registers, and W means nothing.
        rex = is64Bit ? 0x40 | extensions : 0
        isVEX = true
        let prefix: MandatoryPrefix =
            switch byte & 3 {
            case 0: .none
            case 1: .p66
            case 2: .pF3
            default: .pF2
            }
        let other = ~byte >> 3 & 15
        guard let opcode = next(),
            let form = map == 1 ? VectorForm.twoByte(opcode, prefix) : map == 2 ? VectorForm.threeByte(opcode, prefix) : nil
        else { return nil }
        // Only a load of one half has a third operand; only whole registers are ever wide.
        let isWide = byte & 4 != 0
        let hasOther = !form.isStore && (form.part == .low || form.part == .high)
        guard hasOther || other == 0, !isWide || form.size == .whole else { return nil }
        return decodeVector(form, wide: isWide, other: is64Bit ? other : other & 7)
    }

    private mutating func decodeVector(_ form: VectorForm, wide: Bool, other: UInt8) -> MemoryInstruction? {
        guard let number = memoryExtension() else { return nil }
        let register = number | rex << 1 & 8
        let size =
            switch form.size {
            case .bytes4: 4
            case .bytes8: 8
            case .whole: wide ? 32 : 16
            case .general: rex & 8 != 0 ? 8 : 4
            }
        let move = MemoryInstruction.VectorMove(
            form.part, register: register, other: isVEX ? other : register, isVEX: isVEX)
        return finish(form.isStore ? .storeVector(move) : .loadVector(move), size)
    }

    @inline(__always)
    private func finish(_ operation: MemoryInstruction.Operation, _ size: Int) -> MemoryInstruction {
        MemoryInstruction(
            operation: operation, operand: operand, size: size, length: length &- rest.count, addressSize: addressSize,
            repetition: repetition, isLocked: isLocked, segmentOverride: segmentOverride)
    }

    // MARK: ModRM, SIB, displacement, immediate

    /// Passes a ModRM byte that names memory, and all that belongs to it.
    /// - Returns: the register that it names besides.
    private mutating func memoryOperand(registerSize: Int) -> MemoryInstruction.Register? {
        passOperand() ? operand.register(size: registerSize) : nil
    }

    /// Passes a ModRM byte that names memory, and all that belongs to it.
    /// - Returns: bits 5:3, or nil if the operand is a register.
    private mutating func memoryExtension() -> UInt8? {
        passOperand() ? operand.modRM >> 3 & 7 : nil
    }

    /// Passes a ModRM byte and all that belongs to it.
    /// - Returns: false if the operand is a register, or not all is there.
    @inline(__always)
    private mutating func passOperand() -> Bool {
        guard let modRM = next(), modRM < 0xC0 else { return false }
        operand.rex = rex
        return !is64Bit && addressSize == 2 ? shortOperand(modRM) : operand(modRM)
    }

    /// The 32-bit and 64-bit forms (SDM volume 2, 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes").
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

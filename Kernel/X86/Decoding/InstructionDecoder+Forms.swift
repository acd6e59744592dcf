// From an opcode's form to the instruction.

extension InstructionDecoder {
    mutating func decode(_ form: OpcodeForm, _ opcode: UInt8) -> MemoryInstruction? {
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

    mutating func decodeTwoByte() -> MemoryInstruction? {
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
}

import Text
import Virtualization
import X86

/// An instruction that the decoder knows, in assembly language: "MOV EAX, [RBX+RCX*4-0x8]".
///
/// The decoder does not tell apart what does the same: MOVNTI is a MOV, and a move of a vector has the name of one of its kind.
struct MemoryInstructionText: TextConvertible {
    private let instruction: MemoryInstruction
    private let address: UInt64
    private let mode: ProcessorMode

    init(_ instruction: MemoryInstruction, at address: UInt64, in mode: ProcessorMode) {
        self.instruction = instruction
        self.address = address
        self.mode = mode
    }

    private var size: Int { instruction.size }
    private func register(_ register: MemoryInstruction.Register, _ size: Int) -> RegisterName { .init(register, size: size) }

    func write(to output: inout Line) {
        if instruction.isLocked { output.write("LOCK ") }
        output.write(words)
    }

    private var words: Line {
        let memory = OperandText(instruction, at: address, in: mode)
        let sized: Line = "\(sizeWord) \(memory)"
        switch instruction.operation {
        case .load(let destination, let to, let signed):
            if to == size { return "MOV \(register(destination, to)), \(memory)" }
            return "\(signed ? (size == 4 ? "MOVSXD" : "MOVSX") : "MOVZX") \(register(destination, to)), \(sized)"
        case .loadSwapped(let destination): return "MOVBE \(register(destination, size)), \(memory)"
        case .loadConditionally(let condition, let destination):
            return "CMOV\(condition.name) \(register(destination, size)), \(memory)"
        case .store(let source): return "MOV \(memory), \(register(source, size))"
        case .storeImmediate(let value): return "MOV \(sized), \(constant(value))"
        case .storeSwapped(let source): return "MOVBE \(memory), \(register(source, size))"
        case .storeSegment(let source): return "MOV \(memory), \(source.name)"
        case .storeCondition(let condition): return "SET\(condition.name) \(sized)"
        case .computeRegister(let arithmetic, let destination):
            return "\(arithmetic.name) \(register(destination, size)), \(memory)"
        case .computeMemory(let arithmetic, let source): return "\(arithmetic.name) \(withSource(memory, source))"
        case .modify(let modification): return "\(modification.name) \(sized)"
        case .shift(let shift, .register(let count)): return "\(shift.name) \(sized), \(register(count, 1))"
        case .shift(let shift, .constant(let count)): return "\(shift.name) \(sized), \(count)"
        case .testBit(let test, let offset): return "\(test.name) \(withSource(memory, offset))"
        case .exchange(let other): return "XCHG \(memory), \(register(other, size))"
        case .exchangeAdd(let other): return "XADD \(memory), \(register(other, size))"
        case .compareExchange(let other): return "CMPXCHG \(memory), \(register(other, size))"
        case .compareExchangePair: return size == 16 ? "CMPXCHG16B \(memory)" : "CMPXCHG8B \(memory)"
        case .countBits(let count, let destination): return "\(count.name) \(register(destination, size)), \(memory)"
        case .multiply(let destination): return "IMUL \(register(destination, size)), \(memory)"
        case .multiplyByConstant(let value, let destination):
            return "IMUL \(register(destination, size)), \(memory), \(constant(value))"
        case .multiplyAccumulator(let isSigned): return "\(isSigned ? "IMUL" : "MUL") \(sized)"
        case .push: return "PUSH \(sized)"
        case .pop: return "POP \(sized)"
        case .storeString: return string("STOS")
        case .loadString: return string("LODS")
        case .moveString: return string("MOVS")
        case .compareString: return string("CMPS")
        case .scanString: return string("SCAS")
        case .loadVector(let move):
            let isMerging = move.isVEX && (move.part == .low || move.part == .high)
            if isMerging { return "\(vectorName(move)) XMM\(move.register), XMM\(move.other), \(memory)" }
            return "\(vectorName(move)) \(vectorRegister(move)), \(memory)"
        case .storeVector(let move): return "\(vectorName(move)) \(memory), \(vectorRegister(move))"
        }
    }

    // MARK: Operands

    private var sizeWord: StaticString {
        switch size {
        case 1: "BYTE"
        case 2: "WORD"
        case 4: "DWORD"
        case 8: "QWORD"
        case 16: "XMMWORD"
        default: "YMMWORD"
        }
    }

    /// The bits of a constant that the operand's size holds.
    private func constant(_ value: UInt64) -> Line {
        "\(hex: size >= 8 ? value : value & (1 << UInt64(8 * size) - 1))"
    }

    private func withSource(_ memory: OperandText, _ source: MemoryInstruction.Source) -> Line {
        switch source {
        case .register(let source): "\(memory), \(register(source, size))"
        case .constant(let value): "\(sizeWord) \(memory), \(constant(value))"
        }
    }

    private func string(_ name: StaticString) -> Line {
        var line = Line()
        let compares = instruction.operation == .compareString || instruction.operation == .scanString
        switch instruction.repetition {
        case .none: break
        case .whileEqual: line.write(compares ? "REPE " : "REP ")
        case .whileNotEqual: line.write(compares ? "REPNE " : "REP ")
        }
        line.write(name)
        line.write(byte: size == 1 ? 0x42 : size == 2 ? 0x57 : size == 4 ? 0x44 : 0x51)  // B, W, D, Q
        if let segment = instruction.segmentOverride { line.write(" \(segment.name):" as Line) }
        return line
    }

    // MARK: Vectors

    private func vectorName(_ move: MemoryInstruction.VectorMove) -> Line {
        let name: StaticString =
            switch move.part {
            case .whole: "MOVUPS"
            case .scalar: size == 4 ? "MOVD" : "MOVQ"
            case .low: "MOVLPS"
            case .high: "MOVHPS"
            }
        return move.isVEX ? "V\(name)" : Line(name)
    }

    private func vectorRegister(_ move: MemoryInstruction.VectorMove) -> Line {
        size == 32 ? "YMM\(move.register)" : "XMM\(move.register)"
    }
}

/// The operand in memory: "[FS:RBX+RCX*4-0x8]".
private struct OperandText: TextConvertible {
    private let operand: MemoryInstruction.Operand
    private let segment: SegmentRegister?
    private let addressSize: Int
    /// Where an operand relative to the instruction's end lies.
    private let target: UInt64

    init(_ instruction: MemoryInstruction, at address: UInt64, in mode: ProcessorMode) {
        operand = instruction.operand
        segment = instruction.segmentOverride
        addressSize = instruction.addressSize
        target = address &+ UInt64(instruction.length) &+ UInt64(bitPattern: instruction.operand.displacement)
    }

    private var mask: UInt64 { addressSize == 8 ? .max : 1 << UInt64(8 * addressSize) - 1 }

    func write(to output: inout Line) {
        output.write("[")
        if let segment {
            output.write(segment.name)
            output.write(":")
        }
        if operand.isRIPRelative {
            output.write("REL ")
            output.write(hex: target & mask)
        } else {
            writeSum(to: &output)
        }
        output.write("]")
    }

    private func writeSum(to output: inout Line) {
        if let base = operand.base { output.write(RegisterName(RegisterNumber(base), size: addressSize)) }
        if let index = operand.index {
            if operand.base != nil { output.write("+") }
            output.write(RegisterName(RegisterNumber(index), size: addressSize))
            if operand.scale > 0 {
                output.write("*")
                output.write(decimal: 1 << UInt64(operand.scale))
            }
        }
        let displacement = operand.displacement
        if operand.base == nil, operand.index == nil {
            output.write(hex: UInt64(bitPattern: displacement) & mask)
        } else if displacement != 0 {
            output.write(displacement < 0 ? "-" : "+")
            output.write(hex: displacement.magnitude)
        }
    }
}

// The names that the decoder's operations have in assembly language.

extension Condition {
    var name: StaticString {
        switch number {
        case 0: "O"
        case 1: "NO"
        case 2: "B"
        case 3: "AE"
        case 4: "E"
        case 5: "NE"
        case 6: "BE"
        case 7: "A"
        case 8: "S"
        case 9: "NS"
        case 10: "P"
        case 11: "NP"
        case 12: "L"
        case 13: "GE"
        case 14: "LE"
        default: "G"
        }
    }
}

extension MemoryInstruction.Arithmetic {
    var name: StaticString {
        switch self {
        case .add: "ADD"
        case .or: "OR"
        case .addWithCarry: "ADC"
        case .subtractWithBorrow: "SBB"
        case .and: "AND"
        case .subtract: "SUB"
        case .exclusiveOr: "XOR"
        case .compare: "CMP"
        case .test: "TEST"
        }
    }
}

extension MemoryInstruction.Modification {
    var name: StaticString {
        switch self {
        case .increment: "INC"
        case .decrement: "DEC"
        case .not: "NOT"
        case .negate: "NEG"
        }
    }
}

extension MemoryInstruction.Shift {
    var name: StaticString {
        switch self {
        case .rotateLeft: "ROL"
        case .rotateRight: "ROR"
        case .rotateLeftThroughCarry: "RCL"
        case .rotateRightThroughCarry: "RCR"
        case .left: "SHL"
        case .right: "SHR"
        case .arithmeticRight: "SAR"
        }
    }
}

extension MemoryInstruction.BitTest {
    var name: StaticString {
        switch self {
        case .keep: "BT"
        case .set: "BTS"
        case .reset: "BTR"
        case .complement: "BTC"
        }
    }
}

extension MemoryInstruction.BitCount {
    var name: StaticString {
        switch self {
        case .scanForward: "BSF"
        case .scanReverse: "BSR"
        case .trailingZeros: "TZCNT"
        case .leadingZeros: "LZCNT"
        case .population: "POPCNT"
        }
    }
}

import Testing

@testable import X86

/// What an instruction's text says of it, read without the decoder.
struct Expectation {
    var mode: ProcessorMode
    var words: [Substring]
    var destination = ""
    var source = ""
    var operandText = ""
    var memorySize: Int?
    var override: SegmentRegister?
    var base: UInt8?
    var index: UInt8?
    var scale: UInt8 = 0
    var displacement: Int64 = 0
    var isRIPRelative = false

    static let names: [(size: Int, names: [String])] = [
        (1, ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"] + (8..<16).map { "r\($0)b" }),
        (2, ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"] + (8..<16).map { "r\($0)w" }),
        (4, ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"] + (8..<16).map { "r\($0)d" }),
        (8, ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] + (8..<16).map { "r\($0)" }),
    ]
    static let segments = ["es", "cs", "ss", "ds", "fs", "gs"]

    /// A general register's number and size.
    static func register(_ name: String) -> (MemoryInstruction.Register, size: Int)? {
        if let high = ["ah", "ch", "dh", "bh"].firstIndex(of: name) { return (.init(number: UInt8(high), isHighByte: true), 1) }
        for (size, names) in names {
            if let number = names.firstIndex(of: name) { return (.init(number: UInt8(number)), size) }
        }
        return nil
    }

    static func number(_ text: String) -> Int64? {
        let isNegative = text.hasPrefix("-")
        var digits = text
        if isNegative { digits.removeFirst() }
        guard digits.hasPrefix("0x"), let value = UInt64(digits.dropFirst(2), radix: 16) else { return nil }
        return isNegative ? -Int64(bitPattern: value) : Int64(bitPattern: value)
    }

    init(_ mode: ProcessorMode, _ text: String) {
        self.mode = mode
        let halves = text.split(separator: ",", maxSplits: 1)
        words = halves[0].split(separator: " ")
        source = halves.count > 1 ? halves[1].trimmingBlanks : ""
        if let bracket = text.firstIndex(of: "[") {
            operandText = String(text[text.index(after: bracket)..<text.firstIndex(of: "]")!])
            readOperand()
        }
        for (name, size) in [("byte", 1), ("word", 2), ("dword", 4), ("qword", 8)]
        where words.contains(Substring(name)) || source.hasPrefix(name + " ") {
            memorySize = size
        }
    }

    private mutating func readOperand() {
        var text = operandText
        for prefix in ["qword ", "dword ", "abs "] where text.hasPrefix(prefix) { text.removeFirst(prefix.count) }
        if text.hasPrefix("rel ") { return isRIPRelative = true }
        if let colon = text.firstIndex(of: ":") {
            override = SegmentRegister(rawValue: UInt8(Self.segments.firstIndex(of: String(text[..<colon]))!))
            text = String(text[text.index(after: colon)...])
        }
        for part in text.replacing("-", with: "+-").split(separator: "+") {
            let factors = part.split(separator: "*")
            if let (register, _) = Self.register(String(factors[0])) {
                if factors.count > 1 || base != nil {
                    index = register.number
                    scale = factors.count > 1 ? UInt8(["1", "2", "4", "8"].firstIndex(of: String(factors[1]))!) : 0
                } else {
                    base = register.number
                }
            } else {
                displacement = Self.number(String(part))!
            }
        }
    }
}

extension Substring {
    var trimmingBlanks: String { String(drop { $0 == " " }) }
}

extension Expectation {
    private static let arithmetic: [String: MemoryInstruction.Arithmetic] = [
        "add": .add, "or": .or, "adc": .addWithCarry, "sbb": .subtractWithBorrow, "and": .and, "sub": .subtract,
        "xor": .exclusiveOr, "cmp": .compare, "test": .test,
    ]
    private static let modifications: [String: MemoryInstruction.Modification] = [
        "inc": .increment, "dec": .decrement, "not": .not, "neg": .negate,
    ]
    private static let shifts: [String: MemoryInstruction.Shift] = [
        "rol": .rotateLeft, "ror": .rotateRight, "rcl": .rotateLeftThroughCarry, "rcr": .rotateRightThroughCarry,
        "shl": .left, "shr": .right, "sar": .arithmeticRight,
    ]
    private static let bitTests: [String: MemoryInstruction.BitTest] = [
        "bt": .keep, "bts": .set, "btr": .reset, "btc": .complement,
    ]
    private static let bitCounts: [String: MemoryInstruction.BitCount] = [
        "bsf": .scanForward, "bsr": .scanReverse, "tzcnt": .trailingZeros, "lzcnt": .leadingZeros, "popcnt": .population,
    ]
    private static let strings: [String: MemoryInstruction.Operation] = [
        "stos": .storeString, "lods": .loadString, "movs": .moveString, "cmps": .compareString, "scas": .scanString,
    ]
    private static let conditions = ["o", "no", "b", "nb", "z", "nz", "be", "a", "s", "ns", "p", "np", "l", "nl", "ng", "g"]
    private static let prefixes = ["lock", "rep", "repe", "repne", "a16", "a32"]

    var isLocked: Bool { words.contains("lock") }
    var repetition: MemoryInstruction.Repetition {
        words.contains("rep") || words.contains("repe") ? .whileEqual : words.contains("repne") ? .whileNotEqual : .none
    }

    private func condition(_ mnemonic: String, behind word: String) -> Condition? {
        guard mnemonic.hasPrefix(word) else { return nil }
        return Self.conditions.firstIndex(of: String(mnemonic.dropFirst(word.count))).map { Condition(UInt8($0)) }
    }

    /// The operation and the operand's size that the text means. What the text does not decide, such as the bits of a
    /// constant above the operand, is taken from the decoder.
    func operation(_ decoded: MemoryInstruction) -> (MemoryInstruction.Operation, Int)? {
        let words = words.map(String.init).filter { !Self.prefixes.contains($0) && !Self.segments.contains($0) }
        let mnemonic = words[0]
        let sizes: [Character: Int] = ["b": 1, "w": 2, "d": 4, "q": 8]
        if operandText == "", mnemonic.count == 5, let operation = Self.strings[String(mnemonic.dropLast())] {
            return sizes[mnemonic.last!].map { (operation, $0) }
        }
        if let vector = vectorMove(mnemonic) { return vector }
        if let register = words.count > 1 ? Self.register(words[1]) : nil {
            return intoRegister(mnemonic, register.0, register.size, decoded)
        }
        if let (register, size) = Self.register(source), !(Self.shifts[mnemonic] != nil && source == "cl") {
            return fromRegister(mnemonic, register, size)
        }
        return memorySize.flatMap { onMemory(mnemonic, $0, decoded) } ?? pair(mnemonic)
    }

    /// "mnemonic register, [memory]", with a constant behind it perhaps.
    private func intoRegister(
        _ mnemonic: String, _ register: MemoryInstruction.Register, _ size: Int, _ decoded: MemoryInstruction
    ) -> (MemoryInstruction.Operation, Int)? {
        if let condition = condition(mnemonic, behind: "cmov") {
            return (.loadConditionally(condition, register: register), size)
        }
        if let count = Self.bitCounts[mnemonic] { return (.countBits(count, register: register), size) }
        switch mnemonic {
        case "mov": return (.load(register: register, destinationSize: size, signExtends: false), size)
        case "movzx", "movsx", "movsxd":
            return memorySize.map { (.load(register: register, destinationSize: size, signExtends: mnemonic != "movzx"), $0) }
        case "movbe": return (.loadSwapped(register: register), size)
        case "imul":
            guard let constant = constantBehindMemory else { return (.multiply(register: register), size) }
            guard case .multiplyByConstant(let actual, _) = decoded.operation, agree(actual, constant, size) else { return nil }
            return (.multiplyByConstant(actual, register: register), size)
        default: return Self.arithmetic[mnemonic].map { (.computeRegister($0, register: register), size) }
        }
    }

    /// "mnemonic [memory], register".
    private func fromRegister(
        _ mnemonic: String, _ register: MemoryInstruction.Register, _ size: Int
    ) -> (MemoryInstruction.Operation, Int)? {
        if let test = Self.bitTests[mnemonic] { return (.testBit(test, offset: .register(register)), size) }
        switch mnemonic {
        case "mov", "movnti": return (.store(register: register), size)
        case "movbe": return (.storeSwapped(register: register), size)
        case "xchg": return (.exchange(register: register), size)
        case "xadd": return (.exchangeAdd(register: register), size)
        case "cmpxchg": return (.compareExchange(register: register), size)
        default: return Self.arithmetic[mnemonic].map { (.computeMemory($0, .register(register)), size) }
        }
    }

    /// "mnemonic size [memory]", with a constant, CL or a segment register behind it perhaps.
    private func onMemory(
        _ mnemonic: String, _ size: Int, _ decoded: MemoryInstruction
    ) -> (MemoryInstruction.Operation, Int)? {
        if let condition = condition(mnemonic, behind: "set") { return (.storeCondition(condition), 1) }
        if let modification = Self.modifications[mnemonic] { return (.modify(modification), size) }
        if let segment = Self.segments.firstIndex(of: source) {
            return (.storeSegment(SegmentRegister(rawValue: UInt8(segment))!), size)
        }
        switch mnemonic {
        case "push": return (.push, size)
        case "pop": return (.pop, size)
        case "mul", "imul": return (.multiplyAccumulator(isSigned: mnemonic == "imul"), size)
        default: break
        }
        if let shift = Self.shifts[mnemonic] {
            if source == "cl" { return (.shift(shift, count: .register(.init(number: 1))), size) }
            return Self.number(source).map { (.shift(shift, count: .constant(UInt64($0))), size) }
        }
        guard let value = Self.number(source) else { return nil }
        if let test = Self.bitTests[mnemonic] { return (.testBit(test, offset: .constant(UInt64(value))), size) }
        switch decoded.operation {
        case .storeImmediate(let actual) where mnemonic == "mov" && agree(actual, value, size):
            return (.storeImmediate(actual), size)
        case .computeMemory(let kind, .constant(let actual))
        where Self.arithmetic[mnemonic] == kind && agree(actual, value, size):
            return (.computeMemory(kind, .constant(actual)), size)
        default: return nil
        }
    }

    private func pair(_ mnemonic: String) -> (MemoryInstruction.Operation, Int)? {
        mnemonic == "cmpxchg8b" ? (.compareExchangePair, 8) : mnemonic == "cmpxchg16b" ? (.compareExchangePair, 16) : nil
    }

    /// The constant of a third operand.
    private var constantBehindMemory: Int64? {
        guard let end = source.firstIndex(of: "]"), let comma = source[end...].firstIndex(of: ",") else { return nil }
        return Self.number(Substring(source[source.index(after: comma)...]).trimmingBlanks)
    }

    /// Whether constants agree in the bits of the operand: those above are the decoder's own affair.
    private func agree(_ actual: UInt64, _ wanted: Int64, _ size: Int) -> Bool {
        let unused = UInt64(64 - 8 * size)
        return actual << unused == UInt64(bitPattern: wanted) << unused
    }

    // MARK: Vector registers

    private static func vectorRegister(_ name: String) -> (UInt8, isWide: Bool)? {
        guard name.hasPrefix("xmm") || name.hasPrefix("ymm"), let number = UInt8(name.dropFirst(3)) else { return nil }
        return (number, name.hasPrefix("y"))
    }

    private func vectorMove(_ mnemonic: String) -> (MemoryInstruction.Operation, Int)? {
        let isVEX = mnemonic.hasPrefix("v")
        let name = isVEX ? String(mnemonic.dropFirst()) : mnemonic
        let first = words.last.flatMap { Self.vectorRegister(String($0)) }
        let others = source.split(separator: ",").map { Substring($0).trimmingBlanks }
        guard let register = first ?? others.first.flatMap(Self.vectorRegister) else { return nil }
        let part: MemoryInstruction.VectorMove.Part
        var size = register.isWide ? 32 : 16
        switch name {
        case "movlps", "movlpd": (part, size) = (.low, 8)
        case "movhps", "movhpd": (part, size) = (.high, 8)
        case "movss", "movd": (part, size) = (.scalar, 4)
        case "movsd", "movq": (part, size) = (.scalar, 8)
        default: part = .whole
        }
        let isLoad = first != nil
        let other = isVEX ? (isLoad && others.count > 1 ? Self.vectorRegister(others[0])?.0 ?? 0 : 0) : register.0
        let move = MemoryInstruction.VectorMove(part, register: register.0, other: other, isVEX: isVEX)
        return (isLoad ? .loadVector(move) : .storeVector(move), size)
    }

    // MARK: Address

    /// The size of the address's registers, if it has any.
    var addressSize: Int? {
        for part in operandText.split(whereSeparator: { "+-*: ".contains($0) }) {
            if Self.segments.contains(String(part)) { continue }
            if let (_, size) = Self.register(String(part)) { return size }
        }
        return nil
    }
}

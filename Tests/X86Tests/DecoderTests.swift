import Support
import Testing

@testable import X86

/// What an instruction's text says of it, read without the decoder.
private struct Expectation {
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
        for (name, size) in [("byte", 1), ("word", 2), ("dword", 4), ("qword", 8)] where words.contains(Substring(name)) || source.hasPrefix(name + " ") {
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
    fileprivate var trimmingBlanks: String { String(drop { $0 == " " }) }
}

@Suite struct DecoderTests {
    struct Vector { var mode: ProcessorMode; var place: Int; var bytes: [UInt8]; var text: String }

    static let vectors: [Vector] = decoderVectors.split(separator: "\n").map { line in
        let columns = line.split(separator: " ", maxSplits: 3)
        let digits = Array(columns[2])
        let mode: ProcessorMode = columns[0] == "16" ? .protected16 : columns[0] == "32" ? .protected32 : .long64
        return Vector(
            mode: mode, place: Int(columns[1], radix: 16)!,
            bytes: stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }, text: String(columns[3]))
    }

    static func decode(_ bytes: [UInt8], in mode: ProcessorMode) -> MemoryInstruction? {
        var instruction = InstructionBytes()
        for byte in bytes { instruction.append(byte) }
        return InstructionDecoder.decode(instruction, in: mode)
    }

    @Test func `there are vectors of every mode`() {
        for mode in [ProcessorMode.protected16, .protected32, .long64] { #expect(Self.vectors.filter { $0.mode == mode }.count > 300) }
    }

    @Test func `every vector's operation, registers and sizes are what its text says`() {
        for vector in Self.vectors {
            guard let decoded = Self.decode(vector.bytes, in: vector.mode) else {
                Issue.record("\(vector.text): not decoded")
                continue
            }
            let expected = Expectation(vector.mode, vector.text)
            guard let (operation, size) = Self.operation(expected, decoded) else {
                Issue.record("\(vector.text): the test does not know it")
                continue
            }
            #expect(decoded.operation == operation && decoded.size == size, "\(vector.mode) \(vector.text)")
            #expect(decoded.length == vector.bytes.count, "\(vector.text)")
            #expect(decoded.isString == (expected.operandText == ""), "\(vector.text)")
        }
    }

    @Test func `every vector's operand is what its text says`() {
        for vector in Self.vectors {
            let expected = Expectation(vector.mode, vector.text)
            guard expected.operandText != "", let decoded = Self.decode(vector.bytes, in: vector.mode) else { continue }
            let operand = decoded.operand
            #expect(operand.isRIPRelative == expected.isRIPRelative, "\(vector.text)")
            if expected.isRIPRelative {
                // The label is at the start of the file.
                #expect(operand.displacement == -Int64(vector.place + vector.bytes.count), "\(vector.text)")
                #expect(operand.base == nil && operand.index == nil)
                continue
            }
            // With scale 1 and 16-bit pairs, base and index may change places.
            let isSwapped = expected.scale == 0 && operand.base == expected.index && operand.index == expected.base
            #expect(isSwapped || (operand.base == expected.base && operand.index == expected.index), "\(vector.mode) \(vector.text)")
            #expect(operand.index == nil || operand.scale == expected.scale, "\(vector.text)")
            #expect(operand.displacement == expected.displacement, "\(vector.text)")
            #expect(decoded.segmentOverride == expected.override || expected.override == .ds || expected.override == nil, "\(vector.text)")
            if let override = expected.override, override != .ds { #expect(decoded.segmentOverride == override, "\(vector.text)") }
            let addressSize = Self.addressSize(expected)
            if let addressSize { #expect(decoded.addressSize == addressSize, "\(vector.text)") }
        }
    }

    @Test func `string instructions have their prefixes`() {
        for vector in Self.vectors {
            let words = vector.text.split(separator: " ")
            guard !vector.text.contains("["), let decoded = Self.decode(vector.bytes, in: vector.mode) else { continue }
            #expect(decoded.isRepeated == words.contains("rep"), "\(vector.text)")
            let usual = vector.mode.defaultAddressSize
            #expect(decoded.addressSize == (words.contains("a16") ? 2 : words.contains("a32") ? 4 : usual), "\(vector.text)")
            let override = words.first.flatMap { Expectation.segments.firstIndex(of: String($0)) }
            #expect(decoded.segmentOverride?.rawValue == override.map { UInt8($0) }, "\(vector.text)")
        }
    }

    @Test func `a vector that is cut off anywhere is nil`() {
        for vector in Self.vectors {
            for count in 0..<vector.bytes.count {
                #expect(Self.decode(Array(vector.bytes[..<count]), in: vector.mode) == nil, "\(vector.text), \(count) bytes")
            }
        }
    }

    @Test func `bytes behind an instruction change nothing`() {
        for vector in Self.vectors where vector.bytes.count < 15 {
            #expect(Self.decode(vector.bytes + [0x66], in: vector.mode) == Self.decode(vector.bytes, in: vector.mode), "\(vector.text)")
        }
    }

    @Test func `the quick way for plain moves gives what the whole decoder gives, or nothing`() {
        var count = 0
        for vector in Self.vectors {
            var bytes = InstructionBytes()
            for byte in vector.bytes { bytes.append(byte) }
            guard let quick = InstructionDecoder.decodePlainMove(bytes, in: vector.mode) else { continue }
            count += 1
            #expect(quick == InstructionDecoder.decode(bytes, in: vector.mode), "\(vector.text)")
        }
        #expect(count > 100)
    }

    @Test func `the same bytes decode alike in all modes of one size`() {
        for vector in Self.vectors where vector.mode != .long64 {
            let others: [ProcessorMode] = vector.mode == .protected16 ? [.real, .virtual8086, .compatibility16] : [.compatibility32]
            for mode in others { #expect(Self.decode(vector.bytes, in: mode) == Self.decode(vector.bytes, in: vector.mode)) }
        }
    }

    @Test func `instructions that are not known are nil, never a guess`() {
        let unknown: [[UInt8]] = [
            [0x0F, 0x10, 0x03], [0x0F, 0xC7, 0x0B], [0x0F, 0xB1, 0x0B], [0x0F, 0xC1, 0x0B], [0x0F, 0xA3, 0x03], [0xFF, 0x03],
            [0xFE, 0x0B], [0xD1, 0x23], [0x8F, 0x03], [0x8C, 0x03], [0x8E, 0x03], [0xA6], [0xAE], [0x6C], [0x6E], [0x90], [0xC4, 0xE2, 0x79, 0x18, 0x03],
            [0xF6, 0x13], [0xF7, 0x1B], [0xF7, 0x23], [0xC6, 0x0B, 1], [0xC7, 0x3B, 1, 0, 0, 0], [0x27], [0x3F], [0x04, 1], [0x05, 1, 0, 0, 0], [0x69, 0x03, 1, 0, 0, 0],
            [0x8D, 0x03], [0x62, 0xF1, 0x7C, 0x48, 0x10, 0x03], [0x82, 0x03, 1], [0xE8, 0, 0, 0, 0],
        ]
        for bytes in unknown {
            for mode in [ProcessorMode.real, .protected32, .long64] {
                #expect(Self.decode(bytes + [0, 0, 0, 0], in: mode) == nil, "\(mode) \(bytes)")
            }
        }
    }

    @Test func `register operands are not memory`() {
        for opcode in [0x00, 0x3B, 0x84, 0x86, 0x88, 0x8B, 0xC6, 0xC7, 0xF6, 0x80, 0x83] as [UInt8] {
            for modRM in UInt8(0xC0)...0xFF {
                #expect(Self.decode([opcode, modRM, 0, 0, 0, 0], in: .long64) == nil)
            }
        }
    }

    @Test func `MOVSXD extends a doubleword, and the source has the destination's size if that is a word`() {
        let plain = Self.decode([0x63, 0x03], in: .long64)
        #expect(plain?.size == 4 && plain?.operation == .load(register: .init(number: 0), destinationSize: 4, signExtends: true))
        let short = Self.decode([0x66, 0x63, 0x03], in: .long64)
        #expect(short?.size == 2 && short?.operation == .load(register: .init(number: 0), destinationSize: 2, signExtends: true))
        #expect(Self.decode([0x63, 0x03], in: .protected32) == nil)  // ARPL
    }

    @Test func `a REX prefix counts only right before the opcode`() {
        let decoded = Self.decode([0x48, 0x66, 0x8B, 0x03], in: .long64)
        #expect(decoded?.size == 2 && decoded?.length == 4)
        let both = Self.decode([0x66, 0x48, 0x8B, 0x03], in: .long64)
        #expect(both?.size == 8)
    }

    @Test func `fifteen bytes are the most`() {
        let prefixes = [UInt8](repeating: 0x3E, count: 13)
        #expect(Self.decode(prefixes + [0x8B, 0x03], in: .protected32)?.length == 15)
        #expect(Self.decode(prefixes + [0x3E, 0x8B, 0x03], in: .protected32) == nil)
        #expect(Self.decode([UInt8](repeating: 0x66, count: 15), in: .protected32) == nil)
    }

    @Test func `no bytes make the decoder trap`() {
        var random = FixedSeedGenerator(seed: 7)
        for _ in 0..<100_000 {
            let bytes = (0..<Int(random.next() % 16)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            for mode in [ProcessorMode.real, .protected32, .long64] {
                if let decoded = Self.decode(bytes, in: mode) { #expect(decoded.length <= bytes.count && decoded.length > 0) }
            }
        }
    }

    @Test func `the default segment is SS for bases SP and BP, else DS`() {
        let expected: [(ProcessorMode, [UInt8], SegmentRegister)] = [
            (.protected32, [0x8B, 0x04, 0x24], .ss), (.protected32, [0x8B, 0x45, 0], .ss), (.protected32, [0x8B, 0x03], .ds),
            (.protected16, [0x8B, 0x02], .ss), (.protected16, [0x8B, 0x00], .ds), (.protected16, [0x8B, 0x46, 0], .ss),
            (.protected16, [0x8B, 0x06, 0, 0], .ds), (.protected32, [0x8B, 0x05, 0, 0, 0, 0], .ds), (.protected32, [0x8B, 0x44, 0x2B, 0], .ds),
        ]
        for (mode, bytes, segment) in expected { #expect(Self.decode(bytes, in: mode)?.operand.defaultSegment == segment, "\(bytes)") }
    }

    // MARK: From text to expectation

    private static let arithmetic: [String: MemoryInstruction.Arithmetic] = [
        "add": .add, "or": .or, "adc": .addWithCarry, "sbb": .subtractWithBorrow, "and": .and, "sub": .subtract,
        "xor": .exclusiveOr, "cmp": .compare, "test": .test,
    ]

    private static func operation(
        _ text: Expectation, _ decoded: MemoryInstruction
    ) -> (MemoryInstruction.Operation, Int)? {
        let words = text.words.map(String.init).filter { !["lock", "rep", "a16", "a32"].contains($0) && !Expectation.segments.contains($0) }
        let mnemonic = words[0]
        let sizes: [Character: Int] = ["b": 1, "w": 2, "d": 4, "q": 8]
        for (name, operation) in [("stos", MemoryInstruction.Operation.storeString), ("lods", .loadString), ("movs", .moveString)]
        where mnemonic.hasPrefix(name) && mnemonic.count == 5 && text.operandText == "" {
            return sizes[mnemonic.last!].map { (operation, $0) }
        }
        let register = words.count > 1 ? Expectation.register(words[1]) : nil
        if let (register, size) = register {
            switch mnemonic {
            case "mov": return (.load(register: register, destinationSize: size, signExtends: false), size)
            case "movzx", "movsx", "movsxd":
                return text.memorySize.map { (.load(register: register, destinationSize: size, signExtends: mnemonic != "movzx"), $0) }
            default: return arithmetic[mnemonic].map { (.computeRegister($0, register: register), size) }
            }
        }
        if let (register, size) = Expectation.register(text.source) {
            switch mnemonic {
            case "mov": return (.store(register: register), size)
            case "xchg": return (.exchange(register: register), size)
            default: return arithmetic[mnemonic].map { (.computeMemory($0, register: register), size) }
            }
        }
        guard let value = Expectation.number(text.source), let size = text.memorySize else { return nil }
        // Only the operand's bits of a constant count: those above are the decoder's own affair.
        let mask: UInt64 = size == 8 ? .max : 1 << UInt64(8 * size) - 1
        let wanted = UInt64(bitPattern: value) & mask
        switch decoded.operation {
        case .storeImmediate(let actual) where mnemonic == "mov" && actual & mask == wanted: return (.storeImmediate(actual), size)
        case .computeMemoryImmediate(let kind, let actual) where arithmetic[mnemonic] == kind && actual & mask == wanted:
            return (.computeMemoryImmediate(kind, actual), size)
        default: return (.storeImmediate(wanted), size)
        }
    }

    /// The size of the address's registers, if it has any.
    private static func addressSize(_ text: Expectation) -> Int? {
        for part in text.operandText.split(whereSeparator: { "+-*: ".contains($0) }) {
            if Expectation.segments.contains(String(part)) { continue }
            if let (_, size) = Expectation.register(String(part)) { return size }
        }
        return nil
    }
}

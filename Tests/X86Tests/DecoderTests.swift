import Support
import Testing

@testable import X86

@Suite struct DecoderTests {
    struct Vector { var mode: ProcessorMode; var place: Int; var bytes: [UInt8]; var text: String }

    static let vectors: [Vector] = decoderVectors.split(separator: "\n").map { line in
        let columns = line.split(separator: " ", maxSplits: 3)
        let digits = Array(columns[2])
        let mode: ProcessorMode = columns[0] == "16" ? .protected16 : columns[0] == "32" ? .protected32 : .long64
        return Vector(
            mode: mode, place: Int(columns[1], radix: 16)!,
            bytes: stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! },
            text: String(columns[3]))
    }

    static func decode(_ bytes: [UInt8], in mode: ProcessorMode) -> MemoryInstruction? {
        var instruction = InstructionBytes()
        for byte in bytes { instruction.append(byte) }
        return InstructionDecoder.decode(instruction, in: mode)
    }

    @Test func `there are vectors of every mode`() {
        for mode in [ProcessorMode.protected16, .protected32, .long64] {
            #expect(Self.vectors.filter { $0.mode == mode }.count > 300)
        }
    }

    @Test func `every vector's operation, registers and sizes are what its text says`() {
        for vector in Self.vectors {
            guard let decoded = Self.decode(vector.bytes, in: vector.mode) else {
                Issue.record("\(vector.text): not decoded")
                continue
            }
            let expected = Expectation(vector.mode, vector.text)
            guard let (operation, size) = expected.operation(decoded) else {
                Issue.record("\(vector.text): the test does not know it")
                continue
            }
            #expect(decoded.operation == operation && decoded.size == size, "\(vector.mode) \(vector.text)")
            #expect(decoded.length == vector.bytes.count, "\(vector.text)")
            #expect(decoded.isLocked == expected.isLocked && (!decoded.isLocked || decoded.allowsLock), "\(vector.text)")
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
            #expect(
                isSwapped || (operand.base == expected.base && operand.index == expected.index), "\(vector.mode) \(vector.text)")
            #expect(operand.index == nil || operand.scale == expected.scale, "\(vector.text)")
            #expect(operand.displacement == expected.displacement, "\(vector.text)")
            #expect(
                decoded.segmentOverride == expected.override || expected.override == .ds || expected.override == nil,
                "\(vector.text)")
            if let override = expected.override, override != .ds {
                #expect(decoded.segmentOverride == override, "\(vector.text)")
            }
            let addressSize = expected.addressSize
            if let addressSize { #expect(decoded.addressSize == addressSize, "\(vector.text)") }
        }
    }

    @Test func `string instructions have their prefixes`() {
        for vector in Self.vectors {
            let words = vector.text.split(separator: " ")
            guard !vector.text.contains("["), let decoded = Self.decode(vector.bytes, in: vector.mode) else { continue }
            #expect(decoded.repetition == Expectation(vector.mode, vector.text).repetition, "\(vector.text)")
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
            #expect(
                Self.decode(vector.bytes + [0x66], in: vector.mode) == Self.decode(vector.bytes, in: vector.mode),
                "\(vector.text)")
        }
    }

    @Test func `the quick way for plain moves gives what the whole decoder gives, or nothing`() {
        var count = 0
        for vector in Self.vectors {
            var bytes = InstructionBytes()
            for byte in vector.bytes { bytes.append(byte) }
            guard let quick = InstructionDecoder.decodePlainMove(bytes, in: vector.mode) else { continue }
            count += 1
            let whole = InstructionDecoder.decode(bytes, in: vector.mode)
            let operation: MemoryInstruction.Operation =
                quick.isStore
                ? .store(register: quick.register)
                : .load(register: quick.register, destinationSize: quick.size, signExtends: false)
            #expect(whole?.operation == operation && whole?.size == quick.size, "\(vector.text)")
            #expect(whole?.length == quick.length && whole?.operand == quick.operand, "\(vector.text)")
        }
        #expect(count > 100)
    }

    @Test func `the same bytes decode alike in all modes of one size`() {
        for vector in Self.vectors where vector.mode != .long64 {
            var others: [ProcessorMode] = vector.mode == .protected16 ? [.compatibility16] : [.compatibility32]
            // In real mode there is no VEX prefix.
            if vector.mode == .protected16, !vector.text.hasPrefix("v") { others += [.real, .virtual8086] }
            for mode in others { #expect(Self.decode(vector.bytes, in: mode) == Self.decode(vector.bytes, in: vector.mode)) }
        }
    }

    @Test func `instructions that are not known are nil, never a guess`() {
        let unknown: [[UInt8]] = [
            [0x6C], [0x6E], [0x90], [0x27], [0x3F], [0x04, 1], [0x05, 1, 0, 0, 0], [0x8D, 0x03], [0x82, 0x03, 1],
            [0xE8, 0, 0, 0, 0],
            [0x8E, 0x03], [0x8C, 0x33], [0x8F, 0x0B], [0xFE, 0x13], [0xFF, 0x13], [0xFF, 0x1B], [0xFF, 0x23], [0xFF, 0x3B],
            // SAL, DIV, IDIV
            [0xC6, 0x0B, 1], [0xC7, 0x3B, 1, 0, 0, 0], [0xD0, 0x33], [0xD3, 0x33], [0xC1, 0x33, 1], [0xF6, 0x33], [0xF7, 0x3B],
            // x87, LES, LDS
            [0xD8, 0x03], [0xD9, 0x03], [0xDB, 0x2B], [0xDD, 0x03], [0xDF, 0x2B], [0xC4, 0x03], [0xC5, 0x03], [0x62, 0x03],
            [0x0F, 0x6E, 0x03], [0x0F, 0x7F, 0x03], [0x0F, 0xE7, 0x03], [0x0F, 0xD6, 0x03], [0x0F, 0xF0, 0x03],  // MMX
            [0xF3, 0x0F, 0x12, 0x03], [0xF2, 0x0F, 0x12, 0x03], [0xF3, 0x0F, 0x16, 0x03], [0x0F, 0x58, 0x03], [0x0F, 0xAE, 0x03],
            [0x0F, 0xA5, 0x03], [0x0F, 0xAC, 0x03, 1], [0x0F, 0xBA, 0x1B, 1], [0x0F, 0xC7, 0x33], [0x0F, 0xC7, 0x03],
            [0xF3, 0x0F, 0xC7, 0x33],
            [0x0F, 0xB8, 0x03], [0x66, 0x0F, 0xC3, 0x03], [0xF2, 0x0F, 0x38, 0xF0, 0x03], [0x0F, 0x38, 0x00, 0x03],
            [0x0F, 0x3A, 0x0F, 0x03, 1],
            // vvvv used, L for a scalar
            [0xC4, 0xE2, 0x79, 0x18, 0x03], [0xC5, 0xF9, 0xEF, 0x03], [0xC5, 0xE1, 0x6F, 0x03], [0xC5, 0xFE, 0x10, 0x03, 0x62],
            [0x66, 0xC5, 0xF8, 0x10, 0x03], [0xF2, 0xC5, 0xF8, 0x10, 0x03], [0xF0, 0xC5, 0xF8, 0x10, 0x03],
            [0xC4, 0xE3, 0x79, 0x10, 0x03],
            [0x62, 0xF1, 0x7C, 0x48, 0x10, 0x03], [0x8F, 0xE9, 0x78, 0x10, 0x03],  // EVEX, XOP
        ]
        for bytes in unknown {
            for mode in [ProcessorMode.real, .protected32, .long64] {
                #expect(Self.decode(bytes + [0, 0, 0, 0], in: mode) == nil, "\(mode) \(bytes)")
            }
        }
    }

    @Test func `register operands are not memory`() {
        // Each vector's opcode with a ModRM byte of a register in the place of its own.
        for vector in Self.vectors where vector.text.contains("[ebx]") || vector.text.contains("[rbx]") {
            for modRM in UInt8(0xC0)...0xFF {
                guard let place = vector.bytes.lastIndex(where: { $0 & 0xC7 == 3 }), place > 0 else { continue }
                var bytes = vector.bytes
                bytes[place] = modRM
                // A constant may look like a ModRM byte: the operation then keeps its operand.
                if let decoded = Self.decode(bytes, in: vector.mode) {
                    #expect(decoded.operand.base == 3, "\(vector.text) \(bytes)")
                }
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

    @Test func `no bytes make the decoder trap or read beyond the fifteenth`() {
        var random = FixedSeedGenerator(seed: 7)
        let modes: [ProcessorMode] = [.real, .virtual8086, .protected16, .protected32, .compatibility32, .long64]
        for round in 0..<200_000 {
            var bytes = (0..<Int(random.next() % 20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Half of them begin like something known.
            if round & 1 != 0 {
                bytes = Array(Self.vectors[Int(random.next() % UInt64(Self.vectors.count))].bytes.prefix(3)) + bytes
            }
            let mode = modes[round % modes.count]
            guard let decoded = Self.decode(bytes, in: mode) else { continue }
            #expect(decoded.length <= min(bytes.count, 15) && decoded.length > 0)
            #expect([1, 2, 4, 8, 16, 32].contains(decoded.size))
            // What is behind the instruction does not count, and all of it does.
            #expect(Self.decode(Array(bytes.prefix(decoded.length)), in: mode) == decoded)
            #expect(Self.decode(Array(bytes.prefix(decoded.length - 1)), in: mode) == nil)
        }
    }

    @Test func `MOVQ with REX.W or VEX.W moves 8 bytes, MOVD without them 4`() {
        for (prefix, opcode) in [([0x66, 0x48, 0x0F], 0x6E), ([0x66, 0x49, 0x0F], 0x7E), ([0xC4, 0xE1, 0xF9], 0x6E)]
            as [([UInt8], UInt8)]
        {
            #expect(Self.decode(prefix + [opcode, 0x03], in: .long64)?.size == 8)
        }
        #expect(Self.decode([0xC4, 0xE1, 0x79, 0x6E, 0x03], in: .long64)?.size == 4)
        #expect(Self.decode([0xC4, 0xE1, 0xF9, 0x6E, 0x03], in: .protected32)?.size == 4)
    }

    @Test func `LOCK is noted, and allowed only before what reads and writes memory`() {
        let allowed: [[UInt8]] = [
            [0x01, 0x03], [0x83, 0x03, 1], [0xFF, 0x03], [0xF7, 0x13], [0x87, 0x03], [0x0F, 0xC1, 0x03], [0x0F, 0xAB, 0x03],
            [0x0F, 0xBA, 0x3B, 1], [0x0F, 0xC7, 0x0B],
        ]
        let refused: [[UInt8]] = [
            [0x39, 0x03], [0x03, 0x03], [0x85, 0x03], [0x83, 0x3B, 1], [0x8B, 0x03], [0x89, 0x03], [0x0F, 0xA3, 0x03],
            [0x0F, 0xBA, 0x23, 1], [0xD1, 0x23], [0xA5], [0x0F, 0x10, 0x03], [0xFF, 0x33],
        ]
        for (list, allows) in [(allowed, true), (refused, false)] {
            for bytes in list {
                #expect(
                    Self.decode([0xF0] + bytes, in: .long64).map { $0.isLocked && $0.allowsLock == allows } == true, "\(bytes)")
            }
        }
    }

    @Test func `the default segment is SS for bases SP and BP, else DS`() {
        let expected: [(ProcessorMode, [UInt8], SegmentRegister)] = [
            (.protected32, [0x8B, 0x04, 0x24], .ss), (.protected32, [0x8B, 0x45, 0], .ss), (.protected32, [0x8B, 0x03], .ds),
            (.protected16, [0x8B, 0x02], .ss), (.protected16, [0x8B, 0x00], .ds), (.protected16, [0x8B, 0x46, 0], .ss),
            (.protected16, [0x8B, 0x06, 0, 0], .ds), (.protected32, [0x8B, 0x05, 0, 0, 0, 0], .ds),
            (.protected32, [0x8B, 0x44, 0x2B, 0], .ds),
        ]
        for (mode, bytes, segment) in expected {
            #expect(Self.decode(bytes, in: mode)?.operand.defaultSegment == segment, "\(bytes)")
        }
    }
}

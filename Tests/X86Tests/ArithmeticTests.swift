import Support
import Testing

@testable import X86

/// Arithmetic bit by bit, as a textbook's full adder does it.
private enum BitByBit {
    struct Result: Equatable {
        var value: UInt64
        /// CF, PF, AF, ZF, SF, OF at their places in RFLAGS.
        var flags: UInt64
    }

    static func bits(_ value: UInt64, _ size: Int) -> [Bool] { (0..<8 * size).map { value >> UInt64($0) & 1 != 0 } }

    static func pack(_ bits: [Bool], carry: Bool, adjust: Bool, overflow: Bool) -> Result {
        let value = bits.enumerated().reduce(UInt64(0)) { $0 | ($1.element ? 1 << UInt64($1.offset) : 0) }
        var flags: UInt64 = 0
        if carry { flags |= 1 }
        if bits[..<8].filter({ $0 }).count.isMultiple(of: 2) { flags |= 4 }
        if adjust { flags |= 0x10 }
        if !bits.contains(true) { flags |= 0x40 }
        if bits.last! { flags |= 0x80 }
        if overflow { flags |= 0x800 }
        return Result(value: value, flags: flags)
    }

    static func add(_ a: [Bool], _ b: [Bool], _ carryIn: Bool) -> Result {
        var carry = carryIn, adjust = false, before = false
        var sum: [Bool] = []
        for (index, (x, y)) in zip(a, b).enumerated() {
            before = carry
            sum.append((x != y) != carry)
            carry = (x && y) || (carry && (x || y))
            if index == 3 { adjust = carry }
        }
        return pack(sum, carry: carry, adjust: adjust, overflow: carry != before)
    }

    static func subtract(_ a: [Bool], _ b: [Bool], _ borrowIn: Bool) -> Result {
        var borrow = borrowIn, adjust = false, before = false
        var difference: [Bool] = []
        for (index, (x, y)) in zip(a, b).enumerated() {
            before = borrow
            difference.append((x != y) != borrow)
            borrow = (!x && y) || (borrow && (!x || y))
            if index == 3 { adjust = borrow }
        }
        return pack(difference, carry: borrow, adjust: adjust, overflow: borrow != before)
    }

    static func apply(_ operation: MemoryInstruction.Arithmetic, _ a: UInt64, _ b: UInt64, _ size: Int, carry: Bool) -> Result {
        let x = bits(a, size), y = bits(b, size)
        func each(_ combine: (Bool, Bool) -> Bool) -> Result {
            pack(zip(x, y).map(combine), carry: false, adjust: false, overflow: false)
        }
        switch operation {
        case .add: return add(x, y, false)
        case .addWithCarry: return add(x, y, carry)
        case .subtract, .compare: return subtract(x, y, false)
        case .subtractWithBorrow: return subtract(x, y, carry)
        case .and, .test: return each { $0 && $1 }
        case .or: return each { $0 || $1 }
        case .exclusiveOr: return each { $0 != $1 }
        }
    }
}

@Suite struct ArithmeticTests {
    static let statusFlags: UInt64 = 0x8D5
    static let operations: [MemoryInstruction.Arithmetic] = (0...8).map { .init(rawValue: $0)! }

    @Test(arguments: operations, [1, 2, 4, 8])
    func `results and flags are those of a full adder`(operation: MemoryInstruction.Arithmetic, size: Int) {
        var random = FixedSeedGenerator(seed: UInt64(operation.rawValue) << 8 | UInt64(size))
        let top: UInt64 = 1 << UInt64(8 * size - 1)
        let corners: [UInt64] = [0, 1, 0xF, 0x10, 0x7F, 0x80, 0xFF, top, top - 1, top | 1, .max, .max - 1]
        for round in 0..<600 {
            let a = round < 144 ? corners[round / 12] : random.next()
            let b = round < 144 ? corners[round % 12] : random.next()
            for carry in [false, true] {
                let before = RFlags(rawValue: carry ? 0x4_0703 : 0x4_0FD6)  // other flags set besides
                let (result, flags) = operation.apply(a, b, size: size, flags: before)
                let expected = BitByBit.apply(operation, a, b, size, carry: carry)
                #expect(
                    result == expected.value && flags.rawValue & Self.statusFlags == expected.flags,
                    "\(operation) \(a) \(b) \(size) \(carry)")
                #expect(flags.rawValue & ~Self.statusFlags == before.rawValue & ~Self.statusFlags)
            }
        }
    }

    @Test func `only CMP and TEST keep their destination`() {
        #expect(Self.operations.filter { !$0.writesResult } == [.compare, .test])
    }
}

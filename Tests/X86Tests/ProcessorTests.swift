import Processor
import Support
import Testing

@testable import X86

/// What instructions compute, against this machine's own processor. Flags that the manual leaves undefined are not compared.
@Suite struct ProcessorTests {
    typealias Instruction = (UInt64, UInt64, UInt64) -> processor_result
    static let carry: UInt64 = 1, parity: UInt64 = 4, adjust: UInt64 = 0x10, zero: UInt64 = 0x40, sign: UInt64 = 0x80,
        overflow: UInt64 = 0x800
    static let all: UInt64 = 0x8D5
    static let sizes = [1, 2, 4, 8]

    /// Corners and random values of a size, with flags.
    static func values(_ size: Int, seed: UInt64) -> [(UInt64, UInt64)] {
        var random = FixedSeedGenerator(seed: seed)
        let top: UInt64 = 1 << UInt64(8 * size - 1)
        let mask = top | (top - 1)
        let corners: [UInt64] = [0, 1, 2, 0xF, 0x10, 0x7F, 0x80, 0xFF, top, top - 1, top | 1, mask, mask - 1]
        return (corners + (0..<100).map { _ in random.next() & mask }).flatMap { value in
            [0, all, random.next() & all].map { (value, $0 | 0x202) }
        }
    }

    @Test func `shifts and rotations`() {
        typealias Shift = MemoryInstruction.Shift
        let rows: [(Shift, [Instruction])] = [
            (.rotateLeft, [processor_rol_1, processor_rol_2, processor_rol_4, processor_rol_8]),
            (.rotateRight, [processor_ror_1, processor_ror_2, processor_ror_4, processor_ror_8]),
            (.rotateLeftThroughCarry, [processor_rcl_1, processor_rcl_2, processor_rcl_4, processor_rcl_8]),
            (.rotateRightThroughCarry, [processor_rcr_1, processor_rcr_2, processor_rcr_4, processor_rcr_8]),
            (.left, [processor_shl_1, processor_shl_2, processor_shl_4, processor_shl_8]),
            (.right, [processor_shr_1, processor_shr_2, processor_shr_4, processor_shr_8]),
            (.arithmeticRight, [processor_sar_1, processor_sar_2, processor_sar_4, processor_sar_8]),
        ]
        for (shift, instructions) in rows {
            for (size, instruction) in zip(Self.sizes, instructions) {
                for (value, flags) in Self.values(size, seed: 1) {
                    for count in [0, 1, 2, 7, 8, 9, 15, 16, 17, 18, 27, 31, 32, 33, 63, 64, 65, 255] as [UInt64] {
                        let (result, after) = shift.apply(value, count: count, size: size, flags: RFlags(rawValue: flags))
                        let expected = instruction(value, count, flags)
                        let masked = count & (size == 8 ? 63 : 31)
                        var compared = shift.rawValue >= 4 ? Self.all : Self.all & ~Self.overflow
                        if masked != 1, masked != 0 { compared &= ~Self.overflow }
                        if masked == 1 { compared |= Self.overflow }
                        if masked != 0, shift.rawValue >= 4 { compared &= ~Self.adjust }
                        // CF is undefined when SHL or SHR shifts by the size or more.
                        if (shift == .left || shift == .right), masked >= UInt64(8 * size) { compared &= ~Self.carry }
                        #expect(
                            result == expected.value && (after.rawValue ^ expected.flags) & compared == 0,
                            "\(shift) \(value) \(count) \(size) \(flags)")
                    }
                }
            }
        }
    }

    @Test func `INC, DEC, NOT and NEG`() {
        typealias Modification = MemoryInstruction.Modification
        let rows: [(Modification, [Instruction])] = [
            (.increment, [processor_inc_1, processor_inc_2, processor_inc_4, processor_inc_8]),
            (.decrement, [processor_dec_1, processor_dec_2, processor_dec_4, processor_dec_8]),
            (.not, [processor_not_1, processor_not_2, processor_not_4, processor_not_8]),
            (.negate, [processor_neg_1, processor_neg_2, processor_neg_4, processor_neg_8]),
        ]
        for (modification, instructions) in rows {
            for (size, instruction) in zip(Self.sizes, instructions) {
                for (value, flags) in Self.values(size, seed: 2) {
                    let (result, after) = modification.apply(value, size: size, flags: RFlags(rawValue: flags))
                    let expected = instruction(value, 0, flags)
                    #expect(
                        result == expected.value && (after.rawValue ^ expected.flags) & Self.all == 0,
                        "\(modification) \(value) \(size)")
                }
            }
        }
    }

    @Test func `BT, BTS, BTR and BTC`() {
        typealias Test = MemoryInstruction.BitTest
        let rows: [(Test, [Instruction])] = [
            (.keep, [processor_bt_2, processor_bt_4, processor_bt_8]),
            (.set, [processor_bts_2, processor_bts_4, processor_bts_8]),
            (.reset, [processor_btr_2, processor_btr_4, processor_btr_8]),
            (.complement, [processor_btc_2, processor_btc_4, processor_btc_8]),
        ]
        for (test, instructions) in rows {
            for (size, instruction) in zip([2, 4, 8], instructions) {
                for (value, flags) in Self.values(size, seed: 3) {
                    for offset in [0, 1, 15, 16, 31, 32, 63, 64, 0xFFFF_FFFF] as [UInt64] {
                        let (result, after) = test.apply(value, offset: offset, size: size, flags: RFlags(rawValue: flags))
                        let expected = instruction(value, offset, flags)
                        #expect(
                            result == expected.value && (after.rawValue ^ expected.flags) & (Self.carry | Self.zero) == 0,
                            "\(test) \(value) \(offset) \(size)")
                    }
                }
            }
        }
    }

    @Test func `bit scans and counts`() {
        typealias Count = MemoryInstruction.BitCount
        let rows: [(Count, UInt64, [Instruction])] = [
            (.scanForward, Self.zero, [processor_bsf_2, processor_bsf_4, processor_bsf_8]),
            (.scanReverse, Self.zero, [processor_bsr_2, processor_bsr_4, processor_bsr_8]),
            (.trailingZeros, Self.zero | Self.carry, [processor_tzcnt_2, processor_tzcnt_4, processor_tzcnt_8]),
            (.leadingZeros, Self.zero | Self.carry, [processor_lzcnt_2, processor_lzcnt_4, processor_lzcnt_8]),
            (.population, Self.all, [processor_popcnt_2, processor_popcnt_4, processor_popcnt_8]),
        ]
        for (count, compared, instructions) in rows {
            for (size, instruction) in zip([2, 4, 8], instructions) {
                for (value, flags) in Self.values(size, seed: 4) {
                    let (result, after) = count.apply(value, size: size, flags: RFlags(rawValue: flags))
                    let expected = instruction(0x55, value, flags)
                    #expect(
                        (result ?? 0x55) == expected.value && (after.rawValue ^ expected.flags) & compared == 0,
                        "\(count) \(value) \(size)")
                }
            }
        }
    }

    @Test func `MUL and IMUL`() {
        let rows: [(Bool, [Instruction], [Instruction])] = [
            (
                false, [processor_mul_low_1, processor_mul_low_2, processor_mul_low_4, processor_mul_low_8],
                [processor_mul_high_1, processor_mul_high_2, processor_mul_high_4, processor_mul_high_8]
            ),
            (
                true, [processor_mul_low_1, processor_imul_2, processor_imul_4, processor_imul_8],
                [processor_imul_high_1, processor_imul_high_2, processor_imul_high_4, processor_imul_high_8]
            ),
        ]
        for (isSigned, lows, highs) in rows {
            for (index, size) in Self.sizes.enumerated() {
                let mask: UInt64 = UInt64.max >> UInt64(64 - 8 * size)
                for (a, flags) in Self.values(size, seed: 5) {
                    for (b, _) in Self.values(size, seed: 6).prefix(60) {
                        let product = Multiplication.apply(a, b, isSigned: isSigned, size: size, flags: RFlags(rawValue: flags))
                        let low = lows[index](a, b, flags), high = highs[index](a, b, flags)
                        #expect(
                            product.low == low.value & mask && product.high == high.value & mask
                                && (product.flags.rawValue ^ high.flags) & (Self.carry | Self.overflow) == 0,
                            "\(isSigned) \(a) \(b) \(size)")
                    }
                }
            }
        }
    }

    @Test func `conditions`() {
        for number in UInt8(0)..<16 {
            for combination in UInt64(0)..<64 {
                var flags: UInt64 = 0x202
                for (place, bit) in [Self.carry, Self.parity, Self.adjust, Self.zero, Self.sign, Self.overflow].enumerated() {
                    if combination >> UInt64(place) & 1 != 0 { flags |= bit }
                }
                let holds = processor_condition(number, flags) != 0
                #expect(Condition(number).holds(RFlags(rawValue: flags)) == holds, "\(number) \(flags)")
            }
        }
    }
}

// What instructions compute, and the resulting status flags (SDM volume 1, "Status Flags"). Operands have `size`
// bytes (1, 2, 4 or 8); higher bits do not matter, and are 0 in results.

/// The bits of an operand.
struct OperandBits {
    let count: UInt64
    let mask: UInt64
    let sign: UInt64

    init(size: Int) {
        count = UInt64(truncatingIfNeeded: 8 &* size)
        mask = UInt64.max &>> (64 &- count)
        sign = 1 &<< (count &- 1)
    }
}

extension RFlags {
    /// With PF, ZF and SF set by a result.
    func setting(result: UInt64, _ bits: OperandBits) -> RFlags {
        setting(.parity, to: (result & 0xFF).nonzeroBitCount & 1 == 0)
            .setting(.zero, to: result == 0)
            .setting(.sign, to: result & bits.sign != 0)
    }
}

extension MemoryInstruction.Arithmetic {
    public func apply(_ destination: UInt64, _ source: UInt64, size: Int, flags: RFlags) -> (result: UInt64, flags: RFlags) {
        let bits = OperandBits(size: size)
        let a = destination & bits.mask
        let b = source & bits.mask
        let carryIn: UInt64 = flags.contains(.carry) ? 1 : 0
        var result: UInt64
        var carry = false
        var overflow = false
        var adjust = false
        switch self {
        case .add, .addWithCarry:
            let extra = self == .add ? 0 : carryIn
            result = (a &+ b &+ extra) & bits.mask
            carry = result < a || (extra == 1 && result == a)
            overflow = ~(a ^ b) & (a ^ result) & bits.sign != 0
            adjust = (a ^ b ^ result) & 0x10 != 0
        case .subtract, .subtractWithBorrow, .compare:
            let extra = self == .subtractWithBorrow ? carryIn : 0
            result = (a &- b &- extra) & bits.mask
            carry = a < b || (extra == 1 && a == b)
            overflow = (a ^ b) & (a ^ result) & bits.sign != 0
            adjust = (a ^ b ^ result) & 0x10 != 0
        case .and, .test: result = a & b
        case .or: result = a | b
        case .exclusiveOr: result = a ^ b
        }
        let after =
            flags
            .setting(result: result, bits)
            .setting(.carry, to: carry)
            .setting(.adjust, to: adjust)
            .setting(.overflow, to: overflow)
        return (result, after)
    }
}

extension MemoryInstruction.Modification {
    /// INC and DEC leave CF alone, NOT all flags.
    public func apply(_ value: UInt64, size: Int, flags: RFlags) -> (result: UInt64, flags: RFlags) {
        switch self {
        case .increment, .decrement:
            let arithmetic = self == .increment ? MemoryInstruction.Arithmetic.add : .subtract
            let (result, after) = arithmetic.apply(value, 1, size: size, flags: flags)
            return (result, after.setting(.carry, to: flags.contains(.carry)))
        case .not: return (~value & OperandBits(size: size).mask, flags)
        case .negate: return MemoryInstruction.Arithmetic.subtract.apply(0, value, size: size, flags: flags)
        }
    }
}

extension MemoryInstruction.Shift {
    /// A count of 0 changes no flag. OF is defined only for a count of 1; for others it is computed by the same rule.
    public func apply(_ value: UInt64, count: UInt64, size: Int, flags: RFlags) -> (result: UInt64, flags: RFlags) {
        let bits = OperandBits(size: size)
        let count = count & (size == 8 ? 63 : 31)
        guard count != 0 else { return (value & bits.mask, flags) }
        switch self {
        case .left, .right, .arithmeticRight: return shift(value & bits.mask, count, bits, flags)
        default: return rotate(value & bits.mask, count, bits, flags)
        }
    }

    private func shift(_ value: UInt64, _ count: UInt64, _ bits: OperandBits, _ flags: RFlags) -> (UInt64, RFlags) {
        let result: UInt64
        let carry: Bool
        let overflow: Bool
        switch self {
        case .left:
            result = value << count & bits.mask
            carry = count <= bits.count && value >> (bits.count - count) & 1 != 0
            overflow = (result & bits.sign != 0) != carry
        case .right:
            result = value >> count
            carry = value >> (count - 1) & 1 != 0
            overflow = value & bits.sign != 0
        default:
            let unused = 64 &- bits.count
            let extended = Int64(bitPattern: value &<< unused) &>> Int64(bitPattern: unused)
            result = UInt64(bitPattern: extended >> Int64(count)) & bits.mask
            carry = extended >> Int64(count - 1) & 1 != 0
            overflow = false
        }
        return (
            result,
            flags.setting(result: result, bits).setting(.carry, to: carry).setting(.overflow, to: overflow)
                .setting(.adjust, to: false)
        )
    }

    /// Rotations by a multiple of the width leave the value, but set CF; those through CF rotate one bit more.
    private func rotate(_ value: UInt64, _ count: UInt64, _ bits: OperandBits, _ flags: RFlags) -> (UInt64, RFlags) {
        let top = bits.count - 1
        var result = value
        var carry = flags.contains(.carry)
        switch self {
        case .rotateLeft:
            let places = count & top
            result = places == 0 ? value : (value << places | value >> (bits.count - places)) & bits.mask
            carry = result & 1 != 0
        case .rotateRight:
            let places = count & top
            result = places == 0 ? value : (value >> places | value << (bits.count - places)) & bits.mask
            carry = result & bits.sign != 0
        case .rotateLeftThroughCarry:
            for _ in 0..<count {
                let out = result & bits.sign != 0
                result = (result << 1 | (carry ? 1 : 0)) & bits.mask
                carry = out
            }
        default:
            for _ in 0..<count {
                let out = result & 1 != 0
                result = result >> 1 | (carry ? bits.sign : 0)
                carry = out
            }
        }
        let isLeft = self == .rotateLeft || self == .rotateLeftThroughCarry
        let highest = result & bits.sign != 0
        let overflow = isLeft ? highest != carry : highest != (result & bits.sign >> 1 != 0)
        return (result, flags.setting(.carry, to: carry).setting(.overflow, to: overflow))
    }
}

extension MemoryInstruction.BitTest {
    /// - Parameter offset: only the bits that select a bit of the operand count.
    public func apply(_ value: UInt64, offset: UInt64, size: Int, flags: RFlags) -> (result: UInt64, flags: RFlags) {
        let bit: UInt64 = 1 << (offset & UInt64(8 * size - 1))
        let result =
            switch self {
            case .keep: value
            case .set: value | bit
            case .reset: value & ~bit
            case .complement: value ^ bit
            }
        return (result, flags.setting(.carry, to: value & bit != 0))
    }
}

extension MemoryInstruction.BitCount {
    /// - Returns: no result where the destination keeps its value: BSF and BSR of 0.
    public func apply(_ value: UInt64, size: Int, flags: RFlags) -> (result: UInt64?, flags: RFlags) {
        let bits = OperandBits(size: size)
        let value = value & bits.mask
        let leading = UInt64(value.leadingZeroBitCount) &- (64 &- bits.count)
        let trailing = min(UInt64(value.trailingZeroBitCount), bits.count)
        switch self {
        case .scanForward: return (value == 0 ? nil : trailing, flags.setting(.zero, to: value == 0))
        case .scanReverse: return (value == 0 ? nil : bits.count &- 1 &- leading, flags.setting(.zero, to: value == 0))
        case .trailingZeros:
            return (trailing, flags.setting(.carry, to: value == 0).setting(.zero, to: trailing == 0))
        case .leadingZeros: return (leading, flags.setting(.carry, to: value == 0).setting(.zero, to: leading == 0))
        case .population:
            let cleared = flags.subtracting(.carry | .overflow | .sign | .parity | .adjust)
            return (UInt64(value.nonzeroBitCount), cleared.setting(.zero, to: value == 0))
        }
    }
}

/// MUL and IMUL.
public enum Multiplication {
    /// Both halves of the product, each of operand size. CF and OF say whether the upper half is needed.
    public static func apply(
        _ a: UInt64, _ b: UInt64, isSigned: Bool, size: Int, flags: RFlags
    ) -> (low: UInt64, high: UInt64, flags: RFlags) {
        let bits = OperandBits(size: size)
        let low: UInt64
        let high: UInt64
        if isSigned {
            let unused = 64 &- bits.count
            let x = Int64(bitPattern: a &<< unused) &>> Int64(bitPattern: unused)
            let y = Int64(bitPattern: b &<< unused) &>> Int64(bitPattern: unused)
            let product = x.multipliedFullWidth(by: y)
            low = product.low & bits.mask
            high = (size == 8 ? UInt64(bitPattern: product.high) : product.low &>> bits.count) & bits.mask
        } else {
            let product = (a & bits.mask).multipliedFullWidth(by: b & bits.mask)
            low = product.low & bits.mask
            high = (size == 8 ? product.high : product.low &>> bits.count) & bits.mask
        }
        let extended = isSigned && low & bits.sign != 0 ? bits.mask : 0
        let overflows = high != extended
        return (low, high, flags.setting(.carry, to: overflows).setting(.overflow, to: overflows))
    }
}

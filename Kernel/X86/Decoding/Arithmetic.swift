extension MemoryInstruction.Arithmetic {
    /// The result of the instruction on operands of `size` bytes (1, 2, 4 or 8), and the flags after it (SDM volume 1,
    /// 3.4.3.1 "Status Flags").
    public func apply(_ destination: UInt64, _ source: UInt64, size: Int, flags: RFlags) -> (result: UInt64, flags: RFlags) {
        let bits = UInt64(8 * size)
        let mask: UInt64 = size == 8 ? .max : 1 << bits - 1
        let sign: UInt64 = 1 << (bits - 1)
        let a = destination & mask
        let b = source & mask
        let carryIn: UInt64 = flags.contains(.carry) ? 1 : 0
        var result: UInt64
        var carry = false
        var overflow = false
        var adjust = false
        switch self {
        case .add, .addWithCarry:
            let extra = self == .add ? 0 : carryIn
            result = (a &+ b &+ extra) & mask
            carry = result < a || (extra == 1 && result == a)
            overflow = ~(a ^ b) & (a ^ result) & sign != 0
            adjust = (a ^ b ^ result) & 0x10 != 0
        case .subtract, .subtractWithBorrow, .compare:
            let extra = self == .subtractWithBorrow ? carryIn : 0
            result = (a &- b &- extra) & mask
            carry = a < b || (extra == 1 && a == b)
            overflow = (a ^ b) & (a ^ result) & sign != 0
            adjust = (a ^ b ^ result) & 0x10 != 0
        case .and, .test: result = a & b
        case .or: result = a | b
        case .exclusiveOr: result = a ^ b
        }
        let after = flags
            .setting(.carry, to: carry)
            .setting(.parity, to: (result & 0xFF).nonzeroBitCount & 1 == 0)
            .setting(.adjust, to: adjust)
            .setting(.zero, to: result == 0)
            .setting(.sign, to: result & sign != 0)
            .setting(.overflow, to: overflow)
        return (result, after)
    }
}

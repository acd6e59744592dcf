/// Values for fields that a dump does not have: all zero, all one, then such as registers and addresses have; the same in every run.
struct UnknownFieldFilling {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Enough that every rule which joins two or three unknown fields meets both outcomes.
    static let trials = 300

    private mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func value(of trial: Int) -> UInt64 {
        if trial < 2 { return trial == 0 ? 0 : .max }
        let value = next()
        switch value >> 60 & 7 {
        case 0, 1: return 0
        case 2: return .max
        case 3: return 1 << (value & 63)
        case 4: return value & 0xFF_FFFF_F000
        case 5: return value & 0xFF
        case 6: return ~(1 << (value & 63))
        default: return value
        }
    }
}

/// A condition of SETcc and CMOVcc, by the low four bits of the opcode (SDM volume 1, appendix B "EFLAGS Condition Codes").
public struct Condition: Equatable, Sendable {
    public var number: UInt8
    /// Takes the low four bits.
    public init(_ number: UInt8) { self.number = number & 15 }

    public func holds(_ flags: RFlags) -> Bool {
        let isLess = flags.contains(.sign) != flags.contains(.overflow)
        let holds =
            switch number >> 1 {
            case 0: flags.contains(.overflow)
            case 1: flags.contains(.carry)
            case 2: flags.contains(.zero)
            case 3: flags.intersects(.carry | .zero)
            case 4: flags.contains(.sign)
            case 5: flags.contains(.parity)
            case 6: isLess
            default: isLess || flags.contains(.zero)
            }
        // Bit 0 inverts the condition.
        return holds != (number & 1 != 0)
    }
}

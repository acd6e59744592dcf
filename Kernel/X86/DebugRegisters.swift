/// The debug registers but DR7 (SDM volume 3, "Debug Registers").
public struct DebugRegisters: Equatable, Sendable {
    /// DR0 to DR3.
    public var addresses: [4 of UInt64]
    /// DR6.
    public var status: UInt64

    /// As after reset.
    public init() {
        addresses = [0, 0, 0, 0]
        status = 0xFFFF_0FF0
    }

    public static func == (left: Self, right: Self) -> Bool {
        for number in 0..<4 where left.addresses[number] != right.addresses[number] { return false }
        return left.status == right.status
    }
}

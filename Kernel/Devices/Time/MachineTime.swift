/// A moment in the life of a virtual machine: time-stamp ticks of the processor since the machine was started.
///
/// All devices live by this one clock; it never goes back, whatever the guest writes to its time-stamp counter.
public struct MachineTime: Equatable, Comparable, Sendable {
    public var ticks: UInt64

    public init(_ ticks: UInt64) { self.ticks = ticks }

    /// Later than all others: what is due then never is.
    public static var never: Self { .init(.max) }

    public static func < (left: Self, right: Self) -> Bool { left.ticks < right.ticks }
}

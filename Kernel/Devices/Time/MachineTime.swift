/// A moment in the life of a virtual machine: time-stamp ticks of the processor since the machine was started.
///
/// All devices use this one clock; it never goes back, whatever the guest writes to its time-stamp counter.
public struct MachineTime: Equatable, Comparable, Sendable {
    public var ticks: UInt64

    public init(_ ticks: UInt64) { self.ticks = ticks }

    /// Later than all others: what is due then never comes.
    public static var never: Self { .init(.max) }

    /// The latest time to wait for: what is due later is looked for again then. A sum with any time stamp fits.
    public static var farthest: Self { .init(1 << 62) }

    /// The time that many ticks later; a sum beyond all time never comes.
    @inline(__always)
    public func advanced(by count: UInt64) -> Self {
        let (sum, overflow) = ticks.addingReportingOverflow(count)
        return overflow ? .never : MachineTime(sum)
    }

    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool { left.ticks < right.ticks }
}

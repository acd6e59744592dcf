/// A guest's one-shot timer: an interrupt vector, and the host processor's time stamp when it is due.
public struct HypercallTimer: Equatable, Sendable {
    /// A host time stamp, or the end of time when the timer is not armed.
    public private(set) var deadline: UInt64 = .max
    public private(set) var vector: UInt8 = 0

    public init() {}

    @inline(__always)
    public var isArmed: Bool { deadline != .max }

    public mutating func arm(vector: UInt8, deadline: UInt64) {
        self.vector = vector
        self.deadline = min(deadline, .max - 1)
    }

    /// Moves the deadline along with a clock that stood still.
    public mutating func postpone(by ticks: UInt64) {
        if isArmed { deadline = min(deadline &+ ticks, .max - 1) }
    }

    public mutating func disarm() {
        deadline = .max
    }
}

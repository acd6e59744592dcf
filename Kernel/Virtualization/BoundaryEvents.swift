/// What a guest can meet at the boundary between two instructions, in order of priority (SDM volume 3, table
/// "Priority Among Concurrent Events").
public enum BoundaryEvent: UInt8, Sendable {
    case reset, machineCheck
    /// The T flag of the task-state segment that a task switch loaded.
    case taskSwitchTrap
    case systemManagementInterrupt
    /// INIT.
    case initialize
    /// A single step, or a breakpoint on the data or the port of the instruction before.
    case debugTrap
    case nonMaskableInterrupt
    /// One that RFLAGS.IF masks.
    case interrupt
    /// The first of what the next instruction brings.
    case codeBreakpoint
    case fetchFault, decodingFault, executionFault
}

/// Those of them that are waiting, or blocked.
public struct BoundaryEvents: Equatable, Sendable {
    private var bits: UInt16 = 0

    private init(bits: UInt16) { self.bits = bits }
    public init(_ event: BoundaryEvent) { bits = 1 &<< UInt16(event.rawValue) }

    public static var none: Self { .init(bits: 0) }
    @inline(__always)
    public var isEmpty: Bool { bits == 0 }

    public mutating func insert(_ event: BoundaryEvent, if isSo: Bool = true) {
        if isSo { bits |= Self(event).bits }
    }

    public mutating func remove(_ event: BoundaryEvent) { bits &= ~Self(event).bits }

    public func contains(_ event: BoundaryEvent) -> Bool { bits & Self(event).bits != 0 }

    /// Of those waiting, the one that comes.
    public func first(blocked: BoundaryEvents) -> BoundaryEvent? {
        BoundaryEvent(rawValue: UInt8(truncatingIfNeeded: (bits & ~blocked.bits).trailingZeroBitCount))
    }

    /// Of those waiting, the one that ends HLT: interrupts that are not masked, NMI, SMI, debug traps, INIT, and RESET do;
    /// a halted processor reaches no instruction that could fault (SDM volume 2, "HLT - Halt"; volume 3, "Guest Non-Register
    /// State", on the activity state).
    public func endOfHalt(blocked: BoundaryEvents) -> BoundaryEvent? {
        BoundaryEvents(bits: bits & (Self(.codeBreakpoint).bits &- 1)).first(blocked: blocked)
    }
}

/// How much of a guest's local APIC the processor handles by itself.
public enum InterruptAssistance: UInt8, Comparable, Sendable {
    /// Nothing: every access to the local APIC exits, and CR8 too.
    case none
    /// CR8, and the task priority register where the processor offers that.
    case taskPriority
    /// Reads of registers, end of interrupt, and the delivery of interrupts.
    case delivery

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// How a guest reaches its local APIC.
public enum LocalAPICMode: UInt8, Sendable {
    /// Not at all: it is turned off.
    case disabled
    /// As 4 KiB of memory at its usual place (xAPIC).
    case memory
    /// As memory that the guest has moved elsewhere.
    case movedMemory
    /// As model-specific registers (x2APIC).
    case registers
}

/// Tells the time, when it is asked for: most accesses to devices never do.
public protocol MachineClock {
    @inline(__always) var now: MachineTime { get }
}

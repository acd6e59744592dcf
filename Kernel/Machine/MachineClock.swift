import Devices

/// The machine's clock: the processor's time stamp, counted from the machine's start.
struct MachineClock<Host: HostServices> {
    let host: Host
    /// The time stamp when the machine was started.
    let start: UInt64

    @inline(__always)
    var now: MachineTime { MachineTime(host.timeStamp() &- start) }
}

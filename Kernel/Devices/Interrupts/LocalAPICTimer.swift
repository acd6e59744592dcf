/// The timer of a local APIC (SDM volume 3, 12.5.4 "APIC Timer"). It counts at the frequency of the time stamp, divided.
public struct LocalAPICTimer: Equatable, Sendable {
    public enum Mode: UInt8, Sendable { case oneShot = 0, periodic = 1, deadline = 2, reserved = 3 }

    var mode = Mode.oneShot
    /// When the count reaches zero, or the deadline.
    var expiry = MachineTime.never
    /// The initial count, in machine ticks: the period.
    private var period: UInt64 = 0
    /// The divide configuration, as a shift.
    private var shift: UInt64 = 1
    /// IA32_TSC_DEADLINE as the guest wrote it; 0 when disarmed.
    public private(set) var deadline: UInt64 = 0

    /// A shorter period would leave a guest no time between two interrupts.
    static var shortestPeriod: UInt64 { 2048 }

    var isArmed: Bool { expiry != .never }

    mutating func disarm() {
        expiry = .never
        deadline = 0
    }

    /// Writes the initial count.
    mutating func start(count: UInt32, at time: MachineTime) {
        guard mode == .oneShot || mode == .periodic else { return }
        period = UInt64(count) << shift
        if mode == .periodic { period = max(period, Self.shortestPeriod) }
        expiry = count == 0 ? .never : MachineTime(time.ticks &+ period)
    }

    /// The count that is left.
    func currentCount(at time: MachineTime) -> UInt32 {
        guard mode == .oneShot || mode == .periodic, isArmed, expiry > time else { return 0 }
        let left = (expiry.ticks - time.ticks + (1 << shift - 1)) >> shift
        return UInt32(truncatingIfNeeded: min(left, UInt64(UInt32.max)))
    }

    /// Writes the divide configuration: bits 3, 1 and 0. What is left of a running count goes on at the new rate.
    mutating func setDivide(_ value: UInt32, at time: MachineTime) {
        let new = UInt64((value & 3 | value >> 1 & 4) + 1) & 7
        guard new != shift else { return }
        if mode != .deadline, isArmed {
            let left = UInt64(currentCount(at: time))
            period = max((period >> shift) << new, mode == .periodic ? Self.shortestPeriod : 0)
            expiry = MachineTime(time.ticks &+ (left << new))
        }
        shift = new
    }

    /// A change to or from deadline mode disarms the timer (12.5.4.1 "TSC-Deadline Mode").
    mutating func setMode(_ new: Mode) {
        if new != mode, new == .deadline || mode == .deadline { disarm() }
        mode = new
        if mode == .periodic, isArmed { period = max(period, Self.shortestPeriod) }
    }

    /// Writes IA32_TSC_DEADLINE; another mode than that of deadlines ignores it.
    /// - Parameter moment: the machine time of the deadline.
    mutating func setDeadline(_ value: UInt64, at moment: MachineTime) {
        guard mode == .deadline else { return }
        deadline = value
        expiry = value == 0 ? .never : moment
    }

    /// Goes past the expiry, which has come: the next one is armed, in phase, if there is one.
    mutating func expire(at time: MachineTime) {
        guard mode == .periodic, period != 0 else { return disarm() }
        let missed = (time.ticks &- expiry.ticks) / period
        expiry = MachineTime(expiry.ticks &+ (missed &+ 1) &* period)
    }
}

/// The timer of a local APIC (SDM volume 3, "APIC Timer"). It counts at the frequency of the time stamp,
/// or half of it, divided.
public struct LocalAPICTimer: Equatable, Sendable {
    public enum Mode: UInt8, Sendable { case oneShot = 0, periodic = 1, deadline = 2, reserved = 3 }

    private(set) var mode = Mode.oneShot
    /// When the count reaches zero, or the deadline comes.
    private(set) var expiry = MachineTime.never
    /// The initial-count register, always 0 in modes that do not count.
    private(set) var initialCount: UInt32 = 0
    /// The divide configuration, as a shift, including that of the timer's own clock.
    private var shift: UInt64
    private let clockShift: UInt64
    /// IA32_TSC_DEADLINE as the guest wrote it; 0 when disarmed.
    private(set) var deadline: UInt64 = 0

    /// - Parameter clockShift: 0 for a clock with the time stamp's frequency, 1 for half of it.
    init(clockShift: UInt8 = 0) {
        self.clockShift = UInt64(clockShift)
        shift = 1 + self.clockShift
    }

    /// A shorter period would leave a guest no time between two interrupts: it is extended to this many ticks.
    static var shortestPeriod: UInt64 { 2048 }

    private var isArmed: Bool { expiry != .never }
    private var counts: Bool { mode == .oneShot || mode == .periodic }

    /// The initial count, in machine ticks; not 0 in periodic mode.
    private var period: UInt64 {
        let ticks = UInt64(initialCount) << shift
        return mode == .periodic ? max(ticks, Self.shortestPeriod) : ticks
    }

    private mutating func disarm() {
        expiry = .never
        deadline = 0
    }

    /// Writes the initial count; a mode that does not count ignores it.
    mutating func start(count: UInt32, at time: MachineTime) {
        guard counts else { return }
        initialCount = count
        expiry = count == 0 ? .never : time.advanced(by: period)
    }

    /// The remaining count. A periodic one goes on, whether or not its expiry has been handled.
    func currentCount(at time: MachineTime) -> UInt32 {
        guard counts, isArmed else { return 0 }
        let left: UInt64
        if expiry > time {
            left = expiry.ticks &- time.ticks
        } else {
            guard mode == .periodic else { return 0 }
            left = period &- (time.ticks &- expiry.ticks) % period
        }
        // Rounded up: the count is 0 at the expiry and not before.
        return UInt32(truncatingIfNeeded: min((left &- 1) >> shift &+ 1, UInt64(initialCount)))
    }

    /// Writes the divide configuration: bits 3, 1 and 0. The rest of a running count goes on at the new rate.
    mutating func setDivide(_ value: UInt32, at time: MachineTime) {
        let new = UInt64((value & 3 | value >> 1 & 4) + 1) & 7 + clockShift
        guard new != shift else { return }
        let left = UInt64(currentCount(at: time))
        shift = new
        if counts, isArmed { expiry = time.advanced(by: left << new) }
    }

    /// A change to or from deadline mode disarms the timer ("TSC-Deadline Mode"); the reserved mode does nothing.
    mutating func setMode(_ new: Mode) {
        guard new != mode else { return }
        let counted = counts
        mode = new
        guard !counts || !counted else { return }
        disarm()
        initialCount = 0
    }

    /// Writes IA32_TSC_DEADLINE; any mode other than deadline mode ignores it.
    /// - Parameter moment: the machine time of the deadline.
    @inline(__always)
    mutating func setDeadline(_ value: UInt64, at moment: MachineTime) {
        guard mode == .deadline else { return }
        deadline = value
        expiry = value == 0 ? .never : moment
    }

    /// Goes past the expiry, which has come: the next one, if any, is armed in phase. Those missed meanwhile are lost, like
    /// interrupts of one vector that are not taken.
    @inline(__always)
    mutating func expire(at time: MachineTime) {
        if mode == .periodic { startNextPeriod(at: time) } else { disarm() }
    }

    @inline(never)
    private mutating func startNextPeriod(at time: MachineTime) {
        expiry = time.advanced(by: period &- (time.ticks &- expiry.ticks) % period)
    }
}

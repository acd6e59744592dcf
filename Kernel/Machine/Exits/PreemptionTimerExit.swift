import Devices
import Virtualization
import X86

extension VirtualCPU {
    // The preemption timer ran out: something is due, or Martlet checks on a guest that does not exit by itself.

    /// - Returns: what comes of it for the guest: an event, its end, or nothing.
    @inline(__always)
    mutating func bringAboutWhatIsDue(at now: MachineTime) -> Outcome {
        advanceDevices(to: now)
        if attention.concernsDevices || host.isToldToStop, let ending = attendToDevices() { return .end(ending) }
        attention.remove(.devices)
        let event = eventToInject()
        arm(at: now)
        if let event { return .inject(event) }
        return .resume
    }

    /// Carries out what is due.
    @inline(__always)
    mutating func advanceDevices(to now: MachineTime) {
        guard nextEvent <= now else { return }
        requestTimerInterrupt(at: now)
        if board.pointee.nextEvent <= now {
            board.pointee.advance(to: now)
            followBoard()
        }
    }

    /// The local APIC's timer requests its interrupt if that is due.
    @inline(__always)
    mutating func requestTimerInterrupt(at now: MachineTime) {
        let vector = apic.advance(to: now)
        if vector != 0 { offer(vector) }
    }

    var timerIsDue: Bool {
        @inline(__always) mutating get { timer.isArmed && host.timeStamp() >= timer.deadline }
    }

    @inline(__always)
    mutating func takeTimerInterrupt() -> Event {
        defer { timer.disarm() }
        return .interrupt(timer.vector)
    }

    /// Finds when something is next due, and lets the guest run until then.
    @inline(__always)
    mutating func arm(at now: MachineTime) {
        nextEvent = min(min(apic.nextEvent, board.pointee.nextEvent), .farthest)
        setSlice(at: now)
    }

    /// The same, at the current time.
    @inline(never)
    @_optimize(speed)
    mutating func armNow() { arm(at: clock.now) }

    /// Finds when something is due, and lets the guest run until then.
    @inline(__always)
    public mutating func setSlice(at now: MachineTime) {
        dueMoment = nextEvent.ticks &+ startTime
        if timer.isArmed { heedTimer(at: now) }
        run(at: now.ticks &+ startTime)
    }

    @inline(never)
    @_optimize(speed)
    private mutating func heedTimer(at now: MachineTime) {
        // One that is past and waits for a window comes with it: the preemption timer would exit at once, again and again.
        guard timer.deadline < dueMoment, !isWindowOpen || timer.deadline > now.ticks &+ startTime else { return }
        dueMoment = timer.deadline
    }

    /// Lets the guest run until something is due, but for no longer than a slice.
    ///
    /// The preemption timer counts only the guest's own time (SDM volume 3, "VMX-Preemption Timer"): with a guest that exits
    /// again and again, it would never run out. So every path back into the guest compares the clock with `nextLook`.
    @inline(__always)
    mutating func run(at stamp: UInt64) { run(for: min(slice, dueMoment > stamp ? dueMoment &- stamp : 0)) }

    /// Lets the guest run for that many ticks, but not past the time at which something is due.
    @inline(__always)
    private mutating func run(for ticks: UInt64) {
        if processor.setTimer(ticks: ticks) {
            nextLook = dueMoment &- ticks &+ Self.latenessAllowed
        } else {
            nextLook = dueMoment
            Self.setHostTimer(host, ticks)
        }
    }

    /// How many ticks late the preemption timer may run out because the guest exited since it was set.
    private static var latenessAllowed: UInt64 { 256 }

    /// Whether something is due.
    var isDue: Bool {
        @inline(__always) mutating get { host.timeStamp() >= dueMoment }
    }

    /// Whether the clock must be checked before the guest goes on.
    var isLookDue: Bool {
        @inline(__always) mutating get { host.timeStamp() >= nextLook }
    }

    /// Carries out what is now due, as far as the guest can tell before its next instruction, or sets the timer again.
    @inline(never)
    mutating func lookAtClock() {
        let stamp = host.timeStamp()
        guard stamp < dueMoment else {
            advanceDevices(to: clock.now)
            return attention.insert(.devices)
        }
        let ahead = dueMoment &- stamp
        // A guest that exits often will be back long before; half the time is then enough, and the clock is rarely checked.
        run(for: min(slice, ahead > 4096 ? ahead / 2 : ahead))
    }

    @inline(never)
    private static func setHostTimer(_ host: Host, _ ticks: UInt64) { host.setTimer(ticks: ticks) }
}

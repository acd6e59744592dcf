import Devices
import Virtualization
import X86

extension VirtualCPU {
    // The preemption timer ran out: something is due, or Martlet has its look at a guest that does not exit by itself.

    /// - Returns: what the guest gets of it: an event, its end, or nothing.
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

    /// Brings about what is due.
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

    /// HLT ends at once if something waits that ends it. Without such a thing to come it is the guest's end.
    @inline(__always)
    mutating func halt() -> Outcome {
        // The instruction is over: what blocked events until its end does no longer.
        if !processor.stepPastInstruction() { unmasked.insert(.debugTrap, if: processor.endInstruction()) }
        let takesInterrupts = processor.flags.contains(.interruptEnable)
        // Nearly always interrupts alone can end it, and nothing blocks them.
        if takesInterrupts, unmasked.isEmpty {
            if let event = eventToInject(isOpen: true) {
                setSlice(at: clock.now)
                return .wake(event)
            }
            if virtualInterruptWaits { return .resume }
        } else {
            if let outcome = endOfHalt() { return outcome }
        }
        guard mayWake(takesInterrupts: takesInterrupts) else { return .end(.halted(interruptsEnabled: takesInterrupts)) }
        return .wait
    }

    /// What ends HLT at once, where that may be others than interrupts.
    @inline(never)
    private mutating func endOfHalt() -> Outcome? {
        var waiting = waitingEvents()
        waiting.insert(.interrupt, if: virtualInterruptWaits)
        guard waiting.endOfHalt(blocked: processor.blockedEvents) != nil else { return nil }
        setSlice(at: clock.now)
        guard let event = firstEventToInject() else { return .resume }
        return .wake(event)
    }

    /// An interrupt waits that the processor delivers by itself.
    private var virtualInterruptWaits: Bool {
        @inline(__always) mutating get { apic.isAssisted && apic.pendingVector != 0 }
    }

    /// Whether something may come that ends HLT. With RFLAGS.IF clear, that is an NMI or INIT.
    @inline(__always)
    private mutating func mayWake(takesInterrupts: Bool) -> Bool {
        if takesInterrupts, timer.isArmed || apic.nextEvent != .never { return true }
        return takesInterrupts || apic.passesUnmaskable
            ? board.pointee.awaitsDevice || board.pointee.awaitsInput : board.pointee.awaitsUnmaskable
    }

    /// Waits in root mode for the event that ends HLT, and delivers it; or for the guest's end, which is `pending` then.
    ///
    /// The processor itself is never left in the HLT activity state: see "HLT exiting".
    /// - Returns: false if the host was called away, and the guest sleeps on.
    public mutating func sleep() -> Bool {
        while true {
            let now = clock.now
            attention.insert(.devices)
            switch bringAboutWhatIsDue(at: now) {
            case .inject(let event):
                processor.inject(event)
                if attention.contains(.realMode) { _ = followRealMode() }
                return true
            case .end(let ending):
                end(ending)
                return true
            default: break
            }
            if virtualInterruptWaits, processor.flags.contains(.interruptEnable) { return true }
            if host.isCalledAway { return false }
            host.sleep(until: dueMoment)
        }
    }

    var timerIsDue: Bool {
        @inline(__always) mutating get { timer.isArmed && host.timeStamp() >= timer.deadline }
    }

    @inline(__always)
    mutating func takeTimerInterrupt() -> Event {
        defer { timer.disarm() }
        return .interrupt(timer.vector)
    }

    /// Finds the next moment at which something is due, and lets the guest run until then.
    @inline(__always)
    mutating func arm(at now: MachineTime) {
        nextEvent = min(min(apic.nextEvent, board.pointee.nextEvent), .farthest)
        setSlice(at: now)
    }

    /// The same at this moment.
    @inline(never)
    @_optimize(speed)
    mutating func armNow() { arm(at: clock.now) }

    /// Finds the moment at which something is due, and lets the guest run until then.
    @inline(__always)
    public mutating func setSlice(at now: MachineTime) {
        dueMoment = nextEvent.ticks &+ startTime
        if timer.isArmed { heedTimer(at: now) }
        run(at: now.ticks &+ startTime)
    }

    @inline(never)
    @_optimize(speed)
    private mutating func heedTimer(at now: MachineTime) {
        // One that is past and waits for a window comes with that: the preemption timer would exit at once, again and again.
        guard timer.deadline < dueMoment, !isWindowOpen || timer.deadline > now.ticks &+ startTime else { return }
        dueMoment = timer.deadline
    }

    /// Lets the guest run until something is due, but for no longer than a slice.
    ///
    /// The preemption timer counts the time of the guest alone (SDM volume 3, "VMX-Preemption Timer"): one that exits again and
    /// again would never see a moment come. So every way back into the guest compares the clock with `nextLook`.
    @inline(__always)
    mutating func run(at stamp: UInt64) { run(for: min(slice, dueMoment > stamp ? dueMoment &- stamp : 0)) }

    /// Lets the guest run for so many ticks, no longer than until something is due.
    @inline(__always)
    private mutating func run(for ticks: UInt64) {
        if processor.setTimer(ticks: ticks) {
            nextLook = dueMoment &- ticks &+ Self.latenessAllowed
        } else {
            nextLook = dueMoment
            Self.setHostTimer(host, ticks)
        }
    }

    /// By how many ticks the preemption timer may run out late because the guest exited since it was set.
    private static var latenessAllowed: UInt64 { 256 }

    /// Whether something is due.
    var isDue: Bool {
        @inline(__always) mutating get { host.timeStamp() >= dueMoment }
    }

    /// The clock has to be looked at before the guest goes on.
    var isLookDue: Bool {
        @inline(__always) mutating get { host.timeStamp() >= nextLook }
    }

    /// Brings about what is due by now, as far as the guest can tell before its next instruction, or sets the timer anew.
    @inline(never)
    mutating func lookAtClock() {
        let stamp = host.timeStamp()
        guard stamp < dueMoment else {
            advanceDevices(to: clock.now)
            return attention.insert(.devices)
        }
        let ahead = dueMoment &- stamp
        // A guest that exits often will be back long before; then half the way is enough, and it is looked at seldom.
        run(for: min(slice, ahead > 4096 ? ahead / 2 : ahead))
    }

    @inline(never)
    private static func setHostTimer(_ host: Host, _ ticks: UInt64) { host.setTimer(ticks: ticks) }
}

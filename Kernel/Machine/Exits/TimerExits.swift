import Devices
import Virtualization
import X86

extension VirtualCPU {
    // The preemption timer ran out: something is due, or Martlet has its look at a guest that does not exit by itself.

    @inline(__always)
    mutating func isDue(at now: MachineTime) -> Bool { nextEvent <= now || timerIsDue }

    @inline(__always)
    mutating func goOn(at now: MachineTime) -> Outcome {
        if host.isToldToStop { return .end(.stopped) }
        setSlice(at: now)
        return .resume
    }

    /// - Returns: what the guest gets of it: an event, its end, or nothing.
    @inline(__always)
    mutating func bringAboutWhatIsDue(at now: MachineTime) -> Outcome {
        advanceDevices(to: now)
        if attention.concernsDevices || host.isToldToStop, let ending = attendToDevices() { return .end(ending) }
        attention.remove(.devices)
        let event = interruptToInject()
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

    /// HLT ends when an interrupt can be delivered. Without one to come it is the guest's end.
    @inline(__always)
    mutating func halt() -> Outcome {
        guard processor.flags.contains(.interruptEnable) else { return .end(.halted(interruptsEnabled: false)) }
        if let event = interruptToInject(isOpen: true) {
            setSlice(at: clock.now)
            return .wake(event)
        }
        if apic.isAssisted, apic.pendingVector != 0 { return .step }
        guard timer.isArmed || apic.nextEvent != .never || board.pointee.awaitsDevice || board.pointee.awaitsInput else {
            return .end(.halted(interruptsEnabled: true))
        }
        return .wait
    }

    /// Waits in root mode for the interrupt that ends HLT, and delivers it; or for the guest's end, which is `pending` then.
    ///
    /// The processor itself is never left in the HLT activity state: see "HLT exiting".
    /// - Returns: false if the host was called away, and the guest sleeps on.
    public mutating func sleep() -> Bool {
        while true {
            let now = clock.now
            attention = .devices
            switch bringAboutWhatIsDue(at: now) {
            case .inject(let event):
                processor.inject(event)
                return true
            case .end(let ending):
                end(ending)
                return true
            default: break
            }
            if apic.isAssisted, apic.pendingVector != 0 { return true }
            if host.isCalledAway { return false }
            host.sleep(until: min(timer.deadline, nextEvent == .never ? .max : nextEvent.ticks &+ startTime))
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
        nextEvent = min(apic.nextEvent, board.pointee.nextEvent)
        setSlice(at: now)
    }

    /// The same at this moment.
    @inline(never)
    mutating func armNow() { arm(at: clock.now) }

    /// Lets the guest run until something is due, but for no longer than a slice.
    @inline(__always)
    public mutating func setSlice(at now: MachineTime) {
        var ticks = slice
        if nextEvent != .never { ticks = nextEvent > now ? min(ticks, nextEvent.ticks &- now.ticks) : 0 }
        if timer.isArmed {
            let stamp = now.ticks &+ startTime
            if timer.deadline > stamp {
                ticks = min(ticks, timer.deadline &- stamp)
            } else if !isWindowOpen {
                // One that waits for a window is past: the preemption timer would exit at once, again and again.
                ticks = 0
            }
        }
        run(for: ticks)
    }

    /// Lets the guest run for so many ticks, if nothing else ends that earlier.
    @inline(__always)
    private func run(for ticks: UInt64) {
        if !processor.setTimer(ticks: ticks) { Self.setHostTimer(host, ticks) }
    }

    @inline(never)
    private static func setHostTimer(_ host: Host, _ ticks: UInt64) { host.setTimer(ticks: ticks) }
}

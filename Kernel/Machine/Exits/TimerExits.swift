import Devices
import Virtualization
import X86

extension VirtualCPU {
    /// The preemption timer ran out, and nothing is due ever: Martlet had its look at a guest that does not exit by itself;
    /// the quick way.
    @inline(__always)
    mutating func extendSlice() -> Bool {
        guard !timer.isArmed, nextEvent == .never else { return false }
        run(for: slice)
        return true
    }

    /// The preemption timer ran out, and nothing but the local APIC's timer can be due; the quick way.
    /// - Returns: false if the run loop has something to do.
    @inline(__always)
    public mutating func finishTimer() -> Bool {
        let now = clock.now
        guard board.pointee.nextEvent > now, !timer.isArmed else { return apply(serveTimer()) }
        let vector = apic.advance(to: now)
        arm(at: now)
        return vector == 0 ? true : deliverRequest(vector)
    }

    /// The preemption timer ran out: perhaps something is due.
    @inline(never)
    mutating func serveTimer() -> Outcome {
        let now = clock.now
        advanceDevices(to: now)
        if let ending = demandedEnd { return .end(ending) }
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
        if board.pointee.nextEvent <= now { board.pointee.advance(to: now) }
        if board.pointee.needsAttention { acceptRequests() }
    }

    /// The local APIC's timer requests its interrupt if that is due.
    @inline(__always)
    mutating func requestTimerInterrupt(at now: MachineTime) {
        let vector = apic.advance(to: now)
        guard vector != 0 else { return }
        offer(vector)
        if !apic.isAssisted { board.pointee.needsAttention = true }
    }

    /// HLT ends when an interrupt can be delivered. Without one to come it is the guest's end.
    @inline(never)
    mutating func halt() -> Outcome {
        processor.stepPastInstruction()
        guard processor.flags.contains(.interruptEnable) else { return .end(.halted(interruptsEnabled: false)) }
        if timer.isArmed, apic.highestRequested == 0, !isNonMaskablePending, !board.pointee.requestsExternalInterrupt {
            // The timer alone: the quick way.
            let now = clock.now
            if now.ticks &+ startTime >= timer.deadline {
                if isWindowOpen { closeWindow() }
                let event = takeTimerInterrupt()
                setSlice(at: now)
                return .inject(event)
            }
        }
        if let event = interruptToInject(isOpen: true) {
            setSlice(at: clock.now)
            return .inject(event)
        }
        if apic.isAssisted, apic.pendingVector != 0 { return .resume }
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
            advanceDevices(to: now)
            acceptRequests()
            if let ending = demandedEnd {
                pending = .end(ending)
                return true
            }
            arm(at: now)
            if let event = interruptToInject() {
                processor.inject(event)
                return true
            }
            if apic.isAssisted, apic.pendingVector != 0 { return true }
            if host.isCalledAway { return false }
            host.sleep(until: min(timer.deadline, nextEvent == .never ? .max : nextEvent.ticks &+ startTime))
        }
    }


    var timerIsDue: Bool {
        @inline(__always) mutating get { timer.isArmed && host.timeStamp() >= timer.deadline }
    }

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
        if !processor.setTimer(ticks: ticks) { host.setTimer(ticks: ticks) }
    }
}

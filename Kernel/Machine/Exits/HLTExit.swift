import Devices
import Virtualization
import X86

extension VirtualCPU {
    /// HLT ends at once if something is waiting that ends it. If nothing ever can, the guest has ended.
    @inline(__always)
    mutating func halt() -> Outcome {
        // The instruction is over: what blocked events until its end no longer does.
        if !processor.stepPastInstruction() { unmasked.insert(.debugTrap, if: processor.endInstruction()) }
        let takesInterrupts = processor.flags.contains(.interruptEnable)
        // Nearly always, only interrupts can end it, and nothing blocks them.
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

    /// What ends HLT at once, where that may be something other than an interrupt.
    @inline(never)
    private mutating func endOfHalt() -> Outcome? {
        var waiting = waitingEvents()
        waiting.insert(.interrupt, if: virtualInterruptWaits)
        guard waiting.endOfHalt(blocked: processor.blockedEvents) != nil else { return nil }
        setSlice(at: clock.now)
        guard let event = firstEventToInject() else { return .resume }
        return .wake(event)
    }

    /// An interrupt is waiting that the processor delivers itself.
    var virtualInterruptWaits: Bool {
        @inline(__always) mutating get { apic.isAssisted && apic.pendingVector != 0 }
    }

    /// Whether something may come that ends HLT. With RFLAGS.IF clear, that is an NMI or INIT.
    @inline(__always)
    private mutating func mayWake(takesInterrupts: Bool) -> Bool {
        if takesInterrupts, timer.isArmed || apic.nextEvent != .never { return true }
        return takesInterrupts || apic.passesUnmaskable
            ? board.pointee.awaitsDevice || board.pointee.awaitsInput : board.pointee.awaitsUnmaskable
    }

    /// Waits in root mode for the event that ends HLT, and delivers it; or for the guest's end, which is then `pending`.
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
}

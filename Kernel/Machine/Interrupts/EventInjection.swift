import Devices
import Virtualization

// What Martlet injects at the next VM entry, and how it is notified when the guest can take more.

extension VirtualCPU {
    /// The event to inject at the next VM entry, if one is waiting and the guest can take it; otherwise a window exit says when.
    /// - Parameter isOpen: the guest is known to be able to take an interrupt.
    @inline(__always)
    mutating func eventToInject(isOpen: Bool = false) -> Event? {
        if !unmasked.isEmpty { return firstEventToInject() }
        var event: Event?
        var isWaiting = hasInterrupt
        if isWaiting, isOpen || processor.canTakeInterrupt {
            event = takeInterrupt()
            isWaiting = hasInterrupt
        }
        if isWaiting != isWindowOpen {
            if isWaiting { openWindow() } else { closeWindow() }
        }
        awaitLowerPriority()
        return event
    }

    /// Whether an interrupt is waiting that Martlet has to inject.
    var hasInterrupt: Bool {
        @inline(__always) mutating get {
            apic.highestRequested != 0 || timer.isArmed || board.pointee.requestsExternalInterrupt ? interruptReaches : false
        }
    }

    /// Whether what is requested reaches the virtual CPU now.
    private var interruptReaches: Bool {
        @inline(__always) mutating get {
            (!apic.isAssisted && apic.pendingVector != 0) || timerIsDue || externalInterruptWaits
        }
    }

    /// The 8259 pair requests one, and it reaches the virtual CPU.
    @inline(__always)
    private var externalInterruptWaits: Bool {
        mutating get { board.pointee.requestsExternalInterrupt && (apic.passesExternalInterrupts || takesExternalMessage) }
    }

    @inline(__always)
    private mutating func takeInterrupt() -> Event {
        if timerIsDue { return takeTimerInterrupt() }
        return externalInterruptWaits ? takeExternalInterrupt() : .interrupt(apic.acknowledge())
    }

    @inline(never)
    private mutating func takeExternalInterrupt() -> Event {
        takesExternalMessage = false
        return .interrupt(board.pointee.acknowledgeExternalInterrupt(at: clock.now))
    }

    /// What is waiting now. A debug trap comes by itself, with the next VM entry that injects no event.
    mutating func waitingEvents() -> BoundaryEvents {
        if !processor.isDebugTrapPending { unmasked.remove(.debugTrap) }
        var waiting = unmasked
        waiting.insert(.interrupt, if: hasInterrupt)
        return waiting
    }

    /// The same where more than interrupts is waiting. A window exit tells when what has to wait longer can come: the windows
    /// open after the debug trap, and after what is injected.
    @inline(never)
    mutating func firstEventToInject() -> Event? {
        var event: Event?
        switch waitingEvents().first(blocked: processor.blockedEvents) {
        case .nonMaskableInterrupt:
            unmasked.remove(.nonMaskableInterrupt)
            event = Event(kind: .nonMaskableInterrupt, vector: 2)
        case .interrupt: event = takeInterrupt()
        default: break
        }
        unmasked.remove(.debugTrap)
        processor.requestNonMaskableInterruptWindow(!unmasked.isEmpty)
        if hasInterrupt { openWindow() } else { closeWindow() }
        awaitLowerPriority()
        return event
    }

    /// A requested interrupt of too low a priority comes when the guest lowers its task priority, which the processor then
    /// reports: before the next instruction, and again and again, while the priority is below the threshold that was set.
    @inline(__always)
    private mutating func awaitLowerPriority() {
        if apic.highestRequested | awaitedPriorityClass != 0 { tellAwaitedPriority() }
    }

    @inline(never)
    @_optimize(speed)
    private mutating func tellAwaitedPriority() {
        guard processor.interruptAssistance == .taskPriority else { return }
        let awaited = apic.awaitedPriorityClass
        guard awaited != awaitedPriorityClass else { return }
        awaitedPriorityClass = awaited
        processor.setTaskPriorityThreshold(awaited)
    }

    @inline(never)
    @_optimize(speed)
    mutating func openWindow() {
        processor.requestInterruptWindow(true)
        isWindowOpen = true
    }

    @inline(never)
    @_optimize(speed)
    mutating func closeWindow() {
        processor.requestInterruptWindow(false)
        isWindowOpen = false
    }
}

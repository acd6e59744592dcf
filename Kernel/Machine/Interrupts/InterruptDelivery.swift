import Devices
import Trace
import Virtualization

// From the devices' lines to the guest's IDT.

extension VirtualCPU {
    /// Takes up what the devices ask for.
    /// - Returns: the guest's end, if that is what became of it.
    @inline(never)
    @_optimize(speed)
    mutating func attendToDevices() -> Ending? {
        acceptRequests()
        return demandedEnd
    }

    /// Has the machine's devices looked at before the guest goes on, if an access made that necessary.
    @inline(__always)
    mutating func followBoard() {
        if board.pointee.needsAttention { attention.insert(.devices) }
    }

    /// Takes up what the devices and the machine's own serial line have for the guest.
    @inline(never)
    @_optimize(speed)
    mutating func acceptRequests() {
        passInput()
        followRedirections()
        followLine0()
        while let message = board.pointee.takeMessage() {
            if !accept(message) { board.pointee.refuseMessage() }
        }
        board.pointee.needsAttention = false
    }

    /// A processor that ends interrupts by itself has to be told which ends the I/O APIC waits for.
    @_optimize(speed)
    private mutating func followRedirections() {
        let changes = board.pointee.redirectionChanges
        guard changes != seenRedirectionChanges else { return }
        seenRedirectionChanges = changes
        machine.pointee.callOthers(than: number)
        guard apic.isAssisted else { return }
        var vectors = board.pointee.levelTriggeredVectors()
        if let vector = apic.levelTriggeredVector { vectors.insert(vector) }
        processor.setEndOfInterruptExits(vectors.word0, vectors.word1, vectors.word2, vectors.word3)
    }

    /// The output of the 8259 pair is the local APIC's LINT0.
    private mutating func followLine0() {
        let rises = board.pointee.externalInterruptRises
        let hasRisen = rises != seenExternalRises
        seenExternalRises = rises
        if hasRisen || board.pointee.requestsExternalInterrupt != apic.line0IsHigh { driveLine0(hasRisen: hasRisen) }
    }

    @inline(never)
    private mutating func driveLine0(hasRisen: Bool) {
        take(apic.setLine0(isHigh: board.pointee.requestsExternalInterrupt, hasRisen: hasRisen))
    }

    /// What came in for COM1 goes to the guest's UART, as far as that has room.
    @_optimize(speed)
    private mutating func passInput() {
        while board.pointee.canReceive, let byte = host.receive() { board.pointee.receive(byte) }
    }

    // MARK: Accepting

    /// Takes a message of the I/O APIC's or of this virtual CPU's own local APIC, if it is meant for it, and hands it to the
    /// others that it is meant for.
    /// - Returns: whether anybody accepted it.
    @discardableResult
    mutating func accept(_ message: InterruptMessage, isForSender: Bool = true) -> Bool {
        let isForSender = isForSender && apic.matches(message)
        let delivery = machine.pointee.deliver(
            message, askedBy: number, isForSender: isForSender, priority: apic.processorPriority)
        return delivery.isForSender && acceptHere(message) || delivery.isAccepted
    }

    /// - Returns: whether the local APIC accepted it.
    @discardableResult
    mutating func acceptHere(_ message: InterruptMessage) -> Bool {
        let accepted = apic.accept(message)
        take(accepted)
        return accepted != .none
    }

    /// Does what an interrupt that the local APIC accepted is to this virtual CPU.
    mutating func take(_ accepted: AcceptedInterrupt) {
        switch accepted {
        case .requested(let vector): offer(vector)
        case .nonMaskable:
            unmasked.insert(.nonMaskableInterrupt)
            attention.insert(.interrupts)
        case .initialize:
            isResetPending = true
            attention.insert(.devices)  // the guest's end is looked for with them
        // A start-up IPI is nothing to a virtual CPU that runs; there is no firmware that would serve an SMI.
        case .none, .startup, .systemManagement: break
        case .external:
            takesExternalMessage = true
            attention.insert(.interrupts)
        }
    }

    /// The local APIC requests a vector: a processor that delivers interrupts itself is told.
    @inline(__always)
    mutating func offer(_ vector: UInt8) {
        guard apic.isAssisted else { return attention.insert(.interrupts) }
        processor.requestVirtualInterrupt(vector)
        records.next?.pointee.requestedVector = vector
    }

    // MARK: Delivering

    /// The event that the guest takes at the next VM entry, if one waits and it can; otherwise Martlet is called when it can.
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

    /// Whether an interrupt waits that Martlet has to inject.
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

    /// What waits now. A debug trap comes by itself, with the next VM entry that injects no event.
    mutating func waitingEvents() -> BoundaryEvents {
        if !processor.isDebugTrapPending { unmasked.remove(.debugTrap) }
        var waiting = unmasked
        waiting.insert(.interrupt, if: hasInterrupt)
        return waiting
    }

    /// The same where others than interrupts wait. Who has to wait longer is called when it can come: the windows open behind
    /// the debug trap, and behind what is injected.
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

    /// The guest can take a non-maskable interrupt now.
    @inline(__always)
    mutating func openNonMaskableInterruptWindow() -> Outcome {
        if let event = firstEventToInject() { return .inject(event) }
        return .resume
    }

    /// A requested interrupt of too low a priority comes when the guest lowers its task priority, which the processor then
    /// reports; before the next instruction, and again and again, while the priority is below the threshold that it was told.
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

    /// The guest can take an interrupt now, and one was waiting.
    @inline(__always)
    mutating func openInterruptWindow() -> Outcome {
        isWindowOpen = true
        guard let event = eventToInject() else { return .resume }
        setSlice(at: clock.now)
        return .inject(event)
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

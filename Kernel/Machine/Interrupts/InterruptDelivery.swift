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
}

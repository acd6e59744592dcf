import Devices
import Trace
import Virtualization

// From the devices' lines to the guest's IDT.

extension VirtualCPU {
    /// Handles what the devices ask for.
    /// - Returns: the guest's end, if that is what became of it.
    @inline(never)
    @_optimize(speed)
    mutating func attendToDevices() -> Ending? {
        acceptRequests()
        return demandedEnd
    }

    /// Makes sure the machine's devices get attention before the guest goes on, if an access made that necessary.
    @inline(__always)
    mutating func followBoard() {
        if board.pointee.needsAttention { attention.insert(.devices) }
    }

    /// Handles what the devices and the machine's own serial line have for the guest.
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

    /// A processor that ends interrupts itself must be told which ends the I/O APIC is waiting for.
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

    /// Passes input for COM1 to the guest's UART, as far as that has room.
    @_optimize(speed)
    private mutating func passInput() {
        while board.pointee.canReceive, let byte = host.receive() { board.pointee.receive(byte) }
    }

    // MARK: Accepting

    /// Takes a message from the I/O APIC or this virtual CPU's own local APIC, if it is a destination, and hands it to the other
    /// destinations.
    /// - Returns: whether any accepted it.
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

    /// Does what an interrupt accepted by the local APIC means for this virtual CPU.
    mutating func take(_ accepted: AcceptedInterrupt) {
        switch accepted {
        case .requested(let vector): offer(vector)
        case .nonMaskable:
            unmasked.insert(.nonMaskableInterrupt)
            attention.insert(.interrupts)
        case .initialize:
            isResetPending = true
            attention.insert(.devices)  // the guest's end is checked with them
        // A start-up IPI does nothing to a running virtual CPU; there is no firmware to serve an SMI.
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

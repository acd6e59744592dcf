import Virtualization
import X86

// Events that Martlet injects, and those whose delivery an exit interrupted (APM volume 2, "Event Injection" and "Intercepts
// During IDT Interrupt Delivery").

extension SVMProcessor {
    @inline(__always)
    public func inject(_ event: Event) {
        event.kind == .externalInterrupt ? injectInterrupt(event.vector) : injectException(event)
    }

    @inline(never)
    private func injectException(_ event: Event) {
        if context.pointee.expectsInstruction { withdrawStep() }
        dropTraps()
        var errorCode: UInt32?
        switch event.kind {
        case .exception:
            // In real mode no exception pushes an error code.
            errorCode = vmcb[.cr0].contains(.protectionEnable) ? event.errorCode : nil
            // RF is pushed set for a fault, so that its handler returns past a breakpoint on the instruction. A debug exception,
            // which may be a trap, goes on with RF as its exit saved it.
            if event.vector != ExceptionVector.debug.number { vmcb[.rflags] = vmcb[.rflags] | .resume }
        case .nonMaskableInterrupt: beginHandler()
        default: inject(behind: UInt64(event.instructionLength))
        }
        vmcb[.eventInjection] = SVMEvent(kind: .init(event.kind), vector: event.vector, errorCode: errorCode)
        // An event comes between two instructions or is raised by one that was reached: what blocked events is over.
        endBlocking()
    }

    /// The handler of a software event returns behind the instruction. Where the processor looks for that, in RIP or in nRIP, is
    /// not the same for all.
    private func inject(behind length: UInt64) {
        let next = vmcb[.rip] &+ length
        vmcb[.rip] = next
        vmcb[.nextRIP] = next
        context.pointee.injected = InjectedInstruction(length: length, end: next)
        context.pointee.isUnsettled = true
    }

    /// The event was delivered, or its delivery was interrupted: then RIP is the instruction's again.
    func settleInjection() {
        let injected = context.pointee.injected
        context.pointee.injected = InjectedInstruction()
        guard injected.length != 0, isDeliveringEvent, vmcb[.rip] == injected.end else { return }
        vmcb[.rip] = injected.end &- injected.length
        context.pointee.injected.interruptedLength = injected.length
    }

    /// No interrupt comes while events are blocked, so no blocking has to end.
    @inline(__always)
    public func injectInterrupt(_ vector: UInt8) {
        if context.pointee.expectsInstruction { withdrawStep() }
        vmcb[.eventInjection] = SVMEvent(kind: .interrupt, vector: vector)
    }

    @inline(__always)
    public var isDeliveringEvent: Bool { vmcb[.exitIntInfo].isValid }

    /// Of the exceptions of instructions, INT3 and INTO are told by their vectors; INT1, which exits, is one that was injected.
    public var interruptedEvent: Event? {
        let event = vmcb[.exitIntInfo]
        guard event.isValid else { return nil }
        let wasInjected = context.pointee.injected.interruptedLength != 0
        let kind: Event.Kind
        switch event.kind {
        case .interrupt: kind = .externalInterrupt
        case .nonMaskableInterrupt: kind = .nonMaskableInterrupt
        case .softwareInterrupt: kind = .softwareInterrupt
        default:
            switch ExceptionVector(event.vector) {
            case .breakpoint, .overflow: kind = .softwareException
            case .debug where wasInjected: kind = .privilegedSoftwareException
            default: kind = .exception
            }
        }
        return Event(
            kind: kind, vector: event.vector, errorCode: event.hasErrorCode ? event.errorCode : nil,
            instructionLength: kind.isSoftware ? interruptedLength(event) : 0)
    }

    /// The length of the instruction at RIP that raised an event; nRIP does not have it.
    private func interruptedLength(_ event: SVMEvent) -> UInt8 {
        let known = context.pointee.injected.interruptedLength
        if known != 0 { return UInt8(truncatingIfNeeded: known) }
        guard let instruction = decodeInstruction() else { return 0 }
        let isOfEvent =
            switch instruction.kind {
            case .softwareInterrupt: event.kind == .softwareInterrupt && instruction.vector == event.vector
            case .breakpoint: event.vector == ExceptionVector.breakpoint.number
            case .overflow: event.vector == ExceptionVector.overflow.number
            default: false
            }
        return isOfEvent ? UInt8(truncatingIfNeeded: instruction.length) : 0
    }

    @inline(__always)
    public var canTakeInterrupt: Bool {
        vmcb[.rflags].contains(.interruptEnable) && !vmcb[.interruptShadow].contains(.shadow) && !vmcb[.eventInjection].isValid
    }

    @inline(never)
    public var blockedEvents: BoundaryEvents {
        let injects = vmcb[.eventInjection].isValid
        var blocked = BoundaryEvents.none
        blocked.insert(.debugTrap, if: injects && !isDebugTrapPending)
        blocked.insert(.nonMaskableInterrupt, if: !canTakeNonMaskableInterrupt)
        blocked.insert(.interrupt, if: !canTakeInterrupt)
        return blocked
    }

    /// A virtual interrupt of the highest priority, which is never taken: the exit comes before (APM volume 2, "Injecting Virtual
    /// (INTR) Interrupts").
    @inline(never)
    public func requestInterruptWindow(_ wanted: Bool) {
        let window: VirtualInterruptControl = .request | .ignoresTaskPriority | .highestPriority
        vmcb[.virtualInterrupts] =
            wanted ? vmcb[.virtualInterrupts] | window : vmcb[.virtualInterrupts].subtracting(window)
        vmcb.setIntercept(.virtualInterrupt, to: wanted)
    }

    /// The low half, which has all but the error code.
    public var entryEvent: UInt32 {
        let event = vmcb[.eventInjection]
        return event.isValid ? UInt32(truncatingIfNeeded: event.rawValue) : 0
    }

    /// The event that the next VMRUN was to inject, which it does not any more.
    public func takeEvent() -> Event? {
        let event = vmcb[.eventInjection]
        guard event.isValid else { return nil }
        dropTraps()
        vmcb[.eventInjection] = .none
        let kind: Event.Kind =
            switch event.kind {
            case .interrupt: .externalInterrupt
            case .nonMaskableInterrupt: .nonMaskableInterrupt
            case .softwareInterrupt: .softwareInterrupt
            default: .exception
            }
        return Event(kind: kind, vector: event.vector, errorCode: event.hasErrorCode ? event.errorCode : nil)
    }

    public func blockInterrupts() { vmcb[.interruptShadow] = vmcb[.interruptShadow] | .shadow }
}

extension VirtualInterruptControl {
    /// V_INTR_PRIO.
    fileprivate static var highestPriority: Self { .init(rawValue: 15 << 16) }
}

extension SVMEvent.Kind {
    /// INT1, INT3 and INTO raise exceptions like others.
    init(_ kind: Event.Kind) {
        self =
            switch kind {
            case .externalInterrupt: .interrupt
            case .nonMaskableInterrupt: .nonMaskableInterrupt
            case .exception, .softwareException, .privilegedSoftwareException: .exception
            case .softwareInterrupt: .softwareInterrupt
            }
    }
}

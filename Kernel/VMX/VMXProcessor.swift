import Memory
import Virtualization
import X86

/// A virtual CPU on VMX. It is the current VMCS, and a few constants that are expensive to read from it.
///
/// It is one pointer wide, so that the exit path passes it in a register.
public struct VMXProcessor<Access: VMCSAccess>: ProcessorBackend {
    public let vmcs: VMCS<Access>
    let constants: UnsafePointer<VMXConstants>

    /// - Parameter constants: must stay where they are as long as the virtual CPU lives.
    public init(_ access: Access, _ constants: UnsafePointer<VMXConstants>) {
        vmcs = VMCS(access)
        self.constants = constants
    }

    var cr0Fixed: FixedBits<ControlRegister0> { constants.pointee.cr0Fixed }
    var cr4Fixed: FixedBits<ControlRegister4> { constants.pointee.cr4Fixed }
    var reportsStringIODetails: Bool { constants.pointee.reportsStringIODetails }

    public static func name(ofReason number: UInt32) -> StaticString {
        ExitReason(rawValue: number).name
    }

    @inline(__always)
    public var exitReasonNumber: UInt32 { vmcs[.exitReason].rawValue }

    // MARK: Stepping

    public var instructionLength: UInt8 { UInt8(truncatingIfNeeded: vmcs[.exitInstructionLength]) }

    /// SDM volume 3, "Changes to Instruction Behavior in VMX Non-Root Operation" leaves the whole of the
    /// instruction's effect to the hypervisor, its end included.
    @inline(__always)
    public func stepPastInstruction() -> Bool {
        advance(by: UInt64(vmcs[.exitInstructionLength]), vmcs[.guestRFLAGS])
    }

    /// A nested page fault is saved as a fault pushes it, with RF set, which the instruction then uses up (SDM volume 3,
    /// "Saving RIP, RSP, RFLAGS, and SSP").
    @inline(__always)
    public func stepPastInstruction(length: UInt64) -> Bool {
        let flags = vmcs[.guestRFLAGS]
        guard flags.contains(.resume) else { return advance(by: length, flags) }
        vmcs[.guestRFLAGS] = flags.subtracting(.resume)
        return advance(by: length, flags.subtracting(.resume))
    }

    /// One comparison for all that is rare.
    @inline(__always)
    private func advance(by length: UInt64, _ flags: RFlags) -> Bool {
        let pointer = vmcs[.guestRIP]
        let next = pointer &+ length
        let blocking = vmcs[.guestInterruptibility] & (.blockingBySTI | .blockingByMovSS)
        let rare = flags & (.trap | .resume)
        vmcs[.guestRIP] = next
        return (pointer ^ next) >> 32 | UInt64(blocking.rawValue) | rare.rawValue == 0
    }

    @inline(never)
    @_optimize(speed)
    public func endInstruction() -> Bool {
        if vmcs[.guestRIP] >> 32 != 0, !mode.is64Bit { vmcs[.guestRIP] = vmcs[.guestRIP] & 0xFFFF_FFFF }
        // The instruction also uses up what it was let past.
        vmcs[.guestRFLAGS] = vmcs[.guestRFLAGS].subtracting(.resume)
        return endStep()
    }

    /// The instruction continues past a breakpoint on itself, and what interrupts it pushes RF set (SDM volume 3, "Resume Flag"
    /// in "Instruction-Breakpoint Exception Condition").
    public func endIteration() -> Bool {
        vmcs[.guestRFLAGS] = vmcs[.guestRFLAGS] | .resume
        return endStep()
    }

    @_optimize(speed)
    private func endStep() -> Bool {
        endBlocking()
        // IA32_DEBUGCTL.BTF turns single steps into branch steps, and no instruction that exits is a branch.
        if vmcs[.guestRFLAGS].contains(.trap), vmcs[.guestDebugControl] & DebugControl.branchSteps == 0 {
            vmcs[.guestPendingDebugExceptions] = vmcs[.guestPendingDebugExceptions] | .singleStep
        }
        return isDebugTrapPending
    }

    /// SDM volume 3, "Delivery of Pending Debug Exceptions after VM Entry": these two bits make the field valid.
    @inline(never)
    public var isDebugTrapPending: Bool {
        vmcs[.guestPendingDebugExceptions].intersects(.singleStep | .enabledBreakpoint)
    }

    public func addBreakpointTraps(_ breakpoints: UInt64) {
        vmcs[.guestPendingDebugExceptions] =
            vmcs[.guestPendingDebugExceptions] | .enabledBreakpoint | .init(rawValue: breakpoints & DebugStatus.breakpoints)
    }

    public func endBlocking() { endBlocking(.blockingBySTI | .blockingByMovSS) }

    func endBlocking(_ ended: InterruptibilityState) {
        let state = vmcs[.guestInterruptibility]
        if state.intersects(ended) { vmcs[.guestInterruptibility] = state.subtracting(ended) }
    }

    // MARK: Events

    @inline(__always)
    public func inject(_ event: Event) {
        event.kind == .externalInterrupt ? injectInterrupt(event.vector) : injectException(event)
    }

    @inline(never)
    private func injectException(_ event: Event) {
        let kind = InterruptionInformation.Kind(event.kind)
        var deliversErrorCode = false
        if kind == .hardwareException {
            // In real mode no exception pushes an error code (SDM volume 3, "VM-Entry Control Fields").
            deliversErrorCode = event.errorCode != nil && cr0OfMode.contains(.protectionEnable)
            if deliversErrorCode { vmcs[.entryExceptionErrorCode] = event.errorCode ?? 0 }
            // The processor pushes RF set for a fault, so that its handler returns past a breakpoint on the instruction. A
            // debug exception, which may be a trap, goes on with RF as its exit saved it.
            if event.vector != ExceptionVector.debug.number {
                vmcs[.guestRFLAGS] = vmcs[.guestRFLAGS] | .resume
            } else if let shadow = constants.pointee.shadow {
                shadow.pointee.debugResume = vmcs[.guestRFLAGS] & .resume
            }
        }
        if event.instructionLength != 0 { vmcs[.entryInstructionLength] = UInt32(event.instructionLength) }
        vmcs[.entryInterruptionInformation] = .init(kind: kind, vector: event.vector, deliversErrorCode: deliversErrorCode)
        // A debug trap held by MOV SS comes after the INT n, INT3, or INTO that follows; other events drop it.
        if kind.event.isSoftware, isDebugTrapPending { return }
        // An event comes between two instructions or is raised by one that was reached: any blocking of events is over. An NMI
        // whose delivery an exit interrupted already blocks the next ones, and itself too if it is injected again.
        let ended: InterruptibilityState = kind == .nonMaskableInterrupt ? .blockingByNMI : .none
        endBlocking(ended | .blockingBySTI | .blockingByMovSS)
    }

    /// No interrupt comes while events are blocked, so no blocking has to end.
    @inline(__always)
    public func injectInterrupt(_ vector: UInt8) {
        vmcs[.entryInterruptionInformation] = .init(kind: .externalInterrupt, vector: vector, deliversErrorCode: false)
    }

    @inline(__always)
    public var isDeliveringEvent: Bool { vmcs[.vectoringInformation].isValid }

    public var interruptedEvent: Event? {
        let information = vmcs[.vectoringInformation]
        guard information.isValid else { return nil }
        let kind = information.kind.event
        return Event(
            kind: kind, vector: information.vector,
            errorCode: information.deliversErrorCode ? vmcs[.vectoringErrorCode] : nil,
            instructionLength: kind.isSoftware ? UInt8(truncatingIfNeeded: vmcs[.exitInstructionLength]) : 0)
    }

    /// SDM volume 3, "Other Causes of VM Exits", on interrupt windows, and "Vectored-Event Injection". The
    /// activity state need not be checked: Martlet only enters active guests.
    @inline(__always)
    public var canTakeInterrupt: Bool {
        vmcs[.guestRFLAGS].contains(.interruptEnable)
            && !vmcs[.guestInterruptibility].intersects(.blockingBySTI | .blockingByMovSS)
            && !vmcs[.entryInterruptionInformation].isValid
    }

    /// SDM volume 3, "Checks on Guest Non-Register State", "Vectored-Event Injection", and "Delivery of
    /// Pending Debug Exceptions after VM Entry".
    @inline(never)
    public var blockedEvents: BoundaryEvents {
        let state = vmcs[.guestInterruptibility]
        let injects = vmcs[.entryInterruptionInformation].isValid
        var blocked = BoundaryEvents.none
        blocked.insert(.debugTrap, if: injects || state.contains(.blockingByMovSS))
        blocked.insert(
            .nonMaskableInterrupt, if: injects || state.intersects(.blockingBySTI | .blockingByMovSS | .blockingByNMI))
        blocked.insert(.interrupt, if: !canTakeInterrupt)
        return blocked
    }

    public func blockNonMaskableInterrupts(_ blocks: Bool) {
        vmcs[.guestInterruptibility] = vmcs[.guestInterruptibility].setting(.blockingByNMI, to: blocks)
    }

    public func requestInterruptWindow(_ wanted: Bool) {
        vmcs[.primaryControls] = vmcs[.primaryControls].setting(.interruptWindowExiting, to: wanted)
    }

    @inline(__always)
    public func setTimer(ticks: UInt64) -> Bool {
        guard let shift = constants.pointee.timerShift else { return false }
        let count = ticks &>> shift
        vmcs[.preemptionTimer] = count > UInt64(UInt32.max) ? UInt32.max : UInt32(truncatingIfNeeded: count)
        return true
    }

    public var hasTimer: Bool { constants.pointee.timerShift != nil }

    public func flushTranslations() {
        if constants.pointee.tag != 0 { constants.pointee.invalidator.invalidate(constants.pointee.tag) }
    }
}

extension InterruptionInformation.Kind {
    /// The same in the words of both backends.
    @inline(__always)
    public init(_ kind: Event.Kind) {
        self =
            switch kind {
            case .externalInterrupt: .externalInterrupt
            case .nonMaskableInterrupt: .nonMaskableInterrupt
            case .exception: .hardwareException
            case .softwareInterrupt: .softwareInterrupt
            case .privilegedSoftwareException: .privilegedSoftwareException
            case .softwareException: .softwareException
            }
    }

    /// Of those that no event has, an exception.
    public var event: Event.Kind {
        switch self {
        case .externalInterrupt: .externalInterrupt
        case .nonMaskableInterrupt: .nonMaskableInterrupt
        case .softwareInterrupt: .softwareInterrupt
        case .privilegedSoftwareException: .privilegedSoftwareException
        case .softwareException: .softwareException
        case .hardwareException, .reserved, .other: .exception
        }
    }
}

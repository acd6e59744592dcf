import Memory
import Virtualization
import X86

/// A virtual CPU on VMX. It is the current VMCS, and a few things that are dear to read from it.
public struct VMXProcessor<Access: VMCSAccess>: VirtualProcessor {
    public let vmcs: VMCS<Access>
    /// The processor's capabilities that matter after set-up.
    let cr0Fixed: FixedBits<ControlRegister0>
    let cr4Fixed: FixedBits<ControlRegister4>
    /// The preemption timer counts time-stamp ticks shifted right by this.
    let timerShift: UInt64
    let reportsStringIODetails: Bool
    let invalidator: TranslationInvalidator
    /// The tag of this virtual CPU's cached translations, or 0 without VPID.
    public let tag: UInt16

    public init(
        _ access: Access, capabilities: VMXCapabilities, tag: UInt16, invalidator: TranslationInvalidator
    ) {
        vmcs = VMCS(access)
        cr0Fixed = capabilities.cr0
        cr4Fixed = capabilities.cr4
        timerShift = capabilities.miscellaneous.preemptionTimerShift
        reportsStringIODetails = capabilities.basic.reportsStringIODetails
        self.invalidator = invalidator
        self.tag = tag
    }

    public static func name(ofReason number: UInt32) -> StaticString {
        ExitReason.name(ofBasic: UInt16(truncatingIfNeeded: number))
    }

    @inline(__always)
    public var exitReasonNumber: UInt32 { vmcs[.exitReason].rawValue }

    // MARK: Stepping

    public var instructionLength: UInt8 { UInt8(truncatingIfNeeded: vmcs[.exitInstructionLength]) }

    /// SDM volume 3, 28.3 "Changes to Instruction Behavior in VMX Non-Root Operation" leaves the whole of the
    /// instruction's effect to the hypervisor, its end included.
    @inline(__always)
    public func stepPastInstruction() {
        stepPastInstruction(length: UInt64(vmcs[.exitInstructionLength]))
    }

    @inline(__always)
    public func stepPastInstruction(length: UInt64) {
        let pointer = vmcs[.guestRIP]
        let next = pointer &+ length
        if (pointer ^ next) >> 32 == 0 {
            vmcs[.guestRIP] = next
        } else {
            wrapInstructionPointer(to: next)
        }
        let blocking = vmcs[.guestInterruptibility]
        if blocking.intersects(.blockingBySTI | .blockingByMovSS) { endBlocking(blocking) }
        if vmcs[.guestRFLAGS].contains(.trap) { raiseSingleStepTrap() }
    }

    @inline(never)
    private func wrapInstructionPointer(to next: UInt64) {
        vmcs[.guestRIP] = mode.is64Bit ? next : next & 0xFFFF_FFFF
    }

    @inline(never)
    private func endBlocking(_ state: InterruptibilityState) {
        vmcs[.guestInterruptibility] = state.subtracting(.blockingBySTI | .blockingByMovSS)
    }

    /// IA32_DEBUGCTL.BTF turns single steps into branch steps, and no instruction that exits is a branch.
    @inline(never)
    private func raiseSingleStepTrap() {
        guard vmcs[.guestDebugControl] & 2 == 0 else { return }
        vmcs[.guestPendingDebugExceptions] = vmcs[.guestPendingDebugExceptions] | .singleStep
    }

    // MARK: Events

    public func inject(_ event: Event) {
        let mode = mode
        let kind: InterruptionInformation.Kind = switch event.kind {
        case .externalInterrupt: .externalInterrupt
        case .nonMaskableInterrupt: .nonMaskableInterrupt
        case .exception: .hardwareException
        case .softwareInterrupt: .softwareInterrupt
        case .privilegedSoftwareException: .privilegedSoftwareException
        case .softwareException: .softwareException
        }
        // In real mode no exception pushes an error code (SDM volume 3, 27.2.1.3 "VM-Entry Control Fields").
        let deliversErrorCode = event.errorCode != nil && mode != .real
        if deliversErrorCode { vmcs[.entryExceptionErrorCode] = event.errorCode ?? 0 }
        if event.instructionLength != 0 { vmcs[.entryInstructionLength] = UInt32(event.instructionLength) }
        vmcs[.entryInterruptionInformation] = .init(kind: kind, vector: event.vector, deliversErrorCode: deliversErrorCode)
        // The processor pushes RF set for a fault, so that its handler returns past a breakpoint on the instruction.
        if kind == .hardwareException { vmcs[.guestRFLAGS] = vmcs[.guestRFLAGS] | .resume }
        // A fault is raised by an instruction that was reached, so what blocked events before it is over.
        let blocking = vmcs[.guestInterruptibility]
        if blocking.intersects(.blockingBySTI | .blockingByMovSS) { endBlocking(blocking) }
    }

    public var interruptedEvent: Event? {
        let information = vmcs[.vectoringInformation]
        guard information.isValid else { return nil }
        let kind: Event.Kind = switch information.kind {
        case .externalInterrupt: .externalInterrupt
        case .nonMaskableInterrupt: .nonMaskableInterrupt
        case .softwareInterrupt: .softwareInterrupt
        case .privilegedSoftwareException: .privilegedSoftwareException
        case .softwareException: .softwareException
        case .hardwareException, .reserved, .other: .exception
        }
        let isSoftware = kind == .softwareInterrupt || kind == .privilegedSoftwareException || kind == .softwareException
        return Event(
            kind: kind, vector: information.vector,
            errorCode: information.deliversErrorCode ? vmcs[.vectoringErrorCode] : nil,
            instructionLength: isSoftware ? UInt8(truncatingIfNeeded: vmcs[.exitInstructionLength]) : 0)
    }

    /// SDM volume 3, 28.2 "Other Causes of VM Exits", on interrupt windows, and 27.6.1 "Vectored-Event Injection".
    public var canTakeInterrupt: Bool {
        vmcs[.guestRFLAGS].contains(.interruptEnable)
            && !vmcs[.guestInterruptibility].intersects(.blockingBySTI | .blockingByMovSS)
            && !vmcs[.entryInterruptionInformation].isValid
            && (vmcs[.guestActivityState] == .active || vmcs[.guestActivityState] == .halted)
    }

    public func requestInterruptWindow(_ wanted: Bool) {
        vmcs[.primaryControls] = vmcs[.primaryControls].setting(.interruptWindowExiting, to: wanted)
    }

    @inline(__always)
    public func setTimer(ticks: UInt64) {
        let count = ticks >> timerShift
        vmcs[.preemptionTimer] = count > UInt64(UInt32.max) ? UInt32.max : UInt32(truncatingIfNeeded: count)
    }

    public func flushTranslations() {
        if tag != 0 { invalidator.invalidate(tag) }
    }
}

/// Drops cached translations by VPID; the function is the processor's INVVPID, or a simulation's recorder.
public struct TranslationInvalidator: Sendable {
    /// The kind of INVVPID for a single tag, or for all where the processor offers no other.
    let kind: UInt64
    let execute: @convention(c) (_ kind: UInt64, _ tag: UInt16) -> Void

    /// Picks the narrowest kind on offer (SDM volume 3, 31.4.3.3 "Guidelines for Use of the INVVPID Instruction").
    public init(_ capabilities: EPTAndVPIDCapabilities, execute: @convention(c) (UInt64, UInt16) -> Void) {
        kind = capabilities.invvpidSingle ? 1 : 2
        self.execute = execute
    }

    public func invalidate(_ tag: UInt16) { execute(kind, tag) }
}

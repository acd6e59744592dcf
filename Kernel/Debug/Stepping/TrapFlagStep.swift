import Machine
import Memory
import VMX
import Virtualization
import X86

/// One guest instruction, or the delivery of one event, by RFLAGS.TF and the debug exception that it raises (SDM
/// volume 3, "Single-Step Exception Condition"): where the monitor trap flag does not work.
///
/// The guest does not notice: flags that it stores show its own TF. Every exception has to exit meanwhile, since its
/// delivery would store the flags. Events are delivered without TF; NMI-window exiting then stops the guest before the
/// handler's first instruction (SDM volume 3, "NMI-Window Exiting"), and after MOV SS or POP SS plus the following
/// instruction, which are one step. An NMI handler is also one step, since no window opens in it; and without "virtual NMIs"
/// there are no such windows, so these steps end late. Not supported is an INT that virtual-8086 mode redirects to itself
/// (CR4.VME with an IOPL below 3): it stores TF.
struct TrapFlagStep {
    private enum Way { case none, instruction(FlagInstruction), delivery, shadow }

    /// What an exit means for the step.
    struct Result {
        /// It ended the step: the instruction is executed, the event delivered.
        var isDone = false
        /// The event is delivered, though the exit may have another cause.
        var isDelivered = false
        /// The debug exception's bits that are not the guest's.
        var ownBits: UInt64 = 0
    }

    private var way = Way.none
    private var hadTrap = false
    /// The guest had set IA32_DEBUGCTL.BTF, so that only branches trap.
    private var trapsBranches = false
    /// Which window exits were on, if that was changed.
    private var windows: PrimaryControls?
    private var blocking: InterruptibilityState = .none
    /// The requested virtual interrupt that was held back.
    private var heldInterrupt: UInt8?
    /// RIP before MOV SS.
    private var start: UInt64 = 0
    /// IA32_FMASK or R11, as the guest had it.
    private var flagRegister: UInt64 = 0

    private static var allWindows: PrimaryControls { .interruptWindowExiting | .nmiWindowExiting }
    private static var shadows: InterruptibilityState { .blockingBySTI | .blockingByMovSS }

    // MARK: Before the VM entry

    /// Prepares the guest for a step.
    /// - Parameter fetchStops: some breakpoint, the guest's or ours, stops before the instruction at RIP.
    mutating func arm<Access: VMCSAccess, Host: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>, fetchStops: Bool
    ) {
        let processor = cpu.pointee.processor
        guard !TrapFlagStep.isDelivering(processor) else { return armDelivery(processor) }
        cpu.pointee.injectVirtualInterrupt()
        guard !TrapFlagStep.isDelivering(processor) else { return armDelivery(processor) }
        let mode = processor.mode
        let instruction = FlagInstruction(cpu.pointee.fetchInstruction(in: mode), in: mode)
        if case .interrupt(let vector, let length) = instruction, !fetchStops, cpu.pointee.canFetch(UInt64(length)),
            mode != .virtual8086 || processor.flags.contains(.ioPrivilege)
        {
            // INT n stores no RF (SDM volume 3, "Instruction-Breakpoint Exception Condition").
            processor.flags = processor.flags.subtracting(.resume)
            processor.inject(Event(kind: .softwareInterrupt, vector: vector, instructionLength: length))
            return armDelivery(processor)
        }
        if instruction == .stackSegment, !processor.flags.contains(.trap) { return armShadow(processor) }
        way = .instruction(instruction)
        let flags = processor.flags
        hadTrap = flags.contains(.trap)
        processor.flags = flags | .trap
        trapsBranches = processor.debugControl & DebugControl.branchSteps != 0
        if trapsBranches { processor.debugControl &= ~DebugControl.branchSteps }
        switch instruction {
        case .systemCall:
            // Without TF after it, SYSCALL would raise no trap.
            flagRegister = cpu.pointee.host.read(.systemCallMask)
            cpu.pointee.host.write(.systemCallMask, flagRegister & ~RFlags.trap.rawValue)
        case .systemReturn:
            flagRegister = cpu.pointee.registers.r11
            cpu.pointee.registers.r11 = flagRegister | RFlags.trap.rawValue
        default: break
        }
        holdEvents(processor)
    }

    private static func isDelivering<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) -> Bool {
        // The other pending bits have no effect by themselves (SDM volume 3, "Delivery of Pending Debug Exceptions
        // after VM Entry").
        processor.vmcs[.entryInterruptionInformation].isValid
            || processor.vmcs[.guestPendingDebugExceptions].intersects(.singleStep | .enabledBreakpoint)
    }

    /// No window opens while MOV SS blocks events: from before the instruction until one is executed after it.
    private mutating func armShadow<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) {
        way = .shadow
        start = processor.instructionPointer
        heldInterrupt = nil
        setWindows(processor, TrapFlagStep.window(processor))
        let state = processor.vmcs[.guestInterruptibility]
        blocking = state & (TrapFlagStep.shadows | .blockingByNMI)
        processor.vmcs[.guestInterruptibility] = state.subtracting(.blockingBySTI | .blockingByNMI) | .blockingByMovSS
    }

    private static func window<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) -> PrimaryControls {
        processor.vmcs[.pinControls].contains(.virtualNMIs) ? .nmiWindowExiting : .none
    }

    private mutating func armDelivery<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) {
        way = .delivery
        heldInterrupt = nil
        blocking = .none
        setWindows(processor, TrapFlagStep.window(processor))
        let state = processor.vmcs[.guestInterruptibility]
        if processor.vmcs[.entryInterruptionInformation].kind != .nonMaskableInterrupt {
            blocking = state & .blockingByNMI
            processor.vmcs[.guestInterruptibility] = state.subtracting(.blockingByNMI)
        }
    }

    /// TF may not be set where STI or MOV SS block events, unless its trap is pending (SDM volume 3, "Checks on
    /// Guest Non-Register State"): so the blocking is removed for the instruction, and every event that it held back is held.
    private mutating func holdEvents<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) {
        let state = processor.vmcs[.guestInterruptibility]
        blocking = state & TrapFlagStep.shadows
        windows = nil
        heldInterrupt = nil
        guard blocking != .none else { return }
        processor.vmcs[.guestInterruptibility] = state.subtracting(TrapFlagStep.shadows)
        setWindows(processor, .none)
        guard processor.interruptAssistance == .delivery else { return }
        let status = processor.vmcs[.guestInterruptStatus]
        heldInterrupt = UInt8(truncatingIfNeeded: status)
        processor.vmcs[.guestInterruptStatus] = status & 0xFF00
    }

    // MARK: After the VM exit

    /// Puts the guest's own state back.
    mutating func disarm<Access: VMCSAccess, Host: HostServices>(
        _ exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) -> Result {
        let processor = cpu.pointee.processor
        let ended = way
        way = .none
        switch ended {
        case .none: return Result()
        case .delivery:
            restoreEvents(processor)
            return Result(isDone: exit == .nonMaskableInterruptWindow, isDelivered: exit.isBetweenInstructions)
        case .shadow:
            let isDone = exit == .nonMaskableInterruptWindow
            if processor.instructionPointer != start {
                // MOV SS at least is executed, and any blocking is its own.
                blocking = blocking & .blockingByNMI
            } else {
                processor.vmcs[.guestInterruptibility] = processor.vmcs[.guestInterruptibility].subtracting(.blockingByMovSS)
            }
            restoreEvents(processor)
            return Result(isDone: isDone)
        case .instruction(let instruction):
            let isTrap = exit.isSingleStepTrap
            let isExecuted = isTrap || endsPendingTrap(processor)
            if isExecuted { blocking = .none }
            restoreEvents(processor)
            if trapsBranches { processor.debugControl |= DebugControl.branchSteps }
            let isGuests = restoreFlags(instruction, isExecuted: isExecuted, cpu)
            return Result(isDone: isTrap, ownBits: isGuests ? 0 : PendingDebugExceptions.singleStep.rawValue)
        }
    }

    /// An exit after an instruction, as from APIC virtualization, leaves its trap pending.
    private func endsPendingTrap<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) -> Bool {
        let pending = processor.vmcs[.guestPendingDebugExceptions]
        guard pending.contains(.singleStep) else { return false }
        if !hadTrap || trapsBranches { processor.vmcs[.guestPendingDebugExceptions] = pending.subtracting(.singleStep) }
        return true
    }

    private mutating func setWindows<Access: VMCSAccess>(_ processor: VMXProcessor<Access>, _ wanted: PrimaryControls) {
        let controls = processor.vmcs[.primaryControls]
        windows = controls & TrapFlagStep.allWindows
        processor.vmcs[.primaryControls] = controls.subtracting(TrapFlagStep.allWindows) | wanted
    }

    private func restoreEvents<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) {
        if blocking != .none { processor.vmcs[.guestInterruptibility] = processor.vmcs[.guestInterruptibility] | blocking }
        if let windows {
            processor.vmcs[.primaryControls] = processor.vmcs[.primaryControls].subtracting(TrapFlagStep.allWindows) | windows
        }
        if let heldInterrupt { processor.requestVirtualInterrupt(heldInterrupt) }
    }

    /// Gives all flags that the instruction stored the guest's TF.
    /// - Returns: whether the guest would have had the trap after it. SYSCALL and SYSRET trap by the TF that they leave. Under
    ///   BTF, a step's trap never counts as the guest's: whether it was a branch is not known.
    private func restoreFlags<Access: VMCSAccess, Host: HostServices>(
        _ instruction: FlagInstruction, isExecuted: Bool, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) -> Bool {
        let trap = RFlags.trap.rawValue
        var hasTrap = hadTrap
        var isGuests = hadTrap
        switch instruction {
        case .systemCall:
            cpu.pointee.host.write(.systemCallMask, flagRegister)
            guard isExecuted else { break }
            if !hadTrap { cpu.pointee.registers.r11 &= ~trap }
            hasTrap = hadTrap && flagRegister & trap == 0
            isGuests = hasTrap
        case .systemReturn:
            cpu.pointee.registers.r11 = flagRegister
            guard isExecuted else { break }
            hasTrap = flagRegister & trap != 0
            isGuests = hasTrap
        case .load where isExecuted: return hadTrap && !trapsBranches
        case .store where isExecuted && !hadTrap: cpu.pointee.clearStoredTrapFlag()
        case .load, .store, .interrupt, .stackSegment, .other: break
        }
        let flags = cpu.pointee.processor.flags
        cpu.pointee.processor.flags = hasTrap ? flags | .trap : flags.subtracting(.trap)
        return isGuests && !trapsBranches
    }
}

extension Exit {
    /// The debug exception that TF raises, perhaps with others.
    fileprivate var isSingleStepTrap: Bool {
        guard case .exception(let exception) = self, exception.vector == .debug, exception.kind == .exception else {
            return false
        }
        return exception.qualification & PendingDebugExceptions.singleStep.rawValue != 0
    }
}

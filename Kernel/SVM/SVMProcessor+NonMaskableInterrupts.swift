import Virtualization
import X86

// Non-maskable interrupts without virtual ones (V_NMI): Martlet itself keeps them off from the injection of one until the guest
// has executed IRET, which exits (APM volume 2, "Event Injection", "IRET Intercept").
//
// The exit is before IRET. If another interrupt waits, the guest executes IRET alone, with RFLAGS.TF set, and the debug exception
// behind it is the window. (IRET loads the flags, so that TF is the guest's own afterwards.) Where nothing stops the guest at the
// moment at which it can take one, behind an event that is injected or MOV SS with interrupts off, the next exit does: an
// instruction that exits is not yet executed, and the interrupt comes before it.

extension SVMProcessor {
    var canTakeNonMaskableInterrupt: Bool {
        !context.pointee.nonMaskable.isBlocked && !vmcb[.eventInjection].isValid && !vmcb[.interruptShadow].contains(.shadow)
    }

    public func blockNonMaskableInterrupts(_ blocks: Bool) {
        context.pointee.nonMaskable.isBlocked = blocks
        context.pointee.nonMaskable.isAtIRET = false
        vmcb.setIntercept(.iret, to: blocks)
    }

    /// One is being injected.
    func beginHandler() { blockNonMaskableInterrupts(true) }

    /// The interrupt that waits comes before the instruction at which the guest has exited.
    var takesNonMaskableFirst: Bool {
        guard !isDeliveringEvent, canTakeNonMaskableInterrupt, let code = exitCode else { return false }
        switch code {
        case .nonMaskableInterrupt, .systemManagementInterrupt, .initSignal, .shutdown, .taskSwitch, .icebp, .reservedForHost,
            .invalid, .busy, .idleRequired, .invalidPMC, .vmgexit:
            return false
        default: return code.exceptionVector == nil
        }
    }

    public func requestNonMaskableInterruptWindow(_ wanted: Bool) {
        context.pointee.nonMaskable.isAwaited = wanted
        guard context.pointee.nonMaskable.isBlocked, exitCode == .iret, !isDeliveringEvent, !vmcb[.eventInjection].isValid else {
            return
        }
        // The guest stands at IRET, and has to get past it.
        context.pointee.nonMaskable.isAtIRET = true
        context.pointee.isUnsettled = true
        context.pointee.nonMaskable.returnPointer = vmcb[.rip]
        vmcb.setIntercept(.iret, to: false)
        if wanted { beginStep(.nonMaskableReturn) }
    }

    /// After an exit: IRET was executed, or is still to be.
    func endReturn() {
        let isStepped = context.pointee.step.isOn && context.pointee.step.purpose == .nonMaskableReturn
        let isDone = isStepped && isSingleStep
        context.pointee.nonMaskable.isReturned = isDone
        let met = vmcb[.dr6] & DebugStatus.breakpoints
        if isStepped { endStep(isDone: isDone) }
        // What IRET has met besides.
        if isDone, met != 0 { addBreakpointTraps(met) }
        guard context.pointee.nonMaskable.isAtIRET else { return }
        if isDone || vmcb[.rip] != context.pointee.nonMaskable.returnPointer {
            context.pointee.nonMaskable.isAtIRET = false
            context.pointee.nonMaskable.isBlocked = false
        } else {
            stayInHandler()
        }
    }

    /// IRET is not to be executed next.
    func stayInHandler() {
        context.pointee.nonMaskable.isAtIRET = false
        vmcb.setIntercept(.iret, to: true)
    }
}

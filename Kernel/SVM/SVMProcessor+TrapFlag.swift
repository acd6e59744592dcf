import Virtualization
import X86

// One instruction of the guest's, by RFLAGS.TF and the debug exception that it raises: SVM has nothing else to stop behind it.

extension SVMProcessor {
    /// What the guest stores and loads of its flags shows RFLAGS.TF.
    @inline(__always)
    public var stepsByTrapFlag: Bool { true }

    /// Has the guest exit behind the next instruction, or no longer.
    /// - Returns: false.
    public func trapInstruction(_ wanted: Bool) -> Bool {
        if wanted {
            beginStep(.instruction)
        } else if context.pointee.step.isOn {
            endStep(isDone: false)
        }
        return false
    }

    /// Sets RFLAGS.TF, unless the guest has: then it gets the trap.
    func beginStep(_ purpose: TrapFlagState.Purpose) {
        let flags = vmcb[.rflags]
        guard !flags.contains(.trap), !context.pointee.step.isOn else { return }
        vmcb[.rflags] = flags | .trap
        context.pointee.step = TrapFlagState(
            isOn: true, purpose: purpose, isFlagSet: true, exceptions: vmcb[.interceptVector2],
            branchSteps: vmcb[.debugControl] & DebugControl.branchSteps, status: vmcb[.dr6])
        // The delivery of an exception would store it.
        vmcb[.interceptVector2] = .allExceptions
        vmcb[.dr6] &= ~DebugStatus.active
        debugControl &= ~DebugControl.branchSteps
    }

    /// - Parameter isDone: the flags are those that the instruction has loaded.
    func endStep(isDone: Bool) {
        let step = context.pointee.step
        context.pointee.step = TrapFlagState()
        if step.isFlagSet, !isDone { vmcb[.rflags] = vmcb[.rflags].subtracting(.trap) }
        vmcb[.interceptVector2] = step.exceptions
        if step.branchSteps != 0 { debugControl |= step.branchSteps }
        guard let status = step.status else { return }
        // A debug exception of the guest's own has its bits there.
        let own = exitCode == .exceptionDB && !isDone ? vmcb[.dr6] & DebugStatus.active : 0
        vmcb[.dr6] = own == 0 ? status : status & ~DebugStatus.breakpoints | own
    }

    /// An event comes before the instruction, and would store RFLAGS.TF.
    @inline(never)
    func withdrawStep() {
        if context.pointee.step.isOn {
            if context.pointee.step.purpose == .nonMaskableReturn {
                endStep(isDone: false)
            } else if context.pointee.step.isFlagSet {
                context.pointee.step.isFlagSet = false
                vmcb[.rflags] = vmcb[.rflags].subtracting(.trap)
            }
        }
        if context.pointee.nonMaskable.isAtIRET { stayInHandler() }
    }

    /// The exit is the trap behind an instruction.
    var isSingleStep: Bool { exitCode == .exceptionDB && vmcb[.dr6] & DebugStatus.singleStep != 0 }

    /// The trap of a step is Martlet's; a breakpoint that the instruction has met is the guest's, and waits.
    public func distinguishTrap(_ exit: Exit) -> Exit {
        guard context.pointee.step.isFlagSet, case .exception(let exception) = exit, exception.vector == .debug,
            exception.isSingleStep
        else { return exit }
        if let status = context.pointee.step.status {
            vmcb[.dr6] = status
            context.pointee.step.status = nil
        }
        if exception.qualification & DebugStatus.breakpoints != 0 { addBreakpointTraps(exception.qualification) }
        return .monitorTrap
    }
}

extension InterceptVector<2> {
    /// The exceptions that there are.
    static var allExceptions: Self { .init(rawValue: 0x702F_7DFB) }
}

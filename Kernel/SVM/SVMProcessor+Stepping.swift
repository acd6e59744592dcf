import Virtualization
import X86

// The end of an instruction that Martlet has done, and the debug traps that come with it.
//
// SVM has no field for a debug trap that waits: it is injected like any event, with DR6 as it is to be then. So EVENTINJ holds it
// from the moment on at which it waits, and another event that takes its place drops it, as the processor would (APM volume 2,
// "Event Injection").

extension SVMProcessor {
    /// APM volume 2, "Intercepting Instructions": the exit comes before the instruction, whose effect, its end included, is left
    /// to the hypervisor.
    @inline(__always)
    public func stepPastInstruction() -> Bool {
        let pointer = vmcb[.rip]
        return advance(
            from: pointer,
            to: context.pointee.hasNextRIP && exitReasonNumber > UInt32(SVMExitCode.exception31.rawValue)
                ? vmcb[.nextRIP] : pointer &+ UInt64(instructionLength), vmcb[.rflags])
    }

    /// A nested page fault may be saved with RF set, which the instruction then uses up.
    @inline(__always)
    public func stepPastInstruction(length: UInt64) -> Bool {
        let flags = vmcb[.rflags].subtracting(.resume)
        vmcb[.rflags] = flags
        let pointer = vmcb[.rip]
        return advance(from: pointer, to: pointer &+ length, flags)
    }

    /// One comparison for all that is rare.
    @inline(__always)
    private func advance(from pointer: UInt64, to next: UInt64, _ flags: RFlags) -> Bool {
        let shadow = vmcb[.interruptShadow] & .shadow
        let rare = flags & (.trap | .resume)
        vmcb[.rip] = next
        return (pointer ^ next) >> 32 | shadow.rawValue | rare.rawValue == 0
    }

    @inline(never)
    @_optimize(speed)
    public func endInstruction() -> Bool {
        if vmcb[.rip] >> 32 != 0, !mode.is64Bit { vmcb[.rip] &= 0xFFFF_FFFF }
        // What the instruction was let past is used up with it.
        vmcb[.rflags] = vmcb[.rflags].subtracting(.resume)
        return endStep()
    }

    /// The instruction goes on past a breakpoint on itself, and what interrupts it pushes RF set.
    public func endIteration() -> Bool {
        vmcb[.rflags] = vmcb[.rflags] | .resume
        return endStep()
    }

    @_optimize(speed)
    private func endStep() -> Bool {
        endBlocking()
        // DBGCTL.BTF turns single steps into branch steps, and no instruction that exits is a branch.
        if vmcb[.rflags].contains(.trap), vmcb[.debugControl] & DebugControl.branchSteps == 0 {
            addTraps(DebugStatus.singleStep)
        }
        return isDebugTrapPending
    }

    /// A debug exception that is to be injected is a trap that waits.
    @inline(never)
    public var isDebugTrapPending: Bool { vmcb[.eventInjection] == Self.debugTrap }

    private static var debugTrap: SVMEvent { .init(kind: .exception, vector: ExceptionVector.debug.number) }

    public func addBreakpointTraps(_ breakpoints: UInt64) { addTraps(breakpoints & DebugStatus.breakpoints) }

    /// Traps that come with the next VMRUN, and are in DR6 already.
    private func addTraps(_ traps: UInt64) {
        if !isDebugTrapPending {
            context.pointee.statusBeforeTrap = vmcb[.dr6]
            context.pointee.isUnsettled = true
            vmcb[.dr6] &= ~DebugStatus.breakpoints
        }
        vmcb[.dr6] |= traps
        vmcb[.eventInjection] = Self.debugTrap
    }

    /// Another event comes instead.
    func dropTraps() {
        if isDebugTrapPending, let status = context.pointee.statusBeforeTrap { vmcb[.dr6] = status }
        context.pointee.statusBeforeTrap = nil
    }

    @inline(__always)
    public func endBlocking() {
        let shadow = vmcb[.interruptShadow]
        if shadow.contains(.shadow) { vmcb[.interruptShadow] = shadow.subtracting(.shadow) }
    }
}

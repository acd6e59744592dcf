import Machine
import Memory
import VMX
import Virtualization
import X86

/// What stops a guest under study, and the steps it is allowed.
///
/// It observes from the run loop, so the exits of a guest that is not studied do not pass here. It has no words: what a person
/// types and reads is up to the host.
public struct Debugger: ~Copyable {
    /// The processor has a monitor trap flag, as a probe showed.
    public var hasTrapFlag = false
    /// What ends the guest's run, besides stops.
    var goal = Goal.never
    /// The exceptions that exit regardless of the debugger.
    var exceptionBitmap: UInt32 = 0
    var trapFlagStep = TrapFlagStep()
    var addressBreakpoints = AddressBreakpoints()
    /// The guest has the debug registers to itself, for one instruction.
    var lendsDebugRegisters = false
    /// The stop on an address that the last exit hit, by its place.
    var metAddress: Int?
    /// The one that was displaced because the guest uses the debug registers itself.
    var displaced: Int?
    /// What else stops on memory let pass, for one instruction.
    var lifted: PassedAccesses?
    /// The last run began with an event, whose delivery is over.
    var hasDelivered = false
    /// The register that stops let pass, for one instruction.
    var passedRegister: UInt32?
    /// Martlet's own accesses pass them.
    var passesOwnAccesses = false
    /// The register whose access the last exit was, if it exited only for the debugger.
    var watchedRegister: UInt32?
    /// What stops on registers have changed in the MSR bitmaps, until the next exit.
    var takenBits = TakenBits()
    /// The stop on memory whose access is being made, to be reported afterwards.
    var toldAfterwards: UInt8?
    /// The guest has been entered since it started.
    private(set) var hasEntered = false
    var stops = StopTable()
    var traps = Traps()

    public init() {}

    /// The guest starts, or restarts.
    public mutating func begin<Access: VMCSAccess>(_ processor: VMXProcessor<Access>, protect: PageProtection) {
        endPassing()
        takenBits = TakenBits()
        goal = .never
        exceptionBitmap = processor.vmcs[.exceptionBitmap]
        trapFlagStep = TrapFlagStep()
        addressBreakpoints = AddressBreakpoints()
        lendsDebugRegisters = false
        toldAfterwards = nil
        hasEntered = false
        _ = applyWatches(protect)
    }

    /// Sets the goal towards which the guest runs when it goes on.
    public mutating func run<Access: VMCSAccess, Services: HostServices>(
        _ goal: Goal, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) throws(AgentFailure) {
        guard hasRoomForAddresses(beside: cpu.pointee.processor.debugRegister7) else {
            throw AgentFailure(.noDebugRegister, UInt64(addressCount))
        }
        self.goal = goal
        toldAfterwards = nil
        passAddress(cpu)
    }

    // MARK: An exit

    /// What an exit is for whatever comes next.
    public enum Judgement: Equatable, Sendable {
        /// Nothing: the guest goes on.
        case ignore
        /// The guest stops before it is handled.
        case stop(StopReport.Cause)
        /// It is handled as this exit, and the guest then stops, if there is a cause.
        case handle(Exit, StopReport.Cause?)
    }

    /// Puts the guest's own state back after a VM exit, and says what the exit is.
    public mutating func judge<Access: VMCSAccess, Services: HostServices>(
        _ seen: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, protect: PageProtection
    ) -> Judgement {
        guard let exit = finishEntry(seen, cpu) else { return .ignore }
        if case .exception(let exception) = exit, exception.vector == .breakpoint, isTrap(cpu) { return .stop(.trap) }
        switch intercept(exit, cpu, protect) {
        case .none: return .handle(exit, cause(of: exit, cpu))
        case .resume: return .ignore
        case .stop(let cause):
            guard case .stop(let number) = cause, stops.isToldAfterwards(Int(number) - 1), metAddress == nil else {
                return .stop(cause)
            }
            toldAfterwards = number
            goal = .instructions(1)
            return .ignore
        }
    }

    /// Why the guest stops when an exit has been handled; nil if it does not.
    private mutating func cause<Access: VMCSAccess, Services: HostServices>(
        of exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> StopReport.Cause? {
        for index in 0..<Stop.capacity where exit != .monitorTrap {
            if matches(index, exit, cpu) { return .stop(UInt8(index + 1)) }
        }
        switch goal {
        case .exits(let count):
            if count <= 1 { return .exits }
            goal = .exits(count - 1)
        case .instructions:
            if exit.isBetweenInstructions || exit.isPageFault && cpu.pointee.processor.usesShadowTables { return nil }
            return countInstruction()
        case .reason(let wanted, let condition):
            guard cpu.pointee.processor.vmcs[.exitReason].basicNumber == wanted else { return nil }
            return condition?.holds({ Debugger.value(of: $0, cpu) }) ?? true ? .reason : nil
        case .never: break
        }
        return nil
    }

    private mutating func countInstruction() -> StopReport.Cause? {
        guard case .instructions(let count) = goal else { return nil }
        if count <= 1 { return toldAfterwards.map { .stop($0) } ?? .instructions }
        goal = .instructions(count - 1)
        return nil
    }

    /// Whether the guest may stop after an exit because of its outcome (`cause(behind:of:)`).
    public func mayStop(behind exit: Exit) -> Bool { isCountingInstructions && exit.isPageFault }

    /// Why the guest stops after an exit that did not stop it beforehand. A page fault that exits for shadow tables is the end of
    /// an instruction only if Martlet has emulated it; else the instruction starts again, or an event is delivered.
    public mutating func cause(behind outcome: Outcome, of exit: Exit) -> StopReport.Cause? {
        guard mayStop(behind: exit) else { return nil }
        switch outcome {
        case .resume, .inject, .end: return nil
        default: return countInstruction()
        }
    }

    /// Whether a stop is for exits like this, and its condition holds.
    private mutating func matches<Access: VMCSAccess, Services: HostServices>(
        _ index: Int, _ exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Bool {
        guard let kind = stops.kind(index) else { return false }
        let isOfKind =
            switch (kind, exit) {
            case (.exit(let wanted), _): cpu.pointee.processor.vmcs[.exitReason].basicNumber == wanted
            case (.port(let port), .io(let access)): port >= access.port && Int(port) < Int(access.port) + access.size
            case (.register(let number), .readMSR), (.register(let number), .writeMSR):
                UInt32(truncatingIfNeeded: cpu.pointee.registers.rcx) == number
            case (.leaf(let leaf), .cpuid): UInt32(truncatingIfNeeded: cpu.pointee.registers.rax) == leaf
            default: false
            }
        return isOfKind && conditionHolds(index, cpu)
    }

    /// Whether the condition of a stop holds, if it has one.
    @inline(never)
    mutating func conditionHolds<Access: VMCSAccess, Services: HostServices>(
        _ index: Int, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Bool {
        stops.conditionHolds(index) { Debugger.value(of: $0, cpu) }
    }

    /// Before the exit is handled, the registers are as they were when it came.
    @inline(never)
    private static func value<Access: VMCSAccess, Services: HostServices>(
        of source: StopCondition.Operand.Source, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> UInt64 {
        switch source {
        case .register(let register): GuestRegisters(cpu).read(register)
        case .exit(.cpl): UInt64(cpu.pointee.processor.privilegeLevel)
        case .exit(.reason): UInt64(cpu.pointee.processor.vmcs[.exitReason].basicNumber)
        case .exit(.qualification): cpu.pointee.processor.vmcs[.exitQualification]
        case .exit(.physical): cpu.pointee.processor.vmcs[.guestPhysicalAddress].rawValue
        case .exit(.linear): cpu.pointee.processor.vmcs[.guestLinearAddress].rawValue
        }
    }

    /// Prepares the processor for a VM entry, once what it delivers is decided.
    public mutating func prepareEntry<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) {
        hasEntered = true
        arm(cpu)
    }
}

extension Exit {
    /// No guest instruction caused it.
    var isBetweenInstructions: Bool {
        switch self {
        case .externalInterrupt, .nonMaskableInterrupt, .timerExpired, .interruptWindow, .nonMaskableInterruptWindow: true
        default: false
        }
    }

    var isPageFault: Bool {
        if case .exception(let exception) = self { exception.vector == .pageFault } else { false }
    }
}

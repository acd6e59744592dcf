import Debug
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

extension KernelOptions {
    /// Every exit goes to the run loop, to be observed there.
    var observesExits: Bool { trace != .off || checksEntries || isStudied || roundTrip != nil }
}

/// One run of a guest on the hardware: the way into it, and its observers. The run loop itself is `VirtualCPU.run`.
struct GuestRun: RunLoopServices {
    typealias Processor = VMXProcessor<HardwareVMCS>
    typealias Host = HardwareHost

    let options: KernelOptions
    let explanation: EntryExplanation
    /// The processor says that it has a monitor trap flag.
    let offersTrapFlag: Bool
    /// Changes the guest's EPT, for the debugger.
    let protector: PageProtector
    private var roundTrip: RoundTrip?
    /// The entry before its first exit launches a VMCS.
    private var isLaunched = false
    /// Its study, if it is studied.
    private var study: GuestStudy?

    init(
        _ options: KernelOptions, _ explanation: EntryExplanation, offersTrapFlag: Bool, _ protector: PageProtector,
        _ roundTrip: RoundTrip?
    ) {
        self.options = options
        self.explanation = explanation
        self.offersTrapFlag = offersTrapFlag
        self.protector = protector
        self.roundTrip = roundTrip
        if let session = protector.machine.pointee.host.agent {
            study = GuestStudy(
                AgentPort(session: session, explanation: explanation, protector: protector))
        }
    }

    /// Runs the guest to its end.
    mutating func run(_ cpu: CPU.Pointer) -> Ending? {
        if let ending = beginStudy(cpu) { return ending }
        let ending = CPU.run(cpu, &self)
        if case .entryFailure = ending { explanation.explainFailure(of: cpu.pointee.processor.vmcs) }
        guard study != nil else { return ending }
        return study?.end(ending, cpu)
    }

    private mutating func beginStudy(_ cpu: CPU.Pointer) -> Ending? {
        guard var study else { return nil }
        let ending = study.begin(cpu) {
            offersTrapFlag && !options.stepsByTrapFlag && TrapFlagProbe(cpu: cpu).run { enter(cpu) }
        }
        self.study = study
        return ending
    }

    // MARK: Into the guest

    mutating func willEnter(_ cpu: CPU.Pointer) -> Bool {
        study?.prepareEntry(cpu)
        if options.checksEntries, explanation.reportViolations(of: cpu.pointee.processor.vmcs) > 0 { return false }
        if roundTrip?.makeIfDue(protector.guest.pointee, on: protector.machine.pointee) == true { isLaunched = false }
        return true
    }

    mutating func enter(_ cpu: CPU.Pointer) -> Bool {
        let result = martlet_enter_guest(cpu, isLaunched ? 1 : 0)
        guard result == 0 else {
            reportFailure(result, cpu)
            return false
        }
        isLaunched = true
        return true
    }

    /// VMLAUNCH or VMRESUME itself failed (SDM volume 3, "VM Instruction Error Numbers").
    private func reportFailure(_ result: UInt32, _ cpu: CPU.Pointer) {
        let instruction: StaticString = isLaunched ? "VMRESUME" : "VMLAUNCH"
        if result == 1 {
            Report.error("\(instruction) failed: there is no current VMCS (VMfailInvalid)")
            return
        }
        let number: UInt32 = cpu.pointee.processor.vmcs[.instructionError]
        Report.error("\(instruction) failed: VM-instruction error \(number), \(InstructionError(number).words)")
        explanation.explainFailure(of: cpu.pointee.processor.vmcs)
    }

    // MARK: One instruction

    func standIns() -> StandIns? {
        guard offersTrapFlag || options.translation == .shadow, let memory = memory_of_stand_ins() else { return nil }
        return StandIns(memory, at: HostPhysicalAddress(UInt64(UInt(bitPattern: memory))))
    }

    func leadBack(_ all: Bool, _ cpu: CPU.Pointer) {
        cpu.pointee.processor.vmcs[.hostRIP] = all ? address_of_martlet_vm_exit_observed() : GuestMachine.exitAddress(options)
    }

    // MARK: Observing

    var seesExits: Bool { options.observesExits }

    mutating func judge(_ seen: ObservedExit, _ cpu: CPU.Pointer) -> Exit? {
        study == nil ? seen.exit : study?.judge(seen, cpu)
    }

    mutating func didHandle(_ seen: ObservedExit, as exit: Exit, _ outcome: Outcome, ticks: UInt64, _ cpu: CPU.Pointer) {
        cpu.pointee.machine.pointee.statistics.record(reason: seen.reason, guestTicks: seen.guestTicks, ticks: ticks)
        guard study == nil else {
            study?.didHandle(seen, as: exit, outcome, cpu)
            return
        }
        if options.trace >= .exits {
            Console.print(seen.line(outcome, cpu), indentation: ExitLine.reasonColumn)
            if options.trace == .full { Console.print(seen.causeLine, indentation: ExitLine.causeIndentation) }
        }
        // Observing takes thousands of ticks, and a line on a serial port milliseconds: a guest with a timer must not see that.
        cpu.pointee.skipTime(read_tsc() &- seen.arrival &- ticks)
    }

    mutating func hold(_ cpu: CPU.Pointer) -> Ending? {
        guard study == nil else { return study?.hold(cpu) }
        // A guest that exits again and again need not come to the end of a slice.
        return cpu.pointee.exitCount & 0xFF == 0 && cpu.pointee.host.isToldToStop ? .stopped : nil
    }

    mutating func holdAsleep(_ cpu: CPU.Pointer) -> Ending? { study?.holdAsleep(cpu) }

    mutating func setHidden(_ page: GuestPhysicalAddress, _ isHidden: Bool, _ cpu: CPU.Pointer) {
        if !protector.guest.pointee.setHidden(page, isHidden, on: &protector.machine.pointee) {
            Report.error(
                "warning: there is no memory to split the page of RAM at \(hex: page.rawValue): the guest's local APIC does not hide it"
            )
        }
    }

    /// Ends the record of the exit.
    mutating func didFinish(_ cpu: CPU.Pointer) {
        if cpu.pointee.records.isOn { Metal.Processor.current.pointee.recorder?.complete(cpu) }
    }
}

extension ObservedExit {
    /// Its line in the trace, with what became of it; nil for the debugger's own exits.
    func line(_ outcome: Outcome?, _ cpu: HardwareCPU.Pointer) -> Line {
        Line("\(ExitLine(self, number: cpu.pointee.exitCount, outcome, cpu.pointee.registers))")
    }

    /// Why the exit came.
    var causeLine: Line { "        why: \(ExitReason(rawValue: reason).cause)" }
}

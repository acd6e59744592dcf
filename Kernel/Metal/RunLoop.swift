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
    /// Every exit goes to the run loop, to be recorded there.
    var observesExits: Bool { trace != .off || checksEntries || isStudied || roundTrip != nil }
}

/// Enters the guest until it is at its end, and does what an exit leaves to be done: waiting and recording.
struct RunLoop: ~Copyable {
    let cpu: UnsafeMutablePointer<HardwareCPU>
    let options: KernelOptions
    let explanation: EntryExplanation
    /// The processor says that it has a monitor trap flag.
    let offersTrapFlag: Bool
    /// A VMCS is launched by the entry before its first exit.
    private var isLaunched = false
    private(set) var lastEntry: UInt64 = 0
    /// Why a guest under study is to stand still.
    var standstill: Standstill?
    /// The host has decided how the guest ends.
    var isEndDecided = false
    private var roundTrip: RoundTrip?
    /// Changes the guest's EPT, for the debugger.
    let protector: PageProtector

    init(
        _ cpu: UnsafeMutablePointer<HardwareCPU>, _ options: KernelOptions, _ explanation: EntryExplanation, offersTrapFlag: Bool,
        _ protector: PageProtector, _ roundTrip: RoundTrip?
    ) {
        self.cpu = cpu
        self.options = options
        self.explanation = explanation
        self.offersTrapFlag = offersTrapFlag
        self.protector = protector
        self.roundTrip = roundTrip
    }

    /// - Parameter name: the guest's.
    mutating func run(_ name: Line, _ statistics: inout ExitStatistics) -> Ending? {
        guard options.isStudied else { return runToEnd(&statistics) }
        if let ending = beginStudy(name, &statistics) { return ending }
        let ending = runToEnd(&statistics)
        return endStudy(ending, &statistics)
    }

    private mutating func runToEnd(_ statistics: inout ExitStatistics) -> Ending? {
        while true {
            if options.isStudied { AgentSession.agent.pointee.debugger.prepareEntry(cpu) }
            if options.checksEntries, explanation.reportViolations(of: cpu.pointee.processor.vmcs) > 0 { return nil }
            makeRoundTrip()
            guard enter() else { return nil }
            if options.isStudied {
                study(&statistics)
            } else if options.observesExits {
                observe(&statistics)
            }
            if let standstill, let ending = stand(standstill, &statistics) { return ending }
            while case .wait = cpu.pointee.pending, !cpu.pointee.sleep() {
                if let ending = studyAsleep(&statistics) { return ending }
            }
            record()
            if case .end(let ending) = cpu.pointee.pending {
                if case .entryFailure = ending { explanation.explainFailure(of: cpu.pointee.processor.vmcs) }
                return ending
            }
        }
    }

    /// Enters the guest until an exit leads here.
    /// - Returns: false, and why is said, if the instruction that enters it failed.
    mutating func enter() -> Bool {
        lastEntry = read_tsc()
        let result = martlet_enter_guest(cpu, isLaunched ? 1 : 0)
        guard result == 0 else {
            reportFailure(result)
            return false
        }
        isLaunched = true
        return true
    }

    private mutating func makeRoundTrip() {
        if roundTrip?.makeIfDue(protector.guest.pointee, on: protector.machine.pointee) == true { isLaunched = false }
    }

    /// Ends the record of the exit that came here.
    private func record() {
        if cpu.pointee.records.isOn { Records.complete(cpu) }
    }

    /// Handles an exit as the fast path would, and records it.
    private mutating func observe(_ statistics: inout ExitStatistics) {
        let arrival = read_tsc()
        let reason = cpu.pointee.processor.exitReasonNumber
        let exit = cpu.pointee.processor.decodeExit()
        let before = cpu.pointee.registers
        let place = cpu.pointee.codeAddress
        let outcome = HardwareCPU.handleExit(exit, cpu)
        let ticks = read_tsc() &- arrival
        statistics.record(reason: reason, guestTicks: arrival &- lastEntry, ticks: ticks)
        guard options.trace >= .exits else { return }
        Console.print(line(exit, reason, place, before, outcome, guestTicks: arrival &- lastEntry))
        if options.trace == .full { Console.print(cause(reason)) }
    }

    func cause(_ reason: UInt32) -> Line { "        why: \(ExitReason(rawValue: reason).cause)" }

    /// An exit in one line.
    /// - Parameter outcome: nil if nothing was done about it: it is the monitor's own, and has no number.
    func line(
        _ exit: Exit, _ reason: UInt32, _ place: CodeAddress, _ before: GeneralRegisters, _ outcome: Outcome?,
        guestTicks: UInt64
    ) -> Line {
        typealias Processor = VMXProcessor<HardwareVMCS>
        var line = Line()
        if outcome != nil { line.write(decimal: cpu.pointee.exitCount, width: 5) } else { line.write("    -") }
        line.write(" +")
        line.write(decimal: guestTicks)
        line.write(" ")
        line.pad(to: 15)
        line.write("cpu0 ")
        line.write(Processor.name(ofReason: reason))
        line.pad(to: 46)
        line.write(place)
        line.pad(to: place.mode.is64Bit ? 69 : 61)
        line.write(ExitDescription(exit, before, in: place.mode))
        line.write("  ->  ")
        if let outcome { line.write(ExitAction(exit, outcome, cpu.pointee.registers)) } else { line.write("not yet done") }
        return line
    }

    /// VMLAUNCH or VMRESUME itself failed (SDM volume 3, 32.4 "VM Instruction Error Numbers").
    private func reportFailure(_ result: UInt32) {
        let instruction: StaticString = isLaunched ? "VMRESUME" : "VMLAUNCH"
        if result == 1 {
            Report.error("\(instruction) failed: there is no current VMCS (VMfailInvalid)")
            return
        }
        let number: UInt32 = cpu.pointee.processor.vmcs[.instructionError]
        Report.error("\(instruction) failed: VM-instruction error \(number), \(InstructionError(number).words)")
        explanation.explainFailure(of: cpu.pointee.processor.vmcs)
    }
}

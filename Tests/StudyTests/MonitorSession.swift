import Foundation
import Memory
import Support
import Trace
import VMXChecks
import Virtualization
import X86

@testable import Debug
@testable import Machine
@testable import StudyTools
@testable import VMX

/// A person at the monitor of a simulated machine, with the kernel's agent between them: types lines, reads the answers, lets the
/// guest exit.
final class MonitorSession {
    let machine: TestMachine
    let memory = LoaderMemory()
    let states = UnsafeMutablePointer<StateSnapshot>.allocate(capacity: StateMoment.count)
    let statistics = UnsafeMutablePointer<ExitStatistics>.allocate(capacity: 1)
    var agent = Agent(trace: .off)
    private var decoder = FrameDecoder()
    /// What the pages of the guest's memory pass, by page number, where that is not everything.
    var protected: [UInt64: PassedAccesses] = [:]
    /// The EPT has no room for more tables.
    var isFull = false
    var typedForGuest: [UInt8] = []
    fileprivate var sent: [UInt8] = []
    private var line: Line!
    private(set) var study: Study!
    private(set) var decision: Agent.Decision?

    /// - Parameter isShadowed: shadow tables translate for the guest, which has set CR0.WP.
    init(_ mode: TestMachine.Mode = .long64, hasTrapFlag: Bool = true, isShadowed: Bool = false, hasTwins: Bool = false) {
        machine = TestMachine(mode, isShadowed: isShadowed, hasTwins: hasTwins)
        states.initialize(repeating: StateSnapshot(), count: StateMoment.count)
        statistics.initialize(to: ExitStatistics())
        agent.debugger.hasTrapFlag = hasTrapFlag
        agent.debugger.begin(machine.processor, protect: protect)
        // Every MSR exits but C0000100H, whose reads and writes both pass, and C0000080H, whose reads do.
        for offset in UInt64(0)..<512 { machine.vmcs.physical[0x3000 + 8 * offset] = .max }
        pass(0xC000_0100, isWrite: false)
        pass(0xC000_0100, isWrite: true)
        pass(0xC000_0080, isWrite: false)
        // EPT that map nothing.
        for entry in UInt64(0)..<512 { memory.put(0, 8, at: 0x5000 + 8 * entry) }
        if isShadowed {
            machine.cpu.registers.rax = 0x8001_0031
            machine.exit(.controlRegisterAccess, qualification: 0, length: 3)
        }
        withCPU { $0.tellStop(.start, $1, Port(session: self)) }
        line = Line(self)
        let connection = GuestConnection(line)
        study = Study(try! StudiedGuest(connection))
        listen()
        machine.vmcs.resetCounts()
    }

    private func pass(_ register: UInt32, isWrite: Bool) {
        machine.processor.setExits(at: .init(register), isWrite: isWrite, to: false)
    }

    deinit {
        states.deallocate()
        statistics.deallocate()
    }

    func withCPU<Result>(
        _ body: (inout Agent, UnsafeMutablePointer<VirtualCPU<VMXProcessor<SimulatedVMCS>, SimulatedHost>>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &machine.cpu) { body(&agent, $0) }
    }

    // MARK: Typing

    /// Types commands one after the other, "continue" last of all.
    /// - Returns: the lines of each answer.
    @discardableResult
    func type(_ commands: String...) -> [[String]] {
        if agent.guest == .runs { withCPU { $0.tellStop(.request, $1, Port(session: self)) } }
        listen()
        decision = nil
        var answers: [[String]] = []
        for command in commands + ["continue"] where decision == nil {
            var answer = Answer()
            do throws(Complaint) {
                _ = try study.perform(command, saying: &answer)
            } catch {
                answer.text("error: \(error.words)")
            }
            answers.append(answer.lines)
        }
        return answers
    }

    /// Takes up the events that have come.
    private func listen() {
        while let event = study.guest.connection.event(timeout: 0) {
            if case .stopped(let report) = event { study.guest.stand(report) }
        }
    }

    fileprivate func take(_ bytes: [UInt8]) {
        for byte in bytes where decoder.take(byte) {
            let (kind, sequence) = (decoder.kind, decoder.sequence)
            let port = Port(session: self)
            let result = withUnsafeMutablePointer(to: &machine.cpu) { cpu in
                decoder.withPayload { agent.perform(kind, sequence, $0, cpu, port) }
            }
            if let result { decision = result }
        }
    }

    // MARK: The guest

    /// Why the guest stops at an exit, in short; nil if it does not.
    func exit(
        _ reason: BasicExitReason, qualification: UInt64 = 0, physical: UInt64 = 0, information: UInt32 = 0, details: UInt32 = 0,
        vectoring: UInt32 = 0
    ) -> String? {
        if !isEntered { enter() }
        isEntered = false
        machine.setExit(
            reason, qualification: qualification, length: 2, physical: physical, information: information, details: details,
            vectoring: vectoring)
        let seen = machine.processor.decodeExit()
        let port = Port(session: self)
        return withCPU { agent, cpu in
            switch agent.debugger.judge(seen, cpu, protect: protect) {
            case .ignore: return nil
            case .stop(let cause):
                agent.keepBefore(cpu, port)
                agent.keepAfter(nil, cpu, port)
                return cause.shortWords
            case .handle(let exit, let cause):
                agent.keepBefore(cpu, port)
                let outcome = TestMachine.CPU.handleExit(exit, cpu)
                let cause = cause ?? agent.debugger.cause(behind: outcome, of: exit)
                if cause != nil { agent.keepAfter(outcome, cpu, port) }
                return cause?.shortWords
            }
        }
    }

    /// An exit that the monitor stops at, handled, when looking at it took some time.
    func stop(at reason: BasicExitReason, after ticks: UInt64) {
        machine.setExit(reason, length: 2)
        let exit = machine.processor.decodeExit()
        let port = Port(session: self)
        withCPU { agent, cpu in
            agent.keepBefore(cpu, port)
            cpu.pointee.skipTime(ticks)
            agent.noteSkippedTime(cpu.pointee.processor, port)
            agent.keepAfter(TestMachine.CPU.handleExit(exit, cpu), cpu, port)
        }
    }

    private var isEntered = false

    /// Enters the guest; `exit` does it if this did not.
    func enter() {
        withCPU { $0.debugger.prepareEntry($1) }
        isEntered = true
    }

    /// Whether the guest would be entered with the monitor trap flag.
    var traps: Bool {
        enter()
        return machine.processor.vmcs[.primaryControls].contains(.monitorTrapFlag)
    }

    /// Changes pages as the kernel does.
    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, _ isForGood: Bool) -> Bool {
        guard !isFull else { return false }
        for page in range.start.rawValue >> 12..<range.end.rawValue >> 12 { protected[page] = passed == .all ? nil : passed }
        return true
    }

    private struct Port: AgentHost {
        let session: MonitorSession

        func put(_ byte: UInt8) { session.sent.append(byte) }
        func type(_ byte: UInt8) -> Bool {
            guard session.typedForGuest.count < 40 else { return false }
            session.typedForGuest.append(byte)
            return true
        }
        var statistics: UnsafePointer<ExitStatistics> { .init(session.statistics) }
        var capabilities: VMXCapabilities { session.machine.vmcs.capabilities }
        var circumstances: EntryCircumstances { EntryCircumstances(session.machine.host) }
        var frequency: UInt64 { TestMachine.frequency }
        var states: UnsafeMutablePointer<StateSnapshot> { session.states }
        var hostMemory: SessionMemory { SessionMemory(session) }
        func hasMemory(in frame: HostPhysicalAddress) -> Bool {
            frame.rawValue == 0x5000 || session.machine.shadow?.word(at: frame.rawValue) != nil
        }
        func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, isForGood: Bool) -> Bool {
            session.protect(range, passed, isForGood)
        }
    }

    /// The machine's memory, with the shadow tables in it.
    fileprivate struct SessionMemory: PhysicalMemory {
        private let session: MonitorSession

        init(_ session: MonitorSession) { self.session = session }

        func readUInt64(at address: HostPhysicalAddress) -> UInt64 {
            session.machine.shadow?.word(at: address.rawValue) ?? session.memory.readUInt64(at: address)
        }
        func readUInt32(at address: HostPhysicalAddress) -> UInt32 { session.memory.readUInt32(at: address) }
        func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) { fatalError("the machine's memory is only read") }
        func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) { fatalError("the machine's memory is only read") }
        func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool { false }
    }

    /// The line between the two, without anything in between.
    private final class Line: AgentLine {
        private unowned let session: MonitorSession
        init(_ session: MonitorSession) { self.session = session }

        func receive(timeout: Double) -> [UInt8]? {
            defer { session.sent = [] }
            return session.sent
        }

        func send(_ bytes: [UInt8]) { session.take(bytes) }
    }
}

extension StopReport.Cause {
    /// As the words of a stop have it.
    var shortWords: String {
        switch self {
        case .stop(let number): "breakpoint \(number)"
        case .exits: "step"
        case .instructions: "next"
        case .reason: "until"
        case .displaced(let number):
            "the guest's own use of the debug registers: breakpoints on addresses from \(number) on are deleted"
        default: "\(self)"
        }
    }
}

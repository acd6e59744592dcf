import Memory
import Support
import Text
import VMX
import Virtualization

@testable import Machine
@testable import Study

/// A person at the monitor of a simulated machine: types lines, reads the answers, lets the guest exit.
final class MonitorSession {
    let machine: TestMachine
    let memory = LoaderMemory()
    let states = UnsafeMutablePointer<StateSnapshot>.allocate(capacity: KeptState.count)
    var monitor = Monitor()
    /// What the pages of the guest's memory pass, by page number, where that is not everything.
    var protected: [UInt64: PassedAccesses] = [:]
    /// The EPT has no room for more tables.
    var isFull = false
    var typedForGuest: [UInt8] = []
    private(set) var decision: Monitor.Decision?

    init(_ mode: TestMachine.Mode = .long64, hasTrapFlag: Bool = true) {
        machine = TestMachine(mode)
        monitor.hasTrapFlag = hasTrapFlag
        monitor.begin(machine.processor, protect: protect)
        // Every MSR exits but C0000100H, whose reads and writes both pass, and C0000080H, whose reads do.
        for offset in UInt64(0)..<512 { machine.vmcs.physical[0x3000 + 8 * offset] = .max }
        pass(0xC000_0100, isWrite: false)
        pass(0xC000_0100, isWrite: true)
        pass(0xC000_0080, isWrite: false)
    }

    private func pass(_ register: UInt32, isWrite: Bool) {
        machine.processor.setExits(at: .init(register), isWrite: isWrite, to: false)
    }

    deinit { states.deallocate() }

    /// Types commands one after the other, "continue" last of all.
    /// - Returns: the lines of each answer.
    @discardableResult
    func type(_ commands: String...) -> [[String]] {
        var answers: [[String]] = []
        var line = TestLine(session: self, commands: commands)
        decision = withUnsafeMutablePointer(to: &machine.cpu) { cpu in
            monitor.prompt(cpu, "here", on: &line, protect: protect)
        }
        for answer in line.text.components(separated: ">\n").dropFirst() {
            answers.append(answer.split(separator: "\n").map { String($0) })
        }
        return answers
    }

    /// Why the guest stops at an exit, as the run loop would say; nil if it does not.
    func exit(
        _ reason: UInt32, qualification: UInt64 = 0, physical: UInt64 = 0, information: UInt32 = 0, details: UInt32 = 0, vectoring: UInt32 = 0
    ) -> String? {
        if !isEntered { enter() }
        isEntered = false
        machine.setExit(
            reason, qualification: qualification, length: 2, physical: physical, information: information, details: details,
            vectoring: vectoring)
        let seen = machine.processor.decodeExit()
        guard let exit = withUnsafeMutablePointer(to: &machine.cpu, { monitor.finishEntry(seen, $0) }) else { return nil }
        let before = machine.cpu.registers
        switch withUnsafeMutablePointer(to: &machine.cpu, { monitor.intercept(exit, $0, protect: protect) }) {
        case .stop(let why): return words(why)
        case .resume: return nil
        case .none: break
        }
        _ = machine.handle(exit)
        return monitor.stops(at: exit, machine.processor, before).map { words($0) }
    }

    /// An exit that the monitor stops at, handled, when looking at it took some time.
    func stop(at reason: UInt32, after ticks: UInt64) {
        machine.setExit(reason, length: 2)
        let exit = machine.processor.decodeExit()
        let line = TestLine(session: self, commands: [])
        withUnsafeMutablePointer(to: &machine.cpu) { cpu in
            monitor.take(.before, cpu, line)
            cpu.pointee.skipTime(ticks)
            monitor.noteSkippedTime(cpu.pointee.processor, line)
            monitor.note(exit, TestMachine.CPU.handleExit(exit, cpu), cpu, line)
        }
    }

    private var isEntered = false

    /// Enters the guest; `exit` does it if this did not.
    func enter() {
        withUnsafeMutablePointer(to: &machine.cpu) { monitor.prepareEntry($0) }
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

    struct TestLine: MonitorHost {
        let session: MonitorSession
        var commands: [String]
        var recorder = TextRecorder()

        var text: String { String(decoding: recorder.bytes, as: UTF8.self) }
        mutating func write(byte: UInt8) { recorder.write(byte: byte) }
        mutating func readLine() -> Line {
            let command = commands.isEmpty ? "continue" : commands.removeFirst()
            return Array(command.utf8).withUnsafeBytes { Line($0) }
        }
        mutating func type(_ byte: UInt8) -> Bool {
            guard session.typedForGuest.count < 40 else { return false }
            session.typedForGuest.append(byte)
            return true
        }
        func printStatistics(to print: (Line) -> Void) { print("the table") }
        var capabilities: VMXCapabilities { session.machine.vmcs.capabilities }
        var circumstances: EntryCircumstances { EntryCircumstances(session.machine.host) }
        var hostMemory: LoaderMemory { session.memory }
        var states: UnsafeMutablePointer<StateSnapshot> { session.states }
        var pageFaultAddress: UInt64 { session.machine.host.pageFaultAddress }
    }
}

extension String {
    fileprivate func components(separated separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}

import Machine
import Memory
import Text
import Trace
import VMX
import VMXChecks
import Virtualization
import X86

/// The line on which the monitor is talked with, and what of the kernel it asks.
public protocol MonitorHost: TextOutput {
    /// The next line that was typed, without its end.
    mutating func readLine() -> Line
    /// Puts a byte where the guest's COM1 takes its input from.
    /// - Returns: false if there is no room.
    mutating func type(_ byte: UInt8) -> Bool
    func printStatistics(to print: (Line) -> Void)
    var capabilities: VMXCapabilities { get }
    /// What the VM-entry checks have to know of the processor besides.
    var circumstances: EntryCircumstances { get }
    /// CR2.
    var pageFaultAddress: UInt64 { get }
    /// Memory for `KeptState.count` states.
    var states: UnsafeMutablePointer<StateSnapshot> { get }
    associatedtype HostMemory: PhysicalMemory
    /// The machine's memory, where the EPT is.
    var hostMemory: HostMemory { get }
}

/// The monitor: when the guest stops, and what is asked of it then.
///
/// It looks on from the run loop, so that the exits of a guest that nobody studies do not pass here. Its commands are in
/// extensions, by subject.
public struct Monitor {
    /// What the guest is to do when the prompt is left.
    public enum Decision: Equatable, Sendable { case run, reset, quit }

    /// What ends the guest's run, besides breakpoints.
    enum Goal {
        case exits(UInt64)
        case instructions(UInt64)
        case reason(UInt16, StopCondition?)
        case never
    }

    public static var breakpointCapacity: Int { 16 }

    /// The line that the trace has for each exit while the guest runs.
    public var trace = TraceLevel.off
    /// The processor has a monitor trap flag, as a probe showed.
    public var hasTrapFlag = false
    var goal = Goal.never
    /// The exceptions that exit whatever the monitor does.
    public var exceptionBitmap: UInt32 = 0
    var trapFlagStep = TrapFlagStep()
    var addressBreakpoints = AddressBreakpoints()
    /// The guest has its debug registers for itself, for one instruction.
    var lendsDebugRegisters = false
    /// The breakpoint on an address that the last exit met.
    public internal(set) var metBreakpoint: Int?
    /// The one that had to go because the guest uses the debug registers itself.
    var displacedBreakpoint: Int?
    /// What breakpoints on memory let pass besides, for one instruction.
    var lifted: PassedAccesses?
    /// The last run began with an event, whose delivery is over.
    var hasDelivered = false
    /// The register that breakpoints let pass, for one instruction.
    var passedRegister: UInt32?
    /// Martlet's own accesses pass them.
    var passesOwnAccesses = false
    /// The register whose access the last exit was, if it exited only for the monitor.
    var watchedRegister: UInt32?
    /// What breakpoints on registers have changed in the MSR bitmaps, until the next exit.
    var takenBits = TakenBits()
    var lastExit: StudiedExit?
    /// There was a stop before this one.
    var hasStopped = false
    var breakpoints: [16 of Breakpoint?] = .init(repeating: nil)
    /// Those of them that are a debugger's.
    var debugWatches: [16 of DebugWatch?] = .init(repeating: nil)
    /// The one of these that the last exit met.
    public var metDebugWatch: DebugWatch?

    public init() {}

    /// The guest starts, perhaps anew.
    public mutating func begin<Access: VMCSAccess>(_ processor: VMXProcessor<Access>, protect: PageProtection) {
        lastExit = nil
        hasStopped = false
        endPassing()
        takenBits = TakenBits()
        goal = .never
        exceptionBitmap = processor.vmcs[.exceptionBitmap]
        trapFlagStep = TrapFlagStep()
        addressBreakpoints = AddressBreakpoints()
        lendsDebugRegisters = false
        _ = applyWatches(protect)
    }

    /// Keeps what an exit was that stopped the guest; the state before it was kept then.
    /// - Parameter outcome: nil if nothing was done about it.
    public mutating func note<Access: VMCSAccess, Services: HostServices>(
        _ exit: Exit, _ outcome: Outcome?, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ host: borrowing some MonitorHost
    ) {
        lastExit = StudiedExit(exit: exit, outcome: outcome)
        take(.after, cpu, host)
    }

    /// The time that looking took did not pass for the guest, and that is no change made by the exit.
    public func noteSkippedTime<Access: VMCSAccess>(_ processor: VMXProcessor<Access>, _ host: borrowing some MonitorHost) {
        (host.states + KeptState.before.rawValue).pointee.fields[.timeStampCounterOffset] =
            processor.vmcs[.timeStampCounterOffset]
    }

    /// Whether an exit stops the guest; asked before it is handled.
    /// - Parameter before: the general registers at the exit.
    /// - Returns: by what it stops, in words.
    public mutating func stops<Access: VMCSAccess>(
        at exit: Exit, _ processor: VMXProcessor<Access>, _ before: GeneralRegisters
    ) -> Line? {
        for index in 0..<Monitor.breakpointCapacity where exit != .monitorTrap {
            if breakpoints[index]?.matches(exit, processor, before) == true { return "breakpoint \(index + 1)" }
        }
        switch goal {
        case .exits(let count), .instructions(let count):
            if isCountingInstructions, exit.isBetweenInstructions { return nil }
            if count <= 1 { return isCountingExits ? "step" : "next" }
            goal = isCountingExits ? .exits(count - 1) : .instructions(count - 1)
            return nil
        case .reason(let wanted, let condition):
            guard UInt16(truncatingIfNeeded: processor.exitReasonNumber) == wanted,
                condition?.holds(processor, before) ?? true
            else { return nil }
            return "until"
        case .never: return nil
        }
    }

    /// Asks what is to be done, until the guest is to go on or to end.
    /// - Parameter place: why and where the guest stands.
    public mutating func prompt<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ place: Line, on line: inout some MonitorHost,
        protect: PageProtection
    ) -> Decision {
        say(place, on: &line)
        while true {
            // A line of its own, so that whoever types knows that it is his turn.
            say(">", on: &line)
            let text = CommandText(line.readLine())
            do throws(Complaint) {
                if let decision = try perform(text, cpu, on: &line, protect) {
                    if decision == .run, !hasRoomForBreakpoints(beside: cpu.pointee.processor.debugRegister7) {
                        throw Complaint("the guest's DR7 leaves too few debug registers for the breakpoints on addresses: delete some")
                    }
                    passBreakpoint(cpu.pointee.processor)
                    take(.lastStop, cpu, line)
                    hasStopped = true
                    return decision
                }
            } catch {
                say("error: \(error.words)", on: &line)
            }
        }
    }

    private var isCountingExits: Bool {
        if case .exits = goal { true } else { false }
    }

    func say(_ text: Line, on line: inout some MonitorHost) {
        line.write(text)
        line.write(byte: 0x0A)
    }

    /// - Returns: nil to ask again.
    mutating func perform<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost, _ protect: PageProtection
    ) throws(Complaint) -> Decision? {
        guard let word = text.word(0) else { return nil }
        let command = try MonitorCommand(word)
        switch command {
        case .step: goal = .exits(try count(text))
        case .next: goal = .instructions(try count(text))
        case .continue:
            try end(text, 1)
            goal = .never
        case .until:
            guard let reason = text.name(from: 1) else { throw Complaint("until needs an exit reason: \"help until\"") }
            goal = .reason(try ExitReason.basic(reason.name), try StopCondition(behind: text, reason.end))
        case .quit:
            try end(text, 1)
            return .quit
        case .reset:
            try end(text, 1)
            return .reset
        default:
            try answer(command, text, cpu, on: &line, protect)
            return nil
        }
        return .run
    }

    /// The commands after which the guest stands where it stood.
    private mutating func answer<Access: VMCSAccess, Services: HostServices>(
        _ command: MonitorCommand, _ text: CommandText,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, on line: inout some MonitorHost,
        _ protect: PageProtection
    ) throws(Complaint) {
        switch command {
        case .break: try setBreakpoint(text, cpu, on: &line, protect)
        case .delete: try deleteBreakpoint(text, on: &line, protect)
        case .set: try set(text, cpu, on: &line)
        case .inject: try inject(text, cpu, on: &line)
        case .type: try type(text, cpu, on: &line)
        case .trace: try setTrace(text, on: &line)
        case .statistics:
            try end(text, 1)
            line.printStatistics { row in say(row, on: &line) }
        case .registers, .vmcs, .controls, .changes, .check, .why, .disassemble: try inspect(command, text, cpu, on: &line)
        case .memory: try showMemory(text, cpu, on: &line)
        case .walk: try walk(text, cpu, on: &line)
        case .ept: try showMap(text, cpu, on: &line)
        default: try help(text, on: &line)
        }
    }

    /// The number behind a command; 1 if there is none.
    private func count(_ text: CommandText) throws(Complaint) -> UInt64 {
        guard let word = text.word(1) else { return 1 }
        guard let count = word.number, count > 0 else { throw Complaint("\"\(word)\" is no number from 1 on") }
        try end(text, 2)
        return count
    }

    /// Nothing more may follow.
    func end(_ text: CommandText, _ index: Int) throws(Complaint) {
        if let word = text.word(index) { throw Complaint("\"\(word)\" is too much") }
    }
}

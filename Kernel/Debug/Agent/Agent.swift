import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

/// The agent: carries out and answers the host's requests about a guest (Docs/Agent.md).
///
/// The reader of the line finds the frames in it (`FrameDecoder`) and hands each over:
///
///     while !decoder.take(nextByte()) {}
///     let decision = decoder.withPayload { agent.perform(decoder.kind, decoder.sequence, $0, cpu, host) }
///
/// Nothing that arrives on the line makes it trap, or does what a well-formed request could not do.
public struct Agent: ~Copyable {
    /// What the guest is to do after a request.
    public enum Decision: Equatable, Sendable {
        /// It runs; if it has ended, whatever comes next does.
        case run
        /// It stays stopped.
        case stop
        case reset, quit
    }

    public var debugger = Debugger()
    /// The line that the trace has for each exit while the guest runs.
    public internal(set) var trace: TraceLevel
    public private(set) var guest = AgentFacts.GuestState.none
    var message = Message()
    /// The host wants no further guest either.
    public private(set) var isDismissed = false
    private var eventCount: UInt8 = 0
    /// Why the guest is stopped.
    var lastStop: StopReport?
    /// What was done at the last exit that stopped the guest, whose states are kept; nil if there was none.
    var lastExit: LastExit?

    public init(trace: TraceLevel) { self.trace = trace }

    // MARK: Requests

    /// Does what a frame asks, and answers it.
    /// - Returns: what the guest is to do; nil for what it is already doing.
    public mutating func perform<Access: VMCSAccess, Services: HostServices>(
        _ kind: UInt8, _ sequence: UInt8, _ payload: UnsafeRawBufferPointer,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) -> Decision? {
        // An answer or an event: the line is connected to itself.
        guard kind & Request.Kind.answerBit == 0 else { return nil }
        var decision: Decision?
        do throws(AgentFailure) {
            begin(kind, sequence)
            message.append(UInt8(0))
            decision = try act(kind, payload, cpu, host)
            if message.isCut { throw AgentFailure(.tooLong) }
        } catch {
            begin(kind, sequence)
            error.encode(to: &message)
            decision = nil
        }
        message.send { host.put($0) }
        if decision == .run { guest = .runs }
        return decision
    }

    private mutating func begin(_ kind: UInt8, _ sequence: UInt8) {
        message.begin(sequence: sequence, kind: kind | Request.Kind.answerBit)
    }

    private mutating func act<Access: VMCSAccess, Services: HostServices>(
        _ kind: UInt8, _ payload: UnsafeRawBufferPointer,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) throws(AgentFailure) -> Decision? {
        let request: Request
        do throws(AgentError) { request = try Request(kind: kind, payload) } catch { throw AgentFailure(error) }
        guard guest == .stands || guest == .ended || request.kind.needsNoStop else { throw AgentFailure(.notStopped) }
        switch request {
        case .run(let goal):
            if guest == .stands { try debugger.run(goal, cpu) }
            return .run
        case .stop: return guest == .runs ? .stop : nil
        case .reset: return .reset
        case .quit:
            isDismissed = true
            return .quit
        case .setRegister(let register, let value):
            let registers = GuestRegisters(cpu)
            try registers.write(value, to: register, host)
            message.append(registers.read(register))
        case .setField(let encoding, let value):
            let field = VMCSFieldEncoding(rawValue: UInt32(encoding))
            try GuestRegisters(cpu).write(value, to: field, host.capabilities)
            message.append(cpu.pointee.processor.vmcs.bits(of: field))
        case .setStop, .deleteStop, .deleteAllStops, .setTrap, .deleteTrap, .deleteAllTraps: try change(request, cpu, host)
        case .inject(let event): try inject(event, cpu)
        case .type(let bytes): try type(bytes, cpu, host)
        case .trace(let level): trace = level
        case .read(let space, let address, let count): try read(space, address, count, cpu, host)
        case .readWords(let space, let address, let count): try readWords(space, address, count, cpu, host)
        case .write(let space, let address, let bytes): try write(bytes, space, address, cpu)
        case .translate(let linear):
            guard let place = cpu.pointee.locate(GuestVirtualAddress(linear)) else { throw AgentFailure(.notMapped, linear) }
            message.append(place.rawValue)
        default: try tell(request, cpu, host)
        }
        return nil
    }

    // MARK: Events

    /// The agent is listening.
    public mutating func tellReady(_ host: some AgentHost) {
        begin(.ready)
        message.append(AgentFacts.currentVersion)
        send(host)
    }

    /// A guest begins.
    public mutating func tellStart(of name: Line, _ host: some AgentHost) {
        lastStop = nil
        lastExit = nil
        begin(.starting)
        name.withBytes { message.append($0) }
        send(host)
    }

    /// A line of the exits' trace.
    public mutating func tell(trace line: Line, _ host: some AgentHost) {
        begin(.trace)
        line.withBytes { message.append($0) }
        send(host)
    }

    /// The guest is now stopped.
    public mutating func tellStop<Access: VMCSAccess, Services: HostServices>(
        _ cause: StopReport.Cause, isBefore: Bool = false, isAsleep: Bool = false,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) {
        let report = StopReport(
            cause, isBefore: isBefore, isAsleep: isAsleep, exitCount: cpu.pointee.exitCount, cpu.pointee.codeAddress,
            linear: cpu.pointee.linearCodeAddress)
        lastStop = report
        guest = .stands
        begin(.stopped)
        report.encode(to: &message)
        send(host)
    }

    /// The guest has ended, and is stopped there.
    public mutating func tellEnd<Access: VMCSAccess, Services: HostServices>(
        _ ending: Ending?, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ host: some AgentHost
    ) {
        lastStop = StopReport(
            .end, isBefore: false, isAsleep: false, exitCount: cpu.pointee.exitCount, cpu.pointee.codeAddress,
            linear: cpu.pointee.linearCodeAddress)
        guest = .ended
        begin(.ended)
        EndReport(ending).encode(to: &message)
        send(host)
    }

    private mutating func begin(_ event: AgentEvent) { message.begin(sequence: eventCount, kind: event.rawValue) }

    private mutating func send(_ host: some AgentHost) {
        eventCount &+= 1
        message.send { host.put($0) }
    }

    // MARK: States

    /// Keeps the guest's state at an exit, before it is handled.
    public mutating func keepBefore<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) {
        StateSnapshot.take(cpu, host.capabilities, to: host.state(.before))
    }

    /// Inspection time did not pass for the guest; this adjustment is not a change made by the exit.
    public func noteSkippedTime<Access: VMCSAccess>(_ processor: VMXProcessor<Access>, _ host: some AgentHost) {
        host.state(.before).pointee.fields[.timeStampCounterOffset] = processor.vmcs[.timeStampCounterOffset]
    }

    /// Keeps the guest's state after an exit that stops it has been handled; the state before was kept earlier.
    /// - Parameter outcome: nil if nothing was done about it.
    public mutating func keepAfter<Access: VMCSAccess, Services: HostServices>(
        _ outcome: Outcome?, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ host: some AgentHost
    ) {
        lastExit = LastExit(outcome)
        StateSnapshot.take(cpu, host.capabilities, to: host.state(.after))
    }
}

import Memory
import Support
import Text
import Trace
import VMXChecks
import Virtualization

@testable import Debug
@testable import Machine
@testable import VMX

/// An agent of a guest on the simulated processor, with the line to it: tests send requests, read answers and events, and make
/// the guest exit.
final class AgentBench {
    let machine: TestMachine
    let states = UnsafeMutablePointer<StateSnapshot>.allocate(capacity: StateMoment.count)
    let memory = LoaderMemory()
    var agent = Agent(trace: .off)
    var decoder = FrameDecoder()
    var isFull = false
    /// What the pages of the guest's memory pass, by page number, where that is not everything.
    var protected: [UInt64: PassedAccesses] = [:]
    var typed: [UInt8] = []
    var sent: [UInt8] = []
    private(set) var decision: Agent.Decision?
    private var sequence: UInt8 = 0

    init(_ mode: TestMachine.Mode = .long64, hasTrapFlag: Bool = true, isShadowed: Bool = false) {
        machine = TestMachine(mode, isShadowed: isShadowed)
        states.initialize(repeating: StateSnapshot(), count: StateMoment.count)
        // Every MSR exits but C0000100H.
        for offset in UInt64(0)..<512 { machine.vmcs.physical[0x3000 + 8 * offset] = .max }
        machine.processor.setExits(at: .init(0xC000_0100), isWrite: false, to: false)
        machine.processor.setExits(at: .init(0xC000_0100), isWrite: true, to: false)
        agent.debugger.hasTrapFlag = hasTrapFlag
        agent.debugger.begin(machine.processor) { port.protect($0, $1, isForGood: $2) }
        agent.tellStart(of: "test", port)
        withCPU { $0.tellStop(.start, $1, port) }
        sent = []
    }

    deinit {
        states.deallocate()
    }

    var port: Port { Port(bench: self) }

    func withCPU<Result>(
        _ body: (inout Agent, UnsafeMutablePointer<VirtualCPU<VMXProcessor<SimulatedVMCS>, SimulatedHost>>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &machine.cpu) { body(&agent, $0) }
    }

    // MARK: The line

    /// Puts bytes on the line, whatever they are.
    /// - Returns: the frames that come back.
    @discardableResult
    func put(_ bytes: [UInt8]) -> [ReceivedFrame] {
        sent = []
        putQuietly(bytes)
        return frames(in: sent)
    }

    func putQuietly(_ bytes: [UInt8]) {
        for byte in bytes where decoder.take(byte) {
            let (kind, sequence) = (decoder.kind, decoder.sequence)
            let port = port
            let result = withUnsafeMutablePointer(to: &machine.cpu) { cpu in
                decoder.withPayload { agent.perform(kind, sequence, $0, cpu, port) }
            }
            if let result { decision = result }
        }
    }

    /// Sends a request.
    /// - Returns: what its answer holds behind "done".
    /// - Throws: the failure that it holds instead.
    @discardableResult
    func ask(_ request: Request) throws -> [UInt8] {
        decision = nil
        sequence &+= 1
        var message = Message()
        request.encode(sequence: sequence, to: &message)
        var bytes: [UInt8] = []
        message.send { bytes.append($0) }
        let answers = put(bytes)
        guard let answer = answers.first, answers.count == 1, answer.sequence == sequence,
            answer.kind == request.kind.answer, let status = answer.payload.first
        else { throw Silence() }
        let rest = Array(answer.payload.dropFirst())
        guard status != 0 else { return rest }
        throw rest.withUnsafeBytes { bytes -> any Error in
            var reader = MessageReader(bytes)
            return AgentFailure(status: status, &reader) ?? Silence() as any Error
        }
    }

    struct Silence: Error {}

    /// The same, and its answer as a value.
    func ask<Answer>(_ request: Request, _ decode: (inout MessageReader) -> Answer?) throws -> Answer {
        let bytes = try ask(request)
        guard
            let answer = bytes.withUnsafeBytes({ bytes -> Answer? in
                var reader = MessageReader(bytes)
                guard let answer = decode(&reader), reader.isAtEnd else { return nil }
                return answer
            })
        else { throw Silence() }
        return answer
    }

    /// Why a request is refused; nil if it is not.
    func failure(_ request: Request) -> AgentError? {
        do {
            try ask(request)
            return nil
        } catch let failure as AgentFailure {
            return failure.error
        } catch {
            return nil
        }
    }

    func read(_ space: AddressSpace, _ address: UInt64, _ count: UInt16) throws -> (MemoryAnswer.Fault?, [UInt8]) {
        try ask(.read(space, address: address, count: count)) { reader in
            MemoryAnswer(&reader).map { ($0.fault, Array(reader.rest())) }
        }
    }

    func write(_ space: AddressSpace, _ address: UInt64, _ bytes: [UInt8]) throws {
        _ = try bytes.withUnsafeBytes { try ask(.write(space, address: address, $0)) }
    }

    func state(_ moment: StateMoment, since base: StateMoment? = nil) throws -> StateSnapshot {
        try ask(.state(moment, changesSince: base)) { reader in
            var state = StateSnapshot()
            return state.take(&reader) ? state : nil
        }
    }

    // MARK: The machine

    /// Gives the machine memory in the one frame where it may be looked at: each word is its offset.
    func fillHostMemory() {
        for offset in UInt64(0)..<4096 where offset & 7 == 0 { memory.put(offset, 8, at: 0x20000 + offset) }
    }

    // MARK: The guest

    /// The host's request has come to the guest.
    func stop() {
        let port = port
        withCPU { $0.tellStop(.request, $1, port) }
    }

    /// Enters the guest, lets it exit, and does as the run loop does.
    /// - Returns: why it stands still then; nil if it goes on.
    @discardableResult
    func exit(
        _ reason: BasicExitReason, qualification: UInt64 = 0, length: UInt32 = 2, physical: UInt64 = 0, linear: UInt64 = 0,
        information: UInt32 = 0, details: UInt32 = 0, vectoring: UInt32 = 0
    ) -> StopReport? {
        withCPU { $0.debugger.prepareEntry($1) }
        machine.setExit(
            reason, qualification: qualification, length: length, physical: physical, linear: linear, information: information,
            details: details, vectoring: vectoring)
        let seen = machine.processor.decodeExit()
        let port = port
        sent = []
        return withCPU { agent, cpu in
            var cause: StopReport.Cause?
            var isBefore = false
            switch agent.debugger.judge(seen, cpu, protect: { port.protect($0, $1, isForGood: $2) }) {
            case .ignore: return nil
            case .stop(let found):
                (cause, isBefore) = (found, true)
                agent.keepBefore(cpu, port)
                agent.keepAfter(nil, cpu, port)
            case .handle(let exit, let found):
                cause = found
                agent.keepBefore(cpu, port)
                let outcome = TestMachine.CPU.handleExit(exit, cpu)
                cause = cause ?? agent.debugger.cause(behind: outcome, of: exit)
                if cause != nil { agent.keepAfter(outcome, cpu, port) }
            }
            guard let cause else { return nil }
            agent.tellStop(cause, isBefore: isBefore, cpu, port)
            guard let event = frames(in: self.sent).last, event.kind == AgentEvent.stopped.rawValue else { return nil }
            return event.payload.withUnsafeBytes { bytes in
                var reader = MessageReader(bytes)
                return StopReport(&reader)
            }
        }
    }

    struct Port: AgentHost {
        let bench: AgentBench

        func put(_ byte: UInt8) { bench.sent.append(byte) }
        func type(_ byte: UInt8) -> Bool {
            guard bench.typed.count < 40 else { return false }
            bench.typed.append(byte)
            return true
        }
        var capabilities: VMXCapabilities { bench.machine.vmcs.capabilities }
        var circumstances: EntryCircumstances {
            var circumstances = EntryCircumstances(bench.machine.host)
            circumstances.currentVMCS = HostPhysicalAddress(0xF000)
            return circumstances
        }
        var frequency: UInt64 { TestMachine.frequency }
        var states: UnsafeMutablePointer<StateSnapshot> { bench.states }
        var hostMemory: LoaderMemory { bench.memory }
        /// There is memory in one frame alone.
        func hasMemory(in frame: HostPhysicalAddress) -> Bool { frame.rawValue == 0x20000 }
        func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, isForGood: Bool) -> Bool {
            guard !bench.isFull else { return false }
            for page in range.start.rawValue >> 12..<range.end.rawValue >> 12 {
                bench.protected[page] = passed == .all ? nil : passed
            }
            return true
        }
    }
}

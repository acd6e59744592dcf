import Debug
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import VMXChecks
import Virtualization

/// The agent on the second serial port, and its own memory: itself, its frame decoder, and saved states of the guest under
/// study.
struct AgentSession {
    private let memory = agent_memory()!
    private let line = SerialLine.com2

    var agent: UnsafeMutablePointer<Agent> { memory.assumingMemoryBound(to: Agent.self) }

    private var decoder: UnsafeMutablePointer<FrameDecoder> {
        (memory + Self.decoderOffset).assumingMemoryBound(to: FrameDecoder.self)
    }

    var states: UnsafeMutablePointer<StateSnapshot> {
        (memory + Self.statesOffset).assumingMemoryBound(to: StateSnapshot.self)
    }

    private static var decoderOffset: Int { (MemoryLayout<Agent>.size + 15) & ~15 }
    private static var statesOffset: Int { decoderOffset + (MemoryLayout<FrameDecoder>.size + 15) & ~15 }
    static var size: Int { statesOffset + StateMoment.count * MemoryLayout<StateSnapshot>.stride }

    init(_ trace: TraceLevel) {
        line.open()
        agent.initialize(to: Agent(trace: trace))
        decoder.initialize(to: FrameDecoder())
        for index in 0..<StateMoment.count { (states + index).initialize(to: StateSnapshot()) }
    }

    /// The host wants no further guest either.
    var isDismissed: Bool { agent.pointee.isDismissed }

    /// Something has arrived on the line.
    var hasInput: Bool { line.hasInput }

    /// When to poll the line of a sleeping guest: a hundred times a second.
    func nextLook(after now: UInt64) -> UInt64 { now &+ Processor.current.pointee.timeStamp.frequency / 100 }

    func put(_ byte: UInt8) { line.put(byte) }

    // MARK: Answering

    /// Answers what has arrived, and waits for the rest of a request that has begun; the guest waits for nothing else.
    /// - Returns: whether it is to stop.
    func answerMeanwhile(_ cpu: UnsafeMutablePointer<HardwareCPU>, _ port: AgentPort) -> Bool {
        var wantsStop = false
        while let byte = next() {
            if take(byte, cpu, port) == .stop { wantsStop = true }
        }
        return wantsStop
    }

    /// The next byte; waits for it if a request has begun.
    private func next() -> UInt8? {
        if line.hasInput { return line.take() }
        guard decoder.pointee.isInside else { return nil }
        // 20 ms: more than a hundred bytes take.
        let start = read_tsc()
        while read_tsc() &- start < Processor.current.pointee.timeStamp.frequency / 50 {
            if line.hasInput { return line.take() }
            spin_pause()
        }
        return nil
    }

    /// Answers for a stopped guest until it is to do something else.
    @inline(never)
    func answer(_ cpu: UnsafeMutablePointer<HardwareCPU>, _ port: AgentPort) -> Agent.Decision {
        while true {
            if let decision = take(line.take(), cpu, port) { return decision }
        }
    }

    private func take(
        _ byte: UInt8, _ cpu: UnsafeMutablePointer<HardwareCPU>, _ port: AgentPort
    ) -> Agent.Decision? {
        guard decoder.pointee.take(byte) else { return nil }
        let (kind, sequence) = (decoder.pointee.kind, decoder.pointee.sequence)
        return decoder.pointee.withPayload { agent.pointee.perform(kind, sequence, $0, cpu, port) }
    }
}

/// What the kernel gives the agent.
struct AgentPort: AgentHost {
    let session: AgentSession
    let explanation: EntryExplanation
    let protector: PageProtector

    var capabilities: VMXCapabilities { explanation.capabilities }
    var circumstances: EntryCircumstances { explanation.circumstances }
    var frequency: UInt64 { Processor.current.pointee.timeStamp.frequency }
    var hostMemory: IdentityMemory { .init() }
    var states: UnsafeMutablePointer<StateSnapshot> { session.states }

    func put(_ byte: UInt8) { session.put(byte) }
    func type(_ byte: UInt8) -> Bool { Console.withLock { $0.input.append(byte) } }
    func hasMemory(in frame: HostPhysicalAddress) -> Bool { protector.machine.pointee.showsMemory(in: frame) }
    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, isForGood: Bool) -> Bool {
        protector.protect(range, passed, isForGood)
    }
}

/// Changes the guest's EPT while the run loop has it.
struct PageProtector {
    let guest: UnsafeMutablePointer<GuestMachine>
    let machine: UnsafeMutablePointer<HostMachine>

    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, _ isForGood: Bool) -> Bool {
        guest.pointee.protect(range, passed, merges: isForGood, on: &machine.pointee)
    }
}

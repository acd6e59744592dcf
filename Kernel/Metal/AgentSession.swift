import Debug
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import VMXChecks
import Virtualization

/// The agent on the second serial port, with what it keeps in memory of its own: itself, the decoder of its frames, and states
/// of the guest that is studied.
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

    /// Whoever studies the guests wants no other either.
    var isDismissed: Bool { agent.pointee.isDismissed }

    /// Something has come on the line.
    var hasInput: Bool { line.hasInput }

    /// When a sleeping guest's line is to be looked at: a hundred times a second.
    func nextLook(after now: UInt64) -> UInt64 { now &+ Processor.current.pointee.timeStamp.frequency / 100 }

    func put(_ byte: UInt8) { line.put(byte) }

    // MARK: Answering

    /// Answers what has come, and the rest of a request that has begun to; the guest waits for nothing else.
    /// - Returns: whether it is to stop.
    func answerMeanwhile(_ cpu: UnsafeMutablePointer<HardwareCPU>, _ port: AgentPort) -> Bool {
        var wantsStop = false
        while let byte = next() {
            if take(byte, cpu, port) == .stop { wantsStop = true }
        }
        return wantsStop
    }

    /// The next byte; of a request that has begun, also one that has not come yet.
    private func next() -> UInt8? {
        if line.hasInput { return line.take() }
        guard decoder.pointee.isInside else { return nil }
        // 20 ms: more than a hundred bytes' time.
        let start = read_tsc()
        while read_tsc() &- start < Processor.current.pointee.timeStamp.frequency / 50 {
            if line.hasInput { return line.take() }
            spin_pause()
        }
        return nil
    }

    /// Answers for a guest that stands still, until it is to do something else.
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

/// What the agent has of the kernel.
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

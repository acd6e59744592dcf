import Debug
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import VMXChecks
import Virtualization

/// The agent on the second serial port, for the one guest that is studied at a time.
enum AgentSession {
    nonisolated(unsafe) private(set) static var isOn = false
    /// The person at the other end wants no other guest either.
    nonisolated(unsafe) static var isDismissed = false

    // In memory of their own, one behind the other.

    static var agent: UnsafeMutablePointer<Agent> { agent_memory()!.assumingMemoryBound(to: Agent.self) }

    private static var decoder: UnsafeMutablePointer<FrameDecoder> {
        (agent_memory()! + decoderOffset).assumingMemoryBound(to: FrameDecoder.self)
    }

    static var states: UnsafeMutablePointer<StateSnapshot> {
        (agent_memory()! + statesOffset).assumingMemoryBound(to: StateSnapshot.self)
    }

    private static var decoderOffset: Int { (MemoryLayout<Agent>.size + 15) & ~15 }
    private static var statesOffset: Int { decoderOffset + (MemoryLayout<FrameDecoder>.size + 15) & ~15 }
    private static var size: Int { statesOffset + StateMoment.count * MemoryLayout<StateSnapshot>.stride }

    static func open(_ trace: TraceLevel) {
        precondition(size <= Int(agent_memory_size()))
        SerialLine.com2.open()
        agent.initialize(to: Agent(trace: trace))
        decoder.initialize(to: FrameDecoder())
        for index in 0..<StateMoment.count { (states + index).initialize(to: StateSnapshot()) }
        isOn = true
    }

    /// Something has come on the line.
    static var hasInput: Bool { isOn && SerialLine.com2.hasInput }

    /// When a sleeping guest's line is to be looked at.
    static func nextLook(after now: UInt64) -> UInt64 { isOn ? now &+ Processor.current.pointee.timeStamp.frequency / 100 : .max }

    // MARK: Answering

    /// Answers what has come, and the rest of a request that has begun to; the guest waits for nothing else.
    /// - Returns: whether it is to stop.
    static func answerMeanwhile(_ cpu: UnsafeMutablePointer<HardwareCPU>, _ port: AgentPort) -> Bool {
        var wantsStop = false
        while let byte = next() {
            if take(byte, cpu, port) == .stop { wantsStop = true }
        }
        return wantsStop
    }

    /// The next byte; of a request that has begun, also one that has not come yet.
    private static func next() -> UInt8? {
        if SerialLine.com2.hasInput { return SerialLine.com2.take() }
        guard decoder.pointee.isInside else { return nil }
        // 20 ms: more than a hundred bytes' time.
        let start = read_tsc()
        while read_tsc() &- start < Processor.current.pointee.timeStamp.frequency / 50 {
            if SerialLine.com2.hasInput { return SerialLine.com2.take() }
            spin_pause()
        }
        return nil
    }

    /// Answers for a guest that stands still, until it is to do something else.
    @inline(never)
    static func answer(_ cpu: UnsafeMutablePointer<HardwareCPU>, _ port: AgentPort) -> Agent.Decision {
        while true {
            if let decision = take(SerialLine.com2.take(), cpu, port) { return decision }
        }
    }

    private static func take(
        _ byte: UInt8, _ cpu: UnsafeMutablePointer<HardwareCPU>, _ port: AgentPort
    ) -> Agent.Decision? {
        guard decoder.pointee.take(byte) else { return nil }
        let (kind, sequence) = (decoder.pointee.kind, decoder.pointee.sequence)
        return decoder.pointee.withPayload { agent.pointee.perform(kind, sequence, $0, cpu, port) }
    }
}

/// What the agent has of the kernel.
struct AgentPort: AgentHost {
    let explanation: EntryExplanation
    let statistics: UnsafePointer<ExitStatistics>
    let protector: PageProtector

    var capabilities: VMXCapabilities { explanation.capabilities }
    var circumstances: EntryCircumstances { explanation.circumstances }
    var frequency: UInt64 { Processor.current.pointee.timeStamp.frequency }
    var hostMemory: IdentityMemory { .init() }
    var states: UnsafeMutablePointer<StateSnapshot> { AgentSession.states }

    func put(_ byte: UInt8) { SerialLine.com2.put(byte) }
    func type(_ byte: UInt8) -> Bool { SerialInput.append(byte) }
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

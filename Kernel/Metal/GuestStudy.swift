import Debug
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

/// A guest under study: it starts stopped, and at each exit the debugger decides whether it stops again.
struct GuestStudy {
    typealias CPU = HardwareCPU

    /// Why the guest is to stop, and whether the exit at which it stops is still unhandled.
    private struct Standstill {
        let cause: StopReport.Cause
        let isBefore: Bool
    }

    private let port: AgentPort
    private var standstill: Standstill?
    /// Why it is to stop after the exit that is being handled.
    private var stopCause: StopReport.Cause?
    /// The host has decided how the guest ends.
    private var isEndDecided = false

    private var agent: UnsafeMutablePointer<Agent> { port.session.agent }

    init(_ port: AgentPort) { self.port = port }

    /// The guest starts stopped.
    /// - Parameter probesTrapFlag: finds out whether the processor has a monitor trap flag, before any stop on memory is set
    ///   again that the probe could meet.
    /// - Returns: how the guest ends, if it does.
    mutating func begin(_ cpu: CPU.Pointer, probesTrapFlag: () -> Bool) -> Ending? {
        if probesTrapFlag() { agent.pointee.debugger.hasTrapFlag = true }
        agent.pointee.debugger.begin(cpu.pointee.processor) { port.protector.protect($0, $1, $2) }
        agent.pointee.tellReady(port)
        agent.pointee.tellStart(of: cpu.pointee.machine.pointee.name, port)
        return stand(Standstill(cause: .start, isBefore: false), cpu)
    }

    func prepareEntry(_ cpu: CPU.Pointer) { agent.pointee.debugger.prepareEntry(cpu) }

    /// Holds the guest if the last exit stopped it.
    /// - Returns: how it ends, if it does.
    mutating func hold(_ cpu: CPU.Pointer) -> Ending? {
        guard let standstill else { return nil }
        return stand(standstill, cpu)
    }

    /// Holds the guest, and answers until it is to go on. That time does not pass for it.
    /// - Returns: how it ends, if it does.
    @inline(never)  // its stack space must not count for its callers
    private mutating func stand(_ still: Standstill, isAsleep: Bool = false, _ cpu: CPU.Pointer) -> Ending? {
        let decision = Self.hidingTime(cpu) {
            agent.pointee.tellStop(still.cause, isBefore: still.isBefore, isAsleep: isAsleep, cpu, port)
            return port.session.answer(cpu, port)
        }
        return ending(decision)
    }

    /// How the guest ends by that decision; nil if it goes on.
    private mutating func ending(_ decision: Agent.Decision) -> Ending? {
        switch decision {
        case .run, .stop: return nil
        case .reset, .quit:
            isEndDecided = true
            return decision == .reset ? .reset : .dismissed
        }
    }

    /// The guest has ended, and can still be inspected.
    /// - Returns: how it ends, perhaps differently.
    mutating func end(_ ending: Ending?, _ cpu: CPU.Pointer) -> Ending? {
        if isEndDecided { return ending }
        agent.pointee.tellEnd(ending, cpu, port)
        return self.ending(port.session.answer(cpu, port)) ?? ending
    }

    /// Answers while the guest sleeps.
    /// - Returns: how it ends, if it does.
    mutating func holdAsleep(_ cpu: CPU.Pointer) -> Ending? {
        let wantsStop = Self.hidingTime(cpu) { port.session.answerMeanwhile(cpu, port) }
        return wantsStop ? stand(Standstill(cause: .request, isBefore: false), isAsleep: true, cpu) : nil
    }

    /// Decides what to handle for an exit, unless it is the debugger's own or stops the guest first.
    mutating func judge(_ seen: ObservedExit, _ cpu: CPU.Pointer) -> Exit? {
        standstill = nil
        stopCause = nil
        switch agent.pointee.debugger.judge(seen.exit, cpu, protect: { port.protector.protect($0, $1, $2) }) {
        case .ignore: return nil
        case .stop(let cause):
            // A stop was displaced at the end of a step, which is not an exit of the guest's own.
            if case .displaced = cause {} else { tell(seen.line(nil, cpu), cpu) }
            agent.pointee.keepBefore(cpu, port)
            agent.pointee.keepAfter(nil, cpu, port)
            standstill = Standstill(cause: cause, isBefore: true)
            return nil
        case .handle(let exit, let found):
            stopCause = port.session.hasInput && port.session.answerMeanwhile(cpu, port) ? .request : found
            let isNoted = stopCause != nil || agent.pointee.debugger.mayStop(behind: exit)
            if isNoted { agent.pointee.keepBefore(cpu, port) }
            // Inspection takes no time for the guest.
            cpu.pointee.skipTime(read_tsc() &- seen.arrival)
            if isNoted { agent.pointee.noteSkippedTime(cpu.pointee.processor, port) }
            return exit
        }
    }

    /// Stops the guest after an exit if the debugger or the host wants that, or the guest has ended.
    mutating func didHandle(_ seen: ObservedExit, as exit: Exit, _ outcome: Outcome, _ cpu: CPU.Pointer) {
        stopCause = stopCause ?? agent.pointee.debugger.cause(behind: outcome, of: exit)
        var isEnd = false
        if case .end = outcome { isEnd = true }
        if isEnd, stopCause == nil { agent.pointee.keepBefore(cpu, port) }
        let trace = agent.pointee.trace
        guard stopCause != nil || isEnd || trace >= .exits else { return }
        tell(seen.line(outcome, cpu), cpu)
        if trace == .full { tell(seen.causeLine, cpu) }
        guard stopCause != nil || isEnd else { return }
        // A step's own debug exception, or window, is the debugger's.
        agent.pointee.keepAfter(exit == seen.exit ? outcome : nil, cpu, port)
        if let stopCause, !isEnd { standstill = Standstill(cause: stopCause, isBefore: false) }
    }

    /// The line takes milliseconds, which do not pass for the guest: with a timer, it would do nothing but serve interrupts.
    private func tell(_ line: Line, _ cpu: CPU.Pointer) {
        Self.hidingTime(cpu) { agent.pointee.tell(trace: line, port) }
    }

    /// Does something that takes no time for the guest.
    private static func hidingTime<Result>(_ cpu: CPU.Pointer, _ body: () -> Result) -> Result {
        let start = read_tsc()
        defer { cpu.pointee.skipTime(read_tsc() &- start) }
        return body()
    }
}

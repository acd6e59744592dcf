import Debug
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

// A guest under study: it starts stopped, and at each exit the debugger decides whether it stops again.

extension GuestRun {
    /// Why the guest is to stand still, and whether nothing was done yet about the exit at which it stands.
    struct Standstill {
        let cause: StopReport.Cause
        let isBefore: Bool
    }

    private var port: AgentPort {
        AgentPort(explanation: explanation, statistics: statistics, protector: protector)
    }

    /// The guest starts stopped.
    mutating func beginStudy(_ name: Line, _ cpu: CPU.Pointer) -> Ending? {
        // Before any stop on memory is set anew that the probe could meet.
        if offersTrapFlag, !options.stepsByTrapFlag {
            AgentSession.agent.pointee.debugger.hasTrapFlag = TrapFlagProbe(cpu: cpu).run { enter(cpu) }
        }
        let protector = protector
        AgentSession.agent.pointee.debugger.begin(cpu.pointee.processor) { protector.protect($0, $1, $2) }
        AgentSession.agent.pointee.tellReady(port)
        AgentSession.agent.pointee.tellStart(of: name, port)
        return stand(Standstill(cause: .start, isBefore: false), cpu)
    }

    /// Lets the guest stand still, and answers until it is to go on. That time does not pass for it.
    /// - Returns: how it ends, if it does.
    @inline(never)  // its room on the stack is not for whoever calls it to have
    mutating func stand(_ still: Standstill, isAsleep: Bool = false, _ cpu: CPU.Pointer) -> Ending? {
        let start = read_tsc()
        let port = port
        AgentSession.agent.pointee.tellStop(still.cause, isBefore: still.isBefore, isAsleep: isAsleep, cpu, port)
        let decision = AgentSession.answer(cpu, port)
        cpu.pointee.skipTime(read_tsc() &- start)
        return ending(decision)
    }

    /// How the guest ends by what was decided; nil if it goes on.
    private mutating func ending(_ decision: Agent.Decision) -> Ending? {
        switch decision {
        case .run, .stop: return nil
        case .reset:
            isEndDecided = true
            return .reset
        case .quit:
            isEndDecided = true
            AgentSession.isDismissed = true
            return .dismissed
        }
    }

    /// The guest is at its end, and can be looked at still.
    /// - Returns: how it ends, be it otherwise.
    mutating func endStudy(_ ending: Ending?, _ cpu: CPU.Pointer) -> Ending? {
        if isEndDecided { return ending }
        let port = port
        AgentSession.agent.pointee.tellEnd(ending, cpu, port)
        return self.ending(AgentSession.answer(cpu, port)) ?? ending
    }

    /// Answers while the guest sleeps.
    /// - Returns: how it ends, if it does.
    mutating func studyAsleep(_ cpu: CPU.Pointer) -> Ending? {
        let start = read_tsc()
        let wantsStop = AgentSession.answerMeanwhile(cpu, port)
        cpu.pointee.skipTime(read_tsc() &- start)
        return wantsStop ? stand(Standstill(cause: .request, isBefore: false), isAsleep: true, cpu) : nil
    }

    /// Decides about an exit: what is to be handled, unless it is the debugger's own or stops the guest before.
    mutating func study(_ seen: ObservedExit, _ cpu: CPU.Pointer) -> Exit? {
        standstill = nil
        stopCause = nil
        let port = port
        let protector = protector
        switch AgentSession.agent.pointee.debugger.judge(seen.exit, cpu, protect: { protector.protect($0, $1, $2) }) {
        case .ignore: return nil
        case .stop(let cause):
            // What had to go, went at the end of a step, which is no exit of the guest's.
            if case .displaced = cause {} else { tell(line(seen, nil, cpu), port) }
            AgentSession.agent.pointee.keepBefore(cpu, port)
            AgentSession.agent.pointee.keepAfter(nil, cpu, port)
            standstill = Standstill(cause: cause, isBefore: true)
            return nil
        case .handle(let exit, let found):
            stopCause = AgentSession.hasInput && AgentSession.answerMeanwhile(cpu, port) ? .request : found
            if stopCause != nil { AgentSession.agent.pointee.keepBefore(cpu, port) }
            // What was looked at took no time.
            cpu.pointee.skipTime(read_tsc() &- seen.arrival)
            if stopCause != nil { AgentSession.agent.pointee.noteSkippedTime(cpu.pointee.processor, port) }
            return exit
        }
    }

    /// Has the guest stand still behind an exit if the debugger wants that, or the host does, or the guest is at its end.
    mutating func didStudy(_ seen: ObservedExit, as exit: Exit, _ outcome: Outcome, _ cpu: CPU.Pointer) {
        let port = port
        var isEnd = false
        if case .end = outcome { isEnd = true }
        if isEnd, stopCause == nil { AgentSession.agent.pointee.keepBefore(cpu, port) }
        let trace = AgentSession.agent.pointee.trace
        guard stopCause != nil || isEnd || trace >= .exits else { return }
        tell(line(seen, outcome, cpu), port)
        if trace == .full { tell(cause(seen), port) }
        guard stopCause != nil || isEnd else { return }
        // A step's own debug exception, or window, is the debugger's.
        AgentSession.agent.pointee.keepAfter(exit == seen.exit ? outcome : nil, cpu, port)
        if let stopCause, !isEnd { standstill = Standstill(cause: stopCause, isBefore: false) }
    }

    private func tell(_ line: Line, _ port: AgentPort) { AgentSession.agent.pointee.tell(trace: line, port) }
}

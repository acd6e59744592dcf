import Debug
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

// The run loop of a guest under study: it starts stopped, and at each exit the debugger decides whether it stops again.

extension RunLoop {
    /// Why the guest is to stand still, and whether nothing was done yet about the exit at which it stands.
    struct Standstill {
        let cause: StopReport.Cause
        let isBefore: Bool
    }

    private func port(_ statistics: UnsafePointer<ExitStatistics>) -> AgentPort {
        AgentPort(explanation: explanation, statistics: statistics, protector: protector)
    }

    /// The guest starts stopped.
    mutating func beginStudy(_ name: Line, _ statistics: inout ExitStatistics) -> Ending? {
        // Before any stop on memory is set anew that the probe could meet.
        if offersTrapFlag, !options.stepsByTrapFlag {
            AgentSession.agent.pointee.debugger.hasTrapFlag = TrapFlagProbe(cpu: cpu).run { enter() }
        }
        let protector = protector
        AgentSession.agent.pointee.debugger.begin(cpu.pointee.processor) { protector.protect($0, $1, $2) }
        AgentSession.agent.pointee.tellReady(port(&statistics))
        AgentSession.agent.pointee.tellStart(of: name, port(&statistics))
        return stand(Standstill(cause: .start, isBefore: false), &statistics)
    }

    /// Lets the guest stand still, and answers until it is to go on. That time does not pass for it.
    /// - Returns: how it ends, if it does.
    @inline(never)  // its room on the stack is not for whoever calls it to have
    mutating func stand(_ still: Standstill, isAsleep: Bool = false, _ statistics: inout ExitStatistics) -> Ending? {
        let start = read_tsc()
        let port = port(&statistics)
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
    mutating func endStudy(_ ending: Ending?, _ statistics: inout ExitStatistics) -> Ending? {
        if isEndDecided { return ending }
        let port = port(&statistics)
        AgentSession.agent.pointee.tellEnd(ending, cpu, port)
        return self.ending(AgentSession.answer(cpu, port)) ?? ending
    }

    /// Answers while the guest sleeps.
    /// - Returns: how it ends, if it does.
    mutating func studyAsleep(_ statistics: inout ExitStatistics) -> Ending? {
        let start = read_tsc()
        let wantsStop = AgentSession.answerMeanwhile(cpu, port(&statistics))
        cpu.pointee.skipTime(read_tsc() &- start)
        return wantsStop ? stand(Standstill(cause: .request, isBefore: false), isAsleep: true, &statistics) : nil
    }

    /// Handles an exit unless it is the debugger's own, and has the guest stand still if it wants that, or the host does.
    mutating func study(_ statistics: inout ExitStatistics) {
        let arrival = read_tsc()
        let ticks = arrival &- lastEntry
        let reason = cpu.pointee.processor.exitReasonNumber
        let seen = cpu.pointee.processor.decodeExit()
        standstill = nil
        cpu.pointee.passOver()
        let port = port(&statistics)
        let protector = protector
        let place = cpu.pointee.codeAddress
        let before = cpu.pointee.registers
        let judgement = AgentSession.agent.pointee.debugger.judge(seen, cpu) { protector.protect($0, $1, $2) }
        switch judgement {
        case .ignore: break
        case .stop(let cause):
            // What had to go, went at the end of a step, which is no exit of the guest's.
            if case .displaced = cause {} else { tell(line(seen, reason, place, before, nil, guestTicks: ticks), port) }
            AgentSession.agent.pointee.keepBefore(cpu, port)
            AgentSession.agent.pointee.keepAfter(nil, cpu, port)
            standstill = Standstill(cause: cause, isBefore: true)
        case .handle(let exit, let found):
            let cause = AgentSession.hasInput && AgentSession.answerMeanwhile(cpu, port) ? .request : found
            if cause != nil { AgentSession.agent.pointee.keepBefore(cpu, port) }
            // What was looked at took no time.
            let start = read_tsc()
            cpu.pointee.skipTime(start &- arrival)
            if cause != nil { AgentSession.agent.pointee.noteSkippedTime(cpu.pointee.processor, port) }
            let outcome = HardwareCPU.handleExit(exit, cpu)
            statistics.record(reason: reason, guestTicks: ticks, ticks: read_tsc() &- start)
            var isEnd = false
            if case .end = outcome { isEnd = true }
            if isEnd, cause == nil { AgentSession.agent.pointee.keepBefore(cpu, port) }
            let trace = AgentSession.agent.pointee.trace
            guard cause != nil || isEnd || trace >= .exits else { return }
            tell(line(seen, reason, place, before, outcome, guestTicks: ticks), port)
            if trace == .full { tell(self.cause(reason), port) }
            guard cause != nil || isEnd else { return }
            // A step's own debug exception, or window, is the debugger's.
            AgentSession.agent.pointee.keepAfter(exit == seen ? outcome : nil, cpu, port)
            if let cause, !isEnd { standstill = Standstill(cause: cause, isBefore: false) }
        }
    }

    private func tell(_ line: Line, _ port: AgentPort) { AgentSession.agent.pointee.tell(trace: line, port) }
}

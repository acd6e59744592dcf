import Instructions
import Machine
import Memory
import Study
import Text
import Trace
import VMX
import Virtualization
import X86

// The run loop where the monitor looks on.

extension RunLoop {
    /// The guest starts stopped.
    mutating func beginStudy(_ statistics: inout ExitStatistics) -> Ending? {
        beginMonitoring()
        return prompt("stopped before the first VM entry, at \(cpu.pointee.codeAddress)", &statistics)
    }

    /// Readies the monitor for a guest.
    mutating func beginMonitoring() {
        // Before any breakpoint on memory is set anew that the probe could meet.
        if offersTrapFlag, !options.stepsByTrapFlag {
            MonitorSession.monitor.hasTrapFlag = TrapFlagProbe(cpu: cpu).run { enter() }
        }
        let protector = protector
        MonitorSession.monitor.begin(cpu.pointee.processor) { protector.protect($0, $1, $2) }
    }

    /// Asks what is to be done with the guest, which stands still.
    /// - Returns: how it ends, if it does.
    func prompt(_ place: Line, _ statistics: inout ExitStatistics) -> Ending? {
        MonitorSession.prompt(cpu, place, &statistics, explanation, protector)
    }

    /// Handles an exit unless it is the monitor's own, and stops the guest if the monitor wants that.
    mutating func study(_ statistics: inout ExitStatistics) {
        let arrival = read_tsc()
        let ticks = arrival &- lastEntry
        let reason = cpu.pointee.processor.exitReasonNumber
        let seen = cpu.pointee.processor.decodeExit()
        stop = nil
        cpu.pointee.passOver()
        guard let exit = MonitorSession.monitor.finishEntry(seen, cpu) else { return }
        let before = cpu.pointee.registers
        let place = cpu.pointee.codeAddress
        let protector = protector
        switch MonitorSession.monitor.intercept(exit, cpu, protect: { protector.protect($0, $1, $2) }) {
        case .none: break
        case .resume: return
        case .stop(let why):
            if exit != .monitorTrap { MonitorSession.print(line(seen, reason, place, before, nil, guestTicks: ticks)) }
            stop = "stopped by \(why), at \(place)"
            MonitorSession.takeBefore(cpu, explanation)
            return MonitorSession.note(seen, nil, cpu, explanation)
        }
        var why = MonitorSession.monitor.stops(at: exit, cpu.pointee.processor, before)
        if MonitorSession.isStopRequested {
            MonitorSession.forgetKey()
            why = "a key"
        }
        if why != nil { MonitorSession.takeBefore(cpu, explanation) }
        // What was looked at took no time.
        let start = MonitorSession.skipTime(since: arrival, cpu, explanation)
        let outcome = HardwareCPU.handleExit(exit, cpu)
        statistics.record(reason: reason, guestTicks: ticks, ticks: read_tsc() &- start)
        if case .end = outcome {
            if why == nil { MonitorSession.takeBefore(cpu, explanation) }
            why = "the guest's end"
        }
        let trace = MonitorSession.monitor.trace
        guard why != nil || trace >= .exits else { return }
        MonitorSession.print(line(seen, reason, place, before, outcome, guestTicks: ticks))
        if trace == .full { MonitorSession.print(cause(reason)) }
        guard let why else { return }
        stop = "stopped by \(why), at \(cpu.pointee.codeAddress)"
        // A step's own debug exception, or window, is the monitor's.
        MonitorSession.note(seen, exit == seen ? outcome : nil, cpu, explanation)
    }
}

import Instructions
import Machine
import Memory
import Study
import Text
import Trace
import VMX
import Virtualization
import X86

// What the run loop does where a debugger is served.

extension RunLoop {
    /// The guest starts stopped.
    mutating func beginDebugging(_ statistics: inout ExitStatistics) -> Ending? {
        beginMonitoring()
        return serveDebugger(.start, &statistics)
    }

    /// Handles an exit, and decides whether it stops the guest for the debugger.
    mutating func debug(_ statistics: inout ExitStatistics) {
        let arrival = read_tsc()
        let reason = cpu.pointee.processor.exitReasonNumber
        let seen = cpu.pointee.processor.decodeExit()
        debugStop = nil
        cpu.pointee.passOver()
        guard let exit = MonitorSession.monitor.finishEntry(seen, cpu) else { return }
        let before = cpu.pointee.registers
        guard !isForDebugger(exit, before) else { return }
        if MonitorSession.monitor.stops(at: exit, cpu.pointee.processor, before) != nil { debugStop = metWatch ?? .step }
        if DebugSession.takesInterrupt() { debugStop = .interrupt }
        if debugStop != nil { MonitorSession.takeBefore(cpu, explanation) }
        // What was looked at took no time.
        let start = MonitorSession.skipTime(since: arrival, cpu, explanation)
        let outcome = HardwareCPU.handleExit(exit, cpu)
        statistics.record(reason: reason, guestTicks: arrival &- lastEntry, ticks: read_tsc() &- start)
        if debugStop != nil { MonitorSession.note(seen, outcome, cpu, explanation) }
        if case .end = outcome { debugStop = nil }
    }

    /// Whether an exit is of the debugger's making: nobody else is to handle it.
    private mutating func isForDebugger(_ exit: Exit, _ before: GeneralRegisters) -> Bool {
        if case .exception(let exception) = exit, exception.vector == .breakpoint, isOwnBreakpoint {
            debugStop = .softwareBreakpoint
            return true
        }
        let protector = protector
        switch MonitorSession.monitor.intercept(exit, cpu, protect: { protector.protect($0, $1, $2) }) {
        case .none: return false
        case .resume: break
        case .stop:
            if let met = MonitorSession.monitor.metBreakpoint, MonitorSession.monitor.debugWatch(met) != nil {
                debugStop = .hardwareBreakpoint
            } else if let watch = MonitorSession.monitor.metDebugWatch {
                // GDB wants to be told when the access has been made.
                metWatch = .watchpoint(watch.kind, watch.address)
                MonitorSession.monitor.step()
            } else {
                debugStop = .step  // a breakpoint of the monitor's own
            }
        }
        return true
    }

    /// Whether the debugger put the INT3 at RIP there.
    private var isOwnBreakpoint: Bool {
        guard let place = cpu.pointee.locateInstruction() else { return false }
        return DebugSession.server.pointee.ownsBreakpoint(at: place)
    }

    /// Serves the debugger until the guest is to run.
    /// - Returns: how it ends, if it does.
    mutating func serveDebugger(_ reason: DebugStop.Reason, _ statistics: inout ExitStatistics) -> Ending? {
        let start = read_tsc()
        debugStop = nil
        metWatch = nil
        let (resumption, decision) = withUnsafePointer(to: &statistics) { statistics in
            let services = HardwareDebugServices(
                port: MonitorPort(explanation: explanation, statistics: statistics), protector: protector)
            return withUnsafeMutablePointer(to: &MonitorSession.monitor) { monitor in
                var target = GuestTarget(cpu, monitor, services)
                var port = DebugPort()
                let resumption = DebugSession.server.pointee.serve(DebugStop(reason), of: &target, over: &port)
                return (resumption, target.decision)
            }
        }
        cpu.pointee.skipTime(read_tsc() &- start)
        switch resumption {
        case .step: MonitorSession.monitor.step()
        case .continue, .detach: MonitorSession.monitor.run()
        case .command: if let ending = MonitorSession.ending(decision) { return ending }
        case .kill: return MonitorSession.dismiss()
        }
        let processor = cpu.pointee.processor
        let bitmap = MonitorSession.monitor.exceptionBitmap
        let breakpoint: UInt32 = 1 << 3
        MonitorSession.monitor.exceptionBitmap =
            options.seesExceptions || DebugSession.server.pointee.usesSoftwareBreakpoints ? bitmap | breakpoint : bitmap & ~breakpoint
        MonitorSession.monitor.passBreakpoint(processor)
        return nil
    }

    /// Tells a debugger that the guest has ended.
    mutating func endDebugging(_ ending: Ending, _ statistics: inout ExitStatistics) {
        if case .dismissed = ending { return }
        var status: UInt8 = 0
        if case .debugExit(let value) = ending { status = UInt8(truncatingIfNeeded: value) }
        _ = serveDebugger(.exit(status), &statistics)
    }
}

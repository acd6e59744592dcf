import Instructions
import Machine
import Memory
import Study
import Text
import Trace
import VMX
import VMXChecks
import Virtualization

/// The monitor on the second serial port.
enum MonitorSession {
    nonisolated(unsafe) private(set) static var isOn = false
    /// The person wants no other guest either.
    nonisolated(unsafe) private(set) static var isDismissed = false
    nonisolated(unsafe) static var monitor = Monitor()

    static func open(_ trace: TraceLevel) {
        SerialLine.com2.open()
        monitor.trace = trace
        isOn = true
    }

    /// Something was typed, which stops a running guest.
    static var isStopRequested: Bool { isOn && SerialLine.com2.hasInput }

    /// When a sleeping guest's monitor is to be looked at.
    static func nextLook(after now: UInt64) -> UInt64 { isOn || DebugSession.isOn ? now &+ TimeStamp.frequency / 100 : .max }

    /// Prints a line of the trace's, between the answers.
    static func print(_ text: Line) {
        for position in 0..<text.count { SerialLine.com2.put(text[position]) }
        SerialLine.com2.put(0x0A)
    }

    /// Asks what is to be done with a guest that stands still.
    /// - Returns: how it ends, if it does.
    @inline(never)  // its room on the stack is not for whoever calls it to have
    static func prompt(
        _ cpu: UnsafeMutablePointer<HardwareCPU>, _ place: Line, _ statistics: inout ExitStatistics,
        _ explanation: EntryExplanation, _ protector: PageProtector
    ) -> Ending? {
        let start = read_tsc()
        let decision = withUnsafePointer(to: &statistics) { statistics in
            var port = MonitorPort(explanation: explanation, statistics: statistics)
            return monitor.prompt(cpu, place, on: &port, protect: { protector.protect($0, $1, $2) })
        }
        cpu.pointee.skipTime(read_tsc() &- start)
        return ending(decision)
    }

    /// How the guest ends by what a person decided; nil if it goes on.
    static func ending(_ decision: Monitor.Decision) -> Ending? {
        switch decision {
        case .run: nil
        case .reset: .reset
        case .quit: dismiss()
        }
    }

    /// Ends the guest and the machine.
    static func dismiss() -> Ending {
        isDismissed = true
        return .dismissed
    }

    /// Takes the guest down as it is at an exit.
    static func takeBefore(_ cpu: UnsafeMutablePointer<HardwareCPU>, _ explanation: EntryExplanation) {
        monitor.take(.before, cpu, MonitorPort(explanation: explanation))
    }

    /// Lets the time since a moment not have passed for the guest.
    static func skipTime(
        since moment: UInt64, _ cpu: UnsafeMutablePointer<HardwareCPU>, _ explanation: EntryExplanation
    ) -> UInt64 {
        let now = read_tsc()
        cpu.pointee.skipTime(now &- moment)
        monitor.noteSkippedTime(cpu.pointee.processor, MonitorPort(explanation: explanation))
        return now
    }

    /// Keeps what an exit was, for the monitor.
    static func note(
        _ exit: Exit, _ outcome: Outcome?, _ cpu: UnsafeMutablePointer<HardwareCPU>, _ explanation: EntryExplanation
    ) {
        monitor.note(exit, outcome, cpu, MonitorPort(explanation: explanation))
    }

    /// What was typed while the guest ran is not a command.
    static func forgetKey() {
        while SerialLine.com2.hasInput, SerialLine.com2.take() != 0x0A {}
    }
}

/// The monitor's end of the line.
struct MonitorPort: MonitorHost {
    let explanation: EntryExplanation
    var statistics: UnsafePointer<ExitStatistics>?

    var capabilities: VMXCapabilities { explanation.capabilities }
    var circumstances: EntryCircumstances { explanation.circumstances }
    var pageFaultAddress: UInt64 { read_cr2() }
    var hostMemory: IdentityMemory { .init() }
    var states: UnsafeMutablePointer<StateSnapshot> { .init(bitPattern: UInt(address_of_monitor_states()))! }

    mutating func write(byte: UInt8) { SerialLine.com2.put(byte) }

    mutating func readLine() -> Line {
        var line = Line()
        while true {
            switch SerialLine.com2.take() {
            case 0x0A: return line
            case let byte where (0x20..<0x7F).contains(byte): line.write(byte: byte)
            case _: break
            }
        }
    }

    mutating func type(_ byte: UInt8) -> Bool { SerialInput.append(byte) }

    func printStatistics(to print: (Line) -> Void) {
        statistics?.pointee.print(nameOf: { VMXProcessor<HardwareVMCS>.name(ofReason: $0) }, to: print)
    }
}

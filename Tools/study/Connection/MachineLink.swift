import Debug
import Foundation

/// The machine as this program has it: the line to its agent, and where it prints.
final class MachineLink {
    private let poller: Poller
    private let screen: Screen
    private var console: PolledConsole?
    private let open: () throws(Complaint) -> Int32?
    private var line: FileLine?
    private(set) var connection: GuestConnection
    private let placeholder: AbsentLine
    /// The machine's end is this program's, too: it was started with it.
    let isOwn: Bool

    /// - Parameters:
    ///   - console: where what the guest prints comes from; nil if it is shown elsewhere.
    ///   - open: opens the line to the machine; nil as long as that is not there.
    init(_ poller: Poller, _ screen: Screen, console: Int32?, isOwn: Bool, open: @escaping () throws(Complaint) -> Int32?) {
        self.poller = poller
        self.screen = screen
        self.open = open
        self.isOwn = isOwn
        placeholder = AbsentLine(poller)
        connection = GuestConnection(placeholder)
        self.console = console.map { PolledConsole($0, poller, screen) }
    }

    var isLost: Bool { connection.isLost || line == nil && console?.isAtEnd == true }

    /// Waits until the agent has a guest, stopped or running.
    /// - Returns: false if that was given up, or the machine is gone.
    func awaitGuest(while isWanted: () -> Bool) throws(Complaint) -> Bool {
        var lastQuestion = Date.distantPast
        while isWanted(), !isLost {
            if line == nil {
                guard let file = try open() else {
                    poller.wait(0.1)
                    continue
                }
                let line = FileLine(file, poller)
                self.line = line
                connection = GuestConnection(line)
            }
            if lastQuestion.timeIntervalSinceNow < -0.5 {
                connection.announce(.hello(version: AgentFacts.currentVersion))
                lastQuestion = Date()
            }
            switch connection.event(timeout: 0.1) {
            case .stopped, .ended: return true
            default: break
            }
            if connection.announced == Request.Kind.hello.answer { return true }
        }
        return false
    }

    /// Why the guest is stopped; nil if it runs.
    func currentStop() throws(Complaint) -> StopReport? {
        let hello = try connection.ask(.hello(version: AgentFacts.currentVersion))
        guard let facts = hello.withReader({ AgentFacts(&$0) }) else { throw .damagedAnswer }
        guard facts.guest == .stands || facts.guest == .ended else { return nil }
        let answer = try connection.ask(.lastStop)
        guard let report = answer.withReader({ StopReport(&$0) }) else { throw .damagedAnswer }
        return report
    }

    /// Shows what there is still of what the guest printed, until its end.
    func drain() {
        guard isLost else { return }
        while let console, !console.isAtEnd { poller.wait(1) }
        screen.endGuestLine()
    }
}

/// What the guest prints, shown as it comes.
private final class PolledConsole {
    private let file: Int32
    private(set) var isAtEnd = false

    init(_ file: Int32, _ poller: Poller, _ screen: Screen) {
        self.file = file
        poller.add(file) { [unowned self] in
            if let bytes = Poller.read(file) {
                screen.guest(bytes)
            } else {
                isAtEnd = true
                poller.remove(file)
                close(file)
            }
        }
    }
}

/// The line to a machine that has not started yet.
private final class AbsentLine: AgentLine {
    private let poller: Poller
    init(_ poller: Poller) { self.poller = poller }

    func receive(timeout: Double) -> [UInt8]? {
        poller.wait(timeout)
        return []
    }

    func send(_ bytes: [UInt8]) {}
}

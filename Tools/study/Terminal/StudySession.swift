import Debug
import Foundation

/// A person at the monitor: reads commands from a terminal or a script, and shows answers, the trace and what the guest prints.
public final class StudySession {
    /// What the program ends with.
    public enum Status {
        public static let done: Int32 = 0
        /// A command of the script's was wrong.
        public static let scriptError: Int32 = 22
        public static let interrupted: Int32 = 130
    }

    private let machine: MachineLink
    private let screen: Screen
    private let poller: Poller
    private let commands: any CommandSource
    private var study: Study?
    private let symbols: Symbols
    private var hasError = false
    private var hasQuit = false

    init(_ machine: MachineLink, _ screen: Screen, _ poller: Poller, _ commands: any CommandSource, _ symbols: Symbols) {
        self.machine = machine
        self.screen = screen
        self.poller = poller
        self.commands = commands
        self.symbols = symbols
    }

    /// Runs the session until the machine is gone.
    public func run() -> Int32 {
        do throws(Complaint) {
            try meet()
        } catch {
            if !machine.isLost { screen.say("error: \(error.words)", .error) }
            hasError = !machine.isLost
        }
        machine.drain()
        commands.close()
        return isInterrupted ? Status.interrupted : hasError ? Status.scriptError : Status.done
    }

    private var isInterrupted = false

    private func meet() throws(Complaint) {
        // A key that comes before the kernel listens ends the run.
        guard try machine.awaitGuest(while: { !commands.takesInterrupt(while: .starting) }) else {
            isInterrupted = !machine.isLost
            return
        }
        let study = Study(try StudiedGuest(machine.connection), symbols: symbols)
        self.study = study
        if let report = try machine.currentStop() {
            stand(report)
        } else {
            screen.say("the guest is running: Ctrl-C stops it", .remark)
        }
        while !machine.isLost, !isInterrupted, !hasQuit || machine.isOwn {
            if study.guest.report != nil, !hasQuit { try converse(study) }
            if !hasQuit || machine.isOwn { try watch(study) }
        }
    }

    // MARK: The guest runs

    /// Shows what happens until the guest is stopped.
    private func watch(_ study: Study) throws(Complaint) {
        commands.beginRun()
        while !machine.isLost, study.guest.report == nil || hasQuit {
            switch machine.connection.event(timeout: 0.1) {
            case .trace(let line): screen.say(line, .remark)
            case .stopped(let report): stand(report)
            case .ended(let end):
                study.guest.ending = end
                if let report = try machine.currentStop() { stand(report) }
                screen.say(end.words, .remark)
            case .starting, .ready, nil: break
            }
            guard study.guest.report == nil else { continue }
            if commands.takesInterrupt(while: .running) { machine.connection.announce(.stop) }
            if commands.isGivenUp {
                isInterrupted = true
                return
            }
        }
    }

    private func stand(_ report: StopReport) {
        guard let study else { return }
        study.guest.stand(report)
        screen.endGuestLine()
        screen.say(report.words, .stop)
        guard report.cause != .end else { return }
        screen.say(study.nextInstruction(), .instruction)
    }

    // MARK: The guest is stopped

    /// Does commands until one lets it run.
    private func converse(_ study: Study) throws(Complaint) {
        while !machine.isLost {
            let prompt =
                study.guest.ending != nil && study.guest.report?.cause == .end ? "martlet, the guest has ended> " : "martlet> "
            guard let line = commands.next(prompt, study) else {
                if !machine.isLost { try study.guest.connection.ask(.quit) }
                hasQuit = true
                return
            }
            var answer = Answer()
            do throws(Complaint) {
                let consequence = try study.perform(line, saying: &answer)
                screen.answer(answer.lines)
                switch consequence {
                case .stay: break
                case .run, .reset:
                    study.guest.report = nil
                    study.guest.ending = nil
                    return
                case .quit:
                    hasQuit = true
                    return
                }
            } catch {
                guard !machine.isLost else { return }
                screen.answer(answer.lines)
                screen.say("error: \(error.words)", .error)
                hasError = hasError || commands.isScript
            }
        }
    }
}

/// Where commands come from.
protocol CommandSource: AnyObject {
    /// Errors in it count.
    var isScript: Bool { get }

    /// The next command; nil at the end.
    func next(_ prompt: String, _ study: Study) -> String?

    /// The guest begins to run.
    func beginRun()

    /// Whether what came asks for a stop.
    func takesInterrupt(while phase: CommandPhase) -> Bool

    /// It was asked for again and again, and nothing happened.
    var isGivenUp: Bool { get }

    func close()
}

enum CommandPhase { case starting, running }

/// Commands from a file or a pipe, each shown when its turn comes. Empty lines and those that begin with # are none.
final class ScriptCommands: CommandSource {
    private let input: PolledFile
    private let poller: Poller
    private let screen: Screen
    private var lines: [String] = []
    private var partial: [UInt8] = []
    private var start = Date()

    init(_ file: Int32, _ poller: Poller, _ screen: Screen) {
        input = PolledFile(file, poller)
        self.poller = poller
        self.screen = screen
    }

    var isScript: Bool { true }
    var isGivenUp: Bool { false }

    private func take() {
        partial += input.takeAll()
        while let end = partial.firstIndex(of: 10) {
            add(partial[..<end])
            partial.removeSubrange(...end)
        }
        guard input.isAtEnd, !partial.isEmpty else { return }
        add(partial[...])
        partial = []
    }

    private func add(_ bytes: ArraySlice<UInt8>) {
        let line = String(decoding: bytes.filter { $0 != 13 }, as: UTF8.self)
        guard let first = line.first(where: { $0 != " " }), first != "#" else { return }
        lines.append(line)
    }

    func next(_ prompt: String, _ study: Study) -> String? {
        while true {
            take()
            if !lines.isEmpty {
                let line = lines.removeFirst()
                screen.say("> \(line)")
                return line
            }
            if input.isAtEnd { return nil }
            poller.wait(60)
        }
    }

    func beginRun() { start = Date() }

    /// The word "stop" stops a guest that has run for a second.
    func takesInterrupt(while phase: CommandPhase) -> Bool {
        take()
        guard phase == .running, lines.first == "stop", Date() > start + 1 else { return false }
        lines.removeFirst()
        screen.say("> stop")
        return true
    }

    func close() { input.close() }
}

/// Commands from a terminal: edited, completed, repeated, kept for the next session.
final class TypedCommands: CommandSource {
    private let input: PolledFile
    private let keyboard: Keyboard
    private let poller: Poller
    private let screen: Screen
    private var history: History
    private var last = ""
    private var interrupts = 0

    init(_ file: Int32, _ keyboard: Keyboard, _ poller: Poller, _ screen: Screen, _ history: History) {
        input = PolledFile(file, poller)
        self.keyboard = keyboard
        self.poller = poller
        self.screen = screen
        self.history = history
        keyboard.takeKeys()
    }

    var isScript: Bool { false }

    func next(_ prompt: String, _ study: Study) -> String? {
        defer { screen.endInput() }
        var editor = LineEditor(history: history.lines) { study.completion(of: $0) }
        while true {
            screen.show(prompt, editor.string, cursor: editor.cursor)
            guard let key = key(study) else { return nil }
            switch editor.take(key) {
            case .more: break
            case .clear: screen.clear()
            case .choices(let names): screen.say(columns(names))
            case .interrupt:
                screen.endInput()
                screen.say("\"quit\" ends the machine", .remark)
                editor = LineEditor(history: history.lines) { study.completion(of: $0) }
            case .end: return nil
            case .line(let line):
                if line.contains(where: { $0 != " " }) {
                    history.append(line)
                    last = line
                    return line
                }
                return repeated
            }
        }
    }

    /// What an empty line does: the last command once more, if that is one to be repeated.
    private var repeated: String {
        guard let word = last.split(separator: " ").first, let name = word.split(separator: "/").first,
            let command = try? Command(String(name))
        else { return "" }
        switch command {
        // It continues where it was.
        case .examine: return String(word)
        case .break, .delete, .set, .inject, .type, .reset, .quit, .symbols: return ""
        default: return last
        }
    }

    /// The next key; nil if there is none any more, or no machine.
    private func key(_ study: Study) -> UInt8? {
        while true {
            if let key = input.takeFirst() { return key }
            if input.isAtEnd { return nil }
            _ = study.guest.connection.event(timeout: 0.1)
            if study.guest.connection.isLost { return nil }
        }
    }

    private func columns(_ names: [String]) -> [String] {
        let width = (names.map(\.count).max() ?? 0) + 2
        let perLine = max(1, screen.width / width)
        return stride(from: 0, to: names.count, by: perLine).map { start in
            names[start..<min(start + perLine, names.count)].map { $0 + String(repeating: " ", count: width - $0.count) }.joined()
        }
    }

    func beginRun() { interrupts = 0 }

    /// Ctrl-C does, or any other key.
    func takesInterrupt(while phase: CommandPhase) -> Bool {
        let keys = input.takeAll()
        guard !keys.isEmpty else { return false }
        if phase == .starting { return keys.contains(3) }
        if keys.contains(3) { interrupts += 1 }
        if interrupts == 2 { screen.say("the machine has not stopped yet; press Ctrl-C again to end it", .remark) }
        return true
    }

    var isGivenUp: Bool { interrupts > 2 }

    func close() { keyboard.giveBack() }
}

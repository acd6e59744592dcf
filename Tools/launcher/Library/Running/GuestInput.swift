import Foundation
import StudyTools

/// What is typed, or comes from a pipe, on its way to the machine's COM1. A named pipe carries it, since every machine can read
/// one; it is open as long as the run, so the machine never sees its end.
final class GuestInput {
    private enum Source {
        case terminal(GuestTerminal, TypedKeys)
        case prompted(PromptedLines)
        case plain
    }

    private let poller: Poller
    private var source: Source
    /// The end of the pipe that is written to.
    private let file: Int32
    /// What the machine has not taken yet.
    private var waiting: [UInt8] = []
    private var isReading = false
    private var isAtEnd = false

    /// The person has asked for the machine's end.
    var isToEnd: Bool { if case .terminal(_, let keys) = source { keys.isAtEnd } else { false } }
    var terminal: GuestTerminal? { if case .terminal(let terminal, _) = source { terminal } else { nil } }

    /// - Parameters:
    ///   - path: of the named pipe, which is made.
    ///   - prompt: how the guest asks for a line that comes from a pipe; nil if it takes what comes.
    ///   - keepsSignals: Ctrl-C at the terminal is the person's, not the guest's.
    init(_ poller: Poller, path: String, prompt: String?, keepsSignals: Bool) throws(Failure) {
        self.poller = poller
        try makePipe(path)
        file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw cannotBeMade(path) }
        if isatty(STDIN_FILENO) != 0 {
            source = .terminal(GuestTerminal(keepsSignals: keepsSignals), TypedKeys())
        } else if let prompt {
            source = .prompted(PromptedLines(prompt: prompt))
        } else {
            source = .plain
        }
        readIfWanted()
    }

    func close() {
        terminal?.giveBack()
        poller.remove(STDIN_FILENO)
        poller.removeWriter(file)
        Foundation.close(file)
    }

    /// The guest prints.
    func see(_ bytes: [UInt8]) {
        guard case .prompted(var lines) = source else { return }
        lines.see(bytes)
        source = .prompted(lines)
        answer()
    }

    private var isSated: Bool {
        if case .prompted(let lines) = source { return lines.isSated }
        return waiting.count > 4096
    }

    private func readIfWanted() {
        let wanted = !isAtEnd && !isToEnd && !isSated
        guard wanted != isReading else { return }
        isReading = wanted
        if wanted { poller.add(STDIN_FILENO) { [unowned self] in read() } } else { poller.remove(STDIN_FILENO) }
    }

    private func read() {
        let bytes = Poller.read(STDIN_FILENO)
        isAtEnd = bytes == nil
        switch source {
        case .terminal(let terminal, var keys):
            waiting += keys.take(bytes ?? [])
            source = .terminal(terminal, keys)
        case .prompted(var lines):
            lines.add(bytes)
            source = .prompted(lines)
            answer()
        case .plain: waiting += bytes ?? []
        }
        write()
        readIfWanted()
    }

    private func answer() {
        guard case .prompted(var lines) = source else { return }
        waiting += lines.answer()
        source = .prompted(lines)
        write()
        readIfWanted()
    }

    private func write() {
        while !waiting.isEmpty {
            let count = waiting.withUnsafeBytes { Foundation.write(file, $0.baseAddress, min($0.count, 4096)) }
            guard count > 0 else { break }
            waiting.removeFirst(count)
        }
        guard !waiting.isEmpty else { return poller.removeWriter(file) }
        poller.addWriter(file) { [unowned self] in
            write()
            readIfWanted()
        }
    }
}

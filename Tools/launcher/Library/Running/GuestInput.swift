import Foundation
import StudyTools

/// Typed or piped input on its way to the machine's COM1. It goes through a named pipe, since every machine can read one; the
/// pipe stays open during the run, so the machine never sees its end.
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
    /// Input that the machine has not taken yet.
    private var waiting: [UInt8] = []
    private var isReading = false
    private var isAtEnd = false

    /// Whether the user has asked to end the machine.
    var isToEnd: Bool { if case .terminal(_, let keys) = source { keys.isAtEnd } else { false } }
    var terminal: GuestTerminal? { if case .terminal(let terminal, _) = source { terminal } else { nil } }

    /// - Parameters:
    ///   - path: of the named pipe to create.
    ///   - prompt: the prompt for which piped lines wait; nil to pass on everything at once.
    ///   - keepsSignals: Ctrl-C at the terminal ends the run instead of going to the guest.
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

    /// Takes note of the guest's output.
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

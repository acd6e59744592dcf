import Foundation
import StudyTools

/// Prints the launcher's messages on standard error, in rows as wide as the terminal.
final class Speech {
    /// The width of a row: COLUMNS in the environment, otherwise the terminal's width, otherwise 100.
    let columns: Int
    /// Whether a line can be rewritten.
    let isTerminal = isatty(STDERR_FILENO) != 0 && Speech.canRewrite
    /// The progress shown at present, in a line that the next one replaces.
    private var progress = ""

    private static let name = "martlet: "

    /// Whether the terminal, if there is one, can do more than print.
    static let canRewrite = !["", "dumb"].contains(ProcessInfo.processInfo.environment["TERM"] ?? "")

    init() { columns = min(max(Screen().width, 40), 1000) }

    func say(_ text: String) {
        endProgress()
        let lines = rows(Speech.name + text, columns: columns, indentation: Speech.name.count)
        put(lines.map { $0 + "\n" }.joined())
    }

    /// On a terminal, shows what is under way in a line that is rewritten.
    func show(_ text: String) {
        guard isTerminal, text != progress else { return }
        progress = text
        put("\r" + String((Speech.name + text).prefix(columns - 1)) + "\u{1B}[K")
    }

    /// Removes the progress line.
    func endProgress() {
        guard !progress.isEmpty else { return }
        progress = ""
        put("\r\u{1B}[K")
    }

    private func put(_ text: String) { Poller.write(Array(text.utf8), to: STDERR_FILENO) }
}

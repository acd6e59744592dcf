import Foundation
import StudyTools

/// How the launcher speaks: on standard error, in rows as wide as the terminal.
final class Speech {
    /// The columns of a row: COLUMNS in the environment says, else the terminal, else there are 100.
    let columns: Int
    /// A line can rewrite itself.
    let isTerminal = isatty(STDERR_FILENO) != 0 && !["", "dumb"].contains(ProcessInfo.processInfo.environment["TERM"] ?? "")
    /// What is shown of something under way, in a line that the next one replaces.
    private var progress = ""

    private static let name = "martlet: "

    init(columns: Int? = nil) {
        self.columns = min(max(columns ?? Screen().width, 40), 1000)
    }

    func say(_ text: String) {
        endProgress()
        let lines = rows(Speech.name + text, columns: columns, indentation: Speech.name.count)
        put(lines.map { $0 + "\n" }.joined())
    }

    /// On a terminal, says what is under way in a line that rewrites itself.
    func show(_ text: String) {
        guard isTerminal, text != progress else { return }
        progress = text
        put("\r" + String((Speech.name + text).prefix(columns - 1)) + "\u{1B}[K")
    }

    /// What is under way is over: its line goes.
    func endProgress() {
        guard !progress.isEmpty else { return }
        progress = ""
        put("\r\u{1B}[K")
    }

    private func put(_ text: String) { Poller.write(Array(text.utf8), to: STDERR_FILENO) }
}

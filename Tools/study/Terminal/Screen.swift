import Foundation

/// Where a person reads: the monitor's answers, the trace, and what the guest prints. None of these ever shares a line with
/// another.
public final class Screen {
    /// How a line of the monitor's looks on a terminal.
    public enum Style { case plain, stop, instruction, error, remark }

    private let output: Int32
    public let isTerminal: Bool
    private let hasColour: Bool
    /// What the guest has begun to print and not ended yet; on a terminal it is there already.
    private var guestLine: [UInt8] = []
    /// The line that is being typed, below all else.
    private var input: (prompt: String, text: String, cursor: Int)?

    public init(output: Int32 = STDOUT_FILENO) {
        self.output = output
        isTerminal = isatty(output) != 0
        let environment = ProcessInfo.processInfo.environment
        hasColour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    private var size: winsize {
        var size = winsize()
        _ = ioctl(output, UInt(TIOCGWINSZ), &size)
        return size
    }

    /// How many columns lines have: COLUMNS, or the terminal's, or 100.
    public var width: Int {
        if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text), columns > 0 { return columns }
        let columns = Int(size.ws_col)
        return isTerminal && columns > 0 ? columns : 100
    }

    /// The number of lines; nil if it does not matter.
    var height: Int? { isTerminal && size.ws_row > 0 ? Int(size.ws_row) : nil }

    private func put(_ text: String) { Poller.write(Array(text.utf8), to: output) }

    // MARK: The monitor

    public func say(_ line: String, _ style: Style = .plain) { say([line], style) }

    public func say(_ lines: [String], _ style: Style = .plain) {
        hideInput()
        endGuestLine()
        put(lines.flatMap { wrapped($0, to: width) }.map { coloured($0, style) + "\n" }.joined())
        showInput()
    }

    /// Says what may be more than a screen.
    public func answer(_ lines: [String]) {
        let shown = lines.flatMap { wrapped($0, to: width) }
        guard let height, shown.count >= height, page(shown) else { return say(lines) }
    }

    /// Shows lines in the pager.
    /// - Returns: whether there is one.
    private func page(_ lines: [String]) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        let pager = environment["PAGER"] ?? "less -FRX"
        guard !pager.isEmpty, pager != "cat", let file = popen("\(pager) 2> /dev/null", "w") else { return false }
        for line in lines { fputs(line + "\n", file) }
        // 127 is the shell's for a command that it does not find.
        return pclose(file) >> 8 & 0xFF != 127
    }

    private func coloured(_ line: String, _ style: Style) -> String {
        guard hasColour else { return line }
        let code =
            switch style {
            case .plain: ""
            case .stop: "1"
            case .instruction: "36"
            case .error: "31"
            case .remark: "2"
            }
        return code.isEmpty ? line : "\u{1B}[\(code)m\(line)\u{1B}[0m"
    }

    // MARK: The guest

    /// Shows the guest's output: on a terminal as it arrives, otherwise line by line after "| ".
    public func guest(_ bytes: [UInt8]) {
        hideInput()
        if isTerminal {
            Poller.write(bytes, to: output)
            guestLine = Array((guestLine + bytes).split(separator: 10, omittingEmptySubsequences: false).last ?? [])
        } else {
            guestLine += bytes
            while let end = guestLine.firstIndex(of: 10) {
                put(marked(guestLine[..<end]))
                guestLine.removeSubrange(...end)
            }
        }
        if input != nil { endGuestLine() }
        showInput()
    }

    private func marked(_ line: ArraySlice<UInt8>) -> String {
        "| " + String(decoding: line.filter { $0 != 13 }, as: UTF8.self) + "\n"
    }

    /// Leaves an unfinished line of the guest's as it is, and begins a new one.
    public func endGuestLine() {
        guard guestLine.contains(where: { $0 != 13 }) else { return }
        put(isTerminal ? "\n" : marked(guestLine[...]))
        guestLine = []
    }

    // MARK: The line that is typed

    /// Shows the prompt and what is typed, of which the part around the cursor is seen.
    public func show(_ prompt: String, _ text: String, cursor: Int) {
        if input == nil { endGuestLine() }
        input = (prompt, text, cursor)
        showInput()
    }

    /// What was typed stays, and the next line begins.
    public func endInput() {
        guard input != nil else { return }
        input = nil
        put("\n")
    }

    public func clear() {
        put("\u{1B}[H\u{1B}[2J")
        showInput()
    }

    private func hideInput() { if input != nil { put("\r\u{1B}[K") } }

    private func showInput() {
        guard let input else { return }
        let room = max(8, width - input.prompt.count - 1)
        let start = max(0, input.cursor - room)
        let visible = String(input.text.dropFirst(start).prefix(room))
        put("\r\u{1B}[K" + coloured(input.prompt, .stop) + visible)
        let column = input.prompt.count + input.cursor - start
        put("\r" + (column > 0 ? "\u{1B}[\(column)C" : ""))
    }
}

/// The terminal where a person types, key by key.
public final class Keyboard {
    private let file: Int32
    private var settings = termios()
    /// What a signal's handler puts back.
    nonisolated(unsafe) private static var saved: (file: Int32, settings: termios)?

    /// - Returns: nil for a file that is no terminal.
    init?(_ file: Int32) {
        guard isatty(file) != 0, tcgetattr(file, &settings) == 0 else { return nil }
        self.file = file
        Keyboard.saved = (file, settings)
        for number in [SIGTERM, SIGHUP] {
            signal(number) { number in
                Keyboard.restore()
                _exit(128 + number)
            }
        }
    }

    /// Every key comes at once and none does anything by itself; lines of output still begin on the left.
    func takeKeys() {
        var raw = settings
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
        raw.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR)
        tcsetattr(file, TCSANOW, &raw)
    }

    func giveBack() { Keyboard.restore() }

    private static func restore() { if var saved { tcsetattr(saved.file, TCSADRAIN, &saved.settings) } }
}

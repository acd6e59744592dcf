/// A line that is being typed, and what each key does to it. It knows nothing of the terminal: it takes bytes, and returns what is
/// to be shown.
public struct LineEditor {
    /// What came of a byte.
    public enum Result: Equatable {
        /// Nothing, or a change to be shown.
        case more
        /// The line is done.
        case line(String)
        /// Ctrl-C: what was typed is given up.
        case interrupt
        /// Ctrl-D on an empty line.
        case end
        /// The names to choose from.
        case choices([String])
        /// Ctrl-L.
        case clear
    }

    public private(set) var text: [UInt8] = []
    /// Where the cursor is, from 0 to the text's length.
    public private(set) var cursor = 0
    private var history: [String]
    /// Where in the history the line is; its count for the line that is being typed.
    private var place: Int
    /// The line being typed when the history was entered.
    private var pending: [UInt8] = []
    private var killed: [UInt8] = []
    private var escape: [UInt8] = []
    private let complete: (String) -> Completion

    /// - Parameters:
    ///   - history: the lines before, the last one last.
    ///   - complete: what may follow a text.
    public init(history: [String] = [], complete: @escaping (String) -> Completion = { _ in Completion() }) {
        self.history = history
        place = history.count
        self.complete = complete
    }

    public var string: String { String(decoding: text, as: UTF8.self) }

    public mutating func take(_ byte: UInt8) -> Result {
        if !escape.isEmpty { return takeEscaped(byte) }
        switch byte {
        case 0x0D, 0x0A: return .line(string)
        case 0x1B: escape = [byte]
        case 0x01: cursor = 0  // Ctrl-A
        case 0x05: cursor = text.count  // Ctrl-E
        case 0x02: move(-1)  // Ctrl-B
        case 0x06: move(1)  // Ctrl-F
        case 0x03: return .interrupt
        case 0x04:  // Ctrl-D
            if text.isEmpty { return .end }
            delete(cursor..<min(cursor + 1, text.count))
        case 0x08, 0x7F: if cursor > 0 { delete(cursor - 1..<cursor) }
        case 0x09: return tab()
        case 0x0B: kill(cursor..<text.count)  // Ctrl-K
        case 0x0C: return .clear
        case 0x0E: recall(1)  // Ctrl-N
        case 0x10: recall(-1)  // Ctrl-P
        case 0x15: kill(0..<cursor)  // Ctrl-U
        case 0x17: kill(wordStart..<cursor)  // Ctrl-W
        case 0x19: insert(killed)  // Ctrl-Y
        case 0x20..<0x7F: insert([byte])
        default: break
        }
        return .more
    }

    // MARK: Keys that send several bytes

    private mutating func takeEscaped(_ byte: UInt8) -> Result {
        escape.append(byte)
        if escape.count == 2 {
            switch byte {
            case 0x5B, 0x4F: return .more  // "[" and "O" begin the keys' names
            case 0x62: cursor = wordStart  // Alt-B
            case 0x66: cursor = wordEnd  // Alt-F
            default: break
            }
            escape = []
            return .more
        }
        guard (0x40...0x7E).contains(byte) else {
            if escape.count > 8 { escape = [] }
            return .more
        }
        let parameters = String(decoding: escape[2..<escape.count - 1], as: UTF8.self)
        escape = []
        switch (byte, parameters) {
        case (0x41, _): recall(-1)
        case (0x42, _): recall(1)
        case (0x43, "1;5"): cursor = wordEnd
        case (0x44, "1;5"): cursor = wordStart
        case (0x43, _): move(1)
        case (0x44, _): move(-1)
        case (0x48, _), (0x7E, "1"), (0x7E, "7"): cursor = 0
        case (0x46, _), (0x7E, "4"), (0x7E, "8"): cursor = text.count
        case (0x7E, "3"): delete(cursor..<min(cursor + 1, text.count))
        default: break
        }
        return .more
    }

    // MARK: Changes

    private mutating func insert(_ bytes: [UInt8]) {
        text.insert(contentsOf: bytes, at: cursor)
        cursor += bytes.count
    }

    private mutating func delete(_ range: Range<Int>) {
        text.removeSubrange(range)
        cursor = range.lowerBound
    }

    private mutating func kill(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        killed = Array(text[range])
        delete(range)
    }

    private mutating func move(_ distance: Int) { cursor = max(0, min(text.count, cursor + distance)) }

    private var wordStart: Int {
        var position = cursor
        while position > 0, text[position - 1] == 0x20 { position -= 1 }
        while position > 0, text[position - 1] != 0x20 { position -= 1 }
        return position
    }

    private var wordEnd: Int {
        var position = cursor
        while position < text.count, text[position] == 0x20 { position += 1 }
        while position < text.count, text[position] != 0x20 { position += 1 }
        return position
    }

    private mutating func recall(_ distance: Int) {
        let wanted = place + distance
        guard (0...history.count).contains(wanted) else { return }
        if place == history.count { pending = text }
        place = wanted
        text = wanted == history.count ? pending : Array(history[wanted].utf8)
        cursor = text.count
    }

    private mutating func tab() -> Result {
        let completion = complete(String(decoding: text[..<cursor], as: UTF8.self))
        insert(Array(completion.addition.utf8))
        return completion.addition.isEmpty && completion.choices.count > 1 ? .choices(completion.choices) : .more
    }
}

/// What may follow a text that was typed.
public struct Completion: Equatable {
    /// What is the same of all that may follow.
    public var addition = ""
    /// The whole words that may stand there.
    public var choices: [String] = []

    public init() {}

    /// - Parameters:
    ///   - word: what was typed of it; its case is of no account.
    ///   - names: all that may stand there.
    public init(of word: String, among names: [String]) {
        choices = names.filter { $0.lowercased().hasPrefix(word.lowercased()) }
        guard let first = choices.first else { return }
        var common = Array(first)
        for choice in choices.dropFirst() {
            common = Array(zip(common, choice).prefix { $0.0.lowercased() == $0.1.lowercased() }.map { $0.0 })
        }
        addition = String(common.dropFirst(word.count)) + (choices.count == 1 ? " " : "")
    }
}

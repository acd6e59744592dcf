import Text

/// What a command says: whole lines, however long. Whoever shows them breaks them to his width.
public struct Answer {
    public private(set) var lines: [String] = []

    public init() {}

    public mutating func line(_ line: Line) { lines.append(line.string) }

    /// Several lines, as a text has them.
    public mutating func text(_ text: String) {
        lines += text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

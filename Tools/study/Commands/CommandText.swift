/// What was typed on one line, as words between blanks.
public struct CommandText: Sendable {
    public let line: String
    let words: [String]

    public init(_ line: String) {
        self.line = line
        words = line.split(separator: " ").map(String.init)
    }

    /// The word at an index; nil after the last.
    public func word(_ index: Int) -> String? { index < words.count ? words[index] : nil }

    /// The words from one on, up to a condition.
    /// - Returns: them, and the index of the next word.
    func name(from index: Int) -> (name: String, end: Int)? {
        guard index < words.count else { return nil }
        let name = words[index...].enumerated().prefix { $0.offset == 0 || $0.element != "if" }.map(\.element)
        return (name.joined(separator: " "), index + name.count)
    }

    /// All from a word on, with its blanks as they were typed.
    public func rest(from index: Int) -> String {
        var rest = line[...]
        for _ in 0..<index {
            rest = rest.drop { $0 == " " }
            rest = rest.drop { $0 != " " }
        }
        return String(rest.drop { $0 == " " })
    }

    /// Nothing more may follow.
    func end(_ index: Int) throws(Complaint) { if let word = word(index) { throw Complaint("\"\(word)\" is unexpected") } }
}

extension StringProtocol {
    /// The number that a word is: hexadecimal with 0x before it, decimal without; nil if it is none of 64 bits.
    public var number: UInt64? {
        guard first?.isNumber == true else { return nil }
        return lowercased().hasPrefix("0x") ? UInt64(dropFirst(2), radix: 16) : UInt64(self)
    }
}

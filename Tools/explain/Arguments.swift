/// What is wrong with what a person typed, and what to do about it.
struct UsageError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

/// The words after a kind, taken one after the other.
struct Arguments {
    private var words: ArraySlice<String>
    let kind: Kind

    init(_ words: ArraySlice<String>, of kind: Kind) {
        self.words = words
        self.kind = kind
    }

    var isEmpty: Bool { words.isEmpty }

    /// The next word, which must be there.
    mutating func next(_ what: String) throws -> String {
        guard let word = words.popFirst() else { throw wrong("\(what) is missing") }
        return word
    }

    /// The next word as a number of at most so many bits.
    mutating func number(_ what: String, bits: Int = 64) throws -> UInt64 {
        try Self.number(next(what), what, bits: bits, of: kind)
    }

    /// Nothing may be left.
    func finish() throws {
        if let word = words.first { throw wrong("\"\(word)\" is unexpected") }
    }

    func wrong(_ message: String) -> UsageError { UsageError("\(kind.name): \(message); for example: \(kind.example)") }

    /// A number in base 16 with 0x before it, or in base 10.
    static func number(_ word: String, _ what: String, bits: Int, of kind: Kind) throws -> UInt64 {
        func wrong(_ message: String) -> UsageError { UsageError("\(kind.name): \(message)") }
        let isHex = word.hasPrefix("0x") || word.hasPrefix("0X")
        let digits = (isHex ? word.dropFirst(2) : word[...]).filter { $0 != "_" }
        let isNumber = !digits.isEmpty && digits.allSatisfy { isHex ? $0.isHexDigit : ("0"..."9").contains($0) }
        guard isNumber else {
            let hint = !word.isEmpty && word.allSatisfy(\.isHexDigit) ? "write 0x\(word) if it is in base 16" : "write 0x1f or 31"
            throw wrong("\(what) \"\(word)\" is not a number; \(hint)")
        }
        guard let value = UInt64(digits, radix: isHex ? 16 : 10), bits == 64 || value >> UInt64(bits) == 0 else {
            throw wrong("\(what) \(word) does not fit in \(bits) bits")
        }
        return value
    }
}

import Text

/// What was typed on one line, as words between blanks.
public struct CommandText {
    private let line: Line

    public init(_ line: Line) { self.line = line }

    /// The word at an index as a line of its own; nil behind the last.
    public func word(_ index: Int) -> Line? {
        let start = startOfWord(index)
        guard start < line.count else { return nil }
        var word = Line()
        var position = start
        while position < line.count, line[position] != 0x20 {
            word.write(byte: line[position])
            position += 1
        }
        return word
    }

    /// The number that a word is; nil if there is no such word.
    func number(_ index: Int) throws(Complaint) -> UInt64? { try word(index)?.requiredNumber() }

    /// The words from one on, up to a condition.
    /// - Returns: them, and the index of the word behind.
    func name(from index: Int) -> (name: Line, end: Int)? {
        guard var name = word(index) else { return nil }
        var end = index + 1
        while let next = word(end), next != "if" {
            name.write(" ")
            name.write(next)
            end += 1
        }
        return (name, end)
    }

    /// All from a word on, with its blanks as they were typed.
    public func rest(from index: Int) -> Line {
        var rest = Line()
        for position in startOfWord(index)..<max(line.count, startOfWord(index)) { rest.write(byte: line[position]) }
        return rest
    }

    /// Where a word begins; the end of the line if there are fewer.
    private func startOfWord(_ index: Int) -> Int {
        var position = 0
        var passed = 0
        while true {
            while position < line.count, line[position] == 0x20 { position += 1 }
            if passed == index || position >= line.count { return position }
            while position < line.count, line[position] != 0x20 { position += 1 }
            passed += 1
        }
    }
}

extension Line {
    /// The number that the line is: hexadecimal with 0x before it, decimal without; nil if it is none of 64 bits.
    public var number: UInt64? {
        let isHexadecimal = count > 2 && self[0] == 0x30 && self[1] | 0x20 == 0x78
        let base: UInt64 = isHexadecimal ? 16 : 10
        var value: UInt64 = 0
        guard count > 0 else { return nil }
        for position in (isHexadecimal ? 2 : 0)..<count {
            let digit: UInt64
            switch self[position] {
            case 0x30...0x39: digit = UInt64(self[position] - 0x30)
            case 0x41...0x46, 0x61...0x66: digit = UInt64((self[position] | 0x20) - 0x61 + 10)
            default: return nil
            }
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(digit)
            guard digit < base, !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// The number that the line has to be.
    func requiredNumber(upTo limit: UInt64 = .max) throws(Complaint) -> UInt64 {
        guard let number, number <= limit else {
            throw Complaint(
                limit == .max
                    ? "\"\(self)\" is no number: 16 and 0x10 are"
                    : "\"\(self)\" is no number up to \(hex: limit): 16 and 0x10 are")
        }
        return number
    }

    /// Whether a name begins with the line's letters and digits, whatever their case and what stands between them.
    /// - Returns: nil if not; otherwise whether that is the whole name.
    public func matchesBeginning(of name: StaticString) -> Bool? {
        var position = 0
        var isMatching = true
        var isWhole = true
        name.withUTF8Buffer { bytes in
            for byte in bytes {
                guard let letter = Line.folded(byte) else { continue }
                while position < count, Line.folded(self[position]) == nil { position += 1 }
                guard position < count else {
                    isWhole = false
                    break
                }
                guard Line.folded(self[position]) == letter else {
                    isMatching = false
                    break
                }
                position += 1
            }
        }
        while position < count, Line.folded(self[position]) == nil { position += 1 }
        guard isMatching, position == count, count > 0 else { return nil }
        return isWhole
    }

    /// A letter in lower case, or a digit; nil for anything else.
    private static func folded(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte | 0x20
        case 0x61...0x7A, 0x30...0x39: byte
        default: nil
        }
    }
}

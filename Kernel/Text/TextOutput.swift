/// A value that can say itself in words.
public protocol TextConvertible {
    /// Writes the value's words behind what the line holds.
    func write(to line: inout Line)
}

/// A place that takes lines and pieces of text: a terminal, a packet, a test's recorder.
public protocol TextOutput {
    /// Takes one byte of ASCII text.
    mutating func write(byte: UInt8)
}

// Everything is put together in a line first: the one sink that text is compiled for.
extension TextOutput {
    public mutating func write(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { write(byte: byte) } }
    }

    public mutating func write(_ value: some TextConvertible) {
        let line = Line(value)
        for position in 0..<line.count { write(byte: line[position]) }
    }

    /// Writes a number in base 10.
    public mutating func write(decimal value: UInt64) { write("\(value)" as Line) }

    /// Writes a number in base 16 with the prefix 0x and at least `digits` digits.
    public mutating func write(hex value: UInt64, digits: Int = 1) { write("\(hex: value, digits: digits)" as Line) }

    /// Writes a number in base 16 without a prefix.
    public mutating func write(hexDigits value: UInt64, digits: Int = 1) {
        var line = Line()
        line.write(hexDigits: value, digits: digits)
        write(line)
    }

    /// Writes blanks until a column that began `written` bytes ago is `width` wide.
    public mutating func pad(from written: Int, to width: Int) {
        var column = written
        while column < width {
            write(byte: 0x20)
            column += 1
        }
    }
}

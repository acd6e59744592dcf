/// A place that takes text byte by byte: a console, a line in memory, a test's recorder.
public protocol TextOutput {
    /// Takes one byte of ASCII text.
    mutating func write(byte: UInt8)
}

/// A value that can say itself in words.
public protocol TextConvertible {
    /// Writes the value's words to `output`.
    func write(to output: inout some TextOutput)
}

extension TextOutput {
    /// Writes a text known at compile time.
    public mutating func write(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { write(byte: byte) } }
    }

    /// Writes a value in its own words.
    public mutating func write(_ value: some TextConvertible) {
        value.write(to: &self)
    }

    /// Writes a number in base 10, filled on the left with blanks up to `width`.
    public mutating func write(decimal value: UInt64, width: Int = 0) {
        var divisor: UInt64 = 1
        var digits = 1
        while value / divisor >= 10 {
            divisor *= 10
            digits += 1
        }
        pad(from: digits, to: width)
        while divisor > 0 {
            write(byte: UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
            divisor /= 10
        }
    }

    /// Writes a number in base 16 with the prefix 0x and at least `digits` digits.
    public mutating func write(hex value: UInt64, digits: Int = 1) {
        write("0x")
        write(hexDigits: value, digits: digits)
    }

    /// Writes a number in base 16 without a prefix, with at least `digits` digits.
    public mutating func write(hexDigits value: UInt64, digits: Int = 1) {
        var position = 16
        var started = false
        while position > 0 {
            position -= 1
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(position * 4)) & 15
            started = started || digit != 0 || position < digits
            if started { write(byte: digit < 10 ? 0x30 + digit : 0x57 + digit) }
        }
        if !started { write(byte: 0x30) }
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

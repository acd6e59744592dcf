/// One line of text, built by interpolation: `"RIP \(hex: rip)"`.
///
/// In the kernel it is a fixed buffer, without a heap. What does not fit is cut and the line then ends in "...": text never
/// traps and never grows. On the host, a line holds whatever is written.
public struct Line: Sendable {
    #if hasFeature(Embedded)
    /// The most bytes a line holds.
    public static var capacity: Int { 360 }

    private var storage: [360 of UInt8]
    /// How many bytes the line holds now.
    public private(set) var count: Int

    /// An empty line.
    public init() {
        storage = .init(repeating: 0)
        count = 0
    }

    /// Adds one byte of ASCII text.
    @inline(never)
    public mutating func write(byte: UInt8) {
        if count < Line.capacity {
            storage[count] = byte
            count += 1
        } else {
            for position in Line.capacity - 3..<Line.capacity { storage[position] = 0x2E }
        }
    }

    /// Lends the bytes.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.span.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    #else
    private static var capacity: Int { .max }

    private var storage: [UInt8] = []
    /// How many bytes the line holds now.
    public var count: Int { storage.count }

    /// An empty line.
    public init() {}

    /// Adds one byte of ASCII text.
    public mutating func write(byte: UInt8) { storage.append(byte) }

    /// Lends the bytes.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { storage.withUnsafeBytes(body) }
    #endif

    /// A line that holds one text.
    public init(_ text: StaticString) {
        self.init()
        write(text)
    }

    /// A line that holds bytes from outside: anything but printable ASCII shows as "?".
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.init()
        for byte in bytes { write(byte: (0x20..<0x7F).contains(byte) ? byte : 0x3F) }
    }

    /// The byte at a position below `count`.
    public subscript(position: Int) -> UInt8 { storage[position] }

    /// Fills with blanks up to a column.
    @inline(never)
    public mutating func pad(to column: Int) {
        while count < min(column, Line.capacity) { write(byte: 0x20) }
    }
}

// MARK: What is written to a line
//
// None of it is inlined: there are thousands of uses, none where speed counts.

extension Line {
    /// A line that holds a value's words.
    @inline(never)
    public init(_ value: some TextConvertible) {
        self.init()
        value.write(to: &self)
    }

    /// Writes a text known at compile time.
    @inline(never)
    public mutating func write(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { write(byte: byte) } }
    }

    /// Writes a value in its own words.
    public mutating func write(_ value: some TextConvertible) { value.write(to: &self) }

    /// Writes a number in base 10, filled on the left with blanks up to `width`.
    @inline(never)
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
    @inline(never)
    public mutating func write(hex value: UInt64, digits: Int = 1) {
        write("0x")
        write(hexDigits: value, digits: digits)
    }

    /// Writes a number in base 16 without a prefix, with at least `digits` digits.
    @inline(never)
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
    @inline(never)
    public mutating func pad(from written: Int, to width: Int) {
        var column = written
        while column < width {
            write(byte: 0x20)
            column += 1
        }
    }
}

extension Line: TextConvertible {
    @inline(never)
    public func write(to line: inout Line) {
        for position in 0..<count { line.write(byte: self[position]) }
    }
}

extension Line: ExpressibleByStringInterpolation, StringInterpolationProtocol {
    public init(stringLiteral value: StaticString) {
        self.init()
        write(value)
    }

    public init(stringInterpolation: Line) { self = stringInterpolation }

    public init(literalCapacity: Int, interpolationCount: Int) { self.init() }

    public mutating func appendLiteral(_ literal: StaticString) { write(literal) }

    public mutating func appendInterpolation(_ text: StaticString) { write(text) }

    public mutating func appendInterpolation(_ value: some TextConvertible) { write(value) }

    /// A number in base 10.
    public mutating func appendInterpolation(_ value: some FixedWidthInteger & UnsignedInteger, width: Int = 0) {
        write(decimal: UInt64(truncatingIfNeeded: value), width: width)
    }

    /// A count or an index in base 10; negative ones with their sign, which is part of the width.
    @inline(never)
    public mutating func appendInterpolation(_ value: Int, width: Int = 0) {
        guard value < 0 else { return write(decimal: UInt64(value), width: width) }
        var digits = Line()
        digits.write(byte: 0x2D)
        digits.write(decimal: UInt64(value.magnitude))
        pad(from: digits.count, to: width)
        write(digits)
    }

    /// A number in base 16 with 0x and at least `digits` digits.
    public mutating func appendInterpolation(hex value: some FixedWidthInteger & UnsignedInteger, digits: Int = 1) {
        write(hex: UInt64(truncatingIfNeeded: value), digits: digits)
    }
}

extension Line: Equatable {
    public static func == (left: Line, right: Line) -> Bool {
        guard left.count == right.count else { return false }
        for position in 0..<left.count where left[position] != right[position] { return false }
        return true
    }
}

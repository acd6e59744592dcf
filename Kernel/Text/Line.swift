/// One line of text in a fixed space, built by interpolation without a heap: `"RIP \(hex: rip)"`.
///
/// What does not fit is cut and the line then ends in "...": text never traps and never grows.
public struct Line: TextOutput, Sendable {
    /// The most bytes a line holds.
    public static var capacity: Int { 232 }

    private var storage: [232 of UInt8]
    /// How many bytes the line holds now.
    public private(set) var count: Int

    /// An empty line.
    public init() {
        storage = .init(repeating: 0)
        count = 0
    }

    /// A line that holds one text.
    public init(_ text: StaticString) {
        self.init()
        write(text)
    }

    /// A line that holds bytes from outside: what is not printable ASCII shows as "?".
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.init()
        for byte in bytes { write(byte: (0x20..<0x7F).contains(byte) ? byte : 0x3F) }
    }

    /// The byte at a position below `count`.
    public subscript(position: Int) -> UInt8 { storage[position] }

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

    /// Fills with blanks up to a column.
    public mutating func pad(to column: Int) {
        pad(from: count, to: column)
    }
}

extension Line: TextConvertible {
    public func write(to output: inout some TextOutput) {
        let bytes = storage.span
        for position in 0..<count { output.write(byte: bytes[position]) }
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

import Text

/// What is wrong with a command, in words. Nothing was done.
public struct Complaint: Error, Equatable {
    public let words: String

    public init(_ words: String) { self.words = words }
    public init(_ words: Line) { self.words = words.string }
}

extension DefaultStringInterpolation {
    /// A number in base 16 with 0x and at least `digits` digits.
    mutating func appendInterpolation(hex value: some FixedWidthInteger & UnsignedInteger, digits: Int = 1) {
        appendLiteral(("\(hex: value, digits: digits)" as Line).string)
    }

    mutating func appendInterpolation(_ value: some TextConvertible) { appendLiteral(words(value)) }
}

/// The content of a packet that is being written.
struct PacketText: Equatable, ExpressibleByStringLiteral {
    private(set) var bytes: [UInt8] = []

    init() {}
    init(stringLiteral text: String) { bytes = Array(text.utf8) }

    mutating func write(_ text: String) { bytes += Array(text.utf8) }

    /// Two digits.
    mutating func write(hexByte byte: UInt8) { bytes += [Self.digit(byte >> 4), Self.digit(byte & 15)] }

    /// Digits of base 16.
    mutating func write(hex value: some FixedWidthInteger) { write(String(value, radix: 16)) }

    /// The bytes of a number, the lowest first.
    mutating func writeLittleEndian(_ value: UInt64, size: Int) {
        for place in 0..<size { write(hexByte: place < 8 ? UInt8(truncatingIfNeeded: value >> UInt64(8 * place)) : 0) }
    }

    /// A byte as it is, behind an escape if it would be taken for framing or run-length encoding.
    mutating func write(binary byte: UInt8) { bytes += Self.isSpecial(byte) ? [0x7D, byte ^ 0x20] : [byte] }

    /// Whether a byte means something to the framing or the run-length encoding: # $ * }
    static func isSpecial(_ byte: UInt8) -> Bool { byte == 0x23 || byte == 0x24 || byte == 0x2A || byte == 0x7D }

    /// With another character in place of the first.
    func replacingFirst(with character: Unicode.Scalar) -> PacketText {
        var text = self
        text.bytes[0] = UInt8(character.value)
        return text
    }

    static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}

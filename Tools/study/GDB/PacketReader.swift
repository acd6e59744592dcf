/// What a debugger has sent, read from its start to its end. Nothing is ever read beyond it.
struct PacketReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// How many bytes are left.
    var count: Int { bytes.count - position }

    /// The next byte.
    mutating func next() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// Passes a text if it comes next.
    mutating func take(_ text: String) -> Bool {
        let expected = Array(text.utf8)
        guard bytes[position...].starts(with: expected) else { return false }
        position += expected.count
        return true
    }

    /// Passes everything up to a character, and that.
    mutating func skip(through character: Unicode.Scalar) {
        while let byte = next(), UInt32(byte) != character.value {}
    }

    /// A number in base 16, of one digit or more and at most 64 bits.
    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < bytes.count, let digit = Self.digit(bytes[position]) {
            guard value >> 60 == 0 else { return nil }
            value = value << 4 | UInt64(digit)
            position += 1
        }
        return position > start ? value : nil
    }

    /// A byte of two digits.
    mutating func byte() -> UInt8? {
        guard let first = next(), let second = next(), let high = Self.digit(first), let low = Self.digit(second) else {
            return nil
        }
        return high << 4 | low
    }

    /// All that is left.
    mutating func rest() -> [UInt8]? {
        defer { position = bytes.count }
        return Array(bytes[position...])
    }

    /// All that is left, in two digits a byte.
    mutating func hexBytes() -> [UInt8]? {
        var result: [UInt8] = []
        while !isAtEnd {
            guard let byte = byte() else { return nil }
            result.append(byte)
        }
        return result
    }

    /// A number of so many bytes, two digits each, the lowest byte first.
    mutating func littleEndian(size: Int) -> UInt64? {
        var value: UInt64 = 0
        for place in 0..<size {
            guard let byte = byte() else { return nil }
            if place < 8 { value |= UInt64(byte) << UInt64(8 * place) }
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}

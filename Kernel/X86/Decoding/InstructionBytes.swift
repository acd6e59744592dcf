import Text

/// The bytes of an instruction as they were fetched: at most 15, fewer if the page behind could not be read.
public struct InstructionBytes: Sendable {
    public var bytes: [15 of UInt8]
    public var count: Int

    /// No bytes.
    public init() {
        bytes = .init(repeating: 0)
        count = 0
    }
}

extension InstructionBytes {
    /// Takes all 15 bytes from two words that overlap by one byte: bytes 0 to 7, and bytes 7 to 14.
    public mutating func setAll(low: UInt64, high: UInt64) {
        for index in 0..<8 {
            bytes[index] = UInt8(truncatingIfNeeded: low >> UInt64(8 * index))
            bytes[7 + index] = UInt8(truncatingIfNeeded: high >> UInt64(8 * index))
        }
        count = 15
    }
}

extension InstructionBytes: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left.bytes[index] != right.bytes[index] { return false }
        return true
    }
}

extension InstructionBytes: TextConvertible {
    public func write(to output: inout some TextOutput) {
        output.write("bytes")
        for index in 0..<count {
            output.write(" ")
            output.write(hexDigits: UInt64(bytes[index]), digits: 2)
        }
    }
}

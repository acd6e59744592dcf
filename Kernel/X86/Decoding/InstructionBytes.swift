import Text

/// The bytes of an instruction as fetched: at most 15, fewer if the next page could not be read.
///
/// They are kept in two words, from the low byte of the first on, so that a decoder takes them by shifting.
public struct InstructionBytes: Equatable, Sendable {
    var low: UInt64
    var high: UInt64
    public private(set) var count: Int

    /// The longest instruction (SDM volume 2, "AVX Instruction Length"; for all instructions in chapter 2.1).
    public static var capacity: Int { 15 }

    /// No bytes.
    public init() {
        low = 0
        high = 0
        count = 0
    }

    /// All 15 bytes: 0 to 7 and, with the last one above the others, 8 to 14.
    @inline(__always)
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high & (1 << 56 - 1)
        count = InstructionBytes.capacity
    }

    /// Appends a byte; what is beyond the fifteenth is dropped.
    public mutating func append(_ byte: UInt8) {
        guard count < InstructionBytes.capacity else { return }
        if count < 8 {
            low |= UInt64(byte) << UInt64(8 * count)
        } else {
            high |= UInt64(byte) << UInt64(8 * (count - 8))
        }
        count += 1
    }

    /// The byte at a place below `count`.
    public subscript(place: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (place < 8 ? low : high) >> UInt64(8 * (place & 7)))
    }

    /// The byte that would be taken next.
    var first: UInt8? { count == 0 ? nil : UInt8(truncatingIfNeeded: low) }

    /// Takes `size` bytes (1 to 8) from the beginning, little-endian; nil, with none taken, if they are not there.
    @inline(__always)
    mutating func take(_ size: Int) -> UInt64? {
        guard size <= count else { return nil }
        count &-= size
        let bits = UInt64(truncatingIfNeeded: 8 &* size)
        let value = size == 8 ? low : low & ((1 &<< bits) &- 1)
        low = size == 8 ? high : low &>> bits | high &<< (64 &- bits)
        high = size == 8 ? 0 : high &>> bits
        return value
    }
}

extension InstructionBytes: TextConvertible {
    public func write(to output: inout Line) {
        output.write("bytes")
        for place in 0..<count {
            output.write(" ")
            output.write(hexDigits: UInt64(self[place]), digits: 2)
        }
    }
}

/// Up to 16 received bytes, the oldest in the lowest place: two words, cheap to copy and compare.
struct ReceiveFIFO: Equatable, Sendable {
    static var capacity: UInt8 { 16 }

    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private(set) var count: UInt8 = 0

    /// Adds a byte, for which there is room.
    mutating func append(_ byte: UInt8) {
        let place = UInt64(8 &* (count & 7))
        if count < 8 { low |= UInt64(byte) &<< place } else { high |= UInt64(byte) &<< place }
        count &+= 1
    }

    /// Removes the oldest byte; there must be one.
    mutating func removeFirst() -> UInt8 {
        let byte = UInt8(truncatingIfNeeded: low)
        low = low &>> 8 | high &<< 56
        high = high &>> 8
        count &-= 1
        return byte
    }
}

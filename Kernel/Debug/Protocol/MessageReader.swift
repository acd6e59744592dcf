/// Reads a payload from its beginning: past its end, each number is nil.
public struct MessageReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public var isAtEnd: Bool { position == bytes.count }

    /// A little-endian number of `size` bytes, 8 at most.
    @inline(never)
    public mutating func number(size: Int) -> UInt64? {
        guard size <= bytes.count - position else { return nil }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += size
        return value
    }

    public mutating func uint8() -> UInt8? { number(size: 1).map { UInt8(truncatingIfNeeded: $0) } }
    public mutating func uint16() -> UInt16? { number(size: 2).map { UInt16(truncatingIfNeeded: $0) } }
    public mutating func uint32() -> UInt32? { number(size: 4).map { UInt32(truncatingIfNeeded: $0) } }
    public mutating func uint64() -> UInt64? { number(size: 8) }

    /// All that follows.
    public mutating func rest() -> UnsafeRawBufferPointer {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
        position = bytes.count
        return rest
    }
}

/// A message under construction: sequence, kind and payload, with room for the largest. It is sent as one frame.
///
/// Numbers are little-endian. What does not fit is left out, and the message is marked as cut.
public struct Message: ~Copyable {
    private var bytes: [2044 of UInt8]  // all except the checksum
    private var count = 0
    /// Something did not fit.
    public private(set) var isCut = false

    public init() { bytes = .init(repeating: 0) }

    /// Begins a new message.
    public mutating func begin(sequence: UInt8, kind: UInt8) {
        bytes[0] = sequence
        bytes[1] = kind
        count = Frame.headerSize
        isCut = false
    }

    /// How many bytes the payload has.
    public var payloadCount: Int { count - Frame.headerSize }
    /// How many more bytes fit.
    public var room: Int { Frame.headerSize + Frame.payloadCapacity - count }

    @inline(never)
    public mutating func append(_ byte: UInt8) {
        guard room > 0 else {
            isCut = true
            return
        }
        bytes[count] = byte
        count += 1
    }

    /// Appends the low `size` bytes of a number.
    @inline(never)
    public mutating func append(_ number: UInt64, size: Int) {
        for index in 0..<size { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }

    public mutating func append(_ number: UInt16) { append(UInt64(number), size: 2) }
    public mutating func append(_ number: UInt32) { append(UInt64(number), size: 4) }
    public mutating func append(_ number: UInt64) { append(number, size: 8) }

    @inline(never)
    public mutating func append(_ other: UnsafeRawBufferPointer) {
        for byte in other { append(byte) }
    }

    /// Changes an existing byte of the payload.
    public mutating func replace(_ byte: UInt8, at position: Int) {
        guard position >= 0, position < payloadCount else { return }
        bytes[Frame.headerSize + position] = byte
    }

    /// The same for the beginning of a memory answer.
    mutating func replace(_ answer: MemoryAnswer, at position: Int) {
        let end = count
        count = Frame.headerSize + position
        answer.encode(to: &self)
        count = max(count, end)
    }

    /// Removes what was appended last, down to that many bytes of payload.
    mutating func shorten(to payloadCount: Int) {
        count = min(count, Frame.headerSize + payloadCount)
        isCut = false
    }

    /// Puts the frame on the line, byte by byte.
    @inline(never)
    public mutating func send(to put: (UInt8) -> Void) {
        var checksum = Checksum()
        put(Frame.flag)
        let count = count
        // In place: a merely borrowed message would be copied.
        withUnsafeMutableBytes(of: &bytes) { bytes in
            for position in 0..<count {
                checksum.add(bytes[position])
                Message.putEscaped(bytes[position], to: put)
            }
        }
        for index in 0..<UInt32(Frame.checksumSize) {
            Message.putEscaped(UInt8(truncatingIfNeeded: checksum.value >> (8 * index)), to: put)
        }
        put(Frame.flag)
    }

    private static func putEscaped(_ byte: UInt8, to put: (UInt8) -> Void) {
        guard byte == Frame.flag || byte == Frame.escape else { return put(byte) }
        put(Frame.escape)
        put(byte ^ Frame.escapedBit)
    }
}

/// Finds the frames in whatever arrives on the line: after any noise, the next flag resynchronizes it.
public struct FrameDecoder: ~Copyable {
    private enum Phase { case outside, inside, escaped }

    private var bytes: [2048 of UInt8]
    private var count = 0
    private var phase = Phase.outside
    private var checksum = Checksum()
    /// The checksum before each of the last four bytes, which may be the frame's own.
    private var earlier: [4 of UInt32] = [0, 0, 0, 0]
    /// How many pieces were dropped that were not valid frames: too long, too short, or with a wrong checksum.
    public private(set) var dropped: UInt64 = 0

    public init() { bytes = .init(repeating: 0) }

    /// A frame has begun, and its end has not come yet.
    public var isInside: Bool { phase != .outside && count > 0 }

    /// Takes the next byte of the line.
    /// - Returns: whether a whole frame with a correct checksum is now there, until the next byte comes.
    public mutating func take(_ byte: UInt8) -> Bool {
        guard byte != Frame.flag else { return end() }
        switch phase {
        case .outside: return false
        case .inside where byte == Frame.escape:
            phase = .escaped
            return false
        case .inside: append(byte)
        case .escaped:
            phase = .inside
            append(byte ^ Frame.escapedBit)
        }
        return false
    }

    private mutating func append(_ byte: UInt8) {
        guard count < Frame.capacity else {
            // Nothing counts until the next flag.
            phase = .outside
            dropped &+= 1
            return
        }
        earlier[count & 3] = checksum.value
        checksum.add(byte)
        bytes[count] = byte
        count += 1
    }

    /// A flag ends a frame and begins the next.
    private mutating func end() -> Bool {
        let isWhole = phase == .inside && hasRightChecksum()
        if !isWhole, phase == .escaped || phase == .inside && count > 0 { dropped &+= 1 }
        contentCount = isWhole ? count : 0
        phase = .inside
        count = 0
        checksum = Checksum()
        return isWhole
    }

    private mutating func hasRightChecksum() -> Bool {
        guard count >= Frame.headerSize + Frame.checksumSize else { return false }
        var stated: UInt32 = 0
        for index in 0..<4 { stated |= UInt32(byte(count - 4 + index)) << UInt32(8 * index) }
        return stated == earlier[count & 3]
    }

    // MARK: The last frame

    private var contentCount = 0

    public var sequence: UInt8 { mutating get { byte(0) } }
    public var kind: UInt8 { mutating get { byte(1) } }

    /// Lends the payload.
    public mutating func withPayload<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let end = max(Frame.headerSize, contentCount - Frame.checksumSize)
        return withUnsafeMutableBytes(of: &bytes) { body(UnsafeRawBufferPointer(rebasing: $0[Frame.headerSize..<end])) }
    }

    /// Read in place: a merely borrowed decoder would be copied.
    private mutating func byte(_ position: Int) -> UInt8 { withUnsafeMutableBytes(of: &bytes) { $0[position] } }
}

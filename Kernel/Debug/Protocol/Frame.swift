/// How a message stands on the line (Docs/Agent.md): between two flags, with the flag itself and the escape escaped.
public enum Frame {
    /// Before and behind each frame.
    public static var flag: UInt8 { 0x7E }
    /// Before a byte of the content that is a flag or an escape, of which bit 5 is then flipped.
    public static var escape: UInt8 { 0x7D }
    public static var escapedBit: UInt8 { 0x20 }
    /// The most bytes of a frame's content: sequence, kind, payload and checksum, before they are escaped.
    public static var capacity: Int { 2048 }
    /// Sequence and kind.
    static var headerSize: Int { 2 }
    static var checksumSize: Int { 4 }
    /// The most bytes of a payload.
    public static var payloadCapacity: Int { capacity - headerSize - checksumSize }
}

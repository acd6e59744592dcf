/// The form of a message on the line (Docs/Agent.md): between two flags, with the flag itself and the escape escaped.
public enum Frame {
    /// Before and after each frame.
    public static var flag: UInt8 { 0x7E }
    /// Precedes a content byte that is a flag or an escape; bit 5 of that byte is then flipped.
    public static var escape: UInt8 { 0x7D }
    public static var escapedBit: UInt8 { 0x20 }
    /// The maximum size of a frame's content: sequence, kind, payload and checksum, before escaping.
    public static var capacity: Int { 2048 }
    /// Sequence and kind.
    static var headerSize: Int { 2 }
    static var checksumSize: Int { 4 }
    /// The maximum size of a payload.
    public static var payloadCapacity: Int { capacity - headerSize - checksumSize }
}

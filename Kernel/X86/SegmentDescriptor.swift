/// A descriptor of a code or data segment, as in the descriptor tables (SDM volume 3, "Segment Descriptors").
public struct SegmentDescriptor: Equatable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var base: UInt64 { rawValue >> 16 & 0xFF_FFFF | rawValue >> 32 & 0xFF00_0000 }

    /// The highest offset, in bytes.
    public var limit: UInt32 {
        let limit = UInt32(truncatingIfNeeded: rawValue & 0xFFFF | rawValue >> 32 & 0xF_0000)
        return rawValue >> 55 & 1 == 0 ? limit : limit << 12 | 0xFFF
    }

    public var attributes: SegmentAttributes {
        SegmentAttributes(rawValue: UInt16(truncatingIfNeeded: rawValue >> 40) & 0xF0FF)
    }
}

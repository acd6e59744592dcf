/// A number of bytes: a length, a size or a distance.
public struct ByteCount: Comparable, Hashable, Sendable {
    public let bytes: UInt64

    @inline(__always)
    public init(_ bytes: UInt64) { self.bytes = bytes }

    /// `count` times 1024 bytes. Traps when the product passes 2^64.
    @inline(__always)
    public static func kibibytes(_ count: UInt64) -> Self { Self(count * (1 << 10)) }

    /// `count` times 2^20 bytes. Traps when the product passes 2^64.
    @inline(__always)
    public static func mebibytes(_ count: UInt64) -> Self { Self(count * (1 << 20)) }

    /// `count` times 2^30 bytes. Traps when the product passes 2^64.
    @inline(__always)
    public static func gibibytes(_ count: UInt64) -> Self { Self(count * (1 << 30)) }

    /// `count` frames of 4 KiB. Traps when the product passes 2^64.
    @inline(__always)
    public static func frames(_ count: UInt64) -> Self { Self(count * PageSize.fourKibibytes.bytes) }

    /// No bytes.
    @inline(__always)
    public static var zero: Self { Self(0) }

    /// Whole kibibytes in this count; a remainder is dropped.
    public var kibibytes: UInt64 { bytes >> 10 }

    /// Whole mebibytes in this count; a remainder is dropped.
    public var mebibytes: UInt64 { bytes >> 20 }

    /// Whole 4 KiB frames in this count; a remainder is dropped.
    public var wholeFrames: UInt64 { bytes >> 12 }

    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

    /// The sum; traps past 2^64.
    @inline(__always)
    public static func + (left: Self, right: Self) -> Self { Self(left.bytes + right.bytes) }

    /// The difference; traps below zero.
    @inline(__always)
    public static func - (left: Self, right: Self) -> Self { Self(left.bytes - right.bytes) }

    @inline(__always)
    public static func += (left: inout Self, right: Self) { left = left + right }

    @inline(__always)
    public static func -= (left: inout Self, right: Self) { left = left - right }
}

/// The number of a 4 KiB frame: its physical address divided by 4096.
public struct FrameNumber: Comparable, Hashable, Sendable {
    public let rawValue: UInt64

    @inline(__always)
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The frame `count` frames further on. Traps past 2^64.
    @inline(__always)
    public func advanced(by count: UInt64) -> Self { Self(rawValue + count) }
}

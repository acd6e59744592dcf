/// The size of a page. The raw value is the number of address bits below it.
///
/// Intel SDM vol. 3, "Paging-Mode Overview"; 4 MiB exists in 32-bit paging only.
public enum PageSize: UInt8, Comparable, Sendable {
    case fourKibibytes = 12
    case twoMebibytes = 21
    case fourMebibytes = 22
    case oneGibibyte = 30

    /// The number of address bits inside the page.
    @inline(__always)
    public var shift: UInt64 { UInt64(rawValue) }

    /// The size in bytes.
    @inline(__always)
    public var bytes: UInt64 { 1 &<< shift }

    /// The size as a quantity.
    @inline(__always)
    public var count: ByteCount { ByteCount(bytes) }

    /// Ones in the address bits inside the page.
    @inline(__always)
    public var offsetMask: UInt64 { bytes &- 1 }

    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The size of a leaf at a level of a table with 512 entries of 8 bytes: 1 is the lowest, 3 the highest level with leaves.
    @inline(__always)
    public init?(level: Int) {
        switch level {
        case 1: self = .fourKibibytes
        case 2: self = .twoMebibytes
        case 3: self = .oneGibibyte
        default: return nil
        }
    }
}

/// The leaf sizes that a processor offers in a table with entries of 8 bytes: always 4 KiB, perhaps 2 MiB, perhaps also 1 GiB.
///
/// 1 GiB without 2 MiB is not expressible: such a leaf could not be split one level at a time, and no processor offers it.
public struct LeafSizes: Equatable, Sendable {
    /// The sum of the sizes, which is also their set: each is one bit.
    let mask: UInt64

    private init(mask: UInt64) { self.mask = mask }

    /// 4 KiB only.
    public static var fourKibibytes: Self { Self(mask: 1 << 12) }

    /// 4 KiB and 2 MiB.
    public static var upToTwoMebibytes: Self { Self(mask: 1 << 12 | 1 << 21) }

    /// 4 KiB, 2 MiB and 1 GiB.
    public static var upToOneGibibyte: Self { Self(mask: 1 << 12 | 1 << 21 | 1 << 30) }

    /// The sizes that a processor reports; 1 GiB counts only together with 2 MiB.
    public init(twoMebibytes: Bool, oneGibibyte: Bool) {
        self = !twoMebibytes ? .fourKibibytes : oneGibibyte ? .upToOneGibibyte : .upToTwoMebibytes
    }

    /// Whether leaves of `size` exist.
    @inline(__always)
    public func contains(_ size: PageSize) -> Bool { mask & size.bytes != 0 }

    /// The level of the largest leaf, at most `limit`, that can map `input` to `output` without exceeding `remaining` bytes.
    /// All three are multiples of 4 KiB, and `remaining` is not zero. 1 is the level of 4 KiB leaves.
    @inline(__always)
    func largestLevel(input: UInt64, output: UInt64, remaining: UInt64, limit: PageSize) -> Int {
        let addresses = input | output
        let aligned = addresses ^ (addresses &- 1)
        let fitting = UInt64.max >> UInt64(remaining.leadingZeroBitCount)
        let allowed = limit.bytes | limit.offsetMask
        // Each mask has all its ones at the low end, so the highest one left is the largest size that all allow.
        let sizes = mask & aligned & fitting & allowed
        return (51 - sizes.leadingZeroBitCount) / 9 + 1
    }
}

import Text

/// A register or field whose bits are named flags.
///
/// Replaces OptionSet, which does not build for Embedded Swift without a heap.
public protocol FlagSet: Equatable, Sendable, TextConvertible {
    associatedtype RawValue: FixedWidthInteger & UnsignedInteger & Sendable
    var rawValue: RawValue { get set }
    init(rawValue: RawValue)
    /// The manual's name of a bit, or nil for a bit that it does not name.
    static func name(ofBit bit: Int) -> StaticString?
}

extension FlagSet {
    /// The set that holds one bit.
    @inline(__always)
    public init(bit: Int) { self.init(rawValue: 1 << RawValue(truncatingIfNeeded: bit)) }

    /// The set without any bit.
    public static var none: Self { .init(rawValue: 0) }

    @inline(__always)
    public static func | (left: Self, right: Self) -> Self { .init(rawValue: left.rawValue | right.rawValue) }

    @inline(__always)
    public static func & (left: Self, right: Self) -> Self { .init(rawValue: left.rawValue & right.rawValue) }

    /// The bits in which two sets differ.
    @inline(__always)
    public static func ^ (left: Self, right: Self) -> Self { .init(rawValue: left.rawValue ^ right.rawValue) }

    public var isEmpty: Bool { rawValue == 0 }

    /// Whether all bits of `other` are set.
    @inline(__always)
    public func contains(_ other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }

    /// Whether any bit of `other` is set.
    @inline(__always)
    public func intersects(_ other: Self) -> Bool { rawValue & other.rawValue != 0 }

    @inline(__always)
    public func subtracting(_ other: Self) -> Self { .init(rawValue: rawValue & ~other.rawValue) }

    /// The set with the bits of `other` set or cleared.
    @inline(__always)
    public func setting(_ other: Self, to value: Bool) -> Self {
        value ? self | other : subtracting(other)
    }

    /// The set bits by their names, separated by commas; bits without a name by their number; "none" if empty.
    public func write(to output: inout Line) {
        var first = true
        for bit in 0..<RawValue.bitWidth where rawValue & (1 << RawValue(truncatingIfNeeded: bit)) != 0 {
            if !first { output.write(", ") }
            first = false
            if let name = Self.name(ofBit: bit) {
                output.write(name)
            } else {
                output.write("bit ")
                output.write(decimal: UInt64(bit))
            }
        }
        if first { output.write("none") }
    }
}

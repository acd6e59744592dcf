/// A range of addresses of one kind that does not wrap around: the bytes from `start` up to, not including, `end`.
public struct AddressRange<Address: MemoryAddress>: Equatable, Sendable {
    public let start: Address

    /// The length; may be zero.
    public let count: ByteCount

    /// A range of `count` bytes. Traps when it would pass 2^64; use `init?(checking:count:)` for numbers from outside.
    @inline(__always)
    public init(start: Address, count: ByteCount) {
        precondition(count.bytes == 0 || start.rawValue <= UInt64.max - (count.bytes - 1))
        self.start = start
        self.count = count
    }

    /// The range from `start` up to, not including, `end`. Traps when `end` lies below `start`.
    @inline(__always)
    public init(from start: Address, upTo end: Address) {
        self.start = start
        count = start.distance(to: end)
    }

    /// A range of `count` bytes, or nil when it would pass 2^64.
    public init?(checking start: Address, count: ByteCount) {
        guard count.bytes == 0 || start.rawValue <= UInt64.max - (count.bytes - 1) else { return nil }
        self.start = start
        self.count = count
    }

    /// The first address after the range. Zero when the range ends at 2^64.
    @inline(__always)
    public var end: Address { start.advanced(by: count) }

    @inline(__always)
    public var isEmpty: Bool { count == .zero }

    /// Whether `address` lies in the range.
    @inline(__always)
    public func contains(_ address: Address) -> Bool { address.rawValue &- start.rawValue < count.bytes }

    /// Whether every byte of `other` lies in the range. An empty range lies in any range that touches its start.
    public func contains(_ other: Self) -> Bool {
        let offset = other.start.rawValue &- start.rawValue
        return offset <= count.bytes && other.count.bytes <= count.bytes - offset
    }

    /// Whether the two ranges share a byte.
    public func overlaps(_ other: Self) -> Bool {
        !isEmpty && !other.isEmpty && (contains(other.start) || other.contains(start))
    }
}

/// A range of host-physical memory.
public typealias HostPhysicalRange = AddressRange<HostPhysicalAddress>

/// A range of guest-physical addresses.
public typealias GuestPhysicalRange = AddressRange<GuestPhysicalAddress>

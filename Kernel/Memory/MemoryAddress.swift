/// A 64-bit address of some kind. Each kind is a separate type, so that one is never mistaken for another.
public protocol MemoryAddress: Comparable, Hashable, Sendable {
    /// The address as the processor holds it.
    var rawValue: UInt64 { get }

    init(_ rawValue: UInt64)
}

/// An address in a physical address space: the machine's (`HostPhysicalAddress`) or a guest's (`GuestPhysicalAddress`).
public protocol PhysicalAddress: MemoryAddress {}

/// An address in the machine's own physical memory, after every translation.
public struct HostPhysicalAddress: PhysicalAddress {
    public let rawValue: UInt64

    @inline(__always)
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// An address that a guest considers physical; EPT or nested paging translates it to a host-physical address.
public struct GuestPhysicalAddress: PhysicalAddress {
    public let rawValue: UInt64

    @inline(__always)
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A linear address in a guest; the guest's own page tables translate it to a guest-physical address.
public struct GuestVirtualAddress: MemoryAddress {
    public let rawValue: UInt64

    @inline(__always)
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A linear address in the kernel, translated by the kernel's own page tables.
public struct HostVirtualAddress: MemoryAddress {
    public let rawValue: UInt64

    @inline(__always)
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

extension MemoryAddress {
    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The address `count` bytes further on. It wraps around at 2^64, as linear addresses do:
    /// no address chosen by a guest may stop the kernel. Ranges are checked where they are made.
    @inline(__always)
    public func advanced(by count: ByteCount) -> Self { Self(rawValue &+ count.bytes) }

    /// The number of bytes from this address up to `other`, which must not lie below.
    @inline(__always)
    public func distance(to other: Self) -> ByteCount { ByteCount(other.rawValue - rawValue) }

    /// The distance of this address from the start of the page of `size` that holds it.
    @inline(__always)
    public func offset(in size: PageSize) -> ByteCount { ByteCount(rawValue & size.offsetMask) }

    /// Whether a page of `size` can start here.
    @inline(__always)
    public func isAligned(to size: PageSize) -> Bool { rawValue & size.offsetMask == 0 }

    /// The start of the page of `size` that holds this address.
    @inline(__always)
    public func alignedDown(to size: PageSize) -> Self { Self(rawValue & ~size.offsetMask) }

    /// The lowest start of a page of `size` at or above this address, or nil when there is none below 2^64.
    public func alignedUp(to size: PageSize) -> Self? {
        let (sum, overflow) = rawValue.addingReportingOverflow(size.offsetMask)
        return overflow ? nil : Self(sum & ~size.offsetMask)
    }
}

extension PhysicalAddress {
    /// The number of the frame that holds this address.
    @inline(__always)
    public var frame: FrameNumber { FrameNumber(rawValue >> 12) }

    /// The first byte of a frame.
    @inline(__always)
    public init(startOf frame: FrameNumber) { self.init(frame.rawValue << 12) }

    /// Whether the address fits in `width` bits (MAXPHYADDR; 1 to 63).
    @inline(__always)
    public func fits(width: Int) -> Bool { rawValue >> UInt64(width) == 0 }
}

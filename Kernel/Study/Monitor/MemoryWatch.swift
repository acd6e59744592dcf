import Memory
import Text
import Virtualization

/// A range of guest-physical memory, and the accesses to it that stop the guest.
public struct MemoryWatch: Equatable, Sendable {
    public let first: UInt64
    /// The last byte.
    public let last: UInt64
    public let kind: GuestAccess.Kind

    /// Whether an access is one that stops the guest; where the access begins decides.
    func matches(_ fault: NestedPageFault) -> Bool {
        guard fault.address.rawValue >= first, fault.address.rawValue <= last else { return false }
        return switch kind {
        case .read: fault.isRead
        case .write: fault.isWrite
        case .fetch: fault.isFetch
        }
    }

    /// The pages that the range touches.
    var pages: GuestPhysicalRange {
        let start = first & ~0xFFF
        return GuestPhysicalRange(start: GuestPhysicalAddress(start), count: ByteCount((last | 0xFFF) &- start &+ 1))
    }

    func touches(_ other: MemoryWatch) -> Bool { first & ~0xFFF <= other.last | 0xFFF && other.first & ~0xFFF <= last | 0xFFF }

    var name: StaticString {
        switch kind {
        case .read: "read"
        case .write: "write"
        case .fetch: "fetch"
        }
    }
}

/// What of the guest's accesses pages of its memory let pass without an exit.
public struct PassedAccesses: Equatable, Sendable {
    public var reads = true
    public var writes = true
    public var fetches = true

    static var all: Self { .init() }

    /// What is left beside the accesses of a kind. EPT has no pages to be written and not read (SDM volume 3, 30.3.3.1 "EPT
    /// Misconfigurations").
    mutating func remove(_ kind: GuestAccess.Kind) {
        switch kind {
        case .read:
            reads = false
            writes = false
        case .write: writes = false
        case .fetch: fetches = false
        }
    }

    /// Lets an access pass that did not.
    mutating func add(_ fault: NestedPageFault) {
        reads = reads || fault.isRead || fault.isWrite
        writes = writes || fault.isWrite
        fetches = fetches || fault.isFetch
    }

    mutating func formUnion(_ other: PassedAccesses) {
        reads = reads || other.reads
        writes = writes || other.writes
        fetches = fetches || other.fetches
    }
}

import Machine
import Memory
import Virtualization

extension MemoryWatch {
    /// Whether an instruction's access to data is one that stops the guest.
    func meets(_ access: ForetoldAccess) -> Bool {
        guard access.first <= last, access.last >= first else { return false }
        return switch kind {
        case .read: access.isRead
        case .write: access.isWrite
        case .access: access.isRead || access.isWrite
        case .fetch: false
        }
    }

    /// Whether the fetch of an instruction is; where it begins decides.
    func meetsFetch(at address: GuestPhysicalAddress) -> Bool {
        kind == .fetch && address.rawValue >= first && address.rawValue <= last
    }

    /// The pages that the range touches.
    var pages: GuestPhysicalRange {
        let start = first & ~0xFFF
        return GuestPhysicalRange(start: GuestPhysicalAddress(start), count: ByteCount((last | 0xFFF) &- start &+ 1))
    }

    func touches(_ other: MemoryWatch) -> Bool { first & ~0xFFF <= other.last | 0xFFF && other.first & ~0xFFF <= last | 0xFFF }
}

/// What of the guest's accesses pages of its memory let pass without an exit.
public struct PassedAccesses: Equatable, Sendable {
    public var reads = true
    public var writes = true
    public var fetches = true

    public static var all: Self { .init() }
    static var none: Self { .init(reads: false, writes: false, fetches: false) }

    /// What is left beside the accesses of a kind. EPT has no pages to be written and not read (SDM volume 3, "EPT
    /// Misconfigurations").
    mutating func remove(_ kind: MemoryWatch.Kind) {
        switch kind {
        case .read, .access:
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

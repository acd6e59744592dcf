import Machine
import Memory
import Virtualization

extension MemoryWatch {
    /// Whether an instruction's data access stops the guest.
    func meets(_ access: ForetoldAccess) -> Bool {
        guard access.first <= last, access.last >= first else { return false }
        return switch kind {
        case .read: access.isRead
        case .write: access.isWrite
        case .access: access.isRead || access.isWrite
        case .fetch: false
        }
    }

    /// Whether an instruction's fetch does; where it begins decides.
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

/// Which guest accesses the pages of its memory let pass without an exit.
public struct PassedAccesses: Equatable, Sendable {
    public var reads = true
    public var writes = true
    public var fetches = true

    public static var all: Self { .init() }
    static var none: Self { .init(reads: false, writes: false, fetches: false) }

    /// Removes the accesses of a kind. EPT has no pages that can be written but not read (SDM volume 3, "EPT
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

    /// Lets a stopped access pass.
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

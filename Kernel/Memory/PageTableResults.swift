/// Why a page table could not be changed as asked.
///
/// Whatever the error, no translation has changed: every operation checks its range, its arguments and the number of
/// frames that it will need before it writes.
public enum PageTableError<Input: MemoryAddress>: Error, Equatable {
    /// An address or the length is not a multiple of 4 KiB, or the length is zero.
    case misaligned
    /// The input range is not inside what the table can translate.
    case inputTooWide
    /// The output range exceeds the physical-address width.
    case outputTooWide
    /// A page of the range is mapped already: the first such page.
    case alreadyMapped(Input)
    /// A page of the range is not mapped: the first such page.
    case notMapped(Input)
    /// The format cannot express the permissions, or would express their absence as "not present".
    case permissionsNotExpressible
    /// The format cannot express the memory type.
    case memoryTypeNotExpressible
    /// There are no leaves of the size asked for.
    case sizeNotOffered
    /// The operation needs this many frames for tables, and the source has fewer.
    case outOfFrames(needed: UInt64)
}

/// What an operation did to the translations that a processor may have cached, from the least to the most.
public enum TranslationChange: Comparable, Sendable {
    /// Nothing.
    case none
    /// Only absent translations were added. Absent ones are never cached.
    case added
    /// Present translations gained rights. A cached one may still cause a fault, which itself removes it from the cache.
    case relaxed
    /// Present translations were removed, moved, restricted, split, merged, or lost accessed or dirty bits.
    case changed

    /// Whether every processor that may have used the table must invalidate what it cached (INVEPT, INVLPG or a write
    /// of CR3) before the change is relied on, and before any frame is allocated that the operation freed.
    ///
    /// Intel SDM vol. 3, "Guidelines for Use of the INVEPT Instruction", "Invalidation of TLBs and
    /// Paging-Structure Caches".
    public var needsInvalidation: Bool { self == .changed }

    /// Keeps the greater of two changes.
    mutating func include(_ other: Self) { if other > self { self = other } }
}

/// Where a walk of a page table ended.
public enum PageTableWalk<Permissions: PagePermissions>: Equatable, Sendable {
    /// At a leaf.
    case mapped(PageLeaf<Permissions>)
    /// At an entry, of a table at this level, that is not present.
    case notPresent(level: Int)
    /// The input is too wide for the table, or not canonical.
    case inputTooWide
}

/// Neighbouring leaves that continue each other and are equal in size, permissions and memory type.
public struct PageRun<Format: PageTableFormat>: Sendable {
    /// The first input address.
    public let input: Format.Input
    /// The first leaf; its accessed and dirty bits are its own.
    public let first: PageLeaf<Format.Permissions>
    /// The number of leaves, at least one.
    public let pageCount: UInt64
    /// The number of leaves that the processor used.
    public let accessedCount: UInt64
    /// The number of leaves through which the processor wrote.
    public let dirtyCount: UInt64

    /// The bytes that the run maps.
    public var count: ByteCount { ByteCount(pageCount * first.size.bytes) }
}

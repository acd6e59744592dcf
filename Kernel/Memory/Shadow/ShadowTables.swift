/// Page tables that the processor uses in place of a guest's own, and that map guest-linear to host-physical addresses.
///
/// They mirror the guest's: each guest table in use has a shadow table (or a few, under 32-bit paging), shared by all address
/// spaces that share the table, with an entry for each of its entries that was used. The rights of an entry are the guest's, so
/// the processor combines them as usual; a page that is not dirty yet is not writable, and one whose entry lacks the accessed bit
/// is not present. A guest's large page is equally large here if RAM and protection allow it; else a *direct* table maps its
/// parts.
///
/// A table *in step* is not writable for the guest: its first write is a page fault, after which the table is *out of step* and
/// may be written freely until the guest flushes translations (a CR3 load, INVPCID, a change of CR4); then its entries are
/// compared with what they were made from, and it is protected again. INVLPG compares the entries for one address. That is what
/// the architecture promises of cached translations, and no more (Intel SDM vol. 3, "Caching Translation Information").
///
/// Without paging, the tables map all of the guest's RAM at its own addresses, part by part as needed. When the guest's CR0.WP is
/// clear, while the processor has it set, a read-only page becomes writable for the supervisor alone when the supervisor writes
/// to it, and accessible to the user again at the next access in user mode.
///
/// Nothing but the guest's RAM is ever mapped.
public struct ShadowTables<Guest: ComparedTableMemory>: ~Copyable {
    let memory: Guest
    let layout: ShadowLayout
    let ram: HostPhysicalRange
    let leafSizes: LeafSizes
    let entries: UnsafeMutablePointer<UInt64>
    let entriesAddress: UInt64
    let pages: UnsafeMutablePointer<ShadowPage>
    let frames: UnsafeMutablePointer<FrameUse>
    /// Those of 2 MiB, then those of 1 GiB.
    let regions: UnsafeMutablePointer<RegionUse>

    /// The guest's paging that the tables serve.
    public internal(set) var paging: GuestPaging
    /// The page that CR3 refers to.
    var root = 0
    var firstFree: UInt32 = 0
    /// One more than the highest table number ever in use.
    var usedEnd = 1
    /// Shadow tables that are not in use.
    public internal(set) var freeCount = 0
    /// The first frame that is out of step, plus one.
    var firstListed: UInt32 = 0
    let snapshots: UnsafeMutablePointer<UInt64>
    /// The first free one; its first word holds the next.
    var firstSnapshot: UInt16 = 0
    /// A frame that currently belongs to a device.
    var hole: UInt64 = .max
    /// Those for which the guest may rely on translations that are no longer in its tables.
    public internal(set) var identifiers: ContextIdentifiers
    /// The guest has turned on process-context identifiers.
    public internal(set) var hasIdentifiers = false
    /// The roots that the guest may load without an exit.
    public var twins: RootTwins
    /// The parts of the address space, by the index of the uppermost table, for which a global page was filled in.
    var globalParts: [8 of UInt64] = .init(repeating: 0)
    /// Translations cached by a processor may be out of date.
    var needsFlush = false
    public internal(set) var counts = ShadowCounts()

    /// - Parameters:
    ///   - storage: `layout.bytes` bytes at a page's start that nothing else uses, with any contents.
    ///   - address: the same to the processor, below 4 GiB.
    ///   - ram: where the guest's RAM lies, from guest-physical 0 on.
    ///   - leafSizes: those the processor offers.
    ///   - paging: that of a newly made guest.
    ///   - twins: none yet.
    public init(
        _ layout: ShadowLayout, storage: UnsafeMutableRawPointer, at address: HostPhysicalAddress, memory: Guest,
        ram: HostPhysicalRange, leafSizes: LeafSizes, paging: GuestPaging, twins: RootTwins
    ) {
        self.twins = twins
        self.layout = layout
        self.memory = memory
        self.ram = ram
        self.leafSizes = leafSizes
        self.paging = paging
        entries = storage.bindMemory(to: UInt64.self, capacity: layout.pageCount * 512)
        entriesAddress = address.rawValue
        pages = (storage + layout.pagesOffset).bindMemory(to: ShadowPage.self, capacity: layout.pageCount)
        frames = (storage + layout.framesOffset).bindMemory(to: FrameUse.self, capacity: layout.frameCount)
        regions = (storage + layout.regionsOffset).bindMemory(to: RegionUse.self, capacity: layout.regionCount)
        snapshots = (storage + layout.snapshotsOffset).bindMemory(to: UInt64.self, capacity: layout.snapshotCount * 512)
        identifiers = ContextIdentifiers(
            (storage + layout.identifiersOffset).bindMemory(to: UInt64.self, capacity: ContextIdentifiers.count))
        frames.initialize(repeating: FrameUse(), count: layout.frameCount)
        regions.initialize(repeating: RegionUse(), count: layout.regionCount)
        entries.initialize(repeating: 0, count: layout.pageCount * 512)
        pages.initialize(repeating: ShadowPage(), count: layout.pageCount)
        pages[0].isUsed = true
        pages[0].level = 3
        firstFree = 0
        for number in stride(from: layout.pageCount - 1, to: 0, by: -1) {
            pages[number].next = firstFree
            firstFree = UInt32(truncatingIfNeeded: number)
        }
        freeCount = layout.pageCount - 1
        firstSnapshot = 0
        for number in stride(from: layout.snapshotCount, to: 0, by: -1) { freeSnapshot(UInt16(truncatingIfNeeded: number)) }
    }

    /// Forgets all tables.
    public mutating func reset() {
        // What has no entries and no table is not found, and what is known about a frame goes with both.
        for number in 0..<usedEnd where pages[number].validCount > 0 { clear(number) }
        for number in 1..<usedEnd where pages[number].isUsed {
            if !pages[number].isDetached { unlink(number) }
            release(number)
        }
        root = 0
        twins.removeAll()
        globalParts = .init(repeating: 0)
        needsFlush = true
        counts.resets &+= 1
    }

    /// A page of the guest's RAM now belongs to a device, or none does any more.
    public mutating func setHole(_ page: GuestPhysicalAddress?) {
        hole = page.map { $0.rawValue >> 12 } ?? .max
        reset()
    }

    /// What the processor's CR3 must refer to.
    public var rootAddress: HostPhysicalAddress {
        @inline(__always) mutating get {
            HostPhysicalAddress(pages[root].hasTwin ? UInt64(pages[root].frame) << 12 : address(of: root))
        }
    }

    /// Whether translations cached by a processor must be dropped; resets the answer.
    public mutating func takeFlush() -> Bool {
        defer { needsFlush = false }
        return needsFlush
    }

    /// The most tables ever in use at a time, or a few more.
    public var mostPages: Int { usedEnd - 1 }

    // MARK: Entries

    static var present: UInt64 { GuestEntryBits.present | GuestEntryBits.accessed }

    func address(of page: Int) -> UInt64 { entriesAddress + UInt64(page) << 12 }

    /// The page that an entry refers to.
    @inline(__always)
    func child(of entry: UInt64) -> Int { Int(truncatingIfNeeded: (entry & GuestEntryBits.address &- entriesAddress) >> 12) }

    @inline(__always)
    func isLeaf(_ entry: UInt64, level: Int) -> Bool { level == 1 || entry & GuestEntryBits.largePage != 0 && level < 4 }

    /// The first frame of the guest's that a leaf maps.
    @inline(__always)
    func frame(of leaf: UInt64, level: Int) -> UInt64 {
        // Bit 12 of a large leaf is the page attribute bit.
        (leaf & GuestEntryBits.address & ~(Self.coverage(level) - 1) &- ram.start.rawValue) >> 12
    }

    @inline(__always)
    static func coverage(_ level: Int) -> UInt64 { 1 &<< UInt64(truncatingIfNeeded: 3 &+ 9 &* level) }

    @inline(__always)
    static func index(_ linear: UInt64, _ level: Int) -> Int {
        Int(truncatingIfNeeded: linear &>> UInt64(truncatingIfNeeded: 3 &+ 9 &* level) & 511)
    }

    /// Changes an entry, with its bookkeeping.
    @_optimize(speed)
    mutating func set(_ slot: Int, _ new: UInt64) {
        let old = entries[slot]
        guard new != old else { return }
        let page = slot >> 9
        let level = Int(pages[page].level)
        entries[slot] = new
        if pages[page].hasTwin { twins.twin(ofFrame: UInt64(pages[page].frame))?[slot & 511] = new }
        if old == 0 { pages[page].validCount &+= 1 }
        if new == 0 { pages[page].validCount &-= 1 }
        // A processor notices added entries and rights by itself.
        if old != 0, old | GuestEntryBits.writable != new { needsFlush = true }
        if new != 0 {
            if isLeaf(new, level: level) {
                if new & GuestEntryBits.writable != 0 { mappings(new, level).pointee.add(slot) }
            } else {
                pages[child(of: new)].references &+= 1
            }
        }
        guard old != 0 else { return }
        if isLeaf(old, level: level) {
            if old & GuestEntryBits.writable != 0 { mappings(old, level).pointee.remove(slot) }
        } else {
            let page = child(of: old)
            pages[page].references &-= 1
            if pages[page].references == 0, pages[page].isDetached { release(page) }
        }
    }

    private mutating func mappings(_ leaf: UInt64, _ level: Int) -> UnsafeMutablePointer<WritableMappings> {
        let frame = Int(truncatingIfNeeded: frame(of: leaf, level: level))
        return level == 1 ? writableMappings(frames + frame) : writableMappings(regions + layout.region(frame, level))
    }

    mutating func writableMappings(_ use: UnsafeMutablePointer<FrameUse>) -> UnsafeMutablePointer<WritableMappings> {
        UnsafeMutableRawPointer(use).assumingMemoryBound(to: WritableMappings.self)
    }

    mutating func writableMappings(_ use: UnsafeMutablePointer<RegionUse>) -> UnsafeMutablePointer<WritableMappings> {
        UnsafeMutableRawPointer(use).assumingMemoryBound(to: WritableMappings.self)
    }
}

/// What shadow tables have had to do.
public struct ShadowCounts: Equatable, Sendable {
    /// Page faults that filled in entries.
    public var fills: UInt64 = 0
    /// Tables that the guest wrote to and that were let go out of step.
    public var outOfStep: UInt64 = 0
    /// Tables that were compared and brought back in step.
    public var comparisons: UInt64 = 0
    /// How often tables were reclaimed for lack of room.
    public var reclaims: UInt64 = 0
    public var resets: UInt64 = 0
}

/// How the memory of shadow tables is used.
public struct ShadowLayout: Equatable, Sendable {
    /// Shadow tables, with the fixed root.
    public let pageCount: Int
    /// Frames of the guest's RAM.
    public let frameCount: Int

    /// The smallest sensible size: enough for some address spaces.
    public static var leastSize: ByteCount { .kibibytes(256) }

    /// - Parameters:
    ///   - size: for the tables.
    ///   - ram: the guest's, a multiple of 4 KiB.
    public init(size: ByteCount, ram: ByteCount) {
        pageCount = Int(size.wholeFrames)
        frameCount = Int(ram.wholeFrames)
    }

    /// 2 MiB regions and 1 GiB regions.
    var regionCount: Int { (frameCount + 0x1FF) >> 9 + (frameCount + 0x3FFFF) >> 18 }
    public var pagesOffset: Int { pageCount * 4096 }
    public var framesOffset: Int { pagesOffset + (pageCount * MemoryLayout<ShadowPage>.stride + 15) & ~15 }
    var regionsOffset: Int { framesOffset + (frameCount * MemoryLayout<FrameUse>.stride + 15) & ~15 }
    var identifiersOffset: Int { (regionsOffset + regionCount * MemoryLayout<RegionUse>.stride + 15) & ~15 }
    var snapshotsOffset: Int { (identifiersOffset + ContextIdentifiers.count * 8 + 4095) & ~4095 }
    /// Few tables are out of step at a time.
    var snapshotCount: Int { pageCount / 16 < 256 ? pageCount / 16 : 256 }
    /// The total size, in bytes.
    public var bytes: Int { snapshotsOffset + snapshotCount * 4096 }

    /// The number of the region of a level's size that holds a frame.
    @inline(__always)
    func region(_ frame: Int, _ level: Int) -> Int { level == 2 ? frame >> 9 : (frameCount + 0x1FF) >> 9 + frame >> 18 }
}

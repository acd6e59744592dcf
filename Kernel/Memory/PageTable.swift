/// A tree of page tables in any format: EPT, the kernel's own tables, nested or shadow tables.
///
/// No table but the root is ever empty, so a table at any level means that something below it is mapped.
/// Only leaves carry permissions and memory types. One owner changes a table at a time; processors may use it meanwhile,
/// since each entry changes in one store and a new table is complete before anything refers to it.
public struct PageTable<Format: PageTableFormat, Memory: PhysicalMemory>: ~Copyable {
    public let format: Format
    let memory: Memory

    /// The top-level table: what CR3 or the EPT pointer refers to.
    public let root: HostPhysicalAddress

    /// The frames that hold the tables, the root included.
    public internal(set) var tableCount: UInt64 = 1

    /// A table that maps nothing.
    public init(
        format: Format, memory: Memory, frames: inout some FrameSource & ~Copyable
    ) throws(PageTableError<Format.Input>) {
        guard let root = frames.allocateFrame() else { throw .outOfFrames(needed: 1) }
        self.format = format
        self.memory = memory
        self.root = root
    }

    /// A table only to look at, owned by someone else.
    init(lookingAt view: PageTableView<Format, Memory>) {
        format = view.format
        memory = view.memory
        root = view.root
    }

    /// Gives all tables back. No processor may be using them.
    public consuming func destroy(frames: inout some FrameSource & ~Copyable) {
        // A variable: with `self` or a constant here, Swift 6.3.1 crashes when it optimises.
        var table = self
        table.freeAllTables(frames: &frames)
    }

    /// Where `input` leads.
    @inline(__always)
    public func walk(_ input: Format.Input) -> PageTableWalk<Format.Permissions> {
        guard let position = format.position(of: input) else { return .inputTooWide }
        let slot = locate(position, downTo: 1)
        guard format.isPresent(slot.entry) else { return .notPresent(level: slot.level) }
        return .mapped(format.leaf(slot.entry, level: slot.level))
    }

    /// The host-physical address of `input`, or nil when it is not mapped.
    @inline(__always)
    public func translate(_ input: Format.Input) -> HostPhysicalAddress? {
        guard let position = format.position(of: input) else { return nil }
        let slot = locate(position, downTo: 1)
        guard format.isPresent(slot.entry) else { return nil }
        let mask = slot.size &- 1
        return HostPhysicalAddress(slot.entry.address.rawValue & ~mask | position & mask)
    }

    /// The address and the value of the leaf entry that maps `input`, or nil when it is not mapped: for an owner that removes
    /// one page and puts it back, in one store each.
    public func leafEntry(of input: Format.Input) -> (address: HostPhysicalAddress, value: UInt64)? {
        guard let position = format.position(of: input) else { return nil }
        let slot = locate(position, downTo: 1)
        return format.isPresent(slot.entry) ? (slot.address, slot.entry.rawValue) : nil
    }

    /// An entry with its place.
    struct Slot {
        var address: HostPhysicalAddress
        var level: Int
        var entry: Format.Entry

        /// The bytes of input that one entry of this level covers.
        @inline(__always)
        var size: UInt64 { Format.coverage(level: level) }
    }

    /// Follows `position` from the root to the entry that decides: a leaf, one that is not present,
    /// or whichever is at level `target`.
    @inline(__always)
    func locate(_ position: UInt64, downTo target: Int) -> Slot {
        var table = root
        var level = format.levelCount
        while true {
            let address = Self.slotAddress(in: table, level: level, position: position)
            let entry = Format.Entry(rawValue: memory.readUInt64(at: address))
            if level == target || !format.isPresent(entry) || entry.isLargePage {
                return Slot(address: address, level: level, entry: entry)
            }
            table = entry.address
            level &-= 1
        }
    }

    /// The address of the entry for `position` in a table at `level`.
    @inline(__always)
    static func slotAddress(in table: HostPhysicalAddress, level: Int, position: UInt64) -> HostPhysicalAddress {
        let index = position &>> Format.shift(level: level) & 511
        return HostPhysicalAddress(table.rawValue | index << 3)
    }

    /// Whether the entry refers to a table of the next level.
    @inline(__always)
    func isTable(_ slot: Slot) -> Bool {
        slot.level > 1 && format.isPresent(slot.entry) && !slot.entry.isLargePage
    }

    /// Whether the entry maps a page.
    @inline(__always)
    func isLeaf(_ slot: Slot) -> Bool {
        format.isPresent(slot.entry) && format.isLeaf(slot.entry, level: slot.level)
    }

    @inline(__always)
    func write(_ entry: Format.Entry, at address: HostPhysicalAddress) {
        memory.writeUInt64(entry.rawValue, at: address)
    }

    @inline(__always)
    func read(_ address: HostPhysicalAddress) -> Format.Entry {
        Format.Entry(rawValue: memory.readUInt64(at: address))
    }

    /// One past the last position.
    var positionLimit: UInt64 { Format.coverage(level: format.levelCount + 1) }

    /// The positions of an input range, checked.
    func positions(of range: AddressRange<Format.Input>) throws(PageTableError<Format.Input>) -> Range<UInt64> {
        guard range.start.isAligned(to: .fourKibibytes), !range.isEmpty,
            range.count.bytes & PageSize.fourKibibytes.offsetMask == 0
        else { throw .misaligned }
        guard let lower = format.position(of: range.start), range.count.bytes <= positionLimit - lower else {
            throw .inputTooWide
        }
        let last = range.start.advanced(by: range.count - ByteCount(1))
        guard format.position(of: last) == lower + (range.count.bytes - 1) else { throw .inputTooWide }
        return lower..<lower + range.count.bytes
    }
}

extension PageTableFormat {
    /// The number of input bits below the index of a table at `level`.
    @inline(__always)
    static func shift(level: Int) -> UInt64 { UInt64(truncatingIfNeeded: 3 &+ 9 &* level) }

    /// The bytes of input that one entry of a table at `level` covers.
    @inline(__always)
    static func coverage(level: Int) -> UInt64 { 1 &<< shift(level: level) }
}

/// A read-only view of a tree of page tables, from its root: what a register or a field refers to.
public struct PageTableView<Format: PageTableFormat, Memory: PhysicalMemory> {
    public let format: Format
    let memory: Memory
    public let root: HostPhysicalAddress

    public init(format: Format, memory: Memory, root: HostPhysicalAddress) {
        self.format = format
        self.memory = memory
        self.root = root
    }

    /// How many tables the tree has, including the root.
    public var tableCount: UInt64 { tableCount(under: root, level: format.levelCount) }

    private func tableCount(under table: HostPhysicalAddress, level: Int) -> UInt64 {
        guard level > 1 else { return 1 }
        var count: UInt64 = 1
        for index in UInt64(0)..<512 {
            let entry = Format.Entry(rawValue: memory.readUInt64(at: table.advanced(by: ByteCount(index * 8))))
            guard format.isPresent(entry), !format.isLeaf(entry, level: level) else { continue }
            count += tableCount(under: entry.address, level: level - 1)
        }
        return count
    }

    /// Calls `body` for every entry that the translation of `input` passes, from the root on, until it returns false.
    /// Does nothing for an input that is too wide.
    public func trace(_ input: Format.Input, _ body: (PageWalkStep<Format.Entry>) -> Bool) {
        guard let position = format.position(of: input) else { return }
        var table = root
        var level = format.levelCount
        while true {
            let address = PageTable<Format, Memory>.slotAddress(in: table, level: level, position: position)
            let entry = Format.Entry(rawValue: memory.readUInt64(at: address))
            let isPresent = format.isPresent(entry)
            let reserved = isPresent ? format.reservedBits(of: entry, level: level) : 0
            let goesOn = body(PageWalkStep(level: level, address: address, entry: entry, reservedBits: reserved))
            guard goesOn, isPresent, !format.isLeaf(entry, level: level) else { return }
            table = entry.address
            level -= 1
        }
    }
}

/// One entry that a walk passed.
public struct PageWalkStep<Entry: PageTableEntry>: Sendable {
    /// The level of the table that holds the entry.
    public let level: Int
    /// Where the entry stands in host-physical memory.
    public let address: HostPhysicalAddress
    public let entry: Entry
    /// The reserved bits that are set in it; zero in a valid entry and in one that is not present.
    public let reservedBits: UInt64
}

extension PageTable {
    /// The tables, to be looked at.
    public var view: PageTableView<Format, Memory> { PageTableView(format: format, memory: memory, root: root) }
}

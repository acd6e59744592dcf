extension PageTable {
    /// The run of leaves that holds `input`, from `input`'s page on, or else the first run above it; nil when nothing
    /// more is mapped, or when `input` is too wide for the table.
    ///
    /// A listing starts at the lowest input and goes on at the end of each run, which `forEachRun` does.
    public func nextRun(from input: Format.Input) -> PageRun<Format>? {
        guard let position = format.position(of: input) else { return nil }
        return nextRun(fromPosition: position)?.run
    }

    /// Calls `body` for every run of leaves in the table, upwards, until it returns false.
    public func forEachRun(_ body: (PageRun<Format>) -> Bool) {
        var position: UInt64 = 0
        while position < positionLimit, let (run, end) = nextRun(fromPosition: position) {
            guard body(run) else { return }
            position = end
        }
    }

    private func nextRun(fromPosition lower: UInt64) -> (run: PageRun<Format>, end: UInt64)? {
        var first: PageLeaf<Format.Permissions>?
        var start: UInt64 = 0
        var end = lower
        while end < positionLimit {
            let slot = locate(end, downTo: 1)
            guard format.isPresent(slot.entry) else {
                if first != nil { break }
                end = (end | (slot.size - 1)) + 1
                continue
            }
            let leaf = format.leaf(slot.entry, level: slot.level)
            if let first {
                guard leaf.continues(first, after: end - start) else { break }
            } else {
                first = leaf
                end &= ~(slot.size - 1)
                start = end
            }
            end += slot.size
        }
        guard let first else { return nil }
        let run = PageRun<Format>(input: format.input(at: start), first: first, pageCount: (end - start) / first.size.bytes)
        return (run, end)
    }
}

extension PageLeaf {
    /// Whether this leaf maps on what a run that began with `first` has mapped so far.
    func continues(_ first: Self, after count: UInt64) -> Bool {
        size == first.size && permissions == first.permissions && memoryType == first.memoryType
            && output.rawValue == first.output.rawValue + count
    }
}

/// One entry that a walk passed.
public struct PageWalkStep<Entry: PageTableEntry>: Sendable {
    /// The level of the table that holds the entry.
    public let level: Int
    /// Where the entry stands in host-physical memory.
    public let address: HostPhysicalAddress
    public let entry: Entry
    /// The reserved bits that are set in it; zero in a sound entry and in one that is not present.
    public let reservedBits: UInt64
}

extension PageTable {
    /// Calls `body` for every entry that the translation of `input` passes, from the root on; for views of a page walk.
    /// Does nothing for an input that is too wide.
    public func trace(_ input: Format.Input, _ body: (PageWalkStep<Format.Entry>) -> Void) {
        guard let position = format.position(of: input) else { return }
        let last = locate(position, downTo: 1).level
        var level = format.levelCount
        while level >= last {
            let slot = locate(position, downTo: level)
            let reserved = format.isPresent(slot.entry) ? format.reservedBits(of: slot.entry, level: level) : 0
            body(PageWalkStep(level: level, address: slot.address, entry: slot.entry, reservedBits: reserved))
            level -= 1
        }
    }
}

extension PageTable {
    /// The run of leaves that holds `input`, from `input`'s page on, or else the first run above it; nil when nothing
    /// more is mapped, or when `input` is too wide for the table.
    ///
    /// A listing starts at the lowest input and goes on at the end of each run, which `forEachRun` does.
    public func nextRun(from input: Format.Input) -> PageRun<Format>? {
        guard let position = format.position(of: input) else { return nil }
        return nextRun(from: position, to: positionLimit)?.run
    }

    /// Calls `body` for the runs of those leaves that overlap a range, upwards, until it returns false.
    public func forEachRun(in range: AddressRange<Format.Input>, _ body: (PageRun<Format>) -> Bool) {
        guard !range.isEmpty, var position = format.position(of: range.start) else { return }
        let count = min(range.count.bytes, positionLimit - position)
        let limit = position + count
        while position < limit, let (run, end) = nextRun(from: position, to: limit) {
            guard body(run) else { return }
            position = end
        }
    }

    /// Calls `body` for every run of leaves in the table, upwards, until it returns false.
    public func forEachRun(_ body: (PageRun<Format>) -> Bool) {
        var position: UInt64 = 0
        while position < positionLimit, let (run, end) = nextRun(from: position, to: positionLimit) {
            guard body(run) else { return }
            position = end
        }
    }

    private func nextRun(from lower: UInt64, to limit: UInt64) -> (run: PageRun<Format>, end: UInt64)? {
        var first: PageLeaf<Format.Permissions>?
        var start: UInt64 = 0
        var end = lower
        var accessed: UInt64 = 0
        var dirty: UInt64 = 0
        while end < limit {
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
            if leaf.isAccessed { accessed += 1 }
            if leaf.isDirty { dirty += 1 }
            end += slot.size
        }
        guard let first else { return nil }
        let run = PageRun<Format>(
            input: format.input(at: start), first: first, pageCount: (end - start) / first.size.bytes,
            accessedCount: accessed, dirtyCount: dirty)
        return (run, end)
    }
}

extension PageLeaf {
    /// Whether this leaf continues what a run that began with `first` has mapped so far.
    func continues(_ first: Self, after count: UInt64) -> Bool {
        size == first.size && permissions == first.permissions && memoryType == first.memoryType
            && output.rawValue == first.output.rawValue + count
    }
}

extension PageTableView {
    /// Calls `body` for the runs of those leaves that overlap a range, upwards, until it returns false.
    public func forEachRun(in range: AddressRange<Format.Input>, _ body: (PageRun<Format>) -> Bool) {
        PageTable(lookingAt: self).forEachRun(in: range, body)
    }
}

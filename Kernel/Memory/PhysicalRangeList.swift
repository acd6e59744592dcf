/// A set of host-physical bytes, kept as ranges that are sorted, not empty, and do not touch. For the memory map alone.
struct PhysicalRangeList {
    static var capacity: Int { 128 }

    struct Entry {
        var start: UInt64
        /// One past the last byte.
        var end: UInt64
    }

    private var entries = InlineArray<128, Entry>(repeating: Entry(start: 0, end: 0))
    private(set) var count = 0

    /// The range at `index`, below `count`.
    subscript(index: Int) -> Entry {
        precondition(index < count)
        return entries[index]
    }

    /// Adds a range. Returns false, and changes nothing, when there is no room for it.
    mutating func insert(_ start: UInt64, _ end: UInt64) -> Bool {
        guard start < end else { return true }
        // The ranges that the new one overlaps or touches merge with it.
        let first = firstIndex { $0.end >= start }
        let last = firstIndex { $0.start > end }
        if first == last {
            guard open(at: first) else { return false }
            entries[first] = Entry(start: start, end: end)
        } else {
            entries[first] = Entry(start: min(start, entries[first].start), end: max(end, entries[last - 1].end))
            close(first + 1, upTo: last)
        }
        return true
    }

    /// Removes a range. Returns false when there is no room for a hole in the middle of an entry;
    /// then the whole part above the hole is removed as well, so that nothing removed stays in the set.
    mutating func remove(_ start: UInt64, _ end: UInt64) -> Bool {
        guard start < end else { return true }
        var first = firstIndex { $0.end > start }
        guard first < count else { return true }
        if entries[first].start < start {
            let above = Entry(start: end, end: entries[first].end)
            entries[first].end = start
            first += 1
            if above.start < above.end {
                guard open(at: first) else { return false }
                entries[first] = above
                return true
            }
        }
        let last = firstIndex { $0.end > end }
        if last < count { entries[last].start = max(end, entries[last].start) }
        close(first, upTo: last)
        return true
    }

    /// Whether every byte of the range is in the set.
    func contains(_ start: UInt64, _ end: UInt64) -> Bool {
        let index = firstIndex { $0.end >= end }
        return index < count && entries[index].start <= start
    }

    private func firstIndex(_ matches: (Entry) -> Bool) -> Int {
        let entries = entries.span
        var index = 0
        while index < count && !matches(entries[index]) { index += 1 }
        return index
    }

    /// Makes room for an entry at `index`.
    private mutating func open(at index: Int) -> Bool {
        guard count < Self.capacity else { return false }
        var position = count
        while position > index {
            entries[position] = entries[position - 1]
            position -= 1
        }
        count += 1
        return true
    }

    /// Removes the entries from `first` up to, not including, `last`.
    private mutating func close(_ first: Int, upTo last: Int) {
        guard first < last else { return }
        var position = last
        while position < count {
            entries[position - (last - first)] = entries[position]
            position += 1
        }
        count -= last - first
    }
}

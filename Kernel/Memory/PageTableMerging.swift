extension PageTable {
    /// Merges neighbouring leaves again: wherever a table that lies wholly in `range` maps one aligned block with equal
    /// permissions and memory type, a leaf of the next larger size, at most `largest`, takes its place.
    ///
    /// The large leaf is accessed, or dirty, if any part was. A processor that uses the table meanwhile may set a bit in
    /// a part after it was read, and that bit is lost: where these bits matter, keep the table's users out of the guest.
    /// The frames of removed tables are free at once: invalidate before the source gives them out again.
    public mutating func merge(
        _ range: AddressRange<Format.Input>, largest: PageSize, frames: inout some FrameSource & ~Copyable
    ) throws(PageTableError<Format.Input>) -> TranslationChange {
        let positions = try positions(of: range)
        var freed: UInt64 = 0
        // Bottom-up, so that what was merged at one level can be merged again at the next.
        for level in 2...3 {
            guard let size = PageSize(level: level), size <= largest, format.leafSizes.contains(size) else { break }
            visitTables(at: level - 1, in: positions) { slot, start in
                guard start >= positions.lowerBound, start + size.bytes <= positions.upperBound,
                    let merged = mergedLeaf(of: slot.entry.address, level: level - 1)
                else { return }
                write(format.entry(for: merged), at: slot.address)
                frames.freeFrame(slot.entry.address)
                freed += 1
            }
        }
        tableCount -= freed
        return freed == 0 ? .none : .changed
    }

    /// The leaf of the next larger size that maps the same as all 512 leaves of a table, if there is one.
    private func mergedLeaf(of table: HostPhysicalAddress, level: Int) -> PageLeaf<Format.Permissions>? {
        let entry = read(table)
        guard let size = PageSize(level: level), let mergedSize = PageSize(level: level + 1),
            format.isPresent(entry), format.isLeaf(entry, level: level)
        else { return nil }
        var leaf = format.leaf(entry, level: level)
        guard leaf.output.isAligned(to: mergedSize) else { return nil }
        var expected = unmarked(entry).rawValue
        var offset: UInt64 = 8
        while offset < PageSize.fourKibibytes.bytes {
            let entry = read(table.advanced(by: ByteCount(offset)))
            expected += size.bytes
            guard unmarked(entry).rawValue == expected else { return nil }
            if entry.isAccessed { leaf.isAccessed = true }
            if entry.isDirty { leaf.isDirty = true }
            offset += 8
        }
        leaf.size = mergedSize
        return leaf
    }

    private func unmarked(_ entry: Format.Entry) -> Format.Entry {
        var entry = entry
        entry.isAccessed = false
        entry.isDirty = false
        return entry
    }
}

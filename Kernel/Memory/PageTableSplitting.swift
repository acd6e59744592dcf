extension PageTable {
    /// Splits the large leaves that overlap `range` until none of them is larger than `size`.
    ///
    /// What a split leaf maps outside the range stays in leaves as large as possible. Every part inherits the
    /// permissions, the type and the accessed and dirty bits of the whole. On an error nothing has changed.
    public mutating func split(
        _ range: AddressRange<Format.Input>, downTo size: PageSize, frames: inout some FrameSource & ~Copyable
    ) throws(PageTableError<Format.Input>) -> TranslationChange {
        let positions = try positions(of: range)
        guard format.leafSizes.contains(size) else { throw .sizeNotOffered }
        let needed = splitsNeeded(in: positions, downTo: size)
        guard needed <= frames.availableFrames else { throw .outOfFrames(needed: needed) }
        var position = positions.lowerBound
        while position < positions.upperBound {
            let slot = locate(position, downTo: 1)
            if isLeaf(slot) && slot.size > size.bytes {
                splitLeaf(slot, frames: &frames)
            } else {
                position = (position | (slot.size - 1)) + 1
            }
        }
        return needed == 0 ? .none : .changed
    }

    /// How many tables it takes to split the leaves over `positions` down to `size`.
    private func splitsNeeded(in positions: Range<UInt64>, downTo size: PageSize) -> UInt64 {
        var needed: UInt64 = 0
        visitLeaves(in: positions) { slot, start in
            let first = max(start, positions.lowerBound)
            let last = min(start + slot.size, positions.upperBound) - 1
            // One table for each page of each size above the wanted one that the range touches within this leaf.
            var level = slot.level
            while Format.coverage(level: level) > size.bytes {
                let shift = Format.shift(level: level)
                needed += (last >> shift) - (first >> shift) + 1
                level -= 1
            }
        }
        return needed
    }

    /// Splits the leaves in which `positions` begins or ends, as far as needed for it to fall between leaves.
    mutating func cutEdges(
        of positions: Range<UInt64>, frames: inout some FrameSource & ~Copyable
    ) throws(PageTableError<Format.Input>) -> TranslationChange {
        let lower = positions.lowerBound
        let upper = positions.upperBound
        let lowerLevel = levelCut(at: lower)
        let upperLevel = levelCut(at: upper)
        var needed: UInt64 = 0
        var level = 2
        while level <= max(lowerLevel, upperLevel) {
            let mask = Format.coverage(level: level) - 1
            let cutsLower = level <= lowerLevel && lower & mask != 0
            let cutsUpper = level <= upperLevel && upper & mask != 0
            // Both edges inside one page: one table serves both.
            let shared = cutsLower && cutsUpper && lower & ~mask == upper & ~mask
            needed += (cutsLower ? 1 : 0) + (cutsUpper && !shared ? 1 : 0)
            level += 1
        }
        guard needed > 0 else { return .none }
        guard needed <= frames.availableFrames else { throw .outOfFrames(needed: needed) }
        cut(at: lower, frames: &frames)
        cut(at: upper, frames: &frames)
        return .changed
    }

    /// The level of the leaf that has `position` in its interior; 0 if there is none.
    private func levelCut(at position: UInt64) -> Int {
        guard position < positionLimit else { return 0 }
        let slot = locate(position, downTo: 1)
        return isLeaf(slot) && position & (slot.size - 1) != 0 ? slot.level : 0
    }

    /// Splits until no leaf has `position` in its interior.
    private mutating func cut(at position: UInt64, frames: inout some FrameSource & ~Copyable) {
        guard position < positionLimit else { return }
        while true {
            let slot = locate(position, downTo: 1)
            guard isLeaf(slot), position & (slot.size - 1) != 0 else { return }
            splitLeaf(slot, frames: &frames)
        }
    }

    /// Replaces a large leaf by a table of leaves of the next smaller size.
    private mutating func splitLeaf(_ slot: Slot, frames: inout some FrameSource & ~Copyable) {
        let table = takeFrame(from: &frames)
        let reference = format.entry(forTableAt: table)
        var entry = slot.entry
        while true {
            var leaf = format.leaf(entry, level: slot.level)
            leaf.size = PageSize(level: slot.level - 1)!
            let first = format.entry(for: leaf).rawValue
            for index in 0..<UInt64(512) {
                let part = Format.Entry(rawValue: first + index * leaf.size.bytes)
                write(part, at: table.advanced(by: ByteCount(index * 8)))
            }
            if memory.compareExchange(at: slot.address, expected: entry.rawValue, desired: reference.rawValue) { return }
            // A processor has set the accessed or dirty bit meanwhile, which every part inherits.
            entry = read(slot.address)
        }
    }
}

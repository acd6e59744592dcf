extension PageTable {
    /// Calls `body` for every leaf that overlaps `positions`, upwards, with the position where the leaf begins.
    /// `body` may rewrite the leaf's entry, not the tables.
    @inline(__always)
    func visitLeaves<Failure: Error>(
        in positions: Range<UInt64>, _ body: (Slot, UInt64) throws(Failure) -> Void
    ) throws(Failure) {
        var position = positions.lowerBound
        while position < positions.upperBound {
            var slot = locate(position, downTo: 1)
            // The following entries of the same table are read without a new walk.
            repeat {
                let start = position & ~(slot.size - 1)
                if format.isPresent(slot.entry) { try body(slot, start) }
                position = start + slot.size
                slot.address = slot.address.advanced(by: ByteCount(8))
                guard position < positions.upperBound, slot.address.rawValue & 0xFFF != 0 else { break }
                slot.entry = read(slot.address)
            } while !isTable(slot)
        }
    }

    /// Calls `body` for every table at `level` that covers a part of `positions`, upwards, with the entry of level
    /// `level + 1` that refers to it and the position where the table begins. `body` may remove the table.
    @inline(__always)
    func visitTables(at level: Int, in positions: Range<UInt64>, _ body: (Slot, UInt64) -> Void) {
        var position = positions.lowerBound
        while position < positions.upperBound {
            let slot = locate(position, downTo: level + 1)
            let start = position & ~(slot.size - 1)
            if slot.level == level + 1 && isTable(slot) { body(slot, start) }
            position = start + slot.size
        }
    }

    /// The first position of the range that is not mapped, if any.
    func firstHole(in positions: Range<UInt64>) -> UInt64? {
        var mapped = positions.lowerBound
        visitLeaves(in: positions) { slot, start in
            if start <= mapped { mapped = start + slot.size }
        }
        return mapped < positions.upperBound ? mapped : nil
    }

    /// Removes the tables over `positions` that no longer map anything.
    mutating func prune(_ positions: Range<UInt64>, frames: inout some FrameSource & ~Copyable) {
        var freed: UInt64 = 0
        for level in 1..<format.levelCount {
            visitTables(at: level, in: positions) { slot, _ in
                guard isEmpty(slot.entry.address) else { return }
                write(.absent, at: slot.address)
                frames.freeFrame(slot.entry.address)
                freed += 1
            }
        }
        tableCount -= freed
    }

    @inline(never)
    /// Frees every table, the root last. A table goes after all below it, so nothing freed is read.
    mutating func freeAllTables(frames: inout some FrameSource & ~Copyable) {
        for level in 1..<format.levelCount {
            visitTables(at: level, in: 0..<positionLimit) { slot, _ in
                write(.absent, at: slot.address)
                frames.freeFrame(slot.entry.address)
            }
        }
        frames.freeFrame(root)
    }

    private func isEmpty(_ table: HostPhysicalAddress) -> Bool {
        var offset: UInt64 = 0
        while offset < PageSize.fourKibibytes.bytes {
            if format.isPresent(read(table.advanced(by: ByteCount(offset)))) { return false }
            offset += 8
        }
        return true
    }
}

// What a table out of step last held when compared, so that only what has changed is compared again.
//
// There is one for a table with entries of 8 bytes, as long as only one shadow table mirrors it. Each word is what the shadow
// entry was made from.

extension ShadowTables {
    private func snapshot(_ number: UInt16) -> UnsafeMutablePointer<UInt64> { snapshots + Int(number &- 1) << 9 }

    private func address(ofFrame frame: Int) -> GuestPhysicalAddress { GuestPhysicalAddress(UInt64(frame) << 12) }

    mutating func freeSnapshot(_ number: UInt16) {
        snapshot(number)[0] = UInt64(firstSnapshot)
        firstSnapshot = number
    }

    /// Takes one of a table that is in step and no longer will be.
    @_optimize(speed)
    mutating func takeSnapshot(of frame: Int) {
        guard firstSnapshot != 0, paging.mode != .bits32, frames[frame].tableCount == 1, frames[frame].snapshot == 0 else {
            return
        }
        let taken = firstSnapshot
        firstSnapshot = UInt16(truncatingIfNeeded: snapshot(taken)[0])
        frames[frame].snapshot = taken
        memory.copyPage(at: address(ofFrame: frame), to: snapshot(taken))
    }

    mutating func dropSnapshot(of frame: Int) {
        guard frames[frame].snapshot != 0 else { return }
        freeSnapshot(frames[frame].snapshot)
        frames[frame].snapshot = 0
        frames[frame].isWrittenTo = false
    }

    /// An entry was made from what the guest's table holds now.
    @inline(__always)
    mutating func note(_ slot: Int) {
        guard !pages[slot >> 9].isDirect else { return }
        let frame = Int(pages[slot >> 9].frame)
        if frames[frame].snapshot != 0 { noteInSnapshot(frame, slot & 511) }
    }

    @_optimize(speed)
    private mutating func noteInSnapshot(_ frame: Int, _ index: Int) {
        let value = memory.readUInt64(at: GuestPhysicalAddress(UInt64(frame) << 12 | UInt64(index) << 3)) ?? 0
        let words = snapshot(frames[frame].snapshot)
        if words[index] != value { frames[frame].isWrittenTo = true }
        words[index] = value
    }

    /// Compares the entries of a frame that has a snapshot, and to which the guest has written.
    @_optimize(speed)
    mutating func compareChanged(_ frame: Int, _ table: Int) {
        let words = snapshot(frames[frame].snapshot)
        var index = memory.difference(at: address(ofFrame: frame), to: words, from: 0)
        while index < 512 {
            let slot = table << 9 | index
            if entries[slot] != 0 { set(slot, now(slot)) }
            noteInSnapshot(frame, index)
            index = memory.difference(at: address(ofFrame: frame), to: words, from: index + 1)
        }
    }
}

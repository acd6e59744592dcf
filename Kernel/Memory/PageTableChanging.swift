extension PageTable {
    /// Removes whatever is mapped in `range`, and the tables that become empty.
    ///
    /// A large page that the range cuts is split first. Unmapped parts are left alone. On an error nothing
    /// has changed. The frames of removed tables are free at once: if `needsInvalidation`, invalidate before the source
    /// gives them out again.
    public mutating func unmap(
        _ range: AddressRange<Format.Input>, frames: inout some FrameSource & ~Copyable
    ) throws(PageTableError<Format.Input>) -> TranslationChange {
        let positions = try positions(of: range)
        var change = try cutEdges(of: positions, frames: &frames)
        visitLeaves(in: positions) { slot, _ in
            write(.absent, at: slot.address)
            change = .changed
        }
        if change != .none { prune(positions, frames: &frames) }
        return change
    }

    /// Gives every page of `range`, all of which must be mapped, the same permissions.
    ///
    /// A large page that the range cuts is split first; accessed and dirty bits stay. The result is `.relaxed` when
    /// rights were only added. On an error nothing has changed.
    public mutating func protect(
        _ range: AddressRange<Format.Input>, permissions: Format.Permissions,
        frames: inout some FrameSource & ~Copyable
    ) throws(PageTableError<Format.Input>) -> TranslationChange {
        let positions = try positions(of: range)
        guard format.canExpress(permissions) else { throw .permissionsNotExpressible }
        if let hole = firstHole(in: positions) { throw .notMapped(format.input(at: hole)) }
        var change = try cutEdges(of: positions, frames: &frames)
        visitLeaves(in: positions) { slot, _ in
            change.include(protectLeaf(slot, permissions: permissions))
        }
        return change
    }

    private func protectLeaf(_ slot: Slot, permissions: Format.Permissions) -> TranslationChange {
        var entry = slot.entry
        while true {
            var leaf = format.leaf(entry, level: slot.level)
            let previous = leaf.permissions
            if previous == permissions { return .none }
            leaf.permissions = permissions
            let replacement = format.entry(for: leaf)
            if memory.compareExchange(at: slot.address, expected: entry.rawValue, desired: replacement.rawValue) {
                return permissions.includes(previous) ? .relaxed : .changed
            }
            // A processor has set the accessed or dirty bit meanwhile.
            entry = read(slot.address)
        }
    }

    /// Reports the leaves in `range` that were accessed, and clears their accessed and dirty bits.
    ///
    /// `body` gets where each such leaf begins, its size and whether it was written to. The processor sets the bits again
    /// only after it has dropped the cached translation, so the result is `.changed` if any was set.
    /// Intel SDM vol. 3, "Accessed and Dirty Flags for EPT" and "Accessed and Dirty Flags".
    public mutating func takeAccessed(
        in range: AddressRange<Format.Input>,
        _ body: (_ page: Format.Input, _ size: PageSize, _ isDirty: Bool) -> Void
    ) throws(PageTableError<Format.Input>) -> TranslationChange {
        let positions = try positions(of: range)
        var change = TranslationChange.none
        visitLeaves(in: positions) { slot, start in
            guard slot.entry.isAccessed || slot.entry.isDirty else { return }
            let taken = clearAccessed(slot)
            body(format.input(at: start), PageSize(level: slot.level)!, taken.isDirty)
            change = .changed
        }
        return change
    }

    private func clearAccessed(_ slot: Slot) -> Format.Entry {
        var entry = slot.entry
        while true {
            var cleared = entry
            cleared.isAccessed = false
            cleared.isDirty = false
            if memory.compareExchange(at: slot.address, expected: entry.rawValue, desired: cleared.rawValue) {
                return entry
            }
            entry = read(slot.address)
        }
    }
}

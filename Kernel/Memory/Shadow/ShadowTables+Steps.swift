// Tables in step with the guest's, and out of step.

extension ShadowTables {
    /// Martlet itself wrote to the guest's RAM.
    @_optimize(speed)
    public mutating func noteWrite(at address: GuestPhysicalAddress) {
        let frame = address.rawValue >> 12
        if frame < UInt64(layout.frameCount), frames[Int(frame)].isProtected { leaveOutOfStep(Int(frame), isWrittenTo: true) }
    }

    /// The guest may have written to any of its tables.
    public mutating func distrustAll() {
        for number in 1..<usedEnd where pages[number].isUsed && !pages[number].isDirect && !pages[number].isDetached {
            if frames[Int(pages[number].frame)].isProtected { leaveOutOfStep(Int(pages[number].frame), isWrittenTo: true) }
        }
    }

    /// Lets the guest write to one of its tables, or notes that it was written to: then it is too late for a snapshot.
    @_optimize(speed)
    mutating func leaveOutOfStep(_ frame: Int, isWrittenTo: Bool) {
        if !isWrittenTo { takeSnapshot(of: frame) }
        frames[frame].isOutOfStep = true
        addProtected(-1, frame)
        counts.outOfStep &+= 1
        list(frame)
    }

    /// Compares everything out of step, as the guest has flushed its translations.
    @_optimize(speed)
    public mutating func synchronize() {
        var listed = firstListed
        firstListed = 0
        while listed != 0 {
            let frame = Int(listed) - 1
            listed = frames[frame].nextListed
            frames[frame].isListed = false
            if frames[frame].tableCount > 0, frames[frame].isOutOfStep { bringBack(frame) }
        }
    }

    @_optimize(speed)
    private mutating func bringBack(_ frame: Int) {
        counts.comparisons &+= 1
        compareTables(of: frame)
        // A table that leads nowhere is probably no longer one.
        detachEmptyTables(of: frame)
        guard frames[frame].tableCount > 0 else { return }
        // What the guest writes to between two flushes, it will probably write to before the next.
        if frames[frame].isWrittenTo {
            frames[frame].isWrittenTo = false
            return list(frame)
        }
        frames[frame].isOutOfStep = false
        dropSnapshot(of: frame)
        protect(frame)
    }

    @_optimize(speed)
    private mutating func list(_ frame: Int) {
        guard !frames[frame].isListed else { return }
        // From now on, a load that flushes must exit.
        if !hasIdentifiers { twins.removeAll() }
        frames[frame].isListed = true
        frames[frame].nextListed = firstListed
        firstListed = UInt32(truncatingIfNeeded: frame + 1)
    }

    @_optimize(speed)
    mutating func compareTables(of frame: Int) {
        var number = Int(frames[frame].firstPage)
        while number != 0 {
            let next = Int(pages[number].next)
            if !pages[number].isDirect {
                frames[frame].snapshot != 0 ? compareChanged(frame, number) : compare(number)
            }
            number = next
        }
    }

    /// Whether the processor's walks begin there: CR3, or a page-directory-pointer register, refers to it.
    mutating func isLoaded(_ number: Int) -> Bool {
        number == root || root == 0 && pages[number].level == 2 && pages[number].references > 0
    }

    mutating func compare(_ number: Int) {
        var left = pages[number].validCount
        var slot = number << 9
        while left > 0 {
            if entries[slot] != 0 {
                left -= 1
                set(slot, now(slot))
            }
            slot += 1
        }
    }

    /// What a present entry should now be; 0 if nothing of it can stay.
    @_optimize(speed)
    mutating func now(_ slot: Int) -> UInt64 {
        let entry = entries[slot]
        let level = Int(pages[slot >> 9].level)
        guard let wanted = mirror(slot) else { return 0 }
        let frame = wanted.address >> 12
        if level == 1 { return frame < UInt64(layout.frameCount) && frame != hole ? leaf(wanted) : 0 }
        if isLeaf(entry, level: level) { return wanted.isPage ? largeLeaf(wanted, level) ?? 0 : 0 }
        guard frame < UInt64(layout.frameCount) else { return 0 }
        let table = child(of: entry)
        guard pages[table].isSame(frame, level - 1, wanted.part, isDirect: wanted.isPage) else { return 0 }
        return reference(to: table, wanted.bits)
    }

    /// Compares the entries on the path to one address, whose translation the guest has invalidated.
    @_optimize(speed)
    public mutating func invalidate(_ linear: GuestVirtualAddress) {
        needsFlush = true
        let part = part(of: linear)
        // A global page's translation is dropped for all address spaces.
        if globalParts[part >> 6] & 1 &<< UInt64(truncatingIfNeeded: part & 63) != 0 { flushOthers() }
        guard var (number, level) = start(of: linear) else { return }
        while true {
            let slot = number << 9 | Self.index(linear.rawValue, level)
            guard entries[slot] != 0 else { return }
            if !pages[number].isDirect, frames[Int(pages[number].frame)].isOutOfStep {
                set(slot, now(slot))
                note(slot)
            }
            let entry = entries[slot]
            guard entry != 0, !isLeaf(entry, level: level) else { return }
            number = child(of: entry)
            level -= 1
        }
    }

    // MARK: Protection

    /// Removes the right to write to a table from every entry that maps it; one that maps a whole region writable is removed, and
    /// comes back in parts.
    @_optimize(speed)
    mutating func protect(_ frame: Int) {
        addProtected(1, frame)
        strip(UInt64(frame), 1, writableMappings(frames + frame))
        for level in 2...3 {
            let first = UInt64(frame) & ~(Self.coverage(level) >> 12 - 1)
            strip(first, level, writableMappings(regions + layout.region(frame, level)))
        }
    }

    @_optimize(speed)
    mutating func addProtected(_ change: Int, _ frame: Int) {
        for level in 2...3 {
            let region = regions + layout.region(frame, level)
            region.pointee.protectedCount = UInt32(truncatingIfNeeded: Int(region.pointee.protectedCount) + change)
        }
    }

    /// Nearly always there is one entry, whose place is known; else each table is searched once.
    @_optimize(speed)
    private mutating func strip(_ frame: UInt64, _ level: Int, _ mappings: UnsafeMutablePointer<WritableMappings>) {
        guard mappings.pointee.count > 0 else { return }
        let (last, earlier) = (Int(mappings.pointee.last), Int(mappings.pointee.earlier))
        strip(last, frame, level)
        strip(earlier, frame, level)
        var number = 1
        while mappings.pointee.count > 0, number < usedEnd {
            if pages[number].isUsed, Int(pages[number].level) == level, pages[number].validCount > 0 {
                for slot in number << 9..<(number + 1) << 9 { strip(slot, frame, level) }
            }
            number += 1
        }
    }

    @_optimize(speed)
    private mutating func strip(_ slot: Int, _ frame: UInt64, _ level: Int) {
        if mapsWritable(slot, frame, level) { set(slot, level == 1 ? entries[slot] & ~GuestEntryBits.writable : 0) }
    }

    private mutating func mapsWritable(_ slot: Int, _ frame: UInt64, _ level: Int) -> Bool {
        let entry = entries[slot]
        return entry & GuestEntryBits.writable != 0 && Int(pages[slot >> 9].level) == level && isLeaf(entry, level: level)
            && self.frame(of: entry, level: level) == frame
    }
}

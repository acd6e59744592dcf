extension ShadowTables {
    /// Copies from the guest's tables what an access needs, which the guest's own processor would have allowed and whose
    /// accessed and dirty bits are set.
    /// - Parameters:
    ///   - linear: canonical; 32 bits outside long mode.
    ///   - isUser: in user mode.
    /// - Returns: whether anything changed. If not, the processor should have been able to make the access.
    @_optimize(speed)
    public mutating func fill(_ linear: GuestVirtualAddress, isWrite: Bool, isUser: Bool = false) -> Bool {
        if freeCount < Self.mostNeeded { reclaim() }
        guard var (number, level) = start(of: linear) else { return false }
        var hasChanged = false
        while true {
            let slot = number << 9 | Self.index(linear.rawValue, level)
            if leadsOn(slot, level) {
                number = child(of: entries[slot])
                level -= 1
                continue
            }
            guard var wanted = mirror(slot) else { break }
            if wanted.isPage, isWrite, !isUser, wanted.bits & GuestEntryBits.writable == 0, !paging.writeProtects {
                wanted = wanted.writableForSupervisor(paging)
            }
            let new = wanted.isPage ? makePage(wanted, level, isWrite: isWrite) : makeTable(wanted, level, entries[slot])
            guard new != 0 else { break }
            if entries[slot] != new {
                set(slot, new)
                hasChanged = true
            }
            note(slot)
            if isLeaf(new, level: level) {
                if new & MirroredEntry.global != 0 { noteGlobal(linear) }
                break
            }
            number = child(of: new)
            level -= 1
        }
        if hasChanged { counts.fills &+= 1 }
        return hasChanged
    }

    /// Whether an entry refers to the table to which the guest's refers: it cannot have changed in a table that is in step.
    @inline(__always)
    private mutating func leadsOn(_ slot: Int, _ level: Int) -> Bool {
        let entry = entries[slot]
        guard entry != 0, !isLeaf(entry, level: level) else { return false }
        let page = pages + (slot >> 9)
        let next = pages + child(of: entry)
        return !page.pointee.isDirect && !frames[Int(page.pointee.frame)].isOutOfStep && !next.pointee.isDirect
            && !next.pointee.isDetached
    }

    mutating func part(of linear: GuestVirtualAddress) -> Int { Self.index(linear.rawValue, paging.shadowLevelCount) }

    private mutating func noteGlobal(_ linear: GuestVirtualAddress) {
        let part = part(of: linear)
        globalParts[part >> 6] |= 1 &<< UInt64(truncatingIfNeeded: part & 63)
    }

    /// The table at which the walk for an address begins: the root, or one below the fixed root, whose entries are there or not.
    mutating func start(of linear: GuestVirtualAddress) -> (number: Int, level: Int)? {
        guard root == 0 else { return (root, Int(pages[root].level)) }
        let entry = entries[Int(truncatingIfNeeded: linear.rawValue >> 30 & 3)]
        return entry == 0 ? nil : (child(of: entry), 2)
    }

    /// The most tables that one address takes: a newly chosen root, four below, and a direct one.
    static var mostNeeded: Int { 8 }

    /// What an entry should lead to.
    @_optimize(speed)
    mutating func mirror(_ slot: Int) -> MirroredEntry? {
        let page = pages[slot >> 9]
        let index = slot & 511
        let level = Int(page.level)
        guard page.isDirect else {
            guard paging.writeProtects else { return mirrorWithoutWriteProtection(page, index) }
            return paging.mirror(frame: UInt64(page.frame), level: level, part: page.part, index: index, in: memory)
        }
        // The rights are in the entry that refers to the direct table.
        let address = UInt64(page.frame) << 12 &+ UInt64(index) &* Self.coverage(level)
        return MirroredEntry(isPage: true, address: address, part: 0, bits: GuestEntryBits.writable | GuestEntryBits.user)
    }

    @inline(never)
    private func mirrorWithoutWriteProtection(_ page: ShadowPage, _ index: Int) -> MirroredEntry? {
        paging.mirror(frame: UInt64(page.frame), level: Int(page.level), part: page.part, index: index, in: memory)?
            .withoutWriteProtection(inPart: page.part)
    }

    // MARK: Pages

    /// The entry that maps a page, or refers to a direct table for it; 0 outside RAM.
    @_optimize(speed)
    private mutating func makePage(_ wanted: MirroredEntry, _ level: Int, isWrite: Bool) -> UInt64 {
        let frame = wanted.address >> 12
        if level == 1 {
            guard frame < UInt64(layout.frameCount), frame != hole else { return 0 }
            if isWrite, frames[Int(frame)].isProtected { leaveOutOfStep(Int(frame), isWrittenTo: false) }
            return leaf(wanted)
        }
        if let leaf = largeLeaf(wanted, level) { return leaf }
        guard let table = table(frame, level - 1, 0, isDirect: true) else { return 0 }
        return reference(to: table, wanted.bits)
    }

    /// The entry for 4 KiB of RAM.
    @inline(__always)
    mutating func leaf(_ wanted: MirroredEntry) -> UInt64 {
        let entry = ram.start.rawValue &+ wanted.address | wanted.bits | Self.present | GuestEntryBits.dirty
        return frames[Int(truncatingIfNeeded: wanted.address >> 12)].isProtected ? entry & ~GuestEntryBits.writable : entry
    }

    /// The entry for a large page, if all of it is there, and nothing in it is protected from what the guest allows.
    @_optimize(speed)
    mutating func largeLeaf(_ wanted: MirroredEntry, _ level: Int) -> UInt64? {
        let size = Self.coverage(level)
        guard let pageSize = PageSize(level: level), leafSizes.contains(pageSize),
            wanted.address <= ram.count.bytes, ram.count.bytes - wanted.address >= size,
            ram.start.rawValue & (size - 1) == 0, hole ^ wanted.address >> 12 >= size >> 12
        else { return nil }
        let isWritable = wanted.bits & GuestEntryBits.writable != 0
        let region = layout.region(Int(truncatingIfNeeded: wanted.address >> 12), level)
        if isWritable, regions[region].protectedCount > 0 { return nil }
        // The page attribute bit of a large page is bit 12.
        let attribute = wanted.bits & GuestEntryBits.largePage
        let bits = wanted.bits & ~GuestEntryBits.largePage | attribute << 5
        return ram.start.rawValue &+ wanted.address | bits | Self.present | GuestEntryBits.dirty | GuestEntryBits.largePage
    }

    // MARK: Tables

    @_optimize(speed)
    private mutating func makeTable(_ wanted: MirroredEntry, _ level: Int, _ old: UInt64) -> UInt64 {
        let frame = wanted.address >> 12
        guard frame < UInt64(layout.frameCount) else { return 0 }
        if old != 0, !isLeaf(old, level: level), pages[child(of: old)].isSame(frame, level - 1, wanted.part, isDirect: false) {
            return reference(to: child(of: old), wanted.bits)
        }
        guard let table = table(frame, level - 1, wanted.part, isDirect: false) else { return 0 }
        if pages[table].validCount > 0 { renew(table) }
        return reference(to: table, wanted.bits)
    }

    /// What a processor may have cached of a table that is out of step is for the addresses that led to it before. When another
    /// entry leads to it, nothing is cached yet: it must equal the guest's table now.
    private mutating func renew(_ table: Int) {
        guard firstListed != 0 else { return }
        guard pages[table].level > 1 else {
            if frames[Int(pages[table].frame)].isOutOfStep { compareTables(of: Int(pages[table].frame)) }
            return
        }
        // Any of them may lie below.
        var listed = Int(firstListed)
        while listed != 0 {
            if frames[listed - 1].isOutOfStep { compareTables(of: listed - 1) }
            listed = Int(frames[listed - 1].nextListed)
        }
    }

    @inline(__always)
    func reference(to page: Int, _ bits: UInt64) -> UInt64 { address(of: page) | bits & MirroredEntry.ofTable | Self.present }

    /// The shadow table of a frame, found or made; nil if there is no such frame, or no room.
    @_optimize(speed)
    mutating func table(_ frame: UInt64, _ level: Int, _ part: UInt8, isDirect: Bool) -> Int? {
        find(frame, level, part, isDirect: isDirect) ?? make(frame, level, part, isDirect: isDirect)
    }

    @_optimize(speed)
    private mutating func find(_ frame: UInt64, _ level: Int, _ part: UInt8, isDirect: Bool) -> Int? {
        guard frame < UInt64(layout.frameCount) else { return nil }
        var number = Int(frames[Int(frame)].firstPage)
        while number != 0 {
            if pages[number].isSame(frame, level, part, isDirect: isDirect) { return number }
            number = Int(pages[number].next)
        }
        return nil
    }

    /// Makes the shadow table of a frame, without entries. A direct one may begin where there is no RAM.
    private mutating func make(_ frame: UInt64, _ level: Int, _ part: UInt8, isDirect: Bool) -> Int? {
        guard frame < UInt64(layout.frameCount), firstFree != 0 else { return nil }
        let number = Int(firstFree)
        firstFree = pages[number].next
        freeCount -= 1
        if number >= usedEnd { usedEnd = number + 1 }
        let use = frames + Int(frame)
        pages[number] = ShadowPage(
            frame: UInt32(truncatingIfNeeded: frame), level: UInt8(truncatingIfNeeded: level), part: part, isDirect: isDirect,
            isUsed: true, next: use.pointee.firstPage)
        use.pointee.firstPage = UInt32(truncatingIfNeeded: number)
        guard !isDirect else { return number }
        dropSnapshot(of: Int(frame))
        use.pointee.tableCount += 1
        if use.pointee.tableCount == 1 { protect(Int(frame)) }
        return number
    }
}

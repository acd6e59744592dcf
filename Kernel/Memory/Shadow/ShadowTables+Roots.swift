extension ShadowTables {
    /// Switches the tables to a guest's paging: to a known address space, or a new one. The guest's flush of translations is a
    /// separate matter (`synchronize`).
    ///
    /// - Parameter hasIdentifiers: process-context identifiers are in use.
    public mutating func load(_ new: GuestPaging, hasIdentifiers: Bool = false) {
        if !new.isShadowed(as: paging) { reset() }
        paging = new
        self.hasIdentifiers = hasIdentifiers
        twins.removeAll()
        if freeCount < Self.mostNeeded { reclaim() }
        chooseRoot()
    }

    /// The same where a guest in long mode loads CR3 and nothing else has changed.
    /// - Parameters:
    ///   - cr3: with the process-context identifier, if those are in use.
    ///   - keepsTranslations: the guest does not flush the identifier's translations.
    @inline(__always)
    public mutating func loadRoot(_ cr3: UInt64, keepsTranslations: Bool) {
        paging.cr3 = cr3
        if freeCount < Self.mostNeeded { reclaim() }
        if !findRoot() { chooseRoot() }
        let tag = self.tag
        let isKnown = identifiers.contains(tag, root: rootFrame)
        if !keepsTranslations || !isKnown, firstListed != 0 { synchronize() }
        if !isKnown {
            // What was allowed for the identifier was for another root. Without identifiers, each load drops everything.
            if hasIdentifiers { twins.remove(tag) }
            identifiers.insert(tag, root: rootFrame)
        }
        allowLoad()
    }

    /// The guest may since have loaded another root without an exit.
    @inline(__always)
    public mutating func follow(_ cr3: UInt64) {
        guard cr3 != paging.cr3 else { return }
        paging.cr3 = cr3
        chooseRoot()
    }

    /// From now on the guest may load its current root without an exit.
    @inline(__always)
    private mutating func allowLoad() {
        guard root != 0 else { return }
        guard pages[root].hasTwin || makeTwin() else { return }
        if hasIdentifiers {
            twins.add(paging.cr3 | ControlRegister3.keepsTranslations)
        } else if firstListed == 0 {
            twins.add(paging.cr3)
        }
    }

    @inline(never)
    private mutating func makeTwin() -> Bool {
        guard let twin = twins.twin(ofFrame: rootFrame) else { return false }
        pages[root].hasTwin = true
        twin.update(from: entries + root << 9, count: 512)
        return true
    }

    // MARK: Flushes of other address spaces' translations

    /// The guest flushed all translations, or global ones: the other address spaces that were loaded have none to keep.
    public mutating func flushOthers() {
        identifiers.removeAll()
        identifiers.insert(tag, root: rootFrame)
        twins.removeAll()
        allowLoad()
    }

    /// The guest flushed the translations of an address space that is not in use.
    public mutating func flushOther(_ tag: UInt64) {
        identifiers.remove(tag)
        twins.remove(tag)
    }

    /// The process-context identifier of the address space in use, or 0.
    public var tag: UInt64 { hasIdentifiers ? paging.cr3 & 0xFFF : 0 }

    private var rootFrame: UInt64 { (paging.cr3 & GuestEntryBits.address) >> 12 }

    /// The usual case of `chooseRoot`: the frame's only shadow table, or its newest, is a root of the kind that is in use.
    @inline(__always)
    private mutating func findRoot() -> Bool {
        let frame = rootFrame
        // There may be no root; the one outside long mode has another level.
        guard root != 0, frame < UInt64(layout.frameCount) else { return false }
        let number = Int(frames[Int(frame)].firstPage)
        guard number != 0, pages[number].isSame(frame, Int(pages[root].level), 0, isDirect: false) else { return false }
        root = number
        return true
    }

    @_optimize(speed)
    private mutating func chooseRoot() {
        let levels = paging.shadowLevelCount
        if levels > 3 {
            // Tables outside RAM end the guest at its first access.
            root = table(rootFrame, levels, 0, isDirect: false) ?? 0
            guard root == 0 else { return }
            for slot in 0..<4 { set(slot, 0) }
            needsFlush = true
            return
        }
        root = 0
        for part in 0..<4 { set(part, directory(part)) }
    }

    /// The entry of the fixed root for a GiB; it has no rights (SDM vol. 3, "Format of a PAE Page-Directory-Pointer-Table Entry").
    private mutating func directory(_ part: Int) -> UInt64 {
        if paging.mode == .none {
            // Addresses are physical.
            guard let page = table(UInt64(part) << 18, 2, 0, isDirect: true) else { return 0 }
            return address(of: page) | GuestEntryBits.present
        }
        var frame = (paging.cr3 & 0xFFFF_FFFF) >> 12
        var number = UInt8(truncatingIfNeeded: part)
        if paging.mode == .pae {
            let pointer = paging.pageDirectoryPointer(for: UInt64(part) << 30)
            guard pointer & GuestEntryBits.present != 0 else { return 0 }
            frame = (pointer & GuestEntryBits.address) >> 12
            number = 0
        }
        guard let page = table(frame, 2, number, isDirect: false) else { return 0 }
        return address(of: page) | GuestEntryBits.present
    }

    // MARK: Room

    /// Reclaims tables that nothing refers to: those of address spaces other than the one in use, from their roots down.
    mutating func reclaim() {
        counts.reclaims &+= 1
        for level in stride(from: 5, to: 0, by: -1) {
            for number in 1..<usedEnd
            where pages[number].isUsed && Int(pages[number].level) == level && pages[number].references == 0 && number != root {
                free(number)
            }
        }
        guard freeCount < layout.pageCount / 4 else { return }
        reset()
        chooseRoot()
    }

    /// Reclaims a table to which nothing refers.
    private mutating func free(_ number: Int) {
        clear(number)
        if !pages[number].isDetached { unlink(number) }
        release(number)
    }

    /// Removes all entries from a table.
    mutating func clear(_ number: Int) {
        var left = pages[number].validCount
        var slot = number << 9
        while left > 0 {
            if entries[slot] != 0 {
                left -= 1
                set(slot, 0)
            }
            slot += 1
        }
    }

    /// A frame's empty shadow tables are no longer found; those that something refers to stay until nothing does.
    @_optimize(speed)
    mutating func detachEmptyTables(of frame: Int) {
        var number = Int(frames[frame].firstPage)
        while number != 0 {
            let page = pages[number]
            if !page.isDirect, page.validCount == 0, !isLoaded(number) {
                unlink(number)
                pages[number].isDetached = true
                if page.references == 0 { release(number) }
            }
            number = Int(page.next)
        }
    }

    /// Removes a table from its frame's list.
    mutating func unlink(_ number: Int) {
        let frame = Int(pages[number].frame)
        let isProtected = frames[frame].isProtected
        var link = frames[frame].firstPage
        if Int(link) == number {
            frames[frame].firstPage = pages[number].next
        } else {
            while Int(pages[Int(link)].next) != number { link = pages[Int(link)].next }
            pages[Int(link)].next = pages[number].next
        }
        guard !pages[number].isDirect else { return }
        frames[frame].tableCount -= 1
        guard frames[frame].tableCount == 0 else { return }
        dropSnapshot(of: frame)
        frames[frame].isOutOfStep = false
        if isProtected { addProtected(-1, frame) }
    }

    /// Gives back an empty table that belongs to no frame.
    mutating func release(_ number: Int) {
        if pages[number].hasTwin { twins.removeAll() }
        pages[number] = ShadowPage(next: firstFree)
        firstFree = UInt32(truncatingIfNeeded: number)
        freeCount += 1
    }
}

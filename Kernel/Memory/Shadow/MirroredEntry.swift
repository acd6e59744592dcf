/// What an entry of a guest's page tables leads to, in the form of the tables that shadow it.
///
/// Shadow tables have 512 entries of 8 bytes in every mode. Under 32-bit paging, two shadow tables stand for one guest table,
/// four for its page directory, and two entries for one of the directory's.
struct MirroredEntry {
    /// Whether the entry maps a page rather than referring to a table.
    var isPage: Bool
    /// The page that the shadow entry covers, or the table's address.
    var address: UInt64
    /// Which part of the guest's table is meant, under 32-bit paging.
    var part: UInt8
    /// Writable and user, and for a page also global, write-through, cache-disabled and the page attribute bit (bit 7), as in the
    /// entry; bit 63 disables fetches. A page that is not dirty is not writable.
    var bits: UInt64

    static var ofTable: UInt64 { GuestEntryBits.writable | GuestEntryBits.user | GuestEntryBits.executeDisable }
    static var ofPage: UInt64 { ofTable | global | writeThrough | cacheDisable }
    static var writeThrough: UInt64 { 1 << 3 }
    static var cacheDisable: UInt64 { 1 << 4 }
    static var global: UInt64 { 1 << 8 }
}

extension MirroredEntry {
    /// Marks a part of a table that some path to it makes read-only, which matters while the guest's CR0.WP is clear.
    static var readOnly: UInt8 { 0x80 }

    /// The same with CR0.WP clear, which the processor nevertheless has set: entries that refer to tables allow all writes, so
    /// that one page can be writable for the supervisor alone; those that map pages apply the restrictions of the path to them.
    /// - Parameter part: of the table that holds the entry.
    func withoutWriteProtection(inPart part: UInt8) -> MirroredEntry {
        var entry = self
        if part & Self.readOnly != 0 { entry.bits &= ~GuestEntryBits.writable }
        guard !isPage else { return entry }
        if entry.bits & GuestEntryBits.writable == 0 { entry.part |= Self.readOnly }
        entry.bits |= GuestEntryBits.writable
        return entry
    }

    /// A read-only page to which the guest's supervisor writes, as CR0.WP is clear: for the time being, only it may use the page.
    func writableForSupervisor(_ paging: GuestPaging) -> MirroredEntry {
        var entry = self
        // The supervisor must not fetch from user pages.
        if bits & GuestEntryBits.user != 0, paging.preventsSupervisorExecution { entry.bits |= GuestEntryBits.executeDisable }
        entry.bits = entry.bits & ~GuestEntryBits.user | GuestEntryBits.writable
        return entry
    }
}

extension GuestPaging {
    /// The levels of the tables that shadow this mode's; 3 without long mode, where the root has four entries.
    public var shadowLevelCount: Int {
        switch mode {
        case .fiveLevel: 5
        case .fourLevel: 4
        case .pae, .bits32, .direct, .none: 3
        }
    }

    /// Whether the same tables shadow both: their entries mean the same.
    func isShadowed(as other: GuestPaging) -> Bool {
        mode == other.mode && writeProtects == other.writeProtects && hasExecuteDisable == other.hasExecuteDisable
            && hasPageSizeExtensions == other.hasPageSizeExtensions
    }

    /// What entry `index` of the table that shadows a guest's leads to; nil where the processor would find nothing, or where the
    /// accessed bit that it would set is not set yet.
    @_optimize(speed)
    func mirror(frame: UInt64, level: Int, part: UInt8, index: Int, in memory: some GuestTableMemory) -> MirroredEntry? {
        switch mode {
        case .fourLevel, .fiveLevel: mirror(LongModeEntries.self, frame << 12 | UInt64(index) << 3, level, in: memory)
        case .pae: mirror(PAEEntries.self, frame << 12 | UInt64(index) << 3, level, in: memory)
        case .bits32: mirrorBits32(frame: frame, level, UInt64(part & 3), UInt64(index), in: memory)
        case .direct, .none: nil
        }
    }

    @inline(__always)
    private func mirror<Entries: GuestTableEntries>(
        _: Entries.Type, _ address: UInt64, _ level: Int, in memory: some GuestTableMemory
    ) -> MirroredEntry? {
        guard let entry = Entries.read(memory, at: GuestPhysicalAddress(address)), isUsed(entry),
            entry & Entries.reservedBits(self) == 0
        else { return nil }
        let page = entry & GuestEntryBits.address
        if level == 1 { return mirrored(page, entry, pageAttribute: entry & GuestEntryBits.largePage) }
        guard entry & GuestEntryBits.largePage != 0 else {
            return MirroredEntry(isPage: false, address: page, part: 0, bits: entry & MirroredEntry.ofTable)
        }
        let shift = UInt64(3 + 9 * level)
        guard entry & Entries.largePageReservedBits(self, shift: shift) == 0 else { return nil }
        return mirrored(
            Entries.largePageAddress(entry, shift: shift), entry, pageAttribute: entry >> 5 & GuestEntryBits.largePage)
    }

    private func mirrorBits32(
        frame: UInt64, _ level: Int, _ part: UInt64, _ index: UInt64, in memory: some GuestTableMemory
    ) -> MirroredEntry? {
        let number = level == 1 ? part << 9 | index : part << 8 | index >> 1
        guard let entry = Bits32Entries.read(memory, at: GuestPhysicalAddress(frame << 12 | number << 2)), isUsed(entry) else {
            return nil
        }
        if level == 1 { return mirrored(entry & 0xFFFF_F000, entry, pageAttribute: entry & GuestEntryBits.largePage) }
        guard entry & GuestEntryBits.largePage != 0, hasPageSizeExtensions else {
            return MirroredEntry(
                isPage: false, address: entry & 0xFFFF_F000, part: UInt8(truncatingIfNeeded: index & 1),
                bits: entry & MirroredEntry.ofTable)
        }
        guard entry & Bits32Entries.largePageReservedBits(self, shift: 22) == 0 else { return nil }
        let half = Bits32Entries.largePageAddress(entry, shift: 22) | (index & 1) << 21
        return mirrored(half, entry, pageAttribute: entry >> 5 & GuestEntryBits.largePage)
    }

    @inline(__always)
    private func isUsed(_ entry: UInt64) -> Bool {
        ~entry & (GuestEntryBits.present | GuestEntryBits.accessed) == 0
    }

    @inline(__always)
    private func mirrored(_ page: UInt64, _ entry: UInt64, pageAttribute: UInt64) -> MirroredEntry {
        let clean = entry & GuestEntryBits.dirty == 0 ? GuestEntryBits.writable : 0
        return MirroredEntry(
            isPage: true, address: page, part: 0, bits: entry & MirroredEntry.ofPage & ~clean | pageAttribute)
    }
}

/// The bits of page-table entries that are the same in every mode (Intel SDM vol. 3, "Paging").
public enum GuestEntryBits {
    public static var present: UInt64 { 1 << 0 }
    public static var writable: UInt64 { 1 << 1 }
    public static var user: UInt64 { 1 << 2 }
    /// PWT and PCD.
    public static var writeThrough: UInt64 { 1 << 3 }
    public static var cacheDisable: UInt64 { 1 << 4 }
    public static var accessed: UInt64 { 1 << 5 }
    public static var dirty: UInt64 { 1 << 6 }
    /// Above the last level.
    public static var largePage: UInt64 { 1 << 7 }
    public static var global: UInt64 { 1 << 8 }
    /// PAT, in a leaf of the last level and of others.
    public static var pageAttribute: UInt64 { 1 << 7 }
    public static var largePageAttribute: UInt64 { 1 << 12 }
    public static var address: UInt64 { 0x000F_FFFF_FFFF_F000 }
    public static var executeDisable: UInt64 { 1 << 63 }
    /// Reserved in the page-directory pointers of PAE paging, besides the bits above MAXPHYADDR: bits 2:1 and 8:5.
    public static var reservedInPointer: UInt64 { 0x1E6 }
}

/// The format of one kind of guest page table.
protocol GuestTableEntries {
    /// The number of address bits that index a table.
    static var indexBits: UInt64 { get }
    /// The binary logarithm of the size of an entry.
    static var entryShift: UInt64 { get }

    /// The entry at `address`, widened to 64 bits; nil outside the guest's RAM.
    static func read(_ memory: some GuestTableMemory, at address: GuestPhysicalAddress) -> UInt64?

    /// The bits that are reserved in every entry.
    static func reservedBits(_ paging: GuestPaging) -> UInt64

    /// The additional reserved bits of an entry above the last level, with bit 7 set, that covers 2^shift bytes.
    static func largePageReservedBits(_ paging: GuestPaging, shift: UInt64) -> UInt64

    /// Whether bit 7 means something in an entry above the last level.
    static func hasLargePages(_ paging: GuestPaging) -> Bool

    /// Whether bits 62:59 of a leaf are a protection key.
    static var hasProtectionKeys: Bool { get }

    /// The physical address that a large leaf of 2^shift bytes maps.
    static func largePageAddress(_ entry: UInt64, shift: UInt64) -> UInt64
}

extension GuestTableEntries {
    static var hasProtectionKeys: Bool { false }

    @inline(__always)
    static func largePageAddress(_ entry: UInt64, shift: UInt64) -> UInt64 {
        entry & GuestEntryBits.address & ~((1 &<< shift) &- 1)
    }
}

extension GuestPaging {
    /// Bits 51:MAXPHYADDR.
    @inline(__always)
    var reservedAddressBits: UInt64 { ~0 &<< UInt64(truncatingIfNeeded: physicalAddressWidth) & GuestEntryBits.address }

    /// Bit 63, unless it means that instruction fetches are disabled.
    @inline(__always)
    var reservedExecuteDisable: UInt64 { hasExecuteDisable ? 0 : GuestEntryBits.executeDisable }
}

/// 4-level and 5-level paging. Intel SDM vol. 3, 4.5.
enum LongModeEntries: GuestTableEntries {
    static var hasProtectionKeys: Bool { true }
    static var indexBits: UInt64 { 9 }
    static var entryShift: UInt64 { 3 }

    @inline(__always)
    static func read(_ memory: some GuestTableMemory, at address: GuestPhysicalAddress) -> UInt64? {
        memory.readUInt64(at: address)
    }

    @inline(__always)
    static func reservedBits(_ paging: GuestPaging) -> UInt64 {
        paging.reservedAddressBits | paging.reservedExecuteDisable
    }

    static func largePageReservedBits(_ paging: GuestPaging, shift: UInt64) -> UInt64 {
        if shift > 30 || (shift == 30 && !paging.hasGibibytePages) { return GuestEntryBits.largePage }
        // Bit 12 belongs to the page attribute table.
        return (1 << shift) - (1 << 13)
    }

    @inline(__always)
    static func hasLargePages(_ paging: GuestPaging) -> Bool { true }
}

/// PAE paging, below the PDPTE registers. Intel SDM vol. 3, 4.4.
enum PAEEntries: GuestTableEntries {
    static var indexBits: UInt64 { 9 }
    static var entryShift: UInt64 { 3 }

    static func read(_ memory: some GuestTableMemory, at address: GuestPhysicalAddress) -> UInt64? {
        memory.readUInt64(at: address)
    }

    static func reservedBits(_ paging: GuestPaging) -> UInt64 {
        paging.reservedAddressBits | paging.reservedExecuteDisable | 0x7FF << 52
    }

    static func largePageReservedBits(_ paging: GuestPaging, shift: UInt64) -> UInt64 { (1 << 21) - (1 << 13) }

    static func hasLargePages(_ paging: GuestPaging) -> Bool { true }
}

/// 32-bit paging. Intel SDM vol. 3, 4.3.
enum Bits32Entries: GuestTableEntries {
    static var indexBits: UInt64 { 10 }
    static var entryShift: UInt64 { 2 }

    static func read(_ memory: some GuestTableMemory, at address: GuestPhysicalAddress) -> UInt64? {
        memory.readUInt32(at: address).map { UInt64($0) }
    }

    static func reservedBits(_ paging: GuestPaging) -> UInt64 { 0 }

    /// Bits 21:(M-19), M being the width of the physical addresses that 4 MiB pages reach, at most 40.
    static func largePageReservedBits(_ paging: GuestPaging, shift: UInt64) -> UInt64 {
        let width = paging.hasPSE36 ? UInt64(min(max(paging.physicalAddressWidth, 32), 40)) : 32
        return (1 << 22) - (1 << (width - 19))
    }

    static func hasLargePages(_ paging: GuestPaging) -> Bool { paging.hasPageSizeExtensions }

    /// Bits 31:22 of the address stand in their place, bits 39:32 in bits 20:13.
    static func largePageAddress(_ entry: UInt64, shift: UInt64) -> UInt64 {
        entry & 0xFFC0_0000 | (entry >> 13 & 0xFF) << 32
    }
}

extension GuestPaging {
    /// Walks tables of one kind, from the one at `table`, whose entries cover 2^topShift bytes each; nil when bits must be
    /// set and `path` cannot.
    @inline(__always)
    func follow<Entries: GuestTableEntries>(
        _: Entries.Type, _ linear: UInt64, table: UInt64, topShift: UInt64,
        access: GuestAccess, memory: some GuestTableMemory, path: inout some GuestEntryPath
    ) -> GuestTranslation? {
        let indexMask = ((1 &<< Entries.indexBits) &- 1) &<< Entries.entryShift
        let reserved = Entries.reservedBits(self)
        // What all entries have in common; bit 63 is inverted, so that one AND combines every right.
        var rights = ~UInt64(0)
        var table = table
        var shift = topShift
        while true {
            let index = linear &>> (shift &- Entries.entryShift) & indexMask
            let address = GuestPhysicalAddress(table | index)
            guard path.willLoad(address, shift: shift), let entry = Entries.read(memory, at: address) else {
                return .tableOutsideRAM(address)
            }
            path.didLoad(entry, from: address, shift: shift)
            guard entry & GuestEntryBits.present != 0 else { return .fault(errorCode(0, for: access)) }
            guard entry & reserved == 0 else { return .fault(errorCode(9, for: access)) }
            path.append(address)
            rights &= entry ^ GuestEntryBits.executeDisable

            var page = entry & GuestEntryBits.address
            if shift != 12 {
                guard entry & GuestEntryBits.largePage != 0, Entries.hasLargePages(self) else {
                    table = page
                    shift &-= Entries.indexBits
                    continue
                }
                guard entry & Entries.largePageReservedBits(self, shift: shift) == 0 else {
                    return .fault(errorCode(9, for: access))
                }
                page = Entries.largePageAddress(entry, shift: shift)
            }
            let isForbiddenByKey = Entries.hasProtectionKeys && protectionKeyForbids(access, rights, leaf: entry)
            guard permits(access, rights), !isForbiddenByKey else {
                return .fault(errorCode(isForbiddenByKey ? 0x21 : 1, for: access))
            }
            let due = access.kind == .write ? GuestEntryBits.dirty : 0
            if rights & GuestEntryBits.accessed == 0 || ~entry & due != 0 {
                guard path.mark(in: memory, leaf: due) else { return nil }
            }
            return .page(
                GuestPage(
                    address: GuestPhysicalAddress(page | linear & ((1 &<< shift) &- 1)),
                    size: PageSize(walkedShift: shift),
                    rights: rights & ~GuestEntryBits.dirty | (entry | due) & GuestEntryBits.dirty))
        }
    }
}

extension PageSize {
    /// The size of a leaf that covers 2^shift bytes; a walk ends at no other shift.
    @inline(__always)
    init(walkedShift shift: UInt64) {
        self = shift == 12 ? .fourKibibytes : shift == 21 ? .twoMebibytes : shift == 22 ? .fourMebibytes : .oneGibibyte
    }
}

/// The page attribute table of a processor: eight memory types that a page chooses from by PAT, PCD and PWT.
///
/// Intel SDM vol. 3, "Page Attribute Table (PAT)".
public struct PageAttributeTable: Equatable, Sendable {
    /// IA32_PAT: byte `n` holds the type of index `n`. 7 means uncacheable unless the MTRRs say write-combining (UC-).
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The value after reset: WB, WT, UC-, UC, twice.
    public static var atReset: Self { Self(rawValue: 0x0007_0406_0007_0406) }

    /// Whether WRMSR and VM entries take it: each byte is UC, WC, WT, WP, WB or UC-.
    @inline(never)
    public var isValid: Bool {
        for index in 0..<UInt64(8) {
            let type = UInt8(truncatingIfNeeded: rawValue >> (index * 8))
            guard type == Self.uncachedUnlessRanged || MemoryType(rawValue: type) != nil else { return false }
        }
        return true
    }

    /// UC-.
    private static var uncachedUnlessRanged: UInt8 { 7 }

    /// The lowest index with this type.
    public func index(of type: MemoryType) -> UInt64? {
        for index in 0..<UInt64(8) where rawValue >> (index * 8) & 0xFF == UInt64(type.rawValue) { return index }
        return nil
    }

    /// The type at `index` (0 to 7); UC- counts as uncacheable.
    public func type(at index: UInt64) -> MemoryType {
        MemoryType(rawValue: UInt8(truncatingIfNeeded: rawValue >> (index * 8))) ?? .uncacheable
    }
}

/// The format of the kernel's own tables: 4-level or 5-level paging.
///
/// Intel SDM vol. 3, "4-Level Paging and 5-Level Paging".
public struct KernelPageTableFormat: PageTableFormat {
    public typealias Input = HostVirtualAddress

    /// 4, or 5 with CR4.LA57.
    public let levelCount: Int
    public let leafSizes: LeafSizes
    public let physicalAddressWidth: Int
    /// IA32_EFER.NXE is set. Without it every page is executable, and a non-executable mapping cannot be made.
    public let hasExecuteDisable: Bool
    /// The page attribute table that is loaded while the tables are in use.
    public let attributes: PageAttributeTable

    public init(
        levelCount: Int, leafSizes: LeafSizes, physicalAddressWidth: Int, hasExecuteDisable: Bool,
        attributes: PageAttributeTable
    ) {
        precondition(levelCount == 4 || levelCount == 5)
        self.levelCount = levelCount
        self.leafSizes = leafSizes
        self.physicalAddressWidth = physicalAddressWidth
        self.hasExecuteDisable = hasExecuteDisable
        self.attributes = attributes
    }

    /// The number of address bits above the translated ones, which must all equal the highest translated bit.
    private var unusedBits: UInt64 { UInt64(52 - 9 * levelCount) }

    @inline(__always)
    public func position(of input: HostVirtualAddress) -> UInt64? {
        let position = (input.rawValue << unusedBits) >> unusedBits
        return self.input(at: position) == input ? position : nil
    }

    @inline(__always)
    public func input(at position: UInt64) -> HostVirtualAddress {
        HostVirtualAddress(UInt64(bitPattern: Int64(bitPattern: position << unusedBits) >> Int64(unusedBits)))
    }

    public func canExpress(_ permissions: KernelPagePermissions) -> Bool {
        hasExecuteDisable || permissions.contains(.execute)
    }

    public func canExpress(_ memoryType: MemoryType) -> Bool { attributes.index(of: memoryType) != nil }

    @inline(__always)
    public func isPresent(_ entry: KernelPageTableEntry) -> Bool { entry.isPresent }

    public func entry(for leaf: PageLeaf<KernelPagePermissions>) -> KernelPageTableEntry {
        var entry = KernelPageTableEntry(rawValue: leaf.output.rawValue)
        entry.isPresent = true
        entry.isWritable = leaf.permissions.contains(.write)
        entry.isUser = leaf.permissions.contains(.user)
        entry.isGlobal = leaf.permissions.contains(.global)
        entry.isExecuteDisabled = hasExecuteDisable && !leaf.permissions.contains(.execute)
        entry.isAccessed = leaf.isAccessed
        entry.isDirty = leaf.isDirty
        entry.isLargePage = leaf.size != .fourKibibytes
        entry.setAttributeIndex(attributes.index(of: leaf.memoryType) ?? 0, size: leaf.size)
        return entry
    }

    public func entry(forTableAt table: HostPhysicalAddress) -> KernelPageTableEntry {
        var entry = KernelPageTableEntry(rawValue: table.rawValue)
        entry.isPresent = true
        entry.isWritable = true
        entry.isUser = true
        return entry
    }

    public func leaf(_ entry: KernelPageTableEntry, level: Int) -> PageLeaf<KernelPagePermissions> {
        let size = PageSize(level: level)!
        var permissions = KernelPagePermissions.readOnly
        if entry.isWritable { permissions = permissions | .write }
        if entry.isUser { permissions = permissions | .user }
        if entry.isGlobal { permissions = permissions | .global }
        if !entry.isExecuteDisabled { permissions = permissions | .execute }
        return PageLeaf(
            output: entry.address.alignedDown(to: size), size: size, permissions: permissions,
            memoryType: attributes.type(at: entry.attributeIndex(level: level)), isAccessed: entry.isAccessed,
            isDirty: entry.isDirty)
    }

    public func reservedBits(of entry: KernelPageTableEntry, level: Int) -> UInt64 {
        var reserved = reservedAddressBits | (hasExecuteDisable ? 0 : 1 << 63)
        if entry.isLargePage, level > 1 {
            if let size = PageSize(level: level), leafSizes.contains(size) {
                // Bit 12 of a large leaf belongs to the page attribute table.
                reserved |= size.offsetMask & ~0x1FFF
            } else {
                reserved |= 1 << 7
            }
        }
        return entry.rawValue & reserved
    }
}

import Memory

/// An entry of the nested page tables (NPT), which translate guest-physical to host-physical addresses: it has the form of an
/// entry of the host's own tables (APM volume 2, "Nested Paging").
public typealias NPTEntry = KernelPageTableEntry

/// What a guest may do with a page, as the NPT say.
public struct NPTPermissions: PagePermissions {
    public let rawValue: UInt8

    private init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Any access at all: each of the guest's is a user access to the nested tables, whatever it is to its own.
    public static var read: Self { Self(rawValue: 1) }
    /// Writes.
    public static var write: Self { Self(rawValue: 2) }
    /// Instruction fetches.
    public static var execute: Self { Self(rawValue: 4) }
    /// Nothing.
    public static var none: Self { Self(rawValue: 0) }

    /// Both sets together.
    public static func | (left: Self, right: Self) -> Self { Self(rawValue: left.rawValue | right.rawValue) }

    public func contains(_ other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }

    public func includes(_ other: Self) -> Bool { contains(other) }
}

/// The format of the nested page tables, which the host's paging mode decides (APM volume 2, "Nested Paging and
/// VMRUN/#VMEXIT").
public struct NPTFormat: PageTableFormat {
    public typealias Input = GuestPhysicalAddress

    /// 4, or 5 with the host's CR4.LA57.
    public let levelCount: Int
    public let leafSizes: LeafSizes
    public let physicalAddressWidth: Int
    /// The host's EFER.NXE is set. Without it every page is executable, and a mapping that is not cannot be made.
    public let hasExecuteDisable: Bool
    /// The host's page attribute table.
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

    @inline(__always)
    public func position(of input: GuestPhysicalAddress) -> UInt64? {
        input.rawValue &>> UInt64(truncatingIfNeeded: 12 &+ 9 &* levelCount) == 0 ? input.rawValue : nil
    }

    @inline(__always)
    public func input(at position: UInt64) -> GuestPhysicalAddress { GuestPhysicalAddress(position) }

    public func canExpress(_ permissions: NPTPermissions) -> Bool {
        permissions.contains(.read) && (hasExecuteDisable || permissions.contains(.execute))
    }

    public func canExpress(_ memoryType: MemoryType) -> Bool { attributes.index(of: memoryType) != nil }

    @inline(__always)
    public func isPresent(_ entry: NPTEntry) -> Bool { entry.isPresent }

    public func entry(for leaf: PageLeaf<NPTPermissions>) -> NPTEntry {
        var entry = NPTEntry(rawValue: leaf.output.rawValue)
        entry.isPresent = true
        entry.isUser = leaf.permissions.contains(.read)
        entry.isWritable = leaf.permissions.contains(.write)
        entry.isExecuteDisabled = hasExecuteDisable && !leaf.permissions.contains(.execute)
        entry.isAccessed = leaf.isAccessed
        entry.isDirty = leaf.isDirty
        entry.isLargePage = leaf.size != .fourKibibytes
        entry.setAttributeIndex(attributes.index(of: leaf.memoryType) ?? 0, size: leaf.size)
        return entry
    }

    public func entry(forTableAt table: HostPhysicalAddress) -> NPTEntry {
        var entry = NPTEntry(rawValue: table.rawValue)
        entry.isPresent = true
        entry.isWritable = true
        entry.isUser = true
        return entry
    }

    public func leaf(_ entry: NPTEntry, level: Int) -> PageLeaf<NPTPermissions> {
        let size = PageSize(level: level)!
        var permissions = NPTPermissions.none
        if entry.isUser { permissions = permissions | .read }
        if entry.isWritable { permissions = permissions | .write }
        if !entry.isExecuteDisabled || !hasExecuteDisable { permissions = permissions | .execute }
        return PageLeaf(
            output: entry.address.alignedDown(to: size), size: size, permissions: permissions,
            memoryType: attributes.type(at: entry.attributeIndex(level: level)), isAccessed: entry.isAccessed,
            isDirty: entry.isDirty)
    }

    public func reservedBits(of entry: NPTEntry, level: Int) -> UInt64 {
        var reserved = reservedAddressBits | (hasExecuteDisable ? 0 : 1 << 63)
        if level > 1, entry.isLargePage {
            if let size = PageSize(level: level), leafSizes.contains(size) {
                // Bit 12 of a large leaf belongs to the page attribute table.
                reserved |= size.offsetMask & ~0x1FFF
            } else {
                reserved |= 1 << 7
            }
        }
        // Where a leaf has the global bit, the entries of the upper tables must have 0.
        if level > 3 || level == 3 && !entry.isLargePage { reserved |= 1 << 8 }
        return entry.rawValue & reserved
    }
}

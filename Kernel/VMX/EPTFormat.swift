import Memory

/// The format of the extended page tables, for what a processor offers and how a virtual machine uses it.
///
/// Intel SDM vol. 3, "EPT Translation Mechanism"; what is offered: IA32_VMX_EPT_VPID_CAP (appendix A.10).
public struct EPTFormat: PageTableFormat {
    public typealias Input = GuestPhysicalAddress

    /// The page-walk length: 4, or 5 where the processor offers it.
    public let levelCount: Int
    public let leafSizes: LeafSizes
    public let physicalAddressWidth: Int
    /// Entries that allow fetches but no reads are valid (IA32_VMX_EPT_VPID_CAP, bit 0).
    public let offersExecuteOnly: Bool
    /// The VM-execution control "mode-based execute control for EPT" is 1.
    public let hasModeBasedExecute: Bool
    /// Bit 6 of every leaf: the guest's page attribute table is ignored. Right while a guest has no device of its own.
    public let ignoresPAT: Bool

    public init(
        levelCount: Int, leafSizes: LeafSizes, physicalAddressWidth: Int,
        offersExecuteOnly: Bool, hasModeBasedExecute: Bool, ignoresPAT: Bool
    ) {
        precondition(levelCount == 4 || levelCount == 5)
        self.levelCount = levelCount
        self.leafSizes = leafSizes
        self.physicalAddressWidth = physicalAddressWidth
        self.offersExecuteOnly = offersExecuteOnly
        self.hasModeBasedExecute = hasModeBasedExecute
        self.ignoresPAT = ignoresPAT
        permissionMask = hasModeBasedExecute ? 0x407 : 0x007
    }

    /// The bits of an entry any of which makes it present: 2:0, and bit 10 with mode-based execute control.
    let permissionMask: UInt64

    @inline(__always)
    public func position(of input: GuestPhysicalAddress) -> UInt64? {
        input.rawValue &>> UInt64(truncatingIfNeeded: 12 &+ 9 &* levelCount) == 0 ? input.rawValue : nil
    }

    @inline(__always)
    public func input(at position: UInt64) -> GuestPhysicalAddress { GuestPhysicalAddress(position) }

    /// Whether the permissions make an entry present and not misconfigured.
    public func canExpress(_ permissions: ExtendedPagePermissions) -> Bool {
        let bits = permissions.rawValue & permissionMask
        if bits & ExtendedPagePermissions.read.rawValue != 0 { return true }
        return bits != 0 && bits & ExtendedPagePermissions.write.rawValue == 0 && offersExecuteOnly
    }

    /// EPT entries encode every memory type.
    public func canExpress(_ memoryType: MemoryType) -> Bool { true }

    @inline(__always)
    public func isPresent(_ entry: EPTEntry) -> Bool { entry.rawValue & permissionMask != 0 }

    public func entry(for leaf: PageLeaf<ExtendedPagePermissions>) -> EPTEntry {
        var entry = EPTEntry(
            rawValue: leaf.output.rawValue | leaf.permissions.rawValue & permissionMask)
        entry.setMemoryType(leaf.memoryType)
        entry.ignoresPAT = ignoresPAT
        entry.isLargePage = leaf.size != .fourKibibytes
        entry.isAccessed = leaf.isAccessed
        entry.isDirty = leaf.isDirty
        return entry
    }

    public func entry(forTableAt table: HostPhysicalAddress) -> EPTEntry {
        EPTEntry(rawValue: table.rawValue | permissionMask)
    }

    /// The page that a leaf maps. A reserved memory type, which no leaf of ours has, reads as uncacheable.
    @inline(__always)
    public func leaf(_ entry: EPTEntry, level: Int) -> PageLeaf<ExtendedPagePermissions> {
        let size = PageSize(level: level)!
        return PageLeaf(
            output: entry.address.alignedDown(to: size), size: size,
            permissions: ExtendedPagePermissions(rawValue: entry.rawValue & permissionMask),
            memoryType: entry.memoryType ?? .uncacheable,
            isAccessed: entry.isAccessed, isDirty: entry.isDirty)
    }

    public func reservedBits(of entry: EPTEntry, level: Int) -> UInt64 {
        var reserved = reservedAddressBits
        if level > 1 {
            if !entry.isLargePage {
                reserved |= 0x78
            } else if let size = PageSize(level: level), leafSizes.contains(size) {
                reserved |= size.offsetMask & ~0xFFF
            } else {
                reserved |= 0xF8
            }
        }
        return entry.rawValue & reserved
    }
}

extension EPTFormat {
    /// The tables of a guest's RAM, with the pages that the processor offers.
    public init(_ capabilities: VMXCapabilities) {
        self.init(
            levelCount: 4,
            leafSizes: LeafSizes(
                twoMebibytes: capabilities.eptAndVPID.pages2MiB, oneGibibyte: capabilities.eptAndVPID.pages1GiB),
            physicalAddressWidth: capabilities.physicalAddressWidth, offersExecuteOnly: capabilities.eptAndVPID.executeOnly,
            hasModeBasedExecute: false, ignoresPAT: false)
    }
}

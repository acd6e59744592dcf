import Memory

/// The EPT pointer (EPTP), a VM-execution control field: where the extended page tables begin and how they are used.
///
/// Intel SDM vol. 3, "Extended-Page-Table Pointer (EPTP)".
public struct EPTPointer: Equatable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A pointer to a root table.
    ///
    /// - Parameters:
    ///   - root: the address of the root table, a multiple of 4 KiB.
    ///   - levelCount: the page-walk length, 4 or 5.
    ///   - memoryType: how the processor caches its accesses to the tables; `.writeBack` or `.uncacheable`.
    ///   - usesAccessedAndDirty: the processor keeps the accessed and dirty bits of the entries.
    public init(root: HostPhysicalAddress, levelCount: Int, memoryType: MemoryType, usesAccessedAndDirty: Bool) {
        precondition(root.isAligned(to: .fourKibibytes) && (levelCount == 4 || levelCount == 5))
        rawValue =
            root.rawValue | UInt64(memoryType.rawValue) | UInt64(levelCount - 1) << 3
            | (usesAccessedAndDirty ? 1 << 6 : 0)
    }

    /// Bits 2:0: the type of the processor's accesses to the tables; nil for a reserved encoding.
    public var memoryType: MemoryType? { MemoryType(rawValue: UInt8(truncatingIfNeeded: rawValue & 7)) }

    /// Bits 5:3, plus one: the number of levels.
    public var levelCount: Int { Int(truncatingIfNeeded: rawValue >> 3 & 7) + 1 }

    /// Bit 6: accessed and dirty flags are enabled.
    public var usesAccessedAndDirty: Bool { rawValue >> 6 & 1 != 0 }

    /// Bit 7: access rights for supervisor shadow-stack pages are enforced.
    public var enforcesShadowStacks: Bool { rawValue >> 7 & 1 != 0 }

    /// Bits 51:12: the root table.
    public var root: HostPhysicalAddress { HostPhysicalAddress(rawValue & 0x000F_FFFF_FFFF_F000) }
}

/// An entry of the tables of 4-level and 5-level paging.
///
/// Intel SDM vol. 3, "4-Level Paging and 5-Level Paging", formats of the entries.
public struct KernelPageTableEntry: PageTableEntry {
    public var rawValue: UInt64

    @inline(__always)
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Bit 0: the entry is used at all.
    public var isPresent: Bool {
        get { self[0] }
        set { self[0] = newValue }
    }
    /// Bit 1: writes are allowed.
    public var isWritable: Bool {
        get { self[1] }
        set { self[1] = newValue }
    }
    /// Bit 2: user-mode accesses are allowed.
    public var isUser: Bool {
        get { self[2] }
        set { self[2] = newValue }
    }
    /// Bit 3 (PWT): bit 0 of the index into the page attribute table.
    public var isWriteThrough: Bool {
        get { self[3] }
        set { self[3] = newValue }
    }
    /// Bit 4 (PCD): bit 1 of the index into the page attribute table.
    public var isCacheDisabled: Bool {
        get { self[4] }
        set { self[4] = newValue }
    }
    /// Bit 5: the processor used the entry.
    public var isAccessed: Bool {
        get { self[5] }
        set { self[5] = newValue }
    }
    /// Bit 6: the processor wrote to the page.
    public var isDirty: Bool {
        get { self[6] }
        set { self[6] = newValue }
    }
    /// Bit 7 at levels 2 and 3: the entry maps a large page.
    public var isLargePage: Bool {
        get { self[7] }
        set { self[7] = newValue }
    }
    /// Bit 8: the translation survives a write of CR3, if CR4.PGE is set.
    public var isGlobal: Bool {
        get { self[8] }
        set { self[8] = newValue }
    }
    /// Bit 63: instructions cannot be fetched, if IA32_EFER.NXE is set.
    public var isExecuteDisabled: Bool {
        get { self[63] }
        set { self[63] = newValue }
    }

    /// The index into the page attribute table, of a leaf: PWT, PCD, and bit 7 of a 4 KiB leaf or bit 12 of a large one.
    public func attributeIndex(level: Int) -> UInt64 {
        (isWriteThrough ? 1 : 0) | (isCacheDisabled ? 2 : 0) | (self[level == 1 ? 7 : 12] ? 4 : 0)
    }

    /// Sets the index into the page attribute table, of a leaf.
    public mutating func setAttributeIndex(_ index: UInt64, size: PageSize) {
        isWriteThrough = index & 1 != 0
        isCacheDisabled = index & 2 != 0
        self[size == .fourKibibytes ? 7 : 12] = index & 4 != 0
    }

    private subscript(bit: UInt64) -> Bool {
        @inline(__always) get { rawValue >> bit & 1 != 0 }
        @inline(__always) set { rawValue = rawValue & ~(1 << bit) | (newValue ? 1 << bit : 0) }
    }
}

/// What may be done with a page of the kernel. Reading is always allowed.
public struct KernelPagePermissions: PagePermissions {
    public let rawValue: UInt8

    private init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reads in supervisor mode only.
    public static var readOnly: Self { Self(rawValue: 0) }
    /// Writes.
    public static var write: Self { Self(rawValue: 1) }
    /// Instruction fetches.
    public static var execute: Self { Self(rawValue: 2) }
    /// Accesses from user mode.
    public static var user: Self { Self(rawValue: 4) }
    /// Not a right: the translation is the same in every address space and survives a write of CR3.
    public static var global: Self { Self(rawValue: 8) }

    /// Both sets together.
    public static func | (left: Self, right: Self) -> Self { Self(rawValue: left.rawValue | right.rawValue) }

    /// Whether everything in `other` is in this set.
    public func contains(_ other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }

    /// Whether every right of `other` is given, and the page is global exactly if it was: a global translation survives
    /// flushes that a local one does not.
    public func includes(_ other: Self) -> Bool {
        contains(other) && (rawValue ^ other.rawValue) & Self.global.rawValue == 0
    }
}

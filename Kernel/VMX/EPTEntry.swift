import Memory

/// An entry of the extended page tables (EPT), which translate guest-physical to host-physical addresses.
///
/// Intel SDM vol. 3, "EPT Translation Mechanism", formats of the entries.
public struct EPTEntry: PageTableEntry {
    public var rawValue: UInt64

    @inline(__always)
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Bit 0: data reads are allowed.
    public var isReadable: Bool {
        get { self[0] }
        set { self[0] = newValue }
    }
    /// Bit 1: writes are allowed.
    public var isWritable: Bool {
        get { self[1] }
        set { self[1] = newValue }
    }
    /// Bit 2: instruction fetches are allowed; with mode-based execute control, only those from supervisor-mode addresses.
    public var isExecutable: Bool {
        get { self[2] }
        set { self[2] = newValue }
    }

    /// Bits 5:3 of a leaf: the EPT memory type as encoded; 2, 3 and 7 are reserved.
    public var memoryTypeBits: UInt64 { rawValue >> 3 & 7 }

    /// Bits 5:3 of a leaf; nil for a reserved encoding.
    public var memoryType: MemoryType? { MemoryType(rawValue: UInt8(truncatingIfNeeded: memoryTypeBits)) }

    /// Bit 6 of a leaf: the guest's page attribute table is ignored, and the EPT memory type is the effective one.
    public var ignoresPAT: Bool {
        get { self[6] }
        set { self[6] = newValue }
    }
    /// Bit 7 at levels 2 and 3: the entry maps a large page.
    public var isLargePage: Bool {
        get { self[7] }
        set { self[7] = newValue }
    }
    /// Bit 8: the processor used the entry, if the EPT pointer enables accessed and dirty flags.
    public var isAccessed: Bool {
        get { self[8] }
        set { self[8] = newValue }
    }
    /// Bit 9 of a leaf: the processor wrote to the page, if the EPT pointer enables accessed and dirty flags.
    public var isDirty: Bool {
        get { self[9] }
        set { self[9] = newValue }
    }
    /// Bit 10: with mode-based execute control, instruction fetches from user-mode addresses are allowed.
    public var isUserExecutable: Bool {
        get { self[10] }
        set { self[10] = newValue }
    }
    /// Bit 63 of a leaf or of an entry that is not present: an EPT violation here exits and never becomes a
    /// virtualization exception (#VE).
    public var suppressesVirtualizationException: Bool {
        get { self[63] }
        set { self[63] = newValue }
    }

    /// Sets bits 5:3.
    public mutating func setMemoryType(_ type: MemoryType) {
        rawValue = rawValue & ~(7 << 3) | UInt64(type.rawValue) << 3
    }

    private subscript(bit: UInt64) -> Bool {
        @inline(__always) get { rawValue >> bit & 1 != 0 }
        @inline(__always) set { rawValue = rawValue & ~(1 << bit) | (newValue ? 1 << bit : 0) }
    }
}

/// What a guest may do with a page, according to the EPT. The raw value has the bits where an entry has them.
public struct ExtendedPagePermissions: PagePermissions {
    public let rawValue: UInt64

    @inline(__always)
    init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What the bits of an entry allow, or those that several entries have in common.
    public init(bits: UInt64) { rawValue = bits & Self.all.rawValue }

    /// Data reads.
    public static var read: Self { Self(rawValue: 1 << 0) }
    /// Writes.
    public static var write: Self { Self(rawValue: 1 << 1) }
    /// Instruction fetches; with mode-based execute control, only those from supervisor-mode addresses.
    public static var execute: Self { Self(rawValue: 1 << 2) }
    /// With mode-based execute control, instruction fetches from user-mode addresses. Without it, of no effect.
    public static var userExecute: Self { Self(rawValue: 1 << 10) }
    /// Nothing.
    public static var none: Self { Self(rawValue: 0) }
    /// Everything.
    public static var all: Self { .read | .write | .execute | .userExecute }

    /// Both sets together.
    @inline(__always)
    public static func | (left: Self, right: Self) -> Self { Self(rawValue: left.rawValue | right.rawValue) }

    /// Whether everything in `other` is in this set.
    @inline(__always)
    public func contains(_ other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }

    @inline(__always)
    public func includes(_ other: Self) -> Bool { contains(other) }
}

/// What may be done with a page.
public protocol PagePermissions: Equatable, Sendable {
    /// Whether everything that `other` allows is allowed here too, so that going from `other` to this only adds rights.
    func includes(_ other: Self) -> Bool
}

/// One entry of a page table: 8 bytes, a leaf that maps a page or a reference to the table of the next level.
///
/// All x86-64 formats agree on what is required here; the rest differs and is up to the format.
public protocol PageTableEntry: Equatable, Sendable {
    var rawValue: UInt64 { get }

    init(rawValue: UInt64)

    /// Bit 7: the entry maps a large page. Meaningful at levels 2 and 3 only.
    var isLargePage: Bool { get }

    /// The processor used the entry (bit 5, or bit 8 in EPT).
    var isAccessed: Bool { get set }

    /// The processor wrote to the page (bit 6, or bit 9 in EPT). Meaningful in leaves only.
    var isDirty: Bool { get set }
}

extension PageTableEntry {
    /// Bits 51:12: the table that the entry refers to, or the 4 KiB page that it maps.
    @inline(__always)
    public var address: HostPhysicalAddress { HostPhysicalAddress(rawValue & 0x000F_FFFF_FFFF_F000) }

    /// All zero: not present in every format.
    @inline(__always)
    public static var absent: Self { Self(rawValue: 0) }
}

/// A page as a leaf entry maps it.
public struct PageLeaf<Permissions: PagePermissions>: Equatable, Sendable {
    /// The first byte of the page in host-physical memory.
    public var output: HostPhysicalAddress
    public var size: PageSize
    public var permissions: Permissions
    public var memoryType: MemoryType
    public var isAccessed: Bool
    public var isDirty: Bool

    public init(
        output: HostPhysicalAddress, size: PageSize, permissions: Permissions, memoryType: MemoryType,
        isAccessed: Bool = false, isDirty: Bool = false
    ) {
        self.output = output
        self.size = size
        self.permissions = permissions
        self.memoryType = memoryType
        self.isAccessed = isAccessed
        self.isDirty = isDirty
    }
}

/// How the entries of one kind of page table are encoded, and which sizes exist.
///
/// A format is a value: the processor decides what it offers. Every table has 512 entries of 8 bytes. Levels are counted
/// from below: the entries of a level-1 table map 4 KiB each, of level 2 up to 2 MiB, of level 3 up to 1 GiB.
public protocol PageTableFormat: Sendable {
    /// What the table translates from.
    associatedtype Input: MemoryAddress
    associatedtype Permissions: PagePermissions
    associatedtype Entry: PageTableEntry

    /// 4 or 5; the root is a table of this level.
    var levelCount: Int { get }

    /// The sizes of leaves that the processor offers.
    var leafSizes: LeafSizes { get }

    /// MAXPHYADDR: the number of bits of a host-physical address (CPUID 80000008H, EAX[7:0]).
    var physicalAddressWidth: Int { get }

    /// The position of an input among the bytes of the 512^levelCount pages, or nil when it is too wide for the table
    /// (or, for linear addresses, not canonical).
    func position(of input: Input) -> UInt64?

    /// The input at a position: the inverse of `position(of:)`.
    func input(at position: UInt64) -> Input

    /// Whether a leaf can express these permissions.
    func canExpress(_ permissions: Permissions) -> Bool

    /// Whether a leaf can express this memory type.
    func canExpress(_ memoryType: MemoryType) -> Bool

    /// Whether the processor would use the entry.
    func isPresent(_ entry: Entry) -> Bool

    /// The entry that maps a page. Its permissions and type can be expressed, its address is aligned and not too wide.
    func entry(for leaf: PageLeaf<Permissions>) -> Entry

    /// The entry that refers to a table, with all permissions, so that the leaves alone decide.
    func entry(forTableAt table: HostPhysicalAddress) -> Entry

    /// The page that a present leaf entry at `level` (1 to 3) maps.
    func leaf(_ entry: Entry, level: Int) -> PageLeaf<Permissions>

    /// The reserved bits that are set in a present entry of a table at `level`; zero in a valid one.
    func reservedBits(of entry: Entry, level: Int) -> UInt64
}

extension PageTableFormat {
    /// Whether a present entry of a table at `level` maps a page, rather than referring to a table.
    @inline(__always)
    public func isLeaf(_ entry: Entry, level: Int) -> Bool { level == 1 || entry.isLargePage }

    /// Bits 51:MAXPHYADDR, reserved in present entries of all formats.
    public var reservedAddressBits: UInt64 {
        0x000F_FFFF_FFFF_FFFF & ~((1 << UInt64(physicalAddressWidth)) - 1)
    }
}

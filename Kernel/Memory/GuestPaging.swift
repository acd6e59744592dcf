/// How a guest translates linear addresses.
///
/// Intel SDM vol. 3, "Paging-Mode Overview".
public enum GuestPagingMode: Equatable, Sendable {
    /// CR0.PG is 0: linear addresses are physical.
    case none
    /// CR4.PAE is 0: two levels of 4-byte entries.
    case bits32
    /// CR4.PAE is 1, IA32_EFER.LMA is 0: four registers (PDPTEs), then two levels of 8-byte entries.
    case pae
    /// IA32_EFER.LMA is 1, CR4.LA57 is 0.
    case fourLevel
    /// IA32_EFER.LMA is 1, CR4.LA57 is 1.
    case fiveLevel
    /// As `fourLevel`, but entries and CR3 hold machine addresses (DirectTables).
    case direct
}

/// The parts of CR3 that are not the address of the first table (SDM volume 3, "Control Registers").
public enum ControlRegister3 {
    /// The process-context identifier, with CR4.PCIDE.
    public static var identifier: UInt64 { 0xFFF }
    /// In a value loaded with CR4.PCIDE: the identifier's translations are kept.
    public static var keepsTranslations: UInt64 { 1 << 63 }
    /// The address of the four page-directory pointers, with PAE paging.
    public static var pointers: UInt64 { 0xFFFF_FFE0 }
}

/// The parts of a guest's registers and processor model that decide how its linear addresses are translated.
public struct GuestPaging: Sendable {
    public var mode: GuestPagingMode
    /// CR3. Only the bits that hold the address of the first table in this mode are used.
    public var cr3: UInt64
    /// The four PDPTE registers, which the processor loads and checks with CR3. Used in PAE paging only.
    public var pdptes: InlineArray<4, UInt64>
    /// CR0.WP: supervisor writes respect read-only pages.
    public var writeProtects: Bool
    /// CR4.PSE: 32-bit paging has 4 MiB pages.
    public var hasPageSizeExtensions: Bool
    /// IA32_EFER.NXE: bit 63 of an 8-byte entry disables instruction fetches; otherwise it is reserved.
    public var hasExecuteDisable: Bool
    /// CR4.SMEP: no supervisor fetches from user pages.
    public var preventsSupervisorExecution: Bool
    /// CR4.SMAP: no supervisor data accesses to user pages, unless RFLAGS.AC permits.
    public var preventsSupervisorAccess: Bool
    /// PKRU while CR4.PKE is 1; otherwise 0, which forbids nothing.
    public var protectionKeyRights: UInt32
    /// The guest's processor has 1 GiB pages (CPUID 80000001H, EDX bit 26).
    public var hasGibibytePages: Bool
    /// The guest's processor has 4 MiB pages above 4 GiB (CPUID 1, EDX bit 17).
    public var hasPSE36: Bool
    /// MAXPHYADDR of the guest's processor (CPUID 80000008H, EAX[7:0]).
    public var physicalAddressWidth: Int
    /// The machine address of guest-physical 0. Used where entries hold such addresses.
    public var ramStart: UInt64

    public init(
        mode: GuestPagingMode, cr3: UInt64, pdptes: InlineArray<4, UInt64> = InlineArray(repeating: 0),
        writeProtects: Bool, hasPageSizeExtensions: Bool, hasExecuteDisable: Bool,
        preventsSupervisorExecution: Bool, preventsSupervisorAccess: Bool, protectionKeyRights: UInt32 = 0,
        hasGibibytePages: Bool, hasPSE36: Bool, physicalAddressWidth: Int, ramStart: UInt64 = 0
    ) {
        self.mode = mode
        self.cr3 = cr3
        self.pdptes = pdptes
        self.writeProtects = writeProtects
        self.hasPageSizeExtensions = hasPageSizeExtensions
        self.hasExecuteDisable = hasExecuteDisable
        self.preventsSupervisorExecution = preventsSupervisorExecution
        self.preventsSupervisorAccess = preventsSupervisorAccess
        self.protectionKeyRights = protectionKeyRights
        self.hasGibibytePages = hasGibibytePages
        self.hasPSE36 = hasPSE36
        self.physicalAddressWidth = physicalAddressWidth
        self.ramStart = ramStart
    }
}

/// A guest's access to a linear address.
///
/// Intel SDM vol. 3, "Access Rights", "Determination of Access Rights".
public struct GuestAccess: Equatable, Sendable {
    public enum Kind: Sendable {
        case read
        case write
        case fetch
    }

    public var kind: Kind
    /// The access is made in user mode: CPL is 3, and the access is not implicit.
    public var isUser: Bool
    /// A supervisor access may reach user pages under SMAP: RFLAGS.AC is set, and the access is not implicit.
    public var overridesSMAP: Bool

    /// An access by an instruction at this privilege level, with RFLAGS.AC as given.
    public static func explicit(_ kind: Kind, privilegeLevel: Int, alignmentCheck: Bool) -> Self {
        Self(kind: kind, isUser: privilegeLevel == 3, overridesSMAP: alignmentCheck)
    }

    /// An access to a system structure (GDT, LDT, IDT, TSS) by the processor itself: a supervisor access at any
    /// privilege level, which RFLAGS.AC does not help.
    public static func implicit(_ kind: Kind) -> Self {
        Self(kind: kind, isUser: false, overridesSMAP: false)
    }
}

/// The error code of a page fault. Intel SDM vol. 3, "Page-Fault Exceptions".
public struct PageFaultErrorCode: Equatable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bit 0 (P): the page was present, and the access violated its rights or a reserved bit was set.
    public var isProtectionViolation: Bool { rawValue & 1 != 0 }
    /// Bit 1 (W/R): the access was a write.
    public var isWrite: Bool { rawValue & 2 != 0 }
    /// Bit 2 (U/S): the access was made in user mode.
    public var isUser: Bool { rawValue & 4 != 0 }
    /// Bit 3 (RSVD): a reserved bit was set in an entry.
    public var isReservedBit: Bool { rawValue & 8 != 0 }
    /// Bit 4 (I/D): the access was an instruction fetch, and pages can be non-executable.
    public var isFetch: Bool { rawValue & 16 != 0 }
    /// Bit 5 (PK): the page's protection key forbids the access.
    public var isProtectionKey: Bool { rawValue & 32 != 0 }
}

/// Access to a guest's page tables: its RAM, by guest-physical address.
///
/// An implementation cannot leave the guest's RAM. It is a handle: copies reach the same memory.
public protocol GuestTableMemory {
    /// The 8 bytes at `address`, a multiple of 8, read in one access; nil outside the guest's RAM.
    func readUInt64(at address: GuestPhysicalAddress) -> UInt64?

    /// The 4 bytes at `address`, a multiple of 4, read in one access; nil outside the guest's RAM.
    func readUInt32(at address: GuestPhysicalAddress) -> UInt32?

    /// Sets bits in the 4 bytes at `address`, a multiple of 4 inside the guest's RAM, in one locked
    /// instruction. Accessed and dirty bits are in the low half of every entry.
    func setBits(_ bits: UInt32, at address: GuestPhysicalAddress)
}

/// A guest's RAM whose tables are compared with their earlier contents.
public protocol ComparedTableMemory: GuestTableMemory {
    /// Copies the 512 words of the page at `address`, inside the guest's RAM.
    func copyPage(at address: GuestPhysicalAddress, to words: UnsafeMutablePointer<UInt64>)

    /// The first word from `start` on in which the page at `address`, inside the guest's RAM, differs from 512 others; 512 if none.
    func difference(at address: GuestPhysicalAddress, to words: UnsafePointer<UInt64>, from start: Int) -> Int
}

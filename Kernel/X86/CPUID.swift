/// What CPUID returns.
public struct CPUIDResult: Equatable, Sendable {
    public var eax: UInt32
    public var ebx: UInt32
    public var ecx: UInt32
    public var edx: UInt32

    public init(eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32) {
        self.eax = eax
        self.ebx = ebx
        self.ecx = ecx
        self.edx = edx
    }

    /// What a leaf returns that does not exist but lies in the range of those that do.
    public static var zero: Self { .init(eax: 0, ebx: 0, ecx: 0, edx: 0) }
}

/// The physical processor's CPUID.
public protocol ProcessorIdentification {
    func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult
}

/// The feature bits of CPUID that Martlet asks about (SDM volume 2, "CPUID").
public enum CPUIDFeature {
    /// Leaf 1, ECX.
    public static var vmx: UInt32 { 1 << 5 }
    public static var x2APIC: UInt32 { 1 << 21 }
    public static var timeStampDeadline: UInt32 { 1 << 24 }
    public static var xsave: UInt32 { 1 << 26 }
    public static var osxsave: UInt32 { 1 << 27 }
    /// Leaf 1, ECX: software runs under a hypervisor (reserved for that use by the manual).
    public static var hypervisor: UInt32 { 1 << 31 }
    /// Leaf 1, EDX.
    public static var apic: UInt32 { 1 << 9 }
    public static var machineCheckException: UInt32 { 1 << 7 }
    public static var mtrr: UInt32 { 1 << 12 }
    public static var machineCheckArchitecture: UInt32 { 1 << 14 }
    public static var pat: UInt32 { 1 << 16 }
    /// Leaf 7, ECX.
    public static var protectionKeys: UInt32 { 1 << 3 }
    public static var protectionKeysEnabled: UInt32 { 1 << 4 }
    public static var fiveLevelPaging: UInt32 { 1 << 16 }
    /// Leaf 7, EDX.
    public static var indirectBranchRestriction: UInt32 { 1 << 26 }
    public static var singleThreadPredictors: UInt32 { 1 << 27 }
    public static var cacheFlush: UInt32 { 1 << 28 }
    public static var architecturalCapabilities: UInt32 { 1 << 29 }
    public static var storeBypassDisable: UInt32 { 1 << 31 }
    /// Leaf 80000001H, EDX.
    public static var executeDisable: UInt32 { 1 << 20 }
    public static var page1GB: UInt32 { 1 << 26 }
    public static var rdtscp: UInt32 { 1 << 27 }
    /// Leaf 80000007H, EDX.
    public static var invariantTimeStamp: UInt32 { 1 << 8 }
}

extension ProcessorIdentification {
    /// The number of physical-address bits, MAXPHYADDR (CPUID.80000008H:EAX[7:0]); 36 where the leaf is missing.
    public var physicalAddressWidth: Int {
        guard cpuid(0x8000_0000, 0).eax >= 0x8000_0008 else { return 36 }
        return Int(cpuid(0x8000_0008, 0).eax & 0xFF)
    }

    /// The number of linear-address bits: 48, or 57 with five-level paging.
    public var linearAddressWidth: Int {
        guard cpuid(0x8000_0000, 0).eax >= 0x8000_0008 else { return 48 }
        return Int(cpuid(0x8000_0008, 0).eax >> 8 & 0xFF)
    }
}

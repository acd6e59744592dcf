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

    /// What a leaf returns that does not exist but is within the range of those that do.
    public static var zero: Self { .init(eax: 0, ebx: 0, ecx: 0, edx: 0) }
}

/// The physical processor's CPUID.
public protocol ProcessorIdentification {
    func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult
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

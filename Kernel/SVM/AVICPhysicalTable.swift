import Memory

/// Where the table of a guest's physical APIC IDs lies, and its last index (APM volume 2, "AVIC VMCB Fields").
public struct AVICPhysicalTable: Equatable, Sendable, VMCBValue {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inline(__always) public init(vmcbBits: UInt64) { rawValue = vmcbBits }
    @inline(__always) public var vmcbBits: UInt64 { rawValue }

    /// Bits 63:12; those above 51 are reserved.
    public var address: HostPhysicalAddress { .init(rawValue & ~0xFFF) }
    /// AVIC_PHYSICAL_MAX_INDEX, bits 11:0.
    public var maximumIndex: UInt16 { UInt16(truncatingIfNeeded: rawValue) & 0xFFF }
}

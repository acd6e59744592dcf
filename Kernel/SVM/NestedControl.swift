import X86

/// Nested paging and encryption: the quadword at offset 090H of the VMCB (APM volume 2, "VMCB Layout").
public struct NestedControl: FlagSet, VMCBValue {
    public typealias Bits = UInt64
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// NP_ENABLE: guest-physical addresses go through the nested page tables.
    public static var nestedPaging: Self { .init(bit: 0) }
    /// The guest's memory is encrypted (SEV).
    public static var encryptedMemory: Self { .init(bit: 1) }
    /// The guest's registers are encrypted, too (SEV-ES): its state is not in the VMCB.
    public static var encryptedState: Self { .init(bit: 2) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "NP_ENABLE"
        case 1: "SEV"
        case 2: "SEV-ES"
        case 3: "guest mode execute trap"
        case 4: "SSSCheckEn"
        case 5: "virtual transparent encryption"
        case 6: "read-only guest page tables"
        case 7: "INVLPGB/TLBSYNC"
        default: nil
        }
    }
}

/// What else the processor virtualizes: the quadword at offset 0B8H of the VMCB (APM volume 2, "VMCB Layout").
public struct VirtualizationControl: FlagSet, VMCBValue {
    public typealias Bits = UInt64
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// VMRUN and exits switch DBGCTL and the last-branch records.
    public static var lastBranch: Self { .init(bit: 0) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "LBR virtualization"
        case 1: "VMSAVE/VMLOAD virtualization"
        case 2: "IBS virtualization"
        case 3: "PMC virtualization"
        default: nil
        }
    }
}

import X86

/// What the processor has of SVM besides its beginnings: CPUID Fn8000_000A, EDX (APM volume 3, "Function 8000_000Ah—SVM Features").
public struct SVMFeatures: FlagSet {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Nested page tables.
    public static var nestedPaging: Self { .init(bit: 0) }
    /// Last-branch records, and DBGCTL with them, are switched by VMRUN and exits.
    public static var lastBranchVirtualization: Self { .init(bit: 1) }
    /// A key locks VM_CR.SVMDIS.
    public static var lock: Self { .init(bit: 2) }
    /// Exits tell where the next instruction begins (NRIPS).
    public static var nextRIP: Self { .init(bit: 3) }
    /// VMRUN may use what it has kept of a VMCB.
    public static var cleanBits: Self { .init(bit: 5) }
    /// Cached translations of one ASID can be dropped.
    public static var flushByASID: Self { .init(bit: 6) }
    /// Exits tell operands of the instruction.
    public static var decodeAssists: Self { .init(bit: 7) }
    /// The local APIC is virtualized.
    public static var avic: Self { .init(bit: 13) }
    /// The local APIC is virtualized in x2APIC mode, too.
    public static var x2AVIC: Self { .init(bit: 18) }
    /// Virtual NMIs.
    public static var virtualNMI: Self { .init(bit: 25) }

    /// The manual's names.
    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "NP"
        case 1: "LbrVirt"
        case 2: "SVML"
        case 3: "NRIPS"
        case 4: "TscRateMsr"
        case 5: "VmcbClean"
        case 6: "FlushByAsid"
        case 7: "DecodeAssists"
        case 8: "PmcVirt"
        case 10: "PauseFilter"
        case 12: "PauseFilterThreshold"
        case 13: "AVIC"
        case 15: "VMSAVEvirt"
        case 16: "VGIF"
        case 17: "GMET"
        case 18: "x2AVIC"
        case 19: "SSSCheck"
        case 20: "SpecCtrl"
        case 21: "ROGPT"
        case 23: "HOST_MCE_OVERRIDE"
        case 24: "TlbiCtl"
        case 25: "VNMI"
        case 26: "IbsVirt"
        case 27: "ExtLvtAvicAccessChg"
        case 28: "NestedVirtVmcbAddrChk"
        case 29: "BusLockThreshold"
        case 30: "IdleHltIntercept"
        case 31: "EnhancedShutdownIntercept"
        default: nil
        }
    }
}

/// VM_CR (APM volume 2, "VM_CR MSR (C001_0114h)").
public struct VMControlRegister: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// EFER.SVME cannot be set.
    public static var svmDisable: Self { .init(bit: 4) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "DPD"
        case 1: "R_INIT"
        case 2: "DIS_A20M"
        case 3: "LOCK"
        case 4: "SVMDIS"
        default: nil
        }
    }
}

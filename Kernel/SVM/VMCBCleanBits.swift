import X86

/// Fields of the VMCB that the processor may keep between an exit and the next VMRUN: their bit in the VMCB Clean field
/// (APM volume 2, "VMCB Clean Field").
public enum VMCBCleanGroup: UInt8, Sendable {
    /// All intercept vectors, the TSC offset, the PAUSE filter.
    case intercepts = 0
    /// Where the two permission maps lie.
    case permissionMaps = 1
    case asid = 2
    /// Virtual interrupts and the virtual TPR.
    case virtualInterrupts = 3
    case nestedPaging = 4
    /// CR0, CR3, CR4 and EFER.
    case controlRegisters = 5
    /// DR6 and DR7.
    case debugRegisters = 6
    /// GDTR and IDTR.
    case descriptorTables = 7
    /// CS, DS, SS, ES and the privilege level.
    case segments = 8
    case cr2 = 9
    case lastBranch = 10
    case avic = 11
    case shadowStack = 12

    /// Its bit in the field.
    @inline(__always) public var mask: UInt32 { 1 << UInt32(rawValue) }
}

/// The VMCB Clean field: 1 lets the processor use what it has kept of a group instead of reading the VMCB
/// (APM volume 2, "VMCB Clean Field").
public struct VMCBCleanBits: FlagSet, VMCBValue {
    public typealias Bits = UInt32
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "I"
        case 1: "IOPM"
        case 2: "ASID"
        case 3: "TPR"
        case 4: "NP"
        case 5: "CRx"
        case 6: "DRx"
        case 7: "DT"
        case 8: "SEG"
        case 9: "CR2"
        case 10: "LBR"
        case 11: "AVIC"
        case 12: "CET"
        default: nil
        }
    }
}

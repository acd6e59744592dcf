import X86

/// Tertiary processor-based VM-execution controls, which no code of Martlet sets (SDM volume 3, "Processor-Based VM-Execution
/// Controls").
public struct TertiaryControls: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .tertiaryControls }
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "LOADIWKEY exiting"
        case 1: "enable HLAT"
        case 2: "EPT paging-write control"
        case 3: "guest-paging verification"
        case 4: "IPI virtualization"
        case 6: "enable MSR-list instructions"
        case 7: "virtualize IA32_SPEC_CTRL"
        default: nil
        }
    }
}

/// Secondary VM-exit controls, which no code of Martlet sets (SDM volume 3, "VM-Exit Controls").
public struct SecondaryExitControls: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .secondaryExitControls }
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "save IA32_FRED MSRs"
        case 1: "load IA32_FRED MSRs"
        case 3: "prematurely busy shadow stack"
        default: nil
        }
    }
}

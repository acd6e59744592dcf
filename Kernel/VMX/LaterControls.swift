import X86

/// Tertiary processor-based VM-execution controls, which Martlet never sets (SDM volume 3, "Processor-Based VM-Execution
/// Controls").
public struct TertiaryControls: ControlSet {
    public static var kind: VMCSValueKind { .tertiaryControls }
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var loadiwkeyExiting: Self { .init(bit: 0) }
    public static var enableHLAT: Self { .init(bit: 1) }
    public static var eptPagingWriteControl: Self { .init(bit: 2) }
    public static var guestPagingVerification: Self { .init(bit: 3) }
    public static var ipiVirtualization: Self { .init(bit: 4) }
    public static var enableMSRListInstructions: Self { .init(bit: 6) }
    public static var virtualizeSpeculationControl: Self { .init(bit: 7) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .loadiwkeyExiting: .init("LOADIWKEY exiting", "LOADIWKEY exits")
        case .enableHLAT:
            .init(
                "enable HLAT",
                "some linear addresses go through page tables that the hypervisor gives (hypervisor-managed linear-address translation)"
            )
        case .eptPagingWriteControl:
            .init(
                "EPT paging-write control",
                "EPT entries can allow the guest's page walk to write what the guest itself may not")
        case .guestPagingVerification:
            .init("guest-paging verification", "EPT entries can demand that the guest's page walk used permitted tables only")
        case .ipiVirtualization:
            .init("IPI virtualization", "the processor sends virtual interprocessor interrupts without an exit")
        case .enableMSRListInstructions:
            .init("enable MSR-list instructions", "RDMSRLIST and WRMSRLIST work; without it they raise #UD")
        case .virtualizeSpeculationControl:
            .init(
                "virtualize IA32_SPEC_CTRL",
                "the guest changes only those bits of IA32_SPEC_CTRL that the hypervisor leaves to it")
        default: nil
        }
    }
}

/// The VM functions that a guest may call, which no code of Martlet enables (SDM volume 3, "VM-Function Controls").
public struct VMFunctions: ControlSet {
    public static var kind: VMCSValueKind { .vmFunctions }
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var eptpSwitching: Self { .init(bit: 0) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .eptpSwitching: .init("EPTP switching", "VMFUNC with EAX 0 takes another EPT pointer from the EPTP list")
        default: nil
        }
    }
}

/// Secondary VM-exit controls, which no code of Martlet sets (SDM volume 3, "VM-Exit Controls").
public struct SecondaryExitControls: ControlSet {
    public static var kind: VMCSValueKind { .secondaryExitControls }
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var saveFREDState: Self { .init(bit: 0) }
    public static var loadFREDState: Self { .init(bit: 1) }
    public static var prematurelyBusyShadowStack: Self { .init(bit: 3) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .saveFREDState: .init("save IA32_FRED MSRs", "the guest's MSRs of flexible return and event delivery are saved")
        case .loadFREDState:
            .init("load IA32_FRED MSRs", "the MSRs of flexible return and event delivery are loaded from the host state")
        case .prematurelyBusyShadowStack:
            .init(
                "prematurely busy shadow stack",
                "an exit during an event's delivery says whether it left a supervisor shadow stack busy")
        default: nil
        }
    }
}

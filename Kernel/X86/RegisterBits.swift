/// The bits of IA32_FEATURE_CONTROL (SDM volume 4, "Architectural MSRs", as for those below).
public enum FeatureControl {
    /// It cannot be written until the next reset.
    public static var locked: UInt64 { 1 << 0 }
    /// VMXON is allowed outside SMX operation.
    public static var allowsVMX: UInt64 { 1 << 2 }
}

/// The bits of IA32_MCG_CAP.
public enum MachineCheckCapability {
    /// MCG_CTL_P: IA32_MCG_CTL exists.
    public static var hasControl: UInt64 { 1 << 8 }
}

/// The bits of IA32_MCG_STATUS.
public enum MachineCheckStatus {
    /// RIPV, EIPV and MCIP.
    public static var defined: UInt64 { 0b111 }
}

/// The bits of IA32_S_CET.
public enum ControlFlowEnforcement {
    public static var reserved: UInt64 { 0xF << 6 }
    /// SUPPRESS.
    public static var suppressed: UInt64 { 1 << 10 }
    /// TRACKER.
    public static var waitsForBranchTarget: UInt64 { 1 << 11 }
}

/// IA32_MISC_ENABLE: switches of the processor's features.
public struct MiscEnable: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var fastStrings: Self { .init(bit: 0) }
    public static var thermalControl: Self { .init(bit: 3) }
    public static var performanceMonitoring: Self { .init(bit: 7) }
    public static var branchTraceUnavailable: Self { .init(bit: 11) }
    public static var eventSamplingUnavailable: Self { .init(bit: 12) }
    public static var enhancedSpeedStep: Self { .init(bit: 16) }
    public static var monitor: Self { .init(bit: 18) }
    public static var limitsLeaves: Self { .init(bit: 22) }
    public static var noTaskPriorityMessages: Self { .init(bit: 23) }
    public static var noExecuteDisable: Self { .init(bit: 34) }
    public static var noTurbo: Self { .init(bit: 38) }

    /// What a set bit says.
    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .fastStrings: "fast strings"
        case .thermalControl: "automatic thermal control"
        case .performanceMonitoring: "performance monitoring is there"
        case .branchTraceUnavailable: "no branch trace storage"
        case .eventSamplingUnavailable: "no processor event-based sampling"
        case .enhancedSpeedStep: "enhanced SpeedStep"
        case .monitor: "MONITOR and MWAIT"
        case .limitsLeaves: "CPUID shows leaves up to 2 only"
        case .noTaskPriorityMessages: "no xTPR messages"
        case .noExecuteDisable: "execute-disable is off"
        case .noTurbo: "turbo mode is off"
        default: nil
        }
    }
}

/// IA32_ARCH_CAPABILITIES: which speculation vulnerabilities the processor does not have, and its mitigations for others.
public struct ArchitecturalCapabilities: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var rdclNo: Self { .init(bit: 0) }
    public static var ibrsAll: Self { .init(bit: 1) }
    public static var rsba: Self { .init(bit: 2) }
    public static var skipL1DFlushOnEntry: Self { .init(bit: 3) }
    public static var ssbNo: Self { .init(bit: 4) }
    public static var mdsNo: Self { .init(bit: 5) }
    public static var ifPSChangeMCNo: Self { .init(bit: 6) }
    public static var tsxControl: Self { .init(bit: 7) }
    public static var taaNo: Self { .init(bit: 8) }
    public static var mcuControl: Self { .init(bit: 9) }
    public static var miscPackageControls: Self { .init(bit: 10) }
    public static var energyFiltering: Self { .init(bit: 11) }
    public static var doitm: Self { .init(bit: 12) }
    public static var sbdrSSDPNo: Self { .init(bit: 13) }
    public static var fbsdpNo: Self { .init(bit: 14) }
    public static var psdpNo: Self { .init(bit: 15) }
    public static var fbClear: Self { .init(bit: 17) }
    public static var fbClearControl: Self { .init(bit: 18) }
    public static var rrsba: Self { .init(bit: 19) }
    public static var bhiNo: Self { .init(bit: 20) }
    public static var xAPICDisableStatus: Self { .init(bit: 21) }
    public static var overclockingStatus: Self { .init(bit: 23) }
    public static var pbrsbNo: Self { .init(bit: 24) }
    public static var gdsControl: Self { .init(bit: 25) }
    public static var gdsNo: Self { .init(bit: 26) }
    public static var rfdsNo: Self { .init(bit: 27) }
    public static var rfdsClear: Self { .init(bit: 28) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .rdclNo: "RDCL_NO"
        case .ibrsAll: "IBRS_ALL"
        case .rsba: "RSBA"
        case .skipL1DFlushOnEntry: "SKIP_L1DFL_VMENTRY"
        case .ssbNo: "SSB_NO"
        case .mdsNo: "MDS_NO"
        case .ifPSChangeMCNo: "IF_PSCHANGE_MC_NO"
        case .tsxControl: "TSX_CTRL"
        case .taaNo: "TAA_NO"
        case .mcuControl: "MCU_CONTROL"
        case .miscPackageControls: "MISC_PACKAGE_CTLS"
        case .energyFiltering: "ENERGY_FILTERING_CTL"
        case .doitm: "DOITM"
        case .sbdrSSDPNo: "SBDR_SSDP_NO"
        case .fbsdpNo: "FBSDP_NO"
        case .psdpNo: "PSDP_NO"
        case .fbClear: "FB_CLEAR"
        case .fbClearControl: "FB_CLEAR_CTRL"
        case .rrsba: "RRSBA"
        case .bhiNo: "BHI_NO"
        case .xAPICDisableStatus: "XAPIC_DISABLE_STATUS"
        case .overclockingStatus: "OVERCLOCKING_STATUS"
        case .pbrsbNo: "PBRSB_NO"
        case .gdsControl: "GDS_CTRL"
        case .gdsNo: "GDS_NO"
        case .rfdsNo: "RFDS_NO"
        case .rfdsClear: "RFDS_CLEAR"
        default: nil
        }
    }
}

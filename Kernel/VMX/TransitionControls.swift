import X86

/// Primary VM-exit controls (SDM volume 3, "VM-Exit Controls").
public struct ExitControls: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .exitControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// DR7 and IA32_DEBUGCTL are saved.
    public static var saveDebugControls: Self { .init(bit: 2) }
    /// The host runs in 64-bit mode after the exit.
    public static var hostAddressSpaceSize: Self { .init(bit: 9) }
    /// IA32_PERF_GLOBAL_CTRL is loaded from the host state.
    public static var loadPerformanceControl: Self { .init(bit: 12) }
    /// An external interrupt's vector is taken from the controller and stored.
    public static var acknowledgeInterrupt: Self { .init(bit: 15) }
    /// The guest's IA32_PAT is saved.
    public static var savePAT: Self { .init(bit: 18) }
    /// IA32_PAT is loaded from the host state.
    public static var loadPAT: Self { .init(bit: 19) }
    /// The guest's IA32_EFER is saved.
    public static var saveEFER: Self { .init(bit: 20) }
    /// IA32_EFER is loaded from the host state.
    public static var loadEFER: Self { .init(bit: 21) }
    /// What is left of the preemption timer is saved.
    public static var savePreemptionTimer: Self { .init(bit: 22) }
    /// IA32_BNDCFGS is cleared.
    public static var clearBoundConfiguration: Self { .init(bit: 23) }
    /// Processor traces do not show the exit.
    public static var concealVMXFromPT: Self { .init(bit: 24) }
    /// IA32_RTIT_CTL is cleared.
    public static var clearTraceControl: Self { .init(bit: 25) }
    /// IA32_LBR_CTL is cleared.
    public static var clearLastBranchControl: Self { .init(bit: 26) }
    /// Shadow-stack state is loaded from the host state.
    public static var loadCETState: Self { .init(bit: 28) }
    /// IA32_PKRS is loaded from the host state.
    public static var loadPKRS: Self { .init(bit: 29) }
    /// The secondary VM-exit controls count.
    public static var activateSecondaryControls: Self { .init(bit: 31) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 2: "save debug controls"
        case 9: "host address-space size"
        case 12: "load IA32_PERF_GLOBAL_CTRL"
        case 15: "acknowledge interrupt on exit"
        case 18: "save IA32_PAT"
        case 19: "load IA32_PAT"
        case 20: "save IA32_EFER"
        case 21: "load IA32_EFER"
        case 22: "save VMX-preemption timer value"
        case 23: "clear IA32_BNDCFGS"
        case 24: "conceal VMX from PT"
        case 25: "clear IA32_RTIT_CTL"
        case 26: "clear IA32_LBR_CTL"
        case 28: "load CET state"
        case 29: "load PKRS"
        case 31: "activate secondary controls"
        default: nil
        }
    }
}

/// VM-entry controls (SDM volume 3, "VM-Entry Controls").
public struct EntryControls: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .entryControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// DR7 and IA32_DEBUGCTL are loaded.
    public static var loadDebugControls: Self { .init(bit: 2) }
    /// The guest is in IA-32e (long) mode after the entry.
    public static var ia32eModeGuest: Self { .init(bit: 9) }
    /// The guest is in system-management mode after the entry.
    public static var entryToSMM: Self { .init(bit: 10) }
    /// Returns system-management interrupts to the default treatment.
    public static var deactivateDualMonitor: Self { .init(bit: 11) }
    /// IA32_PERF_GLOBAL_CTRL is loaded.
    public static var loadPerformanceControl: Self { .init(bit: 13) }
    /// IA32_PAT is loaded.
    public static var loadPAT: Self { .init(bit: 14) }
    /// IA32_EFER is loaded.
    public static var loadEFER: Self { .init(bit: 15) }
    /// IA32_BNDCFGS is loaded.
    public static var loadBoundConfiguration: Self { .init(bit: 16) }
    /// Processor traces do not show the entry.
    public static var concealVMXFromPT: Self { .init(bit: 17) }
    /// IA32_RTIT_CTL is loaded.
    public static var loadTraceControl: Self { .init(bit: 18) }
    /// Shadow-stack state is loaded.
    public static var loadCETState: Self { .init(bit: 20) }
    /// IA32_LBR_CTL is loaded.
    public static var loadLastBranchControl: Self { .init(bit: 21) }
    /// IA32_PKRS is loaded.
    public static var loadPKRS: Self { .init(bit: 22) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 2: "load debug controls"
        case 9: "IA-32e mode guest"
        case 10: "entry to SMM"
        case 11: "deactivate dual-monitor treatment"
        case 13: "load IA32_PERF_GLOBAL_CTRL"
        case 14: "load IA32_PAT"
        case 15: "load IA32_EFER"
        case 16: "load IA32_BNDCFGS"
        case 17: "conceal VMX from PT"
        case 18: "load IA32_RTIT_CTL"
        case 20: "load CET state"
        case 21: "load guest IA32_LBR_CTL"
        case 22: "load PKRS"
        case 23: "load IA32_FRED MSRs"
        default: nil
        }
    }
}

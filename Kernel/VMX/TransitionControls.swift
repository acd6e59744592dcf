import X86

/// Primary VM-exit controls (SDM volume 3, "VM-Exit Controls").
public struct ExitControls: ControlSet {
    public static var kind: VMCSValueKind { .exitControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var saveDebugControls: Self { .init(bit: 2) }
    public static var hostAddressSpaceSize: Self { .init(bit: 9) }
    public static var loadPerformanceControl: Self { .init(bit: 12) }
    public static var acknowledgeInterrupt: Self { .init(bit: 15) }
    public static var savePAT: Self { .init(bit: 18) }
    public static var loadPAT: Self { .init(bit: 19) }
    public static var saveEFER: Self { .init(bit: 20) }
    public static var loadEFER: Self { .init(bit: 21) }
    public static var savePreemptionTimer: Self { .init(bit: 22) }
    public static var clearBoundConfiguration: Self { .init(bit: 23) }
    public static var concealVMXFromPT: Self { .init(bit: 24) }
    public static var clearTraceControl: Self { .init(bit: 25) }
    public static var clearLastBranchControl: Self { .init(bit: 26) }
    public static var loadCETState: Self { .init(bit: 28) }
    public static var loadPKRS: Self { .init(bit: 29) }
    public static var activateSecondaryControls: Self { .init(bit: 31) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .saveDebugControls: .init("save debug controls", "DR7 and IA32_DEBUGCTL are saved")
        case .hostAddressSpaceSize: .init("host address-space size", "the host runs in 64-bit mode after the exit")
        case .loadPerformanceControl: .init("load IA32_PERF_GLOBAL_CTRL", "IA32_PERF_GLOBAL_CTRL is loaded from the host state")
        case .acknowledgeInterrupt:
            .init(
                "acknowledge interrupt on exit",
                "an external interrupt is taken from the interrupt controller, and its vector stored")
        case .savePAT: .init("save IA32_PAT", "the guest's IA32_PAT is saved")
        case .loadPAT: .init("load IA32_PAT", "IA32_PAT is loaded from the host state")
        case .saveEFER: .init("save IA32_EFER", "the guest's IA32_EFER is saved")
        case .loadEFER: .init("load IA32_EFER", "IA32_EFER is loaded from the host state")
        case .savePreemptionTimer: .init("save VMX-preemption timer value", "the rest of the preemption timer is saved")
        case .clearBoundConfiguration: .init("clear IA32_BNDCFGS", "IA32_BNDCFGS is cleared")
        case .concealVMXFromPT: .init("conceal VMX from PT", "Intel Processor Trace does not show the exit")
        case .clearTraceControl: .init("clear IA32_RTIT_CTL", "IA32_RTIT_CTL is cleared")
        case .clearLastBranchControl: .init("clear IA32_LBR_CTL", "IA32_LBR_CTL is cleared")
        case .loadCETState:
            .init("load CET state", "IA32_S_CET, SSP and IA32_INTERRUPT_SSP_TABLE_ADDR are loaded from the host state")
        case .loadPKRS: .init("load PKRS", "IA32_PKRS is loaded from the host state")
        case .activateSecondaryControls:
            .init("activate secondary controls", "the secondary VM-exit controls count; without it they are taken as 0")
        default: nil
        }
    }
}

/// VM-entry controls (SDM volume 3, "VM-Entry Controls").
public struct EntryControls: ControlSet {
    public static var kind: VMCSValueKind { .entryControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var loadDebugControls: Self { .init(bit: 2) }
    public static var ia32eModeGuest: Self { .init(bit: 9) }
    public static var entryToSMM: Self { .init(bit: 10) }
    public static var deactivateDualMonitor: Self { .init(bit: 11) }
    public static var loadPerformanceControl: Self { .init(bit: 13) }
    public static var loadPAT: Self { .init(bit: 14) }
    public static var loadEFER: Self { .init(bit: 15) }
    public static var loadBoundConfiguration: Self { .init(bit: 16) }
    public static var concealVMXFromPT: Self { .init(bit: 17) }
    public static var loadTraceControl: Self { .init(bit: 18) }
    public static var loadCETState: Self { .init(bit: 20) }
    public static var loadLastBranchControl: Self { .init(bit: 21) }
    public static var loadPKRS: Self { .init(bit: 22) }
    public static var loadFREDState: Self { .init(bit: 23) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .loadDebugControls: .init("load debug controls", "DR7 and IA32_DEBUGCTL are loaded")
        case .ia32eModeGuest: .init("IA-32e mode guest", "the guest is in IA-32e (long) mode after the entry")
        case .entryToSMM: .init("entry to SMM", "the guest is in system-management mode after the entry")
        case .deactivateDualMonitor:
            .init("deactivate dual-monitor treatment", "SMIs get their default treatment again after the entry")
        case .loadPerformanceControl: .init("load IA32_PERF_GLOBAL_CTRL", "IA32_PERF_GLOBAL_CTRL is loaded")
        case .loadPAT: .init("load IA32_PAT", "IA32_PAT is loaded")
        case .loadEFER: .init("load IA32_EFER", "IA32_EFER is loaded")
        case .loadBoundConfiguration: .init("load IA32_BNDCFGS", "IA32_BNDCFGS is loaded")
        case .concealVMXFromPT: .init("conceal VMX from PT", "Intel Processor Trace does not show the entry")
        case .loadTraceControl: .init("load IA32_RTIT_CTL", "IA32_RTIT_CTL is loaded")
        case .loadCETState: .init("load CET state", "IA32_S_CET, SSP and IA32_INTERRUPT_SSP_TABLE_ADDR are loaded")
        case .loadLastBranchControl: .init("load guest IA32_LBR_CTL", "IA32_LBR_CTL is loaded")
        case .loadPKRS: .init("load PKRS", "IA32_PKRS is loaded")
        case .loadFREDState: .init("load IA32_FRED MSRs", "the MSRs of flexible return and event delivery are loaded")
        default: nil
        }
    }
}

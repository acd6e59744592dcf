import Virtualization
import X86

/// What a guest may turn on and which registers it has, decided once from what CPUID shows it.
public struct GuestFeatures: PagingAbilities, Equatable, Sendable {
    /// The bits of CR4 that it may set.
    public var cr4: ControlRegister4
    /// The bits of XCR0 that it may set; 0 without XSAVE.
    public var extendedState: UInt64
    /// The first offset in a page at which the fast instruction fetch, for four levels of tables, is not used: 0 for a guest
    /// that may have five, or tables other than nested ones.
    let quickFetchEnd: UInt64
    /// IA32_EFER in the processor may differ from the guest's.
    let keepsExtendedFeatures: Bool
    /// So may IA32_PAT.
    let keepsPageAttributes: Bool
    public var hasExecuteDisable: Bool
    public var has1GiBPages: Bool
    public var physicalAddressWidth: Int
    /// IA32_PAT.
    public var hasPAT: Bool
    /// IA32_TSC_AUX.
    public var hasAuxiliary: Bool
    /// The local APIC's x2APIC mode.
    public var hasX2APIC: Bool
    /// IA32_TSC_DEADLINE.
    public var hasTimeStampDeadline: Bool
    /// IA32_TSC_ADJUST.
    public var hasTimeStampAdjust: Bool
    /// The MTRRs.
    public var hasMemoryTypeRanges: Bool
    /// The registers of the machine-check architecture.
    public var hasMachineCheckBanks: Bool
    /// IA32_SYSENTER_CS, ESP and EIP.
    public var hasFastSystemEntry: Bool
    /// IA32_STAR, LSTAR, CSTAR and FMASK, and IA32_EFER.SCE.
    public var hasSystemCall: Bool
    /// IA32_EFER.LME.
    public var hasLongMode: Bool
    /// IA32_XSS.
    public var hasSupervisorState: Bool
    /// IA32_SPEC_CTRL, IA32_PRED_CMD and IA32_FLUSH_CMD.
    public var hasSpeculationControl: Bool
    public var hasPredictionCommand: Bool
    public var hasFlushCommand: Bool
    /// IA32_ARCH_CAPABILITIES, as far as the guest is shown it, or nil without the register.
    public var architecturalCapabilities: UInt64?
    /// The timer of its local APIC counts at the time stamp's frequency, shifted right by this.
    public var localAPICTimerShift: UInt8
    /// IA32_MISC_ENABLE says that string instructions work fast.
    public var hasFastStrings: Bool
    /// IA32_BIOS_SIGN_ID: the version of the processor's microcode, in the upper half.
    public var microcodeVersion: UInt64

    /// The first offset in a page from which 16 bytes reach into the next.
    static var wholeInstructionEnd: UInt64 { 0x1000 - 15 }
    var mayHaveFiveLevels: Bool { quickFetchEnd == 0 }

    /// What a policy's CPUID implies for the registers.
    /// - Parameters:
    ///   - hasOtherTables: the processor's CR3 may hold something other than a guest-physical address.
    ///   - keepsExtendedFeatures: its IA32_EFER may differ from the guest's value, and accesses exit.
    ///   - keepsPageAttributes: the same for IA32_PAT.
    public init(
        _ policy: CPUIDPolicy, _ processor: some ProcessorIdentification & ModelSpecificRegisterAccess,
        hasOtherTables: Bool = false,
        keepsExtendedFeatures: Bool = false, keepsPageAttributes: Bool = false
    ) {
        self.keepsExtendedFeatures = keepsExtendedFeatures
        func shows(_ feature: CPUIDFeature) -> Bool { policy.shows(feature, of: processor) }
        var cr4: ControlRegister4 = .performanceCounterEnable
        for index in 0..<CPUIDFeatureTable.rows.count {
            let row = CPUIDFeatureTable.rows[index]
            if !row.cr4.isEmpty, shows(row.feature) { cr4 = cr4 | row.cr4 }
        }
        self.cr4 = cr4
        quickFetchEnd = hasOtherTables || cr4.contains(.fiveLevelPaging) ? 0 : GuestFeatures.wholeInstructionEnd
        extendedState = policy.offeredExtendedState(processor)
        hasExecuteDisable = shows(.nx)
        has1GiBPages = shows(.page1GB)
        physicalAddressWidth = processor.physicalAddressWidth
        hasX2APIC = shows(.x2apic)
        hasTimeStampDeadline = shows(.tscDeadline)
        hasTimeStampAdjust = shows(.tscAdjust)
        hasMemoryTypeRanges = shows(.mtrr)
        hasMachineCheckBanks = shows(.mca)
        hasFastSystemEntry = shows(.sep)
        hasSystemCall = shows(.syscall)
        hasLongMode = shows(.lm)
        hasPAT = shows(.pat)
        self.keepsPageAttributes = keepsPageAttributes && hasPAT
        hasAuxiliary = shows(.rdtscp) || shows(.rdpid)
        hasSupervisorState = shows(.xsaves)
        hasSpeculationControl = shows(.ibrs) || shows(.stibp) || shows(.ssbd)
        hasPredictionCommand = shows(.ibrs)
        hasFlushCommand = shows(.l1dFlush)
        architecturalCapabilities =
            shows(.archCapabilities) ? processor.read(.architecturalCapabilities) & MSRPolicy.shownCapabilities.rawValue : nil
        localAPICTimerShift = policy.localAPICFrequency == policy.timeStampFrequency ? 0 : 1
        hasFastStrings = policy.offers.fastStrings
        // SDM volume 3, "Determining the Signature": CPUID loads the register.
        processor.write(.microcodeVersion, 0)
        _ = processor.cpuid(1, 0)
        microcodeVersion = processor.read(.microcodeVersion) & ~0xFFFF_FFFF
    }
}

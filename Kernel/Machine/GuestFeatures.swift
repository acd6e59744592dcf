import Virtualization
import X86

/// What a guest may turn on and which registers it has, decided once from what CPUID shows it.
public struct GuestFeatures: PagingAbilities, Equatable, Sendable {
    /// The bits of CR4 that it may set.
    public var cr4: ControlRegister4
    /// The bits of XCR0 that it may set; 0 without XSAVE.
    public var extendedState: UInt64
    /// The first offset in a page at which the quick way to fetch an instruction, which knows four levels of tables, is not
    /// taken: 0 for a guest that may have five, or other tables than nested ones.
    let quickFetchEnd: UInt64
    /// IA32_EFER in the processor need not be the guest's.
    let keepsExtendedFeatures: Bool
    /// Nor need IA32_PAT.
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

    /// What CPUID shows under a policy, in terms of the registers.
    /// - Parameters:
    ///   - hasOtherTables: the processor's CR3 need not hold a guest-physical address.
    ///   - keepsExtendedFeatures: its IA32_EFER need not hold the guest's value, and accesses exit.
    ///   - keepsPageAttributes: the same of IA32_PAT.
    public init(
        _ policy: CPUIDPolicy, _ processor: some ProcessorIdentification & ModelSpecificRegisterAccess,
        hasOtherTables: Bool = false,
        keepsExtendedFeatures: Bool = false, keepsPageAttributes: Bool = false
    ) {
        self.keepsExtendedFeatures = keepsExtendedFeatures
        let leaf1 = policy.answer(1, 0, from: processor)
        let leaf7 = policy.answer(7, 0, from: processor)
        let extended = policy.answer(0x8000_0001, 0, from: processor)
        var cr4: ControlRegister4 = .performanceCounterEnable
        if leaf1.edx & 1 << 1 != 0 { cr4 = cr4 | .virtual8086Extensions | .protectedVirtualInterrupts }
        if leaf1.edx & 1 << 2 != 0 { cr4 = cr4 | .debuggingExtensions }
        if leaf1.edx & 1 << 3 != 0 { cr4 = cr4 | .pageSizeExtensions }
        if leaf1.edx & 1 << 4 != 0 { cr4 = cr4 | .timeStampDisable }
        if leaf1.edx & 1 << 6 != 0 { cr4 = cr4 | .physicalAddressExtension }
        if leaf1.edx & CPUIDFeature.machineCheckException != 0 { cr4 = cr4 | .machineCheckEnable }
        if leaf1.edx & 1 << 13 != 0 { cr4 = cr4 | .pageGlobalEnable }
        if leaf1.edx & 1 << 24 != 0 { cr4 = cr4 | .fxsave }
        if leaf1.edx & 1 << 25 != 0 { cr4 = cr4 | .unmaskedSIMDExceptions }
        if leaf1.ecx & 1 << 17 != 0 { cr4 = cr4 | .processContextIdentifiers }
        if leaf1.ecx & CPUIDFeature.xsave != 0 { cr4 = cr4 | .xsave }
        if leaf7.ebx & 1 << 0 != 0 { cr4 = cr4 | .fsgsbase }
        if leaf7.ebx & 1 << 7 != 0 { cr4 = cr4 | .supervisorExecutionPrevention }
        if leaf7.ebx & 1 << 20 != 0 { cr4 = cr4 | .supervisorAccessPrevention }
        if leaf7.ecx & 1 << 2 != 0 { cr4 = cr4 | .userModeInstructionPrevention }
        if leaf7.ecx & CPUIDFeature.protectionKeys != 0 { cr4 = cr4 | .protectionKeys }
        if leaf7.ecx & CPUIDFeature.fiveLevelPaging != 0 { cr4 = cr4 | .fiveLevelPaging }
        self.cr4 = cr4
        quickFetchEnd = hasOtherTables || cr4.contains(.fiveLevelPaging) ? 0 : GuestFeatures.wholeInstructionEnd
        extendedState = policy.offeredExtendedState(processor)
        hasExecuteDisable = extended.edx & CPUIDFeature.executeDisable != 0
        has1GiBPages = extended.edx & CPUIDFeature.page1GB != 0
        physicalAddressWidth = processor.physicalAddressWidth
        hasX2APIC = leaf1.ecx & CPUIDFeature.x2APIC != 0
        hasTimeStampDeadline = leaf1.ecx & CPUIDFeature.timeStampDeadline != 0
        hasTimeStampAdjust = leaf7.ebx & CPUIDPolicy.always7B != 0
        hasMemoryTypeRanges = leaf1.edx & CPUIDFeature.mtrr != 0
        hasMachineCheckBanks = leaf1.edx & CPUIDFeature.machineCheckArchitecture != 0
        hasFastSystemEntry = leaf1.edx & 1 << 11 != 0
        hasSystemCall = extended.edx & 1 << 11 != 0
        hasLongMode = extended.edx & 1 << 29 != 0
        hasPAT = leaf1.edx & CPUIDFeature.pat != 0
        self.keepsPageAttributes = keepsPageAttributes && leaf1.edx & CPUIDFeature.pat != 0
        hasAuxiliary = extended.edx & CPUIDFeature.rdtscp != 0 || leaf7.ecx & 1 << 22 != 0
        hasSupervisorState = policy.answer(0xD, 1, from: processor).eax & 1 << 3 != 0
        let speculation =
            CPUIDFeature.indirectBranchRestriction | CPUIDFeature.singleThreadPredictors | CPUIDFeature.storeBypassDisable
        hasSpeculationControl = leaf7.edx & speculation != 0
        hasPredictionCommand = leaf7.edx & CPUIDFeature.indirectBranchRestriction != 0
        hasFlushCommand = leaf7.edx & CPUIDFeature.cacheFlush != 0
        architecturalCapabilities =
            leaf7.edx & CPUIDFeature.architecturalCapabilities != 0
            ? processor.read(.architecturalCapabilities) & MSRPolicy.shownCapabilities : nil
        localAPICTimerShift = policy.localAPICFrequency == policy.timeStampFrequency ? 0 : 1
        hasFastStrings = policy.offers.fastStrings
        // SDM volume 3, "Determining the Signature": CPUID loads the register.
        processor.write(.microcodeVersion, 0)
        _ = processor.cpuid(1, 0)
        microcodeVersion = processor.read(.microcodeVersion) & ~0xFFFF_FFFF
    }
}

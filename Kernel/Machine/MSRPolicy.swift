import X86

/// What happens when a guest reads or writes a model-specific register. This table is the specification; Docs/Guest.md
/// shows the same.
///
/// | register | name | read | write | only with |
/// | --- | --- | --- | --- | --- |
/// | 10H | IA32_TIME_STAMP_COUNTER | no exit | moves the guest's time, and IA32_TSC_ADJUST with it | |
/// | 17H | IA32_PLATFORM_ID | 0 | #GP | |
/// | 1BH | IA32_APIC_BASE | as written | the local APIC's | |
/// | 3AH | IA32_FEATURE_CONTROL | 1: locked, no VMX | #GP | |
/// | 3BH | IA32_TSC_ADJUST | by how much writes moved the time | moves the guest's time | |
/// | 48H | IA32_SPEC_CTRL | no exit | no exit | IBRS, STIBP or SSBD |
/// | 49H | IA32_PRED_CMD | #GP | no exit | IBRS |
/// | 8BH | IA32_BIOS_SIGN_ID | the processor's microcode version | 0 only | |
/// | CEH | MSR_PLATFORM_INFO | 0 | #GP | |
/// | FEH | IA32_MTRRCAP | 508H: 8 variable ranges, fixed ranges, write combining | #GP | |
/// | 10AH | IA32_ARCH_CAPABILITIES | the processor's, by an allow-list | #GP | ARCH-CAPABILITIES |
/// | 10BH | IA32_FLUSH_CMD | #GP | no exit | L1D-FLUSH |
/// | 174H to 176H | IA32_SYSENTER_CS, ESP, EIP | no exit | no exit | |
/// | 179H | IA32_MCG_CAP | 10AH: 10 banks, IA32_MCG_CTL | #GP | |
/// | 17AH | IA32_MCG_STATUS | as written | bits 2:0 | |
/// | 17BH | IA32_MCG_CTL | as written | all zeros or all ones | |
/// | 1A0H | IA32_MISC_ENABLE | as written; bits 11, 12 set; bit 0 at first as the processor has it | the defined bits, without effect | |
/// | 1D9H | IA32_DEBUGCTL | as written | LBR and BTF | |
/// | 200H to 20FH | IA32_MTRR_PHYSBASEn, PHYSMASKn | as written | checked, without effect | |
/// | 250H, 258H, 259H, 268H to 26FH | IA32_MTRR_FIX... | as written | checked, without effect | |
/// | 277H | IA32_PAT | no exit | no exit | PAT |
/// | 2FFH | IA32_MTRR_DEF_TYPE | as written | checked, without effect | |
/// | 400H to 427H | IA32_MCi_CTL, STATUS, ADDR, MISC | as written, STATUS 0 | CTL all zeros or all ones, STATUS 0, the others anything | |
/// | 6E0H | IA32_TSC_DEADLINE | the local APIC's | the local APIC's | |
/// | 800H to 83FH | the registers of the local APIC | the local APIC's | the local APIC's | x2APIC mode |
/// | DA0H | IA32_XSS | 0 | 0 only | XSAVES |
/// | C0000080H | IA32_EFER | no exit | checked | |
/// | C0000081H to C0000084H | IA32_STAR, LSTAR, CSTAR, FMASK | no exit | no exit | |
/// | C0000100H to C0000102H | IA32_FS_BASE, GS_BASE, KERNEL_GS_BASE | no exit | no exit | |
/// | C0000103H | IA32_TSC_AUX | no exit | no exit | RDTSCP or RDPID |
/// | all others | | #GP | #GP | |
///
/// A value that a checked register does not take raises #GP, and so does a register whose feature is missing.
///
/// On a processor without EPT, accesses to IA32_EFER and IA32_PAT exit: they are read as written, and what is written is checked.
///
/// Of what passes without an exit, the kernel uses only IA32_PAT, which VM entries and exits switch. IA32_SPEC_CTRL
/// stays as the guest set it while the kernel runs: it changes how fast the kernel is, not what it does.
public enum MSRPolicy {
    /// Whether the guest reads the register without an exit.
    public static func passesReads(_ register: ModelSpecificRegister, _ features: GuestFeatures) -> Bool {
        switch register {
        case .timeStampCounter: true
        case .extendedFeatureEnable: !features.keepsExtendedFeatures
        case .predictionCommand, .flushCommand: false
        default: passesWrites(register, features)
        }
    }

    /// Whether the guest writes the register without an exit.
    public static func passesWrites(_ register: ModelSpecificRegister, _ features: GuestFeatures) -> Bool {
        switch register {
        case .predictionCommand: features.hasPredictionCommand
        case .flushCommand: features.hasFlushCommand
        case .pat: features.hasPAT && !features.keepsPageAttributes
        default: HeldRegister.passes(register, features)
        }
    }

    /// Every register that the guest reads or writes without an exit, each once, with which of the two.
    public static func forEachPassing(_ features: GuestFeatures, _ body: (ModelSpecificRegister, Bool, Bool) -> Void) {
        func tell(_ register: ModelSpecificRegister) {
            let (reads, writes) = (passesReads(register, features), passesWrites(register, features))
            if reads || writes { body(register, reads, writes) }
        }
        for number in 0..<HeldRegister.count {
            if case .msr(let register) = HeldRegister.row(number).place { tell(register) }
        }
        tell(.timeStampCounter)
        tell(.extendedFeatureEnable)
        tell(.predictionCommand)
        tell(.flushCommand)
    }

    /// The bits of IA32_ARCH_CAPABILITIES that say to what the processor is immune, or what makes it so, with no other register.
    static var shownCapabilities: ArchitecturalCapabilities {
        .rdclNo | .ibrsAll | .rsba | .skipL1DFlushOnEntry | .ssbNo | .mdsNo | .ifPSChangeMCNo | .taaNo | .sbdrSSDPNo | .fbsdpNo
            | .psdpNo | .fbClear | .rrsba | .bhiNo | .pbrsbNo | .gdsNo | .rfdsNo
    }

    /// What IA32_MISC_ENABLE takes.
    static var miscEnableBits: MiscEnable {
        .fastStrings | .thermalControl | .performanceMonitoring | miscEnableFixed | .enhancedSpeedStep | .monitor | .limitsLeaves
            | .noTaskPriorityMessages | .noExecuteDisable | .noTurbo
    }
    /// The bits that are always set in it.
    static var miscEnableFixed: MiscEnable { .branchTraceUnavailable | .eventSamplingUnavailable }

    /// Whether a processor has fast strings, without which Linux does not believe CPUID's ERMS. A guest sees what the processor
    /// has, so it chooses the same instructions as without Martlet.
    public static func hasFastStrings(_ processor: some ModelSpecificRegisterAccess) -> Bool {
        MiscEnable(rawValue: processor.read(.miscEnable)).contains(.fastStrings)
    }
}

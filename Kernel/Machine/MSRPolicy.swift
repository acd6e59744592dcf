import X86

/// What happens when a guest reads or writes a model-specific register.
///
/// | register | policy |
/// | --- | --- |
/// | FS_BASE, GS_BASE, KERNEL_GS_BASE, STAR, LSTAR, CSTAR, FMASK, SYSENTER_*, TSC_AUX, PAT | the guest's own, no exit |
/// | IA32_TIME_STAMP_COUNTER | read without an exit; a write moves the guest's offset |
/// | IA32_EFER | read without an exit; a write is checked |
/// | IA32_APIC_BASE, IA32_TSC_DEADLINE, 800H to 8FFH | the local APIC's |
/// | IA32_MISC_ENABLE | holds what is written; bit 0 always reads 1 |
/// | IA32_FEATURE_CONTROL | reads 1 (locked); a write raises #GP |
/// | IA32_BIOS_SIGN_ID | reads 0; only 0 may be written |
/// | all others | #GP(0) |
public enum MSRPolicy {
    /// Whether the guest reads the register without an exit.
    public static func passesReads(_ register: ModelSpecificRegister, hasPAT: Bool, hasAuxiliary: Bool) -> Bool {
        switch register {
        case .timeStampCounter, .extendedFeatureEnable: true
        default: passesWrites(register, hasPAT: hasPAT, hasAuxiliary: hasAuxiliary)
        }
    }

    /// Whether the guest writes the register without an exit. All of these the kernel itself never uses.
    public static func passesWrites(_ register: ModelSpecificRegister, hasPAT: Bool, hasAuxiliary: Bool) -> Bool {
        switch register {
        case .fsBase, .gsBase, .kernelGSBase, .star, .longSTAR, .compatibilitySTAR, .systemCallMask,
            .sysenterCS, .sysenterESP, .sysenterEIP:
            true
        case .pat: hasPAT
        case .timeStampCounterAux: hasAuxiliary
        default: false
        }
    }
}

/// The registers that Martlet keeps for the guest.
public struct EmulatedMSRs: Equatable, Sendable {
    /// Bit 0, fast strings, is always on.
    private var miscEnable: UInt64 = 1

    public init() {}

    /// The value of a register, or nil for #GP.
    @inline(__always)
    func read(_ register: ModelSpecificRegister) -> UInt64? {
        switch register {
        case .miscEnable: miscEnable
        case .featureControl: 1
        case .microcodeVersion: 0
        default: nil
        }
    }

    /// Writes a register.
    /// - Returns: false for #GP.
    @inline(__always)
    mutating func write(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        switch register {
        case .miscEnable: miscEnable = value | 1
        case .microcodeVersion: return value == 0
        default: return false
        }
        return true
    }
}

import Text

/// The number of a model-specific register (SDM volume 4, "Model-Specific Registers").
public struct ModelSpecificRegister: Equatable, Sendable {
    /// What ECX holds for RDMSR and WRMSR.
    public var number: UInt32
    public init(_ number: UInt32) { self.number = number }

    public static var timeStampCounter: Self { .init(0x10) }
    public static var platformID: Self { .init(0x17) }
    public static var apicBase: Self { .init(0x1B) }
    public static var featureControl: Self { .init(0x3A) }
    public static var timeStampAdjust: Self { .init(0x3B) }
    public static var speculationControl: Self { .init(0x48) }
    public static var predictionCommand: Self { .init(0x49) }
    public static var microcodeVersion: Self { .init(0x8B) }
    public static var platformInformation: Self { .init(0xCE) }
    public static var memoryTypeCapability: Self { .init(0xFE) }
    public static var architecturalCapabilities: Self { .init(0x10A) }
    public static var flushCommand: Self { .init(0x10B) }
    public static var sysenterCS: Self { .init(0x174) }
    public static var sysenterESP: Self { .init(0x175) }
    public static var sysenterEIP: Self { .init(0x176) }
    public static var machineCheckCapability: Self { .init(0x179) }
    public static var machineCheckStatus: Self { .init(0x17A) }
    public static var machineCheckControl: Self { .init(0x17B) }
    public static var miscEnable: Self { .init(0x1A0) }
    public static var debugControl: Self { .init(0x1D9) }
    public static var pat: Self { .init(0x277) }
    /// IA32_TSC_DEADLINE.
    public static var timeStampDeadline: Self { .init(0x6E0) }
    /// The local APIC's, in x2APIC mode.
    public static var endOfInterrupt: Self { .init(0x80B) }
    public static var interruptCommand: Self { .init(0x830) }
    public static var selfInterrupt: Self { .init(0x83F) }
    public static var vmxBasic: Self { .init(0x480) }
    public static var vmxPinControls: Self { .init(0x481) }
    public static var vmxPrimaryControls: Self { .init(0x482) }
    public static var vmxExitControls: Self { .init(0x483) }
    public static var vmxEntryControls: Self { .init(0x484) }
    public static var vmxMiscellaneous: Self { .init(0x485) }
    public static var vmxCR0Fixed0: Self { .init(0x486) }
    public static var vmxCR0Fixed1: Self { .init(0x487) }
    public static var vmxCR4Fixed0: Self { .init(0x488) }
    public static var vmxCR4Fixed1: Self { .init(0x489) }
    public static var vmxSecondaryControls: Self { .init(0x48B) }
    public static var vmxEPTAndVPID: Self { .init(0x48C) }
    public static var vmxTruePinControls: Self { .init(0x48D) }
    public static var vmxTruePrimaryControls: Self { .init(0x48E) }
    public static var vmxTrueExitControls: Self { .init(0x48F) }
    public static var vmxTrueEntryControls: Self { .init(0x490) }
    public static var vmxFunctions: Self { .init(0x491) }
    /// Whether it is one of 800H to 8FFH, which are the local APIC's in x2APIC mode.
    @inline(__always)
    public var isInX2APICRange: Bool { number &- 0x800 < 0x100 }

    public static var supervisorState: Self { .init(0xDA0) }
    public static var extendedFeatureEnable: Self { .init(0xC000_0080) }
    public static var star: Self { .init(0xC000_0081) }
    public static var longSTAR: Self { .init(0xC000_0082) }
    public static var compatibilitySTAR: Self { .init(0xC000_0083) }
    public static var systemCallMask: Self { .init(0xC000_0084) }
    public static var fsBase: Self { .init(0xC000_0100) }
    public static var gsBase: Self { .init(0xC000_0101) }
    public static var kernelGSBase: Self { .init(0xC000_0102) }
    public static var timeStampCounterAux: Self { .init(0xC000_0103) }
}

extension ModelSpecificRegister: TextConvertible {
    /// The manual's name, or the number where Martlet has no use for the register.
    public var name: StaticString? {
        switch number {
        case 0x10: "IA32_TIME_STAMP_COUNTER"
        case 0x17: "IA32_PLATFORM_ID"
        case 0x1B: "IA32_APIC_BASE"
        case 0x3A: "IA32_FEATURE_CONTROL"
        case 0x3B: "IA32_TSC_ADJUST"
        case 0x48: "IA32_SPEC_CTRL"
        case 0x49: "IA32_PRED_CMD"
        case 0x8B: "IA32_BIOS_SIGN_ID"
        case 0xCE: "MSR_PLATFORM_INFO"
        case 0xFE: "IA32_MTRRCAP"
        case 0x10A: "IA32_ARCH_CAPABILITIES"
        case 0x10B: "IA32_FLUSH_CMD"
        case 0x174: "IA32_SYSENTER_CS"
        case 0x175: "IA32_SYSENTER_ESP"
        case 0x176: "IA32_SYSENTER_EIP"
        case 0x179: "IA32_MCG_CAP"
        case 0x17A: "IA32_MCG_STATUS"
        case 0x17B: "IA32_MCG_CTL"
        case 0x1A0: "IA32_MISC_ENABLE"
        case 0x1D9: "IA32_DEBUGCTL"
        case 0x277: "IA32_PAT"
        case 0x2FF: "IA32_MTRR_DEF_TYPE"
        case 0x480: "IA32_VMX_BASIC"
        case 0x481: "IA32_VMX_PINBASED_CTLS"
        case 0x482: "IA32_VMX_PROCBASED_CTLS"
        case 0x483: "IA32_VMX_EXIT_CTLS"
        case 0x484: "IA32_VMX_ENTRY_CTLS"
        case 0x485: "IA32_VMX_MISC"
        case 0x486: "IA32_VMX_CR0_FIXED0"
        case 0x487: "IA32_VMX_CR0_FIXED1"
        case 0x488: "IA32_VMX_CR4_FIXED0"
        case 0x489: "IA32_VMX_CR4_FIXED1"
        case 0x48A: "IA32_VMX_VMCS_ENUM"
        case 0x48B: "IA32_VMX_PROCBASED_CTLS2"
        case 0x48C: "IA32_VMX_EPT_VPID_CAP"
        case 0x48D: "IA32_VMX_TRUE_PINBASED_CTLS"
        case 0x48E: "IA32_VMX_TRUE_PROCBASED_CTLS"
        case 0x48F: "IA32_VMX_TRUE_EXIT_CTLS"
        case 0x490: "IA32_VMX_TRUE_ENTRY_CTLS"
        case 0x491: "IA32_VMX_VMFUNC"
        case 0x492: "IA32_VMX_PROCBASED_CTLS3"
        case 0x493: "IA32_VMX_EXIT_CTLS2"
        case 0x6E0: "IA32_TSC_DEADLINE"
        case 0xDA0: "IA32_XSS"
        case 0xC000_0080: "IA32_EFER"
        case 0xC000_0081: "IA32_STAR"
        case 0xC000_0082: "IA32_LSTAR"
        case 0xC000_0083: "IA32_CSTAR"
        case 0xC000_0084: "IA32_FMASK"
        case 0xC000_0100: "IA32_FS_BASE"
        case 0xC000_0101: "IA32_GS_BASE"
        case 0xC000_0102: "IA32_KERNEL_GS_BASE"
        case 0xC000_0103: "IA32_TSC_AUX"
        default: nil
        }
    }

    public func write(to output: inout Line) {
        if let name {
            output.write(name)
        } else {
            output.write("MSR ")
            output.write(hex: UInt64(number))
        }
    }
}

/// Reads and writes model-specific registers of the physical processor.
///
/// A register that the processor does not have raises #GP in the kernel: ask only for those whose presence is known.
public protocol ModelSpecificRegisterAccess {
    func read(_ register: ModelSpecificRegister) -> UInt64
    func write(_ register: ModelSpecificRegister, _ value: UInt64)
}

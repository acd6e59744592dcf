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
    public static var memoryTypeDefault: Self { .init(0x2FF) }
    public static var architecturalCapabilities: Self { .init(0x10A) }
    public static var flushCommand: Self { .init(0x10B) }
    public static var sysenterCS: Self { .init(0x174) }
    public static var sysenterESP: Self { .init(0x175) }
    public static var sysenterEIP: Self { .init(0x176) }
    public static var machineCheckCapability: Self { .init(0x179) }
    public static var machineCheckStatus: Self { .init(0x17A) }
    public static var machineCheckControl: Self { .init(0x17B) }
    public static var performanceControl: Self { .init(0x38F) }
    public static var miscEnable: Self { .init(0x1A0) }
    public static var debugControl: Self { .init(0x1D9) }
    public static var pat: Self { .init(0x277) }
    /// IA32_TSC_DEADLINE.
    public static var timeStampDeadline: Self { .init(0x6E0) }
    /// The local APIC's registers, in x2APIC mode.
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
    public static var vmxVMCSEnumeration: Self { .init(0x48A) }
    public static var vmxSecondaryControls: Self { .init(0x48B) }
    public static var vmxEPTAndVPID: Self { .init(0x48C) }
    public static var vmxTruePinControls: Self { .init(0x48D) }
    public static var vmxTruePrimaryControls: Self { .init(0x48E) }
    public static var vmxTrueExitControls: Self { .init(0x48F) }
    public static var vmxTrueEntryControls: Self { .init(0x490) }
    public static var vmxFunctions: Self { .init(0x491) }
    public static var vmxTertiaryControls: Self { .init(0x492) }
    public static var vmxSecondaryExitControls: Self { .init(0x493) }
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
    /// VM_CR (APM volume 2, "SVM Related MSRs"; so the next).
    public static var vmControl: Self { .init(0xC001_0114) }
    /// VM_HSAVE_PA.
    public static var hostSaveAddress: Self { .init(0xC001_0117) }
}

// Registers that exist several times.
extension ModelSpecificRegister {
    /// IA32_MTRR_PHYSBASEn.
    public static func memoryTypeBase(_ range: UInt32) -> Self { .init(0x200 + 2 * range) }
    /// IA32_MTRR_PHYSMASKn.
    public static func memoryTypeMask(_ range: UInt32) -> Self { .init(0x201 + 2 * range) }

    /// The eleven fixed-range registers in the order of their addresses: IA32_MTRR_FIX64K_00000, two of 16 KiB, eight of 4 KiB.
    public static func memoryTypeFixed(_ index: UInt32) -> Self {
        .init(index == 0 ? 0x250 : index < 3 ? 0x257 + index : 0x265 + index)
    }

    /// IA32_MCi_CTL, and next to it IA32_MCi_STATUS, IA32_MCi_ADDR and IA32_MCi_MISC.
    public static func machineCheckControl(bank: UInt32) -> Self { .init(0x400 + 4 * bank) }
    public static func machineCheckStatus(bank: UInt32) -> Self { .init(0x401 + 4 * bank) }
    public static func machineCheckAddress(bank: UInt32) -> Self { .init(0x402 + 4 * bank) }
    public static func machineCheckMiscellaneous(bank: UInt32) -> Self { .init(0x403 + 4 * bank) }
}

extension ModelSpecificRegister: TextConvertible {
    /// The manual's name, or the number where Martlet does not use the register.
    public var name: StaticString? {
        switch self {
        case .timeStampCounter: "IA32_TIME_STAMP_COUNTER"
        case .platformID: "IA32_PLATFORM_ID"
        case .apicBase: "IA32_APIC_BASE"
        case .featureControl: "IA32_FEATURE_CONTROL"
        case .timeStampAdjust: "IA32_TSC_ADJUST"
        case .speculationControl: "IA32_SPEC_CTRL"
        case .predictionCommand: "IA32_PRED_CMD"
        case .microcodeVersion: "IA32_BIOS_SIGN_ID"
        case .platformInformation: "MSR_PLATFORM_INFO"
        case .memoryTypeCapability: "IA32_MTRRCAP"
        case .architecturalCapabilities: "IA32_ARCH_CAPABILITIES"
        case .flushCommand: "IA32_FLUSH_CMD"
        case .sysenterCS: "IA32_SYSENTER_CS"
        case .sysenterESP: "IA32_SYSENTER_ESP"
        case .sysenterEIP: "IA32_SYSENTER_EIP"
        case .machineCheckCapability: "IA32_MCG_CAP"
        case .machineCheckStatus: "IA32_MCG_STATUS"
        case .machineCheckControl: "IA32_MCG_CTL"
        case .miscEnable: "IA32_MISC_ENABLE"
        case .debugControl: "IA32_DEBUGCTL"
        case .pat: "IA32_PAT"
        case .memoryTypeDefault: "IA32_MTRR_DEF_TYPE"
        case .performanceControl: "IA32_PERF_GLOBAL_CTRL"
        case .vmxBasic: "IA32_VMX_BASIC"
        case .vmxPinControls: "IA32_VMX_PINBASED_CTLS"
        case .vmxPrimaryControls: "IA32_VMX_PROCBASED_CTLS"
        case .vmxExitControls: "IA32_VMX_EXIT_CTLS"
        case .vmxEntryControls: "IA32_VMX_ENTRY_CTLS"
        case .vmxMiscellaneous: "IA32_VMX_MISC"
        case .vmxCR0Fixed0: "IA32_VMX_CR0_FIXED0"
        case .vmxCR0Fixed1: "IA32_VMX_CR0_FIXED1"
        case .vmxCR4Fixed0: "IA32_VMX_CR4_FIXED0"
        case .vmxCR4Fixed1: "IA32_VMX_CR4_FIXED1"
        case .vmxVMCSEnumeration: "IA32_VMX_VMCS_ENUM"
        case .vmxSecondaryControls: "IA32_VMX_PROCBASED_CTLS2"
        case .vmxEPTAndVPID: "IA32_VMX_EPT_VPID_CAP"
        case .vmxTruePinControls: "IA32_VMX_TRUE_PINBASED_CTLS"
        case .vmxTruePrimaryControls: "IA32_VMX_TRUE_PROCBASED_CTLS"
        case .vmxTrueExitControls: "IA32_VMX_TRUE_EXIT_CTLS"
        case .vmxTrueEntryControls: "IA32_VMX_TRUE_ENTRY_CTLS"
        case .vmxFunctions: "IA32_VMX_VMFUNC"
        case .vmxTertiaryControls: "IA32_VMX_PROCBASED_CTLS3"
        case .vmxSecondaryExitControls: "IA32_VMX_EXIT_CTLS2"
        case .timeStampDeadline: "IA32_TSC_DEADLINE"
        case .supervisorState: "IA32_XSS"
        case .extendedFeatureEnable: "IA32_EFER"
        case .star: "IA32_STAR"
        case .longSTAR: "IA32_LSTAR"
        case .compatibilitySTAR: "IA32_CSTAR"
        case .systemCallMask: "IA32_FMASK"
        case .fsBase: "IA32_FS_BASE"
        case .gsBase: "IA32_GS_BASE"
        case .kernelGSBase: "IA32_KERNEL_GS_BASE"
        case .timeStampCounterAux: "IA32_TSC_AUX"
        case .vmControl: "VM_CR"
        case .hostSaveAddress: "VM_HSAVE_PA"
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

/// CR0 (SDM volume 3, "Control Registers").
public struct ControlRegister0: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var protectionEnable: Self { .init(bit: 0) }
    public static var monitorCoprocessor: Self { .init(bit: 1) }
    public static var emulation: Self { .init(bit: 2) }
    public static var taskSwitched: Self { .init(bit: 3) }
    public static var extensionType: Self { .init(bit: 4) }
    public static var numericError: Self { .init(bit: 5) }
    public static var writeProtect: Self { .init(bit: 16) }
    public static var alignmentMask: Self { .init(bit: 18) }
    public static var notWriteThrough: Self { .init(bit: 29) }
    public static var cacheDisable: Self { .init(bit: 30) }
    public static var paging: Self { .init(bit: 31) }

    /// Every bit that the architecture defines; the others are reserved.
    public static var defined: Self {
        .protectionEnable | .monitorCoprocessor | .emulation | .taskSwitched | .extensionType | .numericError | .writeProtect
            | .alignmentMask | .notWriteThrough | .cacheDisable | .paging
    }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .protectionEnable: "PE"
        case .monitorCoprocessor: "MP"
        case .emulation: "EM"
        case .taskSwitched: "TS"
        case .extensionType: "ET"
        case .numericError: "NE"
        case .writeProtect: "WP"
        case .alignmentMask: "AM"
        case .notWriteThrough: "NW"
        case .cacheDisable: "CD"
        case .paging: "PG"
        default: nil
        }
    }
}

/// CR4 (SDM volume 3, "Control Registers").
public struct ControlRegister4: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var virtual8086Extensions: Self { .init(bit: 0) }
    public static var protectedVirtualInterrupts: Self { .init(bit: 1) }
    public static var timeStampDisable: Self { .init(bit: 2) }
    public static var debuggingExtensions: Self { .init(bit: 3) }
    public static var pageSizeExtensions: Self { .init(bit: 4) }
    public static var physicalAddressExtension: Self { .init(bit: 5) }
    public static var machineCheckEnable: Self { .init(bit: 6) }
    public static var pageGlobalEnable: Self { .init(bit: 7) }
    public static var performanceCounterEnable: Self { .init(bit: 8) }
    public static var fxsave: Self { .init(bit: 9) }
    public static var unmaskedSIMDExceptions: Self { .init(bit: 10) }
    public static var userModeInstructionPrevention: Self { .init(bit: 11) }
    public static var fiveLevelPaging: Self { .init(bit: 12) }
    public static var vmxEnable: Self { .init(bit: 13) }
    public static var smxEnable: Self { .init(bit: 14) }
    public static var fsgsbase: Self { .init(bit: 16) }
    public static var processContextIdentifiers: Self { .init(bit: 17) }
    public static var xsave: Self { .init(bit: 18) }
    public static var keyLocker: Self { .init(bit: 19) }
    public static var supervisorExecutionPrevention: Self { .init(bit: 20) }
    public static var supervisorAccessPrevention: Self { .init(bit: 21) }
    public static var protectionKeys: Self { .init(bit: 22) }
    public static var controlFlowEnforcement: Self { .init(bit: 23) }
    public static var supervisorProtectionKeys: Self { .init(bit: 24) }
    public static var userInterrupts: Self { .init(bit: 25) }
    public static var supervisorAddressMasking: Self { .init(bit: 28) }
    public static var flexibleEventDelivery: Self { .init(bit: 32) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .virtual8086Extensions: "VME"
        case .protectedVirtualInterrupts: "PVI"
        case .timeStampDisable: "TSD"
        case .debuggingExtensions: "DE"
        case .pageSizeExtensions: "PSE"
        case .physicalAddressExtension: "PAE"
        case .machineCheckEnable: "MCE"
        case .pageGlobalEnable: "PGE"
        case .performanceCounterEnable: "PCE"
        case .fxsave: "OSFXSR"
        case .unmaskedSIMDExceptions: "OSXMMEXCPT"
        case .userModeInstructionPrevention: "UMIP"
        case .fiveLevelPaging: "LA57"
        case .vmxEnable: "VMXE"
        case .smxEnable: "SMXE"
        case .fsgsbase: "FSGSBASE"
        case .processContextIdentifiers: "PCIDE"
        case .xsave: "OSXSAVE"
        case .keyLocker: "KL"
        case .supervisorExecutionPrevention: "SMEP"
        case .supervisorAccessPrevention: "SMAP"
        case .protectionKeys: "PKE"
        case .controlFlowEnforcement: "CET"
        case .supervisorProtectionKeys: "PKS"
        case .userInterrupts: "UINTR"
        case .supervisorAddressMasking: "LAM_SUP"
        case .flexibleEventDelivery: "FRED"
        default: nil
        }
    }
}

/// IA32_EFER (SDM volume 3, "Extended Feature Enable Register"; bits from 12 up: APM volume 2, "Extended Feature Enable Register
/// (EFER)").
public struct ExtendedFeatureEnable: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var systemCall: Self { .init(bit: 0) }
    public static var longModeEnable: Self { .init(bit: 8) }
    public static var longModeActive: Self { .init(bit: 10) }
    public static var executeDisable: Self { .init(bit: 11) }
    public static var secureVirtualMachine: Self { .init(bit: 12) }
    public static var longModeSegmentLimit: Self { .init(bit: 13) }
    public static var fastFXSAVE: Self { .init(bit: 14) }
    public static var translationCacheExtension: Self { .init(bit: 15) }
    public static var mcommit: Self { .init(bit: 17) }
    public static var interruptibleWBINVD: Self { .init(bit: 18) }
    public static var upperAddressIgnore: Self { .init(bit: 20) }
    public static var automaticIBRS: Self { .init(bit: 21) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .systemCall: "SCE"
        case .longModeEnable: "LME"
        case .longModeActive: "LMA"
        case .executeDisable: "NXE"
        case .secureVirtualMachine: "SVME"
        case .longModeSegmentLimit: "LMSLE"
        case .fastFXSAVE: "FFXSR"
        case .translationCacheExtension: "TCE"
        case .mcommit: "MCOMMIT"
        case .interruptibleWBINVD: "INTWB"
        case .upperAddressIgnore: "UAIE"
        case .automaticIBRS: "AIBRSE"
        default: nil
        }
    }
}

/// State components in XCR0 (SDM volume 1, "XSAVE-Supported Features and State-Component Bitmaps").
public enum ExtendedState {
    public static var x87: UInt64 { 1 << 0 }
    public static var sse: UInt64 { 1 << 1 }
    public static var avx: UInt64 { 1 << 2 }
    /// The three of AVX-512, which are enabled together.
    public static var avx512: UInt64 { 0b111 << 5 }
}

/// RFLAGS (SDM volume 3, "System Flags and Fields in the EFLAGS Register").
public struct RFlags: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Bit 1, which always reads 1.
    public static var alwaysSet: Self { .init(bit: 1) }
    public static var carry: Self { .init(bit: 0) }
    public static var parity: Self { .init(bit: 2) }
    public static var adjust: Self { .init(bit: 4) }
    public static var zero: Self { .init(bit: 6) }
    public static var sign: Self { .init(bit: 7) }
    public static var trap: Self { .init(bit: 8) }
    public static var interruptEnable: Self { .init(bit: 9) }
    public static var direction: Self { .init(bit: 10) }
    public static var overflow: Self { .init(bit: 11) }
    public static var ioPrivilegeLow: Self { .init(bit: 12) }
    public static var ioPrivilegeHigh: Self { .init(bit: 13) }
    /// IOPL, both bits: every privilege level may use ports.
    public static var ioPrivilege: Self { .ioPrivilegeLow | .ioPrivilegeHigh }
    public static var nestedTask: Self { .init(bit: 14) }
    public static var resume: Self { .init(bit: 16) }
    public static var virtual8086: Self { .init(bit: 17) }
    public static var alignmentCheck: Self { .init(bit: 18) }
    public static var virtualInterrupt: Self { .init(bit: 19) }
    public static var virtualInterruptPending: Self { .init(bit: 20) }
    public static var identification: Self { .init(bit: 21) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .carry: "CF"
        case .alwaysSet: "1"
        case .parity: "PF"
        case .adjust: "AF"
        case .zero: "ZF"
        case .sign: "SF"
        case .trap: "TF"
        case .interruptEnable: "IF"
        case .direction: "DF"
        case .overflow: "OF"
        case .ioPrivilegeLow, .ioPrivilegeHigh: "IOPL"
        case .nestedTask: "NT"
        case .resume: "RF"
        case .virtual8086: "VM"
        case .alignmentCheck: "AC"
        case .virtualInterrupt: "VIF"
        case .virtualInterruptPending: "VIP"
        case .identification: "ID"
        default: nil
        }
    }
}

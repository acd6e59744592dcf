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
    public static var defined: Self { .init(rawValue: 0xE005_003F) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "PE"
        case 1: "MP"
        case 2: "EM"
        case 3: "TS"
        case 4: "ET"
        case 5: "NE"
        case 16: "WP"
        case 18: "AM"
        case 29: "NW"
        case 30: "CD"
        case 31: "PG"
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
    public static var supervisorExecutionPrevention: Self { .init(bit: 20) }
    public static var supervisorAccessPrevention: Self { .init(bit: 21) }
    public static var protectionKeys: Self { .init(bit: 22) }
    public static var controlFlowEnforcement: Self { .init(bit: 23) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "VME"
        case 1: "PVI"
        case 2: "TSD"
        case 3: "DE"
        case 4: "PSE"
        case 5: "PAE"
        case 6: "MCE"
        case 7: "PGE"
        case 8: "PCE"
        case 9: "OSFXSR"
        case 10: "OSXMMEXCPT"
        case 11: "UMIP"
        case 12: "LA57"
        case 13: "VMXE"
        case 14: "SMXE"
        case 16: "FSGSBASE"
        case 17: "PCIDE"
        case 18: "OSXSAVE"
        case 19: "KL"
        case 20: "SMEP"
        case 21: "SMAP"
        case 22: "PKE"
        case 23: "CET"
        case 24: "PKS"
        case 25: "UINTR"
        case 28: "LAM_SUP"
        case 32: "FRED"
        default: nil
        }
    }
}

/// IA32_EFER (SDM volume 3, "Extended Feature Enable Register").
public struct ExtendedFeatureEnable: FlagSet {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var systemCall: Self { .init(bit: 0) }
    public static var longModeEnable: Self { .init(bit: 8) }
    public static var longModeActive: Self { .init(bit: 10) }
    public static var executeDisable: Self { .init(bit: 11) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "SCE"
        case 8: "LME"
        case 10: "LMA"
        case 11: "NXE"
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
    /// IOPL, both bits: every privilege level may use ports.
    public static var ioPrivilege: Self { .init(rawValue: 3 << 12) }
    public static var nestedTask: Self { .init(bit: 14) }
    public static var resume: Self { .init(bit: 16) }
    public static var virtual8086: Self { .init(bit: 17) }
    public static var alignmentCheck: Self { .init(bit: 18) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "CF"
        case 1: "1"
        case 2: "PF"
        case 4: "AF"
        case 6: "ZF"
        case 7: "SF"
        case 8: "TF"
        case 9: "IF"
        case 10: "DF"
        case 11: "OF"
        case 12, 13: "IOPL"
        case 14: "NT"
        case 16: "RF"
        case 17: "VM"
        case 18: "AC"
        case 19: "VIF"
        case 20: "VIP"
        case 21: "ID"
        default: nil
        }
    }
}

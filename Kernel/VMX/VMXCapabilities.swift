import Memory
import X86

/// Everything the VMX capability MSRs say (SDM volume 3, appendix A, "VMX Capability Reporting Facility").
///
/// A register is read only where another one says that it exists.
public struct VMXCapabilities: Equatable, Sendable {
    public let basic: VMXBasic
    public let pin: ControlCapability<PinControls>
    public let primary: ControlCapability<PrimaryControls>
    public let secondary: ControlCapability<SecondaryControls>
    public let exit: ControlCapability<ExitControls>
    public let entry: ControlCapability<EntryControls>
    public let miscellaneous: VMXMiscellaneous
    public let cr0: FixedBits<ControlRegister0>
    public let cr4: FixedBits<ControlRegister4>
    public let eptAndVPID: EPTAndVPIDCapabilities
    /// IA32_VMX_VMFUNC, or none where VM functions are not offered.
    public let vmFunctions: VMFunctions
    /// MAXPHYADDR.
    public let physicalAddressWidth: Int
    /// 48 or 57.
    public let linearAddressWidth: Int

    public init(
        reading registers: some ModelSpecificRegisterAccess, physicalAddressWidth: Int, linearAddressWidth: Int
    ) {
        self.physicalAddressWidth = physicalAddressWidth
        self.linearAddressWidth = linearAddressWidth
        basic = VMXBasic(rawValue: registers.read(.vmxBasic))
        let hasTrueControls = basic.hasTrueControls
        let pinSource: ModelSpecificRegister = hasTrueControls ? .vmxTruePinControls : .vmxPinControls
        let primarySource: ModelSpecificRegister = hasTrueControls ? .vmxTruePrimaryControls : .vmxPrimaryControls
        let exitSource: ModelSpecificRegister = hasTrueControls ? .vmxTrueExitControls : .vmxExitControls
        let entrySource: ModelSpecificRegister = hasTrueControls ? .vmxTrueEntryControls : .vmxEntryControls
        pin = .init(registers.read(pinSource), from: pinSource)
        primary = .init(registers.read(primarySource), from: primarySource)
        exit = .init(registers.read(exitSource), from: exitSource)
        entry = .init(registers.read(entrySource), from: entrySource)
        miscellaneous = .init(rawValue: registers.read(.vmxMiscellaneous))
        cr0 = .init(fixed0: registers.read(.vmxCR0Fixed0), fixed1: registers.read(.vmxCR0Fixed1))
        cr4 = .init(fixed0: registers.read(.vmxCR4Fixed0), fixed1: registers.read(.vmxCR4Fixed1))
        if primary.allowed.contains(.activateSecondaryControls) {
            secondary = .init(registers.read(.vmxSecondaryControls), from: .vmxSecondaryControls)
        } else {
            secondary = .absent(.vmxSecondaryControls)
        }
        if secondary.allowed.intersects(.enableEPT | .enableVPID) {
            eptAndVPID = .init(rawValue: registers.read(.vmxEPTAndVPID))
        } else {
            eptAndVPID = .init(rawValue: 0)
        }
        vmFunctions = secondary.allowed.contains(.enableVMFunctions) ? .init(rawValue: registers.read(.vmxFunctions)) : .none
    }
}

/// IA32_VMX_BASIC (SDM volume 3, appendix A.1 "Basic VMX Information").
public struct VMXBasic: Equatable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What the VMXON region and each VMCS begin with.
    public var revisionIdentifier: UInt32 { UInt32(truncatingIfNeeded: rawValue) & 0x7FFF_FFFF }
    /// Bit 48: VMXON region, VMCS and the structures they point to must lie below 4 GiB.
    public var addressesAre32Bit: Bool { rawValue & 1 << 48 != 0 }
    /// Bit 49: system-management interrupts can have a monitor of their own, and the VMCS the fields for it.
    public var hasDualMonitorTreatment: Bool { rawValue & 1 << 49 != 0 }
    /// Bits 53:50, the memory type for accesses to the VMCS: 6 is write-back.
    public var memoryType: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 50) & 15 }
    /// Bit 54: INS and OUTS exits report their details.
    public var reportsStringIODetails: Bool { rawValue & 1 << 54 != 0 }
    /// Bit 55: the "true" control MSRs exist.
    public var hasTrueControls: Bool { rawValue & 1 << 55 != 0 }
    /// Bit 56: hardware exceptions may be injected with or without an error code.
    public var errorCodeIsOptional: Bool { rawValue & 1 << 56 != 0 }
}

/// IA32_VMX_MISC (SDM volume 3, appendix A.6 "Miscellaneous Data").
public struct VMXMiscellaneous: Equatable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The preemption timer counts once when this bit of the TSC changes.
    public var preemptionTimerShift: UInt64 { rawValue & 31 }
    public var supportsHaltState: Bool { rawValue & 1 << 6 != 0 }
    public var supportsShutdownState: Bool { rawValue & 1 << 7 != 0 }
    public var supportsWaitForStartupState: Bool { rawValue & 1 << 8 != 0 }
    public var cr3TargetCount: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) & 0x1FF }
    /// Bit 30: software events may be injected with an instruction length of 0.
    public var allowsZeroLengthInjection: Bool { rawValue & 1 << 30 != 0 }
}

/// The bits of CR0 or CR4 that VMX operation fixes (SDM volume 3, appendix A.7 and A.8).
public struct FixedBits<Register: FlagSet>: Equatable, Sendable where Register.RawValue == UInt64 {
    /// Bits that must be 1.
    public let fixed0: Register
    /// Bits that may be 1.
    public let fixed1: Register

    public init(fixed0: UInt64, fixed1: UInt64) {
        self.fixed0 = .init(rawValue: fixed0)
        self.fixed1 = .init(rawValue: fixed1)
    }

    /// Whether a value has all bits that must be 1, except those in `exempt`, and no bit that must be 0.
    public func accepts(_ value: Register, exempt: Register = .none) -> Bool {
        value.contains(fixed0.subtracting(exempt)) && value.subtracting(fixed1).isEmpty
    }

    /// A value with the fixed bits forced, except those in `exempt`.
    public func adjust(_ value: Register, exempt: Register = .none) -> Register {
        (value | fixed0.subtracting(exempt)) & fixed1
    }
}

/// IA32_VMX_EPT_VPID_CAP (SDM volume 3, appendix A.10 "VPID and EPT Capabilities").
public struct EPTAndVPIDCapabilities: Equatable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    private func has(_ bit: UInt64) -> Bool { rawValue & 1 << bit != 0 }

    public var executeOnly: Bool { has(0) }
    public var walkLength4: Bool { has(6) }
    public var walkLength5: Bool { has(7) }
    public var uncacheableTables: Bool { has(8) }
    public var writeBackTables: Bool { has(14) }
    public var pages2MiB: Bool { has(16) }
    public var pages1GiB: Bool { has(17) }
    public var invept: Bool { has(20) }
    public var accessedAndDirty: Bool { has(21) }
    public var inveptAll: Bool { has(26) }
    public var invvpid: Bool { has(32) }
    public var invvpidSingle: Bool { has(41) }
    public var invvpidAll: Bool { has(42) }
    /// EPTP bit 7 enforces the access rights of supervisor shadow-stack pages.
    public var supervisorShadowStacks: Bool { has(23) }
}

extension EPTAndVPIDCapabilities {
    /// The largest page that a leaf of the tables may have.
    public var largestPage: PageSize { pages1GiB ? .oneGibibyte : pages2MiB ? .twoMebibytes : .fourKibibytes }
}

import Debug
import Memory
import VMX
import Virtualization
import X86

extension StateSnapshot {
    /// A field's bits.
    subscript(field: VMCSFieldEncoding) -> UInt64 { fields[field] }

    /// A field by its name, in its own type.
    subscript<Value: VMCSValue, Access>(field: VMCSField<Value, Access>) -> Value { fields[field] }

    /// CR0 as the guest reads it (SDM volume 3, "Guest/Host Masks and Read Shadows for CR0 and CR4").
    var seenCR0: ControlRegister0 {
        let mask = self[.cr0GuestHostMask]
        return self[.cr0ReadShadow] & mask | self[.guestCR0].subtracting(mask)
    }

    /// CR4 as the guest reads it.
    var seenCR4: ControlRegister4 {
        let mask = self[.cr4GuestHostMask]
        return self[.cr4ReadShadow] & mask | self[.guestCR4].subtracting(mask)
    }

    /// Shadow tables translate for the guest, and CR3 in the VMCS refers to them.
    var hasShadowTables: Bool { !self[.secondaryControls].contains(.enableEPT) }

    /// The mode that the guest executes in.
    public var mode: ProcessorMode {
        let rights = self[.guestCSAccessRights]
        return ProcessorMode(
            cr0: self[.guestCR0], longModeActive: self[.guestEFER].contains(.longModeActive), flags: self[.guestRFLAGS],
            codeIsLong: rights.isLong, codeIs32Bit: rights.is32Bit)
    }

    /// The linear address of the next instruction.
    public var codeAddress: UInt64 {
        let pointer = self[.guestRIP]
        return mode.is64Bit ? pointer : (self[.guestCSBase] &+ pointer) & 0xFFFF_FFFF
    }

    /// A general register by its number, RSP too.
    func value(of number: RegisterNumber) -> UInt64 { number == .rsp ? self[.guestRSP] : registers[number] }

    /// The privilege level that the guest executes at.
    var privilegeLevel: Int { Int(self[.guestSSAccessRights].privilegeLevel) }

    /// A register as it is read by name; nil for CR8, which is the local APIC's, and for what shadow paging keeps elsewhere.
    func value(of register: GuestRegister) -> UInt64? {
        if let number = register.general { return value(of: number) }
        if let segment = register.selector { return self[SegmentFields(segment).selector] }
        if let segment = register.base { return self[SegmentFields(segment).base] }
        return switch register {
        case .rip: self[.guestRIP]
        case .rflags: self[.guestRFLAGS].rawValue
        case .kernelGSBase: kernelGSBase
        case .cr0: seenCR0.rawValue
        case .cr2: pageFaultAddress
        case .cr3: hasShadowTables ? nil : self[.guestCR3]
        case .cr4: seenCR4.rawValue
        case .efer: self[.guestEFER].rawValue
        default: nil
        }
    }
}

extension GuestRegister {
    /// The field of the VMCS that holds it, but for selectors.
    var field: VMCSFieldEncoding? {
        if let base { return SegmentFields(base).base }
        return switch self {
        case .rsp: VMCSField<UInt64, Writable>.guestRSP.encoding
        case .rip: VMCSField<UInt64, Writable>.guestRIP.encoding
        case .rflags: VMCSField<RFlags, Writable>.guestRFLAGS.encoding
        case .cr0: VMCSField<ControlRegister0, Writable>.guestCR0.encoding
        case .cr3: VMCSField<UInt64, Writable>.guestCR3.encoding
        case .cr4: VMCSField<ControlRegister4, Writable>.guestCR4.encoding
        case .efer: VMCSField<ExtendedFeatureEnable, Writable>.guestEFER.encoding
        default: nil
        }
    }
}

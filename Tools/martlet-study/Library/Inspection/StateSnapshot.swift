import VMX
import Virtualization
import X86

/// All of a virtual CPU at one moment that the inspection commands tell of: every field of its VMCS, and the registers that are
/// not there.
public struct StateSnapshot: Sendable {
    public var fields: VMCSSnapshot
    public var registers: GeneralRegisters
    /// CR2, which neither a VM exit nor a VM entry touches.
    public var pageFaultAddress: UInt64
    /// DR0 to DR3 and DR6, likewise.
    public var debugRegisters: DebugRegisters

    /// A state of zeroes.
    public init() {
        fields = VMCSSnapshot()
        registers = GeneralRegisters()
        pageFaultAddress = 0
        debugRegisters = DebugRegisters()
    }

    public init<Access: VMCSAccess>(
        reading vmcs: VMCS<Access>, _ capabilities: VMXCapabilities, _ registers: GeneralRegisters, pageFaultAddress: UInt64,
        debugRegisters: DebugRegisters
    ) {
        fields = VMCSSnapshot(reading: vmcs, capabilities)
        self.registers = registers
        self.pageFaultAddress = pageFaultAddress
        self.debugRegisters = debugRegisters
    }
}

extension StateSnapshot {
    /// A field's bits.
    subscript(field: VMCSFieldEncoding) -> UInt64 { fields[field] }

    /// A field by its name, in its own type.
    subscript<Value: VMCSValue, Access>(field: VMCSField<Value, Access>) -> Value {
        Value(vmcsValue: self[field.encoding])
    }

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
}

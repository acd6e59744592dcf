import VMX
import Virtualization
import X86

/// All of a virtual CPU at one moment that the inspection commands tell of: every field of its VMCS, and the registers that are
/// not there. About 1800 bytes: it is kept in memory that the monitor owns, and taken in place.
public struct StateSnapshot: Sendable {
    public var fields: VMCSSnapshot
    public var registers: GeneralRegisters
    /// CR2, which neither a VM exit nor a VM entry touches.
    public var pageFaultAddress: UInt64

    /// A state of zeroes.
    public init() {
        fields = VMCSSnapshot()
        registers = GeneralRegisters()
        pageFaultAddress = 0
    }

    public init<Access: VMCSAccess>(
        reading vmcs: VMCS<Access>, _ capabilities: VMXCapabilities, _ registers: GeneralRegisters, pageFaultAddress: UInt64
    ) {
        fields = VMCSSnapshot(reading: vmcs, capabilities)
        self.registers = registers
        self.pageFaultAddress = pageFaultAddress
    }

    /// CR0 as the guest reads it (SDM volume 3, "Guest/Host Masks and Read Shadows for CR0 and CR4").
    var seenCR0: ControlRegister0 {
        let mask = fields[.cr0GuestHostMask]
        return fields[.cr0ReadShadow] & mask | fields[.guestCR0].subtracting(mask)
    }

    /// CR4 as the guest reads it.
    var seenCR4: ControlRegister4 {
        let mask = fields[.cr4GuestHostMask]
        return fields[.cr4ReadShadow] & mask | fields[.guestCR4].subtracting(mask)
    }

    /// The mode that the guest executes in.
    public var mode: ProcessorMode {
        let rights = fields[.guestCSAccessRights]
        return ProcessorMode(
            cr0: fields[.guestCR0], longModeActive: fields[.guestEFER].contains(.longModeActive), flags: fields[.guestRFLAGS],
            codeIsLong: rights.isLong, codeIs32Bit: rights.is32Bit)
    }

    /// The linear address of the next instruction.
    public var codeAddress: UInt64 {
        let pointer = fields[.guestRIP]
        return mode.is64Bit ? pointer : (fields[.guestCSBase] &+ pointer) & 0xFFFF_FFFF
    }

    /// A general register by its number, RSP too.
    func value(of number: RegisterNumber) -> UInt64 { number == .rsp ? fields[.guestRSP] : registers[number] }
}

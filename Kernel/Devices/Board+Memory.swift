// Which device is where in guest-physical memory. Each virtual CPU's local APIC answers before the bus is asked.

extension Board {
    /// The I/O APIC's address, as in the firmware's tables.
    static var ioAPICAddress: UInt64 { 0xFEC0_0000 }
    static var ioAPICSize: UInt64 { 0x1000 }

    /// Whether one of the board's own devices answers at a guest-physical address; what software places is not known here.
    public static func isPresent(memory address: UInt64) -> Bool { address &- ioAPICAddress < ioAPICSize }

    /// The board's own devices, which come first: no base address can take one of their addresses.
    mutating func wireMemory() {
        memory.claim(MemoryClaim(Self.ioAPICAddress, Self.ioAPICSize, .ioAPIC))
        includeLocalAPIC(APICBase.usualAddress)
    }

    /// A local APIC is at an address, which is then no other memory.
    public mutating func includeLocalAPIC(_ address: UInt64) { memory.include(address, 0x1000) }

    /// False only if no device, and no local APIC, is at a guest-physical address.
    @inline(__always)
    public func mayAnswer(at address: UInt64) -> Bool { memory.mayHave(address) }

    /// Whether a device has registers at a guest-physical address, including those placed by software.
    public mutating func hasRegisters(at address: UInt64) -> Bool { memory.find(address).device != .none }

    /// Reads 4 bytes at a multiple of 4; nil where there is no device.
    @inline(__always)
    public mutating func readMemory(_ address: UInt64) -> UInt32? {
        let (device, offset) = memory.find(address)
        switch device {
        case .none: return nil
        case .ioAPIC: return ioAPIC.read(offset: offset)
        }
    }

    /// Writes `size` bytes (1, 2, 4 or 8), of which a device takes the low 4.
    /// - Returns: false where there is no device.
    @inline(__always)
    public mutating func writeMemory(_ address: UInt64, size: Int, _ value: UInt32) -> Bool {
        let (device, offset) = memory.find(address)
        switch device {
        case .none: return false
        case .ioAPIC:
            // Only writes of whole registers count, except to the register that selects another.
            if size >= 4 || offset & 0xFF == 0 { writeIOAPIC(offset, value) }
            return true
        }
    }

    @inline(__always)
    private mutating func writeIOAPIC(_ offset: UInt64, _ value: UInt32) {
        ioAPIC.write(offset: offset, value: value)
        guard offset != IOAPIC.selector else { return }
        findNextEvent()
        needsAttention = true
    }
}

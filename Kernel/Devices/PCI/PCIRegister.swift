/// A register of a function's configuration space, as data (PCI local bus specification 3.0, 6.1 "Configuration Space
/// Organization"). A register is a doubleword; its number is its offset divided by 4.
struct PCIRegister: Sendable {
    let number: UInt8
    /// What it reads as after a reset and the firmware's setup.
    let initialValue: UInt32
    /// The bits that software can change.
    let writable: UInt32
    /// The bits that software clears by writing ones.
    let clearable: UInt32

    init(_ number: UInt8, _ initialValue: UInt32, writable: UInt32 = 0, clearable: UInt32 = 0) {
        self.number = number
        self.initialValue = initialValue
        self.writable = writable
        self.clearable = clearable
    }

    // MARK: What every function has at the same place

    /// Command and status.
    static var command: UInt8 { 0x01 }
    /// The first of six base addresses.
    static var firstBaseAddress: UInt8 { 0x04 }
    /// Interrupt line, which only software uses, and interrupt pin.
    static var interrupt: UInt8 { 0x0F }
}

/// Bits of the register of command and status (PCI local bus specification 3.0, 6.2.2 "Device Control" and 6.2.3 "Device
/// Status").
enum PCICommand {
    static var ioSpace: UInt32 { 1 << 0 }
    static var memorySpace: UInt32 { 1 << 1 }
    static var interruptDisable: UInt32 { 1 << 10 }
    static var interruptStatus: UInt32 { 1 << 19 }
}

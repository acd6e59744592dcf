/// The PCI functions that exist, each with a table of its registers (PCI local bus specification 3.0, 6.1
/// "Configuration Space Organization"). A register is a doubleword; its number is its offset divided by 4.
///
/// The raw value is bus (bits 15:8), device (bits 7:3) and function (bits 2:0).
enum PCIFunction: UInt16, Sendable {
    /// 440FX (Intel 82441FX data sheet).
    case hostBridge = 0x0000
    /// PIIX3, function 0 (Intel 82371SB data sheet).
    case isaBridge = 0x0008

    /// What a register reads after a reset and firmware's set-up; 0 where there is none, as for base addresses.
    func initialValue(_ register: UInt8) -> UInt32 {
        switch (self, register) {
        case (.hostBridge, 0x00): 0x1237_8086  // device and vendor
        case (.hostBridge, 0x01): 0x0280_0006  // status and command: memory space and bus master always
        case (.hostBridge, 0x02): 0x0600_0002  // host bridge, revision 2
        case (.hostBridge, 0x0B): 0x1237_8086  // subsystem

        case (.isaBridge, 0x00): 0x7000_8086
        case (.isaBridge, 0x01): 0x0200_0007  // I/O space too
        case (.isaBridge, 0x02): 0x0601_0000  // ISA bridge
        case (.isaBridge, 0x0B): 0x7000_8086
        case (.isaBridge, 0x18): 0x8080_8080  // PIRQ routes: none
        case (.isaBridge, 0x20): 0x0002_0000  // deterministic latency: passive release, as firmware sets it
        default: 0
        }
    }

    /// The bits of a register that software can change.
    func writableBits(_ register: UInt8) -> UInt32 {
        switch (self, register) {
        case (.hostBridge, 0x01): 0x0000_0140  // SERR#, parity errors
        case (.isaBridge, 0x01): 0x0000_0108  // SERR#, special cycles
        case (.isaBridge, 0x18): 0x8F8F_8F8F
        case (.isaBridge, 0x20): 0x000F_0000
        default: 0
        }
    }
}

// The functions of the board itself. They have no base addresses and no interrupt.

extension PCIFunction {
    /// 440FX (Intel 82441FX data sheet).
    static var hostBridge: PCIFunction {
        let registers: [4 of PCIRegister] = [
            PCIRegister(0x00, 0x1237_8086),  // device and vendor
            // Memory space and bus master always; SERR# and parity errors.
            PCIRegister(0x01, 0x0280_0006, writable: 0x0000_0140, clearable: 0xF100_0000),
            PCIRegister(0x02, 0x0600_0002),  // host bridge, revision 2
            PCIRegister(0x0B, 0x1237_8086),  // subsystem
        ]
        return PCIFunction(registers.span)
    }

    /// PIIX3, function 0 (Intel 82371SB data sheet).
    static var isaBridge: PCIFunction {
        let registers: [6 of PCIRegister] = [
            PCIRegister(0x00, 0x7000_8086),
            // I/O space too; SERR# and special cycles.
            PCIRegister(0x01, 0x0200_0007, writable: 0x0000_0108, clearable: 0x7800_0000),
            PCIRegister(0x02, 0x0601_0000),  // ISA bridge
            PCIRegister(0x0B, 0x7000_8086),
            PCIRegister(PCIInterruptRouting.register, 0x8080_8080, writable: 0x8F8F_8F8F),  // none
            // Deterministic latency: passive release, as firmware sets it.
            PCIRegister(0x20, 0x0002_0000, writable: 0x000F_0000),
        ]
        return PCIFunction(registers.span)
    }
}

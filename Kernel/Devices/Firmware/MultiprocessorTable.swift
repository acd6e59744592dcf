extension TableWriter {
    /// The MP table, for systems without ACPI (MultiProcessor Specification 1.4, chapter 4 "MP Configuration Table"): the floating
    /// pointer, on a 16-byte boundary in the BIOS area, and the configuration table right after it. It mirrors the MADT.
    mutating func multiprocessorTable(_ processors: FirmwareTables.Processors) {
        align(to: 16)
        let pointer = next
        text("_MP_")
        doubleWord(UInt32(truncatingIfNeeded: pointer + 16))
        byte(1)  // of 16 bytes
        byte(4)  // revision 1.4
        zeros(6)  // the checksum; a configuration table is there; no IMCR: virtual wire mode
        close(pointer, checksumAt: 10)

        let start = next
        text("PCMP")
        word(0)  // the length
        byte(4)
        byte(0)  // the checksum
        text("MARTLET VIRTUAL PC  ")
        zeros(6)  // no OEM table
        let count = next
        word(0)
        doubleWord(0xFEE0_0000)
        zeros(4)  // nothing extended
        let entries = multiprocessorEntries(processors)
        patch(UInt64(entries), count: 2, at: count)
        patch(next - start, count: 2, at: start + 4)
        close(start, checksumAt: 7)
    }

    /// - Returns: how many there are.
    private mutating func multiprocessorEntries(_ processors: FirmwareTables.Processors) -> UInt8 {
        for number in 0..<processors.count {
            byte(0)
            byte(number)
            byte(UInt8(truncatingIfNeeded: LocalAPIC.version))
            byte(number == 0 ? 3 : 1)  // usable; the bootstrap processor
            doubleWord(processors.signature)
            doubleWord(processors.features)
            zeros(8)
        }
        let (pci, isa): (UInt8, UInt8) = (0, 1)
        bus(pci, "PCI   ")
        bus(isa, "ISA   ")
        byte(2)
        byte(1)  // the I/O APIC's identifier
        byte(IOAPIC.version)
        byte(1)
        doubleWord(UInt32(Board.ioAPICAddress))
        for line: UInt8 in 0..<16 where line != 2 {
            // As the ISA bus has it; but the SCI is level-triggered, active high.
            interrupt(3, kind: 0, flags: line == FixedHardware.interrupt ? 0b1101 : 0, isa, line, to: 1, line == 0 ? 2 : line)
        }
        interrupt(4, kind: 3, flags: 0, isa, 0, to: 0xFF, 0)  // the 8259 pair at LINT0
        interrupt(4, kind: 1, flags: 0, isa, 0, to: 0xFF, 1)  // NMI at LINT1
        return processors.count + 2 + 1 + 15 + 2
    }

    private mutating func bus(_ number: UInt8, _ name: StaticString) {
        byte(1)
        byte(number)
        text(name)
    }

    /// An interrupt from a bus to an I/O APIC (3) or to the local APICs (4).
    private mutating func interrupt(
        _ type: UInt8, kind: UInt8, flags: UInt16, _ bus: UInt8, _ line: UInt8, to controller: UInt8, _ pin: UInt8
    ) {
        byte(type)
        byte(kind)
        word(flags)
        byte(bus)
        byte(line)
        byte(controller)
        byte(pin)
    }
}

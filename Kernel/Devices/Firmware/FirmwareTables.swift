import Memory

/// The ACPI tables of the virtual PC (ACPI specification 6.3, 5.2 "ACPI System Description Tables"), and the MP table after
/// them.
///
/// The hardware is already in ACPI mode, since there is no SMI. There is no HPET table and no MCFG table: the virtual PC has
/// neither an HPET nor memory-mapped PCI configuration.
public enum FirmwareTables {
    /// The most virtual CPUs that the tables describe: one APIC identifier each, and 255 addresses them all.
    public static var mostProcessors: Int { 64 }

    /// The virtual CPUs, all alike.
    public struct Processors: Sendable {
        let count: UInt8
        /// CPUID leaf 1 of each: EAX and EDX.
        let signature: UInt32
        let features: UInt32

        public init(count: Int, signature: UInt32 = 0, features: UInt32 = 0) {
            self.count = UInt8(truncatingIfNeeded: min(max(count, 1), FirmwareTables.mostProcessors))
            self.signature = signature
            self.features = features
        }
    }

    /// Writes all tables into the firmware's area.
    /// - Returns: the address of the root pointer.
    @discardableResult
    public static func write(to memory: some FirmwareMemory, _ described: Processors) -> UInt64 {
        let processors = described.count
        // The root pointer comes first and is filled in last.
        let rootPointer = FirmwareLayout.start
        var writer = TableWriter(memory, at: rootPointer + 64)
        let control = writer.firmwareControlStructure()
        let namespace = writer.namespaceTable(processors: processors)
        let fixed = writer.fixedDescriptionTable(control: control, namespace: namespace)
        let interrupts = writer.interruptTable(processors: processors)
        let root = writer.table("RSDT", revision: 1) {
            $0.doubleWord(UInt32(truncatingIfNeeded: fixed))
            $0.doubleWord(UInt32(truncatingIfNeeded: interrupts))
        }
        let extendedRoot = writer.table("XSDT", revision: 1) {
            $0.quadWord(fixed)
            $0.quadWord(interrupts)
        }
        writer.multiprocessorTable(described)
        var pointer = TableWriter(memory, at: rootPointer)
        pointer.rootPointer(root: root, extendedRoot: extendedRoot)
        return rootPointer
    }
}

extension TableWriter {
    /// RSDP (5.2.5.3 "Root System Description Pointer (RSDP) Structure").
    fileprivate mutating func rootPointer(root: UInt64, extendedRoot: UInt64) {
        let start = next
        text("RSD PTR ")
        byte(0)  // the checksum of the 20 bytes of revision 0
        text("MARTLT")
        byte(2)
        doubleWord(UInt32(truncatingIfNeeded: root))
        close(start, checksumAt: 8)
        doubleWord(36)
        quadWord(extendedRoot)
        byte(0)  // the checksum of everything
        zeros(3)
        close(start, checksumAt: 32)
    }

    /// MADT (5.2.12 "Multiple APIC Description Table (MADT)").
    fileprivate mutating func interruptTable(processors: UInt8) -> UInt64 {
        table("APIC", revision: 4) {
            $0.doubleWord(0xFEE0_0000)
            $0.doubleWord(1)  // PCAT_COMPAT: there are 8259s too
            for processor in 0..<processors {
                $0.byte(0)  // a local APIC
                $0.byte(8)
                $0.byte(processor)
                $0.byte(processor)
                $0.doubleWord(1)
            }
            $0.byte(1)  // the I/O APIC, whose pins are the interrupts from 0 on
            $0.byte(12)
            $0.byte(1)
            $0.byte(0)
            $0.doubleWord(UInt32(Board.ioAPICAddress))
            $0.doubleWord(0)
            $0.interruptOverride(0, pin: 2, flags: 0)  // as the ISA bus has it: edge-triggered, active high
            $0.interruptOverride(9, pin: 9, flags: 0b1101)  // the SCI: level-triggered, active high
            $0.byte(4)  // NMI at LINT1 of all processors
            $0.byte(6)
            $0.byte(0xFF)
            $0.word(0)
            $0.byte(1)
        }
    }

    private mutating func interruptOverride(_ source: UInt8, pin: UInt32, flags: UInt16) {
        byte(2)
        byte(10)
        byte(0)
        byte(source)
        doubleWord(pin)
        word(flags)
    }
}

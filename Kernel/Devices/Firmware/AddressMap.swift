import Memory

/// The map of the guest's physical addresses that a PC's firmware gives (ACPI specification 6.3, 15.1 "INT 15H, E820H -
/// Query System Address Map"): the one list behind multiboot's map, Linux's boot parameters, fw_cfg and the BIOS.
///
/// | from | up to | what |
/// | --- | --- | --- |
/// | 0 | 9FC00H | RAM |
/// | 9FC00H | A0000H | reserved: extended BIOS data area |
/// | F0000H | 100000H | reserved: firmware |
/// | 100000H | the end of RAM | RAM |
/// | FEC00000H | FEC01000H | reserved: I/O APIC |
/// | FEE00000H | FEE01000H | reserved: local APIC |
public struct AddressMap: Equatable, Sendable {
    /// What a range of addresses is, as the interfaces number it.
    public enum Kind: UInt32, Equatable, Sendable {
        case usable = 1
        case reserved = 2
    }

    public struct Entry: Equatable, Sendable {
        public var start: UInt64
        public var count: UInt64
        public var kind: Kind

        public var end: UInt64 { start &+ count }

        init(_ start: UInt64, upTo end: UInt64, _ kind: Kind) {
            self.start = start
            count = end > start ? end - start : 0
            self.kind = kind
        }
    }

    /// The most RAM a guest can have. Above it, below 4 GiB, are devices.
    public static var mostRAM: ByteCount { ByteCount(0xC000_0000) }

    public let ram: ByteCount

    /// The map of a guest with RAM from address 0 on.
    public init(ram: ByteCount) { self.ram = ram }

    public var count: Int { 6 }

    /// The entries in the order of their addresses; the last one for any index past it.
    public subscript(index: Int) -> Entry {
        switch index {
        case 0: Entry(0, upTo: FirmwareLayout.conventionalEnd, .usable)
        case 1: Entry(FirmwareLayout.conventionalEnd, upTo: FirmwareLayout.videoMemory, .reserved)
        case 2: Entry(FirmwareLayout.start, upTo: FirmwareLayout.end, .reserved)
        case 3: Entry(FirmwareLayout.end, upTo: ram.bytes, .usable)
        case 4: Entry(Board.ioAPICAddress, upTo: Board.ioAPICAddress + Board.ioAPICSize, .reserved)
        default: Entry(0xFEE0_0000, upTo: 0xFEE0_1000, .reserved)
        }
    }
}

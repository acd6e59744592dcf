/// The 128 bytes of a PC's CMOS memory, as plain storage, with what firmware leaves in it.
struct NonvolatileMemory: Equatable, Sendable {
    private var bytes: [128 of UInt8] = .init(repeating: 0)

    init() {}

    /// Only the low seven bits of an address count.
    subscript(address: UInt8) -> UInt8 {
        get { bytes[Int(address & 0x7F)] }
        set { bytes[Int(address & 0x7F)] = newValue }
    }

    static func == (left: Self, right: Self) -> Bool {
        for address in 0..<UInt8(128) where left[address] != right[address] { return false }
        return true
    }

    /// What the power-on self-test writes: memory sizes, equipment and the checksum over them (PC/AT technical
    /// reference, "RT/CMOS RAM Information"). The battery keeps everything else.
    mutating func testSelf(memoryBelow4GiB: UInt64, memoryAbove4GiB: UInt64) {
        self[0x14] = 0x02  // a coprocessor; no diskette drive, a display with its own firmware
        write(0x15, Self.size(memoryBelow4GiB, unit: 10, most: 640))
        let extended = Self.size(memoryBelow4GiB, beyond: 1 << 20, unit: 10, most: 0xFFFF)
        write(0x17, extended)
        write(0x30, extended)
        write(0x34, Self.size(memoryBelow4GiB, beyond: 16 << 20, unit: 16, most: 0xFFFF))
        let high = Self.size(memoryAbove4GiB, unit: 16, most: 0xFF_FFFF)
        write(0x5B, high)
        self[0x5D] = UInt8(truncatingIfNeeded: high >> 16)
        var sum: UInt64 = 0
        for address in UInt8(0x10)...0x2D { sum &+= UInt64(self[address]) }
        self[0x2E] = UInt8(truncatingIfNeeded: sum >> 8)
        self[0x2F] = UInt8(truncatingIfNeeded: sum)
    }

    private static func size(_ bytes: UInt64, beyond start: UInt64 = 0, unit shift: UInt64, most: UInt64) -> UInt64 {
        bytes > start ? min((bytes - start) >> shift, most) : 0
    }

    private mutating func write(_ address: UInt8, _ word: UInt64) {
        self[address] = UInt8(truncatingIfNeeded: word)
        self[address + 1] = UInt8(truncatingIfNeeded: word >> 8)
    }
}

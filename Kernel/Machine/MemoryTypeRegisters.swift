import X86

/// The memory-type range registers (MTRRs) of a virtual CPU (SDM volume 3, 13.11 "Memory Type Range Registers (MTRRs)").
///
/// They begin as a PC's firmware leaves them and hold what is written, but no type has an effect: the nested page tables
/// make a guest's RAM write-back, and the virtual PC has no memory besides that a cache could hide from a device.
struct MemoryTypeRegisters: Equatable, Sendable {
    /// IA32_MTRR_DEF_TYPE, the 11 fixed ranges, then base and mask of each variable range.
    private var values: [28 of UInt64]
    private let physicalAddressWidth: UInt64

    private static var variableRanges: UInt32 { 8 }
    private static var firstVariable: Int { 12 }
    /// IA32_MTRRCAP: write combining, fixed ranges, the number of variable ones.
    private static var capability: UInt64 { 1 << 10 | 1 << 8 | UInt64(variableRanges) }

    private static var writeBack: UInt64 { 6 }
    private static var writeProtected: UInt64 { 5 }

    init(physicalAddressWidth: Int) {
        self.physicalAddressWidth = UInt64(physicalAddressWidth)
        values = InlineArray(repeating: 0)
        // All is write-back but for video memory below 1 MiB, the firmware's part above it, and the last GiB below 4 GiB,
        // where a PC has its devices.
        values[0] = 1 << 11 | 1 << 10 | Self.writeBack
        values[1] = Self.writeBack * 0x0101_0101_0101_0101
        values[2] = Self.writeBack * 0x0101_0101_0101_0101
        for index in 4..<12 { values[index] = Self.writeProtected * 0x0101_0101_0101_0101 }
        values[Self.firstVariable] = 0xC000_0000
        values[Self.firstVariable + 1] = (1 << self.physicalAddressWidth) &- 0x4000_0000 | 1 << 11
    }

    static func == (left: Self, right: Self) -> Bool {
        let (left, right) = (left.values.span, right.values.span)
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }

    /// Where a register is kept.
    private static func place(_ register: ModelSpecificRegister) -> Int? {
        switch register.number {
        case 0x2FF: 0
        case 0x250: 1
        case 0x258...0x259: 2 + Int(register.number - 0x258)
        case 0x268...0x26F: 4 + Int(register.number - 0x268)
        case 0x200..<0x200 + 2 * variableRanges: firstVariable + Int(register.number - 0x200)
        default: nil
        }
    }

    /// The value of a register, or nil if it is none of these.
    mutating func read(_ register: ModelSpecificRegister) -> UInt64? {
        if register == .memoryTypeCapability { return Self.capability }
        guard let place = Self.place(register) else { return nil }
        return values.span[place]
    }

    /// Writes a register.
    /// - Returns: false if it is none of these or the value has reserved bits or types.
    mutating func write(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        guard let place = Self.place(register), accepts(place, value) else { return false }
        var values = values.mutableSpan
        values[place] = value
        return true
    }

    private func accepts(_ place: Int, _ value: UInt64) -> Bool {
        if place == 0 { return value & ~0xCFF == 0 && Self.isType(value & 0xFF) }
        if place < Self.firstVariable {
            for byte in UInt64(0)..<8 where !Self.isType(value >> (8 * byte) & 0xFF) { return false }
            return true
        }
        guard value >> physicalAddressWidth == 0 else { return false }
        let isMask = (place - Self.firstVariable) % 2 == 1
        return isMask ? value & 0x7FF == 0 : value & 0xF00 == 0 && Self.isType(value & 0xFF)
    }

    /// Uncacheable, write combining, write through, write protected, write back.
    private static func isType(_ type: UInt64) -> Bool { type < 8 && 0b0111_0011 >> type & 1 != 0 }
}

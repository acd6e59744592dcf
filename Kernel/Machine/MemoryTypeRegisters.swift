import X86

/// The memory-type range registers (MTRRs) of a virtual CPU (SDM volume 3, 13.11 "Memory Type Range Registers (MTRRs)").
///
/// They begin as a PC's firmware leaves them and hold what is written, but no type has an effect: the nested page tables
/// make a guest's RAM write-back, and the virtual PC has no memory besides that a cache could hide from a device.
struct MemoryTypeRegisters: Equatable, Sendable {
    /// The MSRs of the variable ranges: base and mask of each.
    static var variable: Range<UInt32> { 0x200..<0x200 + 2 * variableRanges }
    private static var variableRanges: UInt32 { 8 }
    /// IA32_MTRRCAP: write combining, fixed ranges, the number of variable ones.
    static var capability: UInt64 { 1 << 10 | 1 << 8 | UInt64(variableRanges) }

    private static var writeBack: UInt64 { 6 }
    private static var writeProtected: UInt64 { 5 }

    /// IA32_MTRR_DEF_TYPE.
    private(set) var defaultType: UInt64
    private var fixed: [11 of UInt64]
    private var ranges: [16 of UInt64]
    /// The bits that no physical address has.
    private let reservedBits: UInt64

    init(physicalAddressWidth: Int) {
        reservedBits = ~0 << UInt64(physicalAddressWidth)
        // All is write-back but for video memory below 1 MiB, the firmware's part above it, and the last GiB below 4 GiB,
        // where a PC has its devices.
        defaultType = 1 << 11 | 1 << 10 | Self.writeBack
        fixed = .init { ($0 < 2 ? Self.writeBack : $0 == 2 ? 0 : Self.writeProtected) &* 0x0101_0101_0101_0101 }
        ranges = .init(repeating: 0)
        ranges[0] = 0xC000_0000
        ranges[1] = ~reservedBits &- 0x3FFF_FFFF | 1 << 11
    }

    static func == (left: Self, right: Self) -> Bool {
        for index in 0..<11 where left.fixed[index] != right.fixed[index] { return false }
        for index in 0..<16 where left.ranges[index] != right.ranges[index] { return false }
        return left.defaultType == right.defaultType && left.reservedBits == right.reservedBits
    }

    /// Base and mask of a variable range, by the number among both.
    @inline(__always)
    mutating func readVariable(_ index: UInt32) -> UInt64 { ranges.span[Int(index & 15)] }

    /// The types of eight pieces of a fixed range, by the range's number.
    @inline(__always)
    mutating func readFixed(_ index: UInt32) -> UInt64 { index < 11 ? fixed.span[Int(index)] : 0 }

    // Writes return false if the value has reserved bits or types.

    @inline(__always)
    mutating func writeVariable(_ index: UInt32, _ value: UInt64) -> Bool {
        let isMask = index & 1 != 0
        guard value & (reservedBits | (isMask ? 0x7FF : 0xF00)) == 0, isMask || Self.isType(value & 0xFF) else { return false }
        var span = ranges.mutableSpan
        span[Int(index & 15)] = value
        return true
    }

    @inline(__always)
    mutating func writeFixed(_ index: UInt32, _ value: UInt64) -> Bool {
        guard Self.areTypes(value), index < 11 else { return false }
        var span = fixed.mutableSpan
        span[Int(index)] = value
        return true
    }

    @inline(__always)
    mutating func writeDefaultType(_ value: UInt64) -> Bool {
        guard value & ~0xCFF == 0, Self.isType(value & 0xFF) else { return false }
        defaultType = value
        return true
    }

    /// Uncacheable, write combining, write through, write protected, write back.
    private static func isType(_ type: UInt64) -> Bool { type < 8 && 0b0111_0011 >> type & 1 != 0 }

    /// The same of each byte: below 7, and neither 2 nor 3.
    @inline(__always)
    private static func areTypes(_ bytes: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let hasSecondBit = bytes >> 1 & ones
        let hasThirdBit = bytes >> 2 & ones
        let isSeven = bytes & hasSecondBit & hasThirdBit
        return bytes & ~(7 * ones) == 0 && hasSecondBit & ~hasThirdBit == 0 && isSeven == 0
    }
}

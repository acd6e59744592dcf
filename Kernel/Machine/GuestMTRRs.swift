import Memory
import X86

/// The memory-type range registers (MTRRs) of a virtual CPU (SDM volume 3, "Memory Type Range Registers (MTRRs)").
///
/// They begin as a PC's firmware leaves them and hold what is written, but no type has an effect: the nested page tables
/// make a guest's RAM write-back, and the virtual PC has no other memory that a cache could hide from a device.
enum GuestMTRRs {
    static var variableRanges: UInt32 { 8 }
    /// IA32_MTRRCAP: write combining, fixed ranges, the number of variable ranges.
    static var capability: UInt64 {
        MemoryTypeBits.offersWriteCombining | MemoryTypeBits.offersFixedRanges | UInt64(variableRanges)
    }

    private static var writeBack: UInt64 { UInt64(MemoryType.writeBack.rawValue) }
    private static var writeProtected: UInt64 { UInt64(MemoryType.writeProtected.rawValue) }
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }

    // At the start everything is write-back except video memory below 1 MiB, the firmware's part above it, and the last GiB
    // below 4 GiB, where a PC has its devices.

    static var initialDefaultType: UInt64 { MemoryTypeBits.enablesRanges | MemoryTypeBits.enablesFixedRanges | writeBack }
    static func initialFixed(_ index: UInt32) -> UInt64 {
        switch index {
        case 0, 1: writeBack * ones
        case 2: 0
        default: writeProtected * ones
        }
    }
    static var initialBase: UInt64 { 0xC000_0000 }
    static func initialMask(reservedBits: UInt64) -> UInt64 { ~reservedBits &- 0x3FFF_FFFF | MemoryTypeBits.isValid }

    // Whether a register takes a value: none has reserved bits or types.

    @inline(__always)
    static func takesDefaultType(_ value: UInt64) -> Bool {
        let defined = MemoryTypeBits.enablesRanges | MemoryTypeBits.enablesFixedRanges | MemoryTypeBits.defaultType
        return value & ~defined == 0 && isType(value & MemoryTypeBits.defaultType)
    }

    @inline(__always)
    static func takesBase(_ value: UInt64, reservedBits: UInt64) -> Bool {
        value & (reservedBits | 0xF00) == 0 && isType(value & 0xFF)
    }

    @inline(__always)
    static func takesMask(_ value: UInt64, reservedBits: UInt64) -> Bool { value & (reservedBits | 0x7FF) == 0 }

    /// Eight types, each below 7 and neither 2 nor 3.
    @inline(__always)
    static func takesFixed(_ value: UInt64) -> Bool {
        let second = value >> 1
        let third = value >> 2
        return value & ~(7 * ones) | (second & ~third | value & second & third) & ones == 0
    }

    /// Uncacheable, write combining, write through, write protected, write back.
    @inline(__always)
    private static func isType(_ type: UInt64) -> Bool { type < 8 && 0b0111_0011 &>> type & 1 != 0 }
}

import X86

/// The access rights of a segment as the VMCS holds them (SDM volume 3, "Guest Register State", table
/// "Format of Access Rights").
public struct SegmentAccessRights: Equatable, Sendable, VMCSValue {
    public static var kind: VMCSValueKind { .accessRights }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inline(__always) public init(vmcsValue: UInt64) { rawValue = UInt32(truncatingIfNeeded: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(rawValue) }

    /// The rights of a segment register that holds no segment.
    public static var unusable: Self { .init(rawValue: 1 << 16) }

    /// The rights of a usable segment.
    public init(_ attributes: SegmentAttributes) {
        rawValue = attributes.isPresent || attributes.rawValue != 0 ? UInt32(attributes.rawValue) : Self.unusable.rawValue
    }

    /// Bits 3:0.
    public var type: UInt8 { UInt8(truncatingIfNeeded: rawValue) & 15 }
    /// Bit 4, S: a code or data segment.
    public var isCodeOrData: Bool { rawValue & 1 << 4 != 0 }
    /// Bits 6:5, DPL.
    public var privilegeLevel: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 5) & 3 }
    /// Bit 7, P.
    public var isPresent: Bool { rawValue & 1 << 7 != 0 }
    /// Bit 13, L: 64-bit code.
    public var isLong: Bool { rawValue & 1 << 13 != 0 }
    /// Bit 14, D/B: 32-bit.
    public var is32Bit: Bool { rawValue & 1 << 14 != 0 }
    /// Bit 15, G: the limit counts pages.
    public var hasPageGranularity: Bool { rawValue & 1 << 15 != 0 }
    /// Bit 16: the register holds no segment.
    public var isUnusable: Bool { rawValue & 1 << 16 != 0 }
    /// Bits 11:8 and 31:17, which must be 0.
    public var reservedBits: UInt32 { rawValue & 0xFFFE_0F00 }
}

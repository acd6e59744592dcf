import X86

/// The attributes of a segment as the VMCB holds them: bits 55:52 and 47:40 of the descriptor, next to each other
/// (APM volume 2, "VMRUN Instruction", "Segment State in the VMCB").
public struct VMCBSegmentAttributes: Equatable, Sendable, VMCBValue {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    @inline(__always) public init(vmcbBits: UInt16) { rawValue = vmcbBits }
    @inline(__always) public var vmcbBits: UInt16 { rawValue }

    /// The attributes as a descriptor has them, with G, D, L and AVL four bits further up.
    public init(_ attributes: SegmentAttributes) { rawValue = attributes.rawValue & 0xFF | attributes.rawValue >> 4 & 0xF00 }

    /// The same with the bits where a descriptor has them.
    public var descriptorAttributes: SegmentAttributes { .init(rawValue: rawValue & 0xFF | (rawValue & 0xF00) << 4) }

    /// Bit 9, L: 64-bit code.
    public var isLong: Bool { rawValue & 1 << 9 != 0 }
    /// Bit 10, D/B: 32-bit.
    public var is32Bit: Bool { rawValue & 1 << 10 != 0 }
}

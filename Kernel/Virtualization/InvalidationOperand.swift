import X86

/// The operands of INVPCID: the kind of invalidation, and where in memory its descriptor is.
public struct InvalidationOperand: Equatable, Sendable {
    public var kind: RegisterNumber
    public var segment: SegmentRegister
    public var base: RegisterNumber?
    public var index: RegisterNumber?
    /// The binary logarithm of what the index is multiplied by.
    public var scale: UInt64
    public var displacement: UInt64
    /// 2, 4 or 8.
    public var addressSize: Int

    public init(
        kind: RegisterNumber, segment: SegmentRegister, base: RegisterNumber?, index: RegisterNumber?, scale: UInt64,
        displacement: UInt64, addressSize: Int
    ) {
        self.kind = kind
        self.segment = segment
        self.base = base
        self.index = index
        self.scale = scale
        self.displacement = displacement
        self.addressSize = addressSize
    }
}

import Memory
import X86

// Types of other modules as the VMCB holds them.

extension VMCBValue where Self: FlagSet, Bits == RawValue {
    @inline(__always) public init(vmcbBits: RawValue) { self.init(rawValue: vmcbBits) }
    @inline(__always) public var vmcbBits: RawValue { rawValue }
}

extension ControlRegister0: VMCBValue {
    public typealias Bits = UInt64
}
extension ControlRegister4: VMCBValue {
    public typealias Bits = UInt64
}
extension ExtendedFeatureEnable: VMCBValue {
    public typealias Bits = UInt64
}
extension RFlags: VMCBValue {
    public typealias Bits = UInt64
}

extension SegmentSelector: VMCBValue {
    @inline(__always) public init(vmcbBits: UInt16) { self.init(rawValue: vmcbBits) }
    @inline(__always) public var vmcbBits: UInt16 { rawValue }
}

extension PageAttributeTable: VMCBValue {
    @inline(__always) public init(vmcbBits: UInt64) { self.init(rawValue: vmcbBits) }
    @inline(__always) public var vmcbBits: UInt64 { rawValue }
}

extension HostPhysicalAddress: VMCBValue {
    @inline(__always) public init(vmcbBits: UInt64) { self.init(vmcbBits) }
    @inline(__always) public var vmcbBits: UInt64 { rawValue }
}

extension GuestPhysicalAddress: VMCBValue {
    @inline(__always) public init(vmcbBits: UInt64) { self.init(vmcbBits) }
    @inline(__always) public var vmcbBits: UInt64 { rawValue }
}

import Memory
import X86

// Types of other modules as the VMCS holds them.

extension VMCSValue where Self: FlagSet {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(rawValue: RawValue(truncatingIfNeeded: vmcsValue)) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(truncatingIfNeeded: rawValue) }
}

extension ControlRegister0: VMCSValue {}
extension ControlRegister4: VMCSValue {}
extension ExtendedFeatureEnable: VMCSValue {}
extension RFlags: VMCSValue {}

extension SegmentSelector: VMCSValue {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(rawValue: UInt16(truncatingIfNeeded: vmcsValue)) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(rawValue) }
}

extension HostPhysicalAddress: VMCSValue {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { rawValue }
}

extension GuestPhysicalAddress: VMCSValue {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { rawValue }
}

extension GuestVirtualAddress: VMCSValue {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { rawValue }
}

extension EPTPointer: VMCSValue {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(rawValue: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { rawValue }
}

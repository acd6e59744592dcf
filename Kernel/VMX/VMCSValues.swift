import Memory
import X86

/// A type that a VMCS field can hold.
public protocol VMCSValue: Sendable {
    /// The value of the bits from VMREAD; bits above the field's width are zero.
    @inline(__always) init(vmcsValue: UInt64)
    /// The bits for VMWRITE.
    @inline(__always) var vmcsValue: UInt64 { get }
    /// The same as a value, for code that knows fields only by their encodings.
    static var kind: VMCSValueKind { get }
}

/// What a field's bits mean, where that is more than a number or an address.
public enum VMCSValueKind: UInt8, Sendable {
    case number
    // Flags.
    case pinControls, primaryControls, secondaryControls, tertiaryControls
    case exitControls, secondaryExitControls, entryControls, vmFunctions
    case controlRegister0, controlRegister4, extendedFeatures, flags, interruptibility, pendingDebugExceptions
    // Numbers made of parts.
    case accessRights, interruptionInformation, exitReason, activity, extendedPageTablePointer
}

extension VMCSValue {
    public static var kind: VMCSValueKind { .number }
}

extension FixedWidthInteger where Self: UnsignedInteger & Sendable {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(truncatingIfNeeded: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(truncatingIfNeeded: self) }
}

extension UInt16: VMCSValue {}
extension UInt32: VMCSValue {}
extension UInt64: VMCSValue {}

// Types of other modules as the VMCS holds them.

extension VMCSValue where Self: FlagSet {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(rawValue: RawValue(truncatingIfNeeded: vmcsValue)) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(truncatingIfNeeded: rawValue) }
}

extension ControlRegister0: VMCSValue {
    public static var kind: VMCSValueKind { .controlRegister0 }
}

extension ControlRegister4: VMCSValue {
    public static var kind: VMCSValueKind { .controlRegister4 }
}

extension ExtendedFeatureEnable: VMCSValue {
    public static var kind: VMCSValueKind { .extendedFeatures }
}

extension RFlags: VMCSValue {
    public static var kind: VMCSValueKind { .flags }
}

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
    public static var kind: VMCSValueKind { .extendedPageTablePointer }
    @inline(__always) public init(vmcsValue: UInt64) { self.init(rawValue: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { rawValue }
}

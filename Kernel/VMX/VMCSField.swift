/// A field of the VMCS (virtual-machine control structure): its encoding, and in its type the value's type and whether
/// VMWRITE may write it (SDM volume 3, "VMREAD, VMWRITE, and Encodings of VMCS Fields").
public struct VMCSField<Value: VMCSValue, Access>: Sendable {
    /// What VMREAD and VMWRITE take as the field's name.
    public let encoding: VMCSFieldEncoding

    @inline(__always)
    init(_ area: VMCSFieldEncoding.Area, _ width: VMCSFieldEncoding.Width, _ index: UInt32) {
        encoding = .init(area: area, width: width, index: index)
    }
}

/// Marks fields that can be written.
public enum Writable {}
/// Marks fields of the VM-exit information, which a VMWRITE may not touch.
public enum ReadOnly {}

/// The number of a VMCS field, computed from what it says (SDM volume 3, table "Structure of VMCS Component Encoding").
public struct VMCSFieldEncoding: Equatable, Hashable, Sendable {
    /// Bits 11:10, the type of field.
    public enum Area: UInt32, Sendable {
        case control = 0, exitInformation = 1, guestState = 2, hostState = 3
    }

    /// Bits 14:13.
    public enum Width: UInt32, Sendable {
        case bits16 = 0, bits64 = 1, bits32 = 2, natural = 3
    }

    public let rawValue: UInt32

    @inline(__always)
    public init(area: Area, width: Width, index: UInt32) {
        rawValue = width.rawValue << 13 | area.rawValue << 10 | index << 1
    }

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public var area: Area { Area(rawValue: rawValue >> 10 & 3)! }
    public var width: Width { Width(rawValue: rawValue >> 13 & 3)! }
    public var index: UInt32 { rawValue >> 1 & 0x1FF }

    /// Whether every processor that comes to ask for the field has it: those of the exit path. VMREAD and VMWRITE of these
    /// cannot fail while there is a current VMCS; all others are checked at each access.
    @inline(__always)
    public var isUniversal: Bool {
        switch rawValue {
        case 0x4402...0x440E: true  // exit reason to exit instruction information
        case 0x6400, 0x640A: true  // exit qualification, guest-linear address
        case 0x4002, 0x4016, 0x2010: true  // primary controls, entry's interruption information, time-stamp offset
        // What only processors with EPT, a preemption timer, virtual-interrupt delivery or a virtual task priority are asked
        // for: guest-physical address, preemption timer, guest interrupt status, threshold.
        case 0x2400, 0x482E, 0x0810, 0x401C: true
        case 0x4824: true  // guest interruptibility state
        case 0x4012, 0x6004: true  // entry controls, CR0's read shadow
        case 0x681C...0x6820: true  // guest RSP, RIP, RFLAGS
        case 0x4814...0x4822, 0x6800...0x6804: true  // guest access rights, CR0, CR3, CR4
        default: false
        }
    }

    /// How many bits the field holds on a processor with Intel 64.
    public var bitCount: Int {
        switch width {
        case .bits16: 16
        case .bits32: 32
        case .bits64, .natural: 64
        }
    }
}

/// A type that a VMCS field can hold.
public protocol VMCSValue: Sendable {
    /// The value of the bits that VMREAD gave; bits above the field's width are zero.
    @inline(__always) init(vmcsValue: UInt64)
    /// The bits for VMWRITE.
    @inline(__always) var vmcsValue: UInt64 { get }
}

extension FixedWidthInteger where Self: UnsignedInteger & Sendable {
    @inline(__always) public init(vmcsValue: UInt64) { self.init(truncatingIfNeeded: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(truncatingIfNeeded: self) }
}

extension UInt16: VMCSValue {}
extension UInt32: VMCSValue {}
extension UInt64: VMCSValue {}

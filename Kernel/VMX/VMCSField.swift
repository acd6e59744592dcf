/// A field of the VMCS (virtual-machine control structure): its encoding, and in its type the value's type and whether
/// VMWRITE may write it (SDM volume 3, "VMREAD, VMWRITE, and Encodings of VMCS Fields").
public struct VMCSField<Value: VMCSValue, Access>: Sendable {
    /// What VMREAD and VMWRITE take as the field's name.
    public let encoding: VMCSFieldEncoding

    @inline(__always)
    init(_ area: VMCSFieldEncoding.Area, _ width: VMCSFieldEncoding.Width, _ index: UInt32) {
        encoding = .init(area: area, width: width, index: index)
    }

    /// The encoding as a bare number.
    @inline(__always)
    var number: UInt32 { encoding.rawValue }
}

/// Marks fields that can be written.
public enum Writable {}
/// Marks fields of the VM-exit information, which VMWRITE must not touch.
public enum ReadOnly {}

/// The number of a VMCS field, computed from its parts (SDM volume 3, table "Structure of VMCS Component Encoding").
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

    /// How many bits the field holds on a processor with Intel 64.
    public var bitCount: Int {
        switch width {
        case .bits16: 16
        case .bits32: 32
        case .bits64, .natural: 64
        }
    }
}

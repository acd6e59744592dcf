/// A field of the VMCB (virtual machine control block): where it lies, and in its type the value's type and whether software
/// may write it (APM volume 2, "VMCB Layout").
public struct VMCBField<Value: VMCBValue, Access: VMCBAccess>: Sendable {
    /// The field's row in the table.
    public let name: VMCBFieldName

    @inline(__always)
    init(_ name: VMCBFieldName) { self.name = name }

    /// The bits that the value's type takes up, which are those of the field.
    public var bitCount: Int { Value.Bits.bitWidth }
    public var isWritable: Bool { Access.isWritable }
}

/// Who writes a field.
public protocol VMCBAccess {
    static var isWritable: Bool { get }
}

/// Marks fields that software writes; the processor may write them, too.
public enum VMCBWritable: VMCBAccess {
    public static var isWritable: Bool { true }
}

/// Marks fields in which the processor alone tells of an exit.
public enum VMCBReadOnly: VMCBAccess {
    public static var isWritable: Bool { false }
}

/// A type that a field of the VMCB can hold.
public protocol VMCBValue: Sendable {
    /// As wide as the field.
    associatedtype Bits: FixedWidthInteger & UnsignedInteger
    @inline(__always) init(vmcbBits: Bits)
    @inline(__always) var vmcbBits: Bits { get }
}

extension FixedWidthInteger where Self: UnsignedInteger & Sendable {
    @inline(__always) public init(vmcbBits: Self) { self = vmcbBits }
    @inline(__always) public var vmcbBits: Self { self }
}

extension UInt8: VMCBValue {}
extension UInt16: VMCBValue {}
extension UInt32: VMCBValue {}
extension UInt64: VMCBValue {}

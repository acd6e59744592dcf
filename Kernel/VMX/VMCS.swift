import Memory

/// Reads and writes fields of the current VMCS: the processor's VMREAD and VMWRITE, or a simulation of them.
///
/// A field that the processor does not have is a kernel bug, never the guest's doing: the implementation stops.
public protocol VMCSAccess {
    @inline(__always) func read(_ field: VMCSFieldEncoding) -> UInt64
    @inline(__always) func write(_ field: VMCSFieldEncoding, _ value: UInt64)

    // What belongs to the VMCS but lies in separate memory: bitmaps, nested page tables.

    func readPhysical(at address: HostPhysicalAddress) -> UInt64
    func writePhysical(_ value: UInt64, at address: HostPhysicalAddress)
    /// Drops every translation from nested page tables (INVEPT).
    func invalidateNestedTranslations()
}

/// The current VMCS, typed: `vmcs[.guestRIP] += 2`. Writing a read-only field does not compile.
public struct VMCS<Access: VMCSAccess> {
    let access: Access

    public init(_ access: Access) { self.access = access }

    @inline(__always)
    public subscript<Value: VMCSValue>(field: VMCSField<Value, ReadOnly>) -> Value {
        Value(vmcsValue: access.read(field.encoding))
    }

    @inline(__always)
    public subscript<Value: VMCSValue>(field: VMCSField<Value, Writable>) -> Value {
        get { Value(vmcsValue: access.read(field.encoding)) }
        nonmutating set { access.write(field.encoding, newValue.vmcsValue) }
    }

    /// A field by its number, for tools that name fields at run time.
    public func bits(of field: VMCSFieldEncoding) -> UInt64 { access.read(field) }

    /// - Parameter field: a writable one.
    public func setBits(of field: VMCSFieldEncoding, to value: UInt64) { access.write(field, value) }
}

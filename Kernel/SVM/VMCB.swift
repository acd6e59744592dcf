/// A VMCB in memory, typed: `vmcb[.rip] += 2`. Writing what the processor alone writes does not compile.
///
/// It is a handle: copies reach the same memory.
public struct VMCB {
    private let memory: UnsafeMutableRawPointer

    /// The bytes of a VMCB: a page.
    public static var size: Int { 4096 }

    /// - Parameter memory: `size` bytes, aligned like a page where a processor is to use them.
    public init(at memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// Makes all of it zero.
    public func clear() { memory.initializeMemory(as: UInt64.self, repeating: 0, count: VMCB.size / 8) }

    /// Makes it the same as another, byte for byte.
    public func copy(from other: VMCB) { memory.copyMemory(from: other.memory, byteCount: VMCB.size) }

    @inline(__always)
    public subscript<Value: VMCBValue>(field: VMCBField<Value, VMCBReadOnly>) -> Value { load(field) }

    /// A write tells the processor that what it has cached of the field's group is stale.
    @inline(__always)
    public subscript<Value: VMCBValue>(field: VMCBField<Value, VMCBWritable>) -> Value {
        get { load(field) }
        nonmutating set {
            let row = field.name.row
            memory.storeBytes(of: newValue.vmcbBits, toByteOffset: Int(row.offset), as: Value.Bits.self)
            if let group = row.group { markStale(group) }
        }
    }

    @inline(__always)
    private func load<Value: VMCBValue, Access>(_ field: VMCBField<Value, Access>) -> Value {
        Value(vmcbBits: memory.load(fromByteOffset: Int(field.name.row.offset), as: Value.Bits.self))
    }

    @inline(__always)
    private func markStale(_ group: VMCBCleanGroup) {
        let offset = Int(VMCBFieldName.cleanBits.row.offset)
        let clean = memory.load(fromByteOffset: offset, as: UInt32.self)
        memory.storeBytes(of: clean & ~group.mask, toByteOffset: offset, as: UInt32.self)
    }

    /// A field by its name, for those who name fields at run time.
    public func bits(of name: VMCBFieldName) -> UInt64 {
        let offset = Int(name.offset)
        return switch name.bitCount {
        case 8: UInt64(memory.load(fromByteOffset: offset, as: UInt8.self))
        case 16: UInt64(memory.load(fromByteOffset: offset, as: UInt16.self))
        case 32: UInt64(memory.load(fromByteOffset: offset, as: UInt32.self))
        default: memory.load(fromByteOffset: offset, as: UInt64.self)
        }
    }

    /// Writes a field by its name, as software or as the processor does. Bits above its width are dropped.
    public func setBits(of name: VMCBFieldName, to value: UInt64) {
        let offset = Int(name.offset)
        switch name.bitCount {
        case 8: memory.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: offset, as: UInt8.self)
        case 16: memory.storeBytes(of: UInt16(truncatingIfNeeded: value), toByteOffset: offset, as: UInt16.self)
        case 32: memory.storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: offset, as: UInt32.self)
        default: memory.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
        }
        if let group = name.cleanGroup { markStale(group) }
    }

    /// Whether an exit is asked for; those that have no intercept happen without being asked for, or never.
    public func isIntercepted(_ exit: SVMExitCode) -> Bool {
        guard let bit = exit.interceptBit else { return false }
        return memory.load(fromByteOffset: bit / 8, as: UInt8.self) & 1 << UInt8(bit & 7) != 0
    }

    /// Asks for an exit, or for none.
    /// - Parameter exit: one that has an intercept.
    public func setIntercept(_ exit: SVMExitCode, to isWanted: Bool) {
        guard let bit = exit.interceptBit else { preconditionFailure("an exit that no intercept asks for") }
        let mask = UInt8(1) << UInt8(bit & 7)
        let byte = memory.load(fromByteOffset: bit / 8, as: UInt8.self)
        memory.storeBytes(of: isWanted ? byte | mask : byte & ~mask, toByteOffset: bit / 8, as: UInt8.self)
        markStale(.intercepts)
    }
}

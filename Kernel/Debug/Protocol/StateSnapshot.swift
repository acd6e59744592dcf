import VMX
import Virtualization
import X86

/// All of a virtual CPU at one moment: every field of its VMCS, and the registers that are not there. About 1900 bytes: it is
/// kept in memory owned elsewhere, and taken in place.
public struct StateSnapshot: Sendable {
    public var fields = VMCSSnapshot()
    public var registers = GeneralRegisters()
    /// CR2, which neither a VM exit nor a VM entry touches.
    public var pageFaultAddress: UInt64 = 0
    /// DR0 to DR3 and DR6, likewise.
    public var debugRegisters = DebugRegisters()
    /// IA32_KERNEL_GS_BASE, likewise.
    public var kernelGSBase: UInt64 = 0
    /// XCR0; nil while the guest has not set CR4.OSXSAVE.
    public var extendedControl: UInt64?
    /// PKRU; nil while the guest has not set CR4.PKE.
    public var protectionKeyRights: UInt32?

    /// A state of zeroes.
    public init() {}
}

// MARK: On the line

extension StateSnapshot {
    /// The registers, then each field that the processor has: its encoding in 2 bytes, its value in the field's size.
    /// - Parameters:
    ///   - base: a field that has the same value there is left out.
    ///   - hasExit: there was a VM exit; otherwise its fields are left out.
    @inline(never)
    public static func encode(
        _ state: UnsafePointer<StateSnapshot>, since base: UnsafePointer<StateSnapshot>?, _ capabilities: VMXCapabilities,
        withExit hasExit: Bool, to message: inout Message
    ) {
        withUnsafeBytes(of: state.pointee.registers) { message.append($0) }
        message.append(state.pointee.pageFaultAddress)
        for number in 0..<4 { message.append(state.pointee.debugRegisters.addresses[number]) }
        message.append(state.pointee.debugRegisters.status)
        message.append(state.pointee.kernelGSBase)
        let hasControl = state.pointee.extendedControl != nil
        let hasRights = state.pointee.protectionKeyRights != nil
        message.append(UInt8((hasControl ? 1 : 0) | (hasRights ? 2 : 0)))
        message.append(state.pointee.extendedControl ?? 0)
        message.append(state.pointee.protectionKeyRights ?? 0)
        for position in 0..<VMCSFieldDescription.count {
            let description = VMCSFieldDescription.field(at: position)
            let field = description.encoding
            guard description.exists(capabilities), hasExit || field.area != .exitInformation else { continue }
            let value = StateSnapshot.value(of: field, in: state)
            if let base, StateSnapshot.value(of: field, in: base) == value { continue }
            message.append(UInt16(truncatingIfNeeded: field.rawValue))
            message.append(value, size: field.bitCount / 8)
        }
    }

    /// A field's bits, read in place.
    @inline(__always)
    static func value(of field: VMCSFieldEncoding, in state: UnsafePointer<StateSnapshot>) -> UInt64 {
        // A snapshot begins with the fields.
        VMCSSnapshot.value(of: field, in: UnsafeRawPointer(state).assumingMemoryBound(to: VMCSSnapshot.self))
    }

    /// Decodes such a state; what is left out of it stays as it is here.
    /// - Returns: false for invalid bytes, of which a part may have been taken.
    public mutating func take(_ reader: inout MessageReader) -> Bool {
        for number in UInt8(0)..<16 where RegisterNumber(number) != .rsp {
            guard let value = reader.uint64() else { return false }
            registers.set(RegisterNumber(number), to: value)
        }
        guard let pageFaultAddress = reader.uint64() else { return false }
        self.pageFaultAddress = pageFaultAddress
        for number in 0..<4 {
            guard let address = reader.uint64() else { return false }
            debugRegisters.addresses[number] = address
        }
        guard let status = reader.uint64(), let base = reader.uint64(), let flags = reader.uint8(),
            let control = reader.uint64(), let rights = reader.uint32()
        else { return false }
        debugRegisters.status = status
        kernelGSBase = base
        extendedControl = flags & 1 != 0 ? control : nil
        protectionKeyRights = flags & 2 != 0 ? rights : nil
        while !reader.isAtEnd {
            guard let number = reader.uint16() else { return false }
            let field = VMCSFieldEncoding(rawValue: UInt32(number))
            guard VMCSFieldDescription.position(of: field) != nil, let value = reader.number(size: field.bitCount / 8) else {
                return false
            }
            fields[field] = value
        }
        return true
    }
}

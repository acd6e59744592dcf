import VMX
import X86

/// The VMCS fields that hold a guest segment register, by its place in their four rows.
public struct SegmentFields {
    public let selector: VMCSFieldEncoding
    public let base: VMCSFieldEncoding
    public let limit: VMCSFieldEncoding
    public let rights: VMCSFieldEncoding

    public init(_ register: SegmentRegister) {
        func field<Value, Access>(_ first: VMCSField<Value, Access>) -> VMCSFieldEncoding {
            VMCSFieldEncoding(rawValue: first.encoding.rawValue + 2 * UInt32(register.rawValue))
        }
        selector = field(.guestESSelector)
        base = field(.guestESBase)
        limit = field(.guestESLimit)
        rights = field(.guestESAccessRights)
    }
}

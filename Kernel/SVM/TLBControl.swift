/// What VMRUN flushes of the cached translations (APM volume 2, "TLB Flush").
public struct TLBControl: Equatable, Sendable, VMCBValue {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    @inline(__always) public init(vmcbBits: UInt8) { rawValue = vmcbBits }
    @inline(__always) public var vmcbBits: UInt8 { rawValue }

    public static var flushNothing: Self { .init(rawValue: 0) }
    /// All entries of all ASIDs.
    public static var flushAll: Self { .init(rawValue: 1) }
    /// This guest's entries, where the processor can flush by ASID.
    public static var flushGuest: Self { .init(rawValue: 3) }
    /// This guest's entries but for global ones, where the processor can flush by ASID.
    public static var flushGuestNonGlobal: Self { .init(rawValue: 7) }
}

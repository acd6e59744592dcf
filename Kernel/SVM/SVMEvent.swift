/// An event as the VMCB describes it: one to be injected (EVENTINJ), or one whose delivery an exit interrupted (EXITINTINFO)
/// (APM volume 2, "Event Injection" and "Intercepts During IDT Interrupt Delivery").
public struct SVMEvent: Equatable, Sendable, VMCBValue {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inline(__always) public init(vmcbBits: UInt64) { rawValue = vmcbBits }
    @inline(__always) public var vmcbBits: UInt64 { rawValue }

    /// TYPE, bits 10:8.
    public enum Kind: UInt8, Sendable {
        /// An external or a virtual interrupt.
        case interrupt = 0
        case reserved1 = 1
        case nonMaskableInterrupt = 2
        /// A fault or trap, those of INT1, INT3 and INTO among them.
        case exception = 3
        /// INT n.
        case softwareInterrupt = 4
        case reserved5 = 5, reserved6 = 6, reserved7 = 7
    }

    /// An event that happens.
    public init(kind: Kind, vector: UInt8, errorCode: UInt32? = nil) {
        rawValue = 1 << 31 | UInt64(kind.rawValue) << 8 | UInt64(vector)
        if let errorCode { rawValue |= UInt64(errorCode) << 32 | 1 << 11 }
    }

    /// No event.
    public static var none: Self { .init(rawValue: 0) }

    public var vector: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
    public var kind: Kind { unsafeBitCast(UInt8(truncatingIfNeeded: rawValue >> 8) & 7, to: Kind.self) }
    /// EV, bit 11: an error code goes with it.
    public var hasErrorCode: Bool { rawValue & 1 << 11 != 0 }
    /// V, bit 31: there is an event.
    public var isValid: Bool { rawValue & 1 << 31 != 0 }
    /// Bits 63:32, if bit 11 says that they count.
    public var errorCode: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}

/// What an I/O APIC or a local APIC sends to local APICs (SDM volume 3, "Interrupt Command Register (ICR)", and
/// 82093AA data sheet, 3.2.4 "I/O Redirection Table Registers").
public struct InterruptMessage: Equatable, Sendable {
    /// By the encoding of bits 10:8.
    public enum DeliveryMode: UInt8, Sendable {
        case fixed = 0
        case lowestPriority = 1
        case systemManagement = 2
        case reserved = 3
        case nonMaskable = 4
        /// INIT.
        case initialize = 5
        /// Start-up IPI; reserved in redirection entries and the LVT.
        case startup = 6
        /// The vector comes from the 8259 pair.
        case external = 7
    }

    public var vector: UInt8
    public var deliveryMode: DeliveryMode
    /// An APIC ID, or a logical destination.
    public var destination: UInt32
    public var isLogical: Bool
    public var isLevelTriggered: Bool

    public init(
        vector: UInt8, deliveryMode: DeliveryMode = .fixed, destination: UInt32 = 0, isLogical: Bool = false,
        isLevelTriggered: Bool = false
    ) {
        self.vector = vector
        self.deliveryMode = deliveryMode
        self.destination = destination
        self.isLogical = isLogical
        self.isLevelTriggered = isLevelTriggered
    }
}

/// The low half of the interrupt command register (SDM volume 3, "Interrupt Command Register (ICR)").
struct InterruptCommand {
    var rawValue: UInt32

    /// The destination is logical.
    static var logical: UInt32 { 1 << 11 }
    /// The level is "assert", rather than "de-assert".
    static var assert: UInt32 { 1 << 14 }

    var vector: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
    var deliveryMode: InterruptMessage.DeliveryMode { .init(rawValue: UInt8(truncatingIfNeeded: rawValue >> 8 & 7)) ?? .reserved }
    var isLogical: Bool { rawValue & Self.logical != 0 }
    var isAsserted: Bool { rawValue & Self.assert != 0 }
    var isLevelTriggered: Bool { rawValue & 1 << 15 != 0 }
    var shorthand: InterruptShorthand { .init(rawValue: UInt8(truncatingIfNeeded: rawValue >> 18 & 3)) ?? .none }
}

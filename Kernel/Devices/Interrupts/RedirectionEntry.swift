/// What software wrote to an entry of the I/O APIC's table (82093AA data sheet, 3.2.4 "I/O Redirection Table Registers").
/// The two read-only bits are not here.
struct RedirectionEntry: Equatable, Sendable {
    /// Bits 31:0.
    private(set) var low: UInt32 = mask
    /// Bits 63:32.
    private(set) var high: UInt32 = 0

    /// The bits that software only reads: delivery status, remote IRR.
    static var isWaiting: UInt32 { 1 << 12 }
    static var isInService: UInt32 { 1 << 14 }

    private static var mask: UInt32 { 1 << 16 }
    private static var levelTriggered: UInt32 { 1 << 15 }
    private static var logical: UInt32 { 1 << 11 }
    /// Vector, delivery mode, destination mode, polarity, trigger mode, mask.
    private static var writable: UInt32 { 0x1_AFFF }

    mutating func writeLow(_ value: UInt32) { low = value & Self.writable }
    mutating func writeHigh(_ value: UInt32) { high = value & 0xFF00_0000 }

    var vector: UInt8 { UInt8(truncatingIfNeeded: low) }

    private var deliveryMode: InterruptMessage.DeliveryMode {
        .init(rawValue: UInt8(truncatingIfNeeded: low >> 8 & 7)) ?? .reserved
    }

    /// Whether the pin can send anything: it is not masked, and the delivery mode exists.
    var isEnabled: Bool {
        guard low & Self.mask == 0 else { return false }
        switch deliveryMode {
        case .fixed, .lowestPriority, .systemManagement, .nonMaskable, .initialize, .external: return true
        case .reserved, .startup: return false
        }
    }

    /// Whether the pin can send what no processor flag masks.
    var isUnmaskable: Bool { isEnabled && (deliveryMode == .nonMaskable || deliveryMode == .initialize) }

    /// Whether the pin requests while it is asserted. Modes without a vector to end are edge-triggered whatever the trigger
    /// mode says.
    var isLevelTriggered: Bool {
        guard low & Self.levelTriggered != 0 else { return false }
        return deliveryMode == .fixed || deliveryMode == .lowestPriority
    }

    /// The 8-bit broadcast is one for local APICs in x2APIC mode too.
    var message: InterruptMessage {
        InterruptMessage(
            vector: vector, deliveryMode: deliveryMode, destination: high >> 24 == 0xFF ? .max : high >> 24,
            isLogical: low & Self.logical != 0, isLevelTriggered: isLevelTriggered)
    }
}

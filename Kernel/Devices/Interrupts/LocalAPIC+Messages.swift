// Interrupts from elsewhere, and to elsewhere.

/// What a message is to the virtual CPU whose local APIC accepted it.
public enum AcceptedInterrupt: Equatable, Sendable {
    /// Nothing.
    case none
    /// A vector is requested; `pendingVector` tells whether it can come.
    case requested(UInt8)
    case nonMaskable
    /// INIT.
    case initialize
    case startup(UInt8)
    case systemManagement
    /// The vector is to be had from the 8259 pair.
    case external
}

extension LocalAPIC {
    /// Whether this APIC is among a message's destinations (SDM volume 3, 12.6.2 "Determining IPI Destination").
    public func matches(_ message: InterruptMessage) -> Bool {
        guard base.isEnabled else { return false }
        let destination = message.destination
        guard message.isLogical else {
            return base.isExtended
                ? destination == identifier || destination == .max
                : destination & 0xFF == identifier || destination & 0xFF == 0xFF
        }
        let logical = value(.logicalDestination)
        if base.isExtended {
            return destination == .max
                || destination >> 16 == logical >> 16 && destination & logical & 0xFFFF != 0
        }
        let own = logical >> 24
        let asked = destination & 0xFF
        if asked == 0xFF { return true }
        // The flat model has all ones in its highest four bits, the cluster model zeros.
        guard value(.destinationFormat) >> 28 != 0xF else { return own & asked != 0 }
        return own >> 4 == asked >> 4 && own & asked & 0xF != 0
    }

    /// Takes a message that has this APIC among its destinations.
    public mutating func accept(_ message: InterruptMessage) -> AcceptedInterrupt {
        switch message.deliveryMode {
        case .fixed, .lowestPriority:
            guard isSoftwareEnabled else { return .none }
            guard message.vector >= 16 else {
                note(.receivedIllegalVector)
                return .none
            }
            request(message.vector, isLevelTriggered: message.isLevelTriggered)
            return .requested(message.vector)
        case .systemManagement: return .systemManagement
        case .nonMaskable: return .nonMaskable
        case .initialize: return .initialize
        case .startup: return .startup(message.vector)
        case .external: return .external
        case .reserved: return .none
        }
    }

    /// INIT: as after a reset, but for the identifier and the base.
    public mutating func initialize() { resetRegisters() }

    /// Whether the output of the 8259 pair reaches the processor: through LINT0, or directly while the APIC is disabled (SDM
    /// volume 3, 12.5.1 "Local Vector Table").
    public var passesExternalInterrupts: Bool {
        guard base.isEnabled else { return true }
        let entry = value(.line0)
        return entry & LocalAPIC.mask == 0 && entry >> 8 & 7 == UInt32(InterruptMessage.DeliveryMode.external.rawValue)
    }

    // MARK: Interprocessor interrupts (SDM volume 3, 12.6.1 "Interrupt Command Register (ICR)")

    /// Writes the command register and sends what it says. Delivery is done at once: its status always reads idle.
    /// - Parameter keeps: false for the self-IPI register, which leaves the command register alone.
    mutating func writeCommand(_ command: UInt32, destination: UInt32 = 0, keeps: Bool = true) -> LocalAPICEffect {
        if keeps {
            set(.interruptCommand, command & ~(1 << 12))
            if base.isExtended { page[0x304 >> 2] = destination }
        }
        let mode = InterruptMessage.DeliveryMode(rawValue: UInt8(truncatingIfNeeded: command >> 8 & 7)) ?? .reserved
        let vector = UInt8(truncatingIfNeeded: command)
        let isAsserted = command & 1 << 14 != 0
        let isLevelTriggered = command & 1 << 15 != 0
        switch mode {
        case .fixed, .lowestPriority:
            guard vector >= 16 else {
                note(.sentIllegalVector)
                return .none
            }
        case .initialize:
            // The de-assert only concerned arbitration of the APIC bus.
            if isLevelTriggered, !isAsserted { return .none }
        case .reserved, .external: return .none
        case .systemManagement, .nonMaskable, .startup: break
        }
        return .send(
            InterruptMessage(
                vector: vector, deliveryMode: mode, destination: destination, isLogical: command & 1 << 11 != 0),
            InterruptShorthand(rawValue: UInt8(truncatingIfNeeded: command >> 18 & 3)) ?? .none)
    }
}

// Interrupts from and to elsewhere.

/// What a message means for the virtual CPU whose local APIC accepted it.
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
    /// The vector comes from the 8259 pair.
    case external
}

extension LocalAPIC {
    /// Whether this APIC is among a message's destinations (SDM volume 3, "Determining IPI Destination").
    public func matches(_ message: InterruptMessage) -> Bool {
        guard base.isEnabled else { return false }
        let destination = message.destination
        guard message.isLogical else {
            if destination == .max { return true }
            return base.isExtended ? destination == identifier : destination == identifier & 0xFF || destination == 0xFF
        }
        let logical = value(.logicalDestination)
        if base.isExtended {
            return destination == .max
                || destination >> 16 == logical >> 16 && destination & logical & 0xFFFF != 0
        }
        if destination == 0xFF || destination == .max { return true }
        let own = logical >> 24
        guard destination < 0xFF else { return false }
        // The flat model has all ones in its highest four bits, the cluster model zeros.
        guard value(.destinationFormat) >> 28 != 0xF else { return own & destination != 0 }
        return own >> 4 == destination >> 4 && own & destination & 0xF != 0
    }

    /// Takes a message that has this APIC among its destinations. If software has disabled it, it takes none that carry a vector
    /// or ask for the 8259 pair's ("Local APIC State After It Has Been Software Disabled").
    public mutating func accept(_ message: InterruptMessage) -> AcceptedInterrupt {
        switch message.deliveryMode {
        case .fixed, .lowestPriority:
            guard isSoftwareEnabled else { return .none }
            guard message.vector >= 16 else {
                let vector = note(.receivedIllegalVector)
                return vector == 0 ? .none : .requested(vector)
            }
            request(message.vector, isLevelTriggered: message.isLevelTriggered)
            return .requested(message.vector)
        case .systemManagement: return .systemManagement
        case .nonMaskable: return .nonMaskable
        case .initialize: return .initialize
        case .startup: return .startup(message.vector)
        case .external: return isSoftwareEnabled ? .external : .none
        case .reserved: return .none
        }
    }

    /// INIT: as after a reset, except the identifier and the base.
    public mutating func initialize() { resetRegisters() }

    // MARK: Interprocessor interrupts (SDM volume 3, "Interrupt Command Register (ICR)")

    /// Writes the command register, its reserved bits cleared, and sends what it says. Delivery is immediate: its status always
    /// reads idle. The level-triggered mode matters only for the de-assertion of INIT.
    /// - Parameter keeps: false for the self-IPI register, which leaves the command register alone.
    mutating func writeCommand(_ command: UInt32, destination: UInt32 = 0, keeps: Bool = true) -> LocalAPICEffect {
        if keeps { keepCommand(command, destination: destination) }
        // No shorthand sends anything except fixed interrupts to the sender (table "Valid Combinations for the Pentium 4 and
        // Intel Xeon Processors' Local xAPIC Interrupt Command Register").
        let fields = InterruptCommand(rawValue: command)
        let vector = fields.vector
        let mode = fields.deliveryMode
        let shorthand = fields.shorthand
        if mode == .fixed, shorthand == .toSelf { return requestHere(vector) }
        switch mode {
        case .fixed, .lowestPriority:
            guard vector >= 16 else { return report(.sentIllegalVector) }
        case .initialize:
            // The de-assert only concerned arbitration of the APIC bus.
            if fields.isLevelTriggered, !fields.isAsserted { return .none }
        case .reserved, .external: return .none
        case .systemManagement, .nonMaskable, .startup: break
        }
        if shorthand == .toSelf || shorthand == .toAll, mode != .fixed { return .none }
        return .send(
            InterruptMessage(
                vector: vector, deliveryMode: mode, destination: destination, isLogical: fields.isLogical),
            shorthand)
    }

    @inline(__always)
    mutating func keepCommand(_ command: UInt32, destination: UInt32) {
        set(.interruptCommand, command)
        if base.isExtended { page[0x304 >> 2] = destination }
    }

    /// A fixed interrupt to the sender.
    @inline(__always)
    private mutating func requestHere(_ vector: UInt8) -> LocalAPICEffect {
        guard vector >= 16 else { return report(.sentIllegalVector) }
        guard isSoftwareEnabled else { return .none }
        request(vector, isLevelTriggered: false)
        return .requested(vector)
    }
}

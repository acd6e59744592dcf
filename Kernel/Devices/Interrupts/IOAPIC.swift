/// An I/O APIC with 24 pins (82093AA data sheet), and the end-of-interrupt register of version 20H (82801 ICH data sheet,
/// "I/O APIC Direct Registers").
///
/// A pin is reported as asserted or not; the polarity that software chooses is stored but has no effect, since the board knows
/// its own wiring. An edge on a masked pin is lost, as in the data sheet; an asserted level-triggered pin requests as soon as
/// it is unmasked.
public struct IOAPIC: Equatable, Sendable {
    public static var pinCount: UInt8 { 24 }
    static var version: UInt8 { 0x20 }

    /// What the chip and its pins hold.
    public struct State: Equatable, Sendable {
        /// IOREGSEL.
        fileprivate var selected: UInt8 = 0
        fileprivate var identifier: UInt32
        fileprivate var arbitration: UInt32
        /// Only accessed from mutating functions: others would copy it whole.
        fileprivate var entries: [24 of RedirectionEntry] = .init(repeating: RedirectionEntry())

        // One bit per pin.
        fileprivate var asserted: UInt32 = 0
        /// Edges whose message has not been taken yet.
        fileprivate var edges: UInt32 = 0
        /// Level-triggered interrupts that were sent and have not ended.
        fileprivate var remoteRequests: UInt32 = 0

        fileprivate init(identifier: UInt32) {
            self.identifier = identifier
            arbitration = identifier
        }

        public static func == (left: Self, right: Self) -> Bool {
            guard left.selected == right.selected, left.identifier == right.identifier, left.arbitration == right.arbitration,
                left.asserted == right.asserted, left.edges == right.edges, left.remoteRequests == right.remoteRequests
            else { return false }
            let (leftEntries, rightEntries) = (left.entries.span, right.entries.span)
            for pin in 0..<leftEntries.count where leftEntries[pin] != rightEntries[pin] { return false }
            return true
        }
    }

    public private(set) var state: State

    // What follows from the entries, one bit per pin.
    private var enabled: UInt32 = 0
    private var levelTriggered: UInt32 = 0

    /// The pin of the last message, and those whose level-triggered message no APIC accepted: it is sent again when one may.
    private var lastPin = 0
    private var refused: UInt32 = 0

    /// Incremented when `levelTriggeredVectors` changes.
    public private(set) var redirectionChanges: UInt64 = 0

    /// - Parameter identifier: what firmware gave it, 0 to 15.
    public init(identifier: UInt8) {
        state = State(identifier: UInt32(identifier & 0xF) << 24)
    }

    /// Restores a saved state.
    public mutating func restore(_ state: State) {
        self.state = state
        (enabled, levelTriggered, refused) = (0, 0, 0)
        for pin in 0..<self.state.entries.count { follow(pin) }
        redirectionChanges &+= 1
    }

    /// Updates what follows from an entry.
    private mutating func follow(_ pin: Int) {
        let bit: UInt32 = 1 &<< UInt32(pin)
        let entry = state.entries[pin]
        enabled = entry.isEnabled ? enabled | bit : enabled & ~bit
        levelTriggered = entry.isLevelTriggered ? levelTriggered | bit : levelTriggered & ~bit
    }

    // MARK: Pins

    /// A pin is asserted or deasserted.
    public mutating func setLine(_ pin: UInt8, _ isAsserted: Bool) {
        guard pin < Self.pinCount else { return }
        let bit: UInt32 = 1 &<< UInt32(pin)
        if isAsserted {
            state.edges |= bit & ~state.asserted & enabled & ~levelTriggered
            state.asserted |= bit
        } else {
            state.asserted &= ~bit
            refused &= ~bit
        }
    }

    /// Whether a pin's request would be sent.
    func passes(_ pin: UInt8) -> Bool { enabled &>> UInt32(pin) & 1 != 0 }

    /// The pins, a bit each, whose requests would be sent as NMI or INIT.
    var unmaskablePins: UInt32 {
        mutating get {
            var pins: UInt32 = 0
            for pin in 0..<state.entries.count where state.entries[pin].isUnmaskable { pins |= 1 &<< UInt32(pin) }
            return pins
        }
    }

    // MARK: Messages

    /// The pins that have a message to send, or to send again.
    private var waiting: UInt32 { (state.edges | state.asserted & levelTriggered & ~state.remoteRequests) & enabled }
    private var ready: UInt32 { waiting & ~refused }

    /// Whether `takeMessage` has one.
    public var hasMessage: Bool { ready != 0 }

    /// The next message to the local APICs; the lowest pin's if several are waiting. A level-triggered interrupt counts as
    /// accepted, unless that is taken back, and is not sent again before its end.
    @inline(__always)
    public mutating func takeMessage() -> InterruptMessage? { hasMessage ? takeFirstMessage() : nil }

    @inline(never)
    private mutating func takeFirstMessage() -> InterruptMessage? {
        let pin = ready.trailingZeroBitCount
        guard pin < state.entries.count else { return nil }
        let bit: UInt32 = 1 &<< UInt32(pin)
        state.edges &= ~bit
        state.remoteRequests |= bit & levelTriggered
        lastPin = pin
        return state.entries[pin].message
    }

    /// No local APIC accepted the last message: remote IRR is set by acceptance alone (82093AA data sheet, 3.2.4 "I/O
    /// Redirection Table Registers"). An edge is lost.
    public mutating func refuseMessage() {
        let bit: UInt32 = 1 &<< UInt32(lastPin)
        state.remoteRequests &= ~bit
        refused |= bit & levelTriggered
    }

    /// A local APIC may accept what none did before.
    public mutating func sendAgain() { refused = 0 }

    /// A local APIC ended a level-triggered interrupt: pins that are still asserted request again.
    public mutating func endOfInterrupt(vector: UInt8) {
        var pins = state.remoteRequests
        while pins != 0 {
            let pin = pins.trailingZeroBitCount
            let bit: UInt32 = 1 &<< UInt32(pin)
            pins &= ~bit
            guard pin < state.entries.count, state.entries[pin].vector == vector else { continue }
            state.remoteRequests &= ~bit
            if enabled & bit == 0 { redirectionChanges &+= 1 }
        }
    }

    /// The pins that request by level, or have done so.
    private var awaitingEnd: UInt32 { levelTriggered & (enabled | state.remoteRequests) }

    /// The vectors whose end a local APIC must report.
    public mutating func levelTriggeredVectors() -> VectorSet {
        var vectors = VectorSet()
        var pins = awaitingEnd
        while pins != 0 {
            let pin = pins.trailingZeroBitCount
            if pin < state.entries.count { vectors.insert(state.entries[pin].vector) }
            pins &= pins &- 1
        }
        return vectors
    }

    // MARK: Registers in memory

    /// The offset of IOREGSEL, which only selects the register behind the window.
    static var selector: UInt64 { 0 }

    /// Reads 4 bytes at an offset in the page; where there is no register, 0.
    public mutating func read(offset: UInt64) -> UInt32 {
        switch offset {
        case Self.selector: UInt32(state.selected)
        case 0x10: readSelected()
        default: 0
        }
    }

    /// Writes 4 bytes at an offset in the page.
    public mutating func write(offset: UInt64, value: UInt32) {
        switch offset {
        case Self.selector: state.selected = UInt8(truncatingIfNeeded: value)
        case 0x10: writeSelected(value)
        case 0x40: endOfInterrupt(vector: UInt8(truncatingIfNeeded: value))
        default: break
        }
    }

    // MARK: Registers behind the window

    private static var firstEntry: UInt8 { 0x10 }

    private mutating func readSelected() -> UInt32 {
        switch state.selected {
        case 0: return state.identifier
        case 1: return UInt32(Self.pinCount - 1) << 16 | UInt32(Self.version)
        case 2: return state.arbitration
        default:
            guard state.selected >= Self.firstEntry else { return 0 }
            let pin = Int(state.selected &- Self.firstEntry) >> 1
            guard pin < state.entries.count else { return 0 }
            if state.selected & 1 != 0 { return state.entries[pin].high }
            let bit: UInt32 = 1 &<< UInt32(pin)
            return state.entries[pin].low | (waiting & bit != 0 ? RedirectionEntry.isWaiting : 0)
                | (state.remoteRequests & bit != 0 ? RedirectionEntry.isInService : 0)
        }
    }

    private mutating func writeSelected(_ value: UInt32) {
        switch state.selected {
        case 0:
            state.identifier = value & 0x0F00_0000
            state.arbitration = state.identifier
        default:
            guard state.selected >= Self.firstEntry else { return }
            let pin = Int(state.selected &- Self.firstEntry) >> 1
            guard pin < state.entries.count else { return }
            refused &= ~(1 &<< UInt32(pin))
            if state.selected & 1 != 0 { state.entries[pin].writeHigh(value) } else { writeLow(pin, value) }
        }
    }

    private mutating func writeLow(_ pin: Int, _ value: UInt32) {
        let old = state.entries[pin]
        var entry = old
        entry.writeLow(value)
        state.entries[pin] = entry
        let bit: UInt32 = 1 &<< UInt32(pin)
        let hadVector = awaitingEnd & bit != 0
        follow(pin)
        // The mask withdraws an edge that was not sent, and for a level it has no meaning.
        state.edges &= enabled & ~levelTriggered
        // Software ends an interrupt of an older I/O APIC by making it edge-triggered for a moment.
        state.remoteRequests &= levelTriggered
        let hasVector = awaitingEnd & bit != 0
        if hasVector != hadVector || hasVector && entry.vector != old.vector { redirectionChanges &+= 1 }
    }
}

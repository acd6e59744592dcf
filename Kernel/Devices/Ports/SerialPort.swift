/// A 16550A UART (PC16550D data sheet, "Registers") with a terminal always at its other end.
///
/// Three things differ from the chip, since no time passes on this line:
/// - A byte is transmitted as soon as it is written, whatever the divisor: the transmitter is always empty, so that its
///   interrupt is pending again right after each byte.
/// - Received bytes stay with the sender until there is room and the guest has looked for any (`receive` says so): a guest that
///   sets the chip up, and so empties its FIFOs, loses nothing that was typed before. Overruns come only from the loopback;
///   parity and framing errors and breaks never occur.
/// - The character timeout of the receive FIFO, four characters long on the chip, expires at once: bytes below the trigger
///   level are reported as timed out. A driver hears of each byte without delay, as when someone types.
public struct SerialPort: Equatable, Sendable {
    /// Ports of COM1.
    public static var firstPort: UInt16 { 0x3F8 }
    public static var portCount: UInt16 { 8 }

    /// What the chip holds.
    public struct State: Equatable, Sendable {
        fileprivate var interruptEnable: UInt8 = 0
        fileprivate var fifoControl: UInt8 = 0
        fileprivate var lineControl: UInt8 = 0
        fileprivate var modemControl: UInt8 = 0
        fileprivate var lineStatus = SerialPort.transmitterReady
        fileprivate var modemStatus = ModemStatus.terminal
        fileprivate var scratch: UInt8 = 0
        fileprivate var divisor: UInt16 = 1
        fileprivate var received = ReceiveFIFO()
        /// What the receiver buffer returns when it holds nothing new: what it returned last.
        fileprivate var lastRead: UInt8 = 0
        /// The guest has checked for input since it last emptied the FIFOs.
        fileprivate var isListening = false
        /// The transmitter-empty interrupt, whether or not it is enabled.
        fileprivate var isTransmitterEmptyPending = false
    }

    public private(set) var state = State()

    // What follows from that, or has not been reported yet.

    /// INTR, behind the gate that OUT2 opens on a PC's board.
    public private(set) var interruptLine = false
    private var hasPulsed = false
    /// How often the guest looked for a byte and found none.
    private var vainLooks: UInt8 = 0
    /// There is new room.
    private var hasNewRoom = false
    /// The line or the room may have changed since the last call.
    private var hasChanged = false

    public init() {}

    /// Restores a saved state.
    public mutating func restore(_ state: State) {
        self.state = state
        hasPulsed = false
        hasNewRoom = true
        update()
    }

    // MARK: The far end

    /// Whether a byte would now be taken. In loopback, the receiver is cut off from the line.
    public var canReceive: Bool {
        state.isListening && state.modemControl & ModemControl.loopback == 0
            && state.received.count < (isFIFOEnabled ? ReceiveFIFO.capacity : 1)
    }

    /// Whether a byte that comes in would interrupt.
    public var interruptsOnInput: Bool { state.interruptEnable & InterruptSource.receiver != 0 && isGateOpen }

    /// A byte comes in.
    /// - Returns: false when there is no room; the sender keeps the byte.
    public mutating func receive(_ byte: UInt8) -> Bool {
        guard canReceive else { return false }
        state.received.append(byte)
        update()
        return true
    }

    /// Whether anything that concerns the board has changed since the last call: line, pulse or room.
    @inline(__always)
    public mutating func takeChange() -> Bool {
        guard hasChanged else { return false }
        hasChanged = false
        return true
    }

    /// Whether the interrupt line went low and high again within an access since the last call: an edge that does not show in
    /// the line before and after.
    @inline(__always)
    public mutating func takePulse() -> Bool {
        guard hasPulsed else { return false }
        hasPulsed = false
        return true
    }

    /// Whether there may be new room for a byte since the last call.
    @inline(__always)
    public mutating func takeRoom() -> Bool {
        guard hasNewRoom else { return false }
        hasNewRoom = false
        return canReceive
    }

    // MARK: Registers

    /// Reads the register at an offset from the first port.
    public mutating func read(_ offset: UInt16) -> UInt8 {
        switch offset {
        case 0: return selectsDivisor ? UInt8(truncatingIfNeeded: state.divisor) : readData()
        case 1: return selectsDivisor ? UInt8(truncatingIfNeeded: state.divisor >> 8) : state.interruptEnable
        case 2: return identifyInterrupt()
        case 3: return state.lineControl
        case 4: return state.modemControl
        case 5:
            let value = state.lineStatus
            if value & Self.dataReady == 0 { wait() }
            if value & Self.lineErrors != 0 {
                state.lineStatus &= ~Self.lineErrors
                update()
            }
            return value
        case 6:
            let value = state.modemStatus
            state.modemStatus &= ~ModemStatus.changes
            update()
            return value
        default: return state.scratch
        }
    }

    /// Writes the register at an offset from the first port.
    /// - Returns: the byte to transmit, if that is what the write asked for.
    public mutating func write(_ offset: UInt16, _ value: UInt8) -> UInt8? {
        switch offset {
        case 0:
            guard !selectsDivisor else {
                state.divisor = state.divisor & 0xFF00 | UInt16(value)
                return nil
            }
            return transmit(value)
        case 1:
            if selectsDivisor {
                state.divisor = state.divisor & 0x00FF | UInt16(value) << 8
            } else {
                if value & ~state.interruptEnable & InterruptSource.transmitter != 0 { state.isTransmitterEmptyPending = true }
                state.interruptEnable = value & 0x0F
                if value & InterruptSource.receiver != 0 { listen() }
            }
        case 2: writeFIFOControl(value)
        case 3: state.lineControl = value
        case 4:
            state.modemControl = value & 0x1F
            hasNewRoom = true
            updateModemStatus()
        case 7:
            state.scratch = value
            return nil
        default: return nil  // line and modem status are read-only
        }
        update()
        return nil
    }

    // MARK: Transmitter

    /// DLAB: the first two registers are the divisor's.
    private var selectsDivisor: Bool { state.lineControl & 0x80 != 0 }

    /// The transmitter is ready again at once, and says so with an interrupt, if enabled.
    private mutating func transmit(_ byte: UInt8) -> UInt8? {
        let isLoopback = state.modemControl & ModemControl.loopback != 0
        // The transmitter's interrupt, pending as soon as it is enabled, is not wanted here.
        guard isLoopback || state.interruptEnable & InterruptSource.transmitter != 0 else { return byte }
        let wasHigh = interruptLine
        if state.isTransmitterEmptyPending {
            state.isTransmitterEmptyPending = false
            update()
        }
        if isLoopback { loopBack(byte) }
        let wentLow = wasHigh && !interruptLine
        state.isTransmitterEmptyPending = true
        update()
        if wentLow, interruptLine { hasPulsed = true }
        return isLoopback ? nil : byte
    }

    /// The receiver gets what the transmitter sent, cut to the bits of a character.
    private mutating func loopBack(_ byte: UInt8) {
        let character = byte & 0xFF >> (3 - state.lineControl & 3)
        if isFIFOEnabled {
            // The byte in the shift register is overwritten, not the FIFO.
            if state.received.count < ReceiveFIFO.capacity {
                state.received.append(character)
            } else {
                state.lineStatus |= Self.overrun
            }
        } else {
            if state.received.count > 0 {
                state.lineStatus |= Self.overrun
                state.received = ReceiveFIFO()
            }
            state.received.append(character)
        }
    }

    // MARK: Receiver

    private var isFIFOEnabled: Bool { state.fifoControl & 1 != 0 }

    /// How many bytes in the FIFO are worth an interrupt.
    private var triggerLevel: UInt8 {
        guard isFIFOEnabled else { return 1 }
        return switch state.fifoControl >> 6 {
        case 0: 1
        case 1: 4
        case 2: 8
        default: 14
        }
    }

    /// The guest looks for a byte and finds none. If it keeps looking, the sender is asked now and then: a byte may have arrived
    /// there unannounced.
    @inline(__always)
    private mutating func wait() {
        vainLooks &+= 1
        if !state.isListening || vainLooks & 63 == 0 { listen() }
    }

    /// The sender may begin.
    private mutating func listen() {
        state.isListening = true
        (hasNewRoom, hasChanged) = (true, true)
    }

    private mutating func readData() -> UInt8 {
        if !state.isListening { listen() }
        guard state.received.count > 0 else { return state.lastRead }
        let wasHigh = interruptLine
        state.lastRead = state.received.removeFirst()
        hasNewRoom = true
        // Reading restarts the timeout for the remaining bytes, and it expires at once.
        update(isTimeoutOver: false)
        let wentLow = wasHigh && !interruptLine
        update()
        if wentLow, interruptLine { hasPulsed = true }
        return state.lastRead
    }

    /// The other bits count only with the enable bit; turning the FIFOs on or off empties them.
    private mutating func writeFIFOControl(_ value: UInt8) {
        hasNewRoom = true
        if (value ^ state.fifoControl) & 1 != 0 || value & 0b11 == 0b11 {
            state.received = ReceiveFIFO()
            state.isListening = state.interruptEnable & InterruptSource.receiver != 0
        }
        state.fifoControl = value & 1 != 0 ? value & 0b1100_0001 : 0
    }

    // MARK: Modem

    /// The current inputs; a change is recorded until the register is read.
    private mutating func updateModemStatus() {
        let old = state.modemStatus
        var new = ModemStatus.terminal
        if state.modemControl & ModemControl.loopback != 0 {
            // RTS is CTS, DTR is DSR, OUT1 is RI, OUT2 is DCD.
            new = (state.modemControl & 0b0010) << 3 | (state.modemControl & 0b0001) << 5 | (state.modemControl & 0b1100) << 4
        }
        let changed = (old ^ new) >> 4
        // For the ring indicator, only its end counts.
        let endOfRing = changed & 0b0100 & old >> 4
        state.modemStatus = new | old & ModemStatus.changes | changed & 0b1011 | endOfRing
    }

    /// The board's gate for the interrupt line. In loopback the modem's outputs, including OUT2, are inactive.
    private var isGateOpen: Bool {
        state.modemControl & (ModemControl.output2 | ModemControl.loopback) == ModemControl.output2
    }

    // MARK: Interrupts (data sheet, table "Interrupt Control Functions")

    private func pendingInterrupt(isTimeoutOver: Bool = true) -> InterruptIdentification {
        if state.interruptEnable & InterruptSource.lineStatus != 0, state.lineStatus & Self.lineErrors != 0 { return .lineStatus }
        if state.interruptEnable & InterruptSource.receiver != 0 {
            if state.received.count >= triggerLevel { return .dataReceived }
            if state.received.count > 0, isTimeoutOver { return .timeout }
        }
        if state.interruptEnable & InterruptSource.transmitter != 0, state.isTransmitterEmptyPending { return .transmitterEmpty }
        if state.interruptEnable & InterruptSource.modem != 0, state.modemStatus & ModemStatus.changes != 0 {
            return .modemStatus
        }
        return .none
    }

    /// Reads the interrupt identification, which ends the transmitter's interrupt if it is the one identified.
    private mutating func identifyInterrupt() -> UInt8 {
        let pending = pendingInterrupt()
        if pending == .transmitterEmpty {
            state.isTransmitterEmptyPending = false
            update()
        }
        return pending.rawValue | (isFIFOEnabled ? 0xC0 : 0)
    }

    /// Updates what is kept beside the registers.
    private mutating func update(isTimeoutOver: Bool = true) {
        hasChanged = true
        state.lineStatus = state.lineStatus & ~Self.dataReady | (state.received.count > 0 ? Self.dataReady : 0)
        interruptLine = isGateOpen && pendingInterrupt(isTimeoutOver: isTimeoutOver) != .none
    }

    // MARK: Bits

    // Of the line status.
    private static var dataReady: UInt8 { 1 << 0 }
    private static var overrun: UInt8 { 1 << 1 }
    private static var lineErrors: UInt8 { 0b0001_1110 }
    fileprivate static var transmitterReady: UInt8 { 0b0110_0000 }

    fileprivate enum ModemStatus {
        static var changes: UInt8 { 0b0000_1111 }
        /// Carrier, data set ready, clear to send.
        static var terminal: UInt8 { 0b1011_0000 }
    }

    private enum ModemControl {
        static var output2: UInt8 { 1 << 3 }
        static var loopback: UInt8 { 1 << 4 }
    }

    /// Bits of the interrupt enable register.
    private enum InterruptSource {
        static var receiver: UInt8 { 1 << 0 }
        static var transmitter: UInt8 { 1 << 1 }
        static var lineStatus: UInt8 { 1 << 2 }
        static var modem: UInt8 { 1 << 3 }
    }

    /// The low four bits of the interrupt identification register.
    private enum InterruptIdentification: UInt8 {
        case modemStatus = 0x0
        case none = 0x1
        case transmitterEmpty = 0x2
        case dataReceived = 0x4
        case lineStatus = 0x6
        case timeout = 0xC
    }
}

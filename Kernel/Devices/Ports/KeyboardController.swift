/// The keyboard controller at ports 60h and 64h (Intel 8042, programmed as in the IBM PS/2 technical reference,
/// "Keyboard and Auxiliary Device Controller"), with a keyboard and nothing on the auxiliary port. It also resets the
/// machine.
///
/// A20 is a bit that holds what is written: the address line is never masked.
public struct KeyboardController: Equatable, Sendable {
    public static var dataPort: UInt16 { 0x60 }
    public static var commandPort: UInt16 { 0x64 }

    private static var interruptEnabled: UInt8 { 0x01 }
    private static var systemFlag: UInt8 { 0x04 }
    private static var keyboardDisabled: UInt8 { 0x10 }
    private static var auxiliaryDisabled: UInt8 { 0x20 }
    private static var translated: UInt8 { 0x40 }

    /// What the controller and its keyboard hold.
    public struct State: Equatable, Sendable {
        fileprivate var keyboard = Keyboard()
        /// As firmware leaves it: keyboard on, its codes translated, its interrupt enabled.
        fileprivate var commandByte: UInt8 = 0x65
        /// The output port except the bits that show the output buffer.
        fileprivate var outputPort: UInt8 = 0xC3
        /// The command whose data comes next; 0 if none.
        fileprivate var command: UInt8 = 0
        fileprivate var wroteCommand = false

        fileprivate var outputBuffer: UInt8 = 0
        fileprivate var isOutputFull = false
        fileprivate var hasTimedOut = false
        /// The output buffer holds the controller's own answer.
        fileprivate var holdsAnswer = false
        /// The controller's next answer, while the output buffer must not be filled.
        fileprivate var answer: UInt8?
        fileprivate var answerTimedOut = false
        /// When the output buffer may be filled again.
        fileprivate var ready = MachineTime(0)
    }

    /// The time between two bytes, so that each causes its own interrupt: some 60 microseconds.
    private let byteTime: UInt64
    public private(set) var state = State()
    /// When a byte will come into the output buffer and interrupt.
    public private(set) var nextEvent = MachineTime.never
    /// The line or the next event may have changed since the last call.
    private var hasChanged = true

    /// - Parameter timeStampFrequency: in Hz.
    public init(timeStampFrequency: UInt64) { byteTime = timeStampFrequency >> 14 }

    /// Restores a saved state.
    public mutating func restore(_ state: State) {
        self.state = state
        hasChanged = true
        findNextEvent()
    }

    /// Whether the line or the next event may have changed since the last call.
    @inline(__always)
    public mutating func takeChange() -> Bool {
        guard hasChanged else { return false }
        hasChanged = false
        return true
    }

    /// IRQ 1: the output buffer is full.
    public var interruptLine: Bool { state.isOutputFull && state.commandByte & Self.interruptEnabled != 0 }

    public var isA20Enabled: Bool { state.outputPort & 2 != 0 }

    // MARK: Ports

    /// Port 60h.
    public mutating func readData(at time: MachineTime) -> UInt8 {
        fillOutput(at: time)
        let value = state.outputBuffer
        if state.isOutputFull {
            state.isOutputFull = false
            state.hasTimedOut = false
            state.ready = time.advanced(by: byteTime)
            fill(at: time)
        }
        return value
    }

    /// Port 64h.
    public mutating func readStatus(at time: MachineTime) -> UInt8 {
        fillOutput(at: time)
        return (state.isOutputFull ? 0x01 : 0) | state.commandByte & Self.systemFlag | (state.wroteCommand ? 0x08 : 0)
            | 0x10  // the keyboard is not locked
            | (state.hasTimedOut ? 0x40 : 0)
    }

    /// Port 60h.
    public mutating func writeData(_ value: UInt8, at time: MachineTime) -> PowerEffect {
        fill(at: time)
        state.wroteCommand = false
        let pending = state.command
        state.command = 0
        var effect = PowerEffect.none
        switch pending {
        case 0x60: state.commandByte = value & 0x77 | Self.auxiliaryDisabled
        case 0xD1: effect = writeOutputPort(value)
        // Without an auxiliary port, its loop test returns a byte not marked as the auxiliary device's.
        case 0xD2, 0xD3: reply(value)
        // A byte sent to the auxiliary device is lost.
        case 0xD4: reply(0xFE, timedOut: true)
        default:
            // Sending to the keyboard switches it on.
            state.commandByte &= ~Self.keyboardDisabled
            state.keyboard.receive(value)
        }
        fill(at: time)
        return effect
    }

    /// Port 64h.
    public mutating func writeCommand(_ value: UInt8, at time: MachineTime) -> PowerEffect {
        fill(at: time)
        state.wroteCommand = true
        state.command = 0
        var effect = PowerEffect.none
        switch value {
        case 0x20: reply(state.commandByte)
        case 0x60, 0xD1...0xD4: state.command = value
        case 0xA9: reply(0x01)  // the auxiliary port's clock line is stuck: no port
        case 0xAA:
            state.commandByte |= Self.systemFlag
            reply(0x55)
        case 0xAB: reply(0x00)
        case 0xAD: state.commandByte |= Self.keyboardDisabled
        case 0xAE: state.commandByte &= ~Self.keyboardDisabled
        case 0xC0: reply(0x80)  // input port: the keyboard is not locked
        case 0xD0: reply(state.outputPort | (state.isOutputFull ? 0x10 : 0))
        case 0xDD: state.outputPort &= ~2
        case 0xDF: state.outputPort |= 2
        // Pulses the low bits that are clear: bit 0 resets the processor.
        case 0xF0...0xFF: if value & 1 == 0 { effect = .reset }
        default: break  // including those that switch the absent auxiliary port
        }
        fill(at: time)
        return effect
    }

    private mutating func writeOutputPort(_ value: UInt8) -> PowerEffect {
        state.outputPort = value & 0xCF | 1
        return value & 1 == 0 ? .reset : .none
    }

    // MARK: The output buffer

    /// Drops an unread answer: Linux leaves the one to the auxiliary port's loop test.
    private mutating func reply(_ byte: UInt8, timedOut: Bool = false) {
        if state.holdsAnswer { state.isOutputFull = false }
        state.answer = byte
        state.answerTimedOut = timedOut
    }

    /// Delivers a byte that is due.
    public mutating func advance(to time: MachineTime) {
        guard time >= nextEvent else { return }
        fill(at: time)
    }

    /// Delivers the next byte, if one is waiting.
    @inline(__always)
    private mutating func fillOutput(at time: MachineTime) {
        if state.answer != nil || state.keyboard.hasNext { fill(at: time) }
    }

    /// The same, and updates whatever else may have changed.
    @inline(never)
    private mutating func fill(at time: MachineTime) {
        hasChanged = true
        if time >= state.ready { takeNextByte() }
        findNextEvent()
    }

    private var isKeyboardOn: Bool { state.commandByte & Self.keyboardDisabled == 0 }

    private mutating func findNextEvent() {
        let hasNext = state.answer != nil || isKeyboardOn && state.keyboard.hasNext
        nextEvent = !state.isOutputFull && hasNext && state.commandByte & Self.interruptEnabled != 0 ? state.ready : .never
    }

    private mutating func takeNextByte() {
        guard !state.isOutputFull else { return }
        if let byte = state.answer {
            state.answer = nil
            state.hasTimedOut = state.answerTimedOut
            state.outputBuffer = byte
            state.isOutputFull = true
            state.holdsAnswer = true
        } else if isKeyboardOn, let byte = state.keyboard.next() {
            state.outputBuffer = state.commandByte & Self.translated != 0 ? Self.translate(byte) : byte
            state.isOutputFull = true
            state.hasTimedOut = false
            state.holdsAnswer = false
        }
    }

    /// From scan code set 2 to set 1, for the differing codes that this keyboard sends.
    private static func translate(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x01: 0x43
        case 0x02: 0x41
        case 0x03: 0x3F
        case 0x83: 0x41
        default: byte
        }
    }
}

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

    /// Between two bytes, so that each makes its own interrupt: some 60 microseconds.
    private let byteTime: UInt64
    private var keyboard = Keyboard()
    /// As firmware leaves it: keyboard on, its codes translated, its interrupt enabled.
    private var commandByte: UInt8 = 0x65
    /// The output port but for the bits that show the output buffer.
    private var outputPort: UInt8 = 0xC3
    /// A command whose data comes next; 0 if none.
    private var command: UInt8 = 0
    private var wroteCommand = false

    private var outputBuffer: UInt8 = 0
    private var isOutputFull = false
    private var hasTimedOut = false
    /// What is in the output buffer is the controller's own answer.
    private var holdsAnswer = false
    /// The controller's next answer, while the output buffer may not be filled.
    private var answer: UInt8?
    private var answerTimedOut = false
    /// When the output buffer may be filled again.
    private var ready = MachineTime(0)
    /// When a byte will come into the output buffer and interrupt.
    public private(set) var nextEvent = MachineTime.never

    /// - Parameter timeStampFrequency: in Hz.
    public init(timeStampFrequency: UInt64) { byteTime = timeStampFrequency >> 14 }

    /// IRQ 1: the output buffer is full.
    public var interruptLine: Bool { isOutputFull && commandByte & Self.interruptEnabled != 0 }

    public var isA20Enabled: Bool { outputPort & 2 != 0 }

    // MARK: Ports

    /// Port 60h.
    public mutating func readData(at time: MachineTime) -> UInt8 {
        fillOutput(at: time)
        let value = outputBuffer
        if isOutputFull {
            isOutputFull = false
            hasTimedOut = false
            ready = time.advanced(by: byteTime)
            fillOutput(at: time)
        }
        return value
    }

    /// Port 64h.
    public mutating func readStatus(at time: MachineTime) -> UInt8 {
        fillOutput(at: time)
        return (isOutputFull ? 0x01 : 0) | commandByte & Self.systemFlag | (wroteCommand ? 0x08 : 0)
            | 0x10  // the keyboard is not locked
            | (hasTimedOut ? 0x40 : 0)
    }

    /// Port 60h.
    public mutating func writeData(_ value: UInt8, at time: MachineTime) -> PowerEffect {
        fillOutput(at: time)
        wroteCommand = false
        let pending = command
        command = 0
        var effect = PowerEffect.none
        switch pending {
        case 0x60: commandByte = value & 0x77 | Self.auxiliaryDisabled
        case 0xD1: effect = writeOutputPort(value)
        // Without an auxiliary port its loop test gives a byte that is not marked as the auxiliary device's.
        case 0xD2, 0xD3: reply(value)
        // Nobody takes a byte sent to the auxiliary device.
        case 0xD4: reply(0xFE, timedOut: true)
        default:
            // Sending to the keyboard switches it on.
            commandByte &= ~Self.keyboardDisabled
            keyboard.receive(value)
        }
        fillOutput(at: time)
        return effect
    }

    /// Port 64h.
    public mutating func writeCommand(_ value: UInt8, at time: MachineTime) -> PowerEffect {
        fillOutput(at: time)
        wroteCommand = true
        command = 0
        var effect = PowerEffect.none
        switch value {
        case 0x20: reply(commandByte)
        case 0x60, 0xD1...0xD4: command = value
        case 0xA9: reply(0x01)  // the auxiliary port's clock line is stuck: no port
        case 0xAA:
            commandByte |= Self.systemFlag
            reply(0x55)
        case 0xAB: reply(0x00)
        case 0xAD: commandByte |= Self.keyboardDisabled
        case 0xAE: commandByte &= ~Self.keyboardDisabled
        case 0xC0: reply(0x80)  // input port: the keyboard is not locked
        case 0xD0: reply(outputPort | (isOutputFull ? 0x10 : 0))
        case 0xDD: outputPort &= ~2
        case 0xDF: outputPort |= 2
        // Pulses the low bits that are clear: bit 0 is the processor's reset.
        case 0xF0...0xFF: if value & 1 == 0 { effect = .reset }
        default: break  // among them those that switch the auxiliary port, which is absent
        }
        fillOutput(at: time)
        return effect
    }

    private mutating func writeOutputPort(_ value: UInt8) -> PowerEffect {
        outputPort = value & 0xCF | 1
        return value & 1 == 0 ? .reset : .none
    }

    // MARK: The output buffer

    /// Drops an answer that nobody has read: so Linux leaves that of the auxiliary port's loop test.
    private mutating func reply(_ byte: UInt8, timedOut: Bool = false) {
        if holdsAnswer { isOutputFull = false }
        answer = byte
        answerTimedOut = timedOut
    }

    /// Lets the byte come that is due.
    public mutating func advance(to time: MachineTime) {
        guard time >= nextEvent else { return }
        fillOutput(at: time)
    }

    private mutating func fillOutput(at time: MachineTime) {
        nextEvent = .never
        guard !isOutputFull else { return }
        let isKeyboardOn = commandByte & Self.keyboardDisabled == 0
        guard time >= ready else {
            let hasNext = answer != nil || isKeyboardOn && keyboard.hasNext
            if hasNext && commandByte & Self.interruptEnabled != 0 { nextEvent = ready }
            return
        }
        if let byte = answer {
            answer = nil
            hasTimedOut = answerTimedOut
            outputBuffer = byte
            isOutputFull = true
            holdsAnswer = true
        } else if isKeyboardOn, let byte = keyboard.next() {
            outputBuffer = commandByte & Self.translated != 0 ? Self.translate(byte) : byte
            isOutputFull = true
            hasTimedOut = false
            holdsAnswer = false
        }
    }

    /// From scan code set 2 to set 1, as far as this keyboard sends what differs.
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

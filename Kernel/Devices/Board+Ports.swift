// Which device has which port.

/// What a port write asks of the machine.
public enum PortEffect: Equatable, Sendable {
    case none
    /// COM1 or the debug console transmits a byte.
    case transmit(UInt8)
    /// The debug-exit port ends the guest with a value.
    case exit(UInt32)
    case powerOff
    case reset
    /// No device has the port: the write went nowhere.
    case absent
}

/// Policy: a port without a device reads as ones and swallows writes, and each such access is counted.
///
/// | ports | device |
/// | --- | --- |
/// | 20H, 21H, A0H, A1H, 4D0H, 4D1H | 8259 pair |
/// | 40H to 43H, 61H | 8254 timer, speaker and refresh |
/// | 60H, 64H | keyboard controller |
/// | 70H, 71H | real-time clock and CMOS memory |
/// | 80H | diagnostic code |
/// | E9H | debug console |
/// | F4H | debug exit |
/// | 3F8H to 3FFH | COM1 |
/// | 510H, 511H | firmware configuration |
/// | 600H to 60BH | ACPI: events, control, timer |
/// | CF8H, CFCH to CFFH | PCI configuration |
/// | CF9H | reset |
extension Board {
    /// QEMU's isa-debug-exit, where its users expect it.
    public static var debugExitPort: UInt16 { 0xF4 }
    /// Where firmware shows its progress; also written for a short delay.
    public static var diagnosticPort: UInt16 { 0x80 }
    static var powerPort: UInt16 { 0x600 }
    static var powerPortCount: UInt16 { 12 }
    /// The ACPI timer, read whole.
    static var powerTimerPort: UInt16 { 0x608 }

    /// Whether a device answers at a port.
    public static func isPresent(_ port: UInt16) -> Bool {
        switch port {
        case 0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1, 0x40...0x43, 0x60, 0x61, 0x64, 0x70, 0x71, diagnosticPort,
            DebugConsole.port, debugExitPort, 0x3F8...0x3FF, 0x510, 0x511, 0x600...0x60B, 0xCF8...0xCFF:
            true
        default: false
        }
    }

    // The two below serve what software polls and what needs nothing else of the machine: the quick way.

    /// IN of one byte from such a port; nil from any other.
    @inline(__always)
    public mutating func readFrequentByte(_ port: UInt16) -> UInt8? {
        port == SerialPort.lineStatusPort ? serial.pollLineStatus() : nil
    }

    /// IN of 4 bytes from such a port; nil from any other.
    @inline(__always)
    public mutating func readFrequentDoubleword(_ port: UInt16, _ now: some MachineClock) -> UInt32? {
        port == Board.powerTimerPort ? power.count(at: now.now) : nil
    }

    /// OUT of one byte to such a port; `absent` for any other.
    @inline(__always)
    public mutating func writeFrequentByte(_ port: UInt16, _ value: UInt8) -> PortEffect {
        if port == SerialPort.firstPort, serial.transmitsQuietly { return .transmit(value) }
        guard port == Board.diagnosticPort else { return .absent }
        diagnostic = value
        return .none
    }

    // MARK: IN

    /// The value that IN of `size` bytes (1, 2 or 4) gives; the bytes above are zero.
    ///
    /// A wide access to byte-wide devices takes consecutive ports, as the ISA bus splits it.
    public mutating func read(_ port: UInt16, size: Int, _ now: some MachineClock) -> UInt32 {
        let isWide = size > 1
        if port &- Board.powerPort < Board.powerPortCount {
            let value = power.read(port &- Board.powerPort, size: size, at: now.now)
            followPower()
            return value
        }
        if port == ConfigurationSpace.addressPort, size == 4 { return pci.readAddress() }
        if port &- ConfigurationSpace.firstDataPort < ConfigurationSpace.dataPortCount {
            return pci.readData(port & 3, size: size)
        }
        guard isWide else { return UInt32(readByte(port, now)) }
        let absent = absentAccesses
        defer { absentAccesses = min(absentAccesses, absent &+ 1) }
        var value: UInt32 = 0
        for index in 0..<size {
            value |= UInt32(readByte(port &+ UInt16(truncatingIfNeeded: index), now)) << UInt32(8 * index)
        }
        return value
    }

    private mutating func readByte(_ port: UInt16, _ now: some MachineClock) -> UInt8 {
        switch port {
        case 0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1:
            catchUp(to: now.now)
            let value = controllers.read(port)
            needsAttention = true
            return value
        case 0x40...0x43:
            let time = now.now
            let value = timer.read(port & 3, at: time)
            followTimer(at: time)
            return value
        case 0x60:
            let value = keyboard.readData(at: now.now)
            followKeyboard()
            return value
        case 0x61:
            let time = now.now
            return speaker.read(output2: timer.isOutput2High(at: time), at: time)
        case 0x64:
            let value = keyboard.readStatus(at: now.now)
            followKeyboard()
            return value
        case 0x70, 0x71:
            let value = clock.read(port & 1, at: now.now)
            followClock()
            return value
        case Board.diagnosticPort: return diagnostic
        case DebugConsole.port: return DebugConsole.read()
        case Board.debugExitPort: return 0
        case 0x3F8...0x3FF:
            let value = serial.read(port & 7)
            followSerial()
            return value
        case FirmwareConfiguration.dataPort:
            let line = commandLine
            return configuration.readData { line.byte(at: $0) }
        case ResetControl.port: return resetControl.read()
        default:
            absentAccesses &+= 1
            return 0xFF
        }
    }

    // MARK: OUT

    /// OUT of the low `size` bytes (1, 2 or 4) of a value.
    public mutating func write(_ port: UInt16, size: Int, _ value: UInt32, _ now: some MachineClock) -> PortEffect {
        switch port {
        case Board.debugExitPort: return .exit(size == 4 ? value : value & (1 << UInt32(8 * size) - 1))
        case 0x600...0x60B:
            let effect = power.write(port &- Board.powerPort, size: size, value, at: now.now)
            followPower()
            return PortEffect(effect)
        case ConfigurationSpace.addressPort where size == 4:
            pci.writeAddress(value)
            return .none
        case 0xCFC...0xCFF:
            pci.writeData(port & 3, size: size, value)
            return .none
        case FirmwareConfiguration.selectorPort where size == 2:
            configuration.select(UInt16(truncatingIfNeeded: value))
            return .none
        default: break
        }
        if size == 1 { return writeByte(port, UInt8(truncatingIfNeeded: value), now) }
        let absent = absentAccesses
        defer { absentAccesses = min(absentAccesses, absent &+ 1) }
        var effect = PortEffect.absent
        for index in 0..<size {
            let byteEffect = writeByte(
                port &+ UInt16(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: value >> UInt32(8 * index)), now)
            // At most one byte of a wide write asks for more than none.
            if effect == .absent || byteEffect != .none && byteEffect != .absent { effect = byteEffect }
        }
        return effect
    }

    private mutating func writeByte(_ port: UInt16, _ value: UInt8, _ now: some MachineClock) -> PortEffect {
        switch port {
        case 0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1:
            catchUp(to: now.now)
            controllers.write(port, value)
            findNextEvent()
            needsAttention = true
        case 0x40...0x43:
            let time = now.now
            timer.write(port & 3, value, at: time)
            followTimer(at: time)
        case 0x60:
            let effect = keyboard.writeData(value, at: now.now)
            followKeyboard()
            return PortEffect(effect)
        case 0x61:
            speaker.write(value)
            timer.setGate2(speaker.gate2, at: now.now)
        case 0x64:
            let effect = keyboard.writeCommand(value, at: now.now)
            followKeyboard()
            return PortEffect(effect)
        case 0x70, 0x71:
            clock.write(port & 1, value, at: now.now)
            followClock()
        case Board.diagnosticPort: diagnostic = value
        case DebugConsole.port: return .transmit(value)
        case 0x3F8...0x3FF:
            let byte = serial.write(port & 7, value)
            followSerial()
            if let byte { return .transmit(byte) }
        case ResetControl.port: return PortEffect(resetControl.write(value))
        default:
            absentAccesses &+= 1
            return .absent
        }
        return .none
    }
}

extension PortEffect {
    init(_ effect: PowerEffect) {
        switch effect {
        case .none: self = .none
        case .powerOff: self = .powerOff
        case .reset: self = .reset
        }
    }
}

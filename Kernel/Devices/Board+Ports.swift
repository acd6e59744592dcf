// Which device has which port.

/// What a port write asks the machine to do.
public enum PortEffect: Equatable, Sendable {
    case none
    /// COM1 or the debug console transmits a byte.
    case transmit(UInt8)
    /// The debug-exit port ends the guest with a value.
    case exit(UInt32)
    case powerOff
    case reset
    /// The test device drops translations.
    case flush
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
/// | 3D4H, 3D5H | CRT controller |
/// | 3F8H to 3FFH | COM1 |
/// | 510H, 511H | firmware configuration |
/// | 600H to 60BH | ACPI: events, control, timer |
/// | CF8H, CFCH to CFFH | PCI configuration |
/// | CF9H | reset |
/// | E0H to E3H, E4H, 2000H to 2017H | test device, if asked for: latch, page flush, interrupt lines |
extension Board {
    /// QEMU's isa-debug-exit, where its users expect it.
    public static var debugExitPort: UInt16 { 0xF4 }
    /// Where firmware shows its progress; also written for a short delay.
    public static var diagnosticPort: UInt16 { 0x80 }

    /// The board's own wiring. Of two rows with the same port, the later one gets it.
    private static let wiring: [18 of PortClaim] = [
        .init(InterruptControllerPair.firstPort, InterruptControllerPair.portCount, .interruptControllers, 0),
        .init(InterruptControllerPair.secondPort, InterruptControllerPair.portCount, .interruptControllers, 2),
        .init(InterruptControllerPair.triggerPort, InterruptControllerPair.portCount, .interruptControllers, 4),
        .init(IntervalTimer.firstPort, IntervalTimer.portCount, .timer),
        .init(KeyboardController.dataPort, 1, .keyboard, 0),
        .init(KeyboardController.commandPort, 1, .keyboard, 1),
        .init(SystemControlPort.port, 1, .speaker),
        .init(RealTimeClock.firstPort, RealTimeClock.portCount, .clock),
        .init(diagnosticPort, 1, .diagnostic),
        .init(DebugConsole.port, 1, .debugConsole),
        .init(debugExitPort, 1, .debugExit),
        .init(SerialPort.firstPort, SerialPort.portCount, .serial),
        .init(FirmwareConfiguration.selectorPort, FirmwareConfiguration.portCount, .firmwareConfiguration),
        .init(PowerManagementTimer.firstPort, PowerManagementTimer.portCount, .power),
        .init(ConfigurationSpace.addressPort, ConfigurationSpace.addressPortCount, .configurationAddress),
        .init(ResetControl.port, 1, .resetControl),
        .init(ConfigurationSpace.firstDataPort, ConfigurationSpace.dataPortCount, .configurationData),
        .init(CRTController.firstPort, CRTController.portCount, .crtController),
    ]

    /// Whether one of the board's own devices answers at a port; what software places is not known here.
    @inline(never) @export(interface)
    public static func isPresent(_ port: UInt16) -> Bool {
        for index in 0..<wiring.count where port &- wiring[index].first < wiring[index].count { return true }
        return false
    }

    @inline(never) @export(interface)
    mutating func wirePorts() {
        for index in 0..<Self.wiring.count {
            guard ports.claim(Self.wiring[index], takes: true) else { break }
        }
        wireTestDevice()
    }

    // Each device's path is a separate function, which the switch calls last: so none saves registers for another. What a device
    // asks for is stored, so that an access that asks for nothing does not pay for it.

    /// What a write asked of the machine.
    public mutating func takeEffect() -> PortEffect {
        guard hasEffect else { return .none }
        hasEffect = false
        return effect
    }

    /// Stores an effect for the machine.
    mutating func ask(_ new: PortEffect) {
        guard new != .none else { return }
        effect = new
        hasEffect = true
    }

    // MARK: IN

    /// The value that IN of `size` bytes (1, 2 or 4) returns; the bytes above are zero.
    public mutating func read(_ port: UInt16, size: Int, at time: MachineTime) -> UInt32 {
        size == 1 ? UInt32(readByte(port, at: time)) : readWide(port, size, time)
    }

    /// IN of a byte.
    public mutating func readByte(_ port: UInt16, at time: MachineTime) -> UInt8 {
        let (device, register) = ports.find(port)
        switch device {
        case .none, .configurationAddress, .testFlush, .testLine: return readAbsent()
        case .interruptControllers: return readControllers(register, time)
        case .timer: return readTimer(register, time)
        case .keyboard: return readKeyboard(register, time)
        case .speaker: return readSpeaker(time)
        case .clock: return register == 1 ? readClock(time) : 0xFF
        case .diagnostic: return diagnostic
        case .debugConsole: return DebugConsole.read()
        case .debugExit: return 0
        case .serial: return readSerial(register)
        case .firmwareConfiguration: return register == 1 ? readFirmwareConfiguration() : readAbsent()
        case .power: return readPowerByte(register, time)
        case .configurationData: return readConfiguration(register)
        case .resetControl: return resetControl.read()
        case .testLatch: return test.read(register)
        case .crtController: return crtController.read(register)
        }
    }

    /// A wide access to byte-wide devices uses consecutive ports, as the ISA bus splits it.
    @inline(never)
    private mutating func readWide(_ port: UInt16, _ size: Int, _ time: MachineTime) -> UInt32 {
        let (device, register) = ports.find(port)
        switch device {
        case .power where UInt16(register) == PowerManagementTimer.timerOffset && size == 4: return power.count(at: time)
        case .power: return readPower(register, size, time)
        case .configurationAddress where register == 0 && size == 4: return pci.readAddress()
        case .configurationData: return pci.readData(UInt16(register), size: size)
        default: return readBytes(port, size, time)
        }
    }

    @inline(never)
    private mutating func readBytes(_ port: UInt16, _ size: Int, _ time: MachineTime) -> UInt32 {
        let absent = absentAccesses
        var value: UInt32 = 0
        for index in 0..<size {
            value |= UInt32(readByte(port &+ UInt16(truncatingIfNeeded: index), at: time)) << UInt32(8 * index)
        }
        absentAccesses = min(absentAccesses, absent &+ 1)
        return value
    }

    @inline(__always)
    private mutating func readAbsent() -> UInt8 {
        absentAccesses &+= 1
        return 0xFF
    }

    @inline(never)
    private mutating func readControllers(_ register: UInt8, _ time: MachineTime) -> UInt8 {
        catchUp(to: time)
        let value = controllers.read(register)
        if controllers.takeChange() { needsAttention = true }
        return value
    }

    @inline(never)
    private mutating func readTimer(_ register: UInt8, _ time: MachineTime) -> UInt8 {
        timer.readQuietly(register, at: time) ?? readTimerLate(register, time)
    }

    /// The same where there is more to do: its output may have changed.
    @inline(never)
    private mutating func readTimerLate(_ register: UInt8, _ time: MachineTime) -> UInt8 {
        let value = timer.read(UInt16(register), at: time)
        if timer.takeChange() { followTimer(at: time) }
        return value
    }

    @inline(never)
    private mutating func readKeyboard(_ register: UInt8, _ time: MachineTime) -> UInt8 {
        let value = register == 0 ? keyboard.readData(at: time) : keyboard.readStatus(at: time)
        if keyboard.takeChange() { followKeyboard() }
        return value
    }

    @inline(never)
    private mutating func readSpeaker(_ time: MachineTime) -> UInt8 {
        guard let output = timer.isOutput2HighQuietly(at: time) else { return readSpeakerLate(time) }
        return speaker.read(output2: output, at: time)
    }

    @inline(never)
    private mutating func readSpeakerLate(_ time: MachineTime) -> UInt8 {
        let value = speaker.read(output2: timer.isOutput2High(at: time), at: time)
        if timer.takeChange() { followTimer(at: time) }
        return value
    }

    @inline(never)
    private mutating func readClock(_ time: MachineTime) -> UInt8 {
        let value = clock.read(1, at: time)
        if clock.takeChange() { followClock() }
        return value
    }

    @inline(never)
    private mutating func readSerial(_ register: UInt8) -> UInt8 {
        let value = serial.read(UInt16(register))
        followSerial()
        return value
    }

    @inline(never)
    private mutating func readFirmwareConfiguration() -> UInt8 {
        let line = commandLine
        return configuration.readData { line.byte(at: $0) }
    }

    @inline(__always)
    private mutating func readPower(_ register: UInt8, _ size: Int, _ time: MachineTime) -> UInt32 {
        let value = power.read(UInt16(register), size: size, at: time)
        followPower()
        return value
    }

    @inline(never)
    private mutating func readPowerByte(_ register: UInt8, _ time: MachineTime) -> UInt8 {
        UInt8(truncatingIfNeeded: readPower(register, 1, time))
    }

    @inline(never)
    private mutating func readConfiguration(_ register: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: pci.readData(UInt16(register), size: 1))
    }

    // MARK: OUT

    /// OUT of the low `size` bytes (1, 2 or 4) of a value.
    public mutating func write(_ port: UInt16, size: Int, _ value: UInt32, at time: MachineTime) {
        size == 1 ? writeByte(port, UInt8(truncatingIfNeeded: value), at: time) : writeWide(port, size, value, time)
    }

    /// OUT of a byte.
    public mutating func writeByte(_ port: UInt16, _ byte: UInt8, at time: MachineTime) {
        let (device, register) = ports.find(port)
        switch device {
        case .none, .configurationAddress, .firmwareConfiguration: return writeAbsent()
        case .interruptControllers: return writeControllers(register, byte, time)
        case .timer: return writeTimer(register, byte, time)
        case .keyboard: return writeKeyboard(register, byte, time)
        case .speaker: return writeSpeaker(byte, time)
        case .clock: return writeClock(register, byte, time)
        case .diagnostic: diagnostic = byte
        case .debugConsole: return ask(.transmit(byte))
        case .debugExit: return ask(.exit(UInt32(byte)))
        case .serial: return writeSerial(register, byte)
        case .power: return writePower(register, 1, UInt32(byte), time)
        case .configurationData: return writeConfiguration(register, byte)
        case .resetControl: return ask(PortEffect(resetControl.write(byte)))
        case .testLatch: test.write(register, byte)
        case .testFlush: return ask(.flush)
        case .testLine: return setTestLine(register, byte != 0)
        case .crtController: return crtController.write(register, byte)
        }
    }

    @inline(never)
    private mutating func writeWide(_ port: UInt16, _ size: Int, _ value: UInt32, _ time: MachineTime) {
        let (device, register) = ports.find(port)
        switch device {
        case .debugExit: return ask(.exit(size == 4 ? value : value & 0xFFFF))
        case .power: return writePower(register, size, value, time)
        case .configurationAddress where register == 0 && size == 4: pci.writeAddress(value)
        case .configurationData:
            pci.writeData(UInt16(register), size: size, value)
            followFunctions()
        case .firmwareConfiguration where register == 0 && size == 2:
            configuration.select(UInt16(truncatingIfNeeded: value))
        default: return writeBytes(port, size, value, time)
        }
    }

    @inline(never)
    private mutating func writeBytes(_ port: UInt16, _ size: Int, _ value: UInt32, _ time: MachineTime) {
        let absent = absentAccesses
        // At most one byte of a wide write asks for something.
        for index in 0..<size {
            writeByte(
                port &+ UInt16(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: value >> UInt32(8 * index)), at: time)
        }
        absentAccesses = min(absentAccesses, absent &+ 1)
    }

    @inline(__always)
    private mutating func writeAbsent() {
        absentAccesses &+= 1
    }

    @inline(never)
    private mutating func writeControllers(_ register: UInt8, _ value: UInt8, _ time: MachineTime) {
        if timer.nextEvent <= time { return writeControllersLate(register, value, time) }
        controllers.store(register, value)
        if controllers.isRequested || controllers.passesTimer != seenEvents.passesTimer { followControllers() }
    }

    /// The same when the timer's line must be checked first.
    @inline(never)
    private mutating func writeControllersLate(_ register: UInt8, _ value: UInt8, _ time: MachineTime) {
        followTimer(at: time)
        writeControllers(register, value, time)
    }

    @inline(never)
    private mutating func writeTimer(_ register: UInt8, _ value: UInt8, _ time: MachineTime) {
        if !timer.latchQuietly(register, value, at: time) { writeTimerLate(register, value, time) }
    }

    @inline(never)
    private mutating func writeTimerLate(_ register: UInt8, _ value: UInt8, _ time: MachineTime) {
        timer.write(UInt16(register), value, at: time)
        if timer.takeChange() { followTimer(at: time) }
    }

    @inline(never)
    private mutating func writeKeyboard(_ register: UInt8, _ value: UInt8, _ time: MachineTime) {
        let effect = register == 0 ? keyboard.writeData(value, at: time) : keyboard.writeCommand(value, at: time)
        followKeyboard()
        ask(PortEffect(effect))
    }

    @inline(never)
    private mutating func writeSpeaker(_ value: UInt8, _ time: MachineTime) {
        speaker.write(value)
        timer.setGate2(speaker.gate2, at: time)
    }

    @inline(never)
    private mutating func writeClock(_ register: UInt8, _ value: UInt8, _ time: MachineTime) {
        clock.write(UInt16(register), value, at: time)
        if clock.takeChange() { followClock() }
    }

    @inline(never)
    private mutating func writeSerial(_ register: UInt8, _ value: UInt8) {
        let byte = serial.write(UInt16(register), value)
        followSerial()
        guard let byte else { return }
        hasTransmitted = true
        ask(.transmit(byte))
    }

    @inline(never)
    private mutating func writePower(_ register: UInt8, _ size: Int, _ value: UInt32, _ time: MachineTime) {
        let effect = power.write(UInt16(register), size: size, value, at: time)
        followPower()
        ask(PortEffect(effect))
    }

    @inline(never)
    private mutating func writeConfiguration(_ register: UInt8, _ value: UInt8) {
        pci.writeData(UInt16(register), size: 1, UInt32(value))
        followFunctions()
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

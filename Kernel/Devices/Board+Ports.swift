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

    /// The board's own wiring, by number; nil after the last.
    private static func claim(_ number: Int) -> PortClaim? {
        switch number {
        case 0: PortClaim(0x20, 2, .interruptControllers, 0)
        case 1: PortClaim(0xA0, 2, .interruptControllers, 2)
        case 2: PortClaim(0x4D0, 2, .interruptControllers, 4)
        case 3: PortClaim(IntervalTimer.firstPort, IntervalTimer.portCount, .timer)
        case 4: PortClaim(KeyboardController.dataPort, 1, .keyboard, 0)
        case 5: PortClaim(KeyboardController.commandPort, 1, .keyboard, 1)
        case 6: PortClaim(SystemControlPort.port, 1, .speaker)
        case 7: PortClaim(RealTimeClock.firstPort, RealTimeClock.portCount, .clock)
        case 8: PortClaim(diagnosticPort, 1, .diagnostic)
        case 9: PortClaim(DebugConsole.port, 1, .debugConsole)
        case 10: PortClaim(debugExitPort, 1, .debugExit)
        case 11: PortClaim(SerialPort.firstPort, SerialPort.portCount, .serial)
        case 12: PortClaim(FirmwareConfiguration.selectorPort, 2, .firmwareConfiguration)
        case 13: PortClaim(PowerManagementTimer.firstPort, PowerManagementTimer.portCount, .power)
        case 14: PortClaim(ConfigurationSpace.addressPort, 4, .configurationAddress)
        case 15: PortClaim(ResetControl.port, 1, .resetControl)
        case 16: PortClaim(ConfigurationSpace.firstDataPort, ConfigurationSpace.dataPortCount, .configurationData)
        default: nil
        }
    }

    /// Whether a device answers at a port.
    public static func isPresent(_ port: UInt16) -> Bool {
        var number = 0
        while let claim = claim(number) {
            if port &- claim.first < claim.count { return true }
            number += 1
        }
        return false
    }

    mutating func wirePorts() {
        var number = 0
        while let claim = Self.claim(number), ports.claim(claim) { number += 1 }
    }

    // MARK: IN

    /// The value that IN of `size` bytes (1, 2 or 4) gives; the bytes above are zero.
    ///
    /// A wide access to byte-wide devices takes consecutive ports, as the ISA bus splits it.
    public mutating func read(_ port: UInt16, size: Int, at time: MachineTime) -> UInt32 {
        let (device, register) = ports.find(port)
        return size == 1 ? UInt32(readByte(device, register, time)) : readWide(port, device, register, size, time)
    }

    @inline(never)
    private mutating func readWide(
        _ port: UInt16, _ device: PortDevice, _ register: UInt8, _ size: Int, _ time: MachineTime
    ) -> UInt32 {
        switch device {
        case .power: return readPower(register, size: size, time)
        case .configurationData: return pci.readData(UInt16(register), size: size)
        case .configurationAddress where register == 0 && size == 4: return pci.readAddress()
        default: break
        }
        let absent = absentAccesses
        var value: UInt32 = 0
        for index in 0..<size {
            let (device, register) = ports.find(port &+ UInt16(truncatingIfNeeded: index))
            value |= UInt32(readByte(device, register, time)) << UInt32(8 * index)
        }
        absentAccesses = min(absentAccesses, absent &+ 1)
        return value
    }

    private mutating func readPower(_ register: UInt8, size: Int, _ time: MachineTime) -> UInt32 {
        let value = power.read(UInt16(register), size: size, at: time)
        followPower()
        return value
    }

    @inline(__always)
    private mutating func readByte(_ device: PortDevice, _ register: UInt8, _ time: MachineTime) -> UInt8 {
        switch device {
        case .none, .configurationAddress:
            absentAccesses &+= 1
            return 0xFF
        case .interruptControllers:
            catchUp(to: time)
            let wasRequesting = controllers.interruptOutput
            let value = controllers.read(register)
            followControllers(wasRequesting)
            return value
        case .timer:
            let value = timer.read(UInt16(register), at: time)
            followTimer(at: time)
            return value
        case .keyboard:
            let value = register == 0 ? keyboard.readData(at: time) : keyboard.readStatus(at: time)
            followKeyboard()
            return value
        case .speaker: return speaker.read(output2: timer.isOutput2High(at: time), at: time)
        case .clock:
            let value = clock.read(UInt16(register), at: time)
            followClock()
            return value
        case .diagnostic: return diagnostic
        case .debugConsole: return DebugConsole.read()
        case .debugExit: return 0
        case .serial:
            let couldReceive = serial.canReceive
            let value = serial.read(UInt16(register))
            followSerial(couldReceive)
            return value
        case .firmwareConfiguration:
            guard register == 1 else {
                absentAccesses &+= 1
                return 0xFF
            }
            let line = commandLine
            return configuration.readData { line.byte(at: $0) }
        case .power: return UInt8(truncatingIfNeeded: readPower(register, size: 1, time))
        case .configurationData: return UInt8(truncatingIfNeeded: pci.readData(UInt16(register), size: 1))
        case .resetControl: return resetControl.read()
        }
    }

    // MARK: OUT

    /// OUT of the low `size` bytes (1, 2 or 4) of a value.
    public mutating func write(_ port: UInt16, size: Int, _ value: UInt32, at time: MachineTime) -> PortEffect {
        let (device, register) = ports.find(port)
        return size == 1
            ? writeByte(device, register, UInt8(truncatingIfNeeded: value), time)
            : writeWide(port, device, register, size, value, time)
    }

    @inline(never)
    private mutating func writeWide(
        _ port: UInt16, _ device: PortDevice, _ register: UInt8, _ size: Int, _ value: UInt32, _ time: MachineTime
    ) -> PortEffect {
        switch device {
        case .debugExit: return .exit(size == 4 ? value : value & 0xFFFF)
        case .power: return writePower(register, size: size, value, time)
        case .configurationAddress where register == 0 && size == 4:
            pci.writeAddress(value)
            return .none
        case .configurationData:
            pci.writeData(UInt16(register), size: size, value)
            return .none
        case .firmwareConfiguration where register == 0 && size == 2:
            configuration.select(UInt16(truncatingIfNeeded: value))
            return .none
        default: break
        }
        let absent = absentAccesses
        var effect = PortEffect.none
        for index in 0..<size {
            let (device, register) = ports.find(port &+ UInt16(truncatingIfNeeded: index))
            let byteEffect = writeByte(device, register, UInt8(truncatingIfNeeded: value >> UInt32(8 * index)), time)
            // At most one byte of a wide write asks for more than none.
            if byteEffect != .none { effect = byteEffect }
        }
        absentAccesses = min(absentAccesses, absent &+ 1)
        return effect
    }

    private mutating func writePower(_ register: UInt8, size: Int, _ value: UInt32, _ time: MachineTime) -> PortEffect {
        let effect = power.write(UInt16(register), size: size, value, at: time)
        followPower()
        return PortEffect(effect)
    }

    @inline(__always)
    private mutating func writeByte(_ device: PortDevice, _ register: UInt8, _ value: UInt8, _ time: MachineTime) -> PortEffect {
        switch device {
        case .none, .configurationAddress, .firmwareConfiguration: absentAccesses &+= 1
        case .interruptControllers:
            catchUp(to: time)
            let wasRequesting = controllers.interruptOutput
            controllers.write(register, value)
            followControllers(wasRequesting)
            findNextEvent()
        case .timer:
            timer.write(UInt16(register), value, at: time)
            followTimer(at: time)
        case .keyboard:
            let effect = register == 0 ? keyboard.writeData(value, at: time) : keyboard.writeCommand(value, at: time)
            followKeyboard()
            return PortEffect(effect)
        case .speaker:
            speaker.write(value)
            timer.setGate2(speaker.gate2, at: time)
        case .clock:
            clock.write(UInt16(register), value, at: time)
            followClock()
        case .diagnostic: diagnostic = value
        case .debugConsole: return .transmit(value)
        case .debugExit: return .exit(UInt32(value))
        case .serial:
            let couldReceive = serial.canReceive
            let byte = serial.write(UInt16(register), value)
            followSerial(couldReceive)
            if let byte { return .transmit(byte) }
        case .power: return writePower(register, size: 1, UInt32(value), time)
        case .configurationData: pci.writeData(UInt16(register), size: 1, UInt32(value))
        case .resetControl: return PortEffect(resetControl.write(value))
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

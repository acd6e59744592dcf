/// What a port write asks of the machine.
public enum PortEffect: Equatable, Sendable {
    case none
    /// COM1 transmits a byte.
    case transmit(UInt8)
    /// The debug-exit port ends the guest with a value.
    case exit(UInt32)
    /// No device has the port: the write went nowhere.
    case absent
}

/// The devices of a virtual machine and the wires between them. Each virtual CPU's local APIC is its own.
///
/// Policy: a port without a device reads as ones and swallows writes, and each such access is counted.
public struct Board: Equatable, Sendable {
    /// QEMU's isa-debug-exit, where its users expect it.
    public static var debugExitPort: UInt16 { 0xF4 }
    /// Where firmware shows its progress; also written for a short delay.
    public static var diagnosticPort: UInt16 { 0x80 }

    public var serial = SerialPort()
    /// The last progress code.
    public private(set) var diagnostic: UInt8 = 0
    /// How many accesses found no device.
    public private(set) var absentAccesses: UInt64 = 0

    /// An interrupt line changed, a message waits, or the next moment at which a device does something: the virtual CPU has
    /// to look.
    public var needsAttention = false
    /// When a device will do something by itself.
    public private(set) var nextEvent = MachineTime.never

    public init() {}

    // MARK: Interrupts

    /// The next message of the I/O APIC's for the local APICs.
    public mutating func takeMessage() -> InterruptMessage? { nil }

    /// A local APIC ended a level-triggered interrupt.
    public mutating func endOfInterrupt(_ vector: UInt8) {}

    /// The output of the 8259 pair.
    public var requestsExternalInterrupt: Bool { false }

    /// The processor takes the interrupt of the 8259 pair.
    /// - Returns: its vector.
    public mutating func acknowledgeExternalInterrupt() -> UInt8 { 0 }

    /// Whether a guest-physical address is one of the I/O APIC's.
    public static func isIOAPIC(_ address: UInt64) -> Bool { address & ~0xFFF == 0xFEC0_0000 }

    public mutating func readIOAPIC(_ address: UInt64) -> UInt32 { .max }
    public mutating func writeIOAPIC(_ address: UInt64, _ value: UInt32) {}

    // MARK: Time and input

    /// Brings about what is due.
    public mutating func advance(to time: MachineTime) {}

    /// Whether COM1 has room for a byte.
    public var canReceive: Bool { false }

    /// A byte arrives on COM1.
    public mutating func receive(_ byte: UInt8) {}

    /// Whether a byte that arrives on COM1 would interrupt.
    public var awaitsInput: Bool { false }

    /// Whether a device answers at a port.
    public static func isPresent(_ port: UInt16) -> Bool {
        port &- SerialPort.firstPort < SerialPort.portCount || port == debugExitPort || port == diagnosticPort
    }

    // The two below serve what software polls and what needs nothing else of the machine: the quick way.

    /// IN of one byte from such a port; nil from any other.
    @inline(__always)
    public mutating func readFrequentByte(_ port: UInt16) -> UInt8? {
        port == SerialPort.firstPort + SerialPort.lineStatus ? serial.read(SerialPort.lineStatus) : nil
    }

    /// OUT of one byte to such a port; `absent` for any other.
    @inline(__always)
    public mutating func writeFrequentByte(_ port: UInt16, _ value: UInt8) -> PortEffect {
        if port == SerialPort.firstPort, let byte = serial.transmitQuietly(value) { return .transmit(byte) }
        guard port == Board.diagnosticPort else { return .absent }
        diagnostic = value
        return .none
    }

    /// The value that IN of `size` bytes (1, 2 or 4) gives; the bytes above are zero.
    public mutating func read(_ port: UInt16, size: Int) -> UInt32 {
        if size == 1 { return UInt32(readByte(port)) }
        return readWide(port, size: size)
    }

    /// IN of 2 or 4 bytes: a wide access to byte-wide devices takes consecutive ports, as the ISA bus splits it.
    public mutating func readWide(_ port: UInt16, size: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<size {
            value |= UInt32(readByte(port &+ UInt16(truncatingIfNeeded: index))) << UInt32(8 * index)
        }
        return value
    }

    /// IN of one byte.
    @inline(__always)
    public mutating func readByte(_ port: UInt16) -> UInt8 {
        let offset = port &- SerialPort.firstPort
        if offset < SerialPort.portCount { return serial.read(offset) }
        if port == Board.diagnosticPort { return diagnostic }
        if port == Board.debugExitPort { return 0 }
        absentAccesses &+= 1
        return 0xFF
    }

    /// OUT of the low `size` bytes (1, 2 or 4) of a value.
    @inline(__always)
    public mutating func write(_ port: UInt16, size: Int, _ value: UInt32) -> PortEffect {
        if port == Board.debugExitPort {
            return .exit(size == 4 ? value : value & (1 << UInt32(8 * size) - 1))
        }
        if size == 1 { return writeByte(port, UInt8(truncatingIfNeeded: value)) }
        return writeWide(port, size: size, value)
    }

    private mutating func writeWide(_ port: UInt16, size: Int, _ value: UInt32) -> PortEffect {
        var effect = PortEffect.absent
        for index in 0..<size {
            let byteEffect = writeByte(
                port &+ UInt16(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: value >> UInt32(8 * index)))
            // At most one byte of a wide write is COM1's data register.
            if case .transmit = byteEffect { effect = byteEffect } else if effect == .absent { effect = byteEffect }
        }
        return effect
    }

    private mutating func writeByte(_ port: UInt16, _ value: UInt8) -> PortEffect {
        let offset = port &- SerialPort.firstPort
        if offset < SerialPort.portCount {
            if let byte = serial.write(offset, value) { return .transmit(byte) }
            return .none
        }
        if port == Board.diagnosticPort {
            diagnostic = value
            return .none
        }
        absentAccesses &+= 1
        return .absent
    }
}

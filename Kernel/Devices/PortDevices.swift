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

/// The devices behind the guest's ports.
///
/// Policy: a port without a device reads as ones and swallows writes, and each such access is counted.
public struct PortDevices: Equatable, Sendable {
    /// QEMU's isa-debug-exit, where its users expect it.
    public static var debugExitPort: UInt16 { 0xF4 }
    /// Where firmware shows its progress; also written for a short delay.
    public static var diagnosticPort: UInt16 { 0x80 }

    public var serial = SerialPort()
    /// The last progress code.
    public private(set) var diagnostic: UInt8 = 0
    /// How many accesses found no device.
    public private(set) var absentAccesses: UInt64 = 0

    public init() {}

    /// Whether a device answers at a port.
    public static func isPresent(_ port: UInt16) -> Bool {
        port &- SerialPort.firstPort < SerialPort.portCount || port == debugExitPort || port == diagnosticPort
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
        if port == PortDevices.diagnosticPort { return diagnostic }
        if port == PortDevices.debugExitPort { return 0 }
        absentAccesses &+= 1
        return 0xFF
    }

    /// OUT of the low `size` bytes (1, 2 or 4) of a value.
    @inline(__always)
    public mutating func write(_ port: UInt16, size: Int, _ value: UInt32) -> PortEffect {
        if port == PortDevices.debugExitPort {
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
        if port == PortDevices.diagnosticPort {
            diagnostic = value
            return .none
        }
        absentAccesses &+= 1
        return .absent
    }
}

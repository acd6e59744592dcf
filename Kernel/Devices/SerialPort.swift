/// The part of a 16550A UART that output needs (PC16550D data sheet, "Registers"): the transmitter, always ready, and
/// the programmable registers, which hold what is written. It receives nothing and interrupts nobody.
public struct SerialPort: Equatable, Sendable {
    /// Ports of COM1.
    public static var firstPort: UInt16 { 0x3F8 }
    public static var portCount: UInt16 { 8 }

    /// The offset of the line status register.
    public static var lineStatus: UInt16 { 5 }

    private var interruptEnable: UInt8 = 0
    private var fifoControl: UInt8 = 0
    private var lineControl: UInt8 = 0
    private var modemControl: UInt8 = 0
    private var scratch: UInt8 = 0
    private var divisor: UInt16 = 1

    public init() {}

    /// DLAB: the first two registers are the divisor's.
    private var selectsDivisor: Bool { lineControl & 0x80 != 0 }

    /// Reads the register at an offset from the first port.
    @inline(__always)
    public func read(_ offset: UInt16) -> UInt8 {
        switch offset {
        case 0: selectsDivisor ? UInt8(truncatingIfNeeded: divisor) : 0
        case 1: selectsDivisor ? UInt8(truncatingIfNeeded: divisor >> 8) : interruptEnable
        case 2: fifoControl & 1 != 0 ? 0xC1 : 0x01  // no interrupt pending; FIFOs as enabled
        case 3: lineControl
        case 4: modemControl
        case 5: 0x60  // the transmitter and its holding register are empty
        case 6: 0xB0  // carrier, data set ready, clear to send
        default: scratch
        }
    }

    /// Writes the data register, if that only transmits: it interrupts nobody, and the data is not the divisor's.
    @inline(__always)
    public mutating func transmitQuietly(_ value: UInt8) -> UInt8? { selectsDivisor ? nil : value }

    /// Writes the register at an offset from the first port.
    /// - Returns: the byte to transmit, if that is what the write asked for.
    public mutating func write(_ offset: UInt16, _ value: UInt8) -> UInt8? {
        switch offset {
        case 0:
            guard selectsDivisor else { return value }
            divisor = divisor & 0xFF00 | UInt16(value)
        case 1:
            if selectsDivisor { divisor = divisor & 0x00FF | UInt16(value) << 8 } else { interruptEnable = value & 0x0F }
        case 2: fifoControl = value
        case 3: lineControl = value
        case 4: modemControl = value & 0x1F
        case 7: scratch = value
        default: break  // line and modem status are read-only
        }
        return nil
    }
}

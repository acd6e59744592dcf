import Testing

@testable import Devices

@Suite struct SerialPortTests {
    static let data: UInt16 = 0, interruptEnable: UInt16 = 1, fifo: UInt16 = 2, lineControl: UInt16 = 3
    static let modemControl: UInt16 = 4, lineStatus: UInt16 = 5, modemStatus: UInt16 = 6, scratch: UInt16 = 7

    @Test func `every byte that is written to the data register is transmitted`() {
        var port = SerialPort()
        for byte in UInt8.min...UInt8.max { #expect(port.write(Self.data, byte) == byte) }
    }

    @Test func `nothing is ever received`() {
        var port = SerialPort()
        _ = port.write(Self.data, 0x55)
        #expect(port.read(Self.data) == 0 && port.read(Self.lineStatus) & 1 == 0)
    }

    @Test func `the transmitter is always ready, and the line never broken`() {
        #expect(SerialPort().read(Self.lineStatus) == 0x60)
        #expect(SerialPort().read(Self.modemStatus) == 0xB0)
    }

    @Test func `the divisor is behind DLAB, and a write to it transmits nothing`() {
        var port = SerialPort()
        #expect(port.write(Self.interruptEnable, 0x0F) == nil)
        #expect(port.write(Self.lineControl, 0x83) == nil)
        #expect(port.write(Self.data, 0x34) == nil && port.write(Self.interruptEnable, 0x12) == nil)
        #expect(port.read(Self.data) == 0x34 && port.read(Self.interruptEnable) == 0x12)
        #expect(port.write(Self.lineControl, 0x03) == nil)
        #expect(port.read(Self.data) == 0 && port.read(Self.interruptEnable) == 0x0F)
        #expect(port.write(Self.data, 0x34) == 0x34)
    }

    @Test func `programmable registers hold what is written, within their bits`() {
        for (register, mask) in [(Self.interruptEnable, 0x0F), (Self.lineControl, 0x7F), (Self.modemControl, 0x1F), (Self.scratch, 0xFF)] as [(UInt16, UInt8)] {
            var port = SerialPort()
            for value in [0x00, 0x55, 0xAA & 0x7F, 0x7F] as [UInt8] {
                #expect(port.write(register, value) == nil)
                #expect(port.read(register) == value & mask, "register \(register)")
            }
        }
    }

    @Test func `interrupt identification says none pending, and whether the FIFOs are on`() {
        var port = SerialPort()
        #expect(port.read(Self.fifo) == 0x01)
        _ = port.write(Self.fifo, 0x07)
        #expect(port.read(Self.fifo) == 0xC1)
        _ = port.write(Self.fifo, 0x00)
        #expect(port.read(Self.fifo) == 0x01)
    }

    @Test func `status registers cannot be written`() {
        var port = SerialPort()
        #expect(port.write(Self.lineStatus, 0xFF) == nil && port.write(Self.modemStatus, 0xFF) == nil)
        #expect(port == SerialPort())
    }

    @Test func `Linux' test for a UART finds a 16550A`() {
        // 8250_port.c: the scratch register holds, IER has four bits, and FIFO enable shows as 11.
        var port = SerialPort()
        _ = port.write(Self.interruptEnable, 0)
        #expect(port.read(Self.interruptEnable) & 0x0F == 0)
        _ = port.write(Self.interruptEnable, 0x0F)
        #expect(port.read(Self.interruptEnable) & 0x0F == 0x0F)
        _ = port.write(Self.fifo, 1)
        #expect(port.read(Self.fifo) >> 6 == 3)
    }
}

import Support
import Testing

@testable import Devices

@Suite struct SerialPortTests {
    static let data: UInt16 = 0, interruptEnable: UInt16 = 1, fifo: UInt16 = 2, lineControl: UInt16 = 3
    static let modemControl: UInt16 = 4, lineStatus: UInt16 = 5, modemStatus: UInt16 = 6, scratch: UInt16 = 7
    static let output2: UInt8 = 0x08, loopback: UInt8 = 0x10

    /// A port with registers written in order.
    static func port(_ writes: (UInt16, UInt8)...) -> SerialPort {
        var port = SerialPort()
        for (register, value) in writes { _ = port.write(register, value) }
        return port
    }

    /// The same with a guest that looks for input.
    static func listening(_ writes: (UInt16, UInt8)...) -> SerialPort {
        var port = SerialPort()
        for (register, value) in writes { _ = port.write(register, value) }
        _ = port.read(lineStatus)
        return port
    }

    // MARK: Registers

    @Test func `a new port is quiet, its transmitter ready, its terminal there`() {
        var port = SerialPort()
        let values = (0..<8).map { port.read($0) }
        #expect(values == [0, 0, 0x01, 0, 0, 0x60, 0xB0, 0])
        #expect(!port.interruptLine && port.canReceive)
    }

    @Test func `every byte that is written to the data register is transmitted`() {
        var port = SerialPort()
        for byte in UInt8.min...UInt8.max { #expect(port.write(Self.data, byte) == byte) }
        #expect(port == SerialPort())
        // So it is with interrupts on.
        _ = port.write(Self.interruptEnable, 0x0F)
        for byte in UInt8.min...UInt8.max { #expect(port.write(Self.data, byte) == byte) }
        #expect(port.read(Self.lineStatus) == 0x60)
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

    @Test func `a received byte waits behind the divisor`() {
        var port = Self.listening((Self.lineControl, 0x83))
        #expect(port.receive(0x41) == true)
        _ = port.write(Self.data, 12)
        #expect(port.read(Self.data) == 12 && port.read(Self.lineStatus) == 0x61)
        _ = port.write(Self.lineControl, 0x03)
        #expect(port.read(Self.data) == 0x41 && port.read(Self.lineStatus) == 0x60)
    }

    @Test func `programmable registers hold what is written, within their bits`() {
        let masks: [(UInt16, UInt8)] = [
            (Self.interruptEnable, 0x0F), (Self.lineControl, 0xFF), (Self.modemControl, 0x1F), (Self.scratch, 0xFF),
        ]
        for (register, mask) in masks {
            var port = SerialPort()
            for value in UInt8.min...UInt8.max {
                #expect(port.write(register, value) == nil)
                #expect(port.read(register) == value & mask, "register \(register)")
            }
        }
    }

    @Test func `status registers cannot be written, and there are no others`() {
        var port = SerialPort()
        #expect(port.write(Self.lineStatus, 0xFF) == nil && port.write(Self.modemStatus, 0xFF) == nil)
        #expect(port == SerialPort())
    }

    // MARK: Receiver

    @Test func `without FIFOs one byte at a time is taken, and none is lost`() {
        var port = Self.listening()
        #expect(port.receive(0x41) && !port.canReceive && !port.receive(0x42))
        #expect(port.read(Self.lineStatus) == 0x61)
        #expect(port.read(Self.data) == 0x41 && port.read(Self.lineStatus) == 0x60)
        #expect(port.receive(0x42) && port.read(Self.data) == 0x42)
        // What was read last is still in the buffer.
        #expect(port.read(Self.data) == 0x42)
    }

    @Test func `what was typed before the guest set the port up waits until it looks`() {
        var port = Self.port((Self.lineControl, 3), (Self.modemControl, 3))
        #expect(!port.canReceive && !port.receive(0x41))
        _ = port.write(Self.fifo, 0xC7)
        #expect(!port.canReceive && port.read(Self.lineStatus) == 0x60)
        #expect(port.takeRoom() == true && port.receive(0x41) && port.read(Self.data) == 0x41)
        _ = port.write(Self.fifo, 0xC7)
        #expect(!port.canReceive)
        _ = port.write(Self.interruptEnable, 1)
        #expect(port.takeRoom() == true)
    }

    @Test func `the FIFO takes sixteen bytes and gives them in order, wherever it starts`() {
        var port = Self.listening((Self.fifo, 0x01))
        var next: UInt8 = 0, expected: UInt8 = 0
        for taken in 1...40 {
            while port.canReceive {
                #expect(port.receive(next) == true)
                next &+= 1
            }
            #expect(!port.receive(0xEE) && next &- expected == 16)
            for _ in 0..<(taken % 16 + 1) {
                #expect(port.read(Self.lineStatus) == 0x61 && port.read(Self.data) == expected)
                expected &+= 1
            }
        }
        while port.read(Self.lineStatus) & 1 != 0 {
            #expect(port.read(Self.data) == expected)
            expected &+= 1
        }
        #expect(expected == next)
    }

    @Test func `the FIFO is emptied by its reset bit, and by turning it on or off; not by the transmitter's reset bit`() {
        func isEmptied(from old: UInt8, by value: UInt8) -> Bool {
            var port = Self.listening((Self.fifo, old))
            #expect(port.receive(1) == true)
            _ = port.write(Self.fifo, value)
            return port.read(Self.lineStatus) & 1 == 0
        }
        #expect(isEmptied(from: 1, by: 0x03) && isEmptied(from: 1, by: 0xC7))
        #expect(isEmptied(from: 1, by: 0x00) && isEmptied(from: 0, by: 0x01))
        #expect(!isEmptied(from: 1, by: 0x01) && !isEmptied(from: 1, by: 0xC5) && !isEmptied(from: 0, by: 0x06))
    }

    @Test func `trigger levels need the enable bit and are gone with it`() {
        var port = Self.port((Self.fifo, 0xC0), (Self.interruptEnable, 1))
        #expect(port.read(Self.fifo) == 0x01)
        #expect(port.receive(1) && port.read(Self.fifo) == 0x04)
        _ = port.write(Self.fifo, 0xC1)
        _ = port.write(Self.fifo, 0x00)
        #expect(port.receive(1) && port.read(Self.fifo) == 0x04)
    }

    @Test(arguments: [(0x01, 1), (0x41, 4), (0x81, 8), (0xC1, 14)] as [(UInt8, Int)])
    func `bytes below the trigger level are told as timed out, from there on as received`(control: UInt8, level: Int) {
        var port = Self.port((Self.fifo, control), (Self.interruptEnable, 1), (Self.modemControl, Self.output2))
        #expect(port.read(Self.fifo) == 0xC1 && !port.interruptLine)
        for count in 1...16 {
            #expect(port.receive(UInt8(count)) == true)
            #expect(port.read(Self.fifo) == (count < level ? 0xCC : 0xC4), "\(count) bytes")
            #expect(port.interruptLine)
        }
        for count in (0..<16).reversed() {
            _ = port.read(Self.data)
            #expect(port.read(Self.fifo) == (count == 0 ? 0xC1 : count < level ? 0xCC : 0xC4), "\(count) bytes left")
            #expect(port.interruptLine == (count > 0))
        }
    }

    // MARK: Interrupts

    @Test func `the transmitter's interrupt comes when it is enabled, and goes by being identified`() {
        var port = Self.port((Self.modemControl, Self.output2))
        #expect(port.read(Self.fifo) == 0x01)
        _ = port.write(Self.interruptEnable, 2)
        #expect(port.interruptLine && port.read(Self.fifo) == 0x02)
        #expect(!port.interruptLine && port.read(Self.fifo) == 0x01)
        // Staying enabled is not an edge; being disabled hides it.
        _ = port.write(Self.interruptEnable, 2)
        #expect(!port.interruptLine)
        _ = port.write(Self.interruptEnable, 0)
        _ = port.write(Self.interruptEnable, 2)
        #expect(port.interruptLine)
        _ = port.write(Self.interruptEnable, 0)
        #expect(!port.interruptLine && port.read(Self.fifo) == 0x01)
        _ = port.write(Self.interruptEnable, 2)
        #expect(port.interruptLine)
    }

    @Test func `each transmitted byte brings the transmitter's interrupt again`() {
        var port = Self.port((Self.modemControl, Self.output2), (Self.interruptEnable, 2))
        #expect(port.read(Self.fifo) == 0x02 && !port.interruptLine)
        for byte in UInt8(0)..<20 {
            #expect(port.write(Self.data, byte) == byte)
            #expect(port.interruptLine && !port.takePulse(), "the rise is to be seen")
            #expect(port.read(Self.fifo) == 0x02 && !port.interruptLine)
        }
    }

    @Test func `a driver that writes without identifying still gets an edge for each byte`() {
        var port = Self.listening((Self.modemControl, Self.output2), (Self.interruptEnable, 2))
        for byte in UInt8(0)..<20 {
            #expect(port.interruptLine && port.write(Self.data, byte) == byte)
            #expect(port.interruptLine && port.takePulse() && !port.takePulse())
        }
        // Another source keeps the line high all the while, and a closed gate keeps it low.
        #expect(port.receive(1) == true)
        _ = port.write(Self.interruptEnable, 3)
        _ = port.write(Self.data, 0)
        #expect(port.interruptLine && !port.takePulse())
        _ = port.write(Self.modemControl, 0)
        _ = port.read(Self.data)
        _ = port.write(Self.data, 0)
        #expect(!port.interruptLine && !port.takePulse())
    }

    @Test func `a driver that reads one byte at an interrupt gets an edge for the rest, as the timeout starts again`() {
        var port = Self.port((Self.modemControl, Self.output2), (Self.interruptEnable, 1), (Self.fifo, 0x41))
        for byte in UInt8(0)..<6 { #expect(port.receive(byte) == true) }
        // 5 and 4 left: the trigger level holds the line up.
        for _ in 0..<2 {
            _ = port.read(Self.data)
            #expect(port.interruptLine && !port.takePulse())
        }
        for _ in 0..<3 {
            _ = port.read(Self.data)
            #expect(port.interruptLine && port.takePulse())
        }
        _ = port.read(Self.data)
        #expect(!port.interruptLine && !port.takePulse())
    }

    @Test func `the highest of the interrupts is identified, whatever else waits`() {
        // In loopback all four can be made; the FIFO holds 16, the 17th is an overrun.
        var port = Self.port((Self.lineControl, 3), (Self.fifo, 0x81), (Self.modemControl, Self.loopback))
        for byte in UInt8(0)..<17 { #expect(port.write(Self.data, byte) == nil) }
        _ = port.write(Self.interruptEnable, 0x0F)
        #expect(port.read(Self.fifo) == 0xC6)
        #expect(port.read(Self.fifo) == 0xC6, "identifying it does not end it")
        #expect(port.read(Self.lineStatus) == 0x63 && port.read(Self.lineStatus) == 0x61)
        #expect(port.read(Self.fifo) == 0xC4)
        for _ in 0..<9 { _ = port.read(Self.data) }
        #expect(port.read(Self.fifo) == 0xCC)
        for byte in UInt8(9)..<16 { #expect(port.read(Self.data) == byte) }
        #expect(port.read(Self.fifo) == 0xC2)
        #expect(port.read(Self.fifo) == 0xC0)
        #expect(port.read(Self.modemStatus) & 0x0F == 0x0B, "CTS, DSR and DCD fell on entering loopback")
        #expect(port.read(Self.fifo) == 0xC1)
    }

    @Test func `an interrupt that is not enabled is not identified`() {
        var port = Self.port((Self.lineControl, 3), (Self.fifo, 0x01), (Self.modemControl, Self.loopback))
        for byte in UInt8(0)..<17 { _ = port.write(Self.data, byte) }
        for (enable, identification) in [(0, 0xC1), (8, 0xC0), (2, 0xC2), (1, 0xC4), (4, 0xC6)] as [(UInt8, UInt8)] {
            _ = port.write(Self.interruptEnable, enable)
            #expect(port.read(Self.fifo) == identification)
        }
    }

    @Test func `without OUT2 no interrupt leaves the board, and with it the waiting one does`() {
        var port = Self.port((Self.interruptEnable, 1))
        #expect(port.receive(1) && port.read(Self.fifo) == 0x04 && !port.interruptLine)
        _ = port.write(Self.modemControl, Self.output2)
        #expect(port.interruptLine)
        _ = port.write(Self.modemControl, Self.output2 | Self.loopback)
        #expect(!port.interruptLine && port.read(Self.fifo) == 0x04, "loopback makes OUT2 inactive")
        _ = port.write(Self.modemControl, 0x07)
        #expect(!port.interruptLine)
    }

    // MARK: Loopback

    @Test func `in loopback the modem's outputs are its inputs, and nothing reaches the line`() {
        for outputs in UInt8(0)..<16 {
            var port = Self.port((Self.modemControl, Self.loopback | outputs), (Self.lineControl, 3))
            let bits: [(UInt8, UInt8)] = [(0x01, 0x20), (0x02, 0x10), (0x04, 0x40), (0x08, 0x80)]
            let expected = bits.reduce(0) { outputs & $1.0 != 0 ? $0 | $1.1 : $0 }
            #expect(port.read(Self.modemStatus) & 0xF0 == expected)
            #expect(port.write(Self.data, 0x5A) == nil && port.read(Self.data) == 0x5A)
        }
    }

    @Test func `changes of the modem's inputs are noted until they are read; of the ring only its end`() {
        var port = Self.port((Self.modemControl, Self.loopback | 0x0F))
        // From the terminal's CTS, DSR and DCD: only RI began.
        #expect(port.read(Self.modemStatus) == 0xF0)
        _ = port.write(Self.modemControl, Self.loopback)
        _ = port.write(Self.modemControl, Self.loopback)
        #expect(port.read(Self.modemStatus) == 0x0F && port.read(Self.modemStatus) == 0x00)
        for (output, now, end) in [(1, 0x22, 0x02), (2, 0x11, 0x01), (4, 0x40, 0x04), (8, 0x88, 0x08)] as [(UInt8, UInt8, UInt8)]
        {
            _ = port.write(Self.modemControl, Self.loopback | output)
            #expect(port.read(Self.modemStatus) == now)
            _ = port.write(Self.modemControl, Self.loopback)
            #expect(port.read(Self.modemStatus) == end)
        }
        _ = port.write(Self.modemControl, 0)
        #expect(port.read(Self.modemStatus) == 0xBB && port.read(Self.modemStatus) == 0xB0)
    }

    @Test func `a change of the modem's inputs interrupts until the modem status is read`() {
        var port = Self.port((Self.interruptEnable, 8), (Self.modemControl, Self.loopback))
        #expect(port.read(Self.fifo) == 0x00)
        _ = port.write(Self.modemControl, Self.output2)
        #expect(port.interruptLine)
        _ = port.read(Self.modemStatus)
        #expect(!port.interruptLine && port.read(Self.fifo) == 0x01)
    }

    @Test(arguments: [(0, 0x1F), (1, 0x3F), (2, 0x7F), (3, 0xFF)] as [(UInt8, UInt8)])
    func `in loopback a character has as many bits as the line control says`(length: UInt8, mask: UInt8) {
        var port = Self.port((Self.lineControl, length), (Self.modemControl, Self.loopback))
        _ = port.write(Self.data, 0xFF)
        #expect(port.read(Self.data) == mask)
    }

    @Test func `in loopback nothing comes from the line; what came before stays`() {
        var port = Self.listening((Self.fifo, 1))
        #expect(port.receive(0x41) == true)
        _ = port.write(Self.modemControl, Self.loopback)
        #expect(!port.canReceive && !port.receive(0x42))
        _ = port.write(Self.modemControl, 0)
        #expect(port.receive(0x42) && port.read(Self.data) == 0x41 && port.read(Self.data) == 0x42)
    }

    @Test func `an overrun without FIFOs leaves the newer byte, with them the older ones`() {
        var port = Self.port((Self.lineControl, 3), (Self.modemControl, Self.loopback))
        _ = port.write(Self.data, 1)
        _ = port.write(Self.data, 2)
        #expect(port.read(Self.lineStatus) == 0x63 && port.read(Self.data) == 2 && port.read(Self.lineStatus) == 0x60)
        _ = port.write(Self.fifo, 1)
        for byte in UInt8(0)..<18 { _ = port.write(Self.data, byte) }
        #expect(port.read(Self.lineStatus) == 0x63)
        for byte in UInt8(0)..<16 { #expect(port.read(Self.data) == byte) }
        #expect(port.read(Self.lineStatus) == 0x60)
    }

    @Test func `input interrupts if that is enabled and the gate is open`() {
        var port = Self.port((Self.interruptEnable, 0x0E), (Self.modemControl, Self.output2))
        #expect(!port.interruptsOnInput)
        _ = port.write(Self.interruptEnable, 0x01)
        #expect(port.interruptsOnInput && port.receive(1) && port.interruptLine)
        for control in [0, Self.output2 | Self.loopback] {
            _ = port.write(Self.modemControl, control)
            #expect(!port.interruptsOnInput && !port.interruptLine)
        }
    }

    // MARK: As drivers do it

    @Test func `Linux finds a 16550A`() {
        // drivers/tty/serial/8250/8250_port.c, autoconfig().
        var port = SerialPort()
        _ = port.write(Self.interruptEnable, 0)
        #expect(port.read(Self.interruptEnable) & 0x0F == 0)
        _ = port.write(Self.interruptEnable, 0x0F)
        #expect(port.read(Self.interruptEnable) & 0x0F == 0x0F)
        _ = port.write(Self.interruptEnable, 0)
        // Loopback with OUT2 and RTS shows as DCD and CTS.
        _ = port.write(Self.modemControl, 0x1A)
        #expect(port.read(Self.modemStatus) & 0xF0 == 0x90)
        _ = port.write(Self.modemControl, 0)
        // No extended feature register, and FIFOs that work.
        _ = port.write(Self.lineControl, 0xBF)
        _ = port.write(Self.fifo, 0)
        _ = port.write(Self.lineControl, 0)
        _ = port.write(Self.fifo, 1)
        #expect(port.read(Self.fifo) >> 6 == 3)
        // autoconfig_16550a(): not one with registers behind LCR BFH or 80H,
        for bank in [0x80, 0xBF] as [UInt8] {
            _ = port.write(Self.lineControl, bank)
            #expect(port.read(Self.fifo) != 0)
        }
        // not National's SuperIO, whose second bank shows loopback at offset 2,
        _ = port.write(Self.lineControl, 0)
        let before = port.read(Self.modemControl)
        _ = port.write(Self.modemControl, before ^ Self.loopback)
        _ = port.write(Self.lineControl, 0xE0)
        #expect((port.read(Self.fifo) ^ before) & Self.loopback == 0)
        _ = port.write(Self.lineControl, 0)
        _ = port.write(Self.modemControl, before)
        // not a 16750 with 64 bytes,
        _ = port.write(Self.lineControl, 0x80)
        _ = port.write(Self.fifo, 0x21)
        #expect(port.read(Self.fifo) >> 5 == 6)
        _ = port.write(Self.lineControl, 0)
        // and not an XScale with a unit enable.
        _ = port.write(Self.interruptEnable, 0x40)
        #expect(port.read(Self.interruptEnable) & 0x40 == 0)
    }

    @Test func `Linux measures a FIFO of 16 bytes through the loopback`() {
        // size_fifo()
        var port = Self.port((Self.lineControl, 0), (Self.fifo, 0x07), (Self.modemControl, Self.loopback))
        _ = port.write(Self.lineControl, 0x80)
        _ = port.write(Self.data, 1)
        _ = port.write(Self.interruptEnable, 0)
        _ = port.write(Self.lineControl, 3)
        for byte in UInt8.min...UInt8.max { _ = port.write(Self.data, byte) }
        var count = 0
        while port.read(Self.lineStatus) & 1 != 0, count < 256 {
            #expect(port.read(Self.data) == UInt8(count))
            count += 1
        }
        #expect(count == 16)
    }

    @Test func `Linux finds no fault with the transmitter's interrupt when it opens the port`() {
        // serial8250_do_startup(): the tests for UART_BUG_THRE and UART_BUG_TXEN.
        var port = Self.port((Self.fifo, 0x07), (Self.fifo, 0), (Self.lineControl, 3))
        #expect(port.read(Self.lineStatus) != 0xFF)
        _ = (port.read(Self.data), port.read(Self.fifo), port.read(Self.modemStatus))
        _ = port.write(Self.interruptEnable, 2)
        #expect(port.read(Self.fifo) & 1 == 0)
        _ = port.write(Self.interruptEnable, 0)
        _ = port.write(Self.interruptEnable, 2)
        #expect(port.read(Self.fifo) & 1 == 0)
        _ = port.write(Self.interruptEnable, 0)
        _ = port.write(Self.modemControl, 0x0B)
        _ = port.write(Self.interruptEnable, 2)
        #expect(port.read(Self.lineStatus) & 0x40 != 0 && port.read(Self.fifo) & 1 == 0)
        _ = port.write(Self.interruptEnable, 0)
        #expect(!port.interruptLine)
    }

    @Test func `Linux' interrupt handler sends and receives, and leaves the line low`() {
        var port = Self.port((Self.lineControl, 3), (Self.fifo, 0x87), (Self.modemControl, 0x0B), (Self.interruptEnable, 0x05))
        var toSend = Array("login: ".utf8), sent: [UInt8] = [], typed: [UInt8] = []
        for byte in Array("root\r".utf8) { #expect(port.receive(byte) == true) }
        _ = port.write(Self.interruptEnable, 0x07)
        #expect(port.interruptLine)
        var passes = 0
        while port.read(Self.fifo) & 1 == 0, passes < 10 {
            passes += 1
            while port.read(Self.lineStatus) & 1 != 0 { typed.append(port.read(Self.data)) }
            _ = port.read(Self.modemStatus)
            guard port.read(Self.lineStatus) & 0x20 != 0 else { continue }
            if toSend.isEmpty {
                _ = port.write(Self.interruptEnable, 0x05)
            } else {
                for byte in toSend { if let byte = port.write(Self.data, byte) { sent.append(byte) } }
                toSend = []
            }
        }
        #expect(typed == Array("root\r".utf8) && sent == Array("login: ".utf8) && passes < 10)
        #expect(!port.interruptLine)
    }

    @Test
    func `whatever is read and written, the line is high exactly when an enabled interrupt is identified behind an open gate`() {
        var random = FixedSeedGenerator(seed: 0x16550)
        var port = SerialPort()
        for _ in 0..<50_000 {
            let value = UInt8.random(in: 0...255, using: &random), offset = UInt16.random(in: 0...9, using: &random)
            switch UInt8.random(in: 0..<4, using: &random) {
            case 0: _ = port.write(offset, value)
            case 1: _ = port.read(offset)
            case 2: _ = port.receive(value)
            default: _ = port.takePulse()
            }
            var copy = port
            let isIdentified = copy.read(Self.fifo) & 1 == 0
            let isGateOpen = copy.read(Self.modemControl) & 0x18 == 0x08
            #expect(port.interruptLine == (isIdentified && isGateOpen))
            copy = port
            let isReady = copy.read(Self.lineStatus) & 1 != 0
            #expect(isReady || copy.canReceive || copy.read(Self.modemControl) & 0x10 != 0)
        }
    }
}

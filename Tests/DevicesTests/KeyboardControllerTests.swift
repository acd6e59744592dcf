import Devices
import Support
import Testing

@Suite struct KeyboardControllerTests {
    private static let frequency: UInt64 = 50_000_000

    /// A guest at the two ports that lets a millisecond go by between its steps.
    private struct Guest {
        var controller = KeyboardController(timeStampFrequency: KeyboardControllerTests.frequency)
        var time = MachineTime(0)

        mutating func wait() { time.ticks += KeyboardControllerTests.frequency / 1000 }

        mutating func status() -> UInt8 {
            wait()
            return controller.readStatus(at: time)
        }

        /// The byte of the output buffer; nil if it is empty.
        mutating func data() -> UInt8? { status() & 1 != 0 ? controller.readData(at: time) : nil }

        mutating func allData() -> [UInt8] {
            var bytes: [UInt8] = []
            while let byte = data(), bytes.count < 100 { bytes.append(byte) }
            return bytes
        }

        /// A command for the controller, and what it answers.
        mutating func command(_ command: UInt8, _ data: UInt8...) -> [UInt8] {
            #expect(controller.writeCommand(command, at: time) == .none)
            #expect(status() & 0x08 != 0)
            for byte in data { #expect(controller.writeData(byte, at: time) == .none) }
            return allData()
        }

        /// Bytes for the keyboard, each with its answer read before the next.
        mutating func keyboard(_ bytes: UInt8...) -> [UInt8] {
            var answers: [UInt8] = []
            for byte in bytes {
                #expect(controller.writeData(byte, at: time) == .none)
                #expect(status() & 0x08 == 0)
                answers += allData()
            }
            return answers
        }
    }

    // MARK: The controller

    @Test func `at first the output buffer is empty, the self test was passed, and the keyboard is not locked`() {
        var guest = Guest()
        #expect(guest.status() == 0x14 && !guest.controller.interruptLine)
        #expect(guest.controller.nextEvent == .never && guest.controller.isA20Enabled)
    }

    @Test func `the self test and the keyboard's interface test pass`() {
        var guest = Guest()
        #expect(guest.command(0xAA) == [0x55])
        #expect(guest.command(0xAB) == [0x00])
        #expect(guest.command(0xC0) == [0x80])
    }

    @Test func `the command byte is read as written, but the auxiliary port stays off`() {
        var guest = Guest()
        #expect(guest.command(0x20) == [0x65])
        #expect(guest.command(0x60, 0x00) == [])
        #expect(guest.command(0x20) == [0x20])
        #expect(guest.status() & 0x04 == 0)
        #expect(guest.command(0x60, 0xFF) == [])
        #expect(guest.command(0x20) == [0x77])
        #expect(guest.command(0xA8) == [])
        #expect(guest.command(0x20) == [0x77])
        #expect(guest.command(0xA7) == [])
        #expect(guest.command(0xAE) == [])
        #expect(guest.command(0x20) == [0x67])
        #expect(guest.command(0xAD) == [])
        #expect(guest.command(0x20) == [0x77])
    }

    @Test func `an auxiliary port is not found: its test fails, its loop is not marked as its own, nobody takes its data`() {
        var guest = Guest()
        #expect(guest.command(0xA9) == [0x01])
        _ = guest.controller.writeCommand(0xD3, at: guest.time)
        _ = guest.controller.writeData(0x5A, at: guest.time)
        #expect(guest.status() & 0x21 == 0x01)
        #expect(guest.data() == 0x5A)
        _ = guest.controller.writeCommand(0xD4, at: guest.time)
        _ = guest.controller.writeData(0xFF, at: guest.time)
        #expect(guest.status() & 0x61 == 0x41)
        #expect(guest.data() == 0xFE)
        #expect(guest.status() & 0x41 == 0)
    }

    @Test func `a byte can be put into the output buffer as if typed`() {
        var guest = Guest()
        #expect(guest.command(0xD2, 0x83) == [0x83])
    }

    @Test func `the output port shows the buffer and holds A20`() {
        var guest = Guest()
        #expect(guest.command(0xD0) == [0xC3])
        #expect(guest.command(0xD1, 0xC1) == [] && !guest.controller.isA20Enabled)
        #expect(guest.command(0xD0) == [0xC1])
        #expect(guest.command(0xDF) == [] && guest.controller.isA20Enabled)
        #expect(guest.command(0xDD) == [] && !guest.controller.isA20Enabled)
        _ = guest.controller.writeData(0xEE, at: guest.time)
        _ = guest.controller.writeCommand(0xD0, at: guest.time)
        #expect(guest.allData() == [0xEE, 0xD1])
    }

    @Test func `the reset line is pulsed by even pulse commands and by the output port, by nothing else`() {
        for command in UInt8.min...UInt8.max {
            var guest = Guest()
            let resets = command >= 0xF0 && command & 1 == 0
            #expect(guest.controller.writeCommand(command, at: guest.time) == (resets ? .reset : .none))
            let dataResets = command == 0xD1
            #expect(guest.controller.writeData(0x02, at: guest.time) == (dataResets ? .reset : .none))
        }
    }

    @Test func `each byte makes its own interrupt, which can be switched off`() {
        var guest = Guest()
        _ = guest.controller.writeData(0xF2, at: guest.time)
        for byte in [0xFA, 0xAB, 0x41] as [UInt8] {
            guest.controller.advance(to: guest.time)
            #expect(guest.controller.interruptLine)
            #expect(guest.controller.readData(at: guest.time) == byte)
            #expect(!guest.controller.interruptLine)
            // Read again, the buffer has what it had.
            #expect(guest.controller.readData(at: guest.time) == byte)
            guard byte != 0x41 else { break }
            #expect(guest.controller.nextEvent > guest.time)
            #expect(guest.controller.nextEvent.ticks - guest.time.ticks < Self.frequency / 10000)
            guest.time = guest.controller.nextEvent
        }
        #expect(guest.controller.nextEvent == .never)
        #expect(guest.command(0x60, 0x64) == [])
        _ = guest.controller.writeData(0xF2, at: guest.time)
        #expect(!guest.controller.interruptLine)
        _ = guest.controller.readData(at: guest.time)
        #expect(guest.controller.nextEvent == .never && guest.allData() == [0xAB, 0x41])
    }

    @Test func `an answer of the controller's goes before what the keyboard has to say`() {
        var guest = Guest()
        _ = guest.controller.writeData(0xF2, at: guest.time)
        _ = guest.controller.writeCommand(0x20, at: guest.time)
        #expect(guest.allData() == [0xFA, 0x65, 0xAB, 0x41])
    }

    @Test func `an answer that nobody has read gives way to the next`() {
        var guest = Guest()
        _ = guest.controller.writeCommand(0xAA, at: guest.time)
        _ = guest.controller.writeCommand(0xD4, at: guest.time)
        _ = guest.controller.writeData(0x00, at: guest.time)
        #expect(guest.status() & 0x41 == 0x41)
        #expect(guest.command(0x20) == [0x65])
        #expect(guest.status() & 0x41 == 0)
    }

    @Test func `a keyboard that is switched off keeps its bytes, and is switched on by the next one it gets`() {
        var guest = Guest()
        #expect(guest.command(0xAD) == [])
        #expect(guest.keyboard(0xEE) == [0xEE])
        _ = guest.controller.writeData(0xF2, at: guest.time)
        _ = guest.controller.readData(at: guest.time)
        #expect(guest.command(0xAD) == [])
        #expect(guest.command(0xAE) == [0xAB, 0x41])
    }

    // MARK: The keyboard

    @Test func `the keyboard resets, tells what it is, and echoes`() {
        var guest = Guest()
        #expect(guest.keyboard(0xFF) == [0xFA, 0xAA])
        #expect(guest.keyboard(0xF2) == [0xFA, 0xAB, 0x41])
        #expect(guest.keyboard(0xEE) == [0xEE])
        #expect(guest.keyboard(0xFE) == [0xEE])
        #expect(guest.keyboard(0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA) == [UInt8](repeating: 0xFA, count: 7))
        #expect(guest.keyboard(0xEF, 0xF1, 0x00) == [0xFE, 0xFE, 0xFE])
    }

    @Test func `untranslated, it is a keyboard AB 83`() {
        var guest = Guest()
        #expect(guest.command(0x60, 0x25) == [])
        #expect(guest.keyboard(0xF2) == [0xFA, 0xAB, 0x83])
        #expect(guest.keyboard(0xF0, 0x00) == [0xFA, 0xFA, 0x02])
    }

    @Test func `lights, rate and scan code set take an argument; a command instead of one is a command`() {
        var guest = Guest()
        #expect(guest.keyboard(0xED, 0x07) == [0xFA, 0xFA])
        #expect(guest.keyboard(0xF3, 0x00) == [0xFA, 0xFA])
        for (set, translated) in zip([1, 2, 3] as [UInt8], [0x43, 0x41, 0x3F] as [UInt8]) {
            #expect(guest.keyboard(0xF0, set) == [0xFA, 0xFA])
            #expect(guest.keyboard(0xF0, 0x00) == [0xFA, 0xFA, translated])
        }
        #expect(guest.keyboard(0xF0, 0x04) == [0xFA, 0xFE])
        #expect(guest.keyboard(0xED, 0xF4, 0x07) == [0xFA, 0xFA, 0xFE])
        #expect(guest.keyboard(0xF6, 0xF0, 0x00) == [0xFA, 0xFA, 0xFA, 0x41])
    }

    @Test func `Linux finds the controller and its keyboard: its probe, step by step`() {
        var guest = Guest()
        #expect(guest.allData() == [])
        #expect(guest.command(0x20) == [0x65] && guest.command(0x20) == [0x65])
        #expect(guest.status() & 0x10 != 0)
        #expect(guest.command(0x60, 0x74) == [] && guest.allData() == [])
        // It leaves the loop test's byte unread when it is not marked as the auxiliary device's.
        _ = guest.controller.writeCommand(0xD3, at: guest.time)
        _ = guest.controller.writeData(0x5A, at: guest.time)
        #expect(guest.status() & 0x21 == 0x01)
        #expect(guest.command(0xA9) == [0x01])
        #expect(guest.command(0x60, 0x65) == [] && !guest.controller.interruptLine)
        #expect(guest.keyboard(0xF2) == [0xFA, 0xAB, 0x41])
        #expect(guest.keyboard(0xF5) == [0xFA])
        #expect(guest.keyboard(0xED, 0x00, 0xF3, 0x00, 0xF4) == [0xFA, 0xFA, 0xFA, 0xFA, 0xFA])
    }

    @Test func `no access traps, and the keyboard still answers after a reset`() {
        var generator = FixedSeedGenerator(seed: 8042)
        var guest = Guest()
        for _ in 0..<100_000 {
            guest.time = generator.time(after: guest.time)
            let value = generator.next()
            let byte = UInt8(truncatingIfNeeded: value >> 8) | (value & 32 != 0 ? 0xE0 : 0)
            switch value & 7 {
            case 0: guest.controller.advance(to: guest.time)
            case 1: _ = guest.controller.readData(at: guest.time)
            case 2: _ = guest.controller.readStatus(at: guest.time)
            case 3...5: _ = guest.controller.writeData(byte, at: guest.time)
            default: _ = guest.controller.writeCommand(byte, at: guest.time)
            }
        }
        _ = guest.allData()
        #expect(guest.command(0x60, 0x65) == [])
        #expect(guest.command(0xAA) == [0x55])
        #expect(guest.keyboard(0xFF) == [0xFA, 0xAA])
    }
}

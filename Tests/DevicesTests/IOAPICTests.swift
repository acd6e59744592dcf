import Support
import Testing

@testable import Devices

extension IOAPIC {
    /// A register behind the window.
    mutating func get(_ index: UInt8) -> UInt32 {
        write(offset: 0x00, value: UInt32(index))
        return read(offset: 0x10)
    }
    mutating func set(_ index: UInt8, _ value: UInt32) {
        write(offset: 0x00, value: UInt32(index))
        write(offset: 0x10, value: value)
    }
    mutating func entry(_ pin: UInt8) -> UInt64 { UInt64(get(0x11 + 2 * pin)) << 32 | UInt64(get(0x10 + 2 * pin)) }
    mutating func setEntry(_ pin: UInt8, _ value: UInt64) {
        set(0x11 + 2 * pin, UInt32(value >> 32))
        set(0x10 + 2 * pin, UInt32(truncatingIfNeeded: value))
    }
    mutating func messages() -> [InterruptMessage] {
        var messages: [InterruptMessage] = []
        while let message = takeMessage(), messages.count < 100 { messages.append(message) }
        return messages
    }
    mutating func vectors() -> [UInt8] { messages().map(\.vector) }
    mutating func pulse(_ pin: UInt8) {
        setLine(pin, true)
        setLine(pin, false)
    }
}

extension VectorSet {
    var members: [UInt8] { (UInt8.min...UInt8.max).filter(contains) }
}

@Suite struct IOAPICTests {
    static let level: UInt64 = 1 << 15, masked: UInt64 = 1 << 16, remoteRequest: UInt64 = 1 << 14, status: UInt64 = 1 << 12

    // MARK: Registers

    @Test func `the identifying registers: identifier, 24 pins of version 20H, arbitration`() {
        var apic = IOAPIC(identifier: 1)
        #expect(apic.get(0) == 0x0100_0000 && apic.get(1) == 0x0017_0020 && apic.get(2) == 0x0100_0000)
        apic.set(0, 0xFFFF_FFFF)
        #expect(apic.get(0) == 0x0F00_0000 && apic.get(2) == 0x0F00_0000)
        apic.set(1, 0)
        apic.set(2, 0)
        #expect(apic.get(1) == 0x0017_0020 && apic.get(2) == 0x0F00_0000)
    }

    @Test func `all pins are masked at first`() {
        var apic = IOAPIC(identifier: 0)
        for pin in UInt8(0)..<24 { #expect(apic.entry(pin) == Self.masked) }
    }

    @Test func `entries hold their bits, each its own; delivery status and remote IRR cannot be written`() {
        var apic = IOAPIC(identifier: 0)
        for pin in UInt8(0)..<24 { apic.setEntry(pin, .max) }
        for pin in UInt8(0)..<24 { #expect(apic.entry(pin) == 0xFF00_0000_0001_AFFF) }
        for pin in UInt8(0)..<24 { apic.setEntry(pin, UInt64(pin) << 56 | Self.masked | UInt64(pin) * 7) }
        for pin in UInt8(0)..<24 { #expect(apic.entry(pin) == UInt64(pin) << 56 | Self.masked | UInt64(pin) * 7) }
    }

    @Test func `registers that there are not read as 0 and hold nothing`() {
        var apic = IOAPIC(identifier: 0)
        let new = apic
        for index in Array(UInt8(3)..<16) + Array(UInt8(64)...255) {
            apic.set(index, .max)
            #expect(apic.get(index) == 0)
        }
        for offset in [0x04, 0x0C, 0x20, 0x30, 0x44, 0xFFC, 0x1000, .max] as [UInt64] {
            apic.write(offset: offset, value: .max)
            #expect(apic.read(offset: offset) == 0)
        }
        #expect(apic.read(offset: 0x40) == 0)
        apic.write(offset: 0x00, value: 0)
        #expect(apic == new)
    }

    @Test func `the selecting register has eight bits`() {
        var apic = IOAPIC(identifier: 0)
        apic.write(offset: 0, value: 0xFFFF_FF01)
        #expect(apic.read(offset: 0) == 0x01 && apic.read(offset: 0x10) == 0x0017_0020)
    }

    // MARK: Messages

    @Test func `a message says what the entry says`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(3, 0x05 << 56 | 0x0841)
        apic.setEntry(4, 0x03 << 56 | Self.level | 0x0142)
        apic.pulse(3)
        apic.setLine(4, true)
        #expect(
            apic.messages() == [
                InterruptMessage(vector: 0x41, destination: 5, isLogical: true),
                InterruptMessage(vector: 0x42, deliveryMode: .lowestPriority, destination: 3, isLevelTriggered: true),
            ])
    }

    @Test(arguments: UInt8(0)..<8)
    func `each delivery mode is the message's; reserved ones send nothing`(mode: UInt8) {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(3, UInt64(mode) << 8 | 0x41)
        apic.pulse(3)
        let modes = apic.messages().map(\.deliveryMode)
        #expect(modes == ([3, 6].contains(mode) ? [] : [InterruptMessage.DeliveryMode(rawValue: mode)!]))
        // A mode without a vector to end is edge-triggered, whatever the entry says.
        apic.setEntry(3, UInt64(mode) << 8 | Self.level | 0x41)
        apic.setLine(3, true)
        let messages = apic.messages()
        #expect(messages.map(\.isLevelTriggered) == ([3, 6].contains(mode) ? [] : [mode < 2]))
        #expect(apic.entry(3) & Self.remoteRequest == (mode < 2 ? Self.remoteRequest : 0))
        #expect(apic.levelTriggeredVectors().members == (mode < 2 ? [0x41] : []))
    }

    @Test func `the broadcast destination is one in both modes of the local APIC`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(3, 0xFF << 56 | 0x41)
        apic.pulse(3)
        #expect(apic.takeMessage()?.destination == .max)
    }

    @Test func `messages come one by one, the lowest pin's first, and then none`() {
        var apic = IOAPIC(identifier: 0)
        for pin in UInt8(0)..<24 { apic.setEntry(pin, UInt64(0x40 + pin)) }
        #expect(!apic.hasMessage)
        for pin in (UInt8(0)..<24).reversed() { apic.pulse(pin) }
        #expect(apic.hasMessage && apic.vectors() == Array(0x40..<0x58))
        #expect(!apic.hasMessage && apic.takeMessage() == nil)
    }

    @Test func `pins that there are not are ignored`() {
        var apic = IOAPIC(identifier: 0)
        for pin in UInt8(0)..<24 { apic.setEntry(pin, 0x41) }
        let new = apic
        for pin in [24, 31, 32, 56, 255] as [UInt8] {
            apic.setLine(pin, true)
            #expect(apic == new && !apic.hasMessage)
        }
    }

    // MARK: Edges

    @Test func `an edge interrupts once, each anew`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(4, 0x34)
        for _ in 0..<3 {
            apic.setLine(4, true)
            apic.setLine(4, true)
            #expect(apic.entry(4) & Self.status != 0 && apic.vectors() == [0x34])
            #expect(apic.entry(4) == 0x34)
            apic.endOfInterrupt(vector: 0x34)
            #expect(!apic.hasMessage)
            apic.setLine(4, false)
            #expect(!apic.hasMessage)
        }
    }

    @Test func `an edge that was not taken outlasts its line, and two are one`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(4, 0x34)
        apic.pulse(4)
        apic.pulse(4)
        #expect(apic.vectors() == [0x34])
    }

    @Test func `an edge on a masked pin is lost, also when it was not taken before the mask`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(4, Self.masked | 0x34)
        apic.setLine(4, true)
        apic.setEntry(4, 0x34)
        #expect(!apic.hasMessage)
        apic.setLine(4, false)
        apic.setLine(4, true)
        #expect(apic.hasMessage)
        apic.setEntry(4, Self.masked | 0x34)
        apic.setEntry(4, 0x34)
        #expect(!apic.hasMessage)
    }

    // MARK: Levels

    @Test func `a level is sent once until its end, and again if it is still there`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(9, Self.level | 0x49)
        apic.setLine(9, true)
        #expect(apic.entry(9) == Self.level | Self.status | 0x49)
        for _ in 0..<3 {
            #expect(apic.vectors() == [0x49] && apic.entry(9) == Self.level | Self.remoteRequest | 0x49)
            apic.setLine(9, false)
            apic.setLine(9, true)
            apic.endOfInterrupt(vector: 0x48)
            #expect(!apic.hasMessage)
            apic.endOfInterrupt(vector: 0x49)
            #expect(apic.hasMessage)
        }
        #expect(apic.vectors() == [0x49])
        apic.setLine(9, false)
        apic.endOfInterrupt(vector: 0x49)
        #expect(!apic.hasMessage && apic.entry(9) == Self.level | 0x49)
    }

    @Test func `the end-of-interrupt register is that of the local APICs' message`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(9, Self.level | 0x49)
        apic.setLine(9, true)
        _ = apic.takeMessage()
        apic.write(offset: 0x40, value: 0xFFFF_FF48)
        #expect(!apic.hasMessage)
        apic.write(offset: 0x40, value: 0xFFFF_FF49)
        #expect(apic.hasMessage)
    }

    @Test func `a level that goes before it is taken is withdrawn`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(9, Self.level | 0x49)
        apic.setLine(9, true)
        apic.setLine(9, false)
        #expect(!apic.hasMessage && apic.takeMessage() == nil)
    }

    @Test func `an asserted level is sent when its pin is unmasked, but not twice`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(9, Self.masked | Self.level | 0x49)
        apic.setLine(9, true)
        #expect(!apic.hasMessage)
        apic.setEntry(9, Self.level | 0x49)
        #expect(apic.vectors() == [0x49])
        apic.setEntry(9, Self.masked | Self.level | 0x49)
        apic.setEntry(9, Self.level | 0x49)
        #expect(!apic.hasMessage && apic.entry(9) & Self.remoteRequest != 0)
        // Ended behind the mask, it waits for the mask to go.
        apic.setEntry(9, Self.masked | Self.level | 0x49)
        apic.endOfInterrupt(vector: 0x49)
        #expect(!apic.hasMessage && apic.entry(9) & Self.remoteRequest == 0)
        apic.setEntry(9, Self.level | 0x49)
        #expect(apic.vectors() == [0x49])
    }

    @Test func `an end is one of all pins with that vector`() {
        var apic = IOAPIC(identifier: 0)
        for pin in [5, 10, 23] as [UInt8] {
            apic.setEntry(pin, Self.level | (pin == 10 ? 0x50 : 0x51))
            apic.setLine(pin, true)
        }
        #expect(apic.vectors() == [0x51, 0x50, 0x51])
        apic.endOfInterrupt(vector: 0x51)
        #expect(apic.vectors() == [0x51, 0x51])
    }

    @Test func `the polarity is kept and changes nothing`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(9, 1 << 13 | Self.level | 0x49)
        #expect(!apic.hasMessage)
        apic.setLine(9, true)
        #expect(apic.vectors() == [0x49] && apic.entry(9) & 1 << 13 != 0)
    }

    @Test func `made edge-triggered, a pin forgets that an end is due`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(9, Self.level | 0x49)
        apic.setLine(9, true)
        _ = apic.takeMessage()
        apic.setEntry(9, Self.masked | 0x49)
        #expect(apic.entry(9) == Self.masked | 0x49)
        apic.setEntry(9, Self.level | 0x49)
        #expect(apic.vectors() == [0x49])
    }

    @Test func `an edge that waits is none any more when its pin becomes level-triggered`() {
        var apic = IOAPIC(identifier: 0)
        apic.setEntry(9, 0x49)
        apic.pulse(9)
        apic.setEntry(9, Self.level | 0x49)
        #expect(!apic.hasMessage)
    }

    // MARK: What local APICs must tell

    @Test func `the vectors to be ended are those of level-triggered pins that request or did, and changes are told`() {
        var apic = IOAPIC(identifier: 0)
        var changes = apic.redirectionChanges
        func isTold() -> Bool {
            defer { changes = apic.redirectionChanges }
            return apic.redirectionChanges != changes
        }
        apic.setEntry(1, 0x31)
        apic.setEntry(2, Self.masked | Self.level | 0x32)
        #expect(apic.levelTriggeredVectors().members == [] && !isTold())
        for (pin, vector) in [(3, 0x10), (4, 0x3F), (5, 0x40), (6, 0x7F), (7, 0x80), (8, 0xBF), (9, 0xC0), (10, 0xFF)]
            as [(UInt8, UInt64)]
        {
            apic.setEntry(pin, Self.level | vector)
            #expect(isTold())
            apic.setEntry(pin, Self.level | vector)
            #expect(!isTold(), "the same again")
        }
        let all = apic.levelTriggeredVectors()
        #expect(all.members == [0x10, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xFF])
        #expect(all.word0 == 1 << 63 | 1 << 16 && all.word1 == 1 << 63 | 1 && all.word2 == all.word1 && all.word3 == all.word1)
        for pin in UInt8(4)...10 { apic.setEntry(pin, Self.masked) }
        #expect(isTold() && apic.levelTriggeredVectors().members == [0x10])
        apic.setEntry(3, Self.level | 0x33)
        #expect(isTold() && apic.levelTriggeredVectors().members == [0x33])
        // Masked while in service, its end is still awaited.
        apic.setLine(3, true)
        _ = apic.takeMessage()
        apic.setEntry(3, Self.masked | Self.level | 0x33)
        #expect(!isTold() && apic.levelTriggeredVectors().members == [0x33])
        apic.endOfInterrupt(vector: 0x33)
        #expect(isTold() && apic.levelTriggeredVectors().members == [])
    }

    // MARK: As drivers do it

    @Test func `Linux' timer check gets its ticks through pin 2`() {
        // arch/x86/kernel/apic/io_apic.c: clear_IO_APIC_pin(), setup of pin 2, timer_irq_works() with pin masked and unmasked.
        var apic = IOAPIC(identifier: 1)
        #expect(apic.get(0) >> 24 & 0xF == 1 && apic.get(1) >> 16 & 0xFF == 23)
        for pin in UInt8(0)..<24 {
            #expect(apic.entry(pin) & Self.remoteRequest == 0)
            apic.setEntry(pin, Self.masked)
        }
        // ioapic_write_entry(): the high half first, so that the mask goes last.
        apic.setEntry(2, 0x01 << 56 | Self.masked | 0x0830)
        apic.pulse(2)
        #expect(!apic.hasMessage)
        apic.set(0x14, apic.get(0x14) & ~(1 << 16))
        var ticks = 0
        for _ in 0..<10 {
            apic.pulse(2)
            ticks += apic.vectors().filter { $0 == 0x30 }.count
        }
        #expect(ticks == 10)
        // Set anew by the driver with the mask on: no ticks.
        apic.set(0x14, apic.get(0x14) | 1 << 16)
        apic.pulse(2)
        #expect(apic.vectors() == [])
    }

    @Test func `Linux ends an interrupt behind a mask both ways`() {
        // eoi_ioapic_pin(): the register, of version 20H, or edge-triggered for a moment.
        for usesRegister in [true, false] {
            var apic = IOAPIC(identifier: 1)
            apic.setEntry(11, Self.level | 0x29)
            apic.setLine(11, true)
            #expect(apic.vectors() == [0x29])
            if usesRegister {
                apic.write(offset: 0x40, value: 0x29)
            } else {
                let entry = apic.get(0x10 + 22)
                apic.set(0x10 + 22, entry & ~UInt32(Self.level) | UInt32(Self.masked))
                apic.set(0x10 + 22, entry)
            }
            #expect(apic.vectors() == [0x29])
        }
    }

    @Test func `the 8259 pair's output passes through a pin in ExtINT mode`() {
        var apic = IOAPIC(identifier: 1)
        apic.setEntry(0, 0x700)
        apic.setLine(0, true)
        #expect(apic.messages().map(\.deliveryMode) == [.external])
    }

    @Test func `random use: a pin sends only unmasked, a level never twice before its end, and it all ends`() {
        var random = FixedSeedGenerator(seed: 82093)
        var apic = IOAPIC(identifier: 1)
        /// Level-triggered pins whose end is due, by what the registers say.
        func pending() -> [UInt8] {
            (UInt8(0)..<24).filter {
                var copy = apic; return copy.entry($0) & Self.remoteRequest != 0
            }
        }
        for _ in 0..<20_000 {
            let word = UInt64.random(in: 0...UInt64.max, using: &random), pin = UInt8(truncatingIfNeeded: word >> 32 & 31)
            switch word & 7 {
            case 0: apic.set(UInt8(truncatingIfNeeded: word >> 40), UInt32(truncatingIfNeeded: word >> 8))
            case 1: apic.write(offset: word >> 48 & 0xFF0, value: UInt32(truncatingIfNeeded: word >> 8))
            case 2: apic.endOfInterrupt(vector: UInt8(truncatingIfNeeded: word >> 8))
            case 3: _ = apic.levelTriggeredVectors()
            case 4, 5: apic.setLine(pin, word & 8 != 0)
            default:
                let before = pending()
                let messages = apic.messages()
                #expect(messages.count <= 24 && !apic.hasMessage)
                #expect(pending().count == before.count + messages.filter(\.isLevelTriggered).count)
                #expect(!messages.contains { $0.deliveryMode == .reserved || $0.deliveryMode == .startup })
            }
            let vectors = apic.levelTriggeredVectors()
            for pin in pending() {
                var copy = apic
                #expect(vectors.contains(UInt8(truncatingIfNeeded: copy.entry(pin))))
            }
        }
        for pin in UInt8(0)..<24 { apic.setEntry(pin, Self.masked) }
        #expect(apic.messages() == [] && apic.levelTriggeredVectors() == VectorSet())
    }
}

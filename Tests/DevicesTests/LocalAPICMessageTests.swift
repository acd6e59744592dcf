import Support
import Testing

@testable import Devices

/// Interprocessor interrupts and destinations (SDM volume 3, "Issuing Interprocessor Interrupts").
@Suite struct LocalAPICMessageTests {
    private typealias Mode = InterruptMessage.DeliveryMode

    private static let shorthands: [InterruptShorthand] = [.none, .toSelf, .toAll, .toOthers]

    @Test(arguments: [false, true])
    func `every delivery mode and shorthand sends what the table of valid combinations says`(extended: Bool) {
        for shorthand in Self.shorthands {
            for mode in UInt8(0)...7 {
                for flags in [0x0000, 0x4000, 0x8000, 0xC000, 0xC800] as [UInt32] {
                    let test = TestLocalAPIC(extended: extended)
                    let command = UInt32(shorthand.rawValue) << 18 | UInt32(mode) << 8 | flags | 0x35
                    let isDeassert = mode == 5 && flags & 0xC000 == 0x8000
                    let reachesSelf = shorthand == .toSelf || shorthand == .toAll
                    let isSent = ![3, 7].contains(mode) && !isDeassert && (mode == 0 || !reachesSelf)
                    let message = InterruptMessage(
                        vector: 0x35, deliveryMode: Mode(rawValue: mode)!, destination: 9, isLogical: flags & 0x800 != 0)
                    let sent = shorthand == .toSelf ? LocalAPICEffect.requested(0x35) : .send(message, shorthand)
                    #expect(test.send(command, to: 9) == (isSent ? sent : LocalAPICEffect.none))
                    // Delivered at once: idle.
                    #expect(test[0x300] == command)
                    #expect(test.errors == 0)
                }
            }
        }
    }

    @Test func `only fixed and lowest-priority interrupts have vectors that can be illegal`() {
        for mode in UInt8(0)...7 {
            let test = TestLocalAPIC()
            let effect = test.send(0x4000 | UInt32(mode) << 8 | 7, to: 1)
            #expect(test.errors == (mode < 2 ? 0x20 : 0))
            if mode < 2 { #expect(effect == LocalAPICEffect.none) }
        }
    }

    @Test func `in x2APIC mode destination and command are one register of 64 bits`() {
        let test = TestLocalAPIC(extended: true)
        #expect(
            test.writeMSR(0x830, 0x8765_4321_0000_0844)
                == .send(InterruptMessage(vector: 0x44, destination: 0x8765_4321, isLogical: true), .none))
        #expect(test.readMSR(0x830) == 0x8765_4321_0000_0844)
        #expect(test.readMSR(0x831) == nil)
    }

    @Test func `the self-IPI register sends to self, leaves the command register alone, and refuses illegal vectors`() {
        let test = TestLocalAPIC(extended: true)
        _ = test.writeMSR(0x830, 0x1_0000_4033)
        #expect(test.writeMSR(0x83F, 0x77) == .requested(0x77))
        #expect(test.readMSR(0x830) == 0x1_0000_4033)
        #expect(test.writeMSR(0x83F, 0x0F) == LocalAPICEffect.none)
        #expect(test.errors == 0x20)
        #expect(test.writeMSR(0x83F, 0x100) == nil)
    }

    @Test func `INIT and start-up for all but self leave a lone APIC as it was`() {
        let test = TestLocalAPIC()
        for command in [0xC_4500, 0xC_8500, 0xC_4601, 0xC_4601] as [UInt32] {
            let before = (test.requested, test.apic.base)
            let effect = test.send(command)
            if case .send(_, let shorthand)? = effect { #expect(shorthand == .toOthers) }
            #expect(before == (test.requested, test.apic.base))
        }
        #expect(test.errors == 0)
        #expect(test[0xF0] == 0x1FF)
    }

    // MARK: Destinations

    private func matches(_ test: TestLocalAPIC, _ destination: UInt32, logical: Bool = false) -> Bool {
        test.apic.matches(InterruptMessage(vector: 0x40, destination: destination, isLogical: logical))
    }

    @Test func `physical destinations of xAPIC mode: one identifier, or all`() {
        for identifier in [0, 1, 7, 0xFE] as [UInt32] {
            let test = TestLocalAPIC(identifier: identifier)
            for destination in UInt32(0)...0xFF {
                #expect(matches(test, destination) == (destination == identifier || destination == 0xFF))
            }
            #expect(matches(test, .max))
            #expect(!matches(test, identifier | 0x100))
        }
    }

    @Test func `physical destinations of x2APIC mode have 32 bits: 255 is not all`() {
        let test = TestLocalAPIC(identifier: 0x102, extended: true)
        #expect(matches(test, 0x102))
        #expect(matches(test, .max))
        for destination in [0, 2, 0xFF, 0xFFFF, 0x1_0102] as [UInt32] { #expect(!matches(test, destination)) }
    }

    @Test func `logical destinations of the flat model: any common bit, or all`() {
        for own in [0, 1, 0x80, 0x41] as [UInt32] {
            let test = TestLocalAPIC(identifier: 3)
            test[0xD0] = own << 24
            for destination in UInt32(0)...0xFF {
                #expect(matches(test, destination, logical: true) == (destination & own != 0 || destination == 0xFF))
            }
            #expect(matches(test, .max, logical: true))
            #expect(!matches(test, 0x100 | own, logical: true))
        }
    }

    @Test func `logical destinations of the cluster model: a common bit within the same cluster, or all`() {
        for own in [0x01, 0x24, 0xE8, 0x00] as [UInt32] {
            let test = TestLocalAPIC(identifier: 3)
            test[0xE0] = 0x0FFF_FFFF
            test[0xD0] = own << 24
            for destination in UInt32(0)...0xFF {
                let expected = destination == 0xFF || (destination >> 4 == own >> 4 && destination & own & 0xF != 0)
                #expect(matches(test, destination, logical: true) == expected)
            }
        }
    }

    @Test func `logical destinations of x2APIC mode: a common bit of 16 within the same cluster of 2^16, or all`() {
        let test = TestLocalAPIC(identifier: 0x35, extended: true)
        #expect(matches(test, 0x3_0020, logical: true))
        #expect(matches(test, 0x3_FFFF, logical: true))
        #expect(matches(test, .max, logical: true))
        for destination in [0x3_0010, 0x2_0020, 0x3_0000, 0x20, 0xFF, 0] as [UInt32] {
            #expect(!matches(test, destination, logical: true))
        }
    }

    @Test func `an APIC that is off is no destination`() {
        let test = TestLocalAPIC()
        _ = test.apic.writeBase(0xFEE0_0100)
        #expect(!matches(test, 0))
        #expect(!matches(test, .max))
        #expect(!matches(test, .max, logical: true))
    }

    @Test func `what an APIC accepts, by delivery mode`() {
        let test = TestLocalAPIC()
        let expected: [AcceptedInterrupt] = [
            .requested(0x40), .requested(0x40), .systemManagement, .none, .nonMaskable, .initialize, .startup(0x40),
            .external,
        ]
        for mode in UInt8(0)...7 {
            let message = InterruptMessage(vector: 0x40, deliveryMode: Mode(rawValue: mode)!)
            #expect(test.apic.accept(message) == expected[Int(mode)])
        }
        #expect(test.requested == [0x40])
    }
}

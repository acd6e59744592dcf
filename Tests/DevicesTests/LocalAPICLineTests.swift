import Support
import Testing

@testable import Devices

/// LINT0, at which the 8259 pair's output is.
@Suite struct LocalAPICLineTests {
    private static let level: UInt32 = 1 << 15, masked: UInt32 = 1 << 16, remoteRequest: UInt32 = 1 << 14

    /// What a rise of the pin is to the processor, by delivery mode.
    private static let rises: [(mode: UInt32, accepted: AcceptedInterrupt)] = [
        (0, .requested(0x55)), (1, .none), (2, .systemManagement), (3, .none), (4, .nonMaskable), (5, .initialize), (6, .none),
        (7, .none),
    ]

    @Test(arguments: [false, true]) func `a rise is to the processor what the delivery mode says, and nothing when masked`(
        extended: Bool
    ) {
        for (mode, accepted) in Self.rises {
            let test = TestLocalAPIC(extended: extended)
            test[0x350] = Self.masked | mode << 8 | 0x55
            #expect(test.setLine0(true, rises: true) == .none)
            test[0x350] = mode << 8 | 0x55
            #expect(test.setLine0(true, rises: false) == .none, "mode \(mode): an edge that came while it was masked is lost")
            #expect(test.setLine0(true, rises: true) == accepted, "mode \(mode)")
            #expect(test.requested == (mode == 0 ? [0x55] : []))
            #expect(test.apic.passesExternalInterrupts == (mode == 7))
        }
    }

    @Test func `a level requests until it is gone, once for each end of interrupt`() {
        let test = TestLocalAPIC()
        _ = test.setLine0(true, rises: true)
        test[0x350] = Self.level | 0x55
        #expect(test.requested == [0x55] && test.levelTriggered == [0x55], "a level that is there is heard when it is unmasked")
        #expect(test[0x350] & Self.remoteRequest != 0)
        #expect(test.setLine0(true, rises: true) == .none)
        _ = test.apic.acknowledge()
        #expect(test.apic.endOfInterrupt() == .endOfInterrupt(0x55))
        #expect(test.endOfLine0(0x54) == .none)
        #expect(test.endOfLine0(0x55) == .requested(0x55))
        _ = test.apic.acknowledge()
        _ = test.setLine0(false, rises: false)
        #expect(test.endOfLine0(0x55) == .none)
        #expect(test[0x350] & Self.remoteRequest == 0)
    }

    @Test func `an illegal vector is an error`() {
        let test = TestLocalAPIC()
        test[0x350] = 0x0F
        #expect(test.setLine0(true, rises: true) == .none)
        #expect(test.errors == 1 << 6)
    }

    @Test func `while the APIC is disabled the pair's interrupts pass, unless software alone has disabled it`() {
        let test = TestLocalAPIC()
        test[0x350] = 7 << 8
        #expect(test.apic.passesExternalInterrupts)
        test[0xF0] = 0xFF
        #expect(!test.apic.passesExternalInterrupts)
        #expect(test.writeBase(0xFEE0_0100))
        #expect(test.apic.passesExternalInterrupts)
    }
}

extension TestLocalAPIC {
    func setLine0(_ isHigh: Bool, rises: Bool) -> AcceptedInterrupt { apic.setLine0(isHigh: isHigh, hasRisen: rises) }
    func endOfLine0(_ vector: UInt8) -> AcceptedInterrupt { apic.endOfLine0(vector) }

    /// The guest writes a register in a page that the processor virtualizes: it is there before the write is known.
    func writePage(_ offset: UInt16, _ value: UInt32, at ticks: UInt64) {
        page[Int(offset >> 2)] = value
        _ = apic.written(offset: offset, at: MachineTime(ticks))
    }
}

/// Registers that the processor has already written to the page, where what they held before matters.
@Suite struct VirtualizedPageTests {
    private static let masked: UInt32 = 1 << 16, periodic: UInt32 = 1 << 17

    /// Its timer runs out at 1000.
    private static func machine(_ entry: UInt32) -> TestLocalAPIC {
        let test = TestLocalAPIC()
        test.apic.setAssisted(true)
        test.writePage(0x3E0, 0xB, at: 0)
        test.writePage(0x320, entry, at: 0)
        test.writePage(0x380, 1000, at: 0)
        return test
    }

    @Test(arguments: [0, periodic]) func `a timer that ran out while it was masked requests nothing when it is unmasked`(
        mode: UInt32
    ) {
        let test = Self.machine(mode | Self.masked | 0x50)
        test.writePage(0x320, mode | 0x50, at: 5000)
        #expect(test.requested == [])
    }

    @Test func `a timer that ran out before it was masked, or given another vector, requests what it was to`() {
        for (offset, value) in [(0x320, Self.masked | 0x50), (0x320, 0x61), (0xF0, 0xFF), (0x380, 7), (0x3E0, 0)]
            as [(UInt16, UInt32)]
        {
            let test = Self.machine(0x50)
            test.writePage(offset, value, at: 1001)
            #expect(test.requested == [0x50], "\(offset)")
        }
    }

    @Test func `a write that changes no more than the vector keeps the count going`() {
        let test = Self.machine(Self.masked | 0x50)
        test.writePage(0x320, Self.masked | 0x51, at: 400)
        #expect(test.read(0x390, at: 400) == 600)
    }
}

import Support
import Testing

@testable import Devices

/// The local APIC as a whole: saving, the processor's own writes, and arbitrary accesses.
@Suite struct LocalAPICStateTests {
    /// Random accesses of every kind; what they read and brought about.
    private func disturb(
        _ test: TestLocalAPIC, _ random: inout FixedSeedGenerator, _ time: inout MachineTime, count: Int
    ) -> [UInt64] {
        var seen: [UInt64] = []
        for _ in 0..<count {
            time = MachineTime(time.ticks &+ random.next() >> UInt64.random(in: 40...63, using: &random))
            let offset = UInt16.random(in: 0..<0x40, using: &random) << 4
            let value = random.next() >> UInt64.random(in: 0...60, using: &random)
            let low = UInt32(truncatingIfNeeded: value)
            switch UInt8.random(in: 0..<16, using: &random) {
            case 0: _ = test.apic.readMSR(UInt32.random(in: 0...0x1000, using: &random), at: time)
            case 1: _ = test.apic.writeMSR(UInt32.random(in: 0x7F0...0x850, using: &random), value, at: time)
            case 2: seen.append(UInt64(test.apic.read(offset: UInt16(truncatingIfNeeded: value), at: time)))
            case 3: _ = test.apic.write(offset: UInt16(truncatingIfNeeded: value), low, at: time)
            case 4: test.apic.writeDeadline(value, at: time.advanced(by: value))
            case 5...6:
                let mode = InterruptMessage.DeliveryMode(rawValue: UInt8(value & 7)) ?? .fixed
                let message = InterruptMessage(
                    vector: UInt8(truncatingIfNeeded: value >> 8), deliveryMode: mode, destination: low,
                    isLogical: value & 32 != 0, isLevelTriggered: value & 64 != 0)
                if test.apic.matches(message) { _ = test.apic.accept(message) }
            case 7: if test.apic.pendingVector != 0, !test.apic.isAssisted { seen.append(UInt64(test.apic.acknowledge())) }
            case 8: seen.append(UInt64(test.apic.advance(to: time)))
            case 9: seen.append(UInt64(test.read(offset, at: time.ticks)))
            default: test.write(offset, low, at: time.ticks)
            }
            seen += [UInt64(test.apic.pendingVector), test.apic.nextEvent.ticks, test.apic.readDeadline(at: time)]
        }
        return seen
    }

    @Test(arguments: [false, true], [false, true])
    func `100,000 random accesses harm nothing`(extended: Bool, assisted: Bool) {
        var random = FixedSeedGenerator(seed: extended ? 21 : 22)
        let test = TestLocalAPIC(identifier: 3, extended: extended)
        test.apic.setAssisted(assisted)
        var time = MachineTime(0)
        for _ in 0..<100 {
            _ = disturb(test, &random, &time, count: 1000)
            #expect(test.apic.base.isExtended == extended)
            #expect(test[0x30] == 0x0005_0014)
            #expect(test.isPageAloneTouched)
            // No vector below 16 is ever requested.
            #expect(test.requested.allSatisfy { $0 >= 16 })
            if !assisted {
                #expect(test.apic.requestedInPage == test.apic.highestRequested)
                #expect(test.apic.inServiceInPage == test.apic.highestInService)
            }
        }
    }

    @Test(arguments: [false, true])
    func `100,000 random writes of the page by the processor harm nothing`(extended: Bool) {
        var random = FixedSeedGenerator(seed: 23)
        let test = TestLocalAPIC(extended: extended)
        test.apic.setAssisted(true)
        for step in UInt64(0)..<100_000 {
            let offset = UInt16(truncatingIfNeeded: random.next())
            test.page[Int(offset & 0xFF0) >> 2] = UInt32(truncatingIfNeeded: random.next())
            _ = test.apic.written(offset: offset, at: MachineTime(step * 100))
            _ = test.apic.advance(to: MachineTime(step * 100 + 50))
        }
        #expect(test.isPageAloneTouched)
    }

    @Test(arguments: [false, true], [UInt64](1...5))
    func `a saved APIC goes on elsewhere exactly as it would have here`(extended: Bool, seed: UInt64) {
        var random = FixedSeedGenerator(seed: seed)
        let (here, elsewhere) = (TestLocalAPIC(extended: extended), TestLocalAPIC())
        var time = MachineTime(0)
        _ = disturb(here, &random, &time, count: 500)
        let saved = here.apic.state
        _ = disturb(elsewhere, &random, &time, count: 100)
        elsewhere.apic.restore(saved)
        #expect(elsewhere.apic.state == saved)
        #expect(elsewhere.apic.base == here.apic.base)
        #expect(elsewhere.apic.pendingVector == here.apic.pendingVector)
        var (sameRandom, sameTime) = (random, time)
        #expect(disturb(here, &random, &time, count: 500) == disturb(elsewhere, &sameRandom, &sameTime, count: 500))
        #expect(here.apic.state == elsewhere.apic.state)
        #expect(here.apic.state != saved)
    }

    @Test(arguments: [false, true])
    func `a saved state knows every register`(extended: Bool) {
        let test = TestLocalAPIC(extended: extended)
        let before = test.apic.state
        for offset in [0x80, 0xF0, 0x300, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3E0] as [UInt16] {
            test[offset] = offset == 0xF0 ? 0x1FE : 0xA
            #expect(test.apic.state != before, "\(String(offset, radix: 16))")
            test.apic.restore(before)
            #expect(test.apic.state == before)
        }
        for _ in 0..<2 {
            test.request(0x99, level: true)
            #expect(test.apic.state != before)
            test.apic.restore(before)
            #expect(test.apic.pendingVector == 0)
        }
        test.request(3)
        #expect(test.apic.state != before)
        test.apic.restore(before)
        #expect(test.errors == 0)
    }

    @Test(arguments: [false, true])
    func `a register that the guest wrote through the processor is as if Martlet had written it`(extended: Bool) {
        var random = FixedSeedGenerator(seed: 31)
        let plain = TestLocalAPIC(identifier: 2, extended: extended)
        let assisted = TestLocalAPIC(identifier: 2, extended: extended)
        assisted.apic.setAssisted(true)
        // SDM volume 3, "Determining Whether a Write Access is Virtualized".
        let offsets: [UInt16] =
            extended
            ? [0x0F0, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3E0]
            : [0x020, 0x0D0, 0x0E0, 0x0F0, 0x280, 0x300, 0x310, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3E0]
        var time: UInt64 = 0
        for _ in 0..<20_000 {
            time += random.next() >> 50
            let offset = offsets.randomElement(using: &random)!
            var value = UInt32(truncatingIfNeeded: random.next() >> UInt64.random(in: 32...60, using: &random))
            // Mostly enabled. Reserved bits of MSRs never get this far.
            if offset == 0xF0, random.next() & 7 != 0 { value |= 0x100 }
            if extended { value &= Self.definedBits(offset) }
            #expect(plain.apic.advance(to: MachineTime(time)) == assisted.apic.advance(to: MachineTime(time)))
            let effect = plain.write(offset, value, at: time)
            assisted.page[Int(offset) >> 2] = value
            #expect(assisted.apic.written(offset: offset, at: MachineTime(time)) == effect)
        }
        #expect(plain.apic.state == assisted.apic.state)
    }

    private static func definedBits(_ offset: UInt16) -> UInt32 {
        switch offset {
        case 0x0F0: 0x3FF
        case 0x320: 0x7_00FF
        case 0x380: .max
        case 0x3E0: 0xB
        default: 0x1_00FF
        }
    }

    @Test func `the processor's report of an x2APIC command or self-IPI sends it`() {
        let test = TestLocalAPIC(extended: true)
        test.apic.setAssisted(true)
        test.page[0x300 >> 2] = 0x4044
        test.page[0x304 >> 2] = 0x1234_5678
        #expect(
            test.apic.written(offset: 0x300, at: MachineTime(0))
                == .send(InterruptMessage(vector: 0x44, destination: 0x1234_5678), .none))
        #expect(test.readMSR(0x830) == 0x1234_5678_0000_4044)
        // A vector that is legal the processor requests by itself.
        test.page[0x3F0 >> 2] = 7
        #expect(test.apic.written(offset: 0x3F0, at: MachineTime(0)) == LocalAPICEffect.none)
        #expect(test.errors == 0x20)
        test.page[0x370 >> 2] = 0xE1
        test.page[0x3F0 >> 2] = 7
        #expect(test.apic.written(offset: 0x3F0, at: MachineTime(0)) == .priorityChanged)
        #expect(test.apic.requestedInPage == 0xE1)
    }
}

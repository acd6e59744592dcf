import Support
import Testing

@testable import Devices

/// The timer against machine time (SDM volume 3, "APIC Timer").
@Suite struct LocalAPICTimerTests {
    /// A timer with a vector, that counts every tick unless told otherwise.
    private func timer(_ entry: UInt32, divide: UInt32 = 0xB, extended: Bool = false) -> TestLocalAPIC {
        let test = TestLocalAPIC(extended: extended)
        test[0x3E0] = divide
        test[0x320] = entry
        return test
    }

    private func advance(_ test: TestLocalAPIC, to ticks: UInt64) -> UInt8 { test.apic.advance(to: MachineTime(ticks)) }

    @Test(arguments: [false, true])
    func `one shot: it counts down, interrupts once and stays at zero`(extended: Bool) {
        let test = timer(0x30, extended: extended)
        #expect(test.write(0x380, 5000, at: 1000) == .timerChanged)
        #expect(test.apic.nextEvent == MachineTime(6000))
        #expect(test.read(0x390, at: 1000) == 5000)
        #expect(test.read(0x390, at: 3500) == 2500)
        #expect(test.read(0x390, at: 5999) == 1)
        #expect(test.read(0x390, at: 6000) == 0)
        #expect(advance(test, to: 5999) == 0)
        #expect(advance(test, to: 6000) == 0x30)
        #expect(test.requested == [0x30])
        #expect(test.apic.nextEvent == .never)
        #expect(test.read(0x390, at: 9000) == 0)
        #expect(test.read(0x380, at: 9000) == 5000)
        #expect(advance(test, to: 1 << 40) == 0)
    }

    @Test func `a timer at half the time stamp's frequency counts half as often, whatever the divide register says`() {
        let test = TestLocalAPIC(timerShift: 1)
        test[0x320] = 0x30
        test.write(0x380, 1000, at: 0)
        #expect(test.apic.nextEvent == MachineTime(4000))
        test[0x3E0] = 0xB
        test.write(0x380, 1000, at: 10_000)
        #expect(test.apic.nextEvent == MachineTime(12_000))
        #expect(test.read(0x390, at: 11_000) == 500)
    }

    @Test(arguments: [(0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (10, 128), (11, 1)] as [(UInt32, UInt64)])
    func `each divide configuration counts at its rate`(configuration: UInt32, rate: UInt64) {
        let test = timer(0x30, divide: configuration)
        test.write(0x380, 1000, at: 7)
        #expect(test.apic.nextEvent == MachineTime(7 + 1000 * rate))
        #expect(test.read(0x390, at: 7 + 400 * rate) == 600)
        #expect(test.read(0x390, at: 7 + 1000 * rate - 1) == 1)
    }

    @Test func `the divide register changes the rate of what is left`() {
        let test = timer(0x30)
        test.write(0x380, 1000, at: 0)
        #expect(test.write(0x3E0, 0x3, at: 400) == .timerChanged)
        #expect(test.read(0x390, at: 400) == 600)
        #expect(test.apic.nextEvent == MachineTime(400 + 600 * 16))
        // Bit 2 is no part of the configuration.
        test.write(0x3E0, 0x7, at: 500)
        #expect(test.apic.nextEvent == MachineTime(400 + 600 * 16))
    }

    @Test func `periodic: no drift, whenever it is looked at; what was missed comes once`() {
        let test = timer(0x2_0030)
        test.write(0x380, 3000, at: 500)
        var expected = [UInt64]()
        var now: UInt64 = 500
        for round in UInt64(1)...20 {
            expected.append(500 + round * 3000)
            #expect(test.apic.nextEvent == MachineTime(500 + round * 3000))
            now = test.apic.nextEvent.ticks + round * 7
            #expect(advance(test, to: now) == 0x30)
            #expect(advance(test, to: now) == 0)
            #expect(test.read(0x390, at: now) == UInt32(3000 - round * 7))
        }
        now += 10 * 3000
        #expect(advance(test, to: now) == 0x30)
        #expect(advance(test, to: now) == 0)
        #expect(test.apic.nextEvent == MachineTime(500 + 31 * 3000))
        #expect(test.requested == [0x30])
        test.write(0x380, 0, at: now)
        #expect(test.apic.nextEvent == .never)
        #expect(test.read(0x390, at: now + 1) == 0)
    }

    @Test func `a masked periodic timer still counts, and is in phase when it is unmasked`() {
        let test = timer(0x3_0030)
        test.write(0x380, 3000, at: 0)
        #expect(test.apic.nextEvent == .never)
        #expect(test.read(0x390, at: 2999) == 1)
        #expect(test.read(0x390, at: 3000) == 3000)
        #expect(test.read(0x390, at: 3001) == 2999)
        #expect(test.read(0x390, at: 31_000) == 2000)
        test.write(0x320, 0x2_0030, at: 31_000)
        #expect(test.requested == [])
        #expect(test.apic.nextEvent == MachineTime(33_000))
    }

    @Test func `a masked one-shot timer runs out and does not interrupt later`() {
        let test = timer(0x1_0030)
        test.write(0x380, 3000, at: 0)
        #expect(test.read(0x390, at: 1000) == 2000)
        test.write(0x320, 0x30, at: 4000)
        #expect(test.apic.nextEvent == .never)
        #expect(advance(test, to: 5000) == 0)
        test.write(0x320, 0x1_0030, at: 5000)
        test.write(0x380, 3000, at: 5000)
        test.write(0x320, 0x30, at: 6000)
        #expect(test.apic.nextEvent == MachineTime(8000))
        #expect(advance(test, to: 8000) == 0x30)
    }

    @Test func `what was due before a write is not lost`() {
        for write in [(0x320, 0x1_0030), (0x380, 9000), (0x3E0, 0)] as [(UInt16, UInt32)] {
            let test = timer(0x30)
            test.write(0x380, 3000, at: 0)
            #expect(test.write(write.0, write.1, at: 3000) == .timerChanged)
            #expect(test.apic.pendingVector == 0x30)
        }
    }

    @Test func `a period of a few ticks is drawn out, so that a guest cannot drown in its own interrupts`() {
        for (count, divide) in [(1, 0xB), (1, 0), (2047, 0xB), (15, 0xA)] as [(UInt32, UInt32)] {
            let test = timer(0x2_0030, divide: divide)
            test.write(0x380, count, at: 0)
            #expect(test.apic.nextEvent == MachineTime(2048))
            #expect(test.read(0x390, at: 0) == count)
            #expect(advance(test, to: 2048) == 0x30)
            #expect(test.apic.nextEvent == MachineTime(4096))
        }
        // One that comes once may come at once.
        let once = timer(0x30)
        once.write(0x380, 1, at: 10)
        #expect(once.apic.nextEvent == MachineTime(11))
        once.write(0x320, 0x2_0030, at: 10)
        #expect(advance(once, to: 11) == 0x30)
        #expect(once.apic.nextEvent == MachineTime(11 + 2048))
    }

    @Test func `between one-shot and periodic the count goes on`() {
        let test = timer(0x30)
        test.write(0x380, 10_000, at: 0)
        test.write(0x320, 0x2_0030, at: 6000)
        #expect(test.read(0x390, at: 6000) == 4000)
        #expect(advance(test, to: 10_000) == 0x30)
        #expect(test.read(0x390, at: 11_000) == 9000)
        test.write(0x320, 0x30, at: 12_000)
        #expect(test.read(0x390, at: 12_000) == 8000)
        #expect(advance(test, to: 20_000) == 0x30)
        #expect(test.apic.nextEvent == .never)
        // A count that has come to zero stays there.
        test.write(0x320, 0x2_0030, at: 21_000)
        #expect(test.read(0x390, at: 22_000) == 0)
        #expect(test.apic.nextEvent == .never)
    }

    // MARK: Deadline

    private func deadline(_ test: TestLocalAPIC, at ticks: UInt64) -> UInt64 {
        test.apic.readDeadline(at: MachineTime(ticks))
    }

    @Test(arguments: [false, true])
    func `deadline: it interrupts when it comes, is 0 from then on, and counts nothing`(extended: Bool) {
        let test = timer(0x4_0030, extended: extended)
        test.apic.writeDeadline(777_000, at: MachineTime(7000))
        #expect(test.apic.nextEvent == MachineTime(7000))
        #expect(deadline(test, at: 6999) == 777_000)
        #expect(deadline(test, at: 7000) == 0)
        #expect(advance(test, to: 6999) == 0)
        #expect(advance(test, to: 7001) == 0x30)
        #expect(deadline(test, at: 6999) == 0)
        #expect(test.apic.nextEvent == .never)
        #expect(test.read(0x390, at: 1) == 0)
        test.apic.writeDeadline(1, at: MachineTime(9000))
        test.apic.writeDeadline(0, at: MachineTime(9000))
        #expect(test.apic.nextEvent == .never)
        #expect(deadline(test, at: 0) == 0)
        #expect(advance(test, to: 10_000) == 0)
    }

    @Test func `a masked deadline passes without an interrupt, then or later`() {
        let test = timer(0x5_0030)
        test.apic.writeDeadline(5, at: MachineTime(7000))
        #expect(test.apic.nextEvent == .never)
        #expect(deadline(test, at: 7000) == 0)
        test.write(0x320, 0x4_0030, at: 8000)
        #expect(test.apic.nextEvent == .never)
        #expect(test.requested == [])
        test.apic.writeDeadline(5, at: MachineTime(9000))
        #expect(test.apic.nextEvent == MachineTime(9000))
    }

    @Test func `in deadline mode the initial count is ignored; in the others the deadline is`() {
        let test = timer(0x4_0030)
        test.write(0x380, 1000, at: 0)
        #expect(test[0x380] == 0)
        #expect(test.apic.nextEvent == .never)
        for entry in [0x30, 0x2_0030, 0x6_0030] as [UInt32] {
            test[0x320] = entry
            test.apic.writeDeadline(5, at: MachineTime(5))
            #expect(deadline(test, at: 0) == 0)
            #expect(test.apic.nextEvent == .never)
        }
    }

    @Test func `a change to or from deadline mode, or to the reserved one, disarms`() {
        for (from, to, disarms) in [
            (0x0_0030, 0x4_0030, true), (0x2_0030, 0x4_0030, true), (0x4_0030, 0x0_0030, true), (0x4_0030, 0x2_0030, true),
            (0x0_0030, 0x6_0030, true), (0x2_0030, 0x6_0030, true), (0x4_0030, 0x6_0030, true), (0x0_0030, 0x2_0030, false),
            (0x2_0030, 0x0_0030, false), (0x4_0030, 0x4_0031, false), (0x0_0030, 0x0_0031, false),
        ] as [(UInt32, UInt32, Bool)] {
            let test = timer(from)
            test.write(0x380, 10_000, at: 0)
            test.apic.writeDeadline(99, at: MachineTime(10_000))
            #expect(test.apic.nextEvent == MachineTime(10_000))
            test.write(0x320, to, at: 100)
            #expect((test.apic.nextEvent == .never) == disarms, "\(String(from, radix: 16)) \(String(to, radix: 16))")
            #expect(advance(test, to: 20_000) == (disarms ? 0 : UInt8(to & 0xFF)))
            if disarms { #expect(test.read(0x390, at: 100) == 0) }
        }
    }

    @Test func `an illegal vector is an error and no interrupt`() {
        let test = timer(0x0F)
        test.write(0x380, 100, at: 0)
        #expect(advance(test, to: 100) == 0)
        #expect(test.requested == [])
        #expect(test.errors == 0x40)
        test[0x370] = 0xE1
        test.write(0x380, 100, at: 1000)
        #expect(advance(test, to: 1100) == 0xE1)
    }

    @Test func `disabling the APIC, in either way, stops the timer's interrupts`() {
        let test = timer(0x30)
        test.write(0x380, 1000, at: 0)
        #expect(test.write(0xF0, 0xFF, at: 10) == .acceptanceChanged)
        #expect(test.apic.nextEvent == .never)
        #expect(advance(test, to: 2000) == 0)
        let off = timer(0x4_0030)
        off.apic.writeDeadline(5, at: MachineTime(1000))
        _ = off.apic.writeBase(0xFEE0_0100)
        #expect(off.apic.nextEvent == .never)
        #expect(advance(off, to: 2000) == 0)
        #expect(deadline(off, at: 0) == 0)
    }

    @Test func `a timer goes into x2APIC mode running`() {
        let test = timer(0x2_0030)
        test.write(0x380, 4000, at: 0)
        _ = test.apic.writeBase(0xFEE0_0D00)
        #expect(test.read(0x390, at: 1000) == 3000)
        #expect(test.readMSR(0x838) == 4000)
        #expect(advance(test, to: 4000) == 0x30)
    }

    @Test func `nothing overflows at the end of all time`() {
        for entry in [0x30, 0x2_0030, 0x4_0030] as [UInt32] {
            let test = timer(entry, divide: 0xA)
            let late = UInt64.max - 5
            test.write(0x380, .max, at: late)
            test.apic.writeDeadline(9, at: .never)
            #expect(test.apic.nextEvent == .never)
            test.write(0x380, 1, at: 0)
            _ = test.read(0x390, at: late)
            _ = advance(test, to: late)
            test.write(0x3E0, 0, at: late)
            _ = advance(test, to: .max)
        }
    }
}

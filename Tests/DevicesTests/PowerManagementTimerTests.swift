import Support
import Testing

@testable import Devices

@Suite struct PowerManagementTimerTests {
    /// Exactly ten time-stamp ticks to one of the timer's.
    private static let frequency = PowerManagementTimer.frequency * 10
    private static let frequencies: [UInt64] = [50_000_000, 400_000_000, 2_400_000_000, 5_000_000_000]
    private let top: UInt64 = 1 << 31

    private func timer() -> PowerManagementTimer { PowerManagementTimer(timeStampFrequency: Self.frequency) }

    /// The moment at which a count has certainly come.
    private func count(_ count: UInt64) -> MachineTime { MachineTime(count * 10 + 1 + count >> 40) }

    @Test func `the timer counts in 32 bits, in whole and in parts`() {
        var timer = timer()
        let time = count(0x1_2345_6789)
        #expect(timer.read(8, size: 4, at: time) == 0x2345_6789)
        #expect(timer.read(8, size: 2, at: time) == 0x6789)
        #expect(timer.read(10, size: 2, at: time) == 0x2345)
        #expect(timer.read(9, size: 1, at: time) == 0x67)
        #expect(timer.read(11, size: 1, at: time) == 0x23)
        #expect(timer.read(10, size: 4, at: time) == 0xFFFF_2345)
        #expect(timer.write(8, size: 4, 0, at: time) == .none)
        #expect(timer.read(8, size: 4, at: time) == 0x2345_6789)
    }

    @Test func `its status is set at each change of the top bit, is seen by polling, and is cleared by a one`() {
        var timer = timer()
        #expect(timer.read(0, size: 2, at: count(top - 1)) == 0)
        #expect(timer.read(0, size: 2, at: count(top)) == 1)
        #expect(timer.write(0, size: 2, 0x0100, at: count(top)) == .none)
        #expect(timer.read(0, size: 1, at: count(top)) == 1)
        #expect(timer.write(0, size: 2, 0x0001, at: count(top + 1)) == .none)
        #expect(timer.read(0, size: 2, at: count(2 * top - 1)) == 0)
        #expect(timer.read(0, size: 4, at: count(2 * top)) == 1)
        #expect(timer.nextEvent == .never && !timer.interruptLine)
    }

    @Test func `enabled, it interrupts until its status is cleared`() {
        var timer = timer()
        _ = timer.write(2, size: 2, 0x0001, at: count(5))
        #expect(timer.nextEvent > count(top - 1) && timer.nextEvent <= count(top))
        timer.advance(to: count(top - 1))
        #expect(!timer.interruptLine)
        timer.advance(to: timer.nextEvent)
        #expect(timer.interruptLine && timer.nextEvent == .never)
        _ = timer.write(0, size: 2, 0x0001, at: count(top + 5))
        #expect(!timer.interruptLine)
        #expect(timer.nextEvent > count(2 * top - 1) && timer.nextEvent <= count(2 * top))
        // Disabled, nobody waits; enabled with its status set, it interrupts at once.
        _ = timer.write(2, size: 2, 0, at: count(top + 6))
        #expect(timer.nextEvent == .never)
        _ = timer.write(2, size: 2, 1, at: count(2 * top + 1))
        #expect(timer.interruptLine)
    }

    @Test func `the power button interrupts if enabled`() {
        var timer = timer()
        timer.pressPowerButton()
        #expect(timer.read(0, size: 2, at: count(0)) == 0x0100 && !timer.interruptLine)
        _ = timer.write(3, size: 1, 0x01, at: count(0))
        #expect(timer.interruptLine)
        _ = timer.write(1, size: 1, 0x01, at: count(0))
        #expect(timer.read(0, size: 4, at: count(0)) == 0x0100_0000 && !timer.interruptLine)
    }

    @Test func `enable bits that ACPI has read back as written, others as zero`() {
        var timer = timer()
        _ = timer.write(2, size: 2, 0xFFFF, at: count(0))
        #expect(timer.read(2, size: 2, at: count(0)) == 0x0721)
        _ = timer.write(0, size: 4, 0x0020_FFFF, at: count(0))
        #expect(timer.read(0, size: 4, at: count(0)) == 0x0020_0000)
    }

    @Test func `the machine is in ACPI mode for good; the sleep type is kept and the sleep bit is not`() {
        var timer = timer()
        #expect(timer.read(4, size: 2, at: count(0)) == 0x0001)
        #expect(timer.write(4, size: 2, 0xDFFE, at: count(0)) == .none)
        #expect(timer.read(4, size: 2, at: count(0)) == 0x1C03)
        #expect(timer.write(4, size: 2, 0x0000, at: count(0)) == .none)
        #expect(timer.read(4, size: 2, at: count(0)) == 0x0001)
        #expect(timer.read(4, size: 4, at: count(0)) == 0x0001)
    }

    @Test func `sleep type 5 with the sleep bit switches the machine off, others do nothing`() {
        for type in 0..<8 as Range<UInt32> {
            var timer = timer()
            let expected: PowerEffect = type == 5 ? .powerOff : .none
            #expect(timer.write(4, size: 2, type << 10 | 1, at: count(0)) == .none)
            #expect(timer.write(4, size: 2, type << 10 | 1 << 13 | 1, at: count(0)) == expected)
            #expect(timer.write(5, size: 1, type << 2 | 1 << 5, at: count(0)) == expected)
            #expect(timer.write(4, size: 4, type << 10 | 1 << 13, at: count(0)) == expected)
        }
    }

    @Test(arguments: frequencies)
    func `the timer keeps to the time stamp within a tenth of a percent over a day`(frequency: UInt64) {
        var timer = PowerManagementTimer(timeStampFrequency: frequency)
        var (last, total) = (UInt32(0), UInt64(0))
        for minute in 1...1440 as ClosedRange<UInt64> {
            let count = timer.read(8, size: 4, at: MachineTime(minute * 60 * frequency))
            total += UInt64(count &- last)
            last = count
        }
        let expected = 86400 * PowerManagementTimer.frequency
        #expect(total <= expected && expected - total < expected / 1000)
    }

    @Test(arguments: frequencies)
    func `no access traps, and the timer still answers afterwards`(frequency: UInt64) {
        var generator = FixedSeedGenerator(seed: frequency)
        var timer = PowerManagementTimer(timeStampFrequency: frequency)
        var time = MachineTime(0)
        for _ in 0..<100_000 {
            time = generator.time(after: time)
            let value = generator.next()
            let offset = UInt16(truncatingIfNeeded: value >> 8) & (value & 16 != 0 ? 0xFFFF : 0x0F)
            let size = 1 << Int(value >> 2 & 3)
            switch value & 3 {
            case 0: timer.advance(to: time)
            case 1: _ = timer.read(offset, size: size, at: time)
            default: _ = timer.write(offset, size: size, UInt32(truncatingIfNeeded: value >> 32), at: time)
            }
        }
        _ = timer.write(0, size: 4, 0x0000_FFFF, at: time)
        #expect(timer.read(0, size: 4, at: time) == 0 && !timer.interruptLine)
        #expect(timer.read(8, size: 4, at: time) == timer.count(at: time))
    }
}

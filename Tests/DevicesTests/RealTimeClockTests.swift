import Support
import Testing

@testable import Devices

@Suite struct RealTimeClockTests {
    /// Exactly 1000 time-stamp ticks to one of the crystal's.
    private static let frequency: UInt64 = 32_768_000
    private static let frequencies: [UInt64] = [50_000_000, 400_000_000, 2_400_000_000, 5_000_000_000]
    /// Thursday, 29 February 2024, 23:59:57.
    private static let start: UInt64 = 1_709_251_197

    private func clock(start: UInt64 = start, memory: UInt64 = 1 << 30) -> RealTimeClock {
        RealTimeClock(unixSeconds: start, memoryBelow4GiB: memory, timeStampFrequency: Self.frequency)
    }

    /// A moment, by the crystal's ticks, that has certainly come.
    private func tick(_ count: UInt64) -> MachineTime { MachineTime(count * 1000 + 1) }
    private func second(_ count: UInt64) -> MachineTime { tick(count << 15) }

    private func read(_ clock: inout RealTimeClock, _ register: UInt8, at time: MachineTime) -> UInt8 {
        clock.write(0, register, at: time)
        return clock.read(1, at: time)
    }

    private func write(_ clock: inout RealTimeClock, _ register: UInt8, _ value: UInt8, at time: MachineTime) {
        clock.write(0, register, at: time)
        clock.write(1, value, at: time)
    }

    /// Seconds, minutes, hours, day of the week, day, month, year, century.
    private func date(_ clock: inout RealTimeClock, at time: MachineTime) -> [UInt8] {
        [0, 2, 4, 6, 7, 8, 9, 0x32].map { read(&clock, $0, at: time) }
    }

    // MARK: The date

    @Test func `the date begins where it was told to, in decimal and 24 hours, and runs over the leap day`() {
        var clock = clock()
        #expect(date(&clock, at: second(0)) == [0x57, 0x59, 0x23, 5, 0x29, 0x02, 0x24, 0x20])
        #expect(date(&clock, at: tick(2 << 15 | 0x7FFF)) == [0x59, 0x59, 0x23, 5, 0x29, 0x02, 0x24, 0x20])
        #expect(date(&clock, at: second(3)) == [0x00, 0x00, 0x00, 6, 0x01, 0x03, 0x24, 0x20])
    }

    @Test(arguments: [(0, 12), (1, 1), (11, 11), (12, 0x8C), (23, 0x8B)])
    func `binary and 12 hours are as register B says`(hour: UInt64, expected: UInt8) {
        var clock = clock(start: 1_709_078_400 + hour * 3600 + 35 * 60 + 42)
        write(&clock, 0x0B, 0x06, at: second(0))
        #expect(date(&clock, at: second(0)) == [42, 35, UInt8(hour), 4, 28, 2, 24, 20])
        write(&clock, 0x0B, 0x04, at: second(0))
        #expect(read(&clock, 4, at: second(0)) == expected)
        write(&clock, 0x0B, 0x00, at: second(0))
        let digits = expected & 0x7F
        #expect(read(&clock, 4, at: second(0)) == expected & 0x80 | (digits / 10) << 4 | digits % 10)
    }

    @Test func `while updates are inhibited the date stands, takes what is written, and goes on from it`() {
        var clock = clock()
        write(&clock, 0x0B, 0x82, at: second(1))
        #expect(date(&clock, at: second(5)) == [0x58, 0x59, 0x23, 5, 0x29, 0x02, 0x24, 0x20])
        let new: [UInt8] = [0x30, 0x45, 0x12, 7, 0x31, 0x12, 0x99, 0x19]
        for (register, value) in zip([0, 2, 4, 6, 7, 8, 9, 0x32] as [UInt8], new) {
            write(&clock, register, value, at: second(6))
        }
        #expect(date(&clock, at: second(9)) == new)
        // The divider ran on: the next update comes with its second.
        write(&clock, 0x0B, 0x02, at: tick(9 << 15 | 0x4000))
        #expect(date(&clock, at: tick(9 << 15 | 0x7FFF)) == new)
        #expect(date(&clock, at: second(10)) == [0x31, 0x45, 0x12, 7, 0x31, 0x12, 0x99, 0x19])
        // The guest's day of the week is kept, and follows its own count.
        #expect(date(&clock, at: second(10 + 12 * 3600)) == [0x31, 0x45, 0x00, 1, 0x01, 0x01, 0x00, 0x20])
    }

    @Test func `a register written while the clock runs changes the date at once`() {
        var clock = clock()
        write(&clock, 4, 0x08, at: second(1))
        write(&clock, 6, 1, at: second(1))
        #expect(date(&clock, at: second(2)) == [0x59, 0x59, 0x08, 1, 0x29, 0x02, 0x24, 0x20])
    }

    @Test func `data written in binary and 12 hours is understood so`() {
        var clock = clock()
        write(&clock, 0x0B, 0x84, at: second(0))
        for (register, value) in zip([0, 2, 4] as [UInt8], [10, 20, 0x8C] as [UInt8]) {
            write(&clock, register, value, at: second(0))
        }
        write(&clock, 0x0B, 0x02, at: second(0))
        #expect(read(&clock, 4, at: second(0)) != 0x12, "the format of the moment of starting counts")
        write(&clock, 0x0B, 0x84, at: second(0))
        write(&clock, 4, 0x8C, at: second(0))
        write(&clock, 0x0B, 0x04, at: second(0))
        write(&clock, 0x0B, 0x06, at: second(0))
        #expect(read(&clock, 4, at: second(0)) == 12)
    }

    @Test func `after a divider reset the first update comes in half a second`() {
        var clock = clock()
        write(&clock, 0x0A, 0x76, at: tick(100))
        #expect(read(&clock, 0, at: second(8)) == 0x57)
        write(&clock, 0x0A, 0x26, at: tick(8 << 15 | 77))
        #expect(read(&clock, 0, at: tick(8 << 15 | 77 + 0x3FFF)) == 0x57)
        #expect(read(&clock, 0, at: tick(8 << 15 | 77 + 0x4000)) == 0x58)
        #expect(read(&clock, 0x0A, at: tick(8 << 15 | 77 + 0xBFFF)) == 0xA6)
    }

    @Test func `the time can be set from outside, running and standing`() {
        var clock = clock()
        clock.setTime(unixSeconds: 1_000_000_000, at: tick(5 << 15 | 0x4000))
        #expect(date(&clock, at: second(6)) == [0x41, 0x46, 0x01, 1, 0x09, 0x09, 0x01, 0x20])
        write(&clock, 0x0B, 0x82, at: second(7))
        clock.setTime(unixSeconds: 0, at: second(8))
        #expect(date(&clock, at: second(9)) == [0, 0, 0, 5, 1, 1, 0x70, 0x19])
        clock.setTime(unixSeconds: .max, at: second(9))
        #expect(date(&clock, at: second(9)) == [0x59, 0x59, 0x23, 6, 0x31, 0x12, 0x99, 0x99])
    }

    // MARK: Registers

    @Test func `UIP announces an update 244 microseconds before it, and never while updates are inhibited`() {
        var clock = clock()
        #expect(read(&clock, 0x0A, at: tick(0)) == 0x26)
        #expect(read(&clock, 0x0A, at: tick(0x7FF7)) == 0x26)
        #expect(read(&clock, 0x0A, at: tick(0x7FF8)) == 0xA6)
        #expect(read(&clock, 0x0A, at: tick(0x7FFF)) == 0xA6)
        #expect(read(&clock, 0x0A, at: tick(0x8000)) == 0x26)
        write(&clock, 0x0B, 0x82, at: tick(0x8000))
        #expect(read(&clock, 0x0A, at: tick(0xFFFC)) == 0x26)
        write(&clock, 0x0A, 0xF6, at: tick(0xFFFC))
        write(&clock, 0x0B, 0x02, at: tick(0xFFFC))
        #expect(read(&clock, 0x0A, at: tick(0xFFFD)) == 0x76)
    }

    @Test func `registers C and D cannot be written; the ports' other bits`() {
        var clock = clock()
        write(&clock, 0x0D, 0x00, at: second(0))
        write(&clock, 0x0C, 0xFF, at: second(0))
        #expect(read(&clock, 0x0D, at: second(0)) == 0x80)
        #expect(read(&clock, 0x0C, at: second(0)) == 0)
        #expect(clock.read(0, at: second(0)) == 0xFF)
        clock.write(0, 0x8D, at: second(0))
        #expect(clock.isNMIMasked && clock.read(1, at: second(0)) == 0x80)
        clock.write(0, 0x0D, at: second(0))
        #expect(!clock.isNMIMasked)
    }

    @Test func `all other bytes are memory`() {
        var clock = clock()
        let others: [UInt8] = [UInt8](0x0E..<0x32) + [UInt8](0x33..<0x80)
        for register in others { write(&clock, register, register ^ 0x5A, at: second(1)) }
        for register in others { #expect(read(&clock, register, at: second(2)) == register ^ 0x5A) }
    }

    // MARK: Interrupts

    @Test(arguments: 1...15 as ClosedRange<UInt8>)
    func `periodic flags come at each rate, and reading register C takes them`(rate: UInt8) {
        let hertz: UInt64 = rate < 3 ? 256 >> UInt64(rate - 1) : 65536 >> UInt64(rate)
        var clock = clock()
        write(&clock, 0x0A, 0x20 | rate, at: tick(0))
        write(&clock, 0x0B, 0x42, at: tick(0))
        var rises: UInt64 = 0
        while clock.nextEvent <= second(1) {
            let time = clock.nextEvent
            clock.advance(to: MachineTime(time.ticks - 1))
            #expect(!clock.interruptLine)
            clock.advance(to: time)
            #expect(clock.interruptLine && clock.nextEvent == .never)
            rises += 1
            #expect(read(&clock, 0x0C, at: time) & 0xC0 == 0xC0 && !clock.interruptLine)
        }
        #expect(rises == hertz)
    }

    @Test func `without a rate, or with the divider held, nothing is periodic`() {
        var clock = clock()
        write(&clock, 0x0B, 0x42, at: tick(0))
        for value in [0x20, 0x66, 0x76] as [UInt8] {
            write(&clock, 0x0A, value, at: tick(0))
            #expect(clock.nextEvent == .never)
            #expect(read(&clock, 0x0C, at: tick(1)) & 0x40 == 0)
        }
    }

    @Test func `without enabled interrupts flags are set, no line rises, and no event is awaited`() {
        var clock = clock()
        #expect(clock.nextEvent == .never)
        #expect(read(&clock, 0x0C, at: second(1)) == 0x50 && !clock.interruptLine)
        #expect(read(&clock, 0x0C, at: second(1)) == 0)
        // Enabled with its flag set, an interrupt comes at once.
        write(&clock, 0x0B, 0x12, at: second(2))
        #expect(clock.interruptLine && read(&clock, 0x0C, at: second(2)) == 0xD0)
    }

    @Test func `the update-ended interrupt comes each second; inhibiting updates disables it`() {
        var clock = clock()
        write(&clock, 0x0B, 0x12, at: tick(5))
        #expect(clock.nextEvent > tick(0x7FFF) && clock.nextEvent <= second(1))
        clock.advance(to: second(1))
        #expect(clock.interruptLine && read(&clock, 0x0C, at: second(1)) & 0xB0 == 0x90)
        write(&clock, 0x0B, 0x92, at: second(1))
        #expect(read(&clock, 0x0B, at: second(1)) == 0x82 && clock.nextEvent == .never)
        #expect(read(&clock, 0x0C, at: second(3)) & 0x10 == 0)
    }

    /// Seconds from the start (23:59:57) to the first two alarms.
    private static let alarms: [([UInt8], UInt64, UInt64)] = [
        ([0xFF, 0xC0, 0xE0], 1, 2),
        ([0x05, 0xFF, 0xFF], 8, 68),
        ([0xFF, 0x10, 0xFF], 603, 604),
        ([0x05, 0x10, 0xFF], 608, 4208),
        ([0xFF, 0xFF, 0x02], 7203, 7204),
        ([0xFF, 0x30, 0x02], 9003, 9004),
        ([0x00, 0xFF, 0x02], 7203, 7263),
        ([0x58, 0x59, 0x23], 1, 86401),
        ([0x57, 0x59, 0x23], 86400, 172_800),
        ([0x00, 0x00, 0x00], 3, 86403),
    ]

    @Test(arguments: alarms)
    func `the alarm comes when all registers match or do not care, and again`(
        registers: [UInt8], first: UInt64, second next: UInt64
    ) {
        var clock = clock()
        for (register, value) in zip([1, 3, 5] as [UInt8], registers) { write(&clock, register, value, at: tick(0)) }
        write(&clock, 0x0B, 0x22, at: tick(0))
        for due in [first, next] {
            #expect(clock.nextEvent > tick(due << 15 - 1) && clock.nextEvent <= second(due))
            clock.advance(to: second(due))
            #expect(clock.interruptLine)
            #expect(read(&clock, 0x0C, at: second(due)) & 0xA0 == 0xA0)
        }
    }

    @Test(arguments: 0..<8 as Range<UInt8>)
    func `the alarm comes at the first second that matches, as by asking each`(cares: UInt8) {
        var generator = FixedSeedGenerator(seed: UInt64(cares))
        for _ in 0..<5 {
            let fields = [59, 59, 23].map { UInt8.random(in: 0...$0, using: &generator) }
            var clock = clock(start: Self.start + UInt64.random(in: 0..<86400, using: &generator))
            write(&clock, 0x0B, 0x06, at: tick(0))
            for (index, field) in fields.enumerated() {
                write(&clock, UInt8(index * 2 + 1), cares >> UInt8(index) & 1 != 0 ? field : 0xC0, at: tick(0))
            }
            write(&clock, 0x0B, 0x26, at: tick(0))
            let due = (1...86400 as ClosedRange<UInt64>).first { second in
                var clock = clock
                return (0..<3).allSatisfy {
                    cares >> UInt8($0) & 1 == 0 || read(&clock, UInt8($0 * 2), at: self.second(second)) == fields[$0]
                }
            }
            #expect(due.map { clock.nextEvent > tick($0 << 15 - 1) && clock.nextEvent <= second($0) } == true)
        }
    }

    @Test func `the alarm works in 12 hours and binary too`() {
        var clock = clock(start: 12 * 3600)
        write(&clock, 0x0B, 0x24, at: tick(0))
        for (register, value) in zip([1, 3, 5] as [UInt8], [59, 45, 0x8C] as [UInt8]) {
            write(&clock, register, value, at: tick(0))
        }
        #expect(clock.nextEvent > second(45 * 60 + 58) && clock.nextEvent <= second(45 * 60 + 59))
    }

    @Test(
        arguments: [
            [0x60, 0xFF, 0xFF], [0xFF, 0x7A, 0xFF], [0xFF, 0xFF, 0x24], [0x0A, 0xFF, 0xFF],
        ] as [[UInt8]])
    func `an alarm for a time that never is never comes`(registers: [UInt8]) {
        var clock = clock()
        for (register, value) in zip([1, 3, 5] as [UInt8], registers) { write(&clock, register, value, at: tick(0)) }
        write(&clock, 0x0B, 0x22, at: tick(0))
        #expect(clock.nextEvent == .never)
        #expect(read(&clock, 0x0C, at: second(1_000_000)) & 0x20 == 0)
    }

    @Test func `the earliest of several interrupts is awaited`() {
        var clock = clock()
        write(&clock, 0x01, 0x00, at: tick(0))
        write(&clock, 0x03, 0xFF, at: tick(0))
        write(&clock, 0x05, 0xFF, at: tick(0))
        write(&clock, 0x0B, 0x32, at: tick(0))
        #expect(clock.nextEvent > tick(0x7FFF) && clock.nextEvent <= second(1))
        write(&clock, 0x0B, 0x72, at: tick(0))
        #expect(clock.nextEvent > tick(31) && clock.nextEvent <= tick(32))
    }

    // MARK: Robustness

    @Test(arguments: frequencies)
    func `a year keeps to the time stamp`(frequency: UInt64) {
        var clock = RealTimeClock(
            unixSeconds: 1_704_067_200, memoryBelow4GiB: 1 << 30, timeStampFrequency: frequency)
        // 365 days of a leap year later, and a second for the rounding.
        let time = MachineTime(frequency * (365 * 86400 + 2))
        #expect(Array(date(&clock, at: time).dropFirst()) == [0, 0, 3, 0x31, 0x12, 0x24, 0x20])
        #expect((1...2).contains(read(&clock, 0, at: time)))
    }

    @Test(arguments: frequencies)
    func `no access traps, and the clock still answers after being set again`(frequency: UInt64) {
        var generator = FixedSeedGenerator(seed: frequency)
        var clock = RealTimeClock(
            unixSeconds: 0, memoryBelow4GiB: .max, memoryAbove4GiB: .max, timeStampFrequency: frequency)
        var time = MachineTime(0)
        for _ in 0..<100_000 {
            time = generator.time(after: time)
            let value = generator.next()
            let byte = UInt8(truncatingIfNeeded: value >> 16)
            switch value & 7 {
            case 0: clock.advance(to: time)
            case 1: clock.setTime(unixSeconds: value >> (value >> 8 & 63), at: time)
            case 2, 3: _ = read(&clock, byte, at: time)
            default:
                let register = UInt8(truncatingIfNeeded: value >> 8) & (value & 8 != 0 ? 0x0F : 0xFF)
                write(&clock, register, byte, at: time)
            }
        }
        write(&clock, 0x0A, 0x26, at: time)
        write(&clock, 0x0B, 0x02, at: time)
        clock.setTime(unixSeconds: Self.start, at: time)
        #expect(date(&clock, at: time) == [0x57, 0x59, 0x23, 5, 0x29, 0x02, 0x24, 0x20])
    }
}

import Support
import Testing

@testable import Devices

@Suite struct IntervalTimerTests {
    /// Exactly ten time-stamp ticks a pulse.
    private static let frequency = IntervalTimer.frequency * 10
    static let frequencies: [UInt64] = [50_000_000, 400_000_000, 2_400_000_000, 5_000_000_000]

    /// The moment at which a pulse has certainly come.
    private func pulse(_ count: UInt64) -> MachineTime { MachineTime(count * 10 + 1) }

    private func timer() -> IntervalTimer { IntervalTimer(timeStampFrequency: Self.frequency) }

    private func word(_ timer: inout IntervalTimer, _ counter: UInt16, at time: MachineTime) -> UInt16 {
        let low = timer.read(counter, at: time)
        return UInt16(timer.read(counter, at: time)) << 8 | UInt16(low)
    }

    private func program(
        _ timer: inout IntervalTimer, _ control: UInt8, _ count: UInt16, at time: MachineTime = MachineTime(0)
    ) {
        timer.write(3, control, at: time)
        timer.write(UInt16(control >> 6), UInt8(count & 0xFF), at: time)
        timer.write(UInt16(control >> 6), UInt8(count >> 8), at: time)
    }

    @Test func `it starts as firmware leaves it: 18.2 interrupts a second`() {
        var timer = timer()
        timer.write(3, 0xE2, at: pulse(5))
        #expect(timer.read(0, at: pulse(5)) == 0xB6)
        var (rises, time) = (0, timer.nextEvent)
        while time < pulse(10 * IntervalTimer.frequency) {
            #expect(timer.advance(to: time) == true)
            rises += 1
            time = timer.nextEvent
        }
        #expect(rises == 182)
    }

    @Test func `each counter has its port and its control word; the control port reads as ones`() {
        var timer = timer()
        program(&timer, 0x34, 1000)
        program(&timer, 0x74, 2000)
        program(&timer, 0xB0, 3000)
        timer.setGate2(true, at: pulse(1))
        #expect(word(&timer, 0, at: pulse(11)) == 990)
        #expect(word(&timer, 1, at: pulse(11)) == 1990)
        #expect(word(&timer, 2, at: pulse(11)) == 2990)
        #expect(timer.read(3, at: pulse(11)) == 0xFF)
        #expect(timer.read(4, at: pulse(11)) == 0xFF)
    }

    @Test func `the latch command holds one counter`() {
        var timer = timer()
        program(&timer, 0x34, 1000)
        timer.write(3, 0x00, at: pulse(101))
        #expect(word(&timer, 0, at: pulse(500)) == 900)
        #expect(word(&timer, 0, at: pulse(501)) == 500)
    }

    @Test func `the read-back command latches counts and states of the counters it names`() {
        var timer = timer()
        program(&timer, 0x34, 1000)
        program(&timer, 0x74, 1000)
        program(&timer, 0xB0, 1000)
        timer.setGate2(true, at: pulse(1))
        timer.write(3, 0xC0 | 0x02 | 0x08, at: pulse(101))  // counts and states of 0 and 2
        #expect(timer.read(0, at: pulse(200)) == 0xB4 && word(&timer, 0, at: pulse(200)) == 900)
        #expect(word(&timer, 1, at: pulse(201)) == 800)
        #expect(timer.read(2, at: pulse(200)) == 0x30 && word(&timer, 2, at: pulse(200)) == 900)
        timer.write(3, 0xC0 | 0x10 | 0x04, at: pulse(301))  // the count of 1 alone
        #expect(word(&timer, 1, at: pulse(400)) == 700)
        timer.write(3, 0xC0 | 0x20 | 0x04, at: pulse(401))  // the state of 1 alone
        #expect(timer.read(1, at: pulse(401)) == 0xB4 && word(&timer, 1, at: pulse(501)) == 500)
    }

    @Test func `counter 0's rises are told once each, however late`() {
        var timer = timer()
        program(&timer, 0x34, 100)
        #expect(timer.nextEvent == MachineTime(1010) || timer.nextEvent == MachineTime(1011))
        #expect(timer.advance(to: pulse(100)) == false)
        #expect(timer.advance(to: pulse(101)) == true)
        #expect(timer.advance(to: pulse(101)) == false)
        #expect(timer.advance(to: pulse(200)) == false)
        #expect(timer.advance(to: pulse(201)) == true)
        // Three periods later: one edge; then on time again.
        #expect(timer.advance(to: pulse(550)) == true)
        #expect(timer.advance(to: pulse(600)) == false)
        #expect(timer.advance(to: pulse(601)) == true)
    }

    @Test func `a rise that reading or writing passes is not lost`() {
        var timer = timer()
        program(&timer, 0x34, 100)
        _ = timer.read(0, at: pulse(150))
        program(&timer, 0x74, 7, at: pulse(160))
        #expect(timer.nextEvent <= pulse(160))
        #expect(timer.advance(to: pulse(160)) == true)
        #expect(timer.nextEvent > pulse(200) && timer.nextEvent <= pulse(201))
        // Reprogrammed before the interrupt was told.
        _ = timer.read(0, at: pulse(250))
        timer.write(3, 0x30, at: pulse(251))
        #expect(timer.advance(to: pulse(251)) == true)
        #expect(timer.nextEvent == .never)
    }

    @Test func `a one-shot count interrupts once`() {
        var timer = timer()
        program(&timer, 0x30, 100)
        #expect(timer.isOutput0High(at: pulse(100)) == false)
        #expect(timer.advance(to: timer.nextEvent) == true)
        #expect(timer.isOutput0High(at: pulse(101)) == true)
        #expect(timer.nextEvent == .never && !timer.advance(to: .never))
    }

    @Test func `a control word that raises the output is an edge`() {
        var timer = timer()
        timer.write(3, 0x30, at: pulse(1))
        #expect(timer.nextEvent == .never)
        timer.write(3, 0x34, at: pulse(2))
        #expect(timer.nextEvent <= pulse(2) && timer.advance(to: pulse(2)))
        #expect(timer.nextEvent == .never)
    }

    @Test func `counter 2 counts while port 61h opens its gate, and its output is read there`() {
        var timer = timer()
        var port = SystemControlPort(timeStampFrequency: Self.frequency)
        program(&timer, 0xB0, 100)
        #expect(port.read(output2: timer.isOutput2High(at: pulse(500)), at: pulse(500)) & 0x21 == 0)
        port.write(0x01)
        timer.setGate2(port.gate2, at: pulse(500))
        #expect(port.read(output2: timer.isOutput2High(at: pulse(599)), at: pulse(599)) & 0x21 == 0x01)
        #expect(port.read(output2: timer.isOutput2High(at: pulse(600)), at: pulse(600)) & 0x21 == 0x21)
    }

    @Test func `time that goes back changes nothing`() {
        var timer = timer()
        program(&timer, 0x34, 1000)
        #expect(word(&timer, 0, at: pulse(101)) == 900)
        #expect(word(&timer, 0, at: pulse(50)) == 900)
    }

    @Test(arguments: frequencies)
    func `interrupts keep to the time stamp within a tenth of a percent`(frequency: UInt64) {
        // As Linux programs it for 250 and 1000 a second, and the slowest.
        for count in [4772, 1193, 0] as [UInt16] {
            var timer = IntervalTimer(timeStampFrequency: frequency)
            program(&timer, 0x34, count)
            let period = count == 0 ? 65536 : UInt64(count)
            var (rises, time) = (UInt64(0), timer.nextEvent)
            while time.ticks < frequency * 100 {
                #expect(timer.advance(to: time) == true)
                rises += 1
                time = timer.nextEvent
            }
            let expected = 100 * IntervalTimer.frequency / period
            #expect(rises <= expected && expected - rises <= 1)
        }
    }

    @Test(arguments: frequencies)
    func `counts read over weeks keep to the time stamp within a tenth of a percent`(frequency: UInt64) {
        var timer = IntervalTimer(timeStampFrequency: frequency)
        program(&timer, 0x34, 0)
        // A hundred readings that are less than a period apart, at the end of two weeks.
        let start = frequency * 86400 * 14
        var last = word(&timer, 0, at: MachineTime(start))
        var pulses: UInt64 = 0
        for step in 1...100 as ClosedRange<UInt64> {
            let count = word(&timer, 0, at: MachineTime(start + step * (frequency / 20)))
            pulses += UInt64(last &- count)
            last = count
        }
        let expected = IntervalTimer.frequency * 5
        #expect(pulses > expected - expected / 1000 && pulses < expected + expected / 1000)
    }

    @Test(arguments: frequencies)
    func `no access traps, and the timer still answers after being programmed again`(frequency: UInt64) {
        var generator = FixedSeedGenerator(seed: frequency)
        var timer = IntervalTimer(timeStampFrequency: frequency)
        var time = MachineTime(0)
        for _ in 0..<100_000 {
            time = generator.time(after: time)
            let value = generator.next()
            switch value & 7 {
            case 0: timer.setGate2(value & 8 != 0, at: time)
            case 1: _ = timer.advance(to: time)
            case 2, 3: _ = timer.read(UInt16(truncatingIfNeeded: value >> 8 & 7), at: time)
            default:
                timer.write(
                    UInt16(truncatingIfNeeded: value >> 8 & 7), UInt8(truncatingIfNeeded: value >> 16), at: time)
            }
            _ = timer.isOutput2High(at: time)
            #expect(timer.nextEvent != MachineTime(0))
        }
        let start = MachineTime(max(time.ticks, 1 << 62))
        program(&timer, 0x34, 10000, at: start)
        #expect((9998...10000).contains(word(&timer, 0, at: start)))
        let later = MachineTime(start.ticks + frequency / 1000)
        #expect((10000 - 1195...10000 - 1190).contains(word(&timer, 0, at: later)))
    }
}

import Devices
import Testing

@Suite struct TickConversionTests {
    private static let pairs: [(UInt64, UInt64)] = [
        (1_193_182, 50_000_000), (3_579_545, 2_400_000_000), (32768, 3_579_546), (1, 2), (999, 1000),
    ]

    @Test(arguments: pairs)
    func `a second of machine time is a second of the clock, to one count`(pair: (UInt64, UInt64)) {
        let clock = TickConversion(frequency: pair.0, timeStampFrequency: pair.1)
        #expect((pair.0 - 1...pair.0).contains(clock.count(at: MachineTime(pair.1))))
        #expect(clock.count(at: MachineTime(0)) == 0)
    }

    @Test(arguments: pairs)
    func `a year keeps to a tenth of a percent and far better`(pair: (UInt64, UInt64)) {
        let clock = TickConversion(frequency: pair.0, timeStampFrequency: pair.1)
        let seconds: UInt64 = 31_557_600
        let count = clock.count(at: MachineTime(seconds * pair.1))
        #expect(count <= seconds * pair.0 && seconds * pair.0 - count <= 1 + seconds * pair.0 >> 24)
    }

    @Test(arguments: pairs)
    func `the moment of a count is the first that has it`(pair: (UInt64, UInt64)) {
        let clock = TickConversion(frequency: pair.0, timeStampFrequency: pair.1)
        for count in [1, 2, 3, 1000, 65535, 65536, 123_456_789, 1 << 40] as [UInt64] {
            let time = clock.time(ofCount: count)
            if time == .never { continue }
            #expect(clock.count(at: time) >= count)
            #expect(clock.count(at: MachineTime(time.ticks - 1)) < count)
        }
    }

    @Test func `a count beyond all time never comes`() {
        #expect(TickConversion(frequency: 1, timeStampFrequency: 1 << 32).time(ofCount: .max) == .never)
    }
}

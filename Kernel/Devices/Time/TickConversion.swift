/// Converts machine time to the count of a slower clock, and back.
///
/// The clock's count at a moment is the moment's ticks times the ratio of the frequencies, rounded down. The ratio is a
/// binary fraction of 64 bits: the count never goes back, and falls behind by at most one in 2^30 or so.
public struct TickConversion: Equatable, Sendable {
    /// The clock's ticks for each time-stamp tick, times 2^64.
    private let fraction: UInt64
    /// Time-stamp ticks for each of the clock's: the whole ones, and the rest times 2^64.
    private let period: UInt64
    private let periodFraction: UInt64

    /// - Parameters:
    ///   - frequency: of the clock, in Hz, more than 0 and less than that of the time stamp.
    ///   - timeStampFrequency: in Hz, less than 2^63.
    public init(frequency: UInt64, timeStampFrequency: UInt64) {
        fraction = TickConversion.ratio(frequency, timeStampFrequency)
        period = timeStampFrequency / frequency
        periodFraction = TickConversion.ratio(timeStampFrequency % frequency, frequency)
    }

    /// A proper fraction times 2^64, bit by bit: a 128-bit division would need a runtime that the kernel lacks.
    private static func ratio(_ numerator: UInt64, _ denominator: UInt64) -> UInt64 {
        var rest = numerator
        var result: UInt64 = 0
        for _ in 0..<64 {
            rest <<= 1
            result <<= 1
            if rest >= denominator {
                rest -= denominator
                result |= 1
            }
        }
        return result
    }

    /// The clock's count.
    @inline(__always)
    public func count(at time: MachineTime) -> UInt64 { time.ticks.multipliedFullWidth(by: fraction).high }

    /// The first time at which the clock's count is at least `count`; `never` if that is beyond all time.
    public func time(ofCount count: UInt64) -> MachineTime {
        guard count > 0 else { return MachineTime(0) }
        let (whole, overflows) = count.multipliedReportingOverflow(by: period)
        let (estimate, overflowsToo) = whole.addingReportingOverflow(count.multipliedFullWidth(by: periodFraction).high)
        guard !overflows, !overflowsToo else { return .never }
        var time = MachineTime(estimate)
        // Rounding both ratios leaves a few ticks.
        while self.count(at: time) >= count { time.ticks -= 1 }
        while self.count(at: time) < count {
            guard time < .never else { return .never }
            time.ticks += 1
        }
        return time
    }
}

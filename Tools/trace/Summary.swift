import Foundation

/// Counts and times of exits by reason, for a table with the columns of `perf kvm stat`.
public struct Summary {
    public struct Row: Equatable {
        public var name: String
        public var count = 0
        /// Times are ticks from the VM exit to the VM entry.
        public var total: UInt64 = 0
        public var least: UInt64 = .max
        public var most: UInt64 = 0
        private var mean = 0.0
        private var squares = 0.0

        init(name: String) { self.name = name }

        mutating func take(_ ticks: UInt64) {
            count += 1
            total &+= ticks
            least = min(least, ticks)
            most = max(most, ticks)
            // Welford's way, which does not lose the small differences of large times.
            let difference = Double(ticks) - mean
            mean += difference / Double(count)
            squares += difference * (Double(ticks) - mean)
        }

        /// The average time in ticks.
        public var average: Double { count == 0 ? 0 : Double(total) / Double(count) }

        /// The standard error of the average in percent of it, as `perf stat` gives it.
        public var deviation: Double {
            guard count > 1, average > 0 else { return 0 }
            return 100 * (squares / Double(count - 1) / Double(count)).squareRoot() / average
        }
    }

    /// The most frequent first; among equals by name.
    public private(set) var rows: [Row]
    public private(set) var count = 0
    public private(set) var total: UInt64 = 0
    private let ticksPerMicrosecond: Double

    public init(_ guests: [TraceFile.Guest]) {
        var byName: [String: Row] = [:]
        let frequency = guests.first?.frequency ?? 0
        ticksPerMicrosecond = frequency == 0 ? 1 : Double(frequency) / 1_000_000
        for guest in guests {
            for exit in guest.exits {
                byName[exit.reasonName, default: Row(name: exit.reasonName)].take(exit.record.ticks)
                count += 1
                total &+= exit.record.ticks
            }
        }
        rows = byName.values.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }

    public func microseconds(_ ticks: Double) -> Double { ticks / ticksPerMicrosecond }

    /// A row's share of all exits and of all time, in percent.
    public func shares(_ row: Row) -> (samples: Double, time: Double) {
        (count == 0 ? 0 : 100 * Double(row.count) / Double(count), total == 0 ? 0 : 100 * Double(row.total) / Double(total))
    }

    public var lines: [String] {
        var lines = [
            "VM-EXIT".padded(left: 30) + "Samples".padded(left: 11) + "Samples%".padded(left: 11) + "Time%".padded(left: 10)
                + "Min Time".padded(left: 14) + "Max Time".padded(left: 14) + "Avg time".padded(left: 18)
        ]
        lines.append("")
        for row in rows {
            let shares = shares(row)
            lines.append(
                row.name.padded(left: 30) + "\(row.count)".padded(left: 11) + "\(fixed(shares.samples))%".padded(left: 11)
                    + "\(fixed(shares.time))%".padded(left: 10)
                    + "\(fixed(microseconds(Double(row.least))))us".padded(left: 14)
                    + "\(fixed(microseconds(Double(row.most))))us".padded(left: 14)
                    + "\(fixed(microseconds(row.average)))us".padded(left: 18)
                    + " ( +-\("\(fixed(row.deviation))".padded(left: 7))% )")
        }
        lines.append("")
        lines.append("Total Samples:\(count), Total events handled time:\(fixed(microseconds(Double(total))))us.")
        return lines
    }
}

/// A number with a fixed count of decimal places, the same in every locale.
func fixed(_ value: Double, places: Int = 2) -> String { String(format: "%.\(places)f", value) }

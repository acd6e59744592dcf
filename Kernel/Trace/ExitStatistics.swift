import Text

/// Counts and times of exits, one row for each reason.
public struct ExitStatistics: ~Copyable {
    /// Reasons above the table's end share its last row.
    public static var capacity: Int { 80 }

    /// One reason's figures; times are time-stamp ticks from the VM exit to the VM entry.
    public struct Row: Equatable, Sendable {
        public var count: UInt64 = 0
        public var total: UInt64 = 0
        public var least: UInt64 = .max
        public var most: UInt64 = 0

        public init() {}

        /// The average time, rounded down.
        public var mean: UInt64 { count == 0 ? 0 : total / count }
    }

    private var rows: [80 of Row] = .init(repeating: Row())
    public private(set) var count: UInt64 = 0
    public private(set) var total: UInt64 = 0
    /// Ticks that the guest itself ran.
    public private(set) var guestTotal: UInt64 = 0

    public init() {}

    /// Adds one exit.
    /// - Parameters:
    ///   - guestTicks: how long the guest had run before it.
    ///   - ticks: how long Martlet took over it.
    public mutating func record(reason: UInt32, guestTicks: UInt64, ticks: UInt64) {
        let index = Int(min(reason & 0xFFFF, UInt32(ExitStatistics.capacity - 1)))
        rows[index].count += 1
        rows[index].total &+= ticks
        rows[index].least = min(rows[index].least, ticks)
        rows[index].most = max(rows[index].most, ticks)
        count += 1
        total &+= ticks
        guestTotal &+= guestTicks
    }

    /// Adds the exits that were counted elsewhere.
    public mutating func add(_ other: borrowing ExitStatistics) {
        for index in 0..<ExitStatistics.capacity {
            rows[index].count += other.rows[index].count
            rows[index].total &+= other.rows[index].total
            rows[index].least = min(rows[index].least, other.rows[index].least)
            rows[index].most = max(rows[index].most, other.rows[index].most)
        }
        count += other.count
        total &+= other.total
        guestTotal &+= other.guestTotal
    }

    #if !hasFeature(Embedded)
    /// Those that were counted elsewhere.
    public init(count: UInt64, total: UInt64, guestTotal: UInt64, rows: [(reason: Int, row: Row)]) {
        self.count = count
        self.total = total
        self.guestTotal = guestTotal
        for (reason, row) in rows where (0..<ExitStatistics.capacity).contains(reason) { self.rows[reason] = row }
    }
    #endif

    /// The figures of a reason.
    public func row(_ reason: Int) -> Row { rows[reason] }

    /// Prints the table, the most frequent reason first.
    public func print(nameOf: (UInt32) -> StaticString, to print: (Line) -> Void) {
        print("exits by reason                      count   share        total    least     mean     most")
        var lastCount = UInt64.max
        var lastIndex = -1
        while let index = next(after: lastCount, lastIndex) {
            let row = rows[index]
            var line = Line("  ")
            line.write(nameOf(UInt32(index)))
            line.pad(to: 34)
            write(row.count, share: row.count, of: count, total: row.total, row.least, row.mean, row.most, to: &line)
            print(line)
            lastCount = row.count
            lastIndex = index
        }
        var line = Line("  all")
        line.pad(to: 34)
        write(count, share: count, of: count, total: total, nil, count == 0 ? 0 : total / count, nil, to: &line)
        print(line)
        let share = ExitStatistics.permille(guestTotal, of: guestTotal &+ total)
        print("the guest ran \(guestTotal) ticks, \(share / 10).\(share % 10)% of the time; Martlet took the rest")
    }

    /// The reason with the next smaller count; among equals the next number.
    private func next(after lastCount: UInt64, _ lastIndex: Int) -> Int? {
        var best: Int?
        for index in 0..<ExitStatistics.capacity where rows[index].count > 0 {
            let count = rows[index].count
            guard count < lastCount || (count == lastCount && index > lastIndex) else { continue }
            if let candidate = best, rows[candidate].count >= count { continue }
            best = index
        }
        return best
    }

    private func write(
        _ count: UInt64, share: UInt64, of all: UInt64, total: UInt64, _ least: UInt64?, _ mean: UInt64, _ most: UInt64?,
        to line: inout Line
    ) {
        let permille = ExitStatistics.permille(share, of: all)
        line.write(decimal: count, width: 8)
        line.write(decimal: permille / 10, width: 6)
        line.write(".")
        line.write(decimal: permille % 10)
        line.write(decimal: total, width: 13)
        if let least { line.write(decimal: least, width: 9) } else { line.pad(from: 0, to: 9) }
        line.write(decimal: mean, width: 9)
        if let most { line.write(decimal: most, width: 9) }
    }

    /// A share in thousandths.
    static func permille(_ part: UInt64, of whole: UInt64) -> UInt64 {
        if whole == 0 { return 0 }
        // Large times would overflow a product with 1000.
        return whole > UInt64.max / 1000 ? part / (whole / 1000) : part * 1000 / whole
    }
}

import Text
import Support
import Testing

@testable import Trace

@Suite struct ExitStatisticsTests {
    static func name(_ reason: UInt32) -> StaticString {
        switch reason {
        case 10: "CPUID"
        case 12: "HLT"
        case 30: "I/O instruction"
        default: "other"
        }
    }

    static func table(_ statistics: borrowing ExitStatistics) -> [String] {
        var lines: [String] = []
        statistics.print(nameOf: name) { lines.append(words($0)) }
        return lines
    }

    @Test func `a row has count, total, least, mean and most`() {
        var statistics = ExitStatistics()
        for ticks in [30, 10, 21] as [UInt64] { statistics.record(reason: 10, guestTicks: 100, ticks: ticks) }
        let row = statistics.row(10)
        #expect(row.count == 3 && row.total == 61 && row.least == 10 && row.mean == 20 && row.most == 30)
        #expect(statistics.count == 3 && statistics.total == 61 && statistics.guestTotal == 300)
        #expect(statistics.row(11) == ExitStatistics.Row() && ExitStatistics.Row().mean == 0)
    }

    @Test func `reasons above the table share its last row, and flags above the basic reason do not count`() {
        var statistics = ExitStatistics()
        for reason in [79, 80, 1000, 0xFFFF] as [UInt32] { statistics.record(reason: reason, guestTicks: 0, ticks: 1) }
        statistics.record(reason: 0x8000_0021, guestTicks: 0, ticks: 1)
        #expect(statistics.row(79).count == 4 && statistics.row(33).count == 1)
    }

    @Test func `the table has the most frequent reason first, the sum last, and shares of a thousandth`() {
        var statistics = ExitStatistics()
        statistics.record(reason: 12, guestTicks: 0, ticks: 1000)
        for _ in 0..<4 { statistics.record(reason: 30, guestTicks: 250, ticks: 100) }
        for _ in 0..<2 { statistics.record(reason: 10, guestTicks: 0, ticks: 50) }
        #expect(
            Self.table(statistics) == [
                "exits by reason                      count   share        total    least     mean     most",
                "  I/O instruction                        4    57.1          400      100      100      100",
                "  CPUID                                  2    28.5          100       50       50       50",
                "  HLT                                    1    14.2         1000     1000     1000     1000",
                "  all                                    7   100.0         1500               214",
                "the guest ran 1000 ticks, 40.0% of the time; Martlet took the rest",
            ])
    }

    @Test func `reasons with equal counts come in the order of their numbers, each once`() {
        var statistics = ExitStatistics()
        for reason in [30, 12, 10] as [UInt32] { statistics.record(reason: reason, guestTicks: 0, ticks: 1) }
        let names = Self.table(statistics).dropFirst().prefix(3).map { $0.split(separator: " ")[0] }
        #expect(names == ["CPUID", "HLT", "I/O"])
    }

    @Test func `an empty table is a table`() {
        let statistics = ExitStatistics()
        let lines = Self.table(statistics)
        #expect(lines.count == 3 && lines[1].contains("all") && lines[2].contains("0 ticks, 0.0%"))
    }

    @Test func `shares of very large times do not overflow`() {
        #expect(ExitStatistics.permille(.max / 2, of: .max) == 500)
        #expect(ExitStatistics.permille(.max, of: .max) == 1000)
        #expect(ExitStatistics.permille(1, of: 3) == 333 && ExitStatistics.permille(0, of: 0) == 0)
    }

    @Test func `trace levels are in order`() {
        #expect(TraceLevel.off < .summary && .summary < .exits && .exits < .full)
    }
}

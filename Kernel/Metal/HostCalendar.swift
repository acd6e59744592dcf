import Devices
import Instructions

/// The machine's own real-time clock (MC146818 data sheet).
enum HostCalendar {
    private static func register(_ number: UInt8) -> UInt8 {
        outb(RealTimeClock.firstPort, number)
        return inb(RealTimeClock.firstPort + 1)
    }

    /// The date and time, in Unix seconds; read twice, since an update may intervene.
    static func unixSeconds() -> UInt64 {
        var last = read()
        // A machine without the clock reads the same each time.
        for _ in 0..<10 {
            let next = read()
            if next == last { break }
            last = next
        }
        return last.unixSeconds
    }

    private static func read() -> ClockRegisters {
        ClockRegisters(
            second: register(0), minute: register(2), hour: register(4), day: register(7), month: register(8),
            year: register(9), century: register(0x32), mode: register(0x0B))
    }
}

/// The combined registers of an MC146818, in the format that its register B selects.
public struct ClockRegisters: Equatable, Sendable {
    public var second: UInt8
    public var minute: UInt8
    public var hour: UInt8
    public var day: UInt8
    public var month: UInt8
    public var year: UInt8
    public var century: UInt8
    /// Register B: bit 1 for 24 hours, bit 2 for binary numbers.
    public var mode: UInt8

    public init(
        second: UInt8, minute: UInt8, hour: UInt8, day: UInt8, month: UInt8, year: UInt8, century: UInt8, mode: UInt8
    ) {
        self.second = second
        self.minute = minute
        self.hour = hour
        self.day = day
        self.month = month
        self.year = year
        self.century = century
        self.mode = mode
    }

    private func number(_ value: UInt8) -> Int {
        mode & 4 != 0 ? Int(value) : Int(value >> 4) * 10 + Int(value & 0xF)
    }

    private var hours: Int {
        guard mode & 2 == 0 else { return number(hour) }
        return number(hour & 0x7F) % 12 + (hour & 0x80 != 0 ? 12 : 0)
    }

    /// The date and time in Unix seconds; an implausible century is read as this one.
    public var unixSeconds: UInt64 {
        let hundreds = number(century)
        let date = CalendarDate(
            year: ((19...29).contains(hundreds) ? hundreds : 20) * 100 + number(year), month: number(month), day: number(day),
            hour: hours, minute: number(minute), second: number(second))
        return UInt64(max(date.unixSeconds, 0))
    }
}

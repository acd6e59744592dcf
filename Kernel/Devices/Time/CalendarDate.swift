/// A date and time of day in the Gregorian calendar, without a time zone.
struct CalendarDate: Equatable, Sendable {
    var year: Int
    /// 1 to 12.
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    static var secondsPerDay: Int { 86400 }
    /// 400 years are a whole number of days, and of weeks.
    private static var daysPer400Years: Int { 146_097 }
    /// From 1 March of the year 0 to 1 January 1970.
    private static var daysTo1970: Int { 719_468 }

    init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// - Parameter unixSeconds: since the beginning of 1970, within some 10^15.
    init(unixSeconds: Int) {
        let timeOfDay = Self.modulo(unixSeconds, Self.secondsPerDay)
        let days = (unixSeconds - timeOfDay) / Self.secondsPerDay + Self.daysTo1970
        // The year begins with March, so that the leap day is its last.
        let dayOf400Years = Self.modulo(days, Self.daysPer400Years)
        let yearOf400 =
            (dayOf400Years - dayOf400Years / 1460 + dayOf400Years / 36524 - dayOf400Years / 146_096) / 365
        let dayOfYear = dayOf400Years - (365 * yearOf400 + yearOf400 / 4 - yearOf400 / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        year = (days - dayOf400Years) / Self.daysPer400Years * 400 + yearOf400 + (month <= 2 ? 1 : 0)
        hour = timeOfDay / 3600
        minute = timeOfDay / 60 % 60
        second = timeOfDay % 60
    }

    /// Since the beginning of 1970. Days and times beyond their range carry over; a month is clamped.
    var unixSeconds: Int {
        let month = min(max(month, 1), 12)
        let yearFromMarch = month <= 2 ? year - 1 : year
        let yearOf400 = Self.modulo(yearFromMarch, 400)
        let monthFromMarch = month <= 2 ? month + 9 : month - 3
        let dayOf400Years = 365 * yearOf400 + yearOf400 / 4 - yearOf400 / 100 + (153 * monthFromMarch + 2) / 5 + day - 1
        let days = (yearFromMarch - yearOf400) / 400 * Self.daysPer400Years + dayOf400Years - Self.daysTo1970
        return days * Self.secondsPerDay + hour * 3600 + minute * 60 + second
    }

    /// 0 is Sunday.
    static func weekday(unixSeconds: Int) -> Int {
        // 1970 began with a Thursday.
        modulo((unixSeconds - modulo(unixSeconds, secondsPerDay)) / secondsPerDay + 4, 7)
    }

    /// The remainder that is never negative.
    static func modulo(_ value: Int, _ divisor: Int) -> Int {
        let rest = value % divisor
        return rest < 0 ? rest + divisor : rest
    }
}

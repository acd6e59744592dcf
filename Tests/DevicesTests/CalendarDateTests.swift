import Testing

@testable import Devices

@Suite struct CalendarDateTests {
    private static let dates: [(Int, CalendarDate, Int)] = [
        (0, CalendarDate(year: 1970, month: 1, day: 1), 4),
        (-1, CalendarDate(year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 59), 3),
        (951_782_400, CalendarDate(year: 2000, month: 2, day: 29), 2),
        (951_868_799, CalendarDate(year: 2000, month: 2, day: 29, hour: 23, minute: 59, second: 59), 2),
        (951_868_800, CalendarDate(year: 2000, month: 3, day: 1), 3),
        (1_000_000_000, CalendarDate(year: 2001, month: 9, day: 9, hour: 1, minute: 46, second: 40), 0),
        (2_147_483_648, CalendarDate(year: 2038, month: 1, day: 19, hour: 3, minute: 14, second: 8), 2),
        (4_107_542_400, CalendarDate(year: 2100, month: 3, day: 1), 1),
        (253_402_300_799, CalendarDate(year: 9999, month: 12, day: 31, hour: 23, minute: 59, second: 59), 5),
        (-2_203_891_200, CalendarDate(year: 1900, month: 3, day: 1), 4),
    ]

    @Test(arguments: dates)
    func `known moments have their dates and days of the week`(seconds: Int, date: CalendarDate, weekday: Int) {
        #expect(CalendarDate(unixSeconds: seconds) == date)
        #expect(date.unixSeconds == seconds)
        #expect(CalendarDate.weekday(unixSeconds: seconds) == weekday)
    }

    @Test func `every day of eight centuries is the day after the one before`() {
        var last = CalendarDate(unixSeconds: -86400 * 365 * 200)
        for day in -365 * 200 + 1..<365 * 600 {
            let date = CalendarDate(unixSeconds: day * 86400)
            #expect(date.unixSeconds == day * 86400)
            let isNextDay = date.day == last.day + 1 && date.month == last.month && date.year == last.year
            let isNextMonth =
                date.day == 1 && last.day >= 28 && (date.year - last.year) * 12 + date.month - last.month == 1
            #expect(isNextDay || isNextMonth)
            last = date
        }
    }

    @Test func `fields out of range count on, and trap nowhere`() {
        func seconds(_ month: Int, _ day: Int, hour: Int = 0) -> Int {
            CalendarDate(year: 2023, month: month, day: day, hour: hour).unixSeconds
        }
        #expect(seconds(2, 29) == seconds(3, 1))
        #expect(seconds(0, 1, hour: 24) == seconds(1, 2))
        #expect(seconds(255, 1) == seconds(12, 1))
        let first = CalendarDate(unixSeconds: CalendarDate(year: 0, month: 1, day: 0).unixSeconds)
        #expect(first == CalendarDate(year: -1, month: 12, day: 31))
    }
}

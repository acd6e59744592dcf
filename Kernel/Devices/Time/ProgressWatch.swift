/// Watches that a guest goes on, which has to report it again and again within a time: a watchdog that the guest can feed but
/// not switch off. No real device; the hypercalls are its interface.
struct ProgressWatch: Equatable, Sendable {
    private let limit: UInt64?
    private(set) var isOverdue = false
    /// When the guest will be overdue.
    private(set) var nextEvent: MachineTime

    /// - Parameter limit: time-stamp ticks that may pass before the first report and between two, or nil.
    init(limit: UInt64?) {
        self.limit = limit
        nextEvent = limit.map { MachineTime($0) } ?? .never
    }

    mutating func report(at time: MachineTime) {
        guard let limit, !isOverdue else { return }
        nextEvent = time.advanced(by: limit)
    }

    /// The time is up.
    mutating func expire() {
        isOverdue = true
        nextEvent = .never
    }
}

/// A watchdog for a guest, which has to report progress again and again within a time: the guest can feed it but not switch it
/// off. Not a real device; hypercalls are its interface.
struct ProgressWatch: Equatable, Sendable {
    private let limit: UInt64?
    private(set) var state: State

    struct State: Equatable, Sendable {
        fileprivate(set) var isOverdue = false
        /// When the guest will be overdue.
        fileprivate(set) var nextEvent: MachineTime
    }

    var isOverdue: Bool { state.isOverdue }
    var nextEvent: MachineTime { state.nextEvent }

    /// - Parameter limit: time-stamp ticks that may pass before the first report and between reports, or nil.
    init(limit: UInt64?) {
        self.limit = limit
        state = State(nextEvent: limit.map { MachineTime($0) } ?? .never)
    }

    /// Restores a saved state.
    mutating func restore(_ state: State) { self.state = state }

    mutating func report(at time: MachineTime) {
        guard let limit, !isOverdue else { return }
        state.nextEvent = time.advanced(by: limit)
    }

    /// The time is up.
    mutating func expire() {
        state.isOverdue = true
        state.nextEvent = .never
    }
}

import Text

/// What has come of the cases so far.
struct ConsistencyTally {
    var cases: UInt64 = 0
    var agreed: UInt64 = 0
    var refused: UInt64 = 0
    var disagreements: UInt64 = 0
    var notAttempted: [9 of UInt64] = .init(repeating: 0)
    var departures: [11 of UInt64] = .init(repeating: 0)

    /// What was left out and what departs, by kind, and the sum.
    func report(to print: (Line) -> Void) {
        var left: UInt64 = 0
        for index in 0..<ConsistencyObstacle.count where notAttempted[index] != 0 {
            left += notAttempted[index]
            guard let kind = ConsistencyObstacle(rawValue: UInt8(index)) else { continue }
            print("VMRUN checks: \(notAttempted[index], width: 6) not attempted: \(kind.words)")
        }
        var departing: UInt64 = 0
        for index in 0..<EmulatorDeparture.count where departures[index] != 0 {
            departing += departures[index]
            guard let kind = EmulatorDeparture(rawValue: UInt8(index)) else { continue }
            print("VMRUN checks: \(departures[index], width: 6) known departures: \(kind.words)")
        }
        print(
            "VMRUN checks: \(cases) cases, \(agreed) agreed (\(refused) of them refused), \(left) not attempted, \(departing) known departures, \(disagreements) disagreements"
        )
    }
}

import Text

/// The results of the cases so far.
struct EntryTally {
    var cases: UInt64 = 0
    var agreed: UInt64 = 0
    var disagreements: UInt64 = 0
    var notAttempted: [6 of UInt64] = .init(repeating: 0)
    var deviations: [32 of UInt64] = .init(repeating: 0)

    /// What was left out and what deviates, by kind, and the sum.
    func report(to print: (Line) -> Void) {
        var left: UInt64 = 0
        for index in 0..<EntryObstacle.count where notAttempted[index] != 0 {
            left += notAttempted[index]
            guard let kind = EntryObstacle(rawValue: UInt8(index)) else { continue }
            print("entry checks: \(notAttempted[index], width: 6) not attempted: \(kind.words)")
        }
        var deviating: UInt64 = 0
        for index in 0..<Int(KnownDeviation.count) where deviations[index] != 0 {
            deviating += deviations[index]
            guard let kind = KnownDeviation(rawValue: UInt8(index)) else { continue }
            print("entry checks: \(deviations[index], width: 6) known deviations: \(kind.words)")
        }
        print(
            "entry checks: \(cases) cases, \(agreed) agreed, \(left) not attempted, \(deviating) known deviations, \(disagreements) disagreements"
        )
    }
}

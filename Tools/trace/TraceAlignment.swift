import Trace

/// The exits of a guest in two runs, side by side: what is in both is in one row, even after the first difference.
///
/// If the exits are not of the same instruction, the nearest later place is sought at which both runs do the same again;
/// what comes before it is in only one run.
struct TraceAlignment {
    /// An exit of each run, by position; or of one.
    struct Row: Equatable {
        var left: Int?
        var right: Int?
        /// The names of the fields in which the two differ.
        var fields: [String] = []

        var isSame: Bool { left != nil && right != nil && fields.isEmpty }
    }

    private(set) var rows: [Row] = []

    /// How far after a difference realignment is attempted, and how many exits must then be the same.
    private static let reach = 40
    private static let agreement = 3

    /// What distinguishes an exit's instruction from others.
    private struct Identity: Equatable {
        var reason: UInt32
        var selector: UInt16
        var pointer: UInt64

        init(_ record: ExitRecord) {
            reason = record.reason
            selector = record.codeSelector
            pointer = record.instructionPointer
        }
    }

    init(_ left: [TracedExit], _ right: [TracedExit]) {
        let a = left.map { Identity($0.record) }
        let b = right.map { Identity($0.record) }
        var i = 0
        var j = 0
        while i < a.count, j < b.count {
            if a[i] != b[j] {
                let (first, second) = Self.gap(a[i...], b[j...])
                // As many on each side have taken each other's place.
                if first != second {
                    for _ in 0..<first { rows.append(Row(left: i, right: nil)); i += 1 }
                    for _ in 0..<second { rows.append(Row(left: nil, right: j)); j += 1 }
                    continue
                }
            }
            rows.append(Row(left: i, right: j, fields: TraceDiff.differences(left[i], right[j])))
            i += 1
            j += 1
        }
        rows += (i..<a.count).map { Row(left: $0, right: nil) }
        rows += (j..<b.count).map { Row(left: nil, right: $0) }
    }

    /// How many exits of each to pass over; the fewest of both together. One of each where the runs do not meet again.
    private static func gap(_ a: ArraySlice<Identity>, _ b: ArraySlice<Identity>) -> (Int, Int) {
        for sum in 1...(2 * reach) {
            for first in max(0, sum - reach)...min(sum, reach) {
                let (x, y) = (a.dropFirst(first).prefix(agreement), b.dropFirst(sum - first).prefix(agreement))
                let count = min(x.count, y.count)
                if count > 0, x.prefix(count).elementsEqual(y.prefix(count)) { return (first, sum - first) }
            }
        }
        return (1, 1)
    }
}

/// How much of the exits is shown.
public enum TraceLevel: UInt8, Comparable, Sendable {
    /// Nothing; the exit path is at its shortest.
    case off = 0
    /// The table at the end.
    case summary = 1
    /// A line for each exit, and the table.
    case exits = 2
    /// Also why each exit came, and the controls that were wanted and granted.
    case full = 3

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

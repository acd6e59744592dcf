/// A line broken into rows for a terminal or a page: before an arrow, else at the last blank that fits. The rows after the first
/// are indented. A word longer than a row stays whole.
public struct LineRows {
    /// The columns of a row where none are specified.
    public static var usualColumns: Int { 100 }

    private let columns: Int
    /// By how much the rows after the first are indented.
    public let indentation: Int
    /// Where the row begins in the line, and where it ends.
    public private(set) var start = 0
    public private(set) var end = 0
    private var next = 0

    /// - Parameters:
    ///   - columns: of a row, more than `indentation`.
    ///   - indentation: in columns.
    public init(columns: Int, indentation: Int) {
        self.columns = columns
        self.indentation = indentation
    }

    /// Goes on to the next row of the line, which must be the same each time.
    /// - Returns: false if there is none.
    @inline(never)
    public mutating func advance(in line: Line) -> Bool {
        guard next < line.count else { return false }
        start = next
        let room = start == 0 ? columns : columns - indentation
        end = line.count - start > room ? place(in: line, room) : line.count
        next = end
        while next < line.count, line[next] == 0x20 { next += 1 }
        return true
    }

    /// Where to break what is too long: after a word, the first if even that does not fit.
    private func place(in line: Line, _ room: Int) -> Int {
        var (blank, arrow) = (0, 0)
        for position in start + 1..<line.count where line[position] == 0x20 && line[position - 1] != 0x20 {
            if position > start + room, blank > 0 { break }
            blank = position
            if isArrow(position, in: line) { arrow = position }
        }
        return arrow > 0 ? arrow : blank > 0 ? blank : line.count
    }

    private func isArrow(_ position: Int, in line: Line) -> Bool {
        position + 4 < line.count && line[position + 2] == 0x2D && line[position + 3] == 0x3E
    }
}

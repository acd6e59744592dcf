import Text

/// Finds the one name that a word begins, among names that are offered one after the other: a whole name wins.
struct NameSearch {
    private let word: Line
    private var found: Int?
    private var isWhole = false
    private var count = 0
    private var names = Line()

    init(_ word: Line) { self.word = word }

    /// Looks at a name, which stands for a number.
    mutating func offer(_ name: StaticString, _ number: Int) {
        guard let whole = word.matchesBeginning(of: name), !isWhole else { return }
        found = number
        isWhole = whole
        if count > 0 { names.write(", ") }
        names.write(name)
        count += 1
    }

    /// The number of the one name.
    /// - Parameters:
    ///   - kind: what the names are, for the complaint, as in "command".
    ///   - advice: how to find the right one.
    func result(_ kind: StaticString, _ advice: StaticString) throws(Complaint) -> Int {
        guard let found else { throw Complaint("there is no \(kind) \"\(word)\": \(advice)") }
        guard isWhole || count == 1 else { throw Complaint("\"\(word)\" may be \(names)") }
        return found
    }
}

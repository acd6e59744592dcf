/// Breaks a text into rows for a terminal, at blanks; a word longer than a row stays whole.
/// - Parameters:
///   - columns: the width of a row.
///   - indentation: of the rows after the first, in columns.
func rows(_ text: String, columns: Int, indentation: Int) -> [String] {
    let margin = String(repeating: " ", count: indentation)
    var rows: [String] = []
    // Blanks within the first row stay: they may belong to a value.
    var row: [Character] = []
    var rest = Array(text)[...]
    while row.count + rest.count > columns {
        let room = max(0, columns - row.count)
        let isFirstWord = row.allSatisfy { $0 == " " }
        // A blank right after the row ends it, too.
        let fitting = rest.prefix(room + 1)
        guard
            let blank = fitting.lastIndex(where: { $0 == " " }).flatMap({ $0 > rest.startIndex || !isFirstWord ? $0 : nil })
                ?? rest.firstIndex(of: " ")
        else { break }
        rows.append(String(row + rest[..<blank]))
        rest = rest[(blank + 1)...]
        row = Array(margin)
    }
    rows.append(String(row + rest))
    return rows
}

/// A text in rows for a terminal, broken at blanks; a word that is longer than a row stays whole.
/// - Parameters:
///   - columns: of a row.
///   - indentation: of the rows behind the first, in columns.
func rows(_ text: String, columns: Int, indentation: Int) -> [String] {
    let margin = String(repeating: " ", count: indentation)
    var rows: [String] = []
    // Blanks within the first row stay: they may be a value's.
    var row: [Character] = []
    var rest = Array(text)[...]
    while row.count + rest.count > columns {
        let room = max(0, columns - row.count)
        let isFirstWord = row.allSatisfy { $0 == " " }
        // A blank right behind the row ends it, too.
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

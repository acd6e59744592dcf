/// Breaks a line between words where it is wider than the place where it is shown; the rest is indented by two columns more than
/// the line. Long lists are broken behind a comma. A word that is as wide as all the place stays whole.
public func wrapped(_ line: String, to width: Int) -> [String] {
    let characters = Array(line)
    guard characters.count > width else { return [line] }
    var lines: [String] = []
    var indentation = characters.prefix { $0 == " " }.count
    let margin = min(indentation, width / 2) + 2
    var start = 0
    var room = width
    while characters.count - start > room {
        var end = start + room
        // A list is broken between its parts, whose names may have blanks.
        let commas = (start + indentation..<end).filter { characters[$0] == "," && characters[$0 + 1] == " " }
        if commas.count > 1, let last = commas.last, last - start > room / 2 { end = last + 1 }
        while end > start + indentation, characters[end] != " " { end -= 1 }
        if end == start + indentation {
            // The next blank is where it can be broken.
            end = start + room
            while end < characters.count, characters[end] != " " { end += 1 }
            if end == characters.count { break }
        }
        var piece = characters[start..<end]
        while piece.last == " " { piece.removeLast() }
        lines.append((lines.isEmpty ? "" : String(repeating: " ", count: margin)) + String(piece))
        start = end
        while start < characters.count, characters[start] == " " { start += 1 }
        indentation = 0
        room = width - margin
    }
    if start < characters.count { lines.append((lines.isEmpty ? "" : String(repeating: " ", count: margin)) + String(characters[start...])) }
    return lines
}

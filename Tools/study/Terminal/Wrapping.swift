/// How long names are at most: "Intel PT uses guest physical addresses".
private let longestName = 38

/// Breaks a line between words where it is wider than the place where it is shown; the rest is indented by two columns more than
/// the line. Names between commas or in quotation marks stay whole. A word that is as wide as all the place stays whole.
public func wrapped(_ line: String, to width: Int) -> [String] {
    let characters = Array(line)
    guard characters.count > width else { return [line] }
    var lines: [String] = []
    var indentation = characters.prefix { $0 == " " }.count
    let margin = min(indentation, width / 2) + 2
    let mostOfName = min(longestName, width - margin - 2)
    let isBreakable = breakable(characters, mostOfName: mostOfName)
    var start = 0
    var room = width
    while characters.count - start > room {
        var end = start + room
        // Short text after a comma is part of a list.
        if let comma = (start + indentation..<end).last(where: { characters[$0] == "," && isBreakable[$0 + 1] }),
            characters[(comma + 2)...].prefix(while: { $0 != "," }).count <= mostOfName, comma - start > room / 4
        {
            end = comma + 1
        }
        while end > start + indentation, !isBreakable[end] { end -= 1 }
        if end == start + indentation {
            // The next blank is where it can be broken.
            end = start + room
            while end < characters.count, !isBreakable[end] { end += 1 }
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
    if start < characters.count {
        lines.append((lines.isEmpty ? "" : String(repeating: " ", count: margin)) + String(characters[start...]))
    }
    return lines
}

/// At which characters the line may end: blanks, but for those in a name in quotation marks.
private func breakable(_ characters: [Character], mostOfName: Int) -> [Bool] {
    var isBreakable = characters.map { $0 == " " }
    var quote: Int?
    for index in characters.indices where characters[index] == "\"" {
        guard let start = quote else {
            quote = index
            continue
        }
        if index - start - 1 <= mostOfName { for inside in start..<index { isBreakable[inside] = false } }
        quote = nil
    }
    return isBreakable
}

import Support
import Testing
import Text

@Suite struct LineRowsTests {
    @Test(arguments: [
        ("", []),
        ("fits", ["fits"]),
        ("exactly twenty ones.", ["exactly twenty ones."]),
        ("what does not fit, goes into the next row", ["what does not fit,", "   goes into the", "   next row"]),
        ("two  columns of  a table", ["two  columns of  a", "   table"]),
        ("   what leads stays together", ["   what leads stays", "   together"]),
        ("HLT  ->  waits for its timer", ["HLT", "   ->  waits for its", "   timer"]),
        ("OUT 0x80, EAX  ->  stored", ["OUT 0x80, EAX", "   ->  stored"]),
        ("a  ->  b", ["a  ->  b"]),
        ("a-word-that-is-longer-than-a-row and more", ["a-word-that-is-longer-than-a-row", "   and more"]),
        ("then a-word-that-is-longer-than-a-row", ["then", "   a-word-that-is-longer-than-a-row"]),
    ])
    func `a line is broken before an arrow, else at a blank, and no word is`(line: String, rows: [String]) {
        #expect(line.rows(columns: 20, indentation: 3) == rows)
    }

    @Test func `random lines lose no word, and no row with two is wider than it may be`() {
        var random = FixedSeedGenerator(seed: 7)
        for _ in 0..<2000 {
            let words = (0..<Int(random.next() % 30)).map { _ in
                random.next() % 8 == 0 ? " -> " : String(repeating: "x", count: 1 + Int(random.next() % 12))
            }
            let line = words.joined(separator: " ")
            let columns = 20 + Int(random.next() % 60)
            let rows = line.rows(columns: columns, indentation: 6)
            #expect(rows.joined(separator: " ").split(separator: " ") == line.split(separator: " "))
            for row in rows { #expect(row.utf8.count <= columns || row.split(separator: " ").count == 1) }
        }
    }
}

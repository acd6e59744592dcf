import Testing

@testable import LauncherTools

@Suite struct RowTests {
    @Test(arguments: [
        ("one two three", 20, ["one two three"]),
        ("one two three", 13, ["one two three"]),
        ("one two three", 12, ["one two", "  three"]),
        ("one two three", 7, ["one two", "  three"]),
        ("one two three", 5, ["one", "  two", "  three"]),
        ("a-word-longer-than-all of it", 10, ["a-word-longer-than-all", "  of it"]),
        ("of a-word-longer-than-all", 10, ["of", "  a-word-longer-than-all"]),
        ("unbroken", 4, ["unbroken"]), ("", 10, [""]),
    ])
    func `a text is broken at blanks`(text: String, columns: Int, expected: [String]) {
        #expect(rows(text, columns: columns, indentation: 2) == expected)
    }

    @Test func `no word is lost, whatever the width`() {
        let text = "the quick brown fox jumps over the lazy dog and a-very-long-word-indeed in 3 rows"
        for columns in 1...90 {
            let broken = rows(text, columns: columns, indentation: 9)
            #expect(broken.joined(separator: " ").split(separator: " ") == text.split(separator: " "), "\(columns)")
            for row in broken where row.drop(while: { $0 == " " }).contains(" ") { #expect(row.count <= columns, "\(columns)") }
        }
    }
}

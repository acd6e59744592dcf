import Support
import Testing
import Text

@testable import Machine

/// A terminal that draws what it is sent: rows of characters with the colours that were set, and a cursor.
private struct Terminal {
    var rows: [[Character]]
    var colours: [[String]]
    var row: Int
    var column = 0
    var colour = ""
    var showsCursor = true

    init(rows count: Int) {
        rows = Array(repeating: Array(repeating: " ", count: 80), count: count)
        colours = Array(repeating: Array(repeating: "", count: 80), count: count)
        row = count - 1
    }

    mutating func take(_ text: String) {
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "\n":
                column = 0
                row += 1
                if row == rows.count {
                    rows = rows.dropFirst() + [Array(repeating: " ", count: 80)]
                    colours = colours.dropFirst() + [Array(repeating: "", count: 80)]
                    row -= 1
                }
            case "\u{1B}":
                let sequence = rest.prefix { !$0.isLetter }
                rest = rest.dropFirst(sequence.count)
                let number = Int(sequence.dropFirst()) ?? 1
                switch rest.popFirst() {
                case "A": row = max(0, row - number)
                case "B": row = min(rows.count - 1, row + number)
                case "G": column = number - 1
                case "m": colour = String(sequence.dropFirst())
                case "h": showsCursor = true
                case "l": showsCursor = false
                default: Issue.record("\(sequence) is no sequence that a terminal knows")
                }
            default:
                rows[row][min(column, 79)] = character
                colours[row][min(column, 79)] = colour
                column += 1
            }
        }
    }
}

private final class Fixture {
    let ram = GuestRAM(size: 1 << 20)
    let shown = UnsafeMutablePointer<UInt16>.allocate(capacity: 2000)
    var screen: TextScreen
    var terminal: Terminal
    var below = 0
    var sent = ""

    init(rows: Int) {
        screen = TextScreen(shown, terminalRows: rows)
        terminal = Terminal(rows: max(rows, 1))
        for index in 0..<0x4000 { _ = ram.memory.write(0x0720, count: 2, at: .init(0xB8000 + 2 * UInt64(index))) }
    }

    deinit { shown.deallocate() }

    func put(_ text: [UInt8], at index: Int, _ attribute: UInt8 = 7) {
        for (place, byte) in text.enumerated() {
            _ = ram.memory.write(UInt64(attribute) << 8 | UInt64(byte), count: 2, at: .init(0xB8000 + 2 * UInt64(index + place)))
        }
    }

    func draw(start: UInt16 = 0, cursor: UInt16? = 0) {
        var text = ""
        below = screen.draw(ram.memory, start: start, cursor: cursor, isInPlace: below > 0) { text += $0.string }
        sent = text
        terminal.take(text)
    }

    func printed(start: UInt16 = 0) -> String {
        var text = ""
        screen.print(ram.memory, start: start) { text += $0.string }
        return text
    }
}

@Suite struct TextScreenTests {
    @Test func `an untouched screen is not drawn and not printed`() {
        let fixture = Fixture(rows: 30)
        fixture.draw()
        #expect(fixture.sent == "" && fixture.below == 0 && fixture.printed() == "")
    }

    @Test func `characters appear where they are written, in their colours, and what does not change is not sent again`() {
        let fixture = Fixture(rows: 26)
        fixture.put(Array("Hello".utf8), at: 3 * 80 + 10, 0x1E)
        fixture.draw(cursor: 3 * 80 + 15)
        #expect(String(fixture.terminal.rows[3][10..<15]) == "Hello")
        #expect(fixture.terminal.colours[3][10] == "0;93;44" && fixture.terminal.colours[3][15] == "0;37;40")
        #expect(fixture.terminal.row == 3 && fixture.terminal.column == 15 && fixture.below == 22)
        fixture.put([0xC9, 0x03], at: 24 * 80 + 78, 0xC2)
        fixture.draw(cursor: nil)
        #expect(String(fixture.terminal.rows[24][78..<80]) == "╔♥" && fixture.terminal.colours[24][79] == "0;5;32;41")
        #expect(fixture.sent.count < 60 && !fixture.terminal.showsCursor && String(fixture.terminal.rows[3][10..<15]) == "Hello")
        fixture.draw(cursor: 0)
        #expect(fixture.terminal.showsCursor && fixture.terminal.row == 0 && fixture.terminal.column == 0)
    }

    @Test func `after other lines the whole screen is drawn below them`() {
        let fixture = Fixture(rows: 60)
        fixture.put(Array("one".utf8), at: 0)
        fixture.draw()
        fixture.terminal.take("\u{1B}[\(fixture.below)B\nmartlet: a line\n")
        fixture.below = 0
        fixture.draw()
        #expect(fixture.sent == "")  // nothing has changed
        fixture.put(Array("two".utf8), at: 80)
        fixture.draw()
        let rows = fixture.terminal.rows.map { String($0).split(separator: " ").joined(separator: " ") }
        #expect(rows.filter { $0 == "one" }.count == 2 && rows.filter { $0 == "two" }.count == 1)
        let line = rows.firstIndex(of: "martlet: a line") ?? 0
        #expect(rows.firstIndex(of: "two") == (rows.lastIndex(of: "one") ?? 0) + 1 && (rows.lastIndex(of: "one") ?? 0) > line)
    }

    @Test func `a terminal with fewer rows shows those around the cursor`() {
        let fixture = Fixture(rows: 11)
        for row in 0..<25 { fixture.put([UInt8(0x41 + row)], at: 80 * row) }
        fixture.draw(cursor: 20 * 80)
        #expect(fixture.terminal.rows.prefix(10).map { $0[0] } == Array("LMNOPQRSTU"))
        fixture.draw(cursor: 2 * 80 + 1)
        #expect(fixture.terminal.rows.prefix(10).map { $0[0] } == Array("CDEFGHIJKL"))
        #expect(fixture.terminal.row == 0 && fixture.terminal.column == 1)
    }

    @Test(arguments: [80, 81, 0x3FFE, 0xFFFF] as [UInt16]) func `the screen begins where the CRT controller says`(start: UInt16) {
        let fixture = Fixture(rows: 26)
        fixture.put([0x58], at: Int(start & 0x3FFF))
        fixture.put([0x59], at: Int((start &+ 81) & 0x3FFF))
        fixture.draw(start: start, cursor: start &+ 5)
        #expect(fixture.terminal.rows[0][0] == "X" && fixture.terminal.rows[1][1] == "Y")
        #expect(fixture.terminal.row == 0 && fixture.terminal.column == 5)
    }

    @Test func `the last screen is plain text, without blanks behind it`() {
        let fixture = Fixture(rows: 0)
        fixture.put(Array("title".utf8), at: 2)
        fixture.put([0x80, 0xFE, 0, 0xFF, 0x7F, 0x01], at: 4 * 80, 0x4F)
        #expect(fixture.printed() == "  title\n\n\n\nÇ■  ⌂☺\n")
    }

    @Test func `every character of code page 437 has its sign`() {
        let fixture = Fixture(rows: 0)
        fixture.put((0...255).map { UInt8($0) }, at: 0)
        let text = fixture.printed().filter { $0 != "\n" }
        #expect(text.count == 255 && Set(text.filter { $0 != " " }).count == 253)
        #expect(text.hasPrefix(" ☺☻♥♦♣♠•") && text.hasSuffix("°∙·√ⁿ²■"))
    }
}

import Devices
import Memory
import Text

/// The guest's text screen on a terminal: draws what has changed in the text buffer since the last look, with ECMA-48 control
/// sequences. It stands among the other lines of the terminal: `rows` of it, with the cursor somewhere in them.
///
/// A plain value, except for the characters it has shown, which take 4000 bytes of memory.
public struct TextScreen {
    static var columns: Int { 80 }
    static var rowCount: Int { 25 }
    /// A blank as firmware leaves it.
    static var blank: UInt16 { 0x0720 }
    /// The buffer holds more than a screen, in characters; the CRT controller may start the screen anywhere in it.
    private static var bufferMask: UInt64 { 0x3FFF }

    private let shown: UnsafeMutablePointer<UInt16>
    /// How many rows the terminal has for it; 0 if there is none to draw on.
    private let rows: Int
    /// The first row that is on the terminal.
    private var top = 0
    /// Where the terminal's cursor is: a row of the terminal, and a column, or -1 if unknown.
    private var row = 0
    private var column = -1
    /// The attribute now set there, or -1.
    private var attribute = -1
    private var line = Line()
    /// Something other than the firmware's empty screen was seen.
    public private(set) var isUsed = false

    /// - Parameters:
    ///   - shown: room for 2000 characters with their attributes; must live as long as this value.
    ///   - terminalRows: how many the terminal has, 0 if there is none.
    public init(_ shown: UnsafeMutablePointer<UInt16>, terminalRows: Int) {
        self.shown = shown
        rows = min(Self.rowCount, max(0, terminalRows - 1))
        for index in 0..<Self.columns * Self.rowCount { shown[index] = Self.blank }
    }

    /// Draws what has changed.
    /// - Parameters:
    ///   - start: where the screen begins, as the CRT controller has it.
    ///   - cursor: where the cursor is, likewise.
    ///   - isInPlace: the terminal's cursor is where the last drawing left it; else everything is redrawn.
    /// - Returns: how many rows below its cursor the terminal is free; 0 if nothing was drawn and the cursor is not in the screen.
    public mutating func draw(
        _ memory: GuestMemory, start: UInt16, cursor: UInt16?, isInPlace: Bool, _ output: (borrowing Line) -> Void
    ) -> Int {
        let cursor = cursor.map { Int(($0 &- start) & UInt16(Self.bufferMask)) }.flatMap { $0 < 2000 ? $0 : nil }
        let hasChanged = differs(memory, start)
        guard hasChanged || isInPlace && rows > 0 else { return 0 }
        isUsed = isUsed || hasChanged
        let oldTop = top
        if let cursor { top = min(max(top, cursor / 80 - rows + 1), min(cursor / 80, Self.rowCount - rows)) }
        let isWhole = !isInPlace || top != oldTop
        if rows > 0, !isInPlace { makeRoom() }
        for index in 0..<Self.columns * Self.rowCount {
            let cell = cell(memory, start, index)
            guard isWhole || cell != shown[index] else { continue }
            shown[index] = cell
            let row = index / Self.columns - top
            guard row >= 0, row < rows else { continue }
            move(to: row, index % Self.columns)
            set(UInt8(cell >> 8))
            write(UInt8(cell & 0xFF))
            column += 1
            if line.count > 180 { flush(output) }
        }
        guard rows > 0 else { return 0 }
        if let cursor {
            move(to: cursor / Self.columns - top, cursor % Self.columns)
            line.write("\u{1B}[?25h")
        } else {
            line.write("\u{1B}[?25l")
        }
        flush(output)
        return rows - row
    }

    /// Writes the screen as plain text, without trailing blanks.
    public mutating func print(_ memory: GuestMemory, start: UInt16, _ output: (borrowing Line) -> Void) {
        guard differs(memory, start) || isUsed else { return }
        var blanks = 0
        var breaks = 0
        for index in 0..<Self.columns * Self.rowCount {
            if index > 0, index % Self.columns == 0 { (blanks, breaks) = (0, breaks + 1) }
            let character = UInt8(cell(memory, start, index) & 0xFF)
            guard character != 0x20, character != 0, character != 0xFF else {
                blanks += 1
                continue
            }
            for _ in 0..<breaks { line.write(byte: 0x0A) }
            for _ in 0..<blanks { line.write(byte: 0x20) }
            (blanks, breaks) = (0, 0)
            write(character)
            if line.count > 110 { flush(output) }
        }
        if line.count > 0 || isUsed { line.write(byte: 0x0A) }
        flush(output)
    }

    // MARK: The buffer

    private func place(_ start: UInt16, _ index: Int) -> GuestPhysicalAddress {
        GuestPhysicalAddress(FirmwareLayout.textBuffer + 2 * ((UInt64(start) + UInt64(index)) & Self.bufferMask))
    }

    private func cell(_ memory: GuestMemory, _ start: UInt16, _ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: memory.read(count: 2, at: place(start, index)) ?? 0)
    }

    /// Whether any character differs from what was shown; checks four at a time.
    private func differs(_ memory: GuestMemory, _ start: UInt16) -> Bool {
        guard start & 3 == 0 else {
            for index in 0..<Self.columns * Self.rowCount where cell(memory, start, index) != shown[index] { return true }
            return false
        }
        return shown.withMemoryRebound(to: UInt64.self, capacity: 500) { words in
            for index in 0..<500 where memory.readUInt64(at: place(start, 4 * index)) != words[index] { return true }
            return false
        }
    }

    // MARK: The terminal

    private mutating func flush(_ output: (borrowing Line) -> Void) {
        guard line.count > 0 else { return }
        output(line)
        line = Line()
    }

    /// Makes free rows at the end of the terminal, by scrolling.
    private mutating func makeRoom() {
        for _ in 0..<rows { line.write(byte: 0x0A) }
        (row, column, attribute) = (rows, -1, -1)
    }

    private mutating func move(to newRow: Int, _ newColumn: Int) {
        if newRow != row { control(UInt64(abs(newRow - row)), newRow < row ? 0x41 : 0x42) }  // up, down
        if newColumn != column || newRow != row || newColumn == 0 { control(UInt64(newColumn + 1), 0x47) }
        (row, column) = (newRow, newColumn)
    }

    private mutating func control(_ number: UInt64, _ final: UInt8) {
        line.write("\u{1B}[")
        line.write(decimal: number)
        line.write(byte: final)
    }

    /// The colours of an attribute: bits 2:0 and 3 (bright) of the character, 6:4 of its background; bit 7 makes it blink.
    private mutating func set(_ new: UInt8) {
        guard Int(new) != attribute else { return }
        attribute = Int(new)
        line.write(new & 0x80 != 0 ? "\u{1B}[0;5;" : "\u{1B}[0;")
        line.write(decimal: (new & 8 != 0 ? 90 : 30) + Self.colour(new))
        line.write(byte: 0x3B)
        line.write(decimal: 40 + Self.colour(new >> 4))
        line.write(byte: 0x6D)
    }

    /// Blue is bit 0 of a text buffer's colours, and bit 2 of a terminal's.
    private static func colour(_ bits: UInt8) -> UInt64 { UInt64(bits & 2 | bits << 2 & 4 | bits >> 2 & 1) }

    /// A character of code page 437, in UTF-8.
    private mutating func write(_ character: UInt8) {
        switch character {
        case 0, 0xFF: line.write(byte: 0x20)
        case 0x20..<0x7F: line.write(byte: character)
        case 1..<0x20: write(glyph: Int(character) - 1)
        default: write(glyph: Int(character) - 0x7F + 31)
        }
    }

    private mutating func write(glyph number: Int) {
        var number = number
        for index in 0..<Self.glyphs.utf8CodeUnitCount {
            let byte = Self.glyphs.utf8Start[index]
            if byte & 0xC0 != 0x80 { number -= 1 }
            if number == -1 { line.write(byte: byte) }
        }
    }

    /// The characters 01H to 1FH, then 7FH to FEH.
    private static var glyphs: StaticString {
        """
        ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼⌂\
        ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»\
        ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
        αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■
        """
    }
}

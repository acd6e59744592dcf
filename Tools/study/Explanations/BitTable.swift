import Text
import X86

/// A value explained bit by bit, one line each: the bits, their value, its meaning.
///
/// It remembers which bits were explained, so that `finish` can name any others that are set: nothing is left out.
public struct BitTable {
    /// The value to explain.
    public let value: UInt64
    private var told: UInt64 = 0

    public init(_ value: UInt64) { self.value = value }

    /// The bits from `high` down to `low`.
    public func bits(_ high: Int, _ low: Int) -> UInt64 { value >> UInt64(low) & Self.mask(high - low + 1) }

    /// Whether a bit is set.
    public func isSet(_ bit: Int) -> Bool { bits(bit, bit) != 0 }

    /// Tells of several bits together.
    public mutating func row(_ high: Int, _ low: Int, _ words: Line, to print: (Line) -> Void) {
        told |= Self.mask(high - low + 1) << UInt64(low)
        var line = Line("  ")
        if high == low {
            line.write("bit ")
            line.write(decimal: UInt64(low))
        } else {
            line.write("bits ")
            line.write(decimal: UInt64(high))
            line.write(":")
            line.write(decimal: UInt64(low))
        }
        line.pad(to: 14)
        let number = bits(high, low)
        if number < 10 { line.write(decimal: number) } else { line.write(hex: number) }
        line.write("  ")
        line.pad(to: 21)
        line.write(words)
        print(line)
    }

    /// Tells of one bit.
    public mutating func flag(_ bit: Int, _ set: StaticString, else clear: StaticString, to print: (Line) -> Void) {
        row(bit, bit, Line(isSet(bit) ? set : clear), to: print)
    }

    /// Tells of one bit only if it is set.
    public mutating func flag(_ bit: Int, _ set: StaticString, to print: (Line) -> Void) {
        if isSet(bit) { row(bit, bit, Line(set), to: print) }
    }

    /// Marks bits as explained that other words have covered.
    public mutating func cover(_ high: Int, _ low: Int) { told |= Self.mask(high - low + 1) << UInt64(low) }

    /// Names every set bit that was not explained.
    public mutating func finish(to print: (Line) -> Void) {
        for bit in 0..<64 where (value & ~told) >> UInt64(bit) & 1 != 0 { row(bit, bit, "reserved: must be 0", to: print) }
    }

    private static func mask(_ count: Int) -> UInt64 { count >= 64 ? .max : (1 << UInt64(count)) - 1 }
}

/// Words separated by commas on as many lines as they need.
struct WordList {
    private var line: Line
    private var isEmpty = true
    private let indentation: Int

    /// A list whose first line begins with a heading; the lines after it are indented.
    init(_ heading: Line, indentation: Int) {
        line = heading
        self.indentation = indentation
    }

    mutating func add(_ word: Line, to print: (Line) -> Void) {
        if !isEmpty {
            line.write(",")
            if line.count + word.count > 108 {
                print(line)
                line = Line()
                line.pad(to: indentation)
            } else {
                line.write(" ")
            }
        }
        isEmpty = false
        line.write(word)
    }

    /// Prints what is left, if there was any word.
    func finish(to print: (Line) -> Void) { if !isEmpty { print(line) } }
}

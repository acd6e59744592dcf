import Text
import Support
import Testing

@testable import Text

@Suite struct LineTests {
    @Test func `interpolation writes texts, numbers and values`() {
        let line: Line = "exit \(7 as UInt64) at \(hex: 0x10_1000 as UInt32, digits: 8), \(-3), \("word" as StaticString)"
        #expect(words(line) == "exit 7 at 0x00101000, -3, word")
        #expect(words(Line("[\(line)]")) == "[exit 7 at 0x00101000, -3, word]")
    }

    @Test(
        arguments: [
            (0, "0"), (9, "9"), (10, "10"), (1_000_000, "1000000"), (9_999_999_999_999_999_999, "9999999999999999999"),
            (10_000_000_000_000_000_000, "10000000000000000000"), (.max, "18446744073709551615"),
        ] as [(UInt64, String)])
    func `decimal numbers`(value: UInt64, text: String) {
        var line = Line()
        line.write(decimal: value)
        #expect(words(line) == text)
        #expect(words(Line("\(value)")) == text)
    }

    @Test func `decimal numbers are filled on the left, and never cut`() {
        #expect(
            words(Line("\(42 as UInt8, width: 6)|\(123456 as UInt32, width: 3)|\(0 as UInt16, width: 2)")) == "    42|123456| 0")
    }

    @Test(arguments: [(Int.min, "-9223372036854775808"), (-1, "-1"), (0, "0"), (Int.max, "9223372036854775807")])
    func `signed numbers`(value: Int, text: String) { #expect(words(Line("\(value)")) == text) }

    @Test(arguments: [(-42, 6, "   -42"), (-42, 3, "-42"), (-42, 2, "-42"), (42, 4, "  42")])
    func `signed numbers are filled to the same width as unsigned ones`(value: Int, width: Int, text: String) {
        #expect(words(Line("\(value, width: width)")) == text)
    }

    @Test(
        arguments: [
            (0, 1, "0x0"), (0, 4, "0x0000"), (0xABC, 1, "0xabc"), (0xABC, 2, "0xabc"), (0xABC, 8, "0x00000abc"),
            (.max, 1, "0xffffffffffffffff"), (1, 16, "0x0000000000000001"),
        ] as [(UInt64, Int, String)])
    func `hexadecimal numbers`(value: UInt64, digits: Int, text: String) {
        #expect(words(Line("\(hex: value, digits: digits)")) == text)
    }

    @Test func `hexadecimal digits without a prefix`() {
        var line = Line()
        line.write(hexDigits: 0x7C0, digits: 4)
        line.write(hexDigits: 0)
        #expect(words(line) == "07c00")
    }

    @Test func `on the host nothing is cut`() {
        var line = Line()
        for index in 0..<1000 { line.write(byte: UInt8(0x61 + index % 26)) }
        let letters: [UInt8] = (0..<1000).map { index in UInt8(0x61 + index % 26) }
        #expect(words(line) == String(decoding: letters, as: UTF8.self))
    }

    @Test func `bytes from outside show as printable ASCII or question marks`() {
        let bytes: [UInt8] = [0x20, 0x41, 0x7E, 0x7F, 0x00, 0x1F, 0x0A, 0x80, 0xFF]
        #expect(bytes.withUnsafeBytes { words(Line($0)) } == " A~??????")
    }

    @Test func `padding fills up to a column and never cuts`() {
        var line = Line("abc")
        line.pad(to: 6)
        line.write("d")
        line.pad(to: 2)
        #expect(words(line) == "abc   d")
    }

    @Test func `lines are equal by their bytes`() {
        #expect(Line("a\(1 as UInt8)") == Line("a1") && Line("a") != Line("b") && Line("a") != Line("aa"))
        #expect(Line("ab")[1] == 0x62 && Line().count == 0)
    }
}

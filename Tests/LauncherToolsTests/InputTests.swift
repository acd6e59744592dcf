import Testing

@testable import LauncherTools

@Suite struct InputTests {
    private func lines(_ text: String?, prompt: String = "# ") -> PromptedLines {
        var lines = PromptedLines(prompt: prompt)
        if let text { lines.add(Array(text.utf8)) }
        return lines
    }

    private func answer(_ lines: inout PromptedLines, to printed: String) -> String {
        lines.see(Array(printed.utf8))
        return String(decoding: lines.answer(), as: UTF8.self)
    }

    @Test func `a line goes to the guest when it prompts, one for each prompt`() {
        var lines = lines("first\nsecond\n")
        #expect(answer(&lines, to: "booting #") == "")
        #expect(answer(&lines, to: " ") == "first\n")
        #expect(answer(&lines, to: "first\r\n") == "")
        #expect(answer(&lines, to: "/ # ") == "second\n")
        #expect(answer(&lines, to: "/ # ") == "")
        lines.add(nil)
        #expect(String(decoding: lines.answer(), as: UTF8.self) == "\u{4}")
        #expect(answer(&lines, to: "/ # ") == "")
    }

    @Test func `an unterminated last line goes unchanged, and then end-of-file`() {
        var lines = lines("poweroff")
        #expect(answer(&lines, to: "# ") == "")
        lines.add(nil)
        #expect(String(decoding: lines.answer(), as: UTF8.self) == "poweroff")
        #expect(answer(&lines, to: "\n# ") == "\u{4}")
    }

    @Test func `a shell that asks where the cursor is still asks for a line`() {
        var lines = lines("x\n")
        #expect(answer(&lines, to: "/ # \u{1B}[6n") == "x\n")
    }

    @Test func `a line may be long, and come in pieces`() {
        let piece = String(repeating: "y", count: 5000)
        var lines = lines(piece)
        #expect(!lines.isSated)
        lines.add(Array((piece + "\n").utf8))
        #expect(lines.isSated)
        #expect(answer(&lines, to: "# ") == piece + piece + "\n")
    }

    @Test func `old output is not a prompt, and a prompt in pieces is one`() {
        var lines = lines("x\n")
        #expect(answer(&lines, to: "# " + String(repeating: "y", count: 1000)) == "")
        #expect(answer(&lines, to: "#") == "")
        #expect(answer(&lines, to: " ") == "x\n")
    }

    @Test func `Ctrl-A is the launcher's`() {
        var keys = TypedKeys()
        #expect(keys.take(Array("a\u{1}\u{1}b\u{1}ac\u{1}zd".utf8)) == Array("a\u{1}b\u{1}cd".utf8))
        #expect(keys.take([0, 3, 26, 255]) == [0, 3, 26, 255])
        #expect(!keys.isAtEnd)
        #expect(keys.take([1]) == [])
        #expect(keys.take(Array("xy".utf8)) == [])
        #expect(keys.isAtEnd)
    }
}

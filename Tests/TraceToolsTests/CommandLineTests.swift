import Testing

@testable import TraceTools

@Suite struct CommandLineTests {
    private func complaint(_ words: String...) -> String? {
        do { _ = try CommandLineTool.request(words) } catch { return error.description }
        return nil
    }

    @Test func `words ask for outputs; without any it is the text`() throws {
        #expect(try CommandLineTool.request(["a"]).text)
        #expect(try CommandLineTool.request(["a", "--table"]) == .init(files: ["a"], table: true))
        #expect(
            try CommandLineTool.request(["--html", "o.html", "a", "--perfetto", "o.json"])
                == .init(files: ["a"], perfetto: "o.json", html: "o.html"))
        #expect(try CommandLineTool.request(["--diff", "a", "b"]) == .init(files: ["a", "b"], diff: true))
        #expect(
            try CommandLineTool.request(["--diff", "a", "b", "--html", "o"]) == .init(files: ["a", "b"], diff: true, html: "o"))
    }

    @Test func `wrong words are reported`() {
        #expect(complaint() == "which file?")
        #expect(complaint("a", "b") == "one file at a time, or --diff")
        #expect(complaint("a", "--html") == "--html needs the name of a file to write")
        #expect(complaint("a", "--tabel") == "unknown word \"--tabel\"")
        #expect(complaint("--diff", "a") == "--diff compares two files, and 1 is given")
        #expect(complaint("--diff", "a", "b", "c") == "--diff compares two files, and 3 are given")
        #expect(complaint("--diff", "a", "b", "--table") == "--diff can only be combined with --html")
    }
}

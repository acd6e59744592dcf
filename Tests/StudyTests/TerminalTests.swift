import Debug
import Foundation
import Support
import Testing
import VMX
import X86

@testable import StudyTools

/// Lines that are broken, typed, completed and kept.
@Suite struct TerminalTests {
    // MARK: Wrapping

    @Test func `a line is broken between words, and what follows is indented`() {
        #expect(wrapped("short", to: 10) == ["short"])
        #expect(wrapped("one two three four", to: 10) == ["one two", "  three", "  four"])
        #expect(wrapped("  one two three", to: 10) == ["  one two", "    three"])
        #expect(wrapped("exactly ten", to: 11) == ["exactly ten"])
        #expect(wrapped("", to: 10) == [""])
    }

    @Test func `a list is broken between its parts and not in the middle of a name`() {
        #expect(
            wrapped("HLT exiting, use TPR shadow, use I/O bitmaps", to: 36)
                == ["HLT exiting, use TPR shadow,", "  use I/O bitmaps"])
        #expect(
            wrapped("  on: HLT exiting, MWAIT exiting, RDPMC exiting, CR8-load exiting", to: 52)
                == ["  on: HLT exiting, MWAIT exiting, RDPMC exiting,", "    CR8-load exiting"])
        #expect(wrapped("well, this is only prose", to: 16) == ["well, this is", "  only prose"])
        #expect(
            wrapped("    mode-based execute control for EPT, sub-page write permissions for EPT,", to: 70)
                == ["    mode-based execute control for EPT,", "      sub-page write permissions for EPT,"])
        #expect(
            wrapped("  none of them counts: \"activate secondary controls\" is off", to: 44)
                == ["  none of them counts:", "    \"activate secondary controls\" is off"])
    }

    private func names<Flags: FlagSet>(_: Flags.Type) -> [String] {
        (0..<Flags.RawValue.bitWidth).compactMap { Flags.name(ofBit: $0).map { "\($0)" } }
    }

    @Test(arguments: [80, 100]) func `no control's name is broken, whatever is explained about controls`(width: Int) {
        let names =
            names(PinControls.self) + names(PrimaryControls.self) + names(SecondaryControls.self) + names(TertiaryControls.self)
            + names(ExitControls.self) + names(SecondaryExitControls.self) + names(EntryControls.self)
        var told: [String] = []
        for value in [0, UInt64.max, 0x5555_5555_5555_5555, 0x3333_3333_3333_3333] {
            for number in UInt32(0x480)...0x493 { MSRExplanation(.init(number)).report(value) { told.append($0.string) } }
            var state = StateSnapshot()
            state.fields[.pinControls] = .init(vmcsValue: value)
            state.fields[.primaryControls] = .init(vmcsValue: value)
            state.fields[.secondaryControls] = .init(vmcsValue: value)
            state.fields[.exitControls] = .init(vmcsValue: value)
            state.fields[.entryControls] = .init(vmcsValue: value)
            let capabilities = CapabilitySet.skylakeX.capabilities
            told += answer { FieldInspection.write("control", state, capabilities, to: &$0) }
            told += answer { ControlInspection.write("", state, capabilities, to: &$0) }
        }
        #expect(told.contains { $0.count > width })
        for line in told {
            let pieces = wrapped(line, to: width)
            func count(_ name: String, _ lines: [String]) -> Int { lines.reduce(0) { $0 + $1.ranges(of: name).count } }
            for name in names { #expect(count(name, pieces) == count(name, [line]), "\(name): \(pieces)") }
        }
    }

    @Test func `a word is never broken, however long it is`() {
        let long = String(repeating: "x", count: 30)
        #expect(wrapped(long, to: 10) == [long])
        #expect(wrapped("ab \(long) cd", to: 10) == ["ab", "  " + long, "  cd"])
    }

    @Test(arguments: [20, 40, 80, 100]) func `nothing is lost or wider than it may be`(width: Int) {
        let text = (0..<200).map { String(repeating: "w", count: $0 * 7 % 13 + 1) }.joined(separator: " ")
        let lines = wrapped(text, to: width)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.joined(separator: " ").split(separator: " ") == text.split(separator: " "))
    }

    // MARK: The editor

    private func typed(_ keys: String, history: [String] = []) -> LineEditor {
        var editor = LineEditor(history: history) { Completion(of: $0, among: ["step", "statistics", "memory"]) }
        for key in keys.utf8 { _ = editor.take(key) }
        return editor
    }

    @Test(arguments: [
        ("abc", "abc", 3), ("abc\u{7F}", "ab", 2), ("abc\u{1}x", "xabc", 1), ("abc\u{1B}[D\u{1B}[Dx", "axbc", 2),
        ("abc\u{1}\u{4}", "bc", 0),
        ("abc\u{1B}[Hx\u{1B}[Fy", "xabcy", 5), ("one two\u{17}", "one ", 4), ("one two\u{15}", "", 0),
        ("one two\u{1}\u{6}\u{b}", "o", 1),
        ("one two\u{17}\u{19}\u{19}", "one twotwo", 10), ("ab\u{1B}[1~\u{1B}[3~", "b", 0),
        ("one two\u{1B}b\u{1B}bx", "xone two", 1),
        ("a\u{1B}[99;99Zb\u{1B}Oc", "ab", 2), ("a\u{2}\u{2}\u{2}b", "ba", 1),
    ])
    func `keys edit the line`(keys: String, text: String, cursor: Int) {
        let editor = typed(keys)
        #expect(editor.string == text && editor.cursor == cursor)
    }

    @Test func `the arrows go through the history, and back to what was being typed`() {
        var editor = typed("new", history: ["first", "second"])
        func press(_ keys: String) -> String {
            for key in keys.utf8 { _ = editor.take(key) }
            return editor.string
        }
        #expect(press("\u{1B}[A") == "second" && press("\u{1B}[A") == "first" && press("\u{1B}[A") == "first")
        #expect(
            press("\u{1B}[B") == "second" && press("\u{E}") == "new" && press("\u{1B}[B") == "new" && press("\u{10}") == "second")
    }

    @Test func `keys that end a line`() {
        var editor = typed("go")
        #expect(editor.take(0x0D) == .line("go"))
        #expect(editor.take(0x03) == .interrupt && editor.take(0x0C) == .clear && editor.take(0x04) == .more)
        var empty = typed("")
        #expect(empty.take(0x04) == .end)
    }

    @Test func `Tab completes what is the same of all that may follow, and lists them`() {
        var editor = typed("s")
        #expect(editor.take(9) == .more && editor.string == "st")
        #expect(editor.take(9) == .choices(["step", "statistics"]))
        #expect(typed("m\t").string == "memory " && typed("ME\t").string == "MEmory " && typed("q\t").string == "q")
    }

    // MARK: Completion

    @Test(arguments: [
        ("regi", "registers "), ("until ept-v", "until ept-violation "), ("break exit hl", "break exit hlt "),
        ("vmcs guest rf", "vmcs guest rflags "),
        ("controls unr", "controls unrestricted guest "), ("break cpuid 1 if qual", "break cpuid 1 if qualification "),
        ("set guest rfl", "set guest rflags "),
        ("walk ma", "walk main "), ("help wa", "help walk "), ("trace e", "trace exits "), ("inject ex", "inject exception "),
        ("p kernel", "p kernel"),
        ("info registers vm", "info registers vmcs "), ("memory 0x10 ph", "memory 0x10 physical "), ("nosuch a", "nosuch a"),
        ("break wr", "break write "),
        ("until ept violation i", "until ept violation if "),
    ])
    func `what may follow`(line: String, whole: String) {
        #expect(line + Study.completion(of: line, Symbols([("main", 1), ("mix", 2)])).addition == whole)
    }

    @Test func `every command can be completed from nothing`() {
        #expect(Study.completion(of: "").choices == Command.allCases.map(\.rawValue))
    }

    // MARK: History

    @Test func `history is kept between sessions, without repetitions`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "martlet-history-\(UUID().uuidString)/history")
        defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
        var history = History(file: file)
        for line in ["step", "step", "", "  ", "why"] { history.append(line) }
        #expect(history.lines == ["step", "why"] && History(file: file).lines == ["step", "why"])
        for number in 0..<1100 { history.append("step \(number)") }
        #expect(History(file: file).lines.count == 1000 && History(file: file).lines.last == "step 1099")
        #expect(History(file: nil).lines == [])
    }

    // MARK: gdb's formats

    @Test func `formats`() throws {
        let format = try Format("4xg")
        #expect(format.count == 4 && format.letter == "x" && format.size == 8)
        #expect(try Format.divide("x/3i").1?.letter == "i" && Format.divide("step").1 == nil)
        #expect(
            try Format("d").words(0xFF, size: 1) == "-1" && Format("u").words(0xFF, size: 1) == "255"
                && Format("t").words(5, size: 1) == "00000101")
        #expect(try Format("c").words(0x41, size: 1) == "65 'A'" && Format("").words(0x41, size: 2) == "0x0041")
        for wrong in ["q", "0x", "2000b"] { #expect(throws: Complaint.self) { try Format(Substring(wrong)) } }
    }
}

import Testing

@testable import ExplainTools

/// What `martlet explain` answers.
struct Explained {
    var status: Int32 = 0
    var lines: [String] = []
    var complaints: [String] = []
    var text: String { lines.joined(separator: "\n") }

    init(_ arguments: String..., files: [String: String] = [:]) {
        var lines: [String] = []
        var complaints: [String] = []
        struct NoSuchFile: Error, CustomStringConvertible { let description = "no such file" }
        status = ExplainCommand.run(
            arguments,
            reading: { path in
                guard let text = files[path] else { throw NoSuchFile() }
                return text
            }, print: { lines.append($0) }, complain: { complaints.append($0) })
        self.lines = lines
        self.complaints = complaints
    }
}

/// Martlet-explain.
@Suite struct CommandTests {
    @Test(arguments: Kind.all.map(\.name))
    func `the example of every kind works, and the help shows it`(_ name: String) throws {
        let kind = try #require(Kind.all.first { $0.name == name })
        #expect(Explained("--help").lines.contains("    martlet explain \(kind.example)"))
        #expect(Explained(name, "--help").lines.contains("    martlet explain \(kind.example)"))
        guard name != "vmcs", name != "vmcb" else { return }  // the tests of dumps have it
        var rest = Arguments(kind.example.split(separator: " ").map(String.init).dropFirst(), of: kind)
        var lines: [String] = []
        let status = try kind.explain(&rest, Session(read: { _ in "" }, print: { lines.append($0) }))
        #expect(status == 0)
        #expect(lines.count > 1)
    }

    @Test func `numbers are read in base 16 and base 10, and those that are none are refused with advice`() {
        #expect(Explained("exit-reason", "0x30").lines == Explained("exit-reason", "48").lines)
        #expect(Explained("cr0", "0x8000_0021").status == 0)
        for (word, advice) in [
            ("3f8", "write 0x3f8 if it is in base 16"), ("x", "write 0x1f or 31"), ("0x", "write 0x1f or 31"),
            ("-1", "write 0x1f or 31"),
            ("0x12345678901234567", "does not fit in 64 bits"), ("99999999999999999999", "does not fit in 64 bits"),
        ] {
            let answer = Explained("cr0", word)
            #expect(answer.status == 2)
            #expect(answer.lines.isEmpty)
            #expect(answer.complaints.count == 1 && answer.complaints[0].contains(advice), "\(word)")
        }
        #expect(Explained("error", "0x100000000").complaints.first?.contains("does not fit in 32 bits") == true)
    }

    @Test func `wrong arguments are refused with what is wrong`() {
        #expect(Explained().status == 2)
        #expect(Explained("exit").complaints.first?.contains("is \"exit-reason\" meant?") == true)
        #expect(Explained("frob").complaints.first?.contains("no kind \"frob\"") == true)
        #expect(Explained("cr0").complaints.first?.contains("the value is missing; for example: cr0") == true)
        #expect(Explained("cr0", "1", "2").complaints.first?.contains("\"2\" is unexpected") == true)
        #expect(Explained("control", "foo", "1").complaints.first?.contains("no control field \"foo\"") == true)
        #expect(Explained("ept-entry", "1", "6").complaints.first?.contains("from 1 to 5") == true)
        #expect(Explained("msr", "0x999").complaints.first?.contains("does not know MSR 0x999") == true)
        #expect(Explained("vmcs", "nowhere").complaints.first?.contains("nowhere cannot be read: no such file") == true)
        #expect(Explained("vmcs", "f", files: ["f": "hello"]).complaints.first?.contains("no VMCS dump in f") == true)
        #expect(Explained("vmcs", "f", "--frob", files: ["f": ""]).complaints.first?.contains("no option \"--frob\"") == true)
        #expect(
            Explained("vmcs", "f", "--linear-width", "70", files: ["f": ""]).complaints.first?.contains("from 48 to 57") == true)
        #expect(
            Explained("vmcs", "f", "--capabilities", "c", files: ["f": "", "c": "0x480"]).complaints.first?.contains("line 1")
                == true)
        #expect(
            Explained("vmcs", "f", "--capabilities", "c", files: ["f": "", "c": "480 1"]).complaints.first?
                .contains("lack these MSRs: 0x481") == true)
    }
}

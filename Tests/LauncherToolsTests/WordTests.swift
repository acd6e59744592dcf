import Testing

@testable import LauncherTools

@Suite struct WordTests {
    @Test func `each key has one row in the table`() {
        for key in WordKey.allCases { #expect(Word.all.filter { $0.key == key }.count == 1, "\(key.rawValue)") }
    }

    @Test func `defaults, and the choices shown in the help, are accepted`() throws {
        for word in Word.all {
            try word.check(word.usual)
            if case .choice = word.value {
                for value in word.example.split(separator: "|") { try word.check(String(value)) }
            }
        }
    }

    @Test func `arguments override the environment, which overrides the defaults`() throws {
        let words = try GivenWords(
            ["memory=1g", "TRACE="], environment: ["MEMORY": "2G", "TRACE": "full", "LARGE": "4k", "GUEST": ""])
        #expect(words[.memory] == "1g")
        #expect(words[.trace] == "exits")
        #expect(words[.large] == "4k")
        #expect(words[.guest] == "tour")
        #expect(words.given(.modules) == nil)
    }

    @Test func `a value may hold anything but control characters`() throws {
        let value = #"a=b,c;  $HOME "x" 'y' \ `z` ü"#
        #expect(try GivenWords(["CMDLINE=\(value)"], environment: [:])[.commandLine] == value)
        #expect(refusal("CMDLINE=a\tb") == .badUsage("CMDLINE contains a control character, which no machine passes on"))
        #expect(refusal("EXTRA=a\u{7F}") == .badUsage("EXTRA contains a control character, which no machine passes on"))
    }

    @Test(arguments: [
        ("COLOR=red", "unknown word \"COLOR=red\"; the keys are GUEST, CMDLINE"),
        ("memory", "memory needs a value, as in MEMORY=..."),
        ("MEMORY=lots", "MEMORY=lots is not a size: use a whole number and K, M or G, such as 256M"),
        ("MACHINE=abacus", "MACHINE=abacus is not accepted: use one of auto, kvm, tcg, bochs, bochs2.7, nested"),
        ("TIMEOUT=0.0", "TIMEOUT=0.0 is not a number of seconds"),
        ("TIMEOUT=-1", "TIMEOUT=-1 is not a number of seconds"),
        ("TIMEOUT=1e3", "TIMEOUT=1e3 is not a number of seconds"),
        ("IPS=1000", "IPS=1000 is not a number of instructions per second, at least 1000000"),
        ("PORT=80", "PORT=80 is not a TCP port from 1024 to 65535"),
        ("PORT=70000", "PORT=70000 is not a TCP port from 1024 to 65535"),
        ("PORT=2000", "PORT=2000 needs MONITOR=gdb"),
        ("SCRIPT=/dev/null", "SCRIPT=/dev/null needs MONITOR=study"),
        ("SYMBOLS=/dev/null", "SYMBOLS=/dev/null needs MONITOR=study or MONITOR=gdb"),
        ("SHADOW=8M", "SHADOW=8M needs MMU=shadow"),
    ])
    func `errors are reported`(word: String, words: String) throws {
        let failure = try #require(refusal(word))
        #expect(failure.status == .badUsage)
        #expect(failure.words?.hasPrefix(words) == true, "\(failure.words ?? "")")
    }

    @Test(arguments: [
        (["TRACE_FILE=/dev/null", "MONITOR=study"], "TRACE_FILE and MONITOR cannot be combined"),
        (["MMU=direct", "MONITOR=gdb"], "MMU=direct and MONITOR cannot be combined"),
        (["BOOT=multiboot2", "MACHINE=tcg"], "BOOT=multiboot2 needs GRUB"),
        (["MONITOR=study", "SCRIPT=/nowhere/at/all"], "SCRIPT=/nowhere/at/all: this file cannot be read"),
        (["TRACE_FILE=/nowhere/at/all"], "TRACE_FILE=/nowhere/at/all: this file cannot be written"),
    ])
    func `invalid combinations are reported`(given: [String], words: String) throws {
        let failure = #expect(throws: Failure.self) {
            try RunRequest(GivenWords(given, environment: [:]), kernel: "/martlet.elf")
        }
        #expect(failure?.words?.hasPrefix(words) == true, "\(failure?.words ?? "")")
    }

    @Test func `a number of seconds may begin with its point`() throws {
        #expect(try request("TIMEOUT=.5").timeout == 0.5)
        #expect(try request("TIMEOUT=10").timeout == 10)
        #expect(try request().timeout == nil)
    }

    @Test func `MONITOR=off means no monitor`() throws {
        #expect(try request("MONITOR=off").monitor == nil)
        #expect(try request("MONITOR=gdb", "PORT=2000").monitor == .debugger)
    }

    @Test func `shadow page tables have a default size`() throws {
        #expect(try request("MMU=shadow").shadow?.text == "16M")
        #expect(try request("MMU=shadow", "SHADOW=32m").shadow?.text == "32M")
    }
}

/// What `martlet help` prints.
enum Help {
    private static let column = 24

    static let text: String = {
        var lines = [
            "martlet [run] [KEY=value]...: run a guest on Martlet, on a machine made for it.",
            "`make run` takes the same words.",
            "Output is as wide as the terminal, or 100 columns, or COLUMNS in the environment.",
            "",
        ]
        for word in Word.all where word.audience == .everyone {
            lines += entry("\(word.key.rawValue)=\(word.example)", word.help, column)
        }
        lines.append("")
        lines += rows(benchMMU, columns: 100, indentation: 2)
        lines.append("")
        let forTests = Word.all.filter { $0.audience == .tests }.map { "\($0.key.rawValue)=\($0.example)" }
        lines += rows("for tests: " + forTests.joined(separator: ", "), columns: 100, indentation: 2)
        lines += ["", "words for the kernel (EXTRA=...), besides those above in lower case"]
        for word in KernelWord.all { lines += entry(word.name, word.help, column) }
        lines += ["", "other commands, each with --help"]
        for command in Command.allCases where command != .run { lines += entry(command.usage, command.words, 24) }
        lines += ["", "status"]
        lines += entry("odd", "twice the value that the guest wrote to port 0xf4, plus one", 8)
        for status in RunStatus.allCases { lines += entry("\(status.rawValue)", status.words, 8) }
        return lines.joined(separator: "\n")
    }()

    private static let benchMMU = """
        for make bench-mmu: MACHINE=bochs counts instructions; kvm measures nanoseconds, where "bare" is a guest of KVM, and \
        records nothing. WAYS="4k:MMU=nested,LARGE=4k shadow:MMU=shadow" lists what to measure; RECORD=1 records the counts
        """

    /// A name with its explanation beside it, or below it if the name is long.
    private static func entry(_ name: String, _ text: String, _ column: Int) -> [String] {
        let margin = String(repeating: " ", count: column)
        let head = "  " + name
        let body = rows(margin + text, columns: 100, indentation: column)
        guard head.count < column else { return [head] + body }
        return [head + body[0].dropFirst(head.count)] + body.dropFirst()
    }
}

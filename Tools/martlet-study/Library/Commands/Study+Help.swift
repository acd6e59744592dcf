extension Study {
    func help(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        if let word = text.word(1) {
            try text.end(2)
            return explain(try Command(word), &output)
        }
        for line in Self.overview { output.line("\(line)") }
    }

    /// All commands in one screen.
    static var overview: [String] {
        let groups: [(String, [Command])] = [
            ("run", [.step, .next, .continue, .until, .reset, .quit]), ("stop", [.break, .delete]),
            ("look", [.why, .registers, .changes, .memory, .disassemble, .backtrace, .print, .examine, .info, .symbols]),
            ("VMX", [.vmcs, .controls, .check, .walk, .ept]), ("change", [.set, .inject, .type]), ("report", [.trace, .statistics, .help]),
        ]
        return []
    }

    private func explain(_ command: Command, _ output: inout Answer) {
        let description = command.description
        output.line(description.parameters.isEmpty ? "\(command.rawValue)" : "\(command.rawValue) \(description.parameters)")
        output.line("  \(description.summary)")
        for remark in description.remarks { output.line("  \(remark)") }
        let shortNames = command.shortNames
        if !shortNames.isEmpty { output.line("  as in gdb: \(shortNames.joined(separator: ", "))") }
        output.line("  example: \(description.example)")
    }
}

extension Study {
    func help(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        if let word = text.word(1) {
            try text.end(2)
            return explain(try Command(word), &output)
        }
        for (commands, words) in Self.overview {
            let names = commands.map(\.rawValue).joined(separator: ", ")
            output.line("  \(names)\(String(repeating: " ", count: max(1, 29 - names.count)))\(words)")
        }
        output.line("Names can be abbreviated, also as in gdb (c, s, n, si, p, x, bt); Enter repeats.")
        output.line("\"help COMMAND\" shows more, and an example. Numbers are 16, 0x10, rsp, al, main+8.")
    }

    /// All commands in one screen.
    static var overview: [([Command], String)] {
        [
            ([.step, .next], "run to the N-th next VM exit; execute N instructions"),
            ([.continue, .until], "run on until Ctrl-C; run to an exit of a reason"),
            ([.break, .delete], "stop at exits, ports, MSRs, memory, addresses; undo that"),
            ([.reset, .quit], "restart the guest; end the guest and the machine"),
            ([.why, .changes], "explain the last exit; what changed since the last stop"),
            ([.registers, .print], "the guest's registers; one value or field"),
            ([.memory, .examine], "the guest's memory; the same as gdb shows it (x/4xg rsp)"),
            ([.disassemble, .backtrace], "instructions; the call chain"),
            ([.symbols, .info], "names of addresses; registers, breakpoints, a symbol"),
            ([.vmcs, .controls], "fields of the VMCS, decoded; the controls, and why"),
            ([.walk, .ept, .shadow], "the page walk of an address; the EPT's map; shadow tables"),
            ([.check], "the VM-entry checks, on the current VMCS"),
            ([.set, .inject, .type], "a register or field; an event; a line on COM1"),
            ([.trace, .statistics, .help], "a line for each exit; exits by reason; this"),
        ]
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

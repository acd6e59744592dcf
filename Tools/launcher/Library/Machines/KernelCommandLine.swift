extension RunRequest {
    /// The kernel's command line, preceded by its file name as QEMU does it.
    /// - Parameters:
    ///   - columns: the width of the rows that it prints.
    ///   - rows: of the terminal on which the guest's screen is drawn; nil if it is not drawn.
    func kernelCommandLine(columns: Int, rows: Int?, records: RecordWay) -> String {
        var text = ["\(baseName(kernel)) memory=\(memory.text) trace=\(words[.trace])"]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { text.append("\(name)=\(value)") }
        }
        add("large", words[.large])
        add("mmu", words[.mmu])
        add("shadow", shadow?.text)
        add("vpid", words[.vpid])
        add("checks", words[.checks])
        add("testdev", words[.testDevice])
        add("screen", words[.screen])
        add("rows", rows.map(String.init))
        add("columns", String(columns))
        add("flat", flat)
        // Separated by commas, since blanks separate the kernel's words.
        add("hide", words[.hide].split { $0 == " " || $0 == "," }.joined(separator: ","))
        text.append(monitor == nil ? "report=com2 stop=com4" : "report=com3 agent=com2")
        if traceFile != nil { text.append("record=serial recordway=\(records.rawValue)") }
        return (text + extra).joined(separator: " ")
    }
}

import Text
import VMX
import VMXChecks

/// The command `check`: the rules of VM entry on the VMCS as it is now.
public enum EntryInspection {
    @inline(never)
    public static func write(
        _ state: StateView, _ capabilities: VMXCapabilities, _ circumstances: EntryCircumstances,
        to output: inout some TextOutput
    ) {
        let findings = EntryChecks.run(state.fields, capabilities, circumstances)
        for index in 0..<findings.count {
            // Whole, however long: one line is one rule.
            output.write(findings[index])
            if findings[index].rule.isLeftToProcessor { output.write(", which some processors do not check") }
            output.write(byte: 0x0A)
        }
        if findings.count == 0 {
            output.line("all \(findings.asked) rules that apply hold: VM entry succeeds, as far as fields decide")
        } else {
            let verb: StaticString = findings.count == 1 ? "is" : "are"
            output.line(
                "\(findings.count) of the \(findings.asked) rules that apply \(verb) broken; VM entry: \(findings.verdict)")
        }
    }
}

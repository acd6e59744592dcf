import Debug
import Text
import VMX
import VMXChecks

/// The command `check`: the rules of VM entry on the current VMCS.
public enum EntryInspection {
    public static func write(
        _ state: StateSnapshot, _ capabilities: VMXCapabilities, _ circumstances: EntryCircumstances,
        to output: inout Answer
    ) {
        let findings = EntryChecks.run(state.fields, capabilities, circumstances)
        for index in 0..<findings.count {
            let isOptional = findings[index].rule.isLeftToProcessor
            output.line("\(findings[index])\(isOptional ? ", which some processors do not check" : "")")
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

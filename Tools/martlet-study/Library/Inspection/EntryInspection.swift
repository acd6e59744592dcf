import Debug
import Text
import VMX

/// The command `check`: the rules of VM entry on the VMCS as it is now.
public enum EntryInspection {
    public static func write(
        _ state: StateSnapshot, _ capabilities: VMXCapabilities, _ circumstances: EntryCircumstances,
        to output: inout Answer
    ) {
        var broken = 0
        var prediction = EntryPrediction()
        let asked = EntryChecks(state.fields, capabilities, circumstances).reportCounting { violation in
            broken += 1
            prediction.include(violation)
            output.line("\(violation)\(violation.isLeftToProcessor ? ", which some processors do not check" : "")")
        }
        if broken == 0 {
            output.line("all \(asked) rules that apply hold: VM entry succeeds, as far as fields decide")
        } else {
            let verb: StaticString = broken == 1 ? "is" : "are"
            output.line("\(broken) of the \(asked) rules that apply \(verb) broken; VM entry: \(prediction.verdict)")
        }
    }
}

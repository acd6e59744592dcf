import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

/// The command `why`: the last exit explained, from what the guest did to what Martlet made of it.
public enum ExitInspection {
    /// Answers before the first exit.
    public static func writeNothingYet(_ state: StateSnapshot, to output: inout some TextOutput) {
        output.line(
            "there was no exit yet: the guest stands before its first VM entry, in \(state.mode.words) at \(hex: state.codeAddress)")
    }

    /// Explains an exit.
    /// - Parameters:
    ///   - exit: what it was, in the words of both backends.
    ///   - outcome: what Martlet's handler returned.
    ///   - before: the state at the exit, before it was handled.
    ///   - after: the state when it had been handled.
    public static func write(
        _ exit: Exit, _ outcome: Outcome, before: StateSnapshot, after: StateSnapshot, to output: inout some TextOutput
    ) {
        let reason = before.fields[.exitReason]
        output.line(
            "\(reason), at \(hex: before.codeAddress) in \(before.mode.words): \(ExitDescription(exit, before.registers, in: before.mode))")
        ExitReasonExplanation(reason).report { output.line($0) }
        ExitCauseDetail(exit, before).write(to: &output)
        writeInformation(reason, before, to: &output)
        output.line("Martlet: \(ExitAction(exit, outcome, after.registers))")
        if let event = Injection(after.fields[.entryInterruptionInformation]) {
            output.line("  the next VM entry delivers \(event)")
        }
        output.line("changed by it:")
        if ChangeInspection.list(before, after, indentation: "  ", to: &output) == 0 { output.line("  nothing of the guest") }
    }

    /// What the processor tells with the exit.
    private static func writeInformation(_ reason: ExitReason, _ state: StateSnapshot, to output: inout some TextOutput) {
        let fields = state.fields
        if QualificationExplanation.isUsed(by: reason.basic) {
            QualificationExplanation(fields[.exitQualification], of: reason.basic).report { output.line($0) }
        }
        switch reason.basic {
        case 0, 1: writeEvent("VM-exit interruption information", fields[.exitInterruptionInformation], to: &output)
        case 48:
            output.line("guest-physical address \(hex: fields[.guestPhysicalAddress].rawValue)")
            if EPTViolationQualification(rawValue: fields[.exitQualification]).hasLinearAddress {
                output.line("guest-linear address \(hex: fields[.guestLinearAddress].rawValue)")
            }
        case 49: output.line("guest-physical address \(hex: fields[.guestPhysicalAddress].rawValue)")
        default: break
        }
        writeEvent("the exit came in the midst of a delivery:", fields[.vectoringInformation], to: &output)
    }

    private static func writeEvent(_ heading: StaticString, _ information: InterruptionInformation, to output: inout some TextOutput) {
        if let event = Injection(information) { output.line("\(heading) \(event)") }
    }
}

/// A valid interruption-information field in few words.
private struct Injection: TextConvertible {
    let explanation: InterruptionExplanation

    init?(_ information: InterruptionInformation) {
        guard information.isValid else { return nil }
        explanation = InterruptionExplanation(information)
    }

    func write(to output: inout some TextOutput) {
        output.write(explanation.kind)
        output.write(", ")
        output.write(explanation.vector)
    }
}

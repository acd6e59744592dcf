import Debug
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
    public static func writeNothingYet(_ state: StateSnapshot, to output: inout Answer) {
        output.line(
            "there has been no exit yet: the guest is before its first VM entry, in \(state.mode.words) at \(hex: state.codeAddress)"
        )
    }

    /// Explains an exit.
    /// - Parameters:
    ///   - exit: what it was, in the words of both backends.
    ///   - outcome: what Martlet's handler returned; nil if the monitor stopped the guest before it was asked.
    ///   - before: the state at the exit, before it was handled.
    ///   - after: the state when it had been handled.
    public static func write(
        _ exit: Exit, _ outcome: Outcome?, before: StateSnapshot, after: StateSnapshot, to output: inout Answer
    ) {
        let reason = before[.exitReason]
        output.line(
            "\(reason), at \(hex: before.codeAddress) in \(before.mode.words): \(ExitDescription(exit, before.registers, in: before.mode))"
        )
        ExitReasonExplanation(reason).report { output.line($0) }
        ExitCauseDetail(exit, before).write(to: &output)
        writeInformation(reason, before, to: &output)
        if let outcome {
            output.line("Martlet: \(ExitAction(exit, outcome, after.registers))")
            if case .exception(let exception) = exit, exception.vector == .pageFault, outcome == .resume, before.hasShadowTables {
                output.line(
                    "  the guest's tables allow it, but the shadow tables lacked it: they were filled in, and the access is repeated"
                )
            }
        } else {
            writeInterception(exit, to: &output)
        }
        if let event = Injection(after[.entryInterruptionInformation]) {
            output.line("  the next VM entry delivers \(event)")
        }
        output.line("changed by it:")
        if ChangeInspection.list(before, after, indentation: "  ", to: &output) == 0 { output.line("  nothing of the guest") }
    }

    /// What the exit has to do with a breakpoint.
    private static func writeInterception(_ exit: Exit, to output: inout Answer) {
        switch exit {
        case .nestedPageFault(let fault) where fault.isMapped:
            output.line("monitor: the EPT denies it because of a breakpoint; when the guest continues, it is permitted once")
        case .readMSR, .writeMSR:
            output.line("monitor: the bit is 1 because of a breakpoint; when the guest continues, the processor makes the access")
        case .exception(let exception) where exception.qualification & PendingDebugExceptions.singleStep.rawValue != 0:
            output.line("monitor: its own step, by RFLAGS.TF, has ended; the guest does not see it")
        case .nonMaskableInterruptWindow:
            output.line("monitor: its own step has ended: an event is delivered, or the instruction after MOV SS was executed")
        case .exception: output.line("monitor: the exception comes from a breakpoint on this address; the guest does not see it")
        case .monitorTrap: output.line("monitor: its own step has ended")
        default:
            output.line("monitor: Martlet is about to read or write memory that a breakpoint watches; it has done nothing yet")
        }
    }

    /// What the processor reports with the exit.
    private static func writeInformation(_ reason: ExitReason, _ state: StateSnapshot, to output: inout Answer) {
        if reason.hasQualification {
            QualificationExplanation(state[.exitQualification], of: reason).report { output.line($0) }
        }
        if reason.hasInterruptionInformation {
            writeEvent("VM-exit interruption information", state[.exitInterruptionInformation], to: &output)
        }
        switch reason.basic {
        case .eptViolation:
            output.line("guest-physical address \(hex: state[.guestPhysicalAddress].rawValue)")
            if EPTViolationQualification(rawValue: state[.exitQualification]).hasLinearAddress {
                output.line("guest-linear address \(hex: state[.guestLinearAddress].rawValue)")
            }
        case .eptMisconfiguration: output.line("guest-physical address \(hex: state[.guestPhysicalAddress].rawValue)")
        default: break
        }
        writeEvent("the exit occurred during the delivery of:", state[.vectoringInformation], to: &output)
    }

    private static func writeEvent(
        _ heading: StaticString, _ information: InterruptionInformation, to output: inout Answer
    ) {
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

    func write(to output: inout Line) {
        output.write(explanation.kind)
        output.write(", ")
        output.write(explanation.vector)
    }
}

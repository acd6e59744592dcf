import Text
import VMX
import X86

/// An interruption-information field in words: that of VM entry, of VM exit, or of IDT vectoring.
public struct InterruptionExplanation {
    let information: InterruptionInformation

    public init(_ information: InterruptionInformation) { self.information = information }

    public func report(to print: (Line) -> Void) {
        print(
            "interruption information \(hex: information.rawValue) (SDM volume 3, \"VM-Entry Controls for Event Injection\", \"Information for VM Exits Due to Vectored Events\")"
        )
        var table = BitTable(UInt64(information.rawValue))
        if !information.isValid {
            table.row(31, 31, "not valid: there is no event, and the other bits mean nothing", to: print)
            return
        }
        table.row(31, 31, "valid", to: print)
        table.row(10, 8, kind, to: print)
        table.row(7, 0, vector, to: print)
        table.flag(11, "an error code goes with it", else: "no error code", to: print)
        table.flag(
            12, "of an exit: IRET had unblocked NMIs; of IDT vectoring undefined; of an entry reserved", to: print)
        table.flag(
            13, "a nested exception, where the processor has flexible return and event delivery; else reserved", to: print)
        table.finish(to: print)
        if let wrong { print("  No processor produces this: \(wrong)") }
    }

    var kind: Line {
        switch information.kind {
        case .externalInterrupt: "external interrupt"
        case .reserved: "reserved kind"
        case .nonMaskableInterrupt: "NMI"
        case .hardwareException: "hardware exception"
        case .softwareInterrupt: "software interrupt (INT n)"
        case .privilegedSoftwareException: "privileged software exception (INT1)"
        case .softwareException: "software exception (INT3 or INTO)"
        case .other: "other event: with vector 0, a pending monitor-trap-flag exit"
        }
    }

    var vector: Line {
        switch information.kind {
        case .hardwareException, .softwareException, .privilegedSoftwareException:
            "\(ExceptionVector(information.vector)), vector \(UInt64(information.vector))"
        default: "vector \(hex: information.vector)"
        }
    }

    /// What contradicts itself.
    private var wrong: StaticString? {
        switch information.kind {
        case .reserved: "kind 1 is reserved."
        case .nonMaskableInterrupt where information.vector != 2: "an NMI has vector 2."
        case .hardwareException where information.vector > 31: "a hardware exception has a vector up to 31."
        default:
            information.deliversErrorCode && information.kind != .hardwareException
                ? "only a hardware exception has an error code." : nil
        }
    }
}

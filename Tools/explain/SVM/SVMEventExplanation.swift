import SVM
import StudyTools
import Text

/// EVENTINJ or EXITINTINFO in words.
struct SVMEventExplanation {
    let event: SVMEvent

    func report(to print: (Line) -> Void) {
        print("event \(hex: event.rawValue) (APM volume 2, \"Event Injection\", \"Intercepts During IDT Interrupt Delivery\")")
        var table = BitTable(event.rawValue)
        guard event.isValid else {
            table.row(31, 31, "V: there is no event, and the other bits mean nothing", to: print)
            return
        }
        table.row(31, 31, "V: there is an event", to: print)
        table.row(10, 8, "TYPE: \(Self.kind(of: event))", to: print)
        table.row(7, 0, "VECTOR: \(Self.vector(of: event))", to: print)
        table.flag(11, "EV: an error code goes with it", else: "EV: no error code", to: print)
        if event.hasErrorCode {
            table.row(63, 32, "the error code", to: print)
        } else {
            table.cover(63, 32)
        }
        table.finish(to: print)
    }

    /// The kind and the vector, such as "exception, #GP".
    static func words(of event: SVMEvent) -> String {
        guard event.isValid else { return "no event" }
        return "\(String(kind(of: event))), \(String(vector(of: event)))"
            + (event.hasErrorCode ? ", error code 0x\(String(event.errorCode, radix: 16))" : "")
    }

    private static func kind(of event: SVMEvent) -> Line {
        switch event.kind {
        case .interrupt: "external or virtual interrupt"
        case .nonMaskableInterrupt: "NMI"
        case .exception: "exception"
        case .softwareInterrupt: "software interrupt (INT n)"
        case .reserved1, .reserved5, .reserved6, .reserved7: "reserved type"
        }
    }

    private static func vector(of event: SVMEvent) -> Line {
        if event.kind == .nonMaskableInterrupt { return "ignored" }
        if event.kind == .exception, let mnemonic = SVMExitCode.mnemonic(ofException: event.vector) {
            return "\(mnemonic), vector \(UInt64(event.vector))"
        }
        return "vector \(hex: event.vector)"
    }
}

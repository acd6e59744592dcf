import Text
import VMX

/// An exit-reason field in words: what happened, why it exits, what else the exit reports, and the flags above the reason.
public struct ExitReasonExplanation {
    let reason: ExitReason

    public init(_ reason: ExitReason) { self.reason = reason }

    public func report(to print: (Line) -> Void) {
        print(
            "exit reason \(hex: reason.rawValue): \(reason), basic reason \(UInt64(reason.basicNumber)) (SDM volume 3, \"Basic VM-Exit Information\")"
        )
        if reason.isEntryFailure {
            print("  The VM entry failed (bit 31): the guest state was not, or not wholly, loaded, and no instruction of it ran.")
        }
        if let sentence = reason.sentence { print("  \(sentence)") }
        print("  exits by: \(reason.cause)")
        if reason.isNamed { print("  qualification: \(reason.qualificationLayout.words)") }
        reportFlags(to: print)
    }

    private func reportFlags(to print: (Line) -> Void) {
        var table = BitTable(UInt64(reason.rawValue))
        table.cover(15, 0)
        table.flag(25, "the delivery of an event left a supervisor shadow stack busy", to: print)
        table.flag(26, "a bus lock was detected", to: print)
        table.flag(27, "the exit occurred in an enclave", to: print)
        table.flag(28, "a monitor-trap-flag exit is pending (exits to an SMM monitor)", to: print)
        table.flag(29, "the exit came from VMX root operation (exits to an SMM monitor)", to: print)
        table.cover(31, 31)
        table.finish(to: print)
    }
}

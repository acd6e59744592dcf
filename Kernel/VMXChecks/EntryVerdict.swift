import Text
import VMX

/// What becomes of a VM entry, as far as the checks of its fields decide.
public enum EntryVerdict: Equatable, Sendable {
    /// The checks pass.
    case pass
    /// VMfailValid with a VM-instruction error number (SDM volume 3, "VM Instruction Error Numbers").
    case fail(error: UInt32)
    /// An exit with bit 31 of the reason set: the basic reason's number and the qualification (SDM volume 3, "VM-Entry Failures
    /// During or After Loading Guest State").
    case entryFailure(reason: UInt16, qualification: UInt64)

    /// Error 7.
    public static var invalidControls: Self { .fail(error: 7) }
    /// Error 8.
    public static var invalidHostState: Self { .fail(error: 8) }
    /// In this failure, qualification 2 stands for page-directory pointers, 3 for an NMI blocked by STI, 4 for the VMCS link
    /// pointer, 0 for everything else.
    public static func invalidGuestState(qualification: UInt64) -> Self {
        .entryFailure(reason: BasicExitReason.entryFailureGuestState.rawValue, qualification: qualification)
    }
}

extension EntryVerdict: TextConvertible {
    public func write(to output: inout Line) {
        switch self {
        case .pass: output.write("enters")
        case .fail(let error):
            output.write("VMfailValid ")
            output.write(decimal: UInt64(error))
        case .entryFailure(let reason, let qualification):
            output.write("entry failure ")
            output.write(decimal: UInt64(reason))
            output.write(" qualification ")
            output.write(decimal: qualification)
        }
    }
}

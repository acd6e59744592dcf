import SVM
import StudyTools
import Text

/// An exit code in words, with what EXITINFO1 and EXITINFO2 say of it.
struct ExitCodeExplanation {
    let code: UInt64
    /// EXITINFO1 and EXITINFO2, as far as they are known.
    var information1: UInt64?
    var information2: UInt64?

    func report(to print: (String) -> Void) {
        let number = "exit code 0x\(String(code, radix: 16))"
        guard let exit = known else {
            print("\(number): the manual has no such code (APM volume 2, \"SVM Intercept Exit Codes\")")
            return
        }
        print("\(number): \(exit.fullName) (APM volume 2, \"SVM Intercept Exit Codes\")")
        print("  \(exit.sentence)")
        print("  asked for by: \(Self.words(ofIntercept: exit))")
        print("  EXITINFO1 and EXITINFO2: \(exit.informationLayout.words)")
        guard let information1 else { return }
        ExitInformationExplanation(exit, information1, information2).report { print(String($0)) }
    }

    /// The code, which some hypervisors keep in 32 bits.
    private var known: SVMExitCode? {
        SVMExitCode(code) ?? (code >> 32 == 0 ? SVMExitCode(UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: code)))) : nil)
    }

    static func words(ofIntercept exit: SVMExitCode) -> String {
        guard let bit = exit.interceptBit else {
            return switch exit {
            case .nestedPageFault: "NP_ENABLE, bit 0 at offset 0x90 of the VMCB, and the nested page tables"
            case .avicIncompleteIPI, .avicNoAcceleration: "AVIC enable, bit 31 at offset 0x60 of the VMCB"
            default: "nothing: it comes when it must"
            }
        }
        return "bit \(bit % 32) of intercept vector \(bit / 32), at offset 0x\(String(bit / 32 * 4, radix: 16)) of the VMCB"
    }
}

extension ExitInformationLayout {
    /// What the fields hold, in few words.
    var words: String {
        switch self {
        case .none: "undefined"
        case .controlRegister: "with decode assists, the other operand of MOV"
        case .debugRegister: "with decode assists, the other operand"
        case .errorCode: "the error code"
        case .pageFault: "the error code, and the linear address"
        case .systemManagementInterrupt: "where it came from, and the port instruction that it came with"
        case .softwareInterrupt: "with decode assists, the vector"
        case .linearAddress: "with decode assists, the linear address"
        case .io: "the port, the size, the direction, string and REP, and the address of the next instruction"
        case .msr: "0 for RDMSR, 1 for WRMSR"
        case .taskSwitch: "the selector of the task, and what began the switch"
        case .writtenValue: "the value that was written"
        case .invpcid: "the linear address of the descriptor, and the type"
        case .nestedPageFault: "the kind of access, and the guest-physical address"
        case .avicIncompleteIPI: "the interrupt command, and what was in the way"
        case .avicAccess: "the register and the kind of access, and the vector of an EOI"
        }
    }
}

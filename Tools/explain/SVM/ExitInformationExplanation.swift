import Memory
import SVM
import StudyTools
import Text
import Virtualization
import X86

/// EXITINFO1 and EXITINFO2 in words; what their bits mean depends on the exit's code.
struct ExitInformationExplanation {
    private let exit: SVMExitCode
    private let information1: UInt64
    private let information2: UInt64?

    /// - Parameter information2: nil where it is not known.
    init(_ exit: SVMExitCode, _ information1: UInt64, _ information2: UInt64?) {
        self.exit = exit
        self.information1 = information1
        self.information2 = information2
    }

    func report(to print: (Line) -> Void) {
        print("EXITINFO1 = \(hex: information1)")
        reportFirst(to: print)
        guard let information2 else { return }
        print("EXITINFO2 = \(hex: information2)")
        reportSecond(information2, to: print)
    }

    private func reportFirst(to print: (Line) -> Void) {
        var table = BitTable(information1)
        switch exit.informationLayout {
        case .none: return print("  undefined")
        case .controlRegister: return reportControlRegister(to: print)
        case .debugRegister: table.row(3, 0, "\(RegisterNumber(UInt8(table.bits(3, 0))).name) is the other operand", to: print)
        case .errorCode: table.row(31, 0, "the error code that the exception would push", to: print)
        case .pageFault: table.row(31, 0, Line(PageFaultErrorCode(rawValue: UInt32(table.bits(31, 0)))), to: print)
        case .systemManagementInterrupt: return reportSMI(to: print)
        case .softwareInterrupt: table.row(7, 0, "vector \(hex: table.bits(7, 0))", to: print)
        case .linearAddress: return print("  the linear address \(hex: information1)")
        case .io: return reportIO(to: print)
        case .msr: table.flag(0, "WRMSR", else: "RDMSR", to: print)
        case .taskSwitch:
            let task = SVMTaskSwitchInformation(information1, 0)
            table.row(15, 0, "selector \(hex: task.selector.rawValue) of the task's TSS", to: print)
        case .writtenValue: return print("  the value that was written")
        case .invpcid: return print("  the descriptor lies at the linear address \(hex: information1)")
        case .nestedPageFault: return reportNestedPageFault(to: print)
        case .avicIncompleteIPI:
            table.row(31, 0, "ICRL: the interrupt command", to: print)
            table.row(63, 32, "ICRH: its destination", to: print)
        case .avicAccess:
            let access = AVICAccessInformation(information1, 0)
            table.row(11, 4, "the register at offset \(hex: access.offset) of the APIC page", to: print)
            table.flag(32, "a write", else: "a read", to: print)
        }
        table.finish(to: print)
    }

    private func reportSecond(_ value: UInt64, to print: (Line) -> Void) {
        var table = BitTable(value)
        switch exit.informationLayout {
        case .pageFault: print("  the linear address \(hex: value)")
        case .nestedPageFault: print("  the guest-physical address \(hex: value)")
        case .io: print("  the next instruction lies at \(hex: value)")
        case .systemManagementInterrupt: print("  the port instruction lies at \(hex: value), if there was one")
        case .taskSwitch: reportTaskSwitch(value, to: print)
        case .invpcid: table.row(1, 0, "the type of INVPCID", to: print)
        case .avicIncompleteIPI:
            let message = AVICIncompleteIPIInformation(information1, value)
            table.row(11, 0, "index \(UInt64(message.index)) in the table of APIC IDs", to: print)
            table.row(63, 32, Line(Self.words(ofCause: message.cause)), to: print)
            table.finish(to: print)
        case .avicAccess:
            table.row(7, 0, "vector \(hex: AVICAccessInformation(information1, value).vector), if it was an EOI", to: print)
            table.finish(to: print)
        default: print("  undefined")
        }
    }

    private func reportControlRegister(to print: (Line) -> Void) {
        let access = ControlRegisterInformation(rawValue: information1)
        var table = BitTable(information1)
        table.flag(
            63, "MOV", else: "CLTS, LMSW or SMSW; or the processor has no decode assists, and nothing is told", to: print)
        if access.isMove { table.row(3, 0, "\(access.general.name) is the other operand", to: print) }
        table.finish(to: print)
    }

    private func reportIO(to print: (Line) -> Void) {
        let io = IOIOInformation(rawValue: information1)
        var table = BitTable(information1)
        table.flag(0, "IN or INS", else: "OUT or OUTS", to: print)
        table.flag(2, "a string instruction", to: print)
        table.flag(3, "a REP prefix", to: print)
        table.row(6, 4, Line(Self.words(ofSize: io.size)), to: print)
        table.row(9, 7, Line(Self.words(ofAddressWidth: io.addressWidth)), to: print)
        if io.isString { table.row(12, 10, Line(Self.words(of: io.segment)), to: print) } else { table.cover(12, 10) }
        table.row(31, 16, "port \(hex: io.port)", to: print)
        table.finish(to: print)
    }

    private func reportSMI(to print: (Line) -> Void) {
        let interrupt = SMIInformation(rawValue: information1)
        var table = BitTable(information1)
        table.flag(0, "from outside", else: "by an I/O trap of the processor's own", to: print)
        table.flag(1, "it stands for a machine check", to: print)
        table.flag(33, "during a port instruction", else: "not during a port instruction; the rest is undefined", to: print)
        guard interrupt.isDuringIO else { return }
        let io = interrupt.io
        table.flag(32, "IN or INS", else: "OUT or OUTS", to: print)
        table.flag(34, "a string instruction", to: print)
        table.flag(35, "a REP prefix", to: print)
        table.row(38, 36, Line(Self.words(ofSize: io.size)), to: print)
        table.row(41, 39, Line(Self.words(ofAddressWidth: io.addressWidth)), to: print)
        table.row(12, 10, Line(Self.words(of: io.segment)), to: print)
        table.flag(43, "RFLAGS.TF is set", to: print)
        table.row(47, 44, "breakpoints on ports that were met", to: print)
        table.row(63, 48, "port \(hex: io.port)", to: print)
        table.finish(to: print)
    }

    private func reportTaskSwitch(_ value: UInt64, to print: (Line) -> Void) {
        let task = SVMTaskSwitchInformation(information1, value)
        var table = BitTable(value)
        table.row(
            31, 0, task.errorCode == nil ? "undefined: there is no error code" : "the error code for the new task's stack",
            to: print)
        table.flag(36, "by IRET", to: print)
        table.flag(38, "by a far jump", to: print)
        if !task.isByIRET, !task.isByJump { print("  by CALL, an interrupt or an exception") }
        table.flag(44, "there is an error code", else: "there is no error code", to: print)
        table.flag(48, "RFLAGS.RF would be set in the old task's TSS", to: print)
        table.finish(to: print)
    }

    private func reportNestedPageFault(to print: (Line) -> Void) {
        let fault = NestedPageFaultInformation(rawValue: information1)
        var table = BitTable(information1)
        table.row(5, 0, Line(fault.errorCode), to: print)
        table.flag(6, "an access to a shadow stack", to: print)
        table.flag(32, "in the final translation of the guest-physical address", to: print)
        table.flag(33, "in the walk of the guest's own page tables", to: print)
        table.flag(37, "the page is one for supervisor shadow stacks", to: print)
        table.finish(to: print)
    }

    private static func words(ofSize size: Int) -> StaticString {
        switch size {
        case 1: "8-bit operand"
        case 2: "16-bit operand"
        case 4: "32-bit operand"
        default: "not one size"
        }
    }

    private static func words(ofAddressWidth width: Int) -> StaticString {
        switch width {
        case 16: "16-bit addresses"
        case 32: "32-bit addresses"
        case 64: "64-bit addresses"
        default: "not one width of addresses"
        }
    }

    private static func words(of segment: SegmentRegister?) -> StaticString {
        switch segment {
        case .es: "ES"
        case .cs: "CS"
        case .ss: "SS"
        case .ds: "DS"
        case .fs: "FS"
        case .gs: "GS"
        default: "reserved segment"
        }
    }

    private static func words(ofCause cause: UInt32) -> StaticString {
        switch cause {
        case 0: "a kind of interrupt that the processor does not send itself"
        case 1: "the target is not running"
        case 2: "the target is not valid"
        case 3: "the target's backing page is not valid"
        case 4: "the vector is not valid"
        default: "reserved"
        }
    }
}

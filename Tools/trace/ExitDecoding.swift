import Memory
import StudyTools
import Text
import VMX
import X86

/// The fields of an exit's record in words, by the same explanations as the monitor's and martlet explain's.
///
/// Each is some lines, or none where the field says nothing for this exit.
struct ExitDecoding: Equatable {
    /// Why the processor exits for this reason.
    var cause = ""
    /// What the operand field holds; empty where it is undefined.
    var operandName = ""
    var qualification = ""
    var operand = ""
    var interruption = ""
    /// Of the MSR that RCX names.
    var register = ""
    var event = ""
    var accessRights = ""
    var controlRegister0 = ""

    /// All that two exits must have in common to be decoded alike.
    struct Key: Hashable {
        var reason: UInt32
        var qualification: UInt64
        var operand: UInt64
        var interruption: UInt32
        var event: UInt32
        var accessRights: UInt16
        var cr0: UInt32
        var register: UInt32
        var value: UInt64?

        init(_ exit: TracedExit) {
            let record = exit.record
            reason = record.reason
            qualification = record.qualification
            operand = exit.operandIsExplained ? record.operand : 0
            interruption = record.interruption
            event = record.event
            accessRights = record.codeAccessRights
            cr0 = record.cr0
            register = exit.register.map(\.number) ?? 0
            value = exit.registerValue
        }
    }

    /// In the order in which the page reads them.
    var texts: [String] {
        [cause, operandName, qualification, operand, interruption, register, event, accessRights, controlRegister0]
    }

    init(_ exit: TracedExit) {
        let record = exit.record
        let reason = exit.reason
        cause = exit.cause
        operandName = exit.operandName
        if reason.hasQualification {
            let vector = reason.basic == .exceptionOrNMI ? InterruptionInformation(rawValue: record.interruption).vector : nil
            qualification = Self.body(QualificationExplanation(record.qualification, of: reason, vector: vector).report)
        }
        operand = Self.operand(exit)
        if reason.hasInterruptionInformation {
            interruption = Self.body(InterruptionExplanation(.init(rawValue: record.interruption)).report)
        }
        if let number = exit.register { register = Self.register(number, exit.registerValue) }
        if record.deliversEvent { event = Self.body(InterruptionExplanation(.init(rawValue: record.event)).report) }
        accessRights = Self.body(AccessRightsExplanation(.init(rawValue: UInt32(record.codeAccessRights))).report)
        controlRegister0 = Self.body(FlagExplanation(ControlRegister0(rawValue: UInt64(record.cr0))).report)
    }

    /// The lines of an explanation without its heading.
    private static func body(_ report: ((Line) -> Void) -> Void) -> String {
        var lines: [String] = []
        report { lines.append($0.string) }
        return lines.dropFirst().map { String($0.drop { $0 == " " }) }.joined(separator: "\n")
    }

    private static func operand(_ exit: TracedExit) -> String {
        let value = exit.record.operand
        switch exit.exit {
        case .exception(let exception):
            guard let code = exception.errorCode else { return "" }
            let error = UInt32(truncatingIfNeeded: code)
            return exception.vector == .pageFault
                ? words(PageFaultErrorCode(rawValue: error)) : exception.vector.hasErrorCode ? selector(error) : ""
        case .controlRegister(.write(let number, _)):
            return switch number {
            case 0: body(FlagExplanation(ControlRegister0(rawValue: value)).report)
            case 4: body(FlagExplanation(ControlRegister4(rawValue: value)).report)
            default: ""
            }
        default: return ""
        }
    }

    /// SDM volume 3, "Error Code".
    private static func selector(_ code: UInt32) -> String {
        if code == 0 { return "no selector" }
        let table = code & 2 != 0 ? "IDT" : code & 4 != 0 ? "LDT" : "GDT"
        let external = code & 1 != 0 ? ", while an event was delivered" : ""
        return "entry \(code >> 3 & 0x1FFF) of the \(table)\(external)"
    }

    /// What the register is and what its fields say. A register that is one number has none.
    private static func register(_ register: ModelSpecificRegister, _ value: UInt64?) -> String {
        let explanation = MSRExplanation(register)
        var lines: [String] = []
        explanation.report { lines.append($0.string) }
        if let value { _ = explanation.reportFields(of: value) { lines.append($0.string) } }
        return lines.map { String($0.drop { $0 == " " }) }.joined(separator: "\n")
    }
}

extension TracedExit {
    /// What the operand field of the record holds; empty where nothing.
    var operandName: String {
        switch reason.basic {
        case .exceptionOrNMI: "error code"
        case .controlRegisterAccess, .movDR: "the source register"
        case .eptViolation, .eptMisconfiguration: "guest-physical address"
        default: ""
        }
    }

    /// The words for the operand depend on its value.
    fileprivate var operandIsExplained: Bool { reason.basic == .exceptionOrNMI || reason.basic == .controlRegisterAccess }

    /// The MSR that RDMSR and WRMSR name in ECX.
    fileprivate var register: ModelSpecificRegister? {
        reason.basic == .rdmsr || reason.basic == .wrmsr ? ModelSpecificRegister(UInt32(truncatingIfNeeded: record.rcx)) : nil
    }

    /// What RDMSR read, or WRMSR was to write: EDX and EAX; nil where nothing was read.
    fileprivate var registerValue: UInt64? {
        switch reason.basic {
        case .rdmsr where record.nextInstructionPointer != record.instructionPointer:
            UInt64(record.nextEDX) << 32 | record.nextRAX & 0xFFFF_FFFF
        case .wrmsr: record.rdx << 32 | record.rax & 0xFFFF_FFFF
        default: nil
        }
    }
}

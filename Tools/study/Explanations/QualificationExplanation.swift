import Memory
import Text
import Virtualization
import VMX
import X86

/// An exit qualification in words; what its bits mean depends on the exit reason.
public struct QualificationExplanation {
    let reason: ExitReason
    let value: UInt64
    let vector: ExceptionVector?

    /// - Parameter vector: of an exception, on which the meaning depends; nil where it is not known.
    public init(_ value: UInt64, of reason: ExitReason, vector: UInt8? = nil) {
        self.value = value
        self.reason = reason
        self.vector = vector.map { ExceptionVector($0) }
    }

    public func report(to print: (Line) -> Void) {
        print(
            "exit qualification \(hex: value) of reason \(UInt64(reason.basicNumber)), \(reason) (SDM volume 3, \"Basic VM-Exit Information\")"
        )
        switch reason.qualificationLayout {
        case .none: reportNothing(to: print)
        case .exception: reportException(to: print)
        case .startupVector, .endedVector: reportVector(to: print)
        case .ioBeforeSMI, .io: reportIO(to: print)
        case .taskSwitch: reportTaskSwitch(to: print)
        case .linearAddress: print("  the linear address \(hex: value)")
        case .displacement: reportDisplacement(to: print)
        case .controlRegister: reportControlRegister(to: print)
        case .debugRegister: reportDebugRegister(to: print)
        case .guestStateFailure: reportEntryFailure(to: print)
        case .msrLoadEntry: print("  entry \(value) of the VM-entry MSR-load area could not be loaded; the first is 1")
        case .armedMonitor: reportWait(to: print)
        case .apicAccess: reportAPICAccess(to: print)
        case .eptViolation: reportEPTViolation(to: print)
        case .apicWrite: print("  the guest wrote the APIC register at offset \(hex: value)")
        case .unblockedNMI, .modificationLog, .subPagePermission, .instructionTimeout: reportEvent(to: print)
        case .registerNumber: print("  the register is \(ModelSpecificRegister(UInt32(truncatingIfNeeded: value)))")
        }
    }

    func reportNothing(to print: (Line) -> Void) {
        if value == 0 {
            print(vector == nil ? "  this reason has no qualification: 0" : "  this exception has no qualification: 0")
        } else {
            print(
                vector == nil
                    ? "  this reason has no qualification; the field should be 0"
                    : "  this exception has no qualification; the field should be 0")
        }
    }

    private func reportVector(to print: (Line) -> Void) {
        var table = BitTable(value)
        table.row(7, 0, "vector \(hex: table.bits(7, 0))", to: print)
        table.finish(to: print)
    }

    private func reportIO(to print: (Line) -> Void) {
        let io = IOQualification(rawValue: value)
        var table = BitTable(value)
        let isSound = io.size == 1 || io.size == 2 || io.size == 4
        table.row(2, 0, isSound ? "\(count: io.size, "byte")" as Line : "reserved size", to: print)
        table.flag(3, "IN: the guest reads", else: "OUT: the guest writes", to: print)
        table.flag(
            4, "string instruction: the operand is in memory", else: "the operand is in AL, AX or EAX", to: print)
        table.flag(5, "REP prefix: RCX counts, ECX or CX in code with such addresses", else: "no REP prefix", to: print)
        table.flag(6, "the port is in the instruction", else: "the port is in DX", to: print)
        table.row(31, 16, "port \(hex: io.port)", to: print)
        table.finish(to: print)
    }

    private func reportTaskSwitch(to print: (Line) -> Void) {
        let task = TaskSwitchQualification(rawValue: value).taskSwitch
        var table = BitTable(value)
        table.row(15, 0, "selector \(hex: task.selector) of the task's TSS", to: print)
        let source: StaticString =
            switch task.source {
            case .call: "CALL"
            case .iret: "IRET"
            case .jump: "JMP"
            case .taskGate: "a task gate in the IDT"
            }
        table.row(31, 30, "begun by \(source)", to: print)
        table.finish(to: print)
    }

    private func reportDisplacement(to print: (Line) -> Void) {
        print(
            "  the displacement of the memory operand is \(hex: value); base and index are in the VM-exit instruction information"
        )
    }

    private func reportControlRegister(to print: (Line) -> Void) {
        let access = ControlRegisterQualification(rawValue: value)
        var table = BitTable(value)
        table.row(3, 0, "CR\(UInt64(access.register))", to: print)
        let kind: StaticString =
            switch access.kind {
            case 0: "MOV to the control register"
            case 1: "MOV from the control register"
            case 2: "CLTS"
            default: "LMSW"
            }
        table.row(5, 4, Line(kind), to: print)
        if access.kind == 3 {
            table.flag(6, "the operand is in memory", else: "the operand is in a register", to: print)
            table.row(31, 16, "the operand, which CR0 bits 3:0 would get", to: print)
        } else if access.kind < 2 {
            table.row(11, 8, "\(access.general.name) is the other operand", to: print)
        }
        table.finish(to: print)
    }

    private func reportDebugRegister(to print: (Line) -> Void) {
        let access = DebugRegisterQualification(rawValue: value).access
        var table = BitTable(value)
        table.row(2, 0, "DR\(UInt64(access.register))", to: print)
        table.flag(4, "MOV from the debug register", else: "MOV to the debug register", to: print)
        table.row(11, 8, "\(access.general.name) is the other operand", to: print)
        table.finish(to: print)
    }

    private func reportEntryFailure(to print: (Line) -> Void) {
        switch value {
        case 0: print("  some other rule of the guest state, or the processor does not tell which")
        case 2: print("  loading the page-directory pointers failed (\"Checks on Guest Page-Directory-Pointer-Table Entries\")")
        case 3: print("  an NMI was to be injected while blocking by STI was on (\"Checks on Guest Non-Register State\")")
        case 4: print("  the VMCS link pointer is invalid (\"Checks on Guest Non-Register State\")")
        default: print("  reserved: the manual has 0, 2, 3 and 4")
        }
    }

    private func reportWait(to print: (Line) -> Void) {
        var table = BitTable(value)
        table.flag(0, "the monitor is armed", else: "no monitor is armed: MWAIT would not wait", to: print)
        table.finish(to: print)
    }

    private func reportAPICAccess(to print: (Line) -> Void) {
        var table = BitTable(value)
        let kind = table.bits(15, 12)
        let isLinear = kind <= 4
        table.row(
            11, 0,
            isLinear
                ? "offset \(hex: table.bits(11, 0)) in the APIC-access page" as Line : "undefined for guest-physical accesses",
            to: print)
        let words: StaticString =
            switch kind {
            case 0: "linear: data read by an instruction"
            case 1: "linear: data write by an instruction"
            case 2: "linear: instruction fetch"
            case 3: "linear: read or write during the delivery of an event"
            case 4: "linear: access to monitor the memory (MONITOR)"
            case 10: "guest-physical: during the delivery of an event"
            case 11: "guest-physical: monitoring or trace"
            case 15: "guest-physical: a fetch or an instruction's own access"
            default: "reserved kind"
            }
        table.row(15, 12, Line(words), to: print)
        table.flag(16, "asynchronous to the guest's instructions", to: print)
        table.finish(to: print)
    }

    /// The reasons that are no instruction's.
    private func reportEvent(to print: (Line) -> Void) {
        var table = BitTable(value)
        if reason.qualificationLayout == .instructionTimeout {
            table.flag(0, "the VMCS holds no sound state: the guest cannot go on", else: "the guest can go on", to: print)
        }
        if reason.qualificationLayout == .subPagePermission {
            table.flag(11, "an entry misses", else: "an entry is misconfigured", to: print)
        }
        if reason.qualificationLayout == .modificationLog {
            table.flag(16, "asynchronous to the guest's instructions", to: print)
        }
        table.flag(
            12, "IRET had unblocked NMIs: the hypervisor sets blocking by NMI again", else: "IRET had not unblocked NMIs",
            to: print)
        table.finish(to: print)
    }
}

extension ExitQualificationLayout {
    /// What the field holds, in few words.
    var words: StaticString {
        switch self {
        case .none: "nothing: 0"
        case .exception: "for #PF the linear address that faulted, for #DB the new bits of DR6, for #NM under XFD its bits"
        case .startupVector: "the vector of the start-up IPI"
        case .endedVector: "the vector of the interrupt that ended"
        case .ioBeforeSMI: "the I/O instruction"
        case .io: "the port, the size, the direction, string and REP"
        case .taskSwitch: "the selector of the task, and what began the switch"
        case .linearAddress: "the linear address"
        case .displacement: "the displacement of the instruction's memory operand"
        case .controlRegister: "the register, the kind of access, the operand"
        case .debugRegister: "the debug register, the direction, the other register"
        case .guestStateFailure: "which group of checks failed"
        case .msrLoadEntry: "the number of the MSR-load entry, from 1 up"
        case .armedMonitor: "whether a monitor was armed"
        case .apicAccess: "the offset in the APIC-access page, and the kind of access"
        case .eptViolation: "the kind of access, what the tables allowed, what the linear address says"
        case .apicWrite: "the offset of the APIC register"
        case .unblockedNMI, .modificationLog: "whether it occurred while IRET was unblocking NMIs"
        case .subPagePermission: "a misconfiguration or a missing entry"
        case .instructionTimeout: "whether the VMCS still holds a sound state"
        case .registerNumber: "the number of the register"
        }
    }
}

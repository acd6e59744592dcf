import Text

/// The commands of the monitor.
public enum MonitorCommand: UInt8, Sendable {
    case step, next, `continue`, until, `break`, delete, why, registers, vmcs, controls, changes, set, check, walk, ept, memory
    case disassemble, inject, type, trace, statistics, reset, quit, help

    public static var count: UInt8 { MonitorCommand.help.rawValue + 1 }

    /// The command whose name a word begins.
    public init(_ word: Line) throws(Complaint) {
        var search = NameSearch(word)
        for number in 0..<MonitorCommand.count {
            if let command = MonitorCommand(rawValue: number) { search.offer(command.name, Int(number)) }
        }
        let number = try search.result("command", "\"help\" lists them")
        self = MonitorCommand(rawValue: UInt8(number)) ?? .help
    }

    public var name: StaticString {
        switch self {
        case .step: "step"
        case .next: "next"
        case .continue: "continue"
        case .until: "until"
        case .break: "break"
        case .delete: "delete"
        case .why: "why"
        case .registers: "registers"
        case .vmcs: "vmcs"
        case .controls: "controls"
        case .changes: "changes"
        case .set: "set"
        case .check: "check"
        case .walk: "walk"
        case .ept: "ept"
        case .memory: "memory"
        case .disassemble: "disassemble"
        case .inject: "inject"
        case .type: "type"
        case .trace: "trace"
        case .statistics: "statistics"
        case .reset: "reset"
        case .quit: "quit"
        case .help: "help"
        }
    }

    /// What follows the name.
    public var parameters: StaticString {
        switch self {
        case .step: "[N]"
        case .next: "[N]"
        case .until: "REASON [if CONDITION]"
        case .break: "[exit REASON | port N | msr N | cpuid LEAF | read FIRST [LAST] | write ... | fetch ... | address N] [if CONDITION]"
        case .delete: "NUMBER | all"
        case .vmcs: "[FIELD | GROUP | CONTROL]"
        case .controls: "[pin | primary | secondary | tertiary | exit | entry | CONTROL]"
        case .set: "REGISTER VALUE | FIELD VALUE"
        case .walk: "ADDRESS [read | write | fetch] [user | supervisor]"
        case .ept: "[FIRST [LAST]]"
        case .memory: "ADDRESS [COUNT] [physical]"
        case .disassemble: "[ADDRESS [COUNT]]"
        case .inject: "interrupt N | exception N [ERROR-CODE] | nmi"
        case .type: "TEXT"
        case .trace: "[off | exits | full]"
        case .help: "[COMMAND]"
        case .continue, .why, .registers, .changes, .check, .statistics, .reset, .quit: ""
        }
    }

    public var summary: StaticString {
        switch self {
        case .step: "run to the N-th next VM exit"
        case .next: "execute one guest instruction, or N"
        case .continue: "run until something stops the guest, as any key does"
        case .until: "run to the next VM exit of a reason"
        case .break: "stop at every exit of a kind; alone: list what stops the guest"
        case .delete: "take a breakpoint away"
        case .why: "explain the last VM exit"
        case .registers: "show the guest's registers"
        case .vmcs: "show fields of the VMCS, decoded"
        case .controls: "show the VMX controls: wanted, granted, and what forbids the missing"
        case .changes: "show what differs in VMCS and registers since the last stop"
        case .set: "change a register of the guest's, or a field of its state in the VMCS"
        case .check: "make the VM-entry checks now"
        case .walk: "walk the page tables of guest and EPT for a guest-virtual address"
        case .ept: "show the EPT's map"
        case .memory: "show the guest's memory"
        case .disassemble: "show instructions"
        case .inject: "have an event delivered at the next VM entry"
        case .type: "type a line on the guest's COM1"
        case .trace: "print a line for each exit, or a line and its cause, or nothing"
        case .statistics: "count the exits so far, by reason"
        case .reset: "start the guest anew"
        case .quit: "end the guest and the machine"
        case .help: "list the commands, or explain one"
        }
    }

    /// What one has to know of it besides; empty for most.
    public var remark: StaticString {
        switch self {
        case .break:
            """
              stops before an access to memory, or to an MSR that passes; behind all other exits
              memory counts with all bytes of an access; of an unknown instruction or a fetch, where it begins
              an address is a linear one, in one of the four debug registers that the guest leaves free
            """
        case .next: "  by the monitor trap flag; where that does not work, by RFLAGS.TF, of which the guest sees nothing"
        default: ""
        }
    }

    public var example: StaticString {
        switch self {
        case .step: "step 10"
        case .next: "next 3"
        case .continue: "continue"
        case .until: "until cpuid if rax == 0x40000000"
        case .break: "break port 0x3f8 if rax & 0x80"
        case .delete: "delete 1"
        case .why: "why"
        case .registers: "registers"
        case .vmcs: "vmcs guest cr0"
        case .controls: "controls ept"
        case .changes: "changes"
        case .set: "set rip 0x7c00"
        case .check: "check"
        case .walk: "walk 0xffffffff81000000 fetch"
        case .ept: "ept 0 0x200000"
        case .memory: "memory 0x7c00 64"
        case .disassemble: "disassemble 0x7c00 8"
        case .inject: "inject exception 13 0"
        case .type: "type ls /"
        case .trace: "trace exits"
        case .statistics: "statistics"
        case .reset: "reset"
        case .quit: "quit"
        case .help: "help break"
        }
    }
}

import Text

/// The commands of the monitor.
public enum Command: String, CaseIterable, Sendable {
    case step, next, `continue`, until, `break`, delete, why, registers, vmcs, controls, changes, set, check, walk, ept, shadow,
        memory
    case disassemble, print, examine, backtrace, info, symbols, inject, type, trace, statistics, reset, quit, help

    /// The command whose name a word begins, or that gdb has a short name for.
    public init(_ word: String) throws(Complaint) {
        if let command = Command.shortNames[word.lowercased()] {
            self = command
            return
        }
        self = try NameSearch.find(word, "command", "\"help\" lists them", among: Command.allCases.map { ($0.rawValue, $0) })
    }

    /// The short names that gdb users know.
    static let shortNames: [String: Command] = [
        "b": .break, "bt": .backtrace, "c": .continue, "d": .delete, "i": .info, "n": .next, "ni": .next, "nexti": .next,
        "p": .print,
        "q": .quit, "s": .step, "si": .next, "stepi": .next, "where": .backtrace, "x": .examine,
    ]

    /// What the help says about it.
    struct Description {
        /// What follows the name.
        var parameters = ""
        let summary: String
        var remarks: [String] = []
        let example: String
    }

    var description: Description {
        switch self {
        case .step: .init(parameters: "[N]", summary: "run to the N-th next VM exit", example: "step 10")
        case .next:
            .init(
                parameters: "[N]", summary: "execute one guest instruction, or N",
                remarks: ["with the monitor trap flag; where that does not work, with RFLAGS.TF, hidden from the guest"],
                example: "next 3")
        case .continue: .init(summary: "run until something stops the guest, as Ctrl-C does", example: "continue")
        case .until:
            .init(
                parameters: "REASON [if CONDITION]", summary: "run to the next VM exit of a reason",
                remarks: ["conditions: \"help break\""], example: "until cpuid if rax == 0x40000000")
        case .break:
            .init(
                parameters:
                    "[exit REASON | port N | msr N | cpuid LEAF | read FIRST [LAST] | write ... | fetch ... | address N] [if CONDITION]",
                summary: "stop at every exit of a kind; without a kind: list the breakpoints",
                remarks: [
                    "stops before an access to memory, or to an MSR that otherwise does not exit; after all other exits",
                    "all bytes of a memory access count; for an unknown instruction or a fetch, only the first",
                    "an address is linear, and takes one of the four debug registers, if the guest leaves it free",
                    "a condition compares registers and fields, such as al, cr0, cpl, reason, qualification, physical, linear:",
                    "rax == 0x10, rcx & 0xff != 0, al & 0x80 (all of these bits are set), joined by && and ||",
                ], example: "break port 0x3f8 if rax & 0x80")
        case .delete: .init(parameters: "NUMBER | all", summary: "delete a breakpoint", example: "delete 1")
        case .why: .init(summary: "explain the last VM exit", example: "why")
        case .registers: .init(summary: "show the guest's registers", example: "registers")
        case .vmcs:
            .init(parameters: "[FIELD | GROUP | CONTROL]", summary: "show VMCS fields, decoded", example: "vmcs guest cr0")
        case .controls:
            .init(
                parameters: "[pin | primary | secondary | tertiary | exit | entry | CONTROL]",
                summary: "show the VMX controls: wanted, granted, and why others are not", example: "controls ept")
        case .changes: .init(summary: "show what has changed in the VMCS and registers since the last stop", example: "changes")
        case .set:
            .init(
                parameters: "REGISTER VALUE | FIELD VALUE",
                summary: "change a guest register, or a guest-state field of the VMCS", example: "set rip 0x7c00")
        case .check: .init(summary: "run the VM-entry checks now", example: "check")
        case .walk:
            .init(
                parameters: "ADDRESS [read | write | fetch] [user | supervisor]",
                summary: "walk the guest's page tables and the EPT for a guest-virtual address",
                remarks: ["under MMU=shadow: the guest's entry and the shadow entry of each level"],
                example: "walk 0xffffffff81000000 fetch")
        case .ept: .init(parameters: "[FIRST [LAST]]", summary: "show the EPT's map", example: "ept 0 0x200000")
        case .shadow:
            .init(
                summary:
                    "show the roots of the shadow tables, how many pages they take, and which of the guest's tables are out of step",
                remarks: ["under MMU=shadow (Docs/Memory.md)"], example: "shadow")
        case .memory:
            .init(parameters: "ADDRESS [COUNT] [physical]", summary: "show the guest's memory", example: "memory 0x7c00 64")
        case .disassemble: .init(parameters: "[ADDRESS [COUNT]]", summary: "show instructions", example: "disassemble 0x7c00 8")
        case .print:
            .init(
                parameters: "VALUE | FIELD",
                summary: "show a register, a sum of registers, symbols and numbers, or a field of the VMCS",
                remarks: ["p, p/x, p/d and p/t as in gdb: in base 16, 10 or 2"], example: "print rsp + 8")
        case .examine:
            .init(
                parameters: "ADDRESS", summary: "show memory as gdb does",
                remarks: [
                    "x/NFU: how many; x, d, t, c, s for text, i for instructions; bytes, halfwords, words or giant words (b, h, w, g)"
                ],
                example: "x/4xg rsp")
        case .backtrace:
            .init(summary: "show the call chain, as far as RBP reveals it (bt)", example: "backtrace")
        case .info:
            .init(
                parameters: "registers [NAME | vmcs] | breakpoints | symbol ADDRESS",
                summary: "as in gdb: registers, breakpoints, a symbol",
                example: "info registers rip")
        case .symbols:
            .init(
                parameters: "[FILE]", summary: "read symbols from an ELF file or Linux's System.map",
                remarks: ["without FILE: what is loaded; Linux is located (KASLR) by its interrupt descriptor table"],
                example: "symbols")
        case .inject:
            .init(
                parameters: "interrupt N | exception N [ERROR-CODE] | nmi",
                summary: "deliver an event at the next VM entry",
                example: "inject exception 13 0")
        case .type: .init(parameters: "TEXT", summary: "type a line on the guest's COM1", example: "type ls /")
        case .trace:
            .init(
                parameters: "[off | exits | full]", summary: "print a line for each exit, or a line and its cause, or nothing",
                example: "trace exits")
        case .statistics: .init(summary: "count the exits so far, by reason", example: "statistics")
        case .reset: .init(summary: "restart the guest", example: "reset")
        case .quit: .init(summary: "end the guest and the machine", example: "quit")
        case .help: .init(parameters: "[COMMAND]", summary: "list the commands, or explain one", example: "help break")
        }
    }

    var shortNames: [String] { Command.shortNames.filter { $0.value == self }.map(\.key).sorted() }
}

import Memory
import Testing
import Text
import Virtualization

@testable import Debug
@testable import Machine
@testable import StudyTools

/// The monitor's commands, and what stops the guest.
@Suite struct MonitorTests {
    // MARK: Words

    @Test func `the beginning of a name is enough, and one that begins several names them`() {
        let answers = MonitorSession().type("stat", "st", "STATISTICS", "statisticss")
        #expect(answers[0].first?.hasPrefix("exits by reason") == true)
        #expect(answers[1] == ["error: \"st\" may be step, statistics"])
        #expect(answers[2] == answers[0])
        #expect(answers[3] == ["error: there is no command \"statisticss\": \"help\" lists them"])
    }

    @Test func `help lists every command in one screen, and shows an example of each`() {
        let session = MonitorSession()
        let list = session.type("help")[0]
        #expect(list.count < 24 && list.allSatisfy { $0.count < 100 })
        for command in Command.allCases {
            let name = command.rawValue
            #expect(list.contains { $0.split { !$0.isLetter }.contains(Substring(name)) }, "\(name)")
            let help = session.type("help \(name)")[0]
            #expect(help[0].hasPrefix(name) && help.dropFirst().allSatisfy { $0.hasPrefix("  ") }, "\(help)")
            #expect(help.count >= 3 && help.last!.hasPrefix("  example: "))
        }
    }

    @Test(arguments: Command.allCases)
    func `the example of every command is one`(command: Command) {
        let session = MonitorSession(isShadowed: command == .shadow)
        session.machine.processor.stackPointer = 0x8000
        let example = command.description.example
        let answer = session.type("break cpuid 1", example)[1]
        #expect(!answer.contains { $0.hasPrefix("error: ") }, "\(example): \(answer)")
    }

    @Test(arguments: [
        ("c", Command.continue), ("s", .step), ("n", .next), ("si", .next), ("p", .print), ("x", .examine), ("bt", .backtrace),
        ("b", .break),
    ])
    func `gdb's short names`(word: String, command: Command) { #expect(try! Command(word) == command) }

    @Test(arguments: [
        "step 0", "step x", "step 1 2", "next -1", "continue now", "until", "until nothing", "until 999",
        "until cpuid when rax == 1",
        "until cpuid if rax", "until cpuid if rax == 1 &&", "until cpuid if rax == 1 | 2", "until cpuid if && rax == 1",
        "until cpuid if rax = 1", "until cpuid if foo == 1", "until cpuid if rax == y", "until cpuid if rax == 1 2",
        "break port", "break port 65536", "break port x", "break nothing 1", "break exit", "break read 0x400000",
        "break read 5 4",
        "break msr 0x100000000", "break cpuid 1 2", "delete", "delete 1", "delete 17", "delete 0", "set", "set rax", "set rax x",
        "set activity 1", "set host rip 1", "set guest cs selector 0x10000", "set guest 1",
        "set cs 1", "break address 0x8000000000000000", "break address", "set rflags 0", "set rflags 0x8002",
        "set rflags 0x20002", "set rax 1 x", "inject", "inject interrupt 31",
        "inject interrupt 256", "inject exception 2", "inject exception 32", "inject exception 13", "inject exception 6 0",
        "inject exception 13 0x8000", "inject nmi 2", "inject interrupt 0x40", "type", "trace loud", "quit now", "reset 1",
        "statistics 1", "registers 1", "check 1", "help nothing", "0", "  nothing", "x/9q 0", "step/4", "p", "p nosuch", "info",
        "info nothing", "bt 1", "memory nosuch", "walk rax+", "memory rax+nosuch",
    ])
    func `a wrong command says what is wrong with it and changes nothing`(command: String) {
        let session = MonitorSession()
        let everything = session.machine.vmcs.contents, registers = session.machine.cpu.registers
        let answer = session.type(command)[0]
        #expect(answer.count == 1 && answer[0].hasPrefix("error: "), "\(answer)")
        #expect(session.machine.vmcs.contents == everything && session.machine.cpu.registers == registers)
        #expect(session.type("break")[0] == ["no breakpoints"])
        #expect(session.decision == .run)
    }

    @Test(arguments: [
        "memory 1g", "walk 1g", "ept 1g", "ept 0 1g", "disassemble 1g", "set rax 1g", "break address 1g",
        "break exit cpuid if rax == 1g",
    ])
    func `invalid numbers are reported in the same words everywhere`(command: String) {
        #expect(MonitorSession().type(command)[0] == ["error: \"1g\" is not a number, such as 16, 0x10 or rsp"])
    }

    @Test func `an empty line asks again`() {
        #expect(MonitorSession().type("", "   ", "trace") == [[], [], ["trace off"], []])
    }

    // MARK: Running

    @Test func `step counts exits`() {
        let session = MonitorSession()
        session.type("step 3")
        #expect(session.exit(.cpuid) == nil)
        #expect(session.exit(.ioInstruction, qualification: 0x80 << 16) == nil)
        #expect(session.exit(.cpuid) == "step")
    }

    @Test func `continue stops at nothing, and a later step anew`() {
        let session = MonitorSession()
        session.type("continue")
        for _ in 0..<10 { #expect(session.exit(.cpuid) == nil) }
        session.type("step")
        #expect(session.exit(.cpuid) == "step")
    }

    @Test func `next sets the trap flag until it stops`() {
        let session = MonitorSession()
        session.type("next 2")
        #expect(session.traps)
        #expect(session.exit(.monitorTrapFlag) == nil && session.traps)
        #expect(session.exit(.monitorTrapFlag) == "next")
        session.type("continue")
        #expect(!session.traps)
    }

    @Test func `an exit between two instructions is no step`() {
        let session = MonitorSession()
        session.type("next")
        #expect(session.exit(.preemptionTimerExpired) == nil)
        #expect(session.exit(.interruptWindow) == nil)
        #expect(session.exit(.monitorTrapFlag) == "next")
    }

    @Test(arguments: ["hlt", "12", "0xc", "HLT"])
    func `until waits for a reason`(word: String) {
        let session = MonitorSession()
        session.type("until \(word)")
        #expect(session.exit(.cpuid) == nil)
        session.machine.rflags |= 0x200
        #expect(session.exit(.hlt) == "until")
    }

    @Test func `quit and reset end the run`() {
        let session = MonitorSession()
        session.type("quit")
        #expect(session.decision == .quit)
        session.type("reset")
        #expect(session.decision == .reset)
    }

    // MARK: Breakpoints

    @Test func `breakpoints stop at their port, register, leaf and reason alone`() {
        let session = MonitorSession()
        let answers = session.type("break port 0x61", "break msr 0x10", "break cpuid 7", "break exit ept-violation", "break")
        #expect(answers[4] == ["1: port 0x61", "2: msr 0x10", "3: cpuid 0x7", "4: exit \"EPT violation\""])
        #expect(session.exit(.ioInstruction, qualification: 0x60 << 16) == nil)
        // Two bytes at 60H are 61H too.
        #expect(session.exit(.ioInstruction, qualification: 0x60 << 16 | 1) == "breakpoint 1")
        session.machine.cpu.registers.rcx = 0x11
        #expect(session.exit(.rdmsr) == nil)
        session.machine.cpu.registers.rcx = 0xFFFF_FFFF_0000_0010
        #expect(session.exit(.rdmsr) == "breakpoint 2")
        session.machine.cpu.registers.rax = 7
        #expect(session.exit(.cpuid) == "breakpoint 3")
        session.machine.cpu.registers.rax = 8
        #expect(session.exit(.cpuid) == nil)
        #expect(session.type("delete 3", "break")[1].count == 3)
        session.machine.cpu.registers.rax = 7
        #expect(session.exit(.cpuid) == nil)
    }

    @Test(arguments: [
        ("rax == 5", true), ("rax != 5", false), ("rax < 6", true), ("rax > 5", false), ("rax <= 5", true), ("rax >= 6", false),
        ("rax & 4", true), ("rax & 2", false), ("reason == 10", true), ("cpl == 0", true), ("cr0 & 0x80000001", true),
        ("rsp == 0x1234", true),
        ("rip == 0x10000", true), ("qualification == 3", true), ("R15 == 0xffffffffffffffff", true),
    ])
    func `a condition compares what the guest had`(condition: String, holds: Bool) {
        let session = MonitorSession()
        session.machine.cpu.registers.rax = 5
        session.machine.cpu.registers.r15 = .max
        session.machine.processor.stackPointer = 0x1234
        session.type("break exit cpuid if \(condition)")
        #expect((session.exit(.cpuid, qualification: 3) != nil) == holds)
    }

    @Test(arguments: [
        ("eax == 0x1205", true), ("ax == 0x1205", true), ("al == 5 && ah == 0xff", false), ("ah == 0x12", true),
        ("rax & 0xff == 5", true),
        ("rax & 0xff00 == 0x1200", true), ("rax & 0xff00 != 0x1200", false), ("rax == 1 || cpl == 0", true),
        ("rax == 1 || cpl == 3", false),
        ("cpl == 0 && reason == 10 && al == 5", true), ("cpl == 3 && al == 5 || reason == 10", true),
        ("cpl == 3 && (al == 5", false),
        ("r15d==0xffffffff&&r15w>=0xffff", true), ("$rax < 0x100000000000", true), ("rcx == rdx", true), ("rcx == 8", false),
    ])
    func `conditions are joined, masked, and of parts of registers`(condition: String, holds: Bool) {
        let session = MonitorSession()
        session.machine.cpu.registers.rax = 0xFF_0000_1205
        session.machine.cpu.registers.rcx = 7
        session.machine.cpu.registers.rdx = 7
        session.machine.cpu.registers.r15 = .max
        let answer = session.type("break exit cpuid if \(condition)")[0]
        #expect((session.exit(.cpuid) != nil) == holds, "\(answer)")
    }

    @Test func `a condition is listed as it is typed`() {
        let session = MonitorSession()
        session.type("break cpuid 1 if eax == 1 && cpl == 3 || rip & 0xfff == 0x10 && ah & 1")
        #expect(session.type("break")[0] == ["1: cpuid 0x1 if EAX == 0x1 && cpl == 0x3 || rip & 0xfff == 0x10 && AH & 0x1"])
        let long = (0..<9).map { "rax == \($0)" }.joined(separator: " || ")
        #expect(session.type("break cpuid 1 if \(long)")[0] == ["error: a condition has 8 comparisons at most"])
    }

    // MARK: Operands

    @Test func `registers, their parts, symbols and sums are numbers`() {
        let session = MonitorSession()
        session.machine.cpu.registers.rax = 0x1122_3344_5566_1234
        session.machine.processor.stackPointer = 0x20000
        session.machine.ram.put([0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE], at: 0x20000)
        session.study.symbols = Symbols([("main", 0x10000), ("work", 0x10020)])
        #expect(
            session.type("p eax", "p ah", "p rsp + 8", "p main+4", "p/d al", "p/t 5") == [
                ["eax = 0x55661234 = 1432752692"], ["ah = 0x12 = 18"], ["rsp + 8 = 0x20008 = 131080"],
                ["main+4 = 0x10004 = 65540 <main+0x4>"], ["al = 52"],
                ["5 = 101"], [],
            ])
        #expect(session.type("memory rsp 2")[0] == ["00020000  10 32                                             |.2|"])
        #expect(
            session.type("x/2xw rsp", "x", "x/xg $sp") == [
                ["0x20000:  0x76543210  0xfedcba98"], ["0x20008:  0x00000000"], ["0x20000:  0xfedcba9876543210"], [],
            ])
        #expect(session.type("walk rip fetch")[0][0].hasPrefix("walk of 0x10000 for a supervisor fetch"))
        #expect(
            session.type("break main", "break *0x10020", "b work+1")[..<3] == [
                ["1: address 0x10000 <main>"], ["2: address 0x10020 <work>"], ["3: address 0x10021 <work+0x1>"],
            ])
        #expect(
            session.type("info symbol 0x10024", "info registers al", "info breakpoints")[..<2] == [["work+0x4"], ["AL 0x34"]])
        #expect(
            session.type("set eax 5", "set ah 7", "set al 0x100")[..<3] == [
                ["RAX 0x1122334455661234 -> 0x5"], ["RAX 0x5 -> 0x705"], ["error: AL has 8 bits"],
            ])
    }

    @Test func `frames are followed as far as they go`() {
        let session = MonitorSession()
        session.study.symbols = Symbols([("start", 0x9000), ("main", 0x10000)])
        session.machine.cpu.registers.rbp = 0x20000
        session.machine.ram.put([0x20, 0, 2, 0, 0, 0, 0, 0, 0x34, 0x90, 0, 0, 0, 0, 0, 0], at: 0x20000)
        #expect(session.type("bt")[0] == ["#0  0x0000000000010000 in main", "#1  0x0000000000009034 in start+0x34"])
    }

    @Test func `print tells of a field by gdb's name for it`() {
        #expect(MonitorSession().type("p $guest_cr0")[0][0].hasPrefix("guest CR0 = 0x"))
    }

    @Test func `before the first exit there is none of a trial's to be seen`() {
        let session = MonitorSession()
        session.machine.setExit(.monitorTrapFlag)
        #expect(
            session.type("vmcs exit")[0] == ["there has been no VM exit yet, so the VM-exit information means nothing"])
        #expect(session.type("vmcs exit reason")[0][0].hasPrefix("exit reason = 0x00000000"))
    }

    @Test func `the name of a reason may have blanks`() {
        let session = MonitorSession()
        #expect(session.type("break exit ept violation if rax == 1")[0] == ["1: exit \"EPT violation\" if RAX == 0x1"])
        session.type("until control register access")
        #expect(session.decision == .run)
    }

    @Test func `there is room for sixteen`() {
        let session = MonitorSession()
        for number in 1...16 { #expect(session.type("break cpuid \(number)")[0][0].hasPrefix("\(number): ")) }
        #expect(session.type("break cpuid 17")[0] == ["error: there are 16 breakpoints already: \"delete NUMBER\" makes room"])
        #expect(session.type("delete all", "break")[1] == ["no breakpoints"])
    }

    // MARK: Memory

    @Test func `an access to watched memory stops before it is made, is made once, and is watched again`() {
        let session = MonitorSession()
        session.type("break write 0x1ffe 0x2001")
        let watched: PassedAccesses = {
            var passed = PassedAccesses.all; passed.remove(.write); return passed
        }()
        #expect(session.protected == [1: watched, 2: watched])
        #expect(session.exit(.eptViolation, qualification: 2 | 5 << 3, physical: 0x2001) == "breakpoint 1")
        session.type("continue")
        #expect(session.traps && session.protected == [:])
        #expect(session.exit(.monitorTrapFlag) == nil)
        #expect(!session.traps && session.protected == [1: watched, 2: watched])
        #expect(session.machine.cpu.exitCount == 0)
    }

    @Test func `another access to a watched page goes on unseen`() {
        let session = MonitorSession()
        session.type("break read 0x1800 0x18ff")
        #expect(session.exit(.eptViolation, qualification: 1 | 4 << 3, physical: 0x17FF) == nil)
        #expect(session.traps && session.protected[1]?.reads == true)
        #expect(session.exit(.monitorTrapFlag) == nil)
        #expect(session.exit(.eptViolation, qualification: 2 | 4 << 3, physical: 0x1800) == nil)
        // The instruction exits by itself before its end: the exit is handled, and the page watched again.
        session.machine.cpu.registers.rax = 0x4000_0000
        #expect(session.exit(.cpuid) == nil)
        #expect(!session.traps && session.protected.count == 1)
        #expect(session.machine.cpu.exitCount == 1)
    }

    @Test func `an instruction that reads and then writes stops at the write`() {
        let session = MonitorSession()
        session.type("break write 0x1000", "break read 0x1800")
        #expect(session.exit(.eptViolation, qualification: 1 | 4 << 3, physical: 0x1000) == nil)
        #expect(session.protected[1]?.reads == true && session.protected[1]?.writes == false && session.traps)
        #expect(session.exit(.eptViolation, qualification: 2 | 5 << 3, physical: 0x1000) == "breakpoint 1")
        #expect(session.protected == [:])
    }

    @Test func `an event whose delivery touches watched memory is delivered all the same`() {
        let session = MonitorSession()
        session.type("break write 0x1000")
        #expect(
            session.exit(.eptViolation, qualification: 2 | 5 << 3, physical: 0x1000, vectoring: 1 << 31 | 0x40) == "breakpoint 1"
        )
        #expect(session.machine.injection == .interrupt(0x40))
    }

    @Test func `next over an access to watched memory stops after it`() {
        let session = MonitorSession()
        session.type("break fetch 0x1000")
        #expect(session.exit(.eptViolation, qualification: 4 | 3 << 3, physical: 0x1000) == "breakpoint 1")
        session.type("next")
        #expect(session.exit(.monitorTrapFlag) == "next")
        #expect(session.protected.count == 1)
    }

    @Test func `an event delivered by TF to watched memory is over at whatever exit comes after it`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.type("break write 0x1800")
        #expect(session.exit(.eptViolation, qualification: 2 | 5 << 3, physical: 0x1000, vectoring: 1 << 31 | 0x40) == nil)
        #expect(session.protected == [:])
        #expect(session.exit(.preemptionTimerExpired) == nil)
        #expect(session.protected.count == 1)
    }

    @Test func `an interrupt of the host's does not come between a breakpoint and its access forever`() {
        let session = MonitorSession()
        session.type("break fetch 0x1000")
        #expect(session.exit(.eptViolation, qualification: 4 | 3 << 3, physical: 0x1000) == "breakpoint 1")
        session.type("next")
        #expect(session.exit(.preemptionTimerExpired) == nil)
        #expect(session.traps && session.protected == [:])
        #expect(session.exit(.monitorTrapFlag) == "next")
        #expect(session.protected.count == 1)
    }

    @Test func `watches of one page add up, and go one by one`() {
        let session = MonitorSession()
        session.type("break write 0x1000", "break fetch 0x1800")
        #expect(
            session.protected[1]
                == {
                    var passed = PassedAccesses.all; passed.remove(.write); passed.remove(.fetch); return passed
                }())
        session.type("delete 1")
        #expect(
            session.protected[1]
                == {
                    var passed = PassedAccesses.all; passed.remove(.fetch); return passed
                }())
        session.type("delete all")
        #expect(session.protected == [:])
    }

    @Test func `an EPT without room refuses the breakpoint`() {
        let session = MonitorSession()
        session.isFull = true
        #expect(session.type("break write 0x1000")[0][0].hasPrefix("error: the EPT cannot"))
        session.isFull = false
        #expect(session.type("break")[0] == ["no breakpoints"] && session.protected == [:])
    }

    // MARK: Explaining

    @Test func `why tells of what the exit changed, and of nothing that looking did`() {
        let session = MonitorSession()
        session.machine.cpu.registers.rax = 0x4000_0000
        session.stop(at: .cpuid, after: 5000)
        let answer = session.type("why")[0]
        #expect(answer.contains("  guest RIP 0x10000 -> 0x10002"), "\(answer)")
        #expect(!answer.contains { $0.contains("TSC offset") }, "\(answer)")
    }

    // MARK: Changing the guest

    @Test func `registers take values`() {
        let session = MonitorSession()
        let answers = session.type("set rax 0x10", "set r15 17", "set rsp 0x8000", "set rip 0x7c00", "set rflags 0x202")
        #expect(answers[0] == ["RAX 0x2badb002 -> 0x10"] && answers[3] == ["RIP 0x10000 -> 0x7c00"])
        #expect(session.machine.cpu.registers.rax == 16 && session.machine.cpu.registers.r15 == 17)
        #expect(
            session.machine.processor.stackPointer == 0x8000 && session.machine.rip == 0x7C00 && session.machine.rflags == 0x202)
    }

    @Test func `fields of the guest's state take values`() {
        let session = MonitorSession()
        #expect(session.type("set guest cs selector 0x33")[0] == ["guest CS selector 0x8 -> 0x33"])
        #expect(session.machine.processor.segment(.cs).selector.rawValue == 0x33)
        #expect(session.type("set 0x6820 0x246")[0] == ["guest RFLAGS 0x2 -> 0x246"])
        #expect(session.machine.rflags == 0x246)
    }

    @Test func `events are injected, one for each VM entry, when the guest can take them`() {
        let session = MonitorSession()
        #expect(session.type("inject interrupt 0x40")[0][0].hasPrefix("error: the guest cannot take an interrupt now"))
        #expect(
            session.type("inject exception 13 8", "inject exception 6") == [
                ["injected #GP(8)"], ["error: the next VM entry already delivers an event: step first"], [],
            ])
        #expect(session.machine.injection == .exception(13, errorCode: 8))
        let second = MonitorSession()
        second.machine.rflags |= 0x200
        second.type("inject interrupt 0x40")
        #expect(second.machine.injection == .interrupt(0x40))
        let third = MonitorSession()
        third.type("inject nmi")
        #expect(third.machine.injection?.kind == 2)
    }

    @Test func `what is typed reaches COM1 with a carriage return, or is refused`() {
        let session = MonitorSession()
        session.type("type ls  /bin")
        #expect(String(decoding: session.typedForGuest, as: UTF8.self) == "ls  /bin\r")
        #expect(session.type("type " + String(repeating: "x", count: 60))[0][0].hasPrefix("error: the guest has not yet read"))
    }

    @Test func `the trace has three levels`() {
        let session = MonitorSession()
        #expect(session.type("trace exits", "trace", "trace off") == [["trace exits"], ["trace exits"], ["trace off"], []])
        #expect(session.type("trace full")[0] == ["trace full"] && session.agent.trace == .full)
    }
}

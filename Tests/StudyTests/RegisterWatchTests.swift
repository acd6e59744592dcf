import Testing
import VMX
import X86

@testable import Debug
@testable import Machine
@testable import StudyTools

/// Breakpoints of the monitor on registers that the guest reads or writes without an exit.
@Suite struct RegisterWatchTests {
    static let fsBase: UInt32 = 0xC000_0100, efer: UInt32 = 0xC000_0080

    /// Whether reads and writes exit when the guest is entered.
    private func exits(_ session: MonitorSession, _ register: UInt32) -> [Bool] {
        session.enter()
        return [false, true].map { session.machine.processor.exits(at: .init(register), isWrite: $0) }
    }

    @Test(arguments: [.rdmsr, .wrmsr] as [BasicExitReason])
    func `a register that passes exits while a breakpoint is on it, and its access is the processor's own`(
        reason: BasicExitReason
    ) {
        let session = MonitorSession()
        let bitmaps = session.machine.vmcs.physical
        #expect(session.type("break msr 0xc0000100", "break")[1] == ["1: msr 0xc0000100"])
        #expect(exits(session, Self.fsBase) == [true, true])
        session.machine.cpu.registers.rcx = 0xC000_0100
        session.machine.cpu.registers.rax = 0x1234
        let registers = session.machine.cpu.registers
        #expect(session.exit(reason) == "breakpoint 1")
        #expect(session.machine.vmcs.physical == bitmaps)
        session.type("continue")
        // The instruction is at RIP still, and nothing was done in its place.
        #expect(session.traps && exits(session, Self.fsBase) == [false, false])
        #expect(session.machine.rip == 0x10000 && session.machine.injection == nil)
        #expect(session.machine.cpu.exitCount == 0 && session.machine.cpu.registers == registers)
        #expect(session.exit(.monitorTrapFlag) == nil)
        #expect(exits(session, Self.fsBase) == [true, true] && !session.traps)
        #expect(session.exit(.preemptionTimerExpired) == nil)
        session.type("delete 1")
        #expect(exits(session, Self.fsBase) == [false, false] && session.machine.vmcs.physical == bitmaps)
    }

    @Test func `a fault of the access is the guest's, and the register is watched again`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100")
        session.machine.cpu.registers.rcx = 0xC000_0100
        #expect(session.exit(.wrmsr) == "breakpoint 1")
        session.type("continue")
        #expect(session.machine.injection == nil)
        // The trap comes when the fault is delivered; another exit may come first.
        #expect(session.exit(.cpuid) == nil)
        #expect(exits(session, Self.fsBase) == [true, true] && !session.traps)
    }

    @Test func `a condition that does not hold lets the access pass unseen`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100 if rax == 1")
        session.machine.cpu.registers.rcx = 0xC000_0100
        session.machine.cpu.registers.rax = 2
        #expect(session.exit(.wrmsr) == nil)
        #expect(exits(session, Self.fsBase) == [false, false] && session.traps)
        #expect(session.exit(.monitorTrapFlag) == nil && !session.traps)
        session.machine.cpu.registers.rax = 1
        #expect(session.exit(.wrmsr) == "breakpoint 1")
    }

    @Test func `next executes the access and stops after it`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100")
        session.machine.cpu.registers.rcx = 0xC000_0100
        #expect(session.exit(.rdmsr) == "breakpoint 1")
        session.type("next")
        #expect(session.exit(.monitorTrapFlag) == "next")
    }

    @Test func `of a register whose reads alone pass, the writes stay Martlet's`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000080")
        session.machine.cpu.registers.rcx = 0xC000_0080
        session.machine.cpu.registers.rax = 0xD01
        #expect(session.exit(.wrmsr) == "breakpoint 1")
        #expect(session.machine.rip == 0x10002 && session.machine.cpu.exitCount == 1)
        #expect(session.exit(.rdmsr) == "breakpoint 1")
        #expect(session.machine.rip == 0x10002 && session.machine.cpu.exitCount == 1)
    }

    @Test func `a register that exits by itself is handled, and stops after its access`() {
        let session = MonitorSession()
        let bitmaps = session.machine.vmcs.physical
        session.type("break msr 0x1b", "break msr 0x4b564d00")
        session.enter()
        #expect(session.machine.vmcs.physical == bitmaps)
        session.machine.cpu.registers.rcx = 0x1B
        #expect(session.exit(.rdmsr) == "breakpoint 1")
        #expect(session.machine.rip == 0x10002)
    }

    @Test func `two breakpoints on a register go one by one`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100 if rax == 1", "break msr 0xc0000100")
        #expect(exits(session, Self.fsBase) == [true, true])
        #expect(session.exit(.preemptionTimerExpired) == nil)
        session.type("delete 1")
        #expect(exits(session, Self.fsBase) == [true, true])
        session.machine.cpu.registers.rcx = 0xC000_0100
        #expect(session.exit(.rdmsr) == "breakpoint 2")
        session.type("delete all")
        #expect(exits(session, Self.fsBase) == [false, false])
    }

    @Test func `a register of the local APIC's stays watched when the mode changes, and passes then as it should`() {
        let session = MonitorSession()
        session.type("break msr 0x808")
        session.machine.cpu.registers.rcx = 0x1B
        session.machine.cpu.registers.rax = 0xFEE0_0D00
        #expect(session.exit(.wrmsr) == nil)
        #expect(exits(session, 0x808) == [true, true] && exits(session, 0x802) == [false, true])
        session.machine.cpu.registers.rcx = 0x808
        #expect(session.exit(.wrmsr) == "breakpoint 1")
        #expect(exits(session, 0x808) == [false, false])
        #expect(session.exit(.monitorTrapFlag) == nil)
        #expect(exits(session, 0x808) == [true, true])
        #expect(session.exit(.preemptionTimerExpired) == nil)
        session.type("delete all")
        #expect(exits(session, 0x808) == [false, false])
    }

    @Test func `the access passes by TF too, where no trap flag works`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.type("break msr 0xc0000100")
        session.machine.cpu.registers.rcx = 0xC000_0100
        #expect(session.exit(.rdmsr) == "breakpoint 1")
        session.type("continue")
        #expect(exits(session, Self.fsBase) == [false, false] && session.machine.rflags & 1 << 8 != 0)
        #expect(session.exit(.exceptionOrNMI, qualification: 1 << 14, information: 1 << 31 | 3 << 8 | 1) == nil)
        #expect(session.machine.rflags & 1 << 8 == 0 && session.machine.injection == nil)
        #expect(exits(session, Self.fsBase) == [true, true])
    }
}

import Testing
import X86

@testable import Machine
@testable import Study

/// Breakpoints of the monitor on registers that the guest reads or writes without an exit.
@Suite struct RegisterWatchTests {
    static let fsBase: UInt32 = 0xC000_0100, efer: UInt32 = 0xC000_0080
    static let readMSR: UInt32 = 31, writeMSR: UInt32 = 32, trap: UInt32 = 37

    private func exits(_ session: MonitorSession, _ register: UInt32) -> [Bool] {
        [false, true].map { session.machine.processor.exits(at: .init(register), isWrite: $0) }
    }

    @Test(arguments: [readMSR, writeMSR])
    func `a register that passes exits while a breakpoint is on it, and its access is the processor's own`(reason: UInt32) {
        let session = MonitorSession()
        let bitmaps = session.machine.vmcs.physical
        #expect(session.type("break msr 0xc0000100", "break")[1] == ["1: msr 0xc0000100"])
        #expect(exits(session, Self.fsBase) == [true, true])
        session.machine.cpu.registers.rcx = 0xC000_0100
        session.machine.cpu.registers.rax = 0x1234
        let registers = session.machine.cpu.registers
        #expect(session.exit(reason) == "breakpoint 1")
        session.type("continue")
        // The instruction is at RIP still, and nothing was done in its place.
        #expect(session.machine.vmcs.physical == bitmaps && session.traps)
        #expect(session.machine.rip == 0x10000 && session.machine.injection == nil)
        #expect(session.machine.cpu.exitCount == 0 && session.machine.cpu.registers == registers)
        #expect(session.exit(Self.trap) == nil)
        #expect(exits(session, Self.fsBase) == [true, true] && !session.traps)
        session.type("delete 1")
        #expect(session.machine.vmcs.physical == bitmaps)
    }

    @Test func `a fault of the access is the guest's, and the register is watched again`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100")
        session.machine.cpu.registers.rcx = 0xC000_0100
        #expect(session.exit(Self.writeMSR) == "breakpoint 1")
        session.type("continue")
        #expect(session.machine.injection == nil)
        // The trap comes when the fault is delivered; another exit may come first.
        #expect(session.exit(10) == nil)
        #expect(exits(session, Self.fsBase) == [true, true] && !session.traps)
    }

    @Test func `a condition that does not hold lets the access pass unseen`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100 if rax == 1")
        session.machine.cpu.registers.rcx = 0xC000_0100
        session.machine.cpu.registers.rax = 2
        #expect(session.exit(Self.writeMSR) == nil)
        #expect(exits(session, Self.fsBase) == [false, false] && session.traps)
        #expect(session.exit(Self.trap) == nil && !session.traps)
        session.machine.cpu.registers.rax = 1
        #expect(session.exit(Self.writeMSR) == "breakpoint 1")
    }

    @Test func `next executes the access and stops behind it`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100")
        session.machine.cpu.registers.rcx = 0xC000_0100
        #expect(session.exit(Self.readMSR) == "breakpoint 1")
        session.type("next")
        #expect(session.exit(Self.trap) == "next")
    }

    @Test func `of a register whose reads alone pass, the writes stay Martlet's`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000080")
        session.machine.cpu.registers.rcx = 0xC000_0080
        session.machine.cpu.registers.rax = 0xD01
        #expect(session.exit(Self.writeMSR) == "breakpoint 1")
        #expect(session.machine.rip == 0x10002 && session.machine.cpu.exitCount == 1)
        #expect(session.exit(Self.readMSR) == "breakpoint 1")
        #expect(session.machine.rip == 0x10002 && session.machine.cpu.exitCount == 1)
    }

    @Test func `a register that exits by itself is handled, and stops behind its access`() {
        let session = MonitorSession()
        let bitmaps = session.machine.vmcs.physical
        session.type("break msr 0x1b", "break msr 0x4b564d00")
        #expect(session.machine.vmcs.physical == bitmaps)
        session.machine.cpu.registers.rcx = 0x1B
        #expect(session.exit(Self.readMSR) == "breakpoint 1")
        #expect(session.machine.rip == 0x10002)
    }

    @Test func `two breakpoints on a register go one by one`() {
        let session = MonitorSession()
        let bitmaps = session.machine.vmcs.physical
        session.type("break msr 0xc0000100 if rax == 1", "break msr 0xc0000100")
        session.type("delete 1")
        #expect(exits(session, Self.fsBase) == [true, true])
        session.machine.cpu.registers.rcx = 0xC000_0100
        #expect(session.exit(Self.readMSR) == "breakpoint 2")
        session.type("delete all")
        #expect(session.machine.vmcs.physical == bitmaps)
    }

    @Test func `a register of the local APIC's stays watched when the mode changes, and passes then as it should`() {
        let session = MonitorSession()
        session.type("break msr 0x808")
        session.machine.cpu.registers.rcx = 0x1B
        session.machine.cpu.registers.rax = 0xFEE0_0D00
        #expect(session.exit(Self.writeMSR) == nil)
        #expect(exits(session, 0x808) == [true, true] && exits(session, 0x802) == [false, true])
        session.machine.cpu.registers.rcx = 0x808
        #expect(session.exit(Self.writeMSR) == "breakpoint 1")
        #expect(exits(session, 0x808) == [false, false])
        #expect(session.exit(Self.trap) == nil)
        #expect(exits(session, 0x808) == [true, true])
        session.type("delete all")
        #expect(exits(session, 0x808) == [false, false])
    }

    @Test func `without a trap flag only what exits by itself can be watched`() {
        let session = MonitorSession()
        session.monitor.hasTrapFlag = false
        let answers = session.type("break msr 0xc0000100", "break msr 0xc0000080")
        #expect(answers[0][0].hasPrefix("error: this processor has no monitor trap flag"))
        #expect(answers[1] == ["1: msr 0xc0000080"])
        #expect(exits(session, Self.efer) == [false, true])
    }

    @Test func `a guest that is started anew has breakpoints on its registers`() {
        let session = MonitorSession()
        session.type("break msr 0xc0000100")
        let fresh = MonitorSession()
        fresh.monitor = session.monitor
        fresh.monitor.begin()
        fresh.type("continue")
        #expect(exits(fresh, Self.fsBase) == [true, true])
        let bitmaps = MonitorSession().machine.vmcs.physical
        fresh.type("delete all")
        #expect(fresh.machine.vmcs.physical == bitmaps)
    }
}

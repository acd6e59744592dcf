import Testing
import VMX
import Virtualization

@testable import Debug
@testable import Machine
@testable import StudyTools

/// Breakpoints on addresses: in the debug registers that the guest leaves free.
@Suite struct AddressBreakpointTests {
    static let debugException: UInt32 = 0x8000_0301
    static let resumeFlag: UInt64 = 1 << 16

    @Test(arguments: [true, false])
    func `the guest stops at the address, and goes on after it`(hasTrapFlag: Bool) {
        let session = MonitorSession(hasTrapFlag: hasTrapFlag)
        #expect(session.type("break address 0x5123")[0] == ["1: address 0x5123"])
        session.enter()
        #expect(
            session.machine.host.debugAddresses == [0x5123, 0, 0, 0] && session.machine.processor.debugRegister7.rawValue == 0x402
        )
        session.machine.rip = 0x5123
        #expect(session.exit(.exceptionOrNMI, qualification: 1, information: Self.debugException) == "breakpoint 1")
        // What the person finds is the guest's.
        #expect(
            session.machine.host.debugAddresses == [0, 0, 0, 0] && session.machine.processor.debugRegister7.rawValue == 0x400)
        #expect(session.machine.host.debugStatus == 0xFFFF_0FF0 && session.machine.injection == nil)
        #expect(session.machine.cpu.exitCount == 0)
        session.type("continue")
        #expect(session.machine.rflags & Self.resumeFlag != 0)
    }

    @Test func `a condition that does not hold lets it pass`() {
        let session = MonitorSession()
        session.type("break address 0x5123 if rax == 1")
        #expect(session.exit(.exceptionOrNMI, qualification: 1, information: Self.debugException) == nil)
        #expect(session.machine.rflags & Self.resumeFlag != 0 && session.machine.injection == nil)
    }

    @Test func `of two at one address the one whose condition holds stops`() {
        let session = MonitorSession()
        session.type("break address 0x5123 if rax == 1", "break address 0x5123", "break address 0x5123 if rax == 2")
        #expect(session.exit(.exceptionOrNMI, qualification: 7, information: Self.debugException) == "breakpoint 2")
    }

    @Test func `where the guest is let go from, it does not stop at once`() {
        let session = MonitorSession()
        session.type("break address \(TestMachine.code)")
        #expect(session.machine.rflags & Self.resumeFlag != 0)
    }

    @Test func `in real mode the address is a linear one`() {
        let session = MonitorSession(.real)
        let base = session.machine.processor.segment(.cs).base
        session.type("break address \(base + session.machine.rip)")
        #expect(session.machine.rflags & Self.resumeFlag != 0)
    }

    @Test func `breakpoints of the guest's own stay, and are its`() {
        let session = MonitorSession()
        let machine = session.machine
        machine.host.debugAddresses = [0x7000, 0x7001, 0x7002, 0x7003]
        machine.processor.debugRegister7.rawValue = 0x400 | 0xD << 16 | 1
        session.type("break address 0x5123")
        session.enter()
        #expect(machine.host.debugAddresses == [0x7000, 0x5123, 0x7002, 0x7003])
        #expect(machine.processor.debugRegister7.rawValue == 0x400 | 0xD << 16 | 1 | 2 << 2)
        // The guest's write; its own register tells of a met address that is not enabled, too.
        #expect(session.exit(.exceptionOrNMI, qualification: 0b1001, information: Self.debugException) == nil)
        #expect(machine.injection == .exception(1) && machine.host.debugStatus == 0xFFFF_0FF9)
        #expect(machine.processor.debugRegister7.rawValue == 0x400 | 0xD << 16 | 1)
    }

    @Test func `a breakpoint of both is reported to both`() {
        let session = MonitorSession()
        session.machine.host.debugAddresses[3] = 0x5123
        session.machine.processor.debugRegister7.rawValue = 0x400 | 0xC0
        session.type("break address 0x5123")
        #expect(session.exit(.exceptionOrNMI, qualification: 0b1001, information: Self.debugException) == "breakpoint 1")
        #expect(session.machine.injection == .exception(1) && session.machine.host.debugStatus == 0xFFFF_0FF8)
    }

    @Test(arguments: [true, false])
    func `MOV to and from debug registers sees the guest's, and is executed once`(hasTrapFlag: Bool) {
        let session = MonitorSession(hasTrapFlag: hasTrapFlag)
        let machine = session.machine
        machine.ram.put([0x0F, 0x23, 0xD8], at: TestMachine.code)
        session.type("break address 0x5123")
        session.enter()
        #expect(machine.processor.vmcs[.primaryControls].contains(.movDRExiting))
        #expect(session.exit(.movDR, qualification: 3) == nil)
        session.enter()
        #expect(!machine.processor.vmcs[.primaryControls].contains(.movDRExiting))
        #expect(machine.host.debugAddresses[0] == 0)
        machine.host.debugAddresses[3] = 0x9999
        let trap =
            hasTrapFlag
            ? session.exit(.monitorTrapFlag)
            : session.exit(.exceptionOrNMI, qualification: 1 << 14, information: Self.debugException)
        #expect(trap == nil && machine.cpu.exitCount == 0)
        session.enter()
        #expect(machine.host.debugAddresses == [0x5123, 0, 0, 0x9999])
        #expect(machine.processor.vmcs[.primaryControls].contains(.movDRExiting))
    }

    @Test(arguments: [true, false])
    func `a guest that takes all debug registers displaces breakpoints, and stops`(hasTrapFlag: Bool) {
        let session = MonitorSession(hasTrapFlag: hasTrapFlag)
        session.type("break address 1", "break exit hlt", "break address 2", "break address 3")
        #expect(session.exit(.movDR, qualification: 7) == nil)
        session.enter()
        session.machine.processor.debugRegister7.rawValue = 0x400 | 0b101010
        let why =
            hasTrapFlag
            ? session.exit(.monitorTrapFlag)
            : session.exit(.exceptionOrNMI, qualification: 1 << 14, information: Self.debugException)
        #expect(why == "the guest's own use of the debug registers: breakpoints on addresses from 3 on are deleted")
        #expect(session.type("break")[0] == ["1: address 0x1", "2: exit \"HLT\""])
    }

    @Test func `there are four, less what the guest uses`() {
        let session = MonitorSession()
        session.machine.processor.debugRegister7.rawValue = 0x403
        let answers = session.type("break address 1", "break address 2", "break address 3", "break address 4")
        #expect(answers[2] == ["3: address 0x3"])
        #expect(
            answers[3] == [
                "error: 3 of the four debug registers serve breakpoints, and the guest uses the others: \"break fetch\" needs none"
            ])
        let refusal = session.type("set guest dr7 0x40f", "continue", "delete 1")
        #expect(refusal[1][0].hasPrefix("error: the guest's DR7 leaves too few debug registers"))
    }

    @Test func `next onto an address with a breakpoint is one step, and then goes on`() {
        let session = MonitorSession()
        session.type("break address 0x10001", "next")
        session.machine.rip = 0x10001
        #expect(session.exit(.monitorTrapFlag) == "next")
        session.type("next")
        #expect(session.machine.rflags & Self.resumeFlag != 0)
    }
}

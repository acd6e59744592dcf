import Testing
import VMX
import Virtualization
import X86

@testable import Debug
@testable import Machine
@testable import StudyTools

/// Steps by RFLAGS.TF: the guest moves on by one instruction, and finds its own TF wherever the processor stored the flags.
@Suite struct TrapFlagStepTests {
    static let trapFlag: UInt64 = 1 << 8
    static let singleStep: UInt64 = 1 << 14
    /// Interruption information: a hardware exception, and its vector.
    static let debugException: UInt32 = 0x8000_0301
    static let stack: UInt64 = 0x8000

    static func session(_ code: [UInt8], _ mode: TestMachine.Mode = .long64) -> MonitorSession {
        let session = MonitorSession(mode, hasTrapFlag: false)
        session.machine.ram.put(code, at: TestMachine.code)
        session.machine.processor.stackPointer = stack
        session.type("next")
        session.enter()
        return session
    }

    /// The instruction was executed, and the trap came.
    static func trap(_ session: MonitorSession) -> String? {
        session.exit(.exceptionOrNMI, qualification: singleStep, information: debugException)
    }

    @Test func `a step is an instruction with TF, and every exception exits meanwhile`() {
        let session = Self.session([0x90])
        let bitmap = session.agent.debugger.exceptionBitmap
        #expect(session.machine.rflags & Self.trapFlag != 0 && session.machine.vmcs[0x4004] == 0xFFFF_FFFB)
        #expect(Self.trap(session) == "next")
        #expect(session.machine.rflags & Self.trapFlag == 0 && session.machine.injection == nil)
        session.type("continue")
        session.enter()
        #expect(session.machine.rflags & Self.trapFlag == 0 && session.machine.vmcs[0x4004] == UInt64(bitmap))
    }

    @Test func `TF of the guest's own stays, and its trap comes to it`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x90], at: TestMachine.code)
        session.machine.rflags |= Self.trapFlag
        session.type("next")
        #expect(Self.trap(session) == "next")
        #expect(session.machine.rflags & Self.trapFlag != 0)
        #expect(session.machine.injection == .exception(1))
        #expect(session.machine.host.debugStatus & Self.singleStep != 0)
    }

    @Test(arguments: [TestMachine.Mode.real, .protected16, .protected32, .long64])
    func `what PUSHF stored has the guest's TF`(mode: TestMachine.Mode) {
        for own in [0, Self.trapFlag] {
            let session = MonitorSession(mode, hasTrapFlag: false)
            session.machine.ram.put([0x9C], at: TestMachine.code)
            session.machine.processor.stackPointer = Self.stack
            session.machine.rflags |= own
            session.type("next")
            session.enter()
            let base = mode == .long64 ? 0 : session.machine.processor.segment(.ss).base
            session.machine.ram.put([0x46, 0x03], at: Int(base) + Int(Self.stack))
            #expect(Self.trap(session) == "next")
            let stored = session.machine.ram.word16(Int(base) + Int(Self.stack))
            #expect(stored == 0x246 | UInt16(own), "\(mode)")
        }
    }

    @Test(arguments: [[0x9D], [0x48, 0xCF], [0xCF]] as [[UInt8]])
    func `after POPF and IRET, TF is what they loaded`(code: [UInt8]) {
        for loaded in [0, Self.trapFlag] {
            let session = Self.session(code)
            session.machine.rflags = 2 | loaded
            #expect(Self.trap(session) == "next")
            #expect(session.machine.rflags & Self.trapFlag == loaded && session.machine.injection == nil)
        }
    }

    @Test func `an instruction that does not end leaves the guest's TF`() {
        let session = Self.session([0x9D])
        session.machine.cpu.registers.rax = 0x4000_0000
        #expect(session.exit(.cpuid) == "next")
        #expect(session.machine.rflags & Self.trapFlag == 0)
    }

    @Test func `INT n is delivered as an event, and stops before its handler's first instruction`() {
        let session = Self.session([0x66, 0xCD, 0x80])
        #expect(session.machine.injection == Injection(kind: 4, vector: 0x80, instructionLength: 3))
        #expect(session.machine.rflags & Self.trapFlag == 0)
        #expect(session.machine.processor.vmcs[.primaryControls].contains(.nmiWindowExiting))
        session.machine.processor.vmcs[.entryInterruptionInformation] = .none
        #expect(session.exit(.nmiWindow) == "next")
        #expect(!session.machine.processor.vmcs[.primaryControls].contains(.nmiWindowExiting))
    }

    @Test func `in an NMI handler too, which stays one`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0xCD, 0x80], at: TestMachine.code)
        session.machine.vmcs[0x4824] = 8
        session.type("next")
        session.enter()
        #expect(session.machine.vmcs[0x4824] == 0)
        session.machine.processor.vmcs[.entryInterruptionInformation] = .none
        #expect(session.exit(.nmiWindow) == "next")
        #expect(session.machine.vmcs[0x4824] == 8)
    }

    @Test func `a fault goes on to the guest without TF, and the step ends at its handler`() {
        let session = Self.session([0x0F, 0x0B])
        #expect(session.exit(.exceptionOrNMI, information: 0x8000_0306) == nil)
        #expect(session.machine.injection == .invalidOpcode)
        #expect(session.machine.rflags & Self.trapFlag == 0)
        session.enter()
        session.machine.processor.vmcs[.entryInterruptionInformation] = .none
        #expect(session.exit(.nmiWindow) == "next")
    }

    @Test func `SYSCALL keeps the guest's TF in R11, and IA32_FMASK is the guest's`() {
        for own in [0, Self.trapFlag] {
            let session = MonitorSession(hasTrapFlag: false)
            session.machine.ram.put([0x0F, 0x05], at: TestMachine.code)
            session.machine.host.registers[0xC000_0084] = 0x4_7700
            session.machine.rflags |= own
            session.type("next")
            session.enter()
            #expect(session.machine.host.registers[0xC000_0084] == 0x4_7600)
            session.machine.cpu.registers.r11 = 0x302
            session.machine.rflags = 0x102
            #expect(Self.trap(session) == "next")
            #expect(session.machine.cpu.registers.r11 == 0x202 | own)
            #expect(session.machine.rflags == 2)
            #expect(session.machine.host.registers[0xC000_0084] == 0x4_7700)
            // The processor makes no trap of the guest's TF where IA32_FMASK clears it.
            #expect(session.machine.injection == nil)
        }
    }

    @Test func `where IA32_FMASK leaves TF, the guest's trap after SYSCALL comes to it`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x0F, 0x05], at: TestMachine.code)
        session.machine.host.registers[0xC000_0084] = 0
        session.machine.rflags |= Self.trapFlag
        session.type("next")
        session.enter()
        #expect(Self.trap(session) == "next")
        #expect(session.machine.injection == .exception(1) && session.machine.rflags & Self.trapFlag != 0)
    }

    @Test func `SYSRET loads TF from R11 as the guest had it, whether it is executed or not`() {
        for stored in [0x202, 0x302] as [UInt64] {
            let session = MonitorSession(hasTrapFlag: false)
            session.machine.ram.put([0x48, 0x0F, 0x07], at: TestMachine.code)
            session.machine.cpu.registers.r11 = stored
            session.type("next")
            session.enter()
            #expect(session.machine.cpu.registers.r11 == 0x302)
            #expect(session.exit(.exceptionOrNMI, information: 0x8000_030D) == nil)
            #expect(session.machine.cpu.registers.r11 == stored && session.machine.rflags & Self.trapFlag == 0)
            session.machine.processor.vmcs[.entryInterruptionInformation] = .none
            session.enter()
            session.machine.rflags = 0x302
            #expect(Self.trap(session) == "next")
            #expect(session.machine.rflags == stored && session.machine.cpu.registers.r11 == stored)
            // TF that SYSRET loads traps at once.
            #expect(session.machine.injection == (stored & Self.trapFlag == 0 ? nil : .exception(1)))
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func `behind STI and MOV SS nothing comes in between, and TF may be set`(
        blocking: UInt64
    ) {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x90], at: TestMachine.code)
        session.machine.vmcs[0x4824] = blocking
        session.machine.rflags |= 0x200
        session.machine.processor.requestInterruptWindow(true)
        session.type("next")
        session.enter()
        #expect(session.machine.vmcs[0x4824] == 0)
        #expect(!session.machine.processor.vmcs[.primaryControls].contains(.interruptWindowExiting))
        // It exits before it is executed, and then again.
        #expect(session.exit(.preemptionTimerExpired) == nil)
        #expect(session.machine.vmcs[0x4824] == blocking)
        session.enter()
        #expect(Self.trap(session) == "next")
        #expect(session.machine.vmcs[0x4824] == 0)
        #expect(session.machine.processor.vmcs[.primaryControls].contains(.interruptWindowExiting))
    }

    @Test func `a requested virtual interrupt waits for the end of the shadow, and else is delivered without TF`() {
        let session = MonitorSession(hasTrapFlag: false)
        let processor = session.machine.processor
        session.machine.ram.put([0x90], at: TestMachine.code)
        session.machine.cpu.apic.setAssisted(true)
        session.machine.apicPage[0xF0 / 4] = 0x1FF
        session.machine.apicPage[(0x200 + 0x10 * 2) / 4] = 1 << 1
        processor.setVirtualInterrupts(requested: 0x41, inService: 0)
        session.machine.rflags |= 0x200
        session.machine.vmcs[0x4824] = 1
        session.type("next")
        session.enter()
        #expect(processor.vmcs[.guestInterruptStatus] == 0 && session.machine.injection == nil)
        #expect(Self.trap(session) == "next")
        #expect(processor.vmcs[.guestInterruptStatus] == 0x41)
        session.type("next")
        session.enter()
        #expect(session.machine.injection == .interrupt(0x41))
        #expect(processor.vmcs[.guestInterruptStatus] == 0x4100 && session.machine.rflags & Self.trapFlag == 0)
    }

    @Test func `an exit after an instruction leaves no trap of the step's`() {
        let session = Self.session([0x89, 0x00])
        session.machine.vmcs[0x6822] = Self.singleStep
        #expect(session.exit(.apicWrite, qualification: 0x80) == "next")
        #expect(session.machine.vmcs[0x6822] == 0)
    }

    @Test func `under BTF each instruction traps all the same`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x90], at: TestMachine.code)
        session.machine.vmcs[0x2802] = 3
        session.type("next")
        session.enter()
        #expect(session.machine.vmcs[0x2802] == 1)
        #expect(Self.trap(session) == "next")
        #expect(session.machine.vmcs[0x2802] == 3)
    }

    @Test func `under BTF and TF of the guest's own, a step is no branch of its`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x90], at: TestMachine.code)
        session.machine.vmcs[0x2802] = 2
        session.machine.rflags |= Self.trapFlag
        session.type("next")
        #expect(Self.trap(session) == "next")
        #expect(
            session.machine.injection == nil && session.machine.vmcs[0x2802] == 2 && session.machine.rflags & Self.trapFlag != 0)
    }

    @Test func `MOV SS and the instruction after it are one step, without TF`() {
        let session = Self.session([0x8E, 0xD0])
        #expect(session.machine.rflags & Self.trapFlag == 0 && session.machine.vmcs[0x4824] == 2)
        #expect(session.machine.processor.vmcs[.primaryControls].contains(.nmiWindowExiting))
        session.machine.rip += 3
        session.machine.vmcs[0x4824] = 0
        #expect(session.exit(.nmiWindow) == "next")
        #expect(
            session.machine.vmcs[0x4824] == 0 && !session.machine.processor.vmcs[.primaryControls].contains(.nmiWindowExiting))
    }

    @Test func `a MOV SS that is not executed blocks nothing, and one that is does`() {
        for (executed, blocking) in [(0, 0), (2, 2)] as [(UInt64, UInt64)] {
            let session = Self.session([0x8E, 0xD0])
            session.machine.rip += executed
            #expect(session.exit(.preemptionTimerExpired) == nil)
            #expect(session.machine.vmcs[0x4824] == blocking)
        }
    }

    @Test func `INT n stores no RF`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0xCD, 0x80], at: TestMachine.code)
        session.machine.rflags |= 1 << 16
        session.type("next")
        session.enter()
        #expect(session.machine.injection?.vector == 0x80 && session.machine.rflags & 1 << 16 == 0)
    }

    @Test func `INT n that cannot be fetched is not delivered`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0xCD], at: TestMachine.ramSize - 1)
        session.machine.rip = UInt64(TestMachine.ramSize) - 1
        session.type("next")
        session.enter()
        #expect(session.machine.injection == nil && session.machine.rflags & Self.trapFlag != 0)
    }

    @Test(arguments: ["break address 0x10001", "break fetch 0x10001"])
    func `a breakpoint on INT n stops before it`(command: String) {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x90, 0xCD, 0x80], at: TestMachine.code)
        session.type("next 2")
        session.enter()
        #expect(Self.trap(session) == nil)
        session.type(command, "next 2")
        session.machine.rip = 0x10001
        session.enter()
        #expect(session.machine.injection == nil)
    }

    @Test func `a trap of the guest's that waits comes before a virtual interrupt`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x90], at: TestMachine.code)
        session.machine.cpu.apic.setAssisted(true)
        session.machine.apicPage[0xF0 / 4] = 0x1FF
        session.machine.apicPage[(0x200 + 0x10 * 2) / 4] = 1 << 1
        session.machine.processor.setVirtualInterrupts(requested: 0x41, inService: 0)
        session.machine.rflags |= 0x200 | Self.trapFlag
        session.machine.vmcs[0x6822] = Self.singleStep
        session.type("next")
        session.enter()
        #expect(session.machine.injection == nil && session.machine.processor.vmcs[.guestInterruptStatus] == 0x41)
    }

    @Test func `memory is watched without the monitor trap flag too`() {
        let session = MonitorSession(hasTrapFlag: false)
        session.machine.ram.put([0x90], at: TestMachine.code)
        session.type("break write 0x1000")
        #expect(session.exit(.eptViolation, qualification: 2 | 5 << 3, physical: 0x1000) == "breakpoint 1")
        session.type("continue")
        session.enter()
        #expect(session.machine.rflags & Self.trapFlag != 0 && session.protected == [:])
        #expect(Self.trap(session) == nil)
        #expect(session.machine.rflags & Self.trapFlag == 0 && session.protected.count == 1)
    }

    @Test(
        arguments: [
            ([0x9C], .long64, .store), ([0x66, 0x9C], .long64, .store), ([0x48, 0x9D], .long64, .load),
            ([0x48, 0x9D], .paged32, .other),
            ([0xCF], .real, .load), ([0x66, 0xCF], .real, .load), ([0xCD, 0x21], .real, .interrupt(0x21, length: 2)),
            ([0x17, 0x9C], .real, .stackSegment), ([0x17, 0x9C], .long64, .other), ([0x8E, 0xD0, 0x9C], .long64, .stackSegment),
            ([0x66, 0x8E, 0x16], .real, .stackSegment), ([0x8E, 0xD8, 0x9C], .long64, .other), ([0xCD], .long64, .other),
            ([0x0F, 0x05], .long64, .systemCall),
            ([0x0F, 0x05], .paged32, .other), ([0x48, 0x0F, 0x07], .long64, .systemReturn),
            ([0x48, 0x48, 0x66], .long64, .other), ([], .real, .other),
        ] as [([UInt8], TestMachine.Mode, FlagInstruction)])
    func `the instructions that store and load flags are known`(code: [UInt8], mode: TestMachine.Mode, expected: FlagInstruction)
    {
        var bytes = InstructionBytes()
        for byte in code { bytes.append(byte) }
        let machine = TestMachine(mode)
        #expect(FlagInstruction(bytes, in: machine.processor.mode) == expected)
    }
}

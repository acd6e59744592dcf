import Support
import Testing
import Virtualization
import X86

@testable import Machine
@testable import SVM

/// What a guest on SVM exits for, and one on VMX does not.
@Suite struct SVMGuestTests {
    /// An exit in SVM's own words.
    @discardableResult
    static func exit(_ machine: TestMachine, _ code: SVMExitCode, length: UInt64 = 0) -> Outcome {
        let vmcb = machine.svm.vmcb
        vmcb.setBits(of: .exitCode, to: code.number)
        vmcb.setBits(of: .exitIntInfo, to: 0)
        vmcb[.nextRIP] = vmcb[.rip] &+ length
        machine.processor.beginExit()
        return machine.handleExitThatIsSet()
    }

    @Test(arguments: TestMachine.Mode.allCases) func `VMRUN takes a guest in every mode`(mode: TestMachine.Mode) {
        #expect(TestMachine(mode).entryViolations == [])
    }

    @Test func `MOV from CR4 shows what the guest has written, without the host's machine checks`() {
        let machine = TestMachine()
        machine.cpu.registers.rbx = 0x2_0020
        for number in 0..<2 {
            #expect(machine.exit(.controlRegisterAccess, qualification: 0x304, length: 3) == .step, "write \(number)")
            #expect(machine.exit(.controlRegisterAccess, qualification: 0x114, length: 3) == .step, "read \(number)")
            #expect(machine.cpu.registers.rcx == 0x2_0020 && machine.svm.vmcb[.cr4].rawValue == 0x2_0060)
        }
    }

    @Test func `RDMSR of IA32_EFER shows no SVME, and WRMSR does not clear it`() {
        let machine = TestMachine()
        #expect(MSRTests.value(machine, 0xC000_0080) == 0x501)
        #expect(MSRTests.write(machine, 0xC000_0080, 0xD01) == .step && MSRTests.value(machine, 0xC000_0080) == 0xD01)
        #expect(machine.svm.vmcb[.efer].rawValue == 0x1D01)
        #expect(MSRTests.write(machine, 0xC000_0080, 0x1D01) == .generalProtection)
    }

    @Test func `CR8 is the local APIC's task priority`() {
        let machine = TestMachine()
        machine.cpu.registers.rbx = 9
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x308, length: 4) == .step)
        #expect(machine.cpu.apic.taskPriority == 0x90)
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x118, length: 4) == .step)
        #expect(machine.cpu.registers.rcx == 9)
        machine.cpu.registers.rbx = 16
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x308, length: 4) == .generalProtection)
    }

    @Test func `a non-maskable interrupt comes behind the IRET of the one before`() {
        let machine = TestMachine()
        func request() {
            machine.cpu.unmasked.insert(.nonMaskableInterrupt)
            machine.cpu.attention.insert(.interrupts)
            #expect(machine.complete(.resume))
        }
        request()
        #expect(machine.injection == Injection(kind: 2, vector: 2))
        // The handler asks for another, which waits.
        #expect(machine.exit(.cpuid, length: 2) == .step)
        request()
        #expect(machine.injection == nil)
        #expect(Self.exit(machine, .iret) == .resume && machine.injection == nil && machine.rflags == 0x102)
        // IRET has returned.
        machine.rip = 0x2_0000
        machine.rflags = 0x202
        machine.svm.vmcb[.dr6] = 0xFFFF_4FF0
        Self.exit(machine, .exceptionDB)
        #expect(machine.injection == Injection(kind: 2, vector: 2) && machine.rip == 0x2_0000 && machine.rflags == 0x202)
        #expect(machine.svm.vmcb[.dr6] == 0xFFFF_0FF0)
    }

    @Test func `a non-maskable interrupt that comes with an exception is taken before the next instruction that exits`() {
        let machine = TestMachine()
        machine.cpu.unmasked.insert(.nonMaskableInterrupt)
        machine.cpu.attention.insert(.interrupts)
        machine.exit(.vmxon, length: 3)
        #expect(machine.injection == .invalidOpcode)
        machine.rip = 0x1_0100
        Self.exit(machine, .cpuid, length: 2)
        #expect(
            machine.injection == Injection(kind: 2, vector: 2) && machine.rip == 0x1_0100, "CPUID is executed behind the handler")
    }

    @Test func `a task priority that falls lets the interrupt through that waits`() {
        let machine = TestMachine()
        for (register, value) in [(0x1B, 0xFEE0_0D00), (0x80F, 0x1FF), (0x808, 0x90), (0x83F, 0x61)] as [(UInt32, UInt64)] {
            #expect(MSRTests.write(machine, register, value) == .step)
        }
        machine.rflags |= 1 << 9
        #expect(machine.injection == nil)
        machine.cpu.registers.rbx = 0
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x308, length: 4) == .step)
        #expect(machine.injection == .interrupt(0x61))
    }
}

import Testing
import Virtualization
import VMX
import X86

@testable import Machine

/// Exits with one answer each, and those that nobody knows, by the manual's numbers.
@Suite struct OtherExitTests {
    static let code: UInt64 = 0x10000

    @discardableResult
    static func exit(_ machine: TestMachine, _ reason: UInt32, length: UInt32) -> Outcome {
        machine.setExit(reason: ExitReason(rawValue: reason), length: length)
        return machine.handleExitThatIsSet()
    }

    @Test(arguments: [13, 54] as [UInt32])
    func `INVD and WBINVD do nothing and go on`(reason: UInt32) {
        let machine = TestMachine()
        #expect(Self.exit(machine, reason, length: 2) == .step)
        #expect(machine.rip == Self.code + 2)
    }

    @Test(
        arguments: [
            11, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 36, 39, 50, 53, 59, 60, 63, 64, 65, 67, 68, 69, 70, 72, 73, 76, 77,
        ] as [UInt32])
    func `instructions that the guest's processor does not have are invalid opcodes`(reason: UInt32) {
        let machine = TestMachine()
        #expect(Self.exit(machine, reason, length: 3) == .invalidOpcode)
        #expect(machine.injection == .invalidOpcode)
        #expect(machine.rip == Self.code)
    }

    @Test func `RDPMC is a general-protection fault`() {
        let machine = TestMachine()
        #expect(machine.exit(.rdpmc, length: 2) == .generalProtection)
    }

    @Test(
        arguments: [
            (2, .tripleFault), (3, .unsupported(.initSignal)), (4, .unsupported(.startupIPI)),
            (5, .unsupported(.systemManagementInterrupt)), (6, .unsupported(.systemManagementInterrupt)),
            (14, .unsupported(.controlNotSet)), (16, .unsupported(.controlNotSet)),
            (40, .unsupported(.controlNotSet)), (46, .unsupported(.controlNotSet)), (47, .unsupported(.controlNotSet)),
            (51, .unsupported(.controlNotSet)), (58, .unsupported(.controlNotSet)),
            (57, .unsupported(.controlNotSet)), (61, .unsupported(.controlNotSet)),
            (62, .unsupported(.controlNotSet)),
        ] as [(UInt32, Ending)])
    func `exits that Martlet cannot continue from end the guest where it stands`(reason: UInt32, ending: Ending) {
        let machine = TestMachine()
        #expect(Self.exit(machine, reason, length: 2) == .end(ending))
        #expect(machine.cpu.pending == .end(ending))
        #expect(machine.rip == Self.code && machine.injection == nil)
    }

    /// Reserved numbers, numbers of failed entries without bit 31, and known numbers with a flag that is never expected.
    @Test(
        arguments: [
            33, 34, 35, 38, 41, 42, 66, 71, 74, 75, 78, 79, 255, 0xFFFF, 1 << 16 | 10, 1 << 27 | 10, 1 << 28 | 18, 1 << 30 | 30,
        ] as [UInt32])
    func `an unknown exit ends the guest and never skips`(reason: UInt32) {
        for observed in [true, false] {
            let machine = TestMachine()
            machine.setExit(reason: ExitReason(rawValue: reason), length: 2)
            if observed {
                #expect(Self.exit(machine, reason, length: 2) == .end(.unsupported(.unknownReason(reason))))
            } else {
                #expect(!machine.handleExit())
            }
            #expect(machine.cpu.pending == .end(.unsupported(.unknownReason(reason))))
            #expect(machine.rip == Self.code && machine.injection == nil)
        }
    }

    @Test func `a failed entry never looks like an exit, whatever its basic reason`() {
        for basic in UInt32(0)..<80 {
            let reason = 1 << 31 | basic
            for observed in [true, false] {
                let machine = TestMachine()
                let registers = machine.cpu.registers
                machine.setExit(reason: ExitReason(rawValue: reason), length: 2)
                if observed { Self.exit(machine, reason, length: 2) } else { #expect(!machine.handleExit()) }
                #expect(machine.cpu.pending == .end(.entryFailure(reason: reason)))
                #expect(machine.rip == Self.code && machine.cpu.registers == registers && machine.injection == nil)
            }
        }
    }

    /// The quick ways and the observed one must do the same.
    @Test func `exits that nobody observes do what observed ones do`() {
        let port = { portQualification($0, size: $1, isInput: $2) }
        let exits: [(BasicExitReason, UInt64, (TestMachine) -> Void)] = [
            (.cpuid, 0, { $0.cpu.registers.rax = 1 }), (.cpuid, 0, { $0.cpu.registers.rax = 7 }),
            (.cpuid, 0, { $0.cpu.registers.rax = 0x4000_0000 }), (.cpuid, 0, { $0.cpu.registers.rax = 0xFFFF_FFFF_8000_0001 }),
            (.cpuid, 0, { $0.cpu.registers.rax = 0x9000_0000 }),
            (
                .cpuid, 0,
                {
                    $0.cpu.registers.rax = 0xD; $0.cpu.registers.rcx = 1
                }
            ),
            (.hlt, 0, { _ in }), (.vmcall, 0, { $0.cpu.registers.rax = 0 }), (.vmcall, 0, { $0.cpu.registers.rax = 2 }),
            (
                .vmcall, 0,
                {
                    $0.cpu.registers.rax = 1; $0.cpu.registers.rbx = 50; $0.cpu.registers.rcx = 100
                }
            ),
            (.ioInstruction, port(0x3F8, 1, false), { $0.cpu.registers.rax = 65 }),
            (.ioInstruction, port(0x3FD, 1, true), { _ in }),
            (.ioInstruction, port(0x3FC, 4, true), { _ in }),
            (.ioInstruction, port(0xF4, 2, false), { $0.cpu.registers.rax = 3 }),
            (.rdmsr, 0, { $0.cpu.registers.rcx = 0x1B }), (.rdmsr, 0, { $0.cpu.registers.rcx = 0x480 }),
            (.wrmsr, 0, { $0.cpu.registers.rcx = 0x1A0 }),
            (
                .wrmsr, 0,
                {
                    $0.cpu.registers.rcx = 0xC000_0080; $0.cpu.registers.rax = 0x900
                }
            ),
            (
                .wrmsr, 0,
                {
                    $0.cpu.registers.rcx = 0x10; $0.cpu.registers.rax = 5
                }
            ),
            (.eptViolation, 0x181, { $0.ram.put([0x8B, 0x03], at: TestMachine.code) }), (.preemptionTimerExpired, 0, { _ in }),
            (
                .xsetbv, 0,
                {
                    $0.processor.cr4 = .physicalAddressExtension | .xsave; $0.cpu.registers.rax = 7
                }
            ),
            (.controlRegisterAccess, 0x003, { $0.cpu.registers.rax = 0x1000 }), (.tripleFault, 0, { _ in }),
        ]
        for (reason, qualification, prepare) in exits {
            for flags in [2, 0x102, 0x202] as [UInt64] {
                let observed = TestMachine()
                let quick = TestMachine()
                for machine in [observed, quick] {
                    prepare(machine)
                    machine.rflags = flags
                    machine.setExit(reason, qualification: qualification, length: 2, physical: UInt64(TestMachine.ramSize) + 8)
                    machine.vmcs[0] = 0  // the VPID, which differs
                }
                _ = observed.handle(observed.processor.decodeExit())
                #expect(quick.handleExit() == (observed.cpu.pending == .resume), "exit \(reason)")
                #expect(quick.cpu.pending == observed.cpu.pending, "exit \(reason)")
                #expect(quick.cpu.registers == observed.cpu.registers, "exit \(reason)")
                #expect(quick.vmcs.contents == observed.vmcs.contents, "exit \(reason)")
                #expect(quick.host.transmitted == observed.host.transmitted)
                #expect(quick.host.extendedControl == observed.host.extendedControl)
                #expect(quick.invalidations == observed.invalidations)
                #expect(quick.cpu.exitCount == observed.cpu.exitCount)
            }
        }
    }
}

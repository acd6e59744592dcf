import VMX
import Testing

@testable import Machine

/// Under nested KVM each access to a field that it does not shadow is a trap to the outer hypervisor: frequent exits touch
/// none (Linux 6.1, vmcs_shadow_fields.h), but for DR7: no other field tells that a breakpoint of the guest's is on a port.
@Suite struct ShadowedFieldTests {
    static let read: Set<UInt32> = [
        0x2400, 0x4402, 0x4404, 0x4406, 0x4408, 0x440A, 0x440C, 0x4816, 0x4818, 0x6400, 0x640A,
    ]
    static let readAndWritten: Set<UInt32> = [
        0x4000, 0x4002, 0x4004, 0x4016, 0x4018, 0x401A, 0x401C, 0x4824, 0x482E, 0x6000, 0x6004, 0x6006, 0x6800, 0x6802, 0x6804,
        0x681C, 0x681E, 0x6820,
    ]

    static let exits: [(name: String, reason: BasicExitReason, qualification: UInt64, prepare: @Sendable (TestMachine) -> Void)] =
        [
            ("CPUID", .cpuid, 0, { $0.cpu.registers.rax = 1 }), ("VMCALL", .vmcall, 0, { $0.cpu.registers.rax = 0 }),
            ("RDMSR", .rdmsr, 0, { $0.cpu.registers.rcx = 0x1B }), ("WRMSR", .wrmsr, 0, { $0.cpu.registers.rcx = 0x1A0 }),
            ("OUT", .ioInstruction, 0x80 << 16, { _ in }), ("IN", .ioInstruction, 0x3FD << 16 | 8, { _ in }),
            ("timer", .preemptionTimerExpired, 0, { _ in }),
            ("#GP of an unknown MSR", .rdmsr, 0, { $0.cpu.registers.rcx = 0x123 }),
        ]

    @Test(arguments: exits.indices) func `frequent exits touch only fields that nested KVM shadows`(index: Int) {
        let exit = Self.exits[index]
        let machine = TestMachine()
        exit.prepare(machine)
        machine.setExit(exit.reason, qualification: exit.qualification, length: 2)
        machine.vmcs.resetCounts()
        #expect(machine.handleExit())
        let others = Set(machine.vmcs.reads.keys).subtracting(Self.read.union(Self.readAndWritten))
        #expect(others == (exit.reason == .ioInstruction ? [0x681A] : []), "\(exit.name) reads")
        #expect(Set(machine.vmcs.writes.keys).subtracting(Self.readAndWritten) == [], "\(exit.name) writes")
    }
}

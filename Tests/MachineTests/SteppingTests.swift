import Testing
import Virtualization

@testable import Machine

/// What happens when an instruction was emulated and the guest goes on behind it.
@Suite struct SteppingTests {
    static let trapFlag: UInt64 = 1 << 8
    static let pendingDebugExceptions: UInt32 = 0x6822
    static let singleStep: UInt64 = 1 << 14

    @Test(arguments: [1, 2, 3, 8, 15] as [UInt32]) func `RIP moves by the instruction's length`(length: UInt32) {
        let machine = TestMachine()
        machine.exit(.cpuid, length: length)
        #expect(machine.rip == 0x10000 + UInt64(length))
        #expect(machine.vmcs[Self.pendingDebugExceptions] == 0)
    }

    @Test(arguments: [(1, 0), (2, 0), (3, 0), (8, 8), (9, 8)] as [(UInt64, UInt64)])
    func `blocking by STI and MOV SS ends, other blocking stays`(before: UInt64, after: UInt64) {
        let machine = TestMachine()
        machine.vmcs[0x4824] = before
        machine.exit(.cpuid, length: 2)
        #expect(machine.vmcs[0x4824] == after)
        #expect(machine.rip == 0x10002)
    }

    @Test func `with TF set the single-step trap is pending, by both ways of stepping`() {
        let machine = TestMachine()
        machine.rflags |= Self.trapFlag
        machine.exit(.cpuid, length: 2)
        #expect(machine.vmcs[Self.pendingDebugExceptions] == Self.singleStep)
        let decoded = TestMachine()
        decoded.rflags |= Self.trapFlag
        decoded.ram.put([0x8B, 0x03], at: TestMachine.code)
        decoded.exit(.eptViolation, qualification: 0x181, physical: UInt64(TestMachine.ramSize) + 8)
        #expect(decoded.vmcs[Self.pendingDebugExceptions] == Self.singleStep)
        #expect(decoded.rip == 0x10002)
    }

    @Test(.onVMX) func `the single-step trap leaves other pending debug exceptions`() {
        let machine = TestMachine()
        machine.rflags |= Self.trapFlag
        machine.vmcs[Self.pendingDebugExceptions] = 0x1001
        machine.exit(.cpuid, length: 2)
        #expect(machine.vmcs[Self.pendingDebugExceptions] == 0x1001 | Self.singleStep)
    }

    @Test func `under BTF only branches trap, so no step is pending`() {
        let machine = TestMachine()
        machine.rflags |= Self.trapFlag
        machine.vmcs[0x2802] = 2
        machine.exit(.cpuid, length: 2)
        #expect(machine.vmcs[Self.pendingDebugExceptions] == 0)
        #expect(machine.rip == 0x10002)
    }

    @Test(arguments: [TestMachine.Mode.real, .protected16, .protected32, .paged32, .pae, .compatibility16, .compatibility32])
    func `outside 64-bit mode RIP wraps at 4 GiB`(mode: TestMachine.Mode) {
        let machine = TestMachine(mode)
        machine.rip = 0xFFFF_FFFE
        machine.exit(.cpuid, length: 2)
        #expect(machine.rip == 0)
        machine.rip = 0xFFFF_FFFF
        machine.exit(.cpuid, length: 2)
        #expect(machine.rip == 1)
    }

    @Test func `in 64-bit mode RIP does not wrap at 4 GiB`() {
        let machine = TestMachine()
        machine.rip = 0xFFFF_FFFE
        machine.exit(.cpuid, length: 2)
        #expect(machine.rip == 0x1_0000_0000)
        machine.rip = 0xFFFF_FFFF_FFFF_FFFE
        machine.exit(.cpuid, length: 3)
        #expect(machine.rip == 1)
    }

    /// SDM volume 3, "Saving RIP, RSP, RFLAGS, and SSP": an EPT violation saves RF set. Left so, a breakpoint on the next
    /// instruction would be missed.
    @Test func `an emulated access to absent memory uses up RF`() {
        let machine = TestMachine()
        machine.rflags |= 1 << 16
        machine.ram.put([0x8B, 0x03], at: TestMachine.code)
        machine.exit(.eptViolation, qualification: 0x181, physical: UInt64(TestMachine.ramSize) + 8)
        #expect(machine.rflags == 2)
        machine.rflags |= 1 << 16
        machine.rip = UInt64(TestMachine.code)
        machine.ram.put([0x03, 0x03], at: TestMachine.code)
        machine.exit(.eptViolation, qualification: 0x181, physical: UInt64(TestMachine.ramSize) + 8)
        #expect(machine.rflags & 1 << 16 == 0)
    }

    @Test func `an injected fault moves RIP by nothing`() {
        let machine = TestMachine()
        machine.exit(.vmxon, length: 4)
        #expect(machine.rip == 0x10000)
    }
}

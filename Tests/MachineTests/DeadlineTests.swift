import Devices
import Testing

@testable import Machine

/// IA32_TSC_DEADLINE and the guest's time stamp.
@Suite struct DeadlineTests {
    private static func write(_ machine: TestMachine, _ register: UInt32, _ value: UInt64) {
        #expect(MSRTests.write(machine, register, value) == .step)
    }

    private static func guestTime(_ machine: TestMachine) -> UInt64 { machine.host.time &+ machine.vmcs[0x2010] }

    /// In x2APIC mode, with a deadline 10,000 ticks away.
    private static func machine() -> TestMachine {
        let machine = TestMachine()
        write(machine, 0x1B, 0xFEE0_0D00)
        write(machine, 0x80F, 0x1FF)
        write(machine, 0x832, 0x4_0030)
        write(machine, 0x6E0, guestTime(machine) &+ 10_000)
        return machine
    }

    @Test func `a moved time stamp moves the moment of the deadline, not its value`() {
        let machine = Self.machine()
        let deadline = MSRTests.value(machine, 0x6E0)
        let due = machine.cpu.apic.nextEvent.ticks
        Self.write(machine, 0x10, Self.guestTime(machine) &+ 4000)
        #expect(machine.cpu.apic.nextEvent.ticks == due - 4000)
        Self.write(machine, 0x3B, MSRTests.value(machine, 0x3B) &- 3000)
        #expect(machine.cpu.apic.nextEvent.ticks == due - 1000)
        #expect(MSRTests.value(machine, 0x6E0) == deadline)
    }

    @Test func `a time stamp that is moved beyond the deadline brings its interrupt`() {
        let machine = Self.machine()
        Self.write(machine, 0x10, Self.guestTime(machine) &+ 20_000)
        #expect(MSRTests.value(machine, 0x6E0) == 0)
        let vector = machine.cpu.apic.pendingVector
        #expect(vector == 0x30)
        #expect(machine.cpu.apic.nextEvent == .never)
    }

    @Test func `a disarmed deadline stays so, whatever happens to the time stamp`() {
        let machine = Self.machine()
        Self.write(machine, 0x6E0, 0)
        Self.write(machine, 0x10, 0)
        #expect(machine.cpu.apic.nextEvent == .never)
        let vector = machine.cpu.apic.pendingVector
        #expect(vector == 0)
    }
}

import Testing

@testable import Machine

@Suite struct HypercallTests {
    /// VMCALL as the guest executes it: RAX afterwards.
    static func call(_ machine: TestMachine, _ function: UInt64, rbx: UInt64 = 0, rcx: UInt64 = 0) -> UInt64 {
        machine.cpu.registers.rax = function
        machine.cpu.registers.rbx = rbx
        machine.cpu.registers.rcx = rcx
        let before = machine.rip
        #expect(machine.exit(.vmcall, length: 3) == .step)
        #expect(machine.rip == before + 3)
        return machine.cpu.registers.rax
    }

    @Test func `function 0 returns the signature, in every ring`() {
        let machine = TestMachine()
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: Self.call(machine, 0) >> (8 * $0)) }
        #expect(String(decoding: bytes, as: UTF8.self) == "Martlet\0")
        machine.enterUserMode()
        #expect(Self.call(machine, 0) == 0x0074_656C_7472_614D)
    }

    @Test(arguments: [TestMachine.Mode.protected32, .protected16, .compatibility32, .paged32])
    func `outside 64-bit mode the upper halves of registers do not count`(mode: TestMachine.Mode) {
        let upper: UInt64 = 0xABCD << 48
        let machine = TestMachine(mode)
        #expect(Self.call(machine, upper) == 0x0074_656C_7472_614D)
        #expect(Self.call(machine, upper | 2) == 2)
        #expect(Self.call(machine, upper | 4, rbx: upper | 7) == 0)
        #expect(Self.call(machine, upper | 3) == 7)
        #expect(Self.call(machine, upper | 1, rbx: upper | 0x40, rcx: upper | 1234) == 0)
        #expect(machine.vmcs[0x482E] == 1234)
        #expect(Self.call(machine, upper | 5, rbx: upper | 0x20_0ABC, rcx: upper) == 0)
        #expect(machine.cpu.registers.rbx == 0x20_0ABC)
    }

    @Test func `function 2 returns the number of exits so far`() {
        let machine = TestMachine()
        #expect(Self.call(machine, 2) == 1)
        machine.exit(.cpuid, length: 2)
        machine.exit(.cpuid, length: 2)
        #expect(Self.call(machine, 2) == 4)
    }

    @Test(arguments: [6, 7, 255, 1 << 32, 1 << 32 | 1, .max] as [UInt64])
    func `an unknown function returns all ones`(function: UInt64) {
        #expect(Self.call(TestMachine(), function) == .max)
    }

    @Test func `function 3 returns what function 4 left, and 0 before; user code cannot leave anything`() {
        let machine = TestMachine()
        #expect(Self.call(machine, 3) == 0)
        #expect(Self.call(machine, 4, rbx: 0x1234_5678_9ABC_DEF0) == 0)
        #expect(machine.machine.pointee.note == 0x1234_5678_9ABC_DEF0)
        machine.enterUserMode()
        #expect(Self.call(machine, 4, rbx: 1) == .max)
        #expect(Self.call(machine, 3) == 0x1234_5678_9ABC_DEF0)
    }

    @Test func `function 5 foretells what an access would give, and touches nothing`() {
        let machine = TestMachine()
        machine.map(0x20_0000, entry: 0x1_2345_6007)
        machine.map(0x20_1000, entry: 0x5001)
        let before = machine.ram[0..<machine.ram.size]
        func foretell(_ address: UInt64, _ access: UInt64) -> [UInt64] {
            let result = Self.call(machine, 5, rbx: address, rcx: access)
            #expect(machine.cpu.registers.rdx == machine.cpu.registers.rbx >> 32 || result == .max)
            return [result, machine.cpu.registers.rbx]
        }
        #expect(foretell(0x20_0ABC, 0) == [0, 0x1_2345_6ABC])
        #expect(foretell(0x20_0ABC, 1) == [0, 0x1_2345_6ABC])
        #expect(foretell(0x20_0ABC, 6) == [0, 0x1_2345_6ABC])
        #expect(foretell(0x20_1000, 0) == [0, 0x5000])
        #expect(foretell(0x20_1000, 5) == [14, 7])
        #expect(foretell(1 << 47, 0) == [13, 0])
        machine.map(0x20_1000, entry: 0)
        #expect(foretell(0x20_1000, 1) == [14, 2])
        machine.map(0x20_0000, entry: 0x1_2345_6007)
        machine.map(0x20_1000, entry: 0x5001)
        #expect(machine.ram[0..<machine.ram.size] == before)
        machine.vmcs[0x6802] = 1 << 40
        #expect(foretell(0x20_0000, 0) == [.max, 1 << 40])
    }

    @Test(arguments: [3, 7, 8, .max] as [UInt64])
    func `function 5 refuses an access that there is not, and user mode`(access: UInt64) {
        let machine = TestMachine()
        #expect(Self.call(machine, 5, rbx: 0x1000, rcx: access) == .max)
        #expect(machine.cpu.registers.rbx == 0x1000)
        machine.enterUserMode()
        #expect(Self.call(machine, 5, rbx: 0x1000, rcx: 0) == .max)
    }

    @Test func `function 1 arms the timer for so many ticks from now`() {
        let machine = TestMachine()
        #expect(Self.call(machine, 1, rbx: 0x40, rcx: 1000) == 0)
        #expect(machine.vmcs[0x482E] == 1000)  // the preemption timer comes no later
        machine.host.time += 1000
        machine.rflags |= 1 << 9
        machine.exit(.preemptionTimerExpired)
        #expect(machine.injection == .interrupt(0x40))
    }

    @Test func `function 1 with vector 0 disarms the timer`() {
        let machine = TestMachine()
        machine.rflags |= 1 << 9
        #expect(Self.call(machine, 1, rbx: 0x40, rcx: 1000) == 0)
        #expect(Self.call(machine, 1, rbx: 0) == 0)
        machine.host.time += 1_000_000
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        #expect(machine.injection == nil)
        #expect(machine.vmcs[0x482E] == TestMachine.slice)
    }

    @Test func `disarming withdraws the interrupt window that the timer was waiting for`() {
        let machine = TestMachine()
        _ = Self.call(machine, 1, rbx: 0x40, rcx: 10)
        machine.host.time += 10
        machine.exit(.preemptionTimerExpired)
        #expect(machine.vmcs[0x4002] & 4 != 0)
        _ = Self.call(machine, 1, rbx: 0)
        #expect(machine.vmcs[0x4002] & 4 == 0)
    }

    @Test(arguments: [1, 31, 256, 0x120, .max] as [UInt64])
    func `function 1 refuses a vector that is not 0 or 32 to 255, and leaves the timer as it was`(vector: UInt64) {
        let machine = TestMachine()
        machine.rflags |= 1 << 9
        _ = Self.call(machine, 1, rbx: 0x50, rcx: 1000)
        #expect(Self.call(machine, 1, rbx: vector, rcx: 10) == .max)
        machine.host.time += 10
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        machine.host.time += 990
        machine.exit(.preemptionTimerExpired)
        #expect(machine.injection == .interrupt(0x50))
    }

    @Test(arguments: [32, 255] as [UInt64]) func `function 1 takes the first and the last vector`(vector: UInt64) {
        let machine = TestMachine()
        #expect(Self.call(machine, 1, rbx: vector, rcx: 1000) == 0)
    }

    @Test func `function 1 is refused outside ring 0`() {
        let machine = TestMachine()
        machine.enterUserMode()
        #expect(Self.call(machine, 1, rbx: 0x40, rcx: 1) == .max)
        machine.host.time += 1000
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        #expect(machine.injection == nil)
    }

    @Test func `a timer that is due after the end of time never comes and is no error`() {
        let machine = TestMachine()
        machine.rflags |= 1 << 9
        #expect(Self.call(machine, 1, rbx: 0x40, rcx: .max) == 0)
        machine.host.time += 1 << 40
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        #expect(machine.vmcs[0x482E] == TestMachine.slice)
    }

    @Test func `a timer that is due at once asks for the interrupt window if the guest cannot take it`() {
        let machine = TestMachine()
        #expect(Self.call(machine, 1, rbx: 0x40, rcx: 0) == 0)
        #expect(machine.vmcs[0x4002] & 4 != 0)
        machine.rflags |= 1 << 9
        machine.exit(.interruptWindow)
        #expect(machine.injection == .interrupt(0x40))
    }

    @Test func `a refused function 1 leaves the timer that waits for a window alone`() {
        let machine = TestMachine()
        #expect(Self.call(machine, 1, rbx: 0x40) == 0)
        #expect(machine.vmcs[0x4002] & 1 << 2 != 0)
        #expect(Self.call(machine, 1, rbx: 7) == .max)
        #expect(machine.vmcs[0x4002] & 1 << 2 != 0)
    }
}

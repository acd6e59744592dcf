import Support
import Testing
import Virtualization

@testable import Devices
@testable import Machine

@Suite struct InterruptDeliveryTests {
    private static let interruptFlag: UInt64 = 1 << 9

    // MARK: The task priority

    /// In x2APIC mode on a processor that helps with the task priority alone: at priority class 9, where interrupt 0x61 waits.
    private static func waiting() -> TestMachine {
        let machine = TestMachine(set: .arrandale)
        for (register, value) in [(0x1B, 0xFEE0_0D00), (0x80F, 0x1FF)] as [(UInt64, UInt64)] { write(machine, register, value) }
        machine.cpu.apic.taskPriority = 0x90
        write(machine, 0x83F, 0x61)
        #expect(machine.vmcs[0x401C] == 6, "the processor reports when the priority falls below")
        return machine
    }

    private static func write(_ machine: TestMachine, _ register: UInt64, _ value: UInt64) {
        machine.cpu.registers.rcx = register
        machine.cpu.registers.rax = value & 0xFFFF_FFFF
        machine.cpu.registers.rdx = value >> 32
        #expect(machine.exit(.wrmsr, length: 2) == .step)
    }

    @Test(.onVMX) func `a guest that lowers its priority with interrupts off goes on, and gets the interrupt when it can`() {
        let machine = Self.waiting()
        machine.cpu.apic.taskPriority = 0
        machine.exit(.tprBelowThreshold)
        #expect(machine.vmcs[0x401C] == 0, "or the same exit came before the next instruction, for ever")
        #expect(machine.injection == nil)
        machine.rflags |= Self.interruptFlag
        machine.exit(.interruptWindow)
        #expect(machine.injection == .interrupt(0x61))
    }

    @Test(.onVMX) func `the same when the local APIC requests another`() {
        let machine = Self.waiting()
        machine.cpu.apic.taskPriority = 0
        machine.cpu.attention.insert(.interrupts)
        #expect(machine.complete(.resume))
        #expect(machine.vmcs[0x401C] == 0 && machine.injection == nil)
        #expect(machine.vmcs[0x4002] & 1 << 2 != 0)
    }

    // MARK: Single steps

    @Test(arguments: [CapabilitySet.arrandale, .skylakeX])
    func `a single-step trap behind an instruction that exits comes before the interrupt that it requests`(set: CapabilitySet) {
        let machine = TestMachine(set: set)
        for (register, value) in [(0x1B, 0xFEE0_0D00), (0x80F, 0x1FF)] as [(UInt64, UInt64)] {
            Self.write(machine, register, value)
        }
        machine.cpu.apic.setAssisted(false)
        machine.rflags |= Self.interruptFlag | SteppingTests.trapFlag
        Self.write(machine, 0x83F, 0x61)
        #expect(machine.injection == nil, "or the VM entry dropped the trap")
        #expect(machine.vmcs[SteppingTests.pendingDebugExceptions] == SteppingTests.singleStep)
        #expect(machine.vmcs[0x4002] & 1 << 2 != 0)
        // The trap is delivered, and its handler returns.
        machine.vmcs[SteppingTests.pendingDebugExceptions] = 0
        machine.exit(.interruptWindow)
        #expect(machine.injection == .interrupt(0x61))
    }

    // MARK: Acceptance

    /// Pin 9 requests by level, with this destination; ACPI's line is high.
    private static func requesting(destination: UInt32) -> TestMachine {
        let machine = TestMachine(set: .arrandale)
        machine.setDestination(destination, ofPin: 9)
        machine.writeIOAPIC(0xFEC0_0000, 0x10 + 2 * 9)
        machine.writeIOAPIC(0xFEC0_0010, 1 << 15 | 0x55)
        machine.board.pointee.setLine(9, true)
        machine.rflags |= interruptFlag
        machine.cpu.attention.insert(.devices)
        #expect(machine.complete(.resume))
        return machine
    }

    private static func remoteRequest(_ machine: TestMachine) -> Bool {
        machine.writeIOAPIC(0xFEC0_0000, 0x10 + 2 * 9)
        return machine.board.pointee.readMemory(0xFEC0_0010).map { $0 & 1 << 14 != 0 } ?? false
    }

    @Test func `a level that nobody accepts is requested when somebody does`() {
        let machine = Self.requesting(destination: 5)
        #expect(machine.injection == nil && !Self.remoteRequest(machine))
        machine.setDestination(0, ofPin: 9)
        machine.cpu.attention.insert(.devices)
        #expect(machine.complete(.resume))
        #expect(machine.injection == .interrupt(0x55) && Self.remoteRequest(machine))
    }

    @Test func `a local APIC that software has disabled accepts nothing, and everything once it is enabled`() {
        let machine = TestMachine(set: .arrandale)
        machine.cpu.writeLocalAPIC(0xFF, at: .init(0xFEE0_00F0))
        machine.setDestination(0, ofPin: 9)
        machine.writeIOAPIC(0xFEC0_0000, 0x10 + 2 * 9)
        machine.writeIOAPIC(0xFEC0_0010, 1 << 15 | 0x55)
        machine.board.pointee.setLine(9, true)
        machine.rflags |= Self.interruptFlag
        machine.cpu.attention.insert(.devices)
        #expect(machine.complete(.resume))
        #expect(machine.injection == nil && !Self.remoteRequest(machine))
        machine.cpu.writeLocalAPIC(0x1FF, at: .init(0xFEE0_00F0))
        #expect(machine.complete(.resume))
        #expect(machine.injection == .interrupt(0x55) && Self.remoteRequest(machine))
    }

    @Test func `the 8259 pair interrupts through LINT0 as its delivery mode says`() {
        for (mode, injection) in [(0, .interrupt(0x66)), (4, .init(kind: 2, vector: 2)), (7, .interrupt(0x41))]
            as [(UInt32, Injection)]
        {
            let machine = TestMachine(set: .arrandale)
            machine.cpu.writeLocalAPIC(mode << 8 | 0x66, at: .init(0xFEE0_0350))
            for (port, value) in [(0x20, 0x11), (0x21, 0x40), (0x21, 4), (0x21, 1), (0x21, 0xFD)] as [(UInt16, UInt32)] {
                machine.board.pointee.write(port, size: 1, value, at: machine.cpu.clock.now)
            }
            machine.rflags |= Self.interruptFlag
            machine.board.pointee.setLine(1, true)
            machine.cpu.attention.insert(.devices)
            #expect(machine.complete(.resume))
            #expect(machine.injection == injection, "mode \(mode)")
        }
    }

    /// A breakpoint on data that MOV SS held, an instruction that exits, and what that sends.
    @Test(.onVMX, arguments: [CapabilitySet.arrandale, .skylakeX])
    func `a data breakpoint that MOV SS holds comes before the interrupt and the NMI that the next instruction sends`(
        set: CapabilitySet
    ) {
        for (command, kind) in [(0x4_4061, 0), (0x4400, 2)] as [(UInt64, UInt32)] {
            let machine = TestMachine(set: set)
            for (register, value) in [(0x1B, 0xFEE0_0D00), (0x80F, 0x1FF)] as [(UInt64, UInt64)] {
                Self.write(machine, register, value)
            }
            machine.cpu.apic.setAssisted(false)
            machine.rflags |= Self.interruptFlag
            machine.vmcs[0x4824] = 2
            machine.vmcs[SteppingTests.pendingDebugExceptions] = 0x1001
            Self.write(machine, 0x830, command)
            #expect(machine.injection == nil, "or the VM entry dropped the trap")
            #expect(machine.vmcs[SteppingTests.pendingDebugExceptions] == 0x1001)
            #expect(machine.vmcs[0x4002] & (1 << 2 | 1 << 22) == (kind == 0 ? 1 << 2 : 1 << 22), "the window behind the trap")
            machine.vmcs[SteppingTests.pendingDebugExceptions] = 0
            machine.exit(kind == 0 ? .interruptWindow : .nmiWindow)
            #expect(machine.injection?.kind == kind)
            #expect(machine.vmcs[0x4002] & (1 << 2 | 1 << 22) == 0)
        }
    }

    @Test func `an interrupt that waits while an NMI is injected comes as soon as it can`() {
        let machine = TestMachine(set: .arrandale)
        for (register, value) in [(0x1B, 0xFEE0_0D00), (0x80F, 0x1FF), (0x83F, 0x61)] as [(UInt64, UInt64)] {
            Self.write(machine, register, value)
        }
        machine.rflags |= Self.interruptFlag
        Self.write(machine, 0x830, 0x4400)
        #expect(machine.injection == Injection(kind: 2, vector: 2))
        #expect(machine.vmcs[0x4002] & 1 << 2 != 0)
        machine.exit(.interruptWindow)
        #expect(machine.injection == .interrupt(0x61))
    }

    /// The exit comes behind the instruction, with its trap.
    @Test(.onVMX, arguments: [(0x100, 1 << 14), (0, 0x1001)] as [(UInt64, UInt64)])
    func `a debug trap comes before the interrupt that a lower task priority lets through`(flags: UInt64, pending: UInt64) {
        let machine = Self.waiting()
        machine.rflags |= Self.interruptFlag | flags
        machine.cpu.apic.taskPriority = 0
        machine.vmcs[SteppingTests.pendingDebugExceptions] = pending
        machine.exit(.tprBelowThreshold)
        #expect(machine.injection == nil && machine.vmcs[0x4002] & 1 << 2 != 0)
        #expect(machine.vmcs[SteppingTests.pendingDebugExceptions] == pending)
    }

    // MARK: INIT from a timer

    /// The 8254 strikes as INIT through the I/O APIC.
    private static func timedInit() -> TestMachine {
        let machine = TestMachine()
        machine.writeIOAPIC(0xFEC0_0000, 0x14)
        // The output is low until the count ends.
        for (port, value) in [(0x43, 0x30), (0x40, 100), (0x40, 0)] as [(UInt16, UInt32)] {
            machine.board.pointee.write(port, size: 1, value, at: machine.cpu.clock.now)
        }
        machine.writeIOAPIC(0xFEC0_0010, 5 << 8)
        machine.cpu.attention.insert(.devices)
        #expect(machine.complete(.resume))
        return machine
    }

    @Test func `INIT that a timer brings resets a guest that runs`() {
        let machine = Self.timedInit()
        machine.host.time += TestMachine.frequency
        #expect(machine.exit(.preemptionTimerExpired) == .end(.reset))
    }

    @Test func `INIT that a timer brings resets a guest that waits`() {
        let machine = Self.timedInit()
        machine.rflags |= Self.interruptFlag
        #expect(machine.exit(.hlt, length: 1) == .wait)
        _ = machine.cpu.sleep()
        #expect(machine.cpu.pending == .end(.reset))
    }

    // MARK: The limit

    private static let limit: UInt64 = 3_000_000

    private static func limited() -> TestMachine {
        let machine = TestMachine()
        var parameters = TestMachine.parameters
        parameters.limit = limit
        machine.board.pointee.restart(parameters)
        machine.cpu.arm(at: machine.cpu.clock.now)
        return machine
    }

    @Test func `a guest that spins for ever is ended at its limit`() {
        let machine = Self.limited()
        machine.host.time += Self.limit - 1
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        #expect(machine.vmcs[0x482E] == 1)
        machine.host.time += 1
        #expect(machine.exit(.preemptionTimerExpired) == .end(.overdue))
        #expect(machine.cpu.pending == .end(.overdue))
    }

    @Test func `unobserved it is ended as well`() {
        let machine = Self.limited()
        machine.host.time += Self.limit
        machine.setExit(.preemptionTimerExpired)
        #expect(!machine.handleExit())
        #expect(machine.cpu.pending == .end(.overdue))
    }

    @Test func `a note gives it as long again; user code leaves none`() {
        let machine = Self.limited()
        machine.host.time += Self.limit - 10
        #expect(HypercallTests.call(machine, 4, rbx: 1) == 0)
        machine.host.time += Self.limit - 10
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        machine.enterUserMode()
        #expect(HypercallTests.call(machine, 4, rbx: 2) == .max)
        machine.host.time += 10
        #expect(machine.exit(.preemptionTimerExpired) == .end(.overdue))
    }

    @Test func `a guest that waits for what never comes is ended at its limit`() {
        let machine = Self.limited()
        machine.rflags |= Self.interruptFlag
        // A timer whose messages are for an APIC that is not there.
        for (index, value) in [(0x15, 5 << 24), (0x14, 0x40)] as [(UInt32, UInt32)] {
            machine.writeIOAPIC(0xFEC0_0000, index)
            machine.writeIOAPIC(0xFEC0_0010, value)
        }
        for (port, value) in [(0x43, 0x34), (0x40, 0), (0x40, 0)] as [(UInt16, UInt32)] {
            machine.board.pointee.write(port, size: 1, value, at: machine.cpu.clock.now)
        }
        machine.cpu.attention.insert(.devices)
        #expect(machine.complete(.resume))
        #expect(machine.exit(.hlt, length: 1) == .wait)
        _ = machine.cpu.sleep()
        #expect(machine.cpu.pending == .end(.overdue))
        #expect(machine.host.sleeps.count == 1)
    }

    @Test func `a guest that halts for good is at its end without a wait`() {
        let machine = Self.limited()
        machine.rflags |= Self.interruptFlag
        #expect(machine.exit(.hlt, length: 1) == .end(.halted(interruptsEnabled: true)))
    }
}

extension TestMachine {
    /// Writes the upper half of an entry of the I/O APIC.
    func setDestination(_ destination: UInt32, ofPin pin: UInt32) {
        writeIOAPIC(0xFEC0_0000, 0x11 + 2 * pin)
        writeIOAPIC(0xFEC0_0010, destination << 24)
    }
}

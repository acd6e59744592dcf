import Testing
import Virtualization

@testable import Machine

/// The guest's timer, HLT, the interrupt window, and the slice in which Martlet looks at a guest.
@Suite struct TimerTests {
    static let interruptFlag: UInt64 = 1 << 9

    static func armed(ticks: UInt64, interrupts: Bool = true) -> TestMachine {
        let machine = TestMachine()
        machine.cpu.registers.rax = 1
        machine.cpu.registers.rbx = 0x40
        machine.cpu.registers.rcx = ticks
        machine.exit(.vmcall, length: 3)
        if interrupts { machine.rflags |= interruptFlag }
        return machine
    }

    static func windowIsWanted(_ machine: TestMachine) -> Bool { machine.vmcs[0x4002] & 4 != 0 }

    // MARK: Slices

    @Test func `a guest without a timer gets a new slice whenever its slice ends`() {
        let machine = TestMachine()
        machine.vmcs[0x482E] = 0
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        #expect(machine.vmcs[0x482E] == TestMachine.slice)
        #expect(machine.injection == nil)
    }

    @Test func `a slice ends no later than the guest's timer is due`() {
        #expect(Self.armed(ticks: 1234).vmcs[0x482E] == 1234)
        #expect(Self.armed(ticks: TestMachine.slice * 10).vmcs[0x482E] == TestMachine.slice)
    }

    @Test(.onVMX) func `the preemption timer counts as the processor says, and never more than 32 bits`() {
        let machine = TestMachine(set: .skylakeX.replacing([0x485: 0x7004_C1E5]))
        #expect(machine.processor.setTimer(ticks: 3200))
        #expect(machine.vmcs[0x482E] == 100)
        #expect(machine.processor.setTimer(ticks: .max))
        #expect(machine.vmcs[0x482E] == 0xFFFF_FFFF)
    }

    @Test func `without the preemption timer the host's timer ends the slice, and its interrupt brings the guest's`() {
        let machine = TestMachine(timer: .host)
        machine.rflags |= 1 << 9
        machine.cpu.registers.rax = 1
        machine.cpu.registers.rbx = 0x40
        machine.cpu.registers.rcx = 1234
        machine.exit(.vmcall, length: 3)
        #expect(machine.host.timerSettings.last == 1234)
        machine.host.time += 1000
        machine.exit(.externalInterrupt, information: 0x8000_00F0)
        #expect(machine.injection == nil && machine.host.timerSettings.last == 234)
        machine.host.time += 234
        machine.exit(.externalInterrupt, information: 0x8000_00F0)
        #expect(machine.injection == .interrupt(0x40))
        // On SVM an exit acknowledges no interrupt: the host takes it as any other.
        #expect(machine.host.finishedInterrupts == (TestMachine.isVMX ? [0xF0, 0xF0] : []))
    }

    // MARK: The clock

    /// An exit that takes 300 ticks of the host's time, of which the preemption timer knows nothing.
    private static func exit(_ machine: TestMachine, _ loop: String) {
        machine.host.time += 300
        switch loop {
        case "CPUID": machine.exit(.cpuid, length: 2)
        case "RDMSR":
            machine.cpu.registers.rcx = 0x1B
            machine.exit(.rdmsr, length: 2)
        case "OUT 80H": machine.exit(.ioInstruction, qualification: 0x80_0000, length: 2)
        default: machine.exit(.wbinvd, length: 2)  // WBINVD
        }
    }

    @Test(arguments: ["CPUID", "RDMSR", "OUT 80H", "WBINVD"])
    func `a guest that exits again and again has its timer's interrupt when that is due`(loop: String) {
        let machine = Self.armed(ticks: 100_000)
        let due = machine.host.time + 100_000
        while machine.injection == nil, machine.host.time < due + 10_000 { Self.exit(machine, loop) }
        #expect(machine.injection == .interrupt(0x40))
        #expect((due...due + 1000).contains(machine.host.time))
    }

    @Test func `a periodic timer of a guest that exits again and again loses no tick`() {
        let machine = TestMachine(set: .arrandale)
        for (register, value) in [(0x1B, 0xFEE0_0D00), (0x80F, 0x1FF), (0x83E, 0xB), (0x832, 0x2_0050), (0x838, 20_000)]
            as [(UInt64, UInt64)]
        {
            machine.cpu.registers.rcx = register
            (machine.cpu.registers.rax, machine.cpu.registers.rdx) = (value, 0)
            machine.exit(.wrmsr, length: 2)
        }
        machine.rflags |= Self.interruptFlag
        let start = machine.host.time
        var ticks = 0
        while machine.host.time < start + 2_010_000 {
            Self.exit(machine, "CPUID")
            guard machine.injection == .interrupt(0x50) else { continue }
            ticks += 1
            machine.cpu.registers.rcx = 0x80B
            (machine.cpu.registers.rax, machine.cpu.registers.rdx) = (0, 0)
            machine.exit(.wrmsr, length: 2)
        }
        let shift = UInt64(machine.cpu.features.localAPICTimerShift)
        #expect(ticks == Int(2_010_000 / (20_000 << shift)))
    }

    @Test func `a long string instruction stops when a timer is due, and goes on behind the interrupt`() {
        let machine = Self.armed(ticks: 50)
        machine.host.ticksPerLook = 10
        machine.cpu.registers.rsi = 0x20000
        #expect(PortTests.string(machine, 0x80, size: 1, isInput: false, count: 4000) == .iterate)
        #expect(machine.injection == .interrupt(0x40))
        #expect(machine.cpu.registers.rcx > 3900)
    }

    // MARK: Delivery

    @Test func `the interrupt comes when it is due and not before, and only once`() {
        let machine = Self.armed(ticks: 1000)
        machine.host.time += 999
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        #expect(machine.vmcs[0x482E] == 1)
        machine.host.time += 1
        #expect(machine.exit(.preemptionTimerExpired) == .inject(.interrupt(0x40)))
        #expect(machine.injection == .interrupt(0x40))
        machine.host.time += 10000
        #expect(machine.exit(.preemptionTimerExpired) == .resume)
        #expect(machine.injection == nil)
    }

    @Test func `an interrupt that the guest cannot take waits for the window`() {
        for block in ["IF", "STI", "MOV SS", "another event"] {
            let machine = Self.armed(ticks: 10)
            machine.host.time += 10
            switch block {
            case "IF": machine.rflags &= ~Self.interruptFlag
            case "STI": machine.vmcs[0x4824] = 1
            case "MOV SS": machine.vmcs[0x4824] = 2
            default: break
            }
            if block == "another event" {
                machine.setExit(.preemptionTimerExpired)
                machine.vmcs[0x4016] = 0x8000_0306
                _ = machine.handle(.timerExpired)
                #expect(machine.vmcs[0x4016] == 0x8000_0306, "it keeps its place")
            } else {
                #expect(machine.exit(.preemptionTimerExpired) == .resume)
                #expect(machine.injection == nil, "\(block)")
            }
            #expect(Self.windowIsWanted(machine), "\(block)")
            // The preemption timer does not exit again and again meanwhile.
            #expect(machine.vmcs[0x482E] == TestMachine.slice)
            machine.rflags |= Self.interruptFlag
            machine.vmcs[0x4824] = 0
            #expect(machine.exit(.interruptWindow) == .inject(.interrupt(0x40)))
            #expect(!Self.windowIsWanted(machine))
            #expect(machine.injection == .interrupt(0x40))
        }
    }

    @Test func `blocking by NMI does not block interrupts`() {
        let machine = Self.armed(ticks: 10)
        machine.host.time += 10
        machine.vmcs[0x4824] = 8
        machine.exit(.preemptionTimerExpired)
        #expect(machine.injection == .interrupt(0x40))
    }

    @Test func `a window without an interrupt is closed again`() {
        let machine = TestMachine()
        machine.processor.requestInterruptWindow(true)
        #expect(machine.exit(.interruptWindow) == .resume)
        #expect(!Self.windowIsWanted(machine))
    }

    @Test func `asking for the window changes no other control`() {
        let machine = TestMachine()
        let before = machine.vmcs[0x4002]
        machine.processor.requestInterruptWindow(true)
        #expect(machine.vmcs[0x4002] == before | 4)
        machine.processor.requestInterruptWindow(false)
        #expect(machine.vmcs[0x4002] == before)
    }

    // MARK: HLT

    @Test func `HLT with interrupts off ends the guest, armed timer or not`() {
        #expect(TestMachine().exit(.hlt, length: 1) == .end(.halted(interruptsEnabled: false)))
        #expect(Self.armed(ticks: 10, interrupts: false).exit(.hlt, length: 1) == .end(.halted(interruptsEnabled: false)))
    }

    @Test(arguments: [0, interruptFlag]) func `a debug trap behind HLT ends it`(flags: UInt64) {
        for (blocking, pending, trap) in [(0, 0, 0x100), (2, 0x1001, 0)] as [(UInt64, UInt64, UInt64)] {
            // On SVM no trap can wait from before an exit.
            guard TestMachine.isVMX || pending == 0 else { continue }
            let machine = Self.armed(ticks: 10, interrupts: false)
            machine.host.time += 10
            machine.rflags |= flags | trap
            machine.vmcs[0x4824] = blocking
            machine.vmcs[SteppingTests.pendingDebugExceptions] = pending
            let before = machine.rip
            #expect(machine.exit(.hlt, length: 1) == .resume)
            #expect(machine.rip == before + 1 && machine.injection == nil && machine.vmcs[0x4824] == 0)
            #expect(machine.vmcs[SteppingTests.pendingDebugExceptions] == (trap != 0 ? 1 << 14 : pending))
            #expect(Self.windowIsWanted(machine), "the interrupt that is due comes behind the trap")
        }
    }

    /// The 8254 strikes through the I/O APIC, in a delivery mode.
    private static func timed(_ deliveryMode: UInt32) -> TestMachine {
        let machine = TestMachine()
        machine.writeIOAPIC(0xFEC0_0000, 0x14)
        for (port, value) in [(0x43, 0x30), (0x40, 100), (0x40, 0)] as [(UInt16, UInt32)] {
            machine.board.pointee.write(port, size: 1, value, at: machine.cpu.clock.now)
        }
        machine.writeIOAPIC(0xFEC0_0010, deliveryMode << 8 | 0x40)
        machine.cpu.attention.insert(.devices)
        #expect(machine.complete(.resume))
        return machine
    }

    @Test func `an NMI and INIT that a timer brings end HLT with interrupts off, an interrupt does not`() {
        let nmi = Self.timed(4)
        #expect(nmi.exit(.hlt, length: 1) == .wait)
        _ = nmi.cpu.sleep()
        #expect(nmi.injection == Injection(kind: 2, vector: 2))
        let initialize = Self.timed(5)
        #expect(initialize.exit(.hlt, length: 1) == .wait)
        _ = initialize.cpu.sleep()
        #expect(initialize.cpu.pending == .end(.reset))
        for mode: UInt32 in [0, 1, 2, 7] {
            #expect(Self.timed(mode).exit(.hlt, length: 1) == .end(.halted(interruptsEnabled: false)))
        }
    }

    @Test func `an NMI that waits for the end of another's handler does not end HLT there`() {
        let machine = TestMachine()
        machine.cpu.unmasked.insert(.nonMaskableInterrupt)
        machine.vmcs[0x4824] = 8
        #expect(machine.exit(.hlt, length: 1) == .end(.halted(interruptsEnabled: false)))
        let other = TestMachine()
        other.cpu.unmasked.insert(.nonMaskableInterrupt)
        #expect(other.exit(.hlt, length: 1) == .wake(Event(kind: .nonMaskableInterrupt, vector: 2)))
    }

    @Test func `with interrupts off a virtual interrupt does not end the sleep`() {
        let machine = Self.timed(4)
        machine.cpu.apic.setAssisted(true)
        #expect(machine.cpu.apic.accept(.init(vector: 0x61, deliveryMode: .fixed, destination: 0)) == .requested(0x61))
        #expect(machine.exit(.hlt, length: 1) == .wait)
        _ = machine.cpu.sleep()
        #expect(machine.injection == Injection(kind: 2, vector: 2))
    }

    @Test func `HLT with nothing to wake it ends the guest`() {
        let machine = TestMachine()
        machine.rflags |= Self.interruptFlag
        #expect(machine.exit(.hlt, length: 1) == .end(.halted(interruptsEnabled: true)))
        #expect(machine.cpu.pending == .end(.halted(interruptsEnabled: true)))
    }

    @Test func `HLT with a timer waits for it, and the interrupt returns behind HLT`() {
        let machine = Self.armed(ticks: 5000)
        let before = machine.rip
        #expect(machine.exit(.hlt, length: 1) == .wait)
        #expect(machine.cpu.pending == .wait)
        #expect(machine.rip == before + 1)
        #expect(machine.injection == nil)
        let start = machine.host.time
        machine.host.longestSleep = 2000
        _ = machine.cpu.sleep()
        #expect(machine.injection == .interrupt(0x40))
        #expect(machine.host.sleeps == [start + 5000, start + 5000, start + 5000])
        #expect(machine.host.time == start + 5000)
        #expect(machine.vmcs[0x4826] == 0, "the guest is never entered halted")
    }

    @Test func `HLT with a timer that is due goes on at once`() {
        let machine = Self.armed(ticks: 10)
        machine.host.time += 10
        #expect(machine.exit(.hlt, length: 1) == .wake(.interrupt(0x40)))
        #expect(machine.injection == .interrupt(0x40))
    }

    @Test func `STI and HLT: the blocking ends with HLT, so that the interrupt can come`() {
        let machine = Self.armed(ticks: 10)
        machine.vmcs[0x4824] = 1
        #expect(machine.exit(.hlt, length: 1) == .wait)
        #expect(machine.vmcs[0x4824] == 0)
        _ = machine.cpu.sleep()
        #expect(machine.injection == .interrupt(0x40))
    }

    @Test func `waking withdraws the window that the timer had asked for`() {
        let machine = Self.armed(ticks: 10, interrupts: false)
        machine.host.time += 10
        machine.exit(.preemptionTimerExpired)
        #expect(Self.windowIsWanted(machine))
        machine.rflags |= Self.interruptFlag
        #expect(machine.exit(.hlt, length: 1) == .wake(.interrupt(0x40)))
        #expect(!Self.windowIsWanted(machine))
    }
}

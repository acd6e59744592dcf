import Memory
import Support
import Testing
import Virtualization

@testable import Machine
@testable import VMX

/// What the run loop asks of its surroundings, and in which order.
@Suite struct RunLoopTests {
    struct Services: RunLoopServices {
        typealias Processor = TestMachine.Processor
        typealias Host = TestMachine.Host

        let machine: TestMachine
        var seesExits = true
        /// The reasons that the guest exits for, one after the other.
        var reasons: [BasicExitReason]
        var log: [String] = []
        var judgement: (Exit) -> Exit? = { $0 }
        var isHeld: (Int) -> Ending? = { _ in nil }
        var refusesEntry = false
        /// Where stand-ins are, if there are any.
        var standInMemory: UnsafeMutableRawPointer?
        /// Of each exit that is a nested page fault: its address, and whether it is a write.
        var faults: [(UInt64, Bool)] = []
        /// What the guest does before an exit, by how many are left.
        var meanwhile: (Int) -> Void = { _ in }

        mutating func willEnter(_ cpu: CPU.Pointer) -> Bool {
            log.append("entry")
            return !refusesEntry
        }
        mutating func enter(_ cpu: CPU.Pointer) -> Bool {
            guard !reasons.isEmpty else { return false }
            machine.host.time += 100
            meanwhile(reasons.count)
            let reason = reasons.removeFirst()
            guard reason == .eptViolation else {
                machine.setExit(reason, length: 2)
                return true
            }
            let (address, isWrite) = faults.removeFirst()
            machine.setExit(.eptViolation, qualification: isWrite ? 0x182 : 0x181, physical: address)
            return true
        }
        mutating func standIns() -> StandIns? {
            standInMemory.map { StandIns($0, at: HostPhysicalAddress(StandInTests.hostAddress)) }
        }
        mutating func leadBack(_ all: Bool, _ cpu: CPU.Pointer) { log.append(all ? "all lead back" : "as before") }
        mutating func judge(_ seen: ObservedExit, _ cpu: CPU.Pointer) -> Exit? {
            log.append("\(TestMachine.word(for: seen.name)) after \(seen.guestTicks)")
            return judgement(seen.exit)
        }
        mutating func didHandle(_ seen: ObservedExit, as exit: Exit, _ outcome: Outcome, ticks: UInt64, _ cpu: CPU.Pointer) {
            log.append("\(outcome)")
        }
        mutating func hold(_ cpu: CPU.Pointer) -> Ending? { isHeld(log.count) }
        mutating func holdAsleep(_ cpu: CPU.Pointer) -> Ending? {
            log.append("asleep")
            return .dismissed
        }
        mutating func setHidden(_ page: GuestPhysicalAddress, _ isHidden: Bool, _ cpu: CPU.Pointer) {
            log.append("\(isHidden ? "hides" : "shows") \(page.rawValue)")
        }
        mutating func didFinish(_ cpu: CPU.Pointer) { log.append("done") }
    }

    static func run(_ machine: TestMachine, _ services: inout Services) -> Ending? {
        withUnsafeMutablePointer(to: &machine.cpu) { TestMachine.CPU.run($0, &services) }
    }

    @Test func `a local APIC that is moved over RAM hides it, as long as it is there`() {
        let machine = TestMachine()
        machine.ram.put([1, 2, 3, 4], at: 0x300080)
        var services = Services(machine: machine, reasons: [])
        for (base, log) in [
            (0x30_0900, ["hides 3145728"]), (0x30_1900, ["shows 3145728", "hides 3149824"]), (0xFEE0_0900, ["shows 3149824"]),
        ] as [(UInt64, [String])] {
            machine.cpu.registers.rcx = 0x1B
            (machine.cpu.registers.rax, machine.cpu.registers.rdx) = (base, 0)
            services.reasons = [.wrmsr]
            services.log = []
            #expect(Self.run(machine, &services) == nil)
            #expect(services.log.filter { $0.hasPrefix("hides") || $0.hasPrefix("shows") } == log)
        }
        #expect(machine.ram[0x300080..<0x300084] == [1, 2, 3, 4])
    }

    @Test func `what Martlet reads and writes for a guest at its local APIC over RAM is the APIC's`() {
        let machine = TestMachine()
        machine.ram.put([1, 2, 3, 4], at: 0x300080)
        #expect(MSRTests.write(machine, 0x1B, 0x30_0900) == .step)
        machine.cpu.writePhysical(GuestPhysicalAddress(0x300080), size: 4, 0x20)
        #expect(machine.cpu.readPhysical(GuestPhysicalAddress(0x300080), size: 4) == 0x20)
        #expect(machine.ram[0x300080..<0x300084] == [1, 2, 3, 4])
        #expect(MSRTests.write(machine, 0x1B, 0xFEE0_0900) == .step)
        #expect(machine.cpu.readPhysical(GuestPhysicalAddress(0x300080), size: 4) == 0x0403_0201)
    }

    @Test func `each exit is shown, handled and finished, until one ends the guest`() {
        let machine = TestMachine()
        var services = Services(machine: machine, reasons: [.cpuid, .tripleFault])
        #expect(Self.run(machine, &services) == .tripleFault)
        #expect(
            services.log == [
                "entry", "CPUID after 100", "step", "done",
                "entry", "triple fault after 100", "end(Machine.Ending.tripleFault)", "done",
            ])
        #expect(machine.rip == UInt64(TestMachine.code) + 2 && machine.cpu.exitCount == 2)
    }

    @Test func `an exit that an observer keeps for itself has no effect and no number`() {
        let machine = TestMachine()
        var services = Services(machine: machine, reasons: [.cpuid, .tripleFault])
        services.judgement = { $0 == .cpuid ? nil : $0 }
        #expect(Self.run(machine, &services) == .tripleFault)
        #expect(machine.rip == UInt64(TestMachine.code) && machine.cpu.exitCount == 1)
    }

    @Test func `an exit may be handled as another`() {
        let machine = TestMachine()
        var services = Services(machine: machine, reasons: [.cpuid])
        services.judgement = { _ in .tripleFault }
        #expect(Self.run(machine, &services) == .tripleFault)
        #expect(machine.rip == UInt64(TestMachine.code))
    }

    @Test func `whoever holds the guest may end it`() {
        let machine = TestMachine()
        var services = Services(machine: machine, reasons: [.cpuid, .cpuid])
        services.isHeld = { _ in .reset }
        #expect(Self.run(machine, &services) == .reset)
        #expect(services.reasons == [.cpuid])
    }

    @Test func `without an observer only what the exit handler left is done`() {
        let machine = TestMachine()
        var services = Services(machine: machine, seesExits: false, reasons: [.tripleFault])
        machine.cpu.pending = .end(.powerOff)
        #expect(Self.run(machine, &services) == .powerOff)
        #expect(services.log == ["entry", "done"] && machine.cpu.exitCount == 0)
    }

    @Test func `a guest that sleeps can be ended when the host is called away`() {
        let machine = TestMachine()
        machine.rflags |= 1 << 9
        machine.cpu.timer.arm(vector: 0x40, deadline: .max - 1)
        machine.host.isCalledAway = true
        var services = Services(machine: machine, reasons: [.hlt])
        #expect(Self.run(machine, &services) == .dismissed)
        #expect(services.log.suffix(2) == ["wait", "asleep"])
    }

    @Test func `a guest that cannot be entered has no ending`() {
        let machine = TestMachine()
        var failing = Services(machine: machine, reasons: [])
        #expect(Self.run(machine, &failing) == nil)
        var refused = Services(machine: machine, reasons: [.cpuid], refusesEntry: true)
        #expect(Self.run(machine, &refused) == nil)
        #expect(refused.log == ["entry"])
    }
}

import Devices
import Support
import Testing
import Virtualization
import X86

@testable import Machine
@testable import VMX

/// The state of a virtual CPU and its devices, taken out at random moments of random use and put into a machine made anew.
@Suite struct StateTests {
    typealias State = TestMachine.CPU.State

    /// All of a machine's state but for the RAM.
    final class Snapshot {
        let cpu = UnsafeMutablePointer<State>.allocate(capacity: 1)
        let extendedState = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 64)
        let machineState: VirtualMachineState

        init(_ machine: TestMachine) {
            extendedState.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
            machine.cpu.save(to: cpu, extendedState: extendedState, at: machine.cpu.now)
            machineState = machine.machine.pointee.state
        }

        deinit {
            cpu.deallocate()
            extendedState.deallocate()
        }

        func put(into machine: TestMachine) {
            machine.machine.pointee.restore(machineState)
            machine.cpu.restore(cpu, extendedState: extendedState)
        }
    }

    private static func machine(_ timer: TimerChoice, _ set: CapabilitySet, startingAt time: UInt64) -> TestMachine {
        TestMachine(set: set, timer: timer) { host in
            host.time = time
            for number in [0x48, 0x8B, 0xDA0, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0102, 0xC000_0103]
                as [UInt32]
            {
                host.registers[number] = 0
            }
        }
    }

    static let ports: [UInt16] = [
        0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0x3F8, 0x3F9, 0x3FD, 0x510, 0x600, 0x608, 0x2100,
    ]
    static let registers: [UInt32] = [
        0x10, 0x1B, 0x3B, 0x1A0, 0x1D9, 0x2FF, 0x200, 0x250, 0x17A, 0x17B, 0x400, 0x6E0, 0x802, 0x808, 0x80B, 0x80F, 0x830, 0x832,
        0x835, 0x838, 0x839, 0x83E, 0x83F, 0x123,
    ]

    /// Something that a guest does, with an exit or without one.
    private func act(_ machine: TestMachine, _ random: inout FixedSeedGenerator) -> [String] {
        machine.host.time &+= random.next() >> UInt64.random(in: 40...63, using: &random)
        // What is due comes first, as on a processor.
        if machine.cpu.nextEvent <= machine.cpu.now || machine.cpu.timerIsDue { machine.exit(.preemptionTimerExpired) }
        deliver(machine)
        if machine.vmcs[0x4002] & 4 != 0, machine.processor.canTakeInterrupt { machine.exit(.interruptWindow) }
        deliver(machine)
        let value = random.next() >> UInt64.random(in: 0...60, using: &random)
        let low = value & 0xFFFF_FFFF
        var outcome = Outcome.resume
        machine.cpu.registers.rax = low
        machine.cpu.registers.rdx = value >> 32
        switch UInt8.random(in: 0..<20, using: &random) {
        case 0:
            machine.cpu.registers.rax = [0, 1, 7, 0xB, 0xD, 0x8000_0001].randomElement(using: &random)!
            machine.cpu.registers.rcx = value & 3
            outcome = machine.exit(.cpuid, length: 2)
        case 1...3:
            machine.cpu.registers.rcx = UInt64(Self.registers.randomElement(using: &random)!)
            outcome = machine.exit(.rdmsr, length: 2)
        case 4...7:
            let register = Self.registers.randomElement(using: &random)!
            machine.cpu.registers.rcx = UInt64(register)
            switch register {
            case 0x1B:
                machine.cpu.registers.rax = [0xFEE0_0900, 0xFEE0_0D00, 0xFEE0_0100, 0xFEF0_0900].randomElement(using: &random)!
            case 0x80F: machine.cpu.registers.rax = 0x1FF
            case 0x830: machine.cpu.registers.rax = 0x40000 | value & 0xFF  // to itself, fixed
            default: break
            }
            outcome = machine.exit(.wrmsr, length: 2)
        case 8...9:
            let port = UInt64(Self.ports.randomElement(using: &random)!)
            outcome = machine.exit(.ioInstruction, qualification: port << 16 | 8, length: 1)
        case 10...11:
            let port = UInt64(Self.ports.randomElement(using: &random)!)
            outcome = machine.exit(.ioInstruction, qualification: port << 16, length: 1)
        case 12:
            machine.cpu.registers.rax = UInt64([1, 2, 3, 4].randomElement(using: &random)!)
            machine.cpu.registers.rbx = 0x40
            machine.cpu.registers.rcx = low >> 12
            outcome = machine.exit(.vmcall, length: 3)
        case 13: outcome = machine.exit(.preemptionTimerExpired)
        case 14...15:
            machine.cpu.registers.rax = [1, 3, 7, 0xE7].randomElement(using: &random)!
            (machine.cpu.registers.rcx, machine.cpu.registers.rdx) = (0, 0)
            outcome = machine.exit(.xsetbv, length: 3)
        case 16: machine.rflags ^= 1 << 9
        case 17:
            // What changes without an exit.
            machine.host.registers[0xC000_0081 + UInt32(value & 3)] = value
            machine.host.registers[0xC000_0102] = value
            machine.host.debugAddresses[Int(value & 3)] = value
            machine.host.debugStatus = 0xFFFF_0FF0 | value & 0xF
            machine.host.loadPageFaultAddress(value)
            machine.host.extendedState[Int(value & 0xFFF)] = UInt8(truncatingIfNeeded: value)
            machine.processor.stackPointer = value
            machine.processor.cr3 = value & 0xF_F000
            machine.vmcs[0x6826] = low
        case 18:
            machine.host.input.append(UInt8(truncatingIfNeeded: value))
            machine.cpu.expectInput()
        default:
            var cr4 = machine.processor.cr4
            cr4 = cr4.setting(.xsave, to: value & 1 != 0)
            machine.cpu.registers.rbx = cr4.rawValue
            outcome = machine.exit(.controlRegisterAccess, qualification: 4 | 3 << 8, length: 3)
        }
        let injected = deliver(machine)
        return [
            "\(outcome)", "\(machine.cpu.registers)", "\(injected)", "\(machine.rip) \(machine.rflags)",
            "\(machine.vmcs[0x4002])",
            "\(machine.host.timeStamp() &+ machine.processor.timeStampOffset)", "\(machine.host.transmitted.count)",
        ]
    }

    /// A VM entry delivers the event that was injected.
    @discardableResult
    private func deliver(_ machine: TestMachine) -> UInt64 {
        defer { machine.vmcs[0x4016] = 0 }
        return machine.vmcs[0x4016]
    }

    @Test(arguments: [UInt64](1...6))
    func `a virtual CPU whose state was put into another goes on as it would have`(seed: UInt64) {
        var random = FixedSeedGenerator(seed: seed)
        let (timer, set): (TimerChoice, CapabilitySet) = seed % 3 == 0 ? (.host, .skylakeX) : (.processorOrHost, .skylakeX)
        var here = Self.machine(timer, set, startingAt: 1000)
        var transmitted = 0
        for trip in 0..<12 {
            for _ in 0..<Int.random(in: 1...40, using: &random) { _ = act(here, &random) }
            let snapshot = Snapshot(here)
            // Another time stamp, another VMCS, and whatever the last guest left in the processor.
            let there = Self.machine(timer, set, startingAt: random.next() >> 8)
            there.host.registers[0xC000_0082] = 0x0BAD_BAD0
            there.host.debugAddresses = [1, 2, 3, 4]
            there.host.extendedState[100] = 0xBD
            there.ram.put(here.ram[0..<here.ram.size], at: 0)
            there.host.input = here.host.input
            snapshot.put(into: there)
            let again = Snapshot(there)
            #expect(again.cpu.pointee == snapshot.cpu.pointee, "trip \(trip)")
            #expect(again.machineState == snapshot.machineState, "trip \(trip)")
            #expect(there.host.extendedState == here.host.extendedState, "trip \(trip)")
            // Who goes on from a state looks at the devices first.
            here.cpu.expectInput()
            var sameRandom = random
            transmitted = here.host.transmitted.count
            for step in 0..<40 {
                var (seen, expected) = (act(there, &sameRandom), act(here, &random))
                expected[6] = "\(here.host.transmitted.count - transmitted)"
                seen[6] = "\(there.host.transmitted.count)"
                #expect(seen == expected, "trip \(trip), step \(step)")
                guard seen == expected else { return }
            }
            let (end, otherEnd) = (Snapshot(here), Snapshot(there))
            #expect(end.cpu.pointee == otherEnd.cpu.pointee && end.machineState == otherEnd.machineState, "trip \(trip)")
            here = there
        }
    }

    @Test(.onVMX) func `every field of the guest-state area is in the state, but for those that are not the guest's`() {
        let machine = TestMachine()
        // The link pointer, SMBASE, the preemption timer, the index of PML; and those that no control of Martlet's uses.
        let others: Set<UInt32> = [
            0x2800, 0x4828, 0x482E, 0x0812, 0x2808, 0x2812, 0x2814, 0x2816, 0x2818, 0x6828, 0x682A, 0x682C,
        ]
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position).encoding
            guard field.area == .guestState, !others.contains(field.rawValue) else { continue }
            let before = machine.processor.guestState
            machine.vmcs[field.rawValue] ^= 1
            #expect(machine.processor.guestState != before, "field \(String(field.rawValue, radix: 16))")
            machine.processor.guestState = before
            #expect(machine.processor.guestState == before)
        }
    }

    @Test func `an MSR passes without an exit if the table of registers says who holds it`() {
        let machine = TestMachine()
        let features = machine.cpu.features
        var passed: [UInt32] = []
        for number in Array(0..<0x2000) + Array(0xC000_0000..<0xC000_2000) as [UInt32]
        where MSRPolicy.passesWrites(ModelSpecificRegister(number), features) {
            passed.append(number)
        }
        #expect(
            passed == [
                0x48, 0x49, 0x10B, 0x174, 0x175, 0x176, 0x277, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0100,
                0xC000_0101, 0xC000_0102, 0xC000_0103,
            ])
        var told: [UInt32] = []
        MSRPolicy.forEachPassing(features) { register, reads, writes in
            told.append(register.number)
            #expect(reads == MSRPolicy.passesReads(register, features) && writes == MSRPolicy.passesWrites(register, features))
        }
        // On SVM reads of IA32_EFER exit: the processor's has SVME set.
        #expect(told.sorted() == ((TestMachine.isVMX ? [0x10, 0xC000_0080] : [0x10]) + passed).sorted())
    }

    @Test func `a reset leaves nothing of an earlier guest in the processor`() {
        let machine = Self.machine(.processor, .skylakeX, startingAt: 0)
        for number in [0xC000_0081, 0xC000_0084, 0xC000_0102, 0xC000_0103, 0x48] as [UInt32] {
            machine.host.write(ModelSpecificRegister(number), 0x55)
        }
        machine.host.debugAddresses = [1, 2, 3, 4]
        machine.host.debugStatus = 0xFFFF_0FFF
        machine.host.loadPageFaultAddress(0x77)
        machine.host.loadExtendedControl(7)
        machine.host.extendedState[0] = 1
        HeldRegisters.reset(machine.host, machine.cpu.features)
        for number in [0xC000_0081, 0xC000_0084, 0xC000_0102, 0xC000_0103, 0x48] as [UInt32] {
            #expect(machine.host.read(ModelSpecificRegister(number)) == 0)
        }
        #expect(machine.host.debugAddresses == [0, 0, 0, 0] && machine.host.debugStatus == 0xFFFF_0FF0)
        #expect(
            machine.host.readPageFaultAddress() == 0 && machine.host.extendedControl == 1 && machine.host.extendedState[0] == 0)
    }
}

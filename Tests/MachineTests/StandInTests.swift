import Devices
import Memory
import Support
import Testing
import Virtualization
import X86

@testable import Machine
@testable import VMX

/// Instructions on devices and absent memory that the processor executes, on pages in the place of the devices.
@Suite final class StandInTests {
    /// Where the processor of the tests finds the pages.
    static let hostAddress: UInt64 = 0x70_0000
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: 4096 * StandIns.frameCount, alignment: 4096)
    private let machine = TestMachine()

    init() { memory.initializeMemory(as: UInt8.self, repeating: 0, count: 4096 * StandIns.frameCount) }
    deinit { memory.deallocate() }

    private static let absent = AbsentMemoryTests.absent

    /// Runs FLD or FSTP, which Martlet does not know, with these exits.
    private func run(
        _ reasons: [BasicExitReason], _ faults: [(UInt64, Bool)], isStore: Bool = false,
        _ meanwhile: @escaping (Int) -> Void = { _ in }
    ) -> (ending: Ending?, log: [String]) {
        machine.ram.put(isStore ? [0xD9, 0x1B] : [0xD9, 0x03], at: TestMachine.code)
        var services = RunLoopTests.Services(machine: machine, reasons: reasons)
        services.standInMemory = memory
        services.faults = faults
        services.meanwhile = meanwhile
        let ending = RunLoopTests.run(machine, &services)
        return (ending, services.log)
    }

    /// The entry of the nested page tables that maps an address, as the processor walks them.
    private func entry(_ address: UInt64) -> UInt64 {
        var value: UInt64 = 0x5000 | 7
        for shift in [39, 30, 21, 12] as [UInt64] {
            guard value & 7 != 0 else { return 0 }
            value = machine.vmcs.physical[value & ~0xFFF + (address >> shift & 511) * 8] ?? 0
        }
        return value
    }

    /// Read is 1, write 2, execute 4.
    private func permissions(_ address: UInt64) -> UInt64 { TestMachine.permissions(entry(address)) }

    /// What is in the structures that the VMCS points to.
    private var tables: [UInt64: UInt64] { machine.vmcs.physical.filter { $0.value != 0 } }

    private var isTrapped: Bool { machine.vmcs[0x4002] & 1 << 27 != 0 }

    @Test func `absent memory is a page of ones for one instruction, and gone behind it`() {
        let before = tables
        var seen: [String] = []
        let (ending, log) = run([.eptViolation, .monitorTrapFlag, .tripleFault], [(Self.absent + 8, false)]) { [self] left in
            if left == 2 {
                let value = entry(Self.absent)
                seen.append("\(isTrapped) \(TestMachine.permissions(value)) \(value & 0xF_FFFF_FFFF_F000 == Self.hostAddress)")
                seen.append(String((memory + 8).load(as: UInt64.self), radix: 16))
                machine.rip += 2
            }
            if left == 1 { seen.append("\(isTrapped) \(entry(Self.absent))") }
        }
        #expect(ending == .tripleFault)
        #expect(seen == ["true 3 true", "ffffffffffffffff", "false 0"])
        #expect(
            log == [
                "entry", "EPT violation after 100", "all lead back", "as before", "execute", "done",
                "entry", "triple fault after 100", "end(Machine.Ending.tripleFault)", "done",
            ])
        #expect(machine.rip == UInt64(TestMachine.code) + 2 && tables == before)
        #expect(machine.cpu.absentMemoryAccesses == 1 && machine.vmcs.nestedInvalidations > 0)
    }

    @Test func `a register is read, and written behind the instruction, be it with what it held`() {
        machine.writeIOAPIC(0xFEC0_0000, 0)
        machine.writeIOAPIC(0xFEC0_0010, 0x0300_0000)
        var seen: [UInt64] = []
        let (ending, _) = run(
            [.eptViolation, .eptViolation, .monitorTrapFlag, .tripleFault], [(0xFEC0_0010, false), (0xFEC0_0010, true)],
            isStore: true
        ) { [self] left in
            guard left < 4 else { return }
            seen.append(permissions(0xFEC0_0000))
            guard left == 2 else { return }
            #expect((memory + 0x10).load(as: UInt32.self) == 0x0300_0000)
            (memory + 0x10).storeBytes(of: 0x0700_0000, as: UInt32.self)
        }
        #expect(ending == .tripleFault)
        #expect(seen == [1, 3, 0])
        #expect(machine.board.pointee.readMemory(0xFEC0_0010) == 0x0700_0000)
    }

    @Test func `an exit before the end leaves the instruction to begin anew`() {
        var seen: [String] = []
        let (ending, _) = run(
            [.eptViolation, .preemptionTimerExpired, .eptViolation, .monitorTrapFlag, .tripleFault],
            [(Self.absent, false), (Self.absent, false)]
        ) { [self] left in
            seen.append("\(isTrapped) \(permissions(Self.absent))")
        }
        #expect(ending == .tripleFault)
        #expect(seen == ["false 0", "true 3", "false 0", "true 3", "false 0"])
    }

    @Test func `more pages than there are end the guest, and so does a processor without a monitor trap flag`() {
        let before = tables
        let many = (0...8).map { (Self.absent + UInt64($0) << 21, false) }
        #expect(run([BasicExitReason](repeating: .eptViolation, count: 9), many).ending == .unsupported(.instruction))
        #expect(!isTrapped && tables == before)
        machine.cpu.pending = .resume
        var services = RunLoopTests.Services(machine: machine, reasons: [.eptViolation])
        services.faults = [(Self.absent, false)]
        #expect(RunLoopTests.run(machine, &services) == .unsupported(.instruction))
    }

    @Test func `with a breakpoint in DR7 the processor makes every access, which it alone can match`() {
        machine.processor.debugRegister7.rawValue = 0x402
        #expect(AbsentMemoryTests.execute([0x8B, 0x03], on: machine) == .execute)
        machine.processor.debugRegister7.rawValue = 0x400
        #expect(AbsentMemoryTests.execute([0x8B, 0x03], on: machine) == .stepLength(2))
    }

    @Test func `where alignment is checked, the processor makes accesses to two operands`() {
        for bytes in [[0xA5], [0xFF, 0x33], [0x8F, 0x03]] as [[UInt8]] {
            let machine = TestMachine()
            machine.cpu.registers.rsi = Self.absent + 1
            machine.cpu.registers.rdi = 0x2_0000
            machine.processor.stackPointer = 0x2_0000
            machine.processor.cr0 = machine.processor.cr0 | .alignmentMask
            machine.rflags |= 1 << 18
            #expect(AbsentMemoryTests.execute(bytes, on: machine) != .execute)
            machine.enterUserMode()
            machine.rip = UInt64(TestMachine.code)
            #expect(AbsentMemoryTests.execute(bytes, on: machine) == .execute)
        }
    }
}

import Memory
import Support
import Testing
import Virtualization

@testable import Devices
@testable import Machine

/// Memory that a PCI function claims, as instructions reach it.
@Suite struct DeviceMemoryTests {
    /// A machine with a card of which a base address claims memory, for an I/O APIC.
    private static func machine(at address: UInt32) -> TestMachine {
        let machine = TestMachine()
        let registers: [2 of PCIRegister] = [PCIRegister(0x00, 0x5678_1234), PCIRegister(0x01, 0)]
        machine.board.pointee.pci.place(
            PCIFunction(registers.span, bases: [.memory(0x1000, .ioAPIC), .none, .none, .none, .none, .none]),
            at: PCIAddress(device: 5))
        for (register, value) in [(0x10, address), (0x04, 2)] as [(UInt32, UInt32)] { set(machine, register, value) }
        return machine
    }

    private static func set(_ machine: TestMachine, _ register: UInt32, _ value: UInt32) {
        machine.board.pointee.write(0xCF8, size: 4, 0x8000_2800 | register, at: machine.cpu.clock.now)
        machine.board.pointee.write(0xCFC, size: 4, value, at: machine.cpu.clock.now)
    }

    @Test func `loads reach the device where software placed it, and memory that is not there when it is gone`() {
        let machine = Self.machine(at: 0xE000_0000)
        for address in [0xE000_0010, 0xFEC0_0010] as [UInt64] {
            machine.cpu.registers.rbx = address
            #expect(AbsentMemoryTests.execute([0x8B, 0x03], on: machine, at: address) == .stepLength(2))
            #expect(machine.cpu.registers.rax & 0xFFFF_FFFF == 0x0100_0000)
        }
        #expect(machine.cpu.absentMemoryAccesses == 0)
        Self.set(machine, 0x04, 0)
        machine.cpu.registers.rbx = 0xE000_0010
        #expect(AbsentMemoryTests.execute([0x8B, 0x03], on: machine, at: 0xE000_0010) == .stepLength(2))
        #expect(machine.cpu.registers.rax & 0xFFFF_FFFF == 0xFFFF_FFFF)
        #expect(machine.cpu.absentMemoryAccesses == 1)
    }

    @Test func `stores reach it too`() {
        let machine = Self.machine(at: 0xE000_0000)
        machine.cpu.registers.rax = 0x0500_0000
        machine.cpu.registers.rbx = 0xE000_0010
        #expect(AbsentMemoryTests.execute([0x89, 0x03], on: machine, at: 0xE000_0010, isWrite: true) == .stepLength(2))
        #expect(machine.board.pointee.readMemory(0xFEC0_0010) == 0x0500_0000)
        #expect(machine.cpu.absentMemoryAccesses == 0)
    }

    @Test func `RAM and the local APIC answer before what a function claims`() {
        let machine = Self.machine(at: 0x2_0000)
        machine.ram.put64(0x1122_3344_5566_7788, at: 0x2_0010)
        #expect(machine.cpu.readPhysical(GuestPhysicalAddress(0x2_0010), size: 8) == 0x1122_3344_5566_7788)
        machine.cpu.writePhysical(GuestPhysicalAddress(0x2_0010), size: 4, 0)
        #expect(machine.ram.word64(0x2_0010) == 0x1122_3344_0000_0000)
        let version = machine.cpu.readPhysical(GuestPhysicalAddress(0xFEE0_0030), size: 4)
        Self.set(machine, 0x10, 0xFEE0_0000)
        #expect(machine.cpu.readPhysical(GuestPhysicalAddress(0xFEE0_0030), size: 4) == version && version != 0)
    }
}

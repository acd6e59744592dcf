import Memory
import Support
import Testing
import Virtualization
import X86

@testable import Machine
@testable import VMX

/// A guest in real mode, or in protected mode without paging, on a processor that has neither EPT nor unrestricted guest.
@Suite struct RealModeTests {
    static func machine(_ mode: TestMachine.Mode = .real) -> TestMachine {
        let machine = TestMachine(mode, set: .penryn)
        machine.cpu.followPaging()
        machine.cpu.processor.stackPointer = 0x8000
        machine.cpu.processor.setInterruptDescriptorTable(base: 0, limit: 0x3FF)
        return machine
    }

    /// The processor refuses an instruction of real mode, at the beginning of the code segment.
    static func refuse(_ machine: TestMachine, _ bytes: [UInt8]) -> Outcome {
        machine.ram.put(bytes, at: TestMachine.code)
        return machine.exit(.exceptionOrNMI, information: 1 << 31 | 1 << 11 | 3 << 8 | 13, errorCode: 0)
    }

    /// The three words that an event has pushed: IP, CS, FLAGS.
    static func frame(_ machine: TestMachine) -> [UInt64] {
        let memory = machine.cpu.memory
        let place = machine.cpu.processor.segment(.ss).base + machine.cpu.processor.stackPointer
        return (0..<3).map { memory.read(count: 2, at: GuestPhysicalAddress(place + 2 * $0))! }
    }

    @Test(arguments: TestMachine.Mode.allCases) func `a VM entry takes any mode`(mode: TestMachine.Mode) {
        let machine = Self.machine(mode)
        #expect(machine.entryViolations == [])
        #expect(machine.vmcs[0x6800] & 0x8001_0021 == 0x8001_0021)
        #expect(machine.cpu.processor.cr0.contains(.protectionEnable) == (mode != .real))
        #expect(
            machine.cpu.processor.cr0.contains(.paging) == ![TestMachine.Mode.real, .protected16, .protected32].contains(mode))
        #expect(!machine.cpu.processor.cr0.contains(.writeProtect))
    }

    @Test func `real mode is virtual-8086 mode to the processor, and real mode to the guest`() {
        let machine = Self.machine()
        let processor = machine.cpu.processor
        #expect(machine.rflags & 0x2_3000 == 0x2_0000 && processor.flags == .alwaysSet)
        #expect(processor.mode == .real && processor.privilegeLevel == 0 && processor.emulatesRealMode)
        #expect(machine.vmcs[0x4816] == 0xF3 && machine.vmcs[0x802] == 0x1000 && machine.vmcs[0x6808] == UInt64(TestMachine.code))
        #expect(processor.segment(.cs).attributes == .realModeCode)
        processor.flags = .init(rawValue: 0x7202)
        #expect(processor.flags.rawValue == 0x7202 && machine.rflags == 0x2_4202)
        #expect(machine.vmcs[0x4004] == 0xFFFF_FFFB)
    }

    @Test func `CR0-PE brings protected mode with the segments that were, until others are loaded`() {
        let machine = Self.machine()
        machine.cpu.registers.rax = 0x11
        #expect(Self.refuse(machine, [0x0F, 0x22, 0xC0]) == .stepLength(3))
        let processor = machine.cpu.processor
        #expect(!processor.emulatesRealMode && processor.mode == .protected16 && machine.rip == 3)
        #expect(
            machine.entryViolations == [] && machine.rflags & 0x2_0000 == 0
                && machine.vmcs[0x4004] == 1 << 1 | 1 << 14 | 1 << 17 | 1 << 18)
        #expect(processor.segment(.cs).base == UInt64(TestMachine.code))
        // A data segment with a low selector.
        processor.setSegment(.ds, .init(selector: 0x13, base: 0x130, limit: 0xFFFF, attributes: .realModeData))
        machine.cpu.registers.rax = 0x10
        #expect(machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step)
        #expect(processor.emulatesRealMode && machine.entryViolations == [] && processor.segment(.ds).base == 0x130)
        machine.cpu.registers.rax = 0x11
        machine.rip = 0
        #expect(Self.refuse(machine, [0x0F, 0x01, 0xF0]) == .stepLength(3))
        #expect(!processor.emulatesRealMode && machine.entryViolations == [])
    }

    @Test func `flags are pushed, popped and changed as in real mode`() {
        let machine = Self.machine()
        let processor = machine.cpu.processor
        #expect(Self.refuse(machine, [0xFB]) == .resume)
        #expect(processor.flags.contains(.interruptEnable) && machine.rip == 1 && machine.vmcs[0x4824] & 1 == 1)
        machine.rip = 0
        #expect(Self.refuse(machine, [0x9C]) == .stepLength(1))
        #expect(processor.stackPointer == 0x7FFE && machine.cpu.memory.read(count: 2, at: GuestPhysicalAddress(0x7FFE)) == 0x202)
        #expect(machine.vmcs[0x4824] & 1 == 0)
        machine.rip = 0
        #expect(Self.refuse(machine, [0xFA]) == .stepLength(1) && processor.flags == .alwaysSet)
        machine.rip = 0
        machine.cpu.memory.write(0x3202, count: 2, at: GuestPhysicalAddress(0x7FFE))
        #expect(Self.refuse(machine, [0x9D]) == .resume)
        #expect(processor.flags.rawValue == 0x3202 && machine.rflags == 0x2_0202 && processor.stackPointer == 0x8000)
        // 32 bits, by the prefix.
        machine.rip = 0
        machine.cpu.memory.write(0x24_0002, count: 4, at: GuestPhysicalAddress(0x8000))
        #expect(Self.refuse(machine, [0x66, 0x9D]) == .resume)
        #expect(processor.flags.rawValue == 0x24_0002 && processor.stackPointer == 0x8004 && machine.rip == 2)
    }

    @Test func `INT and IRET go by the table of real mode, and so do exceptions and interrupts`() {
        let machine = Self.machine()
        let processor = machine.cpu.processor
        machine.ram.put32(0x1234_5678, at: 4 * 0x21)
        machine.ram.put32(0x0040_0010, at: 4 * 6)
        machine.ram.put32(0x0050_0020, at: 4 * 8)
        processor.flags = .init(rawValue: 0x302)
        let outcome = Self.refuse(machine, [0xCD, 0x21])
        #expect(outcome == .inject(Event(kind: .softwareInterrupt, vector: 0x21, instructionLength: 2)))
        #expect(machine.injection == nil && machine.rip == 0x5678 && processor.segment(.cs).base == 0x12340)
        #expect(Self.frame(machine) == [2, 0x1000, 0x302] && processor.flags == .alwaysSet)
        // Back.
        machine.ram.put([0xCF], at: 0x12340 + 0x5678)
        #expect(machine.exit(.exceptionOrNMI, information: 1 << 31 | 1 << 11 | 3 << 8 | 13, errorCode: 0) == .resume)
        #expect(machine.rip == 2 && processor.segment(.cs).base == UInt64(TestMachine.code) && processor.flags.rawValue == 0x302)
        #expect(processor.stackPointer == 0x8000)
        // An invalid opcode: its address, and no error code.
        processor.flags = .alwaysSet
        #expect(machine.exit(.exceptionOrNMI, information: 1 << 31 | 3 << 8 | 6) == .inject(.invalidOpcode))
        #expect(machine.injection == nil && machine.rip == 0x10 && Self.frame(machine) == [2, 0x1000, 2])
        // An interrupt.
        processor.flags = .init(rawValue: 0x202)
        #expect(machine.complete(.inject(.interrupt(8))))
        #expect(machine.injection == nil && machine.rip == 0x20 && processor.segment(.cs).base == 0x500)
        #expect(Self.frame(machine) == [0x10, 0x40, 0x202] && processor.flags == .alwaysSet)
    }

    @Test func `an event beyond the table is a general protection, a double fault, and the end`() {
        let machine = Self.machine()
        machine.ram.put32(0x0040_0010, at: 4 * 13)
        machine.cpu.processor.setInterruptDescriptorTable(base: 0, limit: 0x37)
        _ = Self.refuse(machine, [0xCD, 0x21])
        #expect(machine.rip == 0x10 && Self.frame(machine)[0] == 0)
        machine.cpu.processor.setInterruptDescriptorTable(base: 0, limit: 0)
        #expect(!machine.complete(.inject(.interrupt(8))) && machine.cpu.pending == .end(.tripleFault))
    }

    @Test func `a stack wraps at the end of its segment`() {
        let machine = Self.machine()
        machine.cpu.processor.stackPointer = 1
        machine.cpu.processor.setSegment(.ss, .init(selector: 0x2000, base: 0x20000, limit: 0xFFFF, attributes: .realModeData))
        #expect(Self.refuse(machine, [0x9C]) == .stepLength(1))
        #expect(machine.cpu.processor.stackPointer == 0xFFFF)
        #expect(machine.cpu.memory.readUInt8(at: GuestPhysicalAddress(0x2FFFF)) == 2)
    }

    @Test func `HLT, ports, MSRs, control and debug registers`() {
        let machine = Self.machine()
        let processor = machine.cpu.processor
        #expect(Self.refuse(machine, [0xF4]) == .end(.halted(interruptsEnabled: false)) && machine.rip == 1)
        func step(_ bytes: [UInt8]) -> Outcome {
            processor.setSegment(
                .cs, .init(selector: 0x1000, base: UInt64(TestMachine.code), limit: 0xFFFF, attributes: .realModeCode))
            machine.rip = 0
            return Self.refuse(machine, bytes)
        }
        machine.cpu.registers.rax = 0x5A
        #expect(step([0xE6, 0x80]) == .stepLength(2))
        #expect(step([0xEC]) == .stepLength(1))  // IN AL, DX: port 0 is absent
        #expect(machine.cpu.registers.rax == 0xFF)
        machine.cpu.registers.rdi = 0x9000
        machine.cpu.registers.rcx = 3
        machine.cpu.registers.rdx = 0x999
        #expect(step([0xF3, 0x6C]) == .stepLength(2))
        #expect(
            machine.cpu.registers.rdi == 0x9003
                && machine.cpu.memory.readUInt32(at: GuestPhysicalAddress(0x9000))! & 0xFF_FFFF == 0xFF_FFFF)
        machine.ram.put([0xFF, 0x00, 0x78, 0x56, 0x34, 0x12], at: 0x500)
        #expect(step([0x0F, 0x01, 0x16, 0x00, 0x05]) == .stepLength(5))
        #expect(processor.globalDescriptorTable == (0x34_5678, 0xFF))
        #expect(step([0x66, 0x0F, 0x01, 0x1E, 0x00, 0x05]) == .stepLength(6))
        #expect(processor.interruptDescriptorTable == (0x1234_5678, 0xFF))
        machine.cpu.registers.rax = 0x100
        machine.cpu.registers.rdx = 0
        machine.cpu.registers.rcx = 0xC000_0080
        #expect(step([0x0F, 0x30]) == .stepLength(2) && processor.extendedFeatures == .longModeEnable)
        machine.cpu.registers.rax = 0
        #expect(step([0x0F, 0x32]) == .stepLength(2) && machine.cpu.registers.rax == 0x100)
        machine.cpu.registers.rcx = 0x12345
        #expect(step([0x0F, 0x32]) == .generalProtection)
        machine.cpu.registers.rbx = 0x20
        #expect(step([0x0F, 0x22, 0xE3]) == .stepLength(3) && processor.cr4 == .physicalAddressExtension)
        #expect(step([0x0F, 0x20, 0xC1]) == .stepLength(3) && machine.cpu.registers.rcx == 0x10)
        #expect(step([0x0F, 0x23, 0xDB]) == .stepLength(3) && machine.host.readDebugAddress(3) == 0x20)
        #expect(step([0x0F, 0x22, 0xCB]) == .invalidOpcode)
    }

    @Test func `a segment that protected mode has made long is`() {
        let machine = Self.machine()
        machine.cpu.processor.setSegment(.ds, .init(selector: 0, base: 0, limit: 0xFFFF_FFFF, attributes: .data32))
        machine.cpu.registers.rbx = 0x12_3456
        machine.ram.put32(0xCAFE_F00D, at: 0x12_3456)
        #expect(Self.refuse(machine, [0x67, 0x66, 0x8B, 0x03]) == .stepLength(4) && machine.cpu.registers.rax == 0xCAFE_F00D)
        machine.rip = 0
        // Not so the others.
        #expect(Self.refuse(machine, [0x26, 0x67, 0x66, 0x8B, 0x03]) == .generalProtection)
    }

    @Test func `IA32_EFER and IA32_PAT are kept, and loaded as the processor takes them`() {
        let machine = Self.machine(.protected32)
        machine.cpu.registers.rcx = 0xC000_0080
        machine.cpu.registers.rax = 0x901
        #expect(machine.exit(.wrmsr, length: 2) == .step)
        // LME without LMA would not go with CR0.PG.
        #expect(machine.vmcs.physical[0x8008] == 0x801)
        machine.cpu.registers.rax = 0
        #expect(machine.exit(.rdmsr, length: 2) == .step && machine.cpu.registers.rax == 0x901)
        machine.cpu.registers.rcx = 0x277
        machine.cpu.registers.rax = 0x0601_0406
        machine.cpu.registers.rdx = 0
        #expect(machine.exit(.wrmsr, length: 2) == .step && machine.vmcs.physical[0x8018] == 0x0601_0406)
        #expect(machine.exit(.rdmsr, length: 2) == .step && machine.cpu.registers.rax == 0x0601_0406)
        machine.cpu.registers.rax = 2
        #expect(machine.exit(.wrmsr, length: 2) == .generalProtection)
    }
}

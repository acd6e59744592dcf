import Text
import Support
import Testing
import X86

@testable import Machine

@Suite struct GuestStartTests {
    @Test func `a flat guest starts as firmware enters a boot sector`() {
        let machine = TestMachine()
        machine.cpu.registers.rsi = 5
        machine.cpu.start(.realMode)
        #expect(machine.processor.mode == .real)
        #expect(machine.rip == 0x7C00 && machine.rflags == 2 && machine.vmcs[0x681C] == 0x7C00)
        let code = machine.processor.segment(.cs)
        #expect(code.selector.rawValue == 0 && code.base == 0 && code.limit == 0xFFFF)
        #expect(machine.cpu.registers.rdx == 0x80 && machine.cpu.registers.rsi == 0)
        #expect(machine.processor.cr0.rawValue == 0x10)
        #expect(machine.vmcs[0x4816] == 0x9B && machine.vmcs[0x481A] == 0x93 && machine.vmcs[0x4822] == 0x8B)
        #expect(machine.vmcs[0x2806] == 0 && machine.vmcs[0x4012] & 1 << 9 == 0)
    }

    @Test func `a multiboot guest starts in flat protected mode with the magic and its information`() {
        let machine = TestMachine()
        machine.cpu.start(.multiboot(entry: 0x10_0010, information: 0x90000))
        #expect(machine.processor.mode == .protected32)
        #expect(machine.rip == 0x10_0010 && machine.rflags == 2)
        #expect(machine.cpu.registers.rax == 0x2BAD_B002 && machine.cpu.registers.rbx == 0x90000)
        for register in [SegmentRegister.cs, .ds, .es, .ss, .fs, .gs] {
            #expect(machine.processor.segment(register).base == 0 && machine.processor.segment(register).limit == 0xFFFF_FFFF)
        }
        #expect(machine.processor.cr0.rawValue == 0x11 && machine.processor.cr4.rawValue == 0)
    }

    @Test func `a 64-bit Linux kernel starts in long mode, paging on, with the address of its parameters`() {
        let machine = TestMachine()
        machine.cpu.start(.linux64(entry: 0x100_0200, bootParameters: 0x90000))
        #expect(machine.processor.mode == .long64)
        #expect(machine.rip == 0x100_0200 && machine.rflags == 2 && machine.cpu.registers.rsi == 0x90000)
        #expect(machine.processor.cr0.rawValue == 0x8000_0011 && machine.processor.cr4.rawValue == 1 << 5)
        #expect(machine.processor.cr3 == 0x92000)
        #expect(machine.processor.extendedFeatures == .longModeEnable | .longModeActive)
        Self.expectLinuxSegments(machine, code: .code64)
    }

    @Test func `a 32-bit Linux kernel starts in flat protected mode with the address of its parameters`() {
        let machine = TestMachine()
        machine.cpu.registers.rbx = 1
        machine.cpu.start(.linux32(entry: 0x10_0000, bootParameters: 0x90000))
        #expect(machine.processor.mode == .protected32)
        #expect(machine.rip == 0x10_0000 && machine.rflags == 2 && machine.cpu.registers.rsi == 0x90000)
        #expect(machine.cpu.registers.rbx == 0 && machine.cpu.registers.rbp == 0 && machine.cpu.registers.rdi == 0)
        #expect(machine.processor.cr0.rawValue == 0x11)
        Self.expectLinuxSegments(machine, code: .code32)
    }

    private static func expectLinuxSegments(_ machine: TestMachine, code: SegmentAttributes) {
        let segment = machine.processor.segment(.cs)
        #expect(segment.selector.rawValue == 0x10 && segment.attributes == code && segment.limit == 0xFFFF_FFFF)
        for register in [SegmentRegister.ds, .es, .ss] {
            #expect(machine.processor.segment(register).selector.rawValue == 0x18)
        }
        #expect(machine.vmcs[0x6816] == 0x91000 && machine.vmcs[0x4810] == 31)
    }

    @Test func `a kernel that needs its setup code starts there, in real mode`() {
        let machine = TestMachine()
        machine.cpu.start(.realModeSetup(segment: 0x9000, stackPointer: 0xE000))
        #expect(machine.processor.mode == .real)
        let code = machine.processor.segment(.cs)
        #expect(code.selector.rawValue == 0x9020 && code.base == 0x90200 && machine.rip == 0)
        #expect(machine.vmcs[0x681C] == 0xE000 && machine.rflags == 2)
        for register in [SegmentRegister.ds, .es, .ss, .fs, .gs] {
            #expect(machine.processor.segment(register).selector.rawValue == 0x9000)
            #expect(machine.processor.segment(register).base == 0x90000)
        }
    }

    @Test(arguments: [GuestStart.realMode, .multiboot(entry: 0x10_0010, information: 0x90000)])
    func `every guest finds the timer ticking into interrupt 8, and it ends HLT`(start: GuestStart) {
        let machine = TestMachine()
        machine.cpu.start(start)
        let board = machine.cpu.board
        #expect(board.pointee.readByte(0x21, at: machine.cpu.clock.now) == 0xFA)
        #expect(board.pointee.readByte(0xA1, at: machine.cpu.clock.now) == 0xFF)
        #expect(board.pointee.awaitsDevice)
        machine.cpu.processor.flags = .alwaysSet | .interruptEnable
        #expect(machine.cpu.halt() == .wait)
        while !machine.cpu.sleep() {}
        #expect(machine.vmcs[0x4016] == 0x8000_0008)
    }

    @Test(arguments: [CapabilitySet.skylakeX, .nestedKVM, .arrandale])
    func `the first VM entry of every kind of start breaks no rule`(set: CapabilitySet) {
        for start in [
            GuestStart.realMode, .multiboot(entry: 0x10_0010, information: 0x90000),
            .linux64(entry: 0x100_0200, bootParameters: 0x90000), .linux32(entry: 0x10_0000, bootParameters: 0x90000),
            .realModeSetup(segment: 0x9000, stackPointer: 0xE000),
        ] {
            let machine = TestMachine(set: set)
            machine.cpu.start(start)
            #expect(machine.entryViolations == [])
        }
    }

    @Test(arguments: TestMachine.Mode.allCases)
    func `tests run the guest in states that a processor can enter`(mode: TestMachine.Mode) {
        #expect(TestMachine(mode).entryViolations == [])
    }

    @Test func `code addresses show as the mode writes them`() {
        let cases: [(CodeAddress, String)] = [
            (.init(selector: 0x7C0, pointer: 5, mode: .real), "07c0:0005"),
            (.init(selector: 8, pointer: 0x10_1000, mode: .protected32), "0008:00101000"),
            (.init(selector: 8, pointer: 0x10_1000, mode: .long64), "0008:00101000"),
            (.init(selector: 0x10, pointer: 0xFFFF_FFFF_8100_0000, mode: .long64), "0010:ffffffff81000000"),
            (.init(selector: 0x33, pointer: 0x7F12_3456_7890, mode: .long64), "0033:00007f1234567890"),
        ]
        for (address, expected) in cases { #expect(Text.words(address) == expected) }
        let machine = TestMachine()
        #expect(machine.cpu.codeAddress == CodeAddress(selector: 8, pointer: 0x10000, mode: .long64))
    }
}

import Support
import Testing
import Virtualization
import X86

@testable import Machine

/// Instructions on memory that is not there: their bytes lie in guest memory, behind the guest's page tables.
@Suite struct AbsentMemoryTests {
    /// The first absent address.
    static let absent = UInt64(TestMachine.ramSize)

    /// Puts an instruction at RIP and makes it violate the EPT at a guest-physical address.
    static func execute(
        _ bytes: [UInt8], on machine: TestMachine, at physical: UInt64 = absent + 0x100, isWrite: Bool = false,
        flags: UInt64 = 0x180, vectoring: UInt32 = 0
    ) -> Outcome {
        let base = machine.processor.segment(.cs).base
        // The guest's start leaves an address there that no test means.
        if machine.cpu.registers.rbx == 0x90000 { machine.cpu.registers.rbx = physical }
        machine.ram.put(bytes + [UInt8](repeating: 0x90, count: 15), at: Int(base + machine.rip))
        return machine.exit(
            .eptViolation, qualification: flags | (isWrite ? 2 : 1), physical: physical, linear: physical, vectoring: vectoring)
    }

    // MARK: Whole accesses to absent memory

    /// MOV EAX, [address] in each mode, by an absolute address or through EBX.
    @Test func `a load reads ones in every mode, and steps by the length of its bytes`() {
        let cases: [(TestMachine.Mode, [UInt8], UInt64)] = [
            (.real, [0x66, 0x67, 0x8B, 0x03], 0xFFFF_FFFF), (.protected16, [0x67, 0x8B, 0x03], 0x1234_FFFF),
            (.compatibility16, [0x67, 0x66, 0x8B, 0x03], 0xFFFF_FFFF), (.protected32, [0x8B, 0x03], 0xFFFF_FFFF),
            (.paged32, [0xA1, 0x00, 0x01, 0x40, 0x00], 0xFFFF_FFFF), (.pae, [0x8B, 0x83, 0, 0, 0, 0], 0xFFFF_FFFF),
            (.compatibility32, [0x66, 0x8B, 0x03], 0x1234_FFFF), (.long64, [0x48, 0x8B, 0x03], .max),
            (.long64, [0x8B, 0x03], 0xFFFF_FFFF), (.long64, [0x8A, 0x03], 0xABCD_0000_1234_56FF),
            (.long64, [0x8A, 0x23], 0xABCD_0000_1234_FF78),
        ]
        for (mode, bytes, expected) in cases {
            let machine = TestMachine(mode)
            machine.cpu.registers.rax = mode == .long64 ? 0xABCD_0000_1234_5678 : 0x1234_5678
            machine.cpu.registers.rbx = Self.absent + 0x100
            let before = machine.rip
            #expect(Self.execute(bytes, on: machine) == .stepLength(UInt8(bytes.count)))
            #expect(machine.cpu.registers.rax == expected, "\(mode) \(bytes)")
            #expect(machine.rip == before + UInt64(bytes.count))
            #expect(machine.cpu.absentMemoryAccesses == 1)
        }
    }

    @Test func `a store is swallowed and counted`() {
        let machine = TestMachine()
        machine.cpu.registers.rax = 0x1234
        #expect(Self.execute([0x89, 0x03], on: machine, isWrite: true) == .stepLength(2))
        #expect(Self.execute([0xC6, 0x03, 0x55], on: machine, isWrite: true) == .stepLength(3))
        #expect(machine.cpu.absentMemoryAccesses == 2)
        #expect(machine.cpu.registers.rax == 0x1234)
    }

    @Test func `sign and zero extension of ones`() {
        let cases: [([UInt8], UInt64)] = [
            ([0x0F, 0xB6, 0x03], 0xFF), ([0x0F, 0xB7, 0x03], 0xFFFF), ([0x0F, 0xBE, 0x03], 0xFFFF_FFFF),
            ([0x48, 0x0F, 0xBE, 0x03], .max), ([0x66, 0x0F, 0xBE, 0x03], 0x1111_1111_1111_FFFF), ([0x48, 0x63, 0x03], .max),
            ([0x48, 0x0F, 0xB7, 0x03], 0xFFFF),
        ]
        for (bytes, expected) in cases {
            let machine = TestMachine()
            machine.cpu.registers.rax = 0x1111_1111_1111_1111
            #expect(Self.execute(bytes, on: machine) == .stepLength(UInt8(bytes.count)))
            #expect(machine.cpu.registers.rax == expected, "\(bytes)")
        }
    }

    @Test func `loads into RSP and the upper registers reach them`() {
        let machine = TestMachine()
        machine.vmcs[0x681C] = 5
        _ = Self.execute([0x48, 0x8B, 0x23], on: machine)
        #expect(machine.vmcs[0x681C] == .max)
        _ = Self.execute([0x4C, 0x8B, 0x3B], on: machine)
        #expect(machine.cpu.registers.r15 == .max)
    }

    @Test func `arithmetic with ones sets flags and results`() {
        let machine = TestMachine()
        machine.cpu.registers.rax = 1
        _ = Self.execute([0x03, 0x03], on: machine)  // ADD EAX, [RBX]
        #expect(machine.cpu.registers.rax == 0)
        #expect(machine.rflags & 0x8D5 == 0x55)  // CF, PF, AF and ZF
        machine.cpu.registers.rcx = 0xFFFF_FFFF
        _ = Self.execute([0x39, 0x0B], on: machine)  // CMP [RBX], ECX
        #expect(machine.rflags & 0x8D5 == 0x44)
        #expect(machine.cpu.registers.rcx == 0xFFFF_FFFF)
        _ = Self.execute([0xF6, 0x03, 0x80], on: machine)  // TEST BYTE [RBX], 80H
        #expect(machine.rflags & 0x8D5 == 0x80)
        _ = Self.execute([0x83, 0x23, 0x00], on: machine, isWrite: true)  // AND DWORD [RBX], 0
        #expect(machine.rflags & 0x8D5 == 0x44)
        machine.cpu.registers.rdx = 3
        _ = Self.execute([0x48, 0x87, 0x13], on: machine, isWrite: true)  // XCHG [RBX], RDX
        #expect(machine.cpu.registers.rdx == .max)
    }

    // MARK: Accesses of which a part is RAM

    @Test func `a load over the end of RAM reads RAM's part and ones`() {
        // The processor reports the page that is absent, which begins at the boundary; or the operand itself.
        for physical in [Self.absent, Self.absent - 2] {
            let machine = TestMachine()
            machine.ram.put([0x34, 0x12], at: TestMachine.ramSize - 2)
            machine.cpu.registers.rbx = Self.absent - 2
            #expect(Self.execute([0x8B, 0x03], on: machine, at: physical) == .stepLength(2))
            #expect(machine.cpu.registers.rax == 0xFFFF_1234)
        }
    }

    @Test func `a store over the end of RAM writes RAM's part`() {
        for physical in [Self.absent, Self.absent - 2] {
            let machine = TestMachine()
            machine.cpu.registers.rbx = Self.absent - 2
            machine.cpu.registers.rax = 0x1122_3344
            #expect(Self.execute([0x89, 0x03], on: machine, at: physical, isWrite: true) == .stepLength(2))
            #expect(machine.ram[TestMachine.ramSize - 2..<TestMachine.ramSize] == [0x44, 0x33])
        }
    }

    @Test func `arithmetic over the end of RAM changes RAM's part`() {
        let machine = TestMachine()
        machine.ram.put([0xFF, 0xFF], at: TestMachine.ramSize - 2)
        machine.cpu.registers.rbx = Self.absent - 2
        machine.cpu.registers.rax = 1
        #expect(Self.execute([0x01, 0x03], on: machine, at: Self.absent, isWrite: true) == .stepLength(2))
        #expect(machine.ram[TestMachine.ramSize - 2..<TestMachine.ramSize] == [0, 0])
        #expect(machine.rflags & 0x41 == 0x41)
    }

    @Test func `an access from absent memory into RAM that is mapped behind it`() {
        let machine = TestMachine()
        machine.map(0x20000, entry: Self.absent | 7)  // linear 20000H is absent, 21000H is RAM
        machine.ram.put([0x77, 0x66], at: 0x21000)
        machine.cpu.registers.rbx = 0x20FFE
        #expect(Self.execute([0x8B, 0x03], on: machine, at: Self.absent + 0xFFE) == .stepLength(2))
        #expect(machine.cpu.registers.rax == 0x6677_FFFF)
    }

    @Test func `a page fault on the second page is the guest's, and nothing is written`() {
        let machine = TestMachine()
        machine.map(0x20000, entry: Self.absent | 7)
        machine.map(0x21000, entry: 0)
        machine.cpu.registers.rbx = 0x20FFE
        #expect(
            Self.execute([0x89, 0x03], on: machine, at: Self.absent + 0xFFE, isWrite: true)
                == .inject(.exception(.pageFault, errorCode: 2)))
        #expect(machine.host.pageFaultAddress == 0x21000)
        #expect(machine.rip == 0x10000)
    }

    @Test func `the first register of an absent page reads ones like any other`() {
        let machine = TestMachine()
        machine.cpu.registers.rbx = Self.absent
        #expect(Self.execute([0x8B, 0x03], on: machine, at: Self.absent) == .stepLength(2))
        #expect(machine.cpu.registers.rax == 0xFFFF_FFFF)
    }

    // MARK: Addressing

    @Test func `operands at the page's end are found by every addressing form`() {
        // Each instruction loads EAX from linear 3FFFFEH, of which two bytes are RAM.
        let target = Self.absent - 2
        let forms: [(TestMachine.Mode, [UInt8], (TestMachine) -> Void)] = [
            (.long64, [0x8B, 0x43, 0x7F], { $0.cpu.registers.rbx = target - 0x7F }),
            (.long64, [0x8B, 0x43, 0x80], { $0.cpu.registers.rbx = target + 0x80 }),
            (
                .long64, [0x41, 0x8B, 0x44, 0x8C, 0x04],
                {
                    $0.cpu.registers.r12 = target - 4 - 4 * 9; $0.cpu.registers.rcx = 9
                }
            ),
            (
                .long64, [0x42, 0x8B, 0x04, 0xE5, 0xFE, 0xFF, 0x1F, 0x00],
                {
                    $0.cpu.registers.r12 = 0x4_0000; $0.vmcs[0x681C] = 1
                }
            ),
            (.long64, [0x8B, 0x04, 0x24], { $0.vmcs[0x681C] = target }),
            (.long64, [0x8B, 0x05, 0xF8, 0xFF, 0x3E, 0x00], { _ in }),
            (
                .long64, [0x64, 0x8B, 0x03],
                {
                    $0.cpu.registers.rbx = target - 0x1000; $0.vmcs[0x680E] = 0x1000
                }
            ),
            (
                .long64, [0x3E, 0x8B, 0x03],
                {
                    $0.cpu.registers.rbx = target; $0.vmcs[0x680C] = 0x1000
                }
            ),
            (
                .long64, [0x64, 0x3E, 0x8B, 0x03],
                {
                    $0.cpu.registers.rbx = target - 0x1000; $0.vmcs[0x680E] = 0x1000
                }
            ),
            (.long64, [0x67, 0x8B, 0x03], { $0.cpu.registers.rbx = target | 0xFFFF_FFFF_0000_0000 }),
            (
                .protected32, [0x8B, 0x03],
                {
                    $0.cpu.registers.rbx = target - 0x5000; $0.vmcs[0x680C] = 0x5000
                }
            ),
            (
                .protected32, [0x8B, 0x45, 0x00],
                {
                    $0.cpu.registers.rbp = target - 0x5000; $0.vmcs[0x680A] = 0x5000
                }
            ),
            (
                .protected32, [0x26, 0x8B, 0x45, 0x00],
                {
                    $0.cpu.registers.rbp = target - 0x5000; $0.vmcs[0x6806] = 0x5000
                }
            ),
            (
                .protected32, [0x67, 0x8B, 0x02],
                {
                    $0.cpu.registers.rbp = 0xF000; $0.cpu.registers.rsi = 0x1FFE; $0.vmcs[0x680A] = target - 0x0FFE
                }
            ),
            (.paged32, [0x8B, 0x05, 0xFE, 0xFF, 0x3F, 0x00], { _ in }),
            (.pae, [0xA1, 0xFE, 0xFF, 0x3F, 0x00], { _ in }),
            (
                .real, [0x66, 0x8B, 0x07],
                {
                    $0.cpu.registers.rbx = 0xFFFE; $0.vmcs[0x680C] = target - 0xFFFE
                }
            ),
        ]
        for (mode, bytes, prepare) in forms {
            let machine = TestMachine(mode)
            machine.ram.put([0x34, 0x12], at: TestMachine.ramSize - 2)
            prepare(machine)
            #expect(Self.execute(bytes, on: machine, at: Self.absent) == .stepLength(UInt8(bytes.count)))
            #expect(machine.cpu.registers.rax == 0xFFFF_1234, "\(mode) \(bytes)")
        }
    }

    // MARK: String instructions

    @Test func `REP STOSD over the end of RAM fills RAM's part`() {
        let machine = TestMachine()
        machine.cpu.registers.rax = 0xA5A5_A5A5
        machine.cpu.registers.rdi = Self.absent - 2
        machine.cpu.registers.rcx = 2
        #expect(Self.execute([0xF3, 0xAB], on: machine, at: Self.absent, isWrite: true) == .stepLength(2))
        #expect(machine.rip == 0x10002 && machine.cpu.registers.rcx == 0 && machine.cpu.registers.rdi == Self.absent + 6)
        #expect(machine.ram[TestMachine.ramSize - 2..<TestMachine.ramSize] == [0xA5, 0xA5])
    }

    @Test func `a repetition does one page's worth an exit, and the guest is resumed at the same instruction`() {
        for (bytes, size) in [([0xF3, 0xAA], 1), ([0xF3, 0x48, 0xAB], 8)] as [([UInt8], UInt64)] {
            let machine = TestMachine()
            machine.cpu.registers.rdi = Self.absent
            machine.cpu.registers.rcx = .max
            machine.vmcs[0x4824] = 1  // blocking by STI ends with the first iteration
            #expect(Self.execute(bytes, on: machine, at: Self.absent, isWrite: true) == .iterate)
            #expect(machine.rip == 0x10000 && machine.cpu.registers.rdi == Self.absent + 0x1000)
            #expect(machine.cpu.registers.rcx == .max - 4096 / size)
            #expect(machine.vmcs[0x4824] == 0 && machine.vmcs[0x6822] == 0)
        }
    }

    @Test func `what became due while a repetition was done comes before it goes on`() {
        let machine = TestMachine()
        var parameters = TestMachine.parameters
        parameters.limit = 1_000_000
        machine.board.pointee.restart(parameters)
        machine.cpu.arm(at: machine.cpu.clock.now)
        machine.host.time += 1_000_000
        machine.cpu.registers.rdi = Self.absent
        machine.cpu.registers.rcx = .max
        #expect(Self.execute([0xF3, 0xAA], on: machine, at: Self.absent, isWrite: true) == .iterate)
        #expect(machine.cpu.pending == .end(.overdue))
    }

    @Test func `a single-stepping guest gets its trap after each iteration`() {
        let machine = TestMachine()
        machine.rflags |= 1 << 8
        machine.cpu.registers.rdi = Self.absent
        machine.cpu.registers.rcx = 2
        #expect(Self.execute([0xF3, 0xAA], on: machine, at: Self.absent, isWrite: true) == .iterate)
        #expect(machine.cpu.registers.rcx == 1 && machine.rip == 0x10000 && machine.vmcs[0x6822] == 1 << 14)
        #expect(Self.execute([0xF3, 0xAA], on: machine, at: Self.absent + 1, isWrite: true) == .stepLength(2))
        #expect(machine.cpu.registers.rcx == 0 && machine.rip == 0x10002 && machine.vmcs[0x6822] == 1 << 14)
    }

    @Test func `a fault in a repetition leaves the registers at its element, and the flags`() {
        let machine = TestMachine()
        machine.map(0x21000, entry: 0)
        machine.ram.put([0xFF, 0xFF], at: 0x20FFE)
        machine.cpu.registers.rsi = Self.absent
        machine.cpu.registers.rdi = 0x20FFE
        machine.cpu.registers.rcx = 5
        let flags = machine.rflags
        #expect(Self.execute([0xF3, 0xA6], on: machine, at: Self.absent) == .inject(.exception(.pageFault, errorCode: 0)))
        #expect(machine.host.pageFaultAddress == 0x21000)
        #expect(
            machine.cpu.registers.rcx == 3 && machine.cpu.registers.rsi == Self.absent + 2 && machine.cpu.registers.rdi == 0x21000
        )
        #expect(machine.rflags & 0x8D5 == flags & 0x8D5 && machine.rip == 0x10000)
    }

    @Test func `SCAS and CMPS end where they find what their prefix looks for`() {
        let machine = TestMachine()
        machine.ram.put([0xFF, 0xFF, 7, 0xFF], at: 0x20000)
        machine.cpu.registers.rsi = Self.absent
        machine.cpu.registers.rdi = 0x20000
        machine.cpu.registers.rcx = 10
        #expect(Self.execute([0xF3, 0xA6], on: machine, at: Self.absent) == .stepLength(2))  // REPE CMPSB: FFH and 7 differ
        #expect(machine.cpu.registers.rcx == 7 && machine.cpu.registers.rdi == 0x20003 && machine.rflags & 0x41 == 0)
        machine.rip = 0x10000
        machine.cpu.registers.rax = 0xFF
        machine.cpu.registers.rdi = Self.absent
        #expect(Self.execute([0xF2, 0xAE], on: machine, at: Self.absent) == .stepLength(2))  // REPNE SCASB
        #expect(machine.cpu.registers.rcx == 6 && machine.cpu.registers.rdi == Self.absent + 1 && machine.rflags & 0x40 != 0)
    }

    @Test func `MOVS copies ones from absent memory and RAM into it, in both directions`() {
        let machine = TestMachine()
        machine.cpu.registers.rsi = Self.absent + 0x10
        machine.cpu.registers.rdi = 0x20000
        #expect(Self.execute([0x48, 0xA5], on: machine, at: Self.absent + 0x10) == .stepLength(2))
        #expect(machine.ram.word64(0x20000) == .max)
        #expect(machine.cpu.registers.rsi == Self.absent + 0x18 && machine.cpu.registers.rdi == 0x20008)
        machine.rflags |= 1 << 10
        machine.cpu.registers.rsi = 0x20000
        machine.cpu.registers.rdi = Self.absent + 0x10
        #expect(Self.execute([0xA4], on: machine, at: Self.absent + 0x10, isWrite: true) == .stepLength(1))
        #expect(machine.cpu.registers.rsi == 0x1FFFF && machine.cpu.registers.rdi == Self.absent + 0xF)
    }

    @Test func `LODS loads ones into its part of RAX`() {
        let machine = TestMachine()
        machine.cpu.registers.rsi = Self.absent
        machine.cpu.registers.rax = 0x1122_3344_5566_7788
        #expect(Self.execute([0x66, 0xAD], on: machine, at: Self.absent) == .stepLength(2))
        #expect(machine.cpu.registers.rax == 0x1122_3344_5566_FFFF)
        #expect(machine.cpu.registers.rsi == Self.absent + 2)
    }

    // MARK: What is not emulated here

    @Test func `an unknown instruction is the processor's, and never skipped`() {
        let machine = TestMachine()
        #expect(Self.execute([0xD9, 0x03], on: machine) == .execute)  // FLD
        #expect(machine.rip == 0x10000)
    }

    @Test func `LOCK before what does not take it is an invalid opcode`() {
        #expect(Self.execute([0xF0, 0x8B, 0x03], on: TestMachine()) == .invalidOpcode)
        #expect(Self.execute([0xF0, 0xFF, 0x03], on: TestMachine(), isWrite: true) == .stepLength(3))
    }

    @Test func `code and tables in absent memory end the guest with words of their own`() {
        #expect(
            TestMachine().exit(.eptViolation, qualification: 0x184, physical: Self.absent)
                == .end(.unsupported(.fetchFromAbsentMemory)))
        #expect(
            TestMachine().exit(.eptViolation, qualification: 0x081, physical: Self.absent)
                == .end(.unsupported(.tableInAbsentMemory)))
        #expect(
            TestMachine().exit(.eptMisconfiguration, physical: Self.absent) == .end(.unsupported(.nestedPageMisconfiguration)))
    }

    @Test func `an event whose delivery meets absent memory ends the guest, whatever instruction stands at RIP`() {
        let machine = TestMachine()
        #expect(
            Self.execute([0x8B, 0x03], on: machine, isWrite: true, vectoring: 0x8000_0040)
                == .end(.unsupported(.tableInAbsentMemory)))
        #expect(machine.rip == 0x10000)
    }

    @Test func `the instruction-length field plays no part in an EPT violation`() {
        // TestMachine leaves 77 there. A redundant prefix makes the same instruction longer.
        for bytes in [[0x8B, 0x03], [0x3E, 0x8B, 0x03], [0x3E, 0x2E, 0x8B, 0x03]] as [[UInt8]] {
            let machine = TestMachine()
            _ = Self.execute(bytes, on: machine)
            #expect(machine.rip == 0x10000 + UInt64(bytes.count))
            #expect(machine.vmcs.reads[0x440C] == nil)
        }
    }

    @Test func `an instruction over a page boundary is fetched from both pages`() {
        for mode in [TestMachine.Mode.long64, .paged32] {
            let machine = TestMachine(mode)
            machine.map(0x30000, entry: 0x60007)
            machine.map(0x31000, entry: 0x50007)
            machine.ram.put([0x8B], at: 0x60FFF)
            machine.ram.put([0x03], at: 0x50000)
            machine.rip = 0x30FFF
            #expect(machine.exit(.eptViolation, qualification: 0x181, physical: Self.absent + 8, linear: 0) == .stepLength(2))
            #expect(machine.cpu.registers.rax == 0xFFFF_FFFF && machine.rip == 0x31001)
        }
    }

    @Test func `instruction bytes that end with RAM are enough for a short instruction`() {
        let machine = TestMachine(.protected32)
        machine.ram.put([0x8B, 0x03], at: TestMachine.ramSize - 2)
        machine.rip = UInt64(TestMachine.ramSize - 2)
        #expect(machine.exit(.eptViolation, qualification: 0x181, physical: Self.absent + 8) == .stepLength(2))
        machine.ram.put([0x8B], at: TestMachine.ramSize - 1)
        machine.rip = UInt64(TestMachine.ramSize - 1)
        #expect(machine.exit(.eptViolation, qualification: 0x181, physical: Self.absent + 8) == .execute)
    }
}

import Support
import Testing
import Virtualization
import X86

@testable import Machine

/// What emulated instructions do to registers, flags and memory. The operand lies in RAM, where a test can see it: the fault
/// that is reported is elsewhere, and the emulation finds the operand by the guest's tables.
@Suite struct EmulationTests {
    static let operand = 0x20000

    /// Executes an instruction on the operand at RBX.
    @discardableResult
    static func execute(_ bytes: [UInt8], on machine: TestMachine, isWrite: Bool = true) -> Outcome {
        machine.rip = 0x10000
        return AbsentMemoryTests.execute(bytes, on: machine, at: AbsentMemoryTests.absent + 0x123, isWrite: isWrite)
    }

    static func machine(_ value: UInt64 = 0, _ high: UInt64 = 0) -> TestMachine {
        let machine = TestMachine()
        machine.cpu.registers.rbx = UInt64(operand)
        machine.ram.put64(value, at: operand)
        machine.ram.put64(high, at: operand + 8)
        return machine
    }

    @Test func `an instruction that changes memory leaves its result there, and no more bytes`() {
        let before: UInt64 = 0x1122_3344_5566_7788
        let rows: [([UInt8], UInt64)] = [
            ([0xFE, 0x03], 0x1122_3344_5566_7789),  // INC BYTE
            ([0x66, 0xFF, 0x0B], 0x1122_3344_5566_7787),  // DEC WORD
            ([0xF7, 0x13], 0x1122_3344_AA99_8877),  // NOT DWORD
            ([0x48, 0xF7, 0x1B], 0 &- before),  // NEG QWORD
            ([0xC0, 0x23, 4], 0x1122_3344_5566_7780),  // SHL BYTE, 4
            ([0xD1, 0x2B], 0x1122_3344_2AB3_3BC4),  // SHR DWORD, 1
            ([0x48, 0xD3, 0x03], 0x2233_4455_6677_8811),  // ROL QWORD, CL
            ([0x0F, 0xAB, 0x0B], 0x1122_3344_5566_7788 | 1 << 8),  // BTS DWORD, ECX
            ([0x48, 0x0F, 0xBA, 0x33, 63], before & ~(1 << 63)),  // BTR QWORD, 63
            ([0x48, 0x0F, 0xBA, 0x3B, 63], before ^ 1 << 63),  // BTC QWORD, 63
            ([0x0F, 0xC1, 0x0B], 0x1122_3344_5566_7790),  // XADD DWORD, ECX
            ([0x0F, 0x38, 0xF1, 0x0B], 0x1122_3344_0800_0000),  // MOVBE
            ([0x0F, 0xC3, 0x0B], 0x1122_3344_0000_0008),  // MOVNTI
            ([0x0F, 0x95, 0x03], 0x1122_3344_5566_7701),  // SETNZ
            ([0x8C, 0x1B], 0x1122_3344_5566_0010),  // MOV [RBX], DS
        ]
        for (bytes, expected) in rows {
            let machine = Self.machine(before)
            machine.cpu.registers.rcx = 8
            #expect(Self.execute(bytes, on: machine) == .stepLength(UInt8(bytes.count)))
            #expect(machine.ram.word64(Self.operand) == expected, "\(bytes)")
            #expect(machine.cpu.absentMemoryAccesses == 0)
        }
    }

    @Test func `an instruction that reads memory leaves its result in the register`() {
        let rows: [([UInt8], UInt64)] = [
            ([0x0F, 0x38, 0xF0, 0x0B], 0x8877_6655),  // MOVBE ECX
            ([0x66, 0x0F, 0x38, 0xF0, 0x0B], 0x9999_9999_9999_8877),  // MOVBE CX
            ([0x0F, 0x45, 0x0B], 0x5566_7788),  // CMOVNZ, which holds
            ([0x0F, 0x44, 0x0B], 0x9999_9999),  // CMOVZ, which does not
            ([0x66, 0x0F, 0x44, 0x0B], 0x9999_9999_9999_9999),
            ([0x0F, 0xBC, 0x0B], 3), ([0x0F, 0xBD, 0x0B], 30), ([0xF3, 0x0F, 0xBC, 0x0B], 3), ([0xF3, 0x0F, 0xBD, 0x0B], 1),
            ([0xF3, 0x48, 0x0F, 0xB8, 0x0B], 26), ([0x6B, 0x0B, 2], 0xAACC_EF10),
            ([0x48, 0x69, 0x0B, 0, 1, 0, 0], 0x2233_4455_6677_8800),
            ([0x66, 0x0F, 0xAF, 0x0B], 0x9999_9999_9999_B848),
        ]
        for (bytes, expected) in rows {
            let machine = Self.machine(0x1122_3344_5566_7788)
            machine.cpu.registers.rcx = 0x9999_9999_9999_9999
            #expect(Self.execute(bytes, on: machine, isWrite: false) == .stepLength(UInt8(bytes.count)))
            #expect(machine.cpu.registers.rcx == expected, "\(bytes)")
            #expect(machine.ram.word64(Self.operand) == 0x1122_3344_5566_7788)
        }
    }

    @Test func `TZCNT and LZCNT are BSF and BSR where the processor does not have them`() {
        for (bytes, expected) in [([0xF3, 0x0F, 0xBC, 0x0B], 7), ([0xF3, 0x0F, 0xBD, 0x0B], 7)] as [([UInt8], UInt64)] {
            let machine = Self.machine(0)
            machine.host.leaves[7] = [:]
            machine.host.leaves[0x8000_0001] = [:]
            machine.cpu.registers.rcx = expected
            Self.execute(bytes, on: machine, isWrite: false)
            #expect(machine.cpu.registers.rcx == expected && machine.rflags & 0x40 != 0)  // 0 leaves the register alone
        }
    }

    @Test func `products go to the accumulator and its extension, of bytes to AX alone`() {
        let rows: [([UInt8], UInt64, UInt64)] = [
            ([0xF6, 0x23], 0xAAAA_AAAA_AAAA_FD02, 5), ([0xF6, 0x2B], 0xAAAA_AAAA_AAAA_0002, 5),  // FEH by FFH, -2 by -1
            ([0x66, 0xF7, 0x23], 0xAAAA_AAAA_AAAA_5502, 0xAAFD), ([0xF7, 0x23], 0x5555_5502, 0xAAAA_AAFD),
            ([0xF7, 0x2B], 0x5555_5502, 0), ([0x48, 0xF7, 0x2B], 0x5555_5555_5555_5502, 0),
        ]
        for (bytes, rax, rdx) in rows {
            let machine = Self.machine(.max)
            machine.cpu.registers.rax = 0xAAAA_AAAA_AAAA_AAFE
            machine.cpu.registers.rdx = 5
            #expect(Self.execute(bytes, on: machine, isWrite: false) == .stepLength(UInt8(bytes.count)))
            #expect(machine.cpu.registers.rax == rax && machine.cpu.registers.rdx == rdx, "\(bytes)")
        }
    }

    @Test func `CMPXCHG exchanges if equal, else loads the accumulator and writes back what it found`() {
        let machine = Self.machine(0x1111_1111_2222_2222)
        machine.cpu.registers.rax = 0x2222_2222
        machine.cpu.registers.rcx = 5
        Self.execute([0xF0, 0x0F, 0xB1, 0x0B], on: machine)
        #expect(machine.ram.word64(Self.operand) == 0x1111_1111_0000_0005 && machine.rflags & 0x40 != 0)
        Self.execute([0x48, 0x0F, 0xB1, 0x0B], on: machine)
        #expect(machine.ram.word64(Self.operand) == 0x1111_1111_0000_0005 && machine.rflags & 0x40 == 0)
        #expect(machine.cpu.registers.rax == 0x1111_1111_0000_0005)
    }

    @Test func `CMPXCHG8B and CMPXCHG16B compare and exchange both halves`() {
        // The low half of the new value is RBX, which is the address too.
        for (bytes, isWide) in [([0x0F, 0xC7, 0x0B], false), ([0x48, 0x0F, 0xC7, 0x0B], true)] as [([UInt8], Bool)] {
            let machine = Self.machine(isWide ? 1 : 2 << 32 | 1, isWide ? 2 : 9)
            machine.cpu.registers.rax = 1
            machine.cpu.registers.rdx = 2
            machine.cpu.registers.rcx = 7
            Self.execute(bytes, on: machine)
            #expect(machine.rflags & 0x40 != 0)
            #expect(machine.ram.word64(Self.operand) == (isWide ? 0x20000 : 7 << 32 | 0x20000))
            #expect(machine.ram.word64(Self.operand + 8) == (isWide ? 7 : 9))
            machine.cpu.registers.rdx = 3
            Self.execute(bytes, on: machine)
            #expect(machine.rflags & 0x40 == 0)
            #expect(machine.cpu.registers.rax == 0x20000 && machine.cpu.registers.rdx == 7)
        }
    }

    @Test func `a bit offset in a register moves the address, in both directions`() {
        for (bytes, offset, place, bit) in [
            ([0x0F, 0xAB, 0x0B], 0x47, 8, 7), ([0x0F, 0xAB, 0x0B], 0xFFFF_FFFF, -4, 31), ([0x48, 0x0F, 0xAB, 0x0B], 0x47, 8, 7),
            ([0x48, 0x0F, 0xAB, 0x0B], .max, -8, 63), ([0x66, 0x0F, 0xAB, 0x0B], 0xFFE0, -4, 0),
            ([0x0F, 0xAB, 0x0B], 0x1_0000_0000, 0, 0),
        ] as [([UInt8], UInt64, Int, UInt64)] {
            let machine = Self.machine()
            machine.ram.put64(0, at: Self.operand - 8)
            machine.cpu.registers.rcx = offset
            Self.execute(bytes, on: machine)
            #expect(machine.ram.word64(Self.operand + place) == 1 << bit, "\(bytes) \(offset)")
            #expect(machine.rflags & 1 == 0)
        }
    }

    // MARK: Stack

    @Test func `PUSH and POP move between memory and the stack, and change RSP by the operand's size`() {
        let machine = Self.machine(0x1122_3344_5566_7788)
        machine.vmcs[0x681C] = 0x30000
        Self.execute([0xFF, 0x33], on: machine, isWrite: false)
        #expect(machine.vmcs[0x681C] == 0x2FFF8 && machine.ram.word64(0x2FFF8) == 0x1122_3344_5566_7788)
        Self.execute([0x66, 0xFF, 0x33], on: machine, isWrite: false)
        #expect(machine.vmcs[0x681C] == 0x2FFF6 && machine.ram.word64(0x2FFF6) & 0xFFFF == 0x7788)
        machine.vmcs[0x681C] = 0x2FFF8
        machine.ram.put64(5, at: 0x2FFF8)
        Self.execute([0x8F, 0x03], on: machine)
        #expect(machine.vmcs[0x681C] == 0x30000 && machine.ram.word64(Self.operand) == 5)
        // POP [RSP]: the operand's address comes from RSP behind the value.
        machine.vmcs[0x681C] = 0x2FFF8
        Self.execute([0x8F, 0x04, 0x24], on: machine)
        #expect(machine.vmcs[0x681C] == 0x30000 && machine.ram.word64(0x30000) == 5)
    }

    @Test func `a stack that faults leaves RSP and memory alone`() {
        let machine = Self.machine(1)
        machine.map(0x2F000, entry: 0)
        machine.vmcs[0x681C] = 0x30000
        #expect(Self.execute([0xFF, 0x33], on: machine, isWrite: false) == .inject(.exception(.pageFault, errorCode: 2)))
        #expect(machine.vmcs[0x681C] == 0x30000 && machine.host.pageFaultAddress == 0x2FFF8)
        machine.map(Self.operand, entry: 0)
        #expect(Self.execute([0x8F, 0x03], on: machine) == .inject(.exception(.pageFault, errorCode: 2)))
        #expect(machine.vmcs[0x681C] == 0x30000 && machine.host.pageFaultAddress == UInt64(Self.operand))
        machine.vmcs[0x681C] = 1 << 47
        #expect(Self.execute([0xFF, 0x33], on: machine, isWrite: false) == .inject(.exception(.pageFault, errorCode: 0)))
        machine.map(Self.operand, entry: 0x20007)
        machine.vmcs[0x681C] = 1 << 47 | 0x100
        #expect(Self.execute([0xFF, 0x33], on: machine, isWrite: false) == .inject(.exception(.stackFault, errorCode: 0)))
    }

    @Test func `a 16-bit stack pointer wraps in its segment`() {
        let machine = TestMachine(.protected16)
        machine.cpu.registers.rbx = 0x9000
        machine.ram.put64(0xABCD, at: 0x9000)
        machine.vmcs[0x681C] = 0x7777_0000
        machine.ram.put([0xFF, 0x37], at: TestMachine.code)
        #expect(machine.exit(.eptViolation, qualification: 0x181, physical: AbsentMemoryTests.absent + 0x123) == .stepLength(2))
        #expect(machine.vmcs[0x681C] == 0x7777_FFFE && machine.ram.word64(0xFFFE) & 0xFFFF == 0xABCD)
    }

    // MARK: Vector registers

    /// A machine whose guest has enabled SSE and AVX, with registers that differ from one another.
    static func vectorMachine() -> TestMachine {
        let machine = machine(0x1111_1111_2222_2222, 0x3333_3333_4444_4444)
        machine.ram.put64(5, at: operand + 16)
        machine.ram.put64(6, at: operand + 24)
        machine.processor.cr4 = machine.processor.cr4 | .fxsave | .xsave
        machine.host.loadExtendedControl(7)
        for number in 0..<16 {
            let n = UInt64(number) * 16
            machine.host.vectors[number] = VectorValue(n + 1, n + 2, n + 3, n + 4)
        }
        return machine
    }

    @Test func `vector loads change what they should of the register`() {
        let low: UInt64 = 0x1111_1111_2222_2222, high: UInt64 = 0x3333_3333_4444_4444
        let rows: [([UInt8], VectorValue)] = [
            ([0x0F, 0x10, 0x0B], VectorValue(low, high, 0x13, 0x14)),  // MOVUPS
            ([0xF3, 0x0F, 0x10, 0x0B], VectorValue(0x2222_2222, 0, 0x13, 0x14)),  // MOVSS
            ([0xF2, 0x0F, 0x10, 0x0B], VectorValue(low, 0, 0x13, 0x14)),  // MOVSD
            ([0x0F, 0x12, 0x0B], VectorValue(low, 0x12, 0x13, 0x14)),  // MOVLPS
            ([0x66, 0x0F, 0x16, 0x0B], VectorValue(0x11, low, 0x13, 0x14)),  // MOVHPD
            ([0x66, 0x0F, 0x6E, 0x0B], VectorValue(0x2222_2222, 0, 0x13, 0x14)),  // MOVD
            ([0x66, 0x48, 0x0F, 0x6E, 0x0B], VectorValue(low, 0, 0x13, 0x14)),  // MOVQ
            ([0xC5, 0xF8, 0x10, 0x0B], VectorValue(low, high)),  // VMOVUPS XMM
            ([0xC5, 0xFC, 0x10, 0x0B], VectorValue(low, high, 5, 6)),  // VMOVUPS YMM
            ([0xC5, 0xFA, 0x10, 0x0B], VectorValue(0x2222_2222)),  // VMOVSS
            ([0xC5, 0xE8, 0x12, 0x0B], VectorValue(low, 0x22)),  // VMOVLPS XMM1, XMM2
            ([0xC5, 0xE8, 0x16, 0x0B], VectorValue(0x21, low)),  // VMOVHPS XMM1, XMM2
        ]
        for (bytes, expected) in rows {
            let machine = Self.vectorMachine()
            #expect(Self.execute(bytes, on: machine, isWrite: false) == .stepLength(UInt8(bytes.count)))
            #expect(machine.host.vectors[1] == expected, "\(bytes)")
        }
    }

    @Test func `vector stores write their bytes and no more`() {
        let rows: [([UInt8], Int, [UInt64])] = [
            ([0x0F, 0x11, 0x0B], 16, [0x11, 0x12]), ([0xF3, 0x0F, 0x11, 0x0B], 4, [0x11]), ([0xF2, 0x0F, 0x11, 0x0B], 8, [0x11]),
            ([0x0F, 0x13, 0x0B], 8, [0x11]), ([0x0F, 0x17, 0x0B], 8, [0x12]), ([0x66, 0x0F, 0x7E, 0x0B], 4, [0x11]),
            ([0x66, 0x0F, 0xE7, 0x0B], 16, [0x11, 0x12]), ([0xC5, 0xFC, 0x11, 0x0B], 32, [0x11, 0x12, 0x13, 0x14]),
            ([0xC5, 0xF9, 0x7F, 0x0B], 16, [0x11, 0x12]),
        ]
        for (bytes, size, words) in rows {
            let machine = Self.vectorMachine()
            machine.ram.put([UInt8](repeating: 0xEE, count: 40), at: Self.operand)
            #expect(Self.execute(bytes, on: machine) == .stepLength(UInt8(bytes.count)))
            let stored: [UInt8] = words.flatMap { word in withUnsafeBytes(of: word) { [UInt8]($0) } }
            let expected: [UInt8] = stored.prefix(size) + [UInt8](repeating: 0xEE, count: 40 - size)
            #expect([UInt8](machine.ram[Self.operand..<Self.operand + 40]) == expected, "\(bytes)")
        }
    }

    @Test func `a vector over the boundary of two pages goes to both`() {
        let machine = Self.vectorMachine()
        machine.map(0x21000, entry: 0x50007)
        machine.cpu.registers.rbx = 0x20FFB
        Self.execute([0xC5, 0xFC, 0x11, 0x0B], on: machine)
        #expect(machine.ram.word64(0x20FFB) & 0xFF_FFFF_FFFF == 0x11)
        #expect(machine.ram.word64(0x50003) == 0x12 && machine.ram.word64(0x50013) == 0x14)
        let other = Self.vectorMachine()
        other.map(0x21000, entry: 0)
        other.cpu.registers.rbx = 0x20FF8
        #expect(Self.execute([0x0F, 0x11, 0x0B], on: other) == .inject(.exception(.pageFault, errorCode: 2)))
        #expect(other.ram.word64(0x20FF8) == 0)
    }

    @Test func `vector instructions that the guest has not enabled fault in the guest`() {
        let sse: [UInt8] = [0x0F, 0x10, 0x0B], avx: [UInt8] = [0xC5, 0xF8, 0x10, 0x0B]
        let noDevice = Outcome.inject(.exception(.deviceNotAvailable))
        let rows: [([UInt8], Outcome, (TestMachine) -> Void)] = [
            (sse, .invalidOpcode, { $0.processor.cr4 = $0.processor.cr4.subtracting(.fxsave) }),
            (sse, .invalidOpcode, { $0.processor.cr0 = $0.processor.cr0 | .emulation }),
            (sse, noDevice, { $0.processor.cr0 = $0.processor.cr0 | .taskSwitched }),
            (avx, .invalidOpcode, { $0.processor.cr4 = $0.processor.cr4.subtracting(.xsave) }),
            (avx, .invalidOpcode, { $0.host.loadExtendedControl(3) }),
            (avx, noDevice, { $0.processor.cr0 = $0.processor.cr0 | .taskSwitched }),
        ]
        for (bytes, expected, prepare) in rows {
            let machine = Self.vectorMachine()
            prepare(machine)
            #expect(Self.execute(bytes, on: machine, isWrite: false) == expected)
            #expect(machine.host.vectors[1] == VectorValue(0x11, 0x12, 0x13, 0x14))
        }
    }

    // MARK: Faults and places

    @Test func `an instruction that changes memory asks the guest's tables for a write, and marks the page dirty`() {
        let machine = Self.machine(1)
        machine.map(Self.operand, entry: 0x20005)
        machine.enterUserMode()
        #expect(Self.execute([0xFF, 0x03], on: machine, isWrite: false) == .inject(.exception(.pageFault, errorCode: 7)))
        #expect(machine.ram.word64(Self.operand) == 1)
        #expect(Self.execute([0xFF, 0x33], on: machine, isWrite: false) != .inject(.exception(.pageFault, errorCode: 7)))
        machine.map(Self.operand, entry: 0x20007)
        #expect(Self.execute([0xFF, 0x03], on: machine, isWrite: false) == .stepLength(2))
        #expect(machine.ram.word64(TestMachine.Table.low + 8 * 0x20) == 0x20067)
    }

    @Test func `one access to absent memory is counted once, however many bytes it has`() {
        for (bytes, count) in [
            ([0x8B, 0x03], 1), ([0x48, 0x8B, 0x03], 1), ([0x03, 0x03], 1), ([0x01, 0x03], 2), ([0x0F, 0x38, 0xF0, 0x03], 1),
            ([0x0F, 0x10, 0x03], 2),
        ] as [([UInt8], UInt64)] {
            let machine = Self.vectorMachine()
            machine.cpu.registers.rbx = AbsentMemoryTests.absent + 0x101
            _ = AbsentMemoryTests.execute(bytes, on: machine, at: AbsentMemoryTests.absent + 0x101, isWrite: true)
            #expect(machine.cpu.absentMemoryAccesses == count, "\(bytes)")
        }
    }

    @Test func `linear addresses wrap at 4 GiB outside 64-bit mode`() {
        let machine = TestMachine(.compatibility32)
        machine.ram.put64(0x5566, at: 0)
        machine.processor.setSegment(.ds, .init(selector: 16, base: 0x1000, limit: .max, attributes: .data32))
        machine.cpu.registers.rbx = 0xFFFF_F000
        #expect(Self.execute([0x33, 0x0B], on: machine, isWrite: false) == .stepLength(2))
        #expect(machine.cpu.registers.rcx & 0xFFFF == 0x5566)
    }
}

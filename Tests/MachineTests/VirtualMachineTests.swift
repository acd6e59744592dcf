import Devices
import Support
import Testing
import VMX
import Virtualization

@testable import Machine

/// A machine with two virtual CPUs: what is sent, and to whom it comes.
@Suite struct VirtualMachineTests {
    let first = TestMachine()
    let second: TestMachine

    init() {
        second = TestMachine(beside: first)
        for machine in [first, second] {
            machine.write(0x1B, 0xFEE0_0C00 | (machine === first ? 0x100 : 0))  // x2APIC
            machine.write(0x80F, 0x1FF)  // enabled by software
        }
    }

    /// The highest vector that each has been asked for, 0 for none.
    var requested: [UInt8] {
        [first, second].map { machine in
            let vector = (16..<256).last { machine.apicPage[0x80 + $0 / 32 * 4] >> UInt32($0 % 32) & 1 != 0 }
            return UInt8(vector ?? 0)
        }
    }

    @Test func `the first is the bootstrap processor, and each has its own identifier`() {
        #expect(first.read(0x1B) & 0x100 != 0 && second.read(0x1B) & 0x100 == 0)
        #expect(first.read(0x802) == 0 && second.read(0x802) == 1)
    }

    @Test func `an interprocessor interrupt comes to whom it is for`() {
        first.write(0x830, 1 << 32 | 0x41)
        #expect(requested == [0, 0x41])
        second.write(0x830, 0x42)
        #expect(requested == [0x42, 0x41])
        first.write(0x830, 7 << 32 | 0x99)
        #expect(requested == [0x42, 0x41])
    }

    @Test(arguments: [(1, [0x51, 0]), (2, [0x51, 0x51]), (3, [0, 0x51])] as [(UInt64, [UInt8])])
    func `a shorthand counts from the sender`(shorthand: UInt64, expected: [UInt8]) {
        first.write(0x830, shorthand << 18 | 0x51)
        #expect(requested == expected)
    }

    @Test func `a lowest-priority interrupt goes to the one that does the least important work, and of equals to the first`() {
        let toBoth: UInt64 = 0xFFFF_FFFF << 32 | 1 << 8
        first.write(0x808, 0x40)
        second.write(0x808, 0x30)
        first.write(0x830, toBoth | 0x61)
        #expect(requested == [0, 0x61])
        second.write(0x808, 0x50)
        second.write(0x830, toBoth | 0x71)
        #expect(requested == [0x71, 0x61])
        second.write(0x808, 0x40)
        second.write(0x830, toBoth | 0x81)
        #expect(requested == [0x81, 0x61])
    }

    @Test func `a non-maskable interrupt and INIT reach the other`() {
        first.write(0x830, 1 << 32 | 4 << 8)
        #expect(second.cpu.unmasked.contains(.nonMaskableInterrupt) && first.cpu.unmasked.isEmpty)
        first.write(0x830, 1 << 32 | 5 << 8 | 1 << 14)
        #expect(second.cpu.isResetPending && !first.cpu.isResetPending)
    }

    @Test func `a device's interrupt comes to the one whose identifier its redirection entry has, whoever looks`() {
        for (pin, destination) in [(4, 1), (8, 0)] as [(UInt32, UInt32)] {
            for (index, value) in [(0x10 + 2 * pin, 0x8070 + pin), (0x11 + 2 * pin, destination << 24)] {
                first.writeIOAPIC(0xFEC0_0000, index)
                first.writeIOAPIC(0xFEC0_0010, value)
            }
        }
        first.out(0x3FC, 8)  // OUT2 passes the interrupt on
        first.out(0x3F9, 2)  // the transmitter is empty: pin 4
        #expect(requested == [0, 0x74])
        // Which ends of interrupts it has to tell is news for the other too.
        #expect(second.cpu.attention.contains(.devices))
        #expect(!first.board.pointee.needsAttention)
    }

    @Test func `a note is the machine's`() {
        first.cpu.registers.rax = 4
        first.cpu.registers.rbx = 77
        first.exit(.vmcall, length: 3)
        second.cpu.registers.rax = 3
        second.exit(.vmcall, length: 3)
        #expect(second.cpu.registers.rax == 77)
    }
}

extension TestMachine {
    fileprivate func write(_ register: UInt32, _ value: UInt64) {
        cpu.registers.rcx = UInt64(register)
        (cpu.registers.rax, cpu.registers.rdx) = (value & 0xFFFF_FFFF, value >> 32)
        setExit(.wrmsr, length: 2)
        #expect(handleExit(), "WRMSR \(String(register, radix: 16))")
        #expect(injection?.kind != 3, "WRMSR \(String(register, radix: 16))")
    }

    fileprivate func read(_ register: UInt32) -> UInt64 {
        cpu.registers.rcx = UInt64(register)
        setExit(.rdmsr, length: 2)
        #expect(handleExit(), "RDMSR \(String(register, radix: 16))")
        return cpu.registers.rdx << 32 | cpu.registers.rax & 0xFFFF_FFFF
    }

    fileprivate func out(_ port: UInt16, _ value: UInt8) {
        cpu.registers.rax = UInt64(value)
        setExit(.ioInstruction, qualification: UInt64(port) << 16, length: 2)
        #expect(handleExit())
    }
}

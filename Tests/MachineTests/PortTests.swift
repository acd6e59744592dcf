import Testing
import Virtualization
import X86

@testable import Machine

/// The exit qualification of a port instruction.
func portQualification(_ port: UInt16, size: Int, isInput: Bool, isString: Bool = false, isRepeated: Bool = false) -> UInt64 {
    UInt64(port) << 16 | (isRepeated ? 32 : 0) | (isString ? 16 : 0) | (isInput ? 8 : 0) | UInt64(size - 1)
}

@Suite struct PortTests {
    static func output(_ machine: TestMachine, _ port: UInt16, size: Int, _ value: UInt64) -> Outcome {
        machine.cpu.registers.rax = value
        return machine.exit(.ioInstruction, qualification: portQualification(port, size: size, isInput: false), length: 1)
    }

    /// RAX after IN, which begins as all ones.
    static func input(_ machine: TestMachine, _ port: UInt16, size: Int) -> UInt64 {
        machine.cpu.registers.rax = .max
        #expect(
            machine.exit(.ioInstruction, qualification: portQualification(port, size: size, isInput: true), length: 1) == .step)
        return machine.cpu.registers.rax
    }

    @Test func `OUT to COM1 transmits AL alone`() {
        let machine = TestMachine()
        #expect(Self.output(machine, 0x3F8, size: 1, 0xFFFF_FF48) == .step)
        #expect(machine.host.transmittedText == "H")
        #expect(machine.rip == 0x10001)
        #expect(machine.cpu.registers.rax == 0xFFFF_FF48)
    }

    @Test func `IN of 1 and 2 bytes leaves the rest of RAX, IN of 4 clears the upper half`() {
        let machine = TestMachine()
        #expect(Self.input(machine, 0x3FD, size: 1) == 0xFFFF_FFFF_FFFF_FF60)
        #expect(Self.input(machine, 0x3FC, size: 2) == 0xFFFF_FFFF_FFFF_6000)
        #expect(Self.input(machine, 0x3FA, size: 4) == 0x6000_0001)
    }

    @Test func `ports without a device read as ones, swallow writes, and are counted`() {
        let machine = TestMachine()
        machine.cpu.registers.rax = 0
        #expect(Self.input(machine, 0x2100, size: 1) & 0xFF == 0xFF)
        #expect(Self.input(machine, 0x2104, size: 4) == 0xFFFF_FFFF)
        #expect(machine.cpu.absentPortAccesses == 2)
        #expect(Self.output(machine, 0x2100, size: 1, 0) == .step)
        #expect(machine.cpu.absentPortAccesses == 3)
        #expect(machine.host.transmitted == [])
    }

    @Test(arguments: [(1, 0x44), (2, 0x3344), (4, 0x1122_3344)] as [(Int, UInt32)])
    func `OUT to the debug-exit port ends the guest with the value that was written`(size: Int, value: UInt32) {
        #expect(Self.output(TestMachine(), 0xF4, size: size, 0xFFFF_FFFF_1122_3344) == .end(.debugExit(value)))
    }

    // MARK: String instructions

    static let sizes: [(bits: Int, mode: TestMachine.Mode, field: UInt32)] = [
        (16, .real, 0), (16, .protected16, 0), (32, .protected32, 1), (32, .paged32, 1), (64, .long64, 2),
        (32, .compatibility32, 1),
    ]

    /// INS or OUTS as the guest executes it, at RSI or RDI.
    static func string(
        _ machine: TestMachine, _ port: UInt16, size: Int, isInput: Bool, count: UInt64? = nil, addressSize: UInt32 = 2,
        segmentBase: UInt64 = 0
    ) -> Outcome {
        let index = isInput ? machine.cpu.registers.rdi : machine.cpu.registers.rsi
        if let count { machine.cpu.registers.rcx = count }
        let mask: UInt64 = [0xFFFF, 0xFFFF_FFFF, .max][Int(addressSize)]
        return machine.exit(
            .ioInstruction,
            qualification: portQualification(port, size: size, isInput: isInput, isString: true, isRepeated: count != nil),
            length: 2, linear: segmentBase &+ (index & mask), details: addressSize << 7 | 3 << 15)
    }

    @Test(arguments: sizes.indices) func `REP OUTSB sends a text in every mode`(index: Int) {
        let (_, mode, field) = Self.sizes[index]
        let machine = TestMachine(mode)
        machine.ram.put(Array("Hello, port".utf8), at: 0x9100)
        machine.cpu.registers.rsi = 0x9100
        let before = machine.rip
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false, count: 11, addressSize: field) == .step)
        #expect(machine.host.transmittedText == "Hello, port")
        #expect(machine.cpu.registers.rsi == 0x910B && machine.cpu.registers.rcx == 0)
        #expect(machine.rip == before + 2)
    }

    @Test func `OUTSB without REP sends one element and leaves RCX alone`() {
        let machine = TestMachine()
        machine.ram.put(Array("xy".utf8), at: 0x20000)
        machine.cpu.registers.rsi = 0x20000
        machine.cpu.registers.rcx = 7
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false) == .step)
        #expect(machine.host.transmittedText == "x")
        #expect(machine.cpu.registers.rcx == 7 && machine.cpu.registers.rsi == 0x20001)
    }

    @Test func `INS stores what the port gives, in all sizes`() {
        for (size, bytes) in [(1, [0xFF]), (2, [0x60, 0xB0]), (4, [0x60, 0xB0, 0, 0xFF])] as [(Int, [UInt8])] {
            let machine = TestMachine()
            machine.cpu.registers.rdi = 0x20000
            machine.ram.put([9, 9, 9, 9, 9], at: 0x20000)
            let port: UInt16 = size == 1 ? 0x2100 : 0x3FD
            #expect(Self.string(machine, port, size: size, isInput: true) == .step)
            #expect(machine.ram[0x20000..<0x20000 + size] == bytes)
            #expect(machine.ram[0x20000 + size] == 9)
            #expect(machine.cpu.registers.rdi == 0x20000 + UInt64(size))
        }
    }

    @Test func `the direction flag makes string instructions go downwards`() {
        let machine = TestMachine()
        machine.rflags |= 1 << 10
        machine.ram.put(Array("abc".utf8), at: 0x20000)
        machine.cpu.registers.rsi = 0x20002
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false, count: 3) == .step)
        #expect(machine.host.transmittedText == "cba")
        #expect(machine.cpu.registers.rsi == 0x1FFFF)
    }

    @Test func `REP with a count of 0 does nothing and goes on`() {
        let machine = TestMachine()
        machine.cpu.registers.rsi = 0xDEAD_0000_0000  // not even mapped
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false, count: 0) == .step)
        #expect(machine.host.transmitted == [] && machine.rip == 0x10002)
        // With a 16-bit address size only CX counts.
        let real = TestMachine(.real)
        #expect(Self.string(real, 0x3F8, size: 1, isInput: false, count: 0x10000, addressSize: 0) == .step)
        #expect(real.host.transmitted == [] && real.cpu.registers.rcx == 0x10000)
    }

    @Test func `no count holds Martlet up: after a page's worth the guest is resumed at the same instruction`() {
        for (size, elements) in [(1, 4096), (2, 2048), (4, 1024)] as [(Int, UInt64)] {
            let machine = TestMachine()
            machine.cpu.registers.rdi = 0x20000
            #expect(Self.string(machine, 0x2100, size: size, isInput: true, count: .max) == .iterate)
            #expect(machine.cpu.registers.rcx == .max - elements)
            #expect(machine.cpu.registers.rdi == 0x21000)
            #expect(machine.rip == 0x10000)
        }
    }

    @Test func `a count of exactly a page's worth is done in one exit`() {
        let machine = TestMachine()
        machine.cpu.registers.rdi = 0x20000
        #expect(Self.string(machine, 0x2100, size: 4, isInput: true, count: 1024) == .step)
        #expect(machine.cpu.registers.rcx == 0)
    }

    @Test func `a page fault in the middle leaves the registers at the element that faulted`() {
        let machine = TestMachine()
        machine.map(0x21000, entry: 0)
        machine.ram.put(Array("ab".utf8), at: 0x20FFE)
        machine.cpu.registers.rsi = 0x20FFE
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false, count: 5) == .inject(.exception(.pageFault, errorCode: 0)))
        #expect(machine.host.transmittedText == "ab")
        #expect(machine.cpu.registers.rsi == 0x21000 && machine.cpu.registers.rcx == 3)
        #expect(machine.host.pageFaultAddress == 0x21000)
        #expect(machine.rip == 0x10000)
        // The page comes, and the instruction goes on.
        machine.map(0x21000, entry: 0x21007)
        machine.ram.put(Array("cde".utf8), at: 0x21000)
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false, count: 3) == .step)
        #expect(machine.host.transmittedText == "abcde")
    }

    @Test func `an element over a page boundary faults before the port is read and before a byte is written`() {
        let machine = TestMachine()
        machine.map(0x21000, entry: 0)
        machine.ram.put([7, 7], at: 0x20FFE)
        machine.cpu.registers.rdi = 0x20FFE
        #expect(Self.string(machine, 0x2100, size: 4, isInput: true) == .inject(.exception(.pageFault, errorCode: 2)))
        #expect(machine.ram[0x20FFE..<0x21000] == [7, 7])
        #expect(machine.cpu.absentPortAccesses == 0)
        #expect(machine.host.pageFaultAddress == 0x21000)
        #expect(machine.cpu.registers.rdi == 0x20FFE)
    }

    @Test func `an element over a page boundary goes to both pages, wherever they are`() {
        let machine = TestMachine()
        machine.map(0x20000, entry: 0x30007)
        machine.map(0x21000, entry: 0x50007)
        machine.cpu.registers.rdi = 0x20FFE
        #expect(Self.string(machine, 0x3FD, size: 4, isInput: true) == .step)
        #expect(machine.ram[0x30FFE..<0x31000] == [0x60, 0xB0])
        #expect(machine.ram[0x50000..<0x50002] == [0, 0xFF])
        #expect(machine.ram[0x31000] == 0)
    }

    @Test func `INS to a read-only page faults in ring 3`() {
        let machine = TestMachine()
        machine.enterUserMode()
        machine.map(0x20000, entry: 0x20005)
        machine.cpu.registers.rdi = 0x20010
        #expect(Self.string(machine, 0x2100, size: 1, isInput: true) == .inject(.exception(.pageFault, errorCode: 7)))
        #expect(machine.injection == .exception(14, errorCode: 7))
        #expect(machine.host.pageFaultAddress == 0x20010)
    }

    @Test func `a non-canonical address is a general-protection fault`() {
        let machine = TestMachine()
        machine.cpu.registers.rsi = 0x0000_8000_0000_0000
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false) == .generalProtection)
    }

    @Test func `a 16-bit index wraps within its segment`() {
        let machine = TestMachine(.real)
        machine.processor.setSegment(.ds, .init(selector: 0x2000, base: 0x20000, limit: 0xFFFF, attributes: .realModeData))
        machine.ram.put(Array("ab".utf8), at: 0x2FFFE)
        machine.ram.put(Array("!!".utf8), at: 0x30000)
        machine.ram.put(Array("cd".utf8), at: 0x20000)
        machine.cpu.registers.rsi = 0xABCD_FFFE
        #expect(Self.string(machine, 0x3F8, size: 1, isInput: false, count: 4, addressSize: 0, segmentBase: 0x20000) == .step)
        #expect(machine.host.transmittedText == "abcd")
        #expect(machine.cpu.registers.rsi == 0xABCD_0002)
    }

    @Test func `a 16-bit index wraps downwards within its segment`() {
        let machine = TestMachine(.real)
        machine.rflags |= 1 << 10
        machine.processor.setSegment(.es, .init(selector: 0x2000, base: 0x20000, limit: 0xFFFF, attributes: .realModeData))
        machine.cpu.registers.rdi = 1
        #expect(Self.string(machine, 0x2100, size: 1, isInput: true, count: 4, addressSize: 0, segmentBase: 0x20000) == .step)
        #expect(machine.ram[0x2FFFE..<0x30000] == [0xFF, 0xFF])
        #expect(machine.ram[0x1FFFE..<0x20000] == [0, 0])
    }

    @Test func `a single-stepping guest gets its trap after each element`() {
        let machine = TestMachine()
        machine.rflags |= 1 << 8
        machine.vmcs[0x4824] = 1  // blocking by STI
        machine.cpu.registers.rdi = 0x20000
        #expect(Self.string(machine, 0x2100, size: 1, isInput: true, count: 2) == .iterate)
        #expect(machine.cpu.registers.rcx == 1 && machine.cpu.registers.rdi == 0x20001 && machine.rip == 0x10000)
        #expect(machine.vmcs[0x6822] == 1 << 14 && machine.vmcs[0x4824] == 0)
        #expect(Self.string(machine, 0x2100, size: 1, isInput: true, count: 1) == .step)
        #expect(machine.rip == 0x10002 && machine.vmcs[0x6822] == 1 << 14)
    }

    @Test func `the segment of a string is checked: type and limit, and SS has a fault of its own`() {
        let machine = TestMachine(.protected32)
        machine.cpu.registers.rdi = 0x2FFD
        machine.processor.setSegment(.es, .init(selector: 16, base: 0x20000, limit: 0x2FFF, attributes: .data32))
        #expect(Self.string(machine, 0x2100, size: 4, isInput: true, addressSize: 1) == .generalProtection)
        machine.cpu.registers.rdi = 0x2FFC
        #expect(Self.string(machine, 0x2100, size: 4, isInput: true, addressSize: 1) == .step)
        #expect(machine.ram[0x22FFC..<0x23000] == [0xFF, 0xFF, 0xFF, 0xFF])
        for attributes in [0xC091, 0xC09B, 0] as [UInt16] {  // read-only, code, none
            machine.processor.setSegment(.es, .init(selector: 16, base: 0, limit: .max, attributes: .init(rawValue: attributes)))
            #expect(Self.string(machine, 0x2100, size: 4, isInput: true, addressSize: 1) == .generalProtection)
        }
        // Data that grows down lies above its limit.
        for (index, isFine) in [(0x1000, false), (0x1001, true)] as [(UInt64, Bool)] {
            machine.processor.setSegment(.es, .init(selector: 16, base: 0, limit: 0x1000, attributes: .init(rawValue: 0xC097)))
            machine.cpu.registers.rdi = index + 0x20000 * (isFine ? 1 : 0)
            #expect(Self.string(machine, 0x2100, size: 1, isInput: true, addressSize: 1) == (isFine ? .step : .generalProtection))
        }
        machine.processor.setSegment(.ss, .init(selector: 16, base: 0, limit: 0xFF, attributes: .data32))
        machine.cpu.registers.rsi = 0x100
        let outcome = machine.exit(
            .ioInstruction, qualification: portQualification(0x2100, size: 1, isInput: false, isString: true), length: 2,
            details: 1 << 7 | 2 << 15)
        #expect(outcome == .inject(.exception(.stackFault, errorCode: 0)))
    }

    @Test func `a repetition does what its elements do one by one, wherever its segment and its pages end`() {
        var random = RandomWords(seed: 21)
        let machines = [TestMachine(.protected32), TestMachine(.protected32)]
        let flagsBefore = machines[0].rflags
        var ended = 0
        for _ in 0..<3000 {
            let size = [1, 2, 4].randomElement(using: &random)!
            let addressSize = UInt32.random(in: 0...1, using: &random)
            let limit = UInt32.random(in: 0x800..<0x2000, using: &random)
            let growsDown = Bool.random(using: &random)
            let segment = Segment(
                selector: 16, base: 0x20000 + .random(in: 0..<0x1000, using: &random), limit: limit,
                attributes: .init(rawValue: growsDown ? 0xC097 : 0xC093))
            // At the limit, at the end of the 64 KiB that growing down and 16 bits have, or at a page's end.
            let around = [UInt64(limit), addressSize == 0 ? 0 : 0x1_0000, 0x1000 &- segment.base & 0xFFF].randomElement(
                using: &random)!
            let index = (around &+ .random(in: 0..<24, using: &random) &- 12) & 0xFFFF_FFFF
            let flags: UInt64 = Bool.random(using: &random) ? 1 << 10 : 0
            let count = UInt64.random(in: 1..<24, using: &random)
            for machine in machines {
                machine.rflags = flagsBefore | flags
                machine.processor.setSegment(.es, segment)
                machine.cpu.registers.rdi = index
            }
            let outcome = Self.string(machines[0], 0x2100, size: size, isInput: true, count: count, addressSize: addressSize)
            var left = count
            var single = Outcome.step
            while left > 0, single == .step {
                single = Self.string(machines[1], 0x2100, size: size, isInput: true, addressSize: addressSize)
                if single == .step { left -= 1 }
            }
            #expect(outcome == single)
            #expect(machines[0].cpu.registers.rcx == left)
            #expect(machines[0].cpu.registers.rdi == machines[1].cpu.registers.rdi)
            #expect(machines[0].ram[0x1F000..<0x34000] == machines[1].ram[0x1F000..<0x34000])
            if outcome != .step { ended += 1 }
        }
        #expect((300..<2700).contains(ended))
    }

    @Test func `a string through SS at a non-canonical address is a stack fault`() {
        let machine = TestMachine()
        machine.cpu.registers.rsi = 1 << 47
        let outcome = machine.exit(
            .ioInstruction, qualification: portQualification(0x2100, size: 1, isInput: false, isString: true), length: 2,
            details: 2 << 7 | 2 << 15)
        #expect(outcome == .inject(.exception(.stackFault, errorCode: 0)))
    }

    @Test func `the debug-exit port ends the guest in the middle of a string`() {
        let machine = TestMachine()
        machine.ram.put([5, 6], at: 0x20000)
        machine.cpu.registers.rsi = 0x20000
        #expect(Self.string(machine, 0xF4, size: 1, isInput: false, count: 2) == .end(.debugExit(5)))
    }

    @Test(.onVMX) func `a processor that reports no details leaves the address size to the mode`() {
        for (mode, addressSize) in [(.real, 0), (.protected32, 1), (.long64, 2)] as [(TestMachine.Mode, UInt32)] {
            var basic = 0x00DA_1000_0000_0001 as UInt64
            basic &= ~(1 << 54)
            let machine = TestMachine(mode, set: .skylakeX.replacing([0x480: basic]))
            machine.cpu.registers.rsi = mode == .long64 ? 0x9100 : 0xFFFF_FFFF_0000_9100
            machine.cpu.registers.rcx = 0xFFFF_FFFF_0001_0000
            let mask: UInt64 = [0xFFFF, 0xFFFF_FFFF, .max][Int(addressSize)]
            let outcome = machine.exit(
                .ioInstruction,
                qualification: portQualification(0x3F8, size: 1, isInput: false, isString: true, isRepeated: true),
                length: 2, linear: mode == .long64 ? 0x9100 : machine.cpu.registers.rsi & mask, details: 0x80)
            // CX is 0; ECX and RCX are not.
            #expect(outcome == (mode == .real ? .step : .iterate))
            #expect(machine.host.transmitted.count == (mode == .real ? 0 : 4096))
        }
    }
}

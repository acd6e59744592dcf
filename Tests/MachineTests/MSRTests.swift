import Devices
import Support
import Testing
import Virtualization
import X86

@testable import Machine

@Suite struct MSRTests {
    static func read(_ machine: TestMachine, _ register: UInt32) -> Outcome {
        machine.cpu.registers.rcx = 0xFFFF_FFFF_0000_0000 | UInt64(register)
        machine.cpu.registers.rax = .max
        machine.cpu.registers.rdx = .max
        return machine.exit(.rdmsr, length: 2)
    }

    /// The value that a read gives.
    static func value(_ machine: TestMachine, _ register: UInt32) -> UInt64 {
        #expect(read(machine, register) == .step)
        #expect(machine.cpu.registers.rax >> 32 == 0 && machine.cpu.registers.rdx >> 32 == 0)
        return machine.cpu.registers.rdx << 32 | machine.cpu.registers.rax
    }

    static func write(_ machine: TestMachine, _ register: UInt32, _ value: UInt64) -> Outcome {
        machine.cpu.registers.rcx = 0xFFFF_FFFF_0000_0000 | UInt64(register)
        machine.cpu.registers.rax = 0xFFFF_FFFF_0000_0000 | value & 0xFFFF_FFFF
        machine.cpu.registers.rdx = 0xFFFF_FFFF_0000_0000 | value >> 32
        return machine.exit(.wrmsr, length: 2)
    }

    static func takes(_ machine: TestMachine, _ register: UInt32, _ value: UInt64, _ location: SourceLocation = #_sourceLocation)
    {
        #expect(write(machine, register, value) == .step, sourceLocation: location)
        #expect(Self.value(machine, register) == value, sourceLocation: location)
    }

    /// A refused write leaves the register as it was.
    static func refuses(
        _ machine: TestMachine, _ register: UInt32, _ value: UInt64, _ location: SourceLocation = #_sourceLocation
    ) {
        let before = Self.value(machine, register)
        #expect(write(machine, register, value) == .generalProtection, "\(String(value, radix: 16))", sourceLocation: location)
        #expect(Self.value(machine, register) == before, sourceLocation: location)
    }

    // MARK: Emulated registers

    @Test func `IA32_APIC_BASE holds its enable bit and address, and refuses all else`() {
        let machine = TestMachine()
        #expect(Self.value(machine, 0x1B) == 0xFEE0_0900)
        for value in [0xFEE0_0100, 0xFEE0_0900, 0x12_3456_7000, 0] as [UInt64] { Self.takes(machine, 0x1B, value) }
        // Reserved bits, an address beyond MAXPHYADDR (39 bits here), x2APIC mode from a disabled APIC.
        for value in [0xFEE0_0901, 0xFEE0_0A00, 0xFEE0_0980, 1 << 39 | 0x900, 1 << 63, 0xFEE0_0C00] as [UInt64] {
            Self.refuses(machine, 0x1B, value)
        }
    }

    @Test func `IA32_MISC_ENABLE says of fast strings what the processor does, so that Linux chooses as without Martlet`() {
        #expect(Self.value(TestMachine { $0.registers[0x1A0] = 0x401 }, 0x1A0) == 0x1801)
        #expect(Self.value(TestMachine { $0.registers[0x1A0] = 0x400 }, 0x1A0) == 0x1800)
    }

    @Test func `IA32_MISC_ENABLE keeps BTS and PEBS away, whatever is written`() {
        let machine = TestMachine()
        for value in [0, 0x1801, 0x40_0000, 0x4_00C5_1889] as [UInt64] {
            #expect(Self.write(machine, 0x1A0, value) == .step)
            #expect(Self.value(machine, 0x1A0) == value | 0x1800)
        }
    }

    @Test(arguments: 0..<64 as Range<UInt64>) func `IA32_MISC_ENABLE takes its defined bits and no other`(bit: UInt64) {
        let machine = TestMachine()
        if [0, 3, 7, 11, 12, 16, 18, 22, 23, 34, 38].contains(bit) {
            #expect(Self.write(machine, 0x1A0, 1 << bit) == .step)
            #expect(Self.value(machine, 0x1A0) == 1 << bit | 0x1800)
        } else {
            Self.refuses(machine, 0x1A0, 1 << bit)
        }
    }

    @Test(arguments: [(0x17, 0), (0x3A, 1), (0xCE, 0), (0xFE, 0x508), (0x179, 0x10A)] as [(UInt32, UInt64)])
    func `registers that only tell something cannot be written`(register: UInt32, value: UInt64) {
        let machine = TestMachine()
        #expect(Self.value(machine, register) == value)
        for written in [0, value, .max] { Self.refuses(machine, register, written) }
    }

    @Test func `IA32_BIOS_SIGN_ID tells the processor's microcode version and takes only 0`() {
        let machine = TestMachine { $0.microcodeVersion = 0x1234_5678_0000_0009 }
        #expect(Self.value(machine, 0x8B) == 0x1234_5678_0000_0000)
        #expect(Self.write(machine, 0x8B, 0) == .step)
        Self.refuses(machine, 0x8B, 1)
        #expect(Self.value(machine, 0x8B) == 0x1234_5678_0000_0000)
    }

    @Test func `IA32_ARCH_CAPABILITIES tells what the processor is immune to, and nothing that needs another register`() {
        #expect(Self.value(TestMachine(), 0x10A) == 0x0D1A_E17F)
        #expect(Self.value(TestMachine { $0.registers[0x10A] = 1 << 7 | 1 << 5 }, 0x10A) == 1 << 5)
        // Without the CPUID bit the processor may not have the register: it is not read.
        let machine = TestMachine {
            $0.leaves[7]![0]!.edx &= ~(1 << 29)
            $0.registers[0x10A] = nil
        }
        #expect(machine.host.absentRegisters.isEmpty)
        #expect(Self.read(machine, 0x10A) == .generalProtection)
    }

    @Test func `IA32_XSS takes only 0, and is absent without XSAVES`() {
        let machine = TestMachine()
        Self.takes(machine, 0xDA0, 0)
        for bit in 0..<64 as Range<UInt64> { Self.refuses(machine, 0xDA0, 1 << bit) }
        let without = TestMachine { $0.leaves[0xD]![1]!.eax &= ~(1 << 3) }
        #expect(Self.read(without, 0xDA0) == .generalProtection)
        #expect(Self.write(without, 0xDA0, 0) == .generalProtection)
    }

    @Test func `IA32_DEBUGCTL takes LBR and BTF, which the guest's VM entries load, and no other bit`() {
        let machine = TestMachine()
        for value in 0...3 as ClosedRange<UInt64> {
            Self.takes(machine, 0x1D9, value)
            #expect(machine.vmcs[0x2802] == value)
        }
        for bit in 2..<64 as Range<UInt64> { Self.refuses(machine, 0x1D9, 1 << bit) }
    }

    // MARK: Memory types

    /// What Linux checks of a PC's firmware: memory types on, RAM write-back, video memory and the devices' GiB uncacheable.
    @Test func `the memory-type registers begin as firmware leaves them`() {
        let machine = TestMachine()
        #expect(Self.value(machine, 0x2FF) == 0xC06)
        #expect(Self.value(machine, 0x250) == 0x0606_0606_0606_0606 && Self.value(machine, 0x258) == 0x0606_0606_0606_0606)
        #expect(Self.value(machine, 0x259) == 0)
        for register in 0x268...0x26F as ClosedRange<UInt32> { #expect(Self.value(machine, register) == 0x0505_0505_0505_0505) }
        #expect(Self.value(machine, 0x200) == 0xC000_0000 && Self.value(machine, 0x201) == 0x7F_C000_0800)
        for register in 0x202...0x20F as ClosedRange<UInt32> { #expect(Self.value(machine, register) == 0) }
    }

    @Test func `each memory-type register holds its own value`() {
        let machine = TestMachine()
        let fixed: [UInt32] = [0x250, 0x258, 0x259] + Array(0x268...0x26F)
        for (index, register) in fixed.enumerated() {
            Self.takes(machine, register, 0x0405_0401_0006_0504 ^ UInt64(index % 2) << 56)
        }
        for register in 0x200...0x20F as ClosedRange<UInt32> {
            Self.takes(machine, register, UInt64(register) << 12 | (register % 2 == 0 ? 4 : 0x800))
        }
        for (index, register) in fixed.enumerated() {
            #expect(Self.value(machine, register) == 0x0405_0401_0006_0504 ^ UInt64(index % 2) << 56)
        }
        for register in 0x200...0x20F as ClosedRange<UInt32> {
            #expect(Self.value(machine, register) == UInt64(register) << 12 | (register % 2 == 0 ? 4 : 0x800))
        }
    }

    @Test(arguments: 0..<256 as Range<UInt64>) func `memory-type registers take the five types and no other`(type: UInt64) {
        let machine = TestMachine()
        let isType = [0, 1, 4, 5, 6].contains(type)
        for (register, value) in [(0x2FF, type), (0x200, type), (0x20E, type)] as [(UInt32, UInt64)] {
            if isType { Self.takes(machine, register, value) } else { Self.refuses(machine, register, value) }
        }
        for byte in 0..<8 as Range<UInt64> {
            let value = type << (8 * byte)
            if isType { Self.takes(machine, 0x268, value) } else { Self.refuses(machine, 0x268, value) }
        }
    }

    @Test(arguments: 8..<64 as Range<UInt64>) func `memory-type registers refuse each reserved bit`(bit: UInt64) {
        let machine = TestMachine()
        for (register, defined) in [
            (0x2FF, bit == 10 || bit == 11), (0x200, (12..<39).contains(bit)), (0x201, (11..<39).contains(bit)),
        ] as [(UInt32, Bool)] {
            if defined { Self.takes(machine, register, 1 << bit) } else { Self.refuses(machine, register, 1 << bit) }
        }
        if bit < 19 { Self.refuses(machine, 0x201, 1 << (bit - 8)) }
    }

    // MARK: Machine checks

    @Test func `ten machine-check banks are there and empty, and keep addresses and what else belongs to an error`() {
        let machine = TestMachine()
        for register in 0x400..<0x428 as Range<UInt32> {
            #expect(Self.value(machine, register) == 0)
            Self.takes(machine, register, 0)
            let isKept = register % 4 > 1
            for value in [1, 0x8000_0000_0000_0000, .max - 1] as [UInt64] {
                if isKept { Self.takes(machine, register, value) } else { Self.refuses(machine, register, value) }
            }
            if register % 4 == 0 { Self.takes(machine, register, .max) }
            if register % 4 == 1 { Self.refuses(machine, register, .max) }
            if isKept { Self.takes(machine, register, UInt64(register) << 40 | 0xBAD) }
        }
        for register in 0x400..<0x428 as Range<UInt32> {
            let kept: UInt64 = register % 4 == 0 ? .max : register % 4 == 1 ? 0 : UInt64(register) << 40 | 0xBAD
            #expect(Self.value(machine, register) == kept)
        }
        Self.takes(machine, 0x404, 0)
        #expect(Self.value(machine, 0x400) == .max && Self.value(machine, 0x408) == .max)
        #expect(Self.read(machine, 0x428) == .generalProtection && Self.read(machine, 0x3FF) == .generalProtection)
    }

    @Test func `IA32_MCG_CTL is all zeros or all ones, IA32_MCG_STATUS has three bits`() {
        let machine = TestMachine()
        for value in [.max, 0] as [UInt64] { Self.takes(machine, 0x17B, value) }
        for value in [1, .max - 1] as [UInt64] { Self.refuses(machine, 0x17B, value) }
        for value in 0...7 as ClosedRange<UInt64> { Self.takes(machine, 0x17A, value) }
        for bit in 3..<64 as Range<UInt64> { Self.refuses(machine, 0x17A, 1 << bit) }
    }

    // MARK: All others

    @Test(
        arguments: [0x0, 0x34, 0x79, 0x140, 0x198, 0x345, 0x480, 0x1FFF, 0x4000_0000, 0xC000_0104, 0xC001_0015, 0xFFFF_FFFF]
            as [UInt32])
    func `any other register is refused with a general-protection fault, counted, and nothing changes`(number: UInt32) {
        let machine = TestMachine()
        let before = machine.rip
        #expect(Self.read(machine, number) == .generalProtection)
        #expect(machine.injection == .generalProtection)
        #expect(machine.cpu.registers.rax == .max && machine.cpu.registers.rdx == .max)
        #expect(Self.write(machine, number, 0) == .generalProtection)
        #expect(machine.rip == before)
        #expect(machine.cpu.refusedMSRs == 2)
    }

    /// Numbers and values of every kind; each access must end as a step or as a fault, and the next VM entry must succeed.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func `25,000 random accesses of registers never trap`(seed: UInt64) {
        var random = RandomWords(seed: seed)
        let machine = TestMachine(.protected32, set: .everything)
        let starts: [UInt32] = [
            0, 0, 0x10, 0x80, 0xFE, 0x174, 0x1A0, 0x1D9, 0x200, 0x250, 0x2FF, 0x400, 0xDA0, 0xC000_0080, 0xC000_0100,
        ]
        var faults = 0
        for round in 0..<25_000 {
            let number =
                random.next() % 16 == 0
                ? UInt32(truncatingIfNeeded: random.next())
                : starts[Int(random.next() % UInt64(starts.count))] + UInt32(random.next() % 48)
            let value =
                random.next() % 4 == 0 ? random.next() : random.next() % 3 == 0 ? 1 << (random.next() % 64) : random.next() % 8
            machine.cpu.registers.rcx = UInt64(number)
            machine.cpu.registers.rax = value & 0xFFFF_FFFF
            machine.cpu.registers.rdx = value >> 32
            machine.setExit(random.next() % 2 == 0 ? .rdmsr : .wrmsr, length: 2)
            let before = machine.rip
            #expect(machine.handleExit())
            if machine.rip == before {
                faults += 1
                #expect(machine.injection == .generalProtection)
            } else {
                #expect(machine.rip == before + 2)
            }
            machine.rip = 0x1000
            if round % 500 == 0 { #expect(machine.entryViolations == []) }
        }
        #expect(faults > 5000 && faults < 24_000, "\(faults)")
    }

    // MARK: Time

    @Test func `a write of the time-stamp counter moves the guest's time to the value`() {
        let machine = TestMachine()
        machine.host.time = 5_000_000
        #expect(Self.write(machine, 0x10, 1234) == .step)
        #expect(machine.host.time &+ machine.vmcs[0x2010] == 1234)
    }

    static func time(_ machine: TestMachine) -> UInt64 { machine.host.time &+ machine.vmcs[0x2010] }

    /// SDM volume 3, "Time-Stamp Counter Adjustment".
    @Test func `IA32_TSC_ADJUST and the time-stamp counter move together`() {
        let machine = TestMachine()
        machine.host.time = 5_000_000
        #expect(Self.value(machine, 0x3B) == 0)
        let start = Self.time(machine), offset = machine.vmcs[0x2010]
        #expect(Self.write(machine, 0x10, start + 700) == .step)
        #expect(Self.value(machine, 0x3B) == 700)
        machine.host.time += 1_000
        #expect(Self.write(machine, 0x3B, 100) == .step)
        #expect(Self.time(machine) == start + 1_100 && Self.value(machine, 0x3B) == 100)
        #expect(Self.write(machine, 0x10, 0) == .step)
        #expect(Self.time(machine) == 0 && Self.value(machine, 0x3B) == 0 &- start &- 1_000)
        // Adjusting back to 0 undoes all of it.
        #expect(Self.write(machine, 0x3B, 0) == .step)
        #expect(machine.vmcs[0x2010] == offset)
    }

    @Test(.onVMX) func `a deadline that is set follows a move of the time`() {
        let machine = TestMachine()
        #expect(Self.write(machine, 0x1B, 0xFEE0_0D00) == .step)
        #expect(Self.write(machine, 0x80F, 0x1FF) == .step)
        #expect(Self.write(machine, 0x832, 0x4_0040) == .step)
        let deadline = Self.time(machine) + 100_000
        #expect(Self.write(machine, 0x6E0, deadline) == .step)
        #expect(machine.cpu.apic.nextEvent == machine.cpu.clock.now.advanced(by: 100_000))
        #expect(Self.write(machine, 0x3B, 30_000) == .step)
        #expect(machine.cpu.apic.nextEvent == machine.cpu.clock.now.advanced(by: 70_000))
        #expect(Self.value(machine, 0x6E0) == deadline)
        // Moved past it: the interrupt is requested at once.
        #expect(Self.write(machine, 0x10, deadline) == .step)
        #expect(machine.cpu.apic.nextEvent == .never && Self.value(machine, 0x6E0) == 0)
        #expect(machine.vmcs[0x810] & 0xFF == 0x40)
    }

    @Test(arguments: [.max, 1 << 63, 0x8000_0000] as [UInt64]) func `any value moves the time`(value: UInt64) {
        let machine = TestMachine()
        let start = Self.time(machine)
        #expect(Self.write(machine, 0x3B, value) == .step)
        #expect(Self.value(machine, 0x3B) == value && Self.time(machine) == start &+ value)
        #expect(Self.write(machine, 0x10, value) == .step)
        #expect(Self.time(machine) == value)
    }

    // MARK: EFER

    static let sce: UInt64 = 1, lme: UInt64 = 1 << 8, lma: UInt64 = 1 << 10, nxe: UInt64 = 1 << 11

    static func efer(_ machine: TestMachine) -> UInt64 { machine.vmcs[0x2806] }

    @Test func `EFER takes SCE, LME and NXE while paging is off`() {
        let machine = TestMachine(.protected32)
        #expect(Self.write(machine, 0xC000_0080, Self.sce | Self.lme | Self.nxe) == .step)
        #expect(Self.efer(machine) == Self.sce | Self.lme | Self.nxe)
    }

    @Test(arguments: [1 << 1, 1 << 9, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 63] as [UInt64])
    func `a reserved bit of EFER is refused and EFER stays`(bit: UInt64) {
        let machine = TestMachine(.protected32)
        #expect(Self.write(machine, 0xC000_0080, Self.nxe | bit) == .generalProtection)
        #expect(Self.efer(machine) == 0)
    }

    @Test func `NXE is reserved on a processor without it`() {
        let machine = TestMachine(.protected32) { $0.leaves[0x8000_0001]![0]!.edx &= ~(1 << 20) }
        #expect(Self.write(machine, 0xC000_0080, Self.nxe) == .generalProtection)
        #expect(Self.write(machine, 0xC000_0080, Self.lme) == .step)
    }

    @Test func `LME cannot change while paging is on`() {
        let machine = TestMachine()
        #expect(Self.write(machine, 0xC000_0080, Self.sce) == .generalProtection)
        #expect(Self.efer(machine) == Self.sce | Self.lme | Self.lma)
        let legacy = TestMachine(.pae)
        #expect(Self.write(legacy, 0xC000_0080, Self.lme) == .generalProtection)
        #expect(Self.efer(legacy) == 0)
    }

    @Test func `LMA is the processor's: a write neither sets nor clears it`() {
        let machine = TestMachine()
        #expect(Self.write(machine, 0xC000_0080, Self.lme | Self.nxe) == .step)
        #expect(Self.efer(machine) == Self.lme | Self.lma | Self.nxe)
        let unpaged = TestMachine(.protected32)
        #expect(Self.write(unpaged, 0xC000_0080, Self.lme | Self.lma) == .step)
        #expect(Self.efer(unpaged) == Self.lme)
        #expect(unpaged.vmcs[0x4012] & 1 << 9 == 0)
    }

    @Test func `a change of NXE drops cached translations, other changes keep them`() {
        let machine = TestMachine()
        _ = Self.write(machine, 0xC000_0080, Self.lme | Self.sce)
        #expect(machine.invalidations == [])
        _ = Self.write(machine, 0xC000_0080, Self.lme | Self.nxe)
        #expect(machine.invalidations == [1])
    }

    @Test func `the local APIC and the list of registers have the same numbers`() {
        let pairs: [(ModelSpecificRegister, APICRegister)] = [
            (.endOfInterrupt, .endOfInterrupt), (.interruptCommand, .interruptCommand), (.selfInterrupt, .selfInterrupt),
        ]
        for (register, offset) in pairs { #expect(register.number == offset.msr && register.isInX2APICRange) }
    }
}

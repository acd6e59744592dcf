import Support
import Testing
import Virtualization
import X86

@testable import Machine

@Suite struct MSRTests {
    static let rdmsr: UInt32 = 31
    static let wrmsr: UInt32 = 32

    static func read(_ machine: TestMachine, _ register: UInt32) -> Outcome {
        machine.cpu.registers.rcx = 0xFFFF_FFFF_0000_0000 | UInt64(register)
        machine.cpu.registers.rax = .max
        machine.cpu.registers.rdx = .max
        return machine.exit(rdmsr, length: 2)
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
        return machine.exit(wrmsr, length: 2)
    }

    // MARK: Registers that go through

    @Test(arguments: [0x174, 0x175, 0x176, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0100, 0xC000_0101, 0xC000_0102] as [UInt32])
    func `registers that are the guest's own are read and written without an exit`(number: UInt32) {
        let register = ModelSpecificRegister(number)
        #expect(MSRPolicy.passesReads(register, hasPAT: false, hasAuxiliary: false))
        #expect(MSRPolicy.passesWrites(register, hasPAT: false, hasAuxiliary: false))
    }

    @Test func `PAT and TSC_AUX go through only where the processor switches them for the guest`() {
        #expect(MSRPolicy.passesReads(.pat, hasPAT: true, hasAuxiliary: false))
        #expect(MSRPolicy.passesWrites(.pat, hasPAT: true, hasAuxiliary: false))
        #expect(!MSRPolicy.passesReads(.pat, hasPAT: false, hasAuxiliary: true))
        #expect(!MSRPolicy.passesWrites(.pat, hasPAT: false, hasAuxiliary: true))
        #expect(MSRPolicy.passesReads(.timeStampCounterAux, hasPAT: false, hasAuxiliary: true))
        #expect(MSRPolicy.passesWrites(.timeStampCounterAux, hasPAT: false, hasAuxiliary: true))
        #expect(!MSRPolicy.passesReads(.timeStampCounterAux, hasPAT: true, hasAuxiliary: false))
    }

    @Test func `TSC and EFER are read without an exit and never written without one`() {
        for register in [ModelSpecificRegister.timeStampCounter, .extendedFeatureEnable] {
            #expect(MSRPolicy.passesReads(register, hasPAT: true, hasAuxiliary: true))
            #expect(!MSRPolicy.passesWrites(register, hasPAT: true, hasAuxiliary: true))
        }
    }

    @Test func `no other register of the two bitmap ranges goes through`() {
        let passed: Set<UInt32> = [
            0x10, 0x174, 0x175, 0x176, 0x277, 0xC000_0080, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0100,
            0xC000_0101, 0xC000_0102, 0xC000_0103,
        ]
        for start in [UInt32(0), 0xC000_0000] {
            for number in start..<start + 0x2000 {
                let passes = MSRPolicy.passesReads(.init(number), hasPAT: true, hasAuxiliary: true)
                #expect(passes == passed.contains(number), "MSR \(String(number, radix: 16))")
            }
        }
    }

    // MARK: Emulated registers

    @Test func `IA32_APIC_BASE holds its enable bit and address, and refuses all else`() {
        let machine = TestMachine()
        #expect(Self.value(machine, 0x1B) == 0xFEE0_0900)
        for value in [0xFEE0_0100, 0xFEE0_0900, 0x12_3456_7000, 0] as [UInt64] {
            #expect(Self.write(machine, 0x1B, value) == .step)
            #expect(Self.value(machine, 0x1B) == value)
        }
        // x2APIC mode (bit 10), reserved bits, an address beyond MAXPHYADDR (39 bits here).
        for value in [0xFEE0_0D00, 0xFEE0_0901, 0xFEE0_0A00, 0xFEE0_0980, 1 << 39 | 0x900, 1 << 63] as [UInt64] {
            #expect(Self.write(machine, 0x1B, value) == .generalProtection)
            #expect(Self.value(machine, 0x1B) == 0)
        }
    }

    @Test func `IA32_MISC_ENABLE keeps fast strings on whatever is written`() {
        let machine = TestMachine()
        #expect(Self.value(machine, 0x1A0) == 1)
        #expect(Self.write(machine, 0x1A0, 0x40_0000) == .step)
        #expect(Self.value(machine, 0x1A0) == 0x40_0001)
    }

    @Test func `IA32_FEATURE_CONTROL reads as locked and cannot be written`() {
        let machine = TestMachine()
        #expect(Self.value(machine, 0x3A) == 1)
        #expect(Self.write(machine, 0x3A, 5) == .generalProtection)
        #expect(Self.value(machine, 0x3A) == 1)
    }

    @Test func `IA32_BIOS_SIGN_ID reads 0 and takes only 0`() {
        let machine = TestMachine()
        #expect(Self.value(machine, 0x8B) == 0)
        #expect(Self.write(machine, 0x8B, 0) == .step)
        #expect(Self.write(machine, 0x8B, 1) == .generalProtection)
        #expect(Self.value(machine, 0x8B) == 0)
    }

    @Test(arguments: [0x0, 0x17, 0xFE, 0x1D9, 0x2FF, 0x480, 0x800, 0x1FFF, 0x4000_0000, 0xC000_0104, 0xC001_0000, 0xFFFF_FFFF] as [UInt32])
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

    @Test func `a write of the time-stamp counter moves the guest's time to the value`() {
        let machine = TestMachine()
        machine.host.time = 5_000_000
        #expect(Self.write(machine, 0x10, 1234) == .step)
        #expect(machine.host.time &+ machine.vmcs[0x2010] == 1234)
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

    // MARK: Time

    @Test func `RDTSC and RDTSCP give the guest's time in EDX and EAX, upper halves zero`() {
        let machine = TestMachine()
        machine.host.time = 0x0000_0012_0000_0034
        machine.vmcs[0x2010] = 1
        machine.cpu.registers.rcx = .max
        #expect(machine.exit(16, length: 2) == .step)
        #expect(machine.cpu.registers.rax == 0x35 && machine.cpu.registers.rdx == 0x12)
        #expect(machine.cpu.registers.rcx == .max)
        #expect(machine.exit(51, length: 3) == .step)
        #expect(machine.cpu.registers.rax == 0x35 && machine.cpu.registers.rdx == 0x12 && machine.cpu.registers.rcx == 0)
    }

    @Test func `RDTSC faults outside ring 0 under CR4.TSD only`() {
        let machine = TestMachine()
        machine.enterUserMode()
        #expect(machine.exit(16, length: 2) == .step)
        machine.processor.cr4 = .physicalAddressExtension | .timeStampDisable
        #expect(machine.exit(16, length: 2) == .generalProtection)
        #expect(machine.exit(51, length: 3) == .generalProtection)
    }
}

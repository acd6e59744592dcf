import Support
import Testing
import Virtualization
import X86

@testable import Machine

/// CR0, CR3 and CR4 as a guest writes them: what is refused, with nothing changed, and what follows from what is taken.
@Suite struct ControlRegisterTests {
    static let pe: UInt64 = 1, et: UInt64 = 1 << 4, ne: UInt64 = 1 << 5, wp: UInt64 = 1 << 16
    static let nw: UInt64 = 1 << 29, cd: UInt64 = 1 << 30, pg: UInt64 = 1 << 31
    static let pae: UInt64 = 1 << 5, pge: UInt64 = 1 << 7, pcide: UInt64 = 1 << 17, smep: UInt64 = 1 << 20

    /// MOV CRn, RBX as the guest executes it.
    static func write(_ register: UInt64, _ value: UInt64, on machine: TestMachine) -> Outcome {
        machine.cpu.registers.rbx = value
        return machine.exit(.controlRegisterAccess, qualification: 3 << 8 | register, length: 3)
    }

    /// All that a refused write must leave as it was.
    static func state(_ machine: TestMachine) -> [UInt32: UInt64] {
        var contents = machine.vmcs.contents
        // Exit information, the event that is injected, and RF, which goes with it.
        for field in [
            0x4016, 0x4018, 0x401A, 0x4402, 0x4404, 0x4406, 0x4408, 0x440A, 0x440C, 0x440E, 0x2400, 0x6400, 0x640A, 0x6820,
        ] as [UInt32] {
            contents[field] = nil
        }
        return contents
    }

    static func refuses(_ register: UInt64, _ value: UInt64, on machine: TestMachine) {
        let before = state(machine)
        #expect(write(register, value, on: machine) == .generalProtection)
        #expect(machine.injection == .generalProtection)
        #expect(state(machine) == before)
        #expect(machine.invalidations == [])
    }

    // MARK: CR0

    @Test(.onVMX) func `CR0 reads back as written, while the processor's has the bits that VMX fixes`() {
        let machine = TestMachine(.protected32)
        #expect(Self.write(0, Self.pe | Self.et | Self.wp | Self.cd | Self.nw, on: machine) == .step)
        #expect(machine.processor.cr0.rawValue == Self.pe | Self.et | Self.wp | Self.cd | Self.nw)
        #expect(machine.vmcs[0x6004] == Self.pe | Self.et | Self.wp | Self.cd | Self.nw)  // the read shadow
        // NE is forced; CD and NW would slow the whole processor.
        #expect(machine.vmcs[0x6800] == Self.pe | Self.et | Self.wp | Self.ne)
    }

    @Test func `ET always reads 1, and reserved bits of the low half stay 0 without a fault`() {
        let machine = TestMachine(.protected32)
        #expect(Self.write(0, Self.pe | 1 << 6 | 1 << 15 | 1 << 17 | 1 << 28, on: machine) == .step)
        #expect(machine.processor.cr0.rawValue == Self.pe | Self.et)
    }

    @Test func `CR0 refuses bits of the upper half`() {
        Self.refuses(0, Self.pe | Self.pg | Self.et | 1 << 32, on: TestMachine(.long64))
    }

    @Test func `outside 64-bit mode the upper half of the register does not count`() {
        let machine = TestMachine(.protected32)
        #expect(Self.write(0, 0xFFFF_FFFF_0000_0000 | Self.pe | Self.et, on: machine) == .step)
        #expect(machine.processor.cr0.rawValue == Self.pe | Self.et)
    }

    @Test func `CR0 refuses paging without protection`() { Self.refuses(0, Self.pg | Self.et, on: TestMachine(.protected32)) }

    @Test func `CR0 refuses NW without CD`() { Self.refuses(0, Self.pe | Self.et | Self.nw, on: TestMachine(.protected32)) }

    @Test func `CR0 refuses paging in long mode without PAE`() {
        let machine = TestMachine(.protected32)
        machine.processor.extendedFeatures = .longModeEnable
        Self.refuses(0, Self.pe | Self.pg | Self.et, on: machine)
    }

    @Test func `CR0 refuses to activate long mode from a code segment with L set`() {
        let machine = TestMachine(.protected32)
        machine.processor.extendedFeatures = .longModeEnable
        machine.processor.cr4 = .physicalAddressExtension
        machine.processor.setSegment(.cs, .init(selector: 8, base: 0, limit: .max, attributes: .code64))
        Self.refuses(0, Self.pe | Self.pg | Self.et, on: machine)
    }

    /// SDM volume 3, "Initializing IA-32e Mode". A VM entry with such a TR would fail.
    @Test func `CR0 refuses to activate long mode with a 16-bit task-state segment`() {
        let machine = TestMachine(.protected32)
        machine.processor.extendedFeatures = .longModeEnable
        machine.processor.cr4 = .physicalAddressExtension
        machine.processor.setSegment(.tr, .init(selector: 24, base: 0, limit: 0x67, attributes: .init(rawValue: 0x83)))
        Self.refuses(0, Self.pe | Self.pg | Self.et, on: machine)
    }

    @Test func `paging on with LME activates long mode, and paging off ends it`() {
        let machine = TestMachine(.compatibility32)
        #expect(Self.write(0, Self.pe | Self.et, on: machine) == .step)
        #expect(machine.vmcs[0x2806] & 1 << 10 == 0)
        #expect(machine.vmcs[0x4012] & 1 << 9 == 0)
        #expect(machine.vmcs[0x2806] & 1 << 8 != 0)
        #expect(Self.write(0, Self.pe | Self.pg | Self.et, on: machine) == .step)
        #expect(machine.vmcs[0x2806] & 1 << 10 != 0)
        #expect(machine.vmcs[0x4012] & 1 << 9 != 0)
        #expect(machine.invalidations == [1, 1])
    }

    @Test func `paging cannot be turned off in 64-bit code`() { Self.refuses(0, Self.pe | Self.et, on: TestMachine(.long64)) }

    @Test func `paging cannot be turned off while PCIDE is set`() {
        let machine = TestMachine(.compatibility32)
        machine.processor.cr4 = .physicalAddressExtension | .processContextIdentifiers
        Self.refuses(0, Self.pe | Self.et, on: machine)
    }

    @Test func `changes of WP keep cached translations, changes of PE drop them`() {
        let machine = TestMachine(.protected32)
        _ = Self.write(0, Self.pe | Self.et | Self.wp, on: machine)
        #expect(machine.invalidations == [])
        _ = Self.write(0, Self.et, on: machine)
        #expect(machine.invalidations == [1])
    }

    @Test func `a write from RSP takes the guest's stack pointer`() {
        let machine = TestMachine(.protected32)
        machine.vmcs[0x681C] = Self.pe | Self.et | Self.wp
        #expect(machine.exit(.controlRegisterAccess, qualification: 4 << 8, length: 3) == .step)
        #expect(machine.processor.cr0.rawValue == Self.pe | Self.et | Self.wp)
    }

    @Test func `CLTS clears TS alone`() {
        let machine = TestMachine(.protected32)
        machine.processor.cr0 = .init(rawValue: Self.pe | Self.et | 0b1110)
        #expect(machine.exit(.controlRegisterAccess, qualification: 2 << 4, length: 2) == .step)
        #expect(machine.processor.cr0.rawValue == Self.pe | Self.et | 0b0110)
    }

    @Test func `LMSW writes four bits and cannot clear PE`() {
        let machine = TestMachine(.protected32)
        machine.processor.cr0 = .init(rawValue: Self.pe | Self.et | Self.wp | 0b1010)
        #expect(machine.exit(.controlRegisterAccess, qualification: 0xFFF4 << 16 | 3 << 4, length: 3) == .step)
        #expect(machine.processor.cr0.rawValue == Self.pe | Self.et | Self.wp | 0b0100)
        let real = TestMachine(.real)
        #expect(real.exit(.controlRegisterAccess, qualification: 1 << 16 | 3 << 4, length: 3) == .step)
        #expect(real.processor.cr0.rawValue == Self.pe | Self.et)
    }

    // MARK: PAE page-directory pointers

    @Test func `paging on under PAE loads the four page-directory pointers`() {
        let machine = TestMachine(.protected32)
        machine.processor.cr4 = .physicalAddressExtension
        machine.processor.cr3 = 0x20FE0 | 0x18  // bits 4:0 are no part of the address
        machine.ram.put64(0x3001, at: 0x20FE0)
        machine.ram.put64(0x4019, at: 0x20FE8)
        machine.ram.put64(0xFFFF_FFFF_FFFF_FFFE, at: 0x20FF0)  // not present: reserved bits do not count
        machine.ram.put64(0x6001, at: 0x20FF8)
        #expect(Self.write(0, Self.pe | Self.pg | Self.et, on: machine) == .step)
        #expect(
            [machine.vmcs[0x280A], machine.vmcs[0x280C], machine.vmcs[0x280E], machine.vmcs[0x2810]] == [
                0x3001, 0x4019, 0xFFFF_FFFF_FFFF_FFFE, 0x6001,
            ])
    }

    @Test(arguments: [1 << 1, 1 << 2, 1 << 5, 1 << 8, 1 << 39, 1 << 63] as [UInt64])
    func `a present page-directory pointer with a reserved bit refuses the write`(bit: UInt64) {
        let machine = TestMachine(.protected32)
        machine.processor.cr4 = .physicalAddressExtension
        machine.processor.cr3 = 0x20000
        machine.ram.put64(0x3001 | bit, at: 0x20018)
        Self.refuses(0, Self.pe | Self.pg | Self.et, on: machine)
    }

    @Test func `page-directory pointers in absent memory refuse the write`() {
        let machine = TestMachine(.protected32)
        machine.processor.cr4 = .physicalAddressExtension
        machine.processor.cr3 = UInt64(TestMachine.ramSize)
        Self.refuses(0, Self.pe | Self.pg | Self.et, on: machine)
    }

    @Test(arguments: [1 << 4, 1 << 7, 1 << 20] as [UInt64])
    func `a change of PSE, PGE or SMEP under PAE paging loads the pointers anew`(bit: UInt64) {
        let machine = TestMachine(.pae)
        machine.ram.put64(0x5001, at: TestMachine.Table.pointersPAE + 8)
        #expect(Self.write(4, Self.pae | bit, on: machine) == .step)
        #expect(machine.vmcs[0x280C] == 0x5001)
        machine.ram.put64(0x5003, at: TestMachine.Table.pointersPAE + 8)
        let before = Self.state(machine)
        #expect(Self.write(4, Self.pae, on: machine) == .generalProtection)
        #expect(Self.state(machine) == before)
    }

    // MARK: CR3

    @Test func `CR3 can be written and read`() {
        let machine = TestMachine()
        #expect(Self.write(3, 0x12_3000, on: machine) == .step)
        #expect(machine.vmcs[0x6802] == 0x12_3000)
        #expect(machine.invalidations == [1])
        machine.cpu.registers.rbp = 0
        #expect(machine.exit(.controlRegisterAccess, qualification: 5 << 8 | 1 << 4 | 3, length: 3) == .step)
        #expect(machine.cpu.registers.rbp == 0x12_3000)
        #expect(machine.exit(.controlRegisterAccess, qualification: 4 << 8 | 1 << 4 | 3, length: 3) == .step)
        #expect(machine.vmcs[0x681C] == 0x12_3000)
    }

    @Test(arguments: [1 << 39, 1 << 52, 1 << 62, 1 << 63] as [UInt64])
    func `CR3 refuses an address beyond the processor's width`(bit: UInt64) { Self.refuses(3, bit | 0x1000, on: TestMachine()) }

    @Test func `with PCIDE bit 63 of CR3 keeps translations and is not stored`() {
        let machine = TestMachine()
        machine.processor.cr4 = .physicalAddressExtension | .processContextIdentifiers
        #expect(Self.write(3, 1 << 63 | 0x1005, on: machine) == .step)
        #expect(machine.vmcs[0x6802] == 0x1005)
        #expect(machine.invalidations == [])
        #expect(Self.write(3, 0x1006, on: machine) == .step)
        #expect(machine.invalidations == [1])
    }

    @Test func `CR3 under PAE paging loads the pointers, and refuses wrong ones`() {
        let machine = TestMachine(.pae)
        machine.ram.put64(0x3001, at: 0x20020)
        #expect(Self.write(3, 0x20020, on: machine) == .step)
        #expect(machine.vmcs[0x280A] == 0x3001)
        machine.ram.put64(0x3003, at: 0x20040)
        let before = Self.state(machine)
        #expect(Self.write(3, 0x20040, on: machine) == .generalProtection)
        #expect(Self.state(machine) == before)
    }

    // MARK: CR4

    @Test(.onVMX) func `CR4 reads back as written, while the processor's keeps VMXE and MCE`() {
        let machine = TestMachine()
        #expect(Self.write(4, Self.pae | 1 << 9 | 1 << 18, on: machine) == .step)
        #expect(machine.processor.cr4.rawValue == Self.pae | 1 << 9 | 1 << 18)
        #expect(machine.vmcs[0x6006] == Self.pae | 1 << 9 | 1 << 18)
        #expect(machine.vmcs[0x6804] == Self.pae | 1 << 9 | 1 << 18 | 1 << 13 | 1 << 6)
    }

    @Test(arguments: Array(13...15) + [19] + Array(23...63) as [UInt64])
    func `CR4 refuses bits that the guest's processor does not have`(bit: UInt64) {
        Self.refuses(4, Self.pae | 1 << bit, on: TestMachine(set: .everything))
    }

    @Test(arguments: [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 16, 18, 20, 21, 22] as [UInt64])
    func `CR4 takes each bit that the guest's processor has`(bit: UInt64) {
        let machine = TestMachine(set: .everything)
        #expect(Self.write(4, Self.pae | 1 << bit, on: machine) == .step)
        #expect(machine.processor.cr4.rawValue == Self.pae | 1 << bit)
    }

    @Test func `CR4 takes MCE, which the guest sees as it wrote it, and machine checks stay the host's`() {
        let machine = TestMachine()
        #expect(machine.processor.cr4.rawValue & 1 << 6 == 0)
        #expect(machine.vmcs[0x6804] & 1 << 6 != 0)
        #expect(Self.write(4, Self.pae | 1 << 6, on: machine) == .step)
        #expect(Self.write(4, Self.pae, on: machine) == .step)
        #expect(machine.vmcs[0x6804] & 1 << 6 != 0 && machine.vmcs[0x6006] & 1 << 6 == 0)
    }

    @Test(arguments: [11, 12, 22] as [UInt64])
    func `CR4 refuses UMIP, LA57 and PKE where VMX does not let a guest have them`(bit: UInt64) {
        Self.refuses(4, bit == 12 ? 1 << bit : Self.pae | 1 << bit, on: TestMachine(bit == 12 ? .protected32 : .long64))
    }

    @Test(arguments: [(11, 2), (12, 16), (22, 3)] as [(UInt64, UInt32)])
    func `CR4 refuses UMIP, LA57 and PKE where CPUID lacks them`(bit: UInt64, feature: UInt32) {
        let machine = TestMachine(.protected32, set: .everything) { $0.leaves[7]![0]!.ecx &= ~(1 << feature) }
        Self.refuses(4, 1 << bit, on: machine)
        #expect(Self.write(4, 1 << bit, on: TestMachine(.protected32, set: .everything)) == .step)
    }

    @Test func `LA57 cannot change in long mode, and drops cached translations elsewhere`() {
        let machine = TestMachine(.long64, set: .everything)
        Self.refuses(4, Self.pae | 1 << 12, on: machine)
        machine.processor.cr4 = .physicalAddressExtension | .fiveLevelPaging
        Self.refuses(4, Self.pae, on: machine)
        let unpaged = TestMachine(.protected32, set: .everything)
        #expect(Self.write(4, Self.pae | 1 << 12, on: unpaged) == .step)
        #expect(unpaged.invalidations == [1])
    }

    /// What a context switch, a system call or a page fault touches.
    @Test(.onVMX) func `the guest owns TS, WP, MP, EM, ET and AM of CR0, and PGE, PCIDE, TSD and the like of CR4`() {
        let machine = TestMachine(set: .everything)
        let owned: ControlRegister0 =
            .monitorCoprocessor | .emulation | .taskSwitched | .extensionType | .writeProtect | .alignmentMask
        #expect(~machine.vmcs[0x6000] & 0xFFFF_FFFF == owned.rawValue)
        let kept: UInt64 = 1 << 6 | 1 << 13 | 1 << 18 | 1 << 22
        #expect(~machine.vmcs[0x6002] == machine.cpu.features.cr4.rawValue & ~kept)
    }

    @Test(arguments: [(16, 0), (20, 7), (21, 20)] as [(UInt64, UInt32)])
    func `CR4 refuses FSGSBASE, SMEP and SMAP where CPUID lacks them`(bit: UInt64, feature: UInt32) {
        let machine = TestMachine { $0.leaves[7]![0]!.ebx &= ~(1 << feature) }
        Self.refuses(4, Self.pae | 1 << bit, on: machine)
        #expect(Self.write(4, Self.pae | 1 << bit, on: TestMachine()) == .step)
    }

    @Test(arguments: [(17, 17), (18, 26)] as [(UInt64, UInt32)])
    func `CR4 refuses PCIDE and OSXSAVE where CPUID lacks them`(bit: UInt64, feature: UInt32) {
        let machine = TestMachine { $0.leaves[1]![0]!.ecx &= ~(1 << feature) }
        Self.refuses(4, Self.pae | 1 << bit, on: machine)
        #expect(Self.write(4, Self.pae | 1 << bit, on: TestMachine()) == .step)
    }

    @Test func `PAE cannot be cleared in long mode`() {
        Self.refuses(4, 0, on: TestMachine(.long64))
        Self.refuses(4, 0, on: TestMachine(.compatibility32))
    }

    @Test func `PCIDE can be set only in long mode with a CR3 whose low bits are 0`() {
        Self.refuses(4, Self.pae | Self.pcide, on: TestMachine(.pae))
        let machine = TestMachine()
        machine.processor.cr3 = UInt64(TestMachine.Table.level4) | 8
        Self.refuses(4, Self.pae | Self.pcide, on: machine)
        machine.processor.cr3 = UInt64(TestMachine.Table.level4)
        #expect(Self.write(4, Self.pae | Self.pcide, on: machine) == .step)
        // Once set, the low bits of CR3 are an identifier, and PCIDE may stay set or be cleared.
        machine.processor.cr3 |= 8
        #expect(Self.write(4, Self.pae | Self.pcide | Self.pge, on: machine) == .step)
        #expect(Self.write(4, Self.pae, on: machine) == .step)
    }

    @Test(arguments: [4, 7, 17, 20, 21] as [UInt64])
    func `changes of PSE, PGE, PCIDE, SMEP and SMAP drop cached translations`(bit: UInt64) {
        let machine = TestMachine()
        #expect(Self.write(4, Self.pae | 1 << bit, on: machine) == .step)
        #expect(machine.invalidations == [1])
    }

    @Test func `a change of OSFXSR keeps cached translations`() {
        let machine = TestMachine()
        #expect(Self.write(4, Self.pae | 1 << 9, on: machine) == .step)
        #expect(machine.invalidations == [])
    }

    @Test func `CR8, where it exits, is the task priority class and refuses more than four bits`() {
        let machine = TestMachine()
        #expect(Self.write(8, 9, on: machine) == .step)
        machine.cpu.registers.rbp = .max
        #expect(machine.exit(.controlRegisterAccess, qualification: 5 << 8 | 1 << 4 | 8, length: 3) == .step)
        #expect(machine.cpu.registers.rbp == 9)
        for bit in 4..<64 as Range<UInt64> { #expect(Self.write(8, 1 << bit, on: machine) == .generalProtection) }
        #expect(machine.cpu.apic.taskPriority == 0x90)
    }

    @Test func `debug-register exits, which no control asks for, end the guest`() {
        #expect(TestMachine().exit(.movDR, qualification: 7, length: 3) == .end(.unsupported(.controlNotSet)))
    }

    // MARK: XSETBV

    static func setExtendedControl(_ value: UInt64, index: UInt64 = 0, on machine: TestMachine) -> Outcome {
        machine.cpu.registers.rcx = 0xFFFF_FFFF_0000_0000 | index
        machine.cpu.registers.rax = 0xFFFF_FFFF_0000_0000 | value & 0xFFFF_FFFF
        machine.cpu.registers.rdx = 0xFFFF_FFFF_0000_0000 | value >> 32
        return machine.exit(.xsetbv, length: 3)
    }

    static func machineWithXSAVE() -> TestMachine {
        let machine = TestMachine()
        machine.processor.cr4 = .physicalAddressExtension | .xsave
        return machine
    }

    @Test(arguments: [1, 3, 7, 0xE7] as [UInt64]) func `XSETBV takes every sound value`(value: UInt64) {
        let machine = Self.machineWithXSAVE()
        #expect(Self.setExtendedControl(value, on: machine) == .step)
        #expect(machine.host.extendedControl == value)
    }

    @Test(
        arguments: [
            0, 2, 6,  // without x87
            5,  // AVX without SSE
            0x27, 0x47, 0x87, 0x67, 0xC7,  // a part of AVX-512
            0xE1, 0xE3,  // AVX-512 without AVX
            0xB, 0x13, 0x203, 1 << 32 | 1, 1 << 63 | 1,  // not offered: MPX, protection keys and beyond
        ] as [UInt64])
    func `XSETBV refuses unsound values`(value: UInt64) {
        let machine = Self.machineWithXSAVE()
        #expect(Self.setExtendedControl(value, on: machine) == .generalProtection)
        #expect(machine.host.extendedControl == 1)
    }

    @Test func `XSETBV is an invalid opcode without OSXSAVE, and faults outside ring 0 and for other registers`() {
        let machine = TestMachine()
        #expect(Self.setExtendedControl(1, on: machine) == .invalidOpcode)
        machine.processor.cr4 = .physicalAddressExtension | .xsave
        #expect(Self.setExtendedControl(3, index: 1, on: machine) == .generalProtection)
        machine.enterUserMode()
        #expect(Self.setExtendedControl(3, on: machine) == .generalProtection)
        #expect(machine.host.extendedControl == 1)
    }

    @Test func `XSETBV offers no AVX on a processor without it`() {
        let machine = TestMachine { $0.leaves[0xD]![0]!.eax = 3 }
        machine.processor.cr4 = .physicalAddressExtension | .xsave
        #expect(Self.setExtendedControl(7, on: machine) == .generalProtection)
        #expect(Self.setExtendedControl(3, on: machine) == .step)
    }
}

import Support
import Testing
import Virtualization
import X86

@testable import Machine

@Suite struct CPUIDTests {
    /// CPUID as the guest executes it: the four registers afterwards.
    static func ask(_ machine: TestMachine, _ leaf: UInt64, _ subleaf: UInt64 = 0) -> CPUIDResult {
        machine.cpu.registers.rax = leaf
        machine.cpu.registers.rcx = subleaf
        #expect(machine.exit(10, length: 2) == .step)
        let registers = machine.cpu.registers
        return CPUIDResult(
            eax: UInt32(truncatingIfNeeded: registers.rax), ebx: UInt32(truncatingIfNeeded: registers.rbx),
            ecx: UInt32(truncatingIfNeeded: registers.rcx), edx: UInt32(truncatingIfNeeded: registers.rdx))
    }

    static func result(_ eax: UInt32, _ ebx: UInt32, _ ecx: UInt32, _ edx: UInt32) -> CPUIDResult {
        .init(eax: eax, ebx: ebx, ecx: ecx, edx: edx)
    }

    @Test func `CPUID zeroes the upper halves of RAX, RBX, RCX and RDX and leaves other registers alone`() {
        for observed in [true, false] {
            let machine = TestMachine()
            machine.cpu.registers.rax = 0xFFFF_FFFF_0000_0000
            machine.cpu.registers.rbx = .max
            machine.cpu.registers.rcx = 0xFFFF_FFFF_0000_0000
            machine.cpu.registers.rdx = .max
            machine.cpu.registers.rsi = .max
            machine.cpu.registers.r15 = .max
            machine.setExit(10, length: 2)
            if observed { machine.exit(10, length: 2) } else { #expect(machine.handleUnobserved()) }
            let registers = machine.cpu.registers
            #expect(registers.rax == 0x16)
            #expect(registers.rbx == 0x756E_6547)
            #expect(registers.rcx == 0x6C65_746E)
            #expect(registers.rdx == 0x4965_6E69)
            #expect(registers.rsi == .max && registers.r15 == .max)
            #expect(machine.rip == 0x10002)
        }
    }

    @Test func `CPUID takes the leaf from EAX and the subleaf from ECX, not from their upper halves`() {
        let machine = TestMachine()
        #expect(Self.ask(machine, 0xFFFF_FFFF_0000_0004, 0xFFFF_FFFF_0000_0002) == Self.result(0x4143 & 0x3FFF, 0x03C0_003F, 0x3FF, 0))
    }

    @Test func `leaf 0 shows the vendor and no leaf above 16H`() {
        let machine = TestMachine { $0.leaves[0]![0]!.eax = 0x20 }
        #expect(Self.ask(machine, 0) == Self.result(0x16, 0x756E_6547, 0x6C65_746E, 0x4965_6E69))
        let small = TestMachine { $0.leaves[0]![0]!.eax = 0xD }
        #expect(Self.ask(small, 0).eax == 0xD)
    }

    @Test func `leaf 1 shows only the listed features of a processor that claims all`() {
        let answer = Self.ask(TestMachine(), 1)
        #expect(answer.eax == 0x0005_0654)
        #expect(answer.ebx == 0x0001_0800)  // one processor, CLFLUSH size kept, APIC ID 0, no brand index
        let ecx: [UInt32] = [0, 1, 9, 12, 13, 17, 19, 20, 22, 23, 25, 26, 28, 29, 30, 31]
        #expect(answer.ecx == ecx.reduce(0) { $0 | 1 << $1 })
        let edx: [UInt32] = [0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 13, 15, 16, 17, 19, 23, 24, 25, 26, 27]
        #expect(answer.edx == edx.reduce(0) { $0 | 1 << $1 })
    }

    @Test func `leaf 1 shows no feature that the processor lacks, but the hypervisor bit`() {
        let machine = TestMachine { $0.leaves[1]![0]! = Self.result(1, 0, 0, 0) }
        #expect(Self.ask(machine, 1) == Self.result(1, 1 << 16, 1 << 31, 1 << 9))
    }

    @Test func `OSXSAVE in leaf 1 follows the guest's CR4`() {
        let machine = TestMachine()
        let osxsave: UInt32 = 1 << 27
        #expect(Self.ask(machine, 1).ecx & osxsave == 0)
        machine.cpu.registers.rbx = 0x4_0020
        #expect(machine.exit(28, qualification: 0x304, length: 3) == .step)
        #expect(Self.ask(machine, 1).ecx & osxsave != 0)
        machine.cpu.registers.rbx = 0x20
        #expect(machine.exit(28, qualification: 0x304, length: 3) == .step)
        #expect(Self.ask(machine, 1).ecx & osxsave == 0)
    }

    @Test func `leaf 4 shows each cache as one processor's own`() {
        let machine = TestMachine()
        #expect(Self.ask(machine, 4, 0) == Self.result(0x0121, 0x01C0_003F, 0x3F, 0))
        #expect(Self.ask(machine, 4, 3) == Self.result(0x0163, 0x0280_003F, 0x7FF, 4))
        #expect(Self.ask(machine, 4, 4) == .zero)
    }

    @Test func `leaf 7 shows only the listed features, and one subleaf`() {
        let machine = TestMachine()
        let answer = Self.ask(machine, 7)
        #expect(answer.eax == 0)
        let ebx: [UInt32] = [0, 3, 5, 7, 8, 9, 10, 16, 17, 18, 19, 20, 21, 23, 24, 28, 29, 30, 31]
        #expect(answer.ebx == ebx.reduce(0) { $0 | 1 << $1 })
        let ecx: [UInt32] = [1, 2, 6, 8, 9, 10, 11, 12, 14, 22]
        #expect(answer.ecx == ecx.reduce(0) { $0 | 1 << $1 })
        #expect(answer.edx == 1 << 4)
        #expect(Self.ask(machine, 7, 1) == .zero)
    }

    @Test func `RDTSCP, RDPID and INVPCID are hidden where the hypervisor cannot enable them`() {
        let host = SimulatedHost()
        let policy = CPUIDPolicy(offersRDTSCP: false, offersINVPCID: false)
        #expect(policy.answer(7, 0, from: host, osxsave: false).ebx & 1 << 10 == 0)
        #expect(policy.answer(7, 0, from: host, osxsave: false).ecx & 1 << 22 == 0)
        #expect(policy.answer(0x8000_0001, 0, from: host, osxsave: false).edx & 1 << 27 == 0)
        // A processor without the controls makes a machine without the features.
        let machine = TestMachine(set: .arrandale)
        #expect(Self.ask(machine, 7).ebx & 1 << 10 == 0)
        #expect(Self.ask(machine, 0x8000_0001).edx & 1 << 27 != 0)
    }

    @Test func `leaf BH shows one processor at every level`() {
        let machine = TestMachine()
        #expect(Self.ask(machine, 0xB, 0) == Self.result(0, 1, 0x100, 0))
        #expect(Self.ask(machine, 0xB, 1) == Self.result(0, 1, 0x201, 0))
        #expect(Self.ask(machine, 0xB, 2) == Self.result(0, 0, 2, 0))
    }

    @Test func `leaf DH shows x87, SSE, AVX and AVX-512 state and the size that they take`() {
        let machine = TestMachine()
        #expect(Self.ask(machine, 0xD, 0) == Self.result(0xE7, 2696, 2688, 0))
        #expect(Self.ask(machine, 0xD, 1) == Self.result(7, 2696, 0, 0))  // no XSAVES, no supervisor state
        #expect(Self.ask(machine, 0xD, 2) == Self.result(256, 576, 0, 0))
        #expect(Self.ask(machine, 0xD, 3) == .zero)  // MPX
        #expect(Self.ask(machine, 0xD, 7) == Self.result(1024, 1664, 0, 0))
        #expect(Self.ask(machine, 0xD, 8) == .zero)
        #expect(Self.ask(machine, 0xD, 63) == .zero)
    }

    @Test func `the hypervisor leaf shows Martlet's signature`() {
        let answer = Self.ask(TestMachine(), 0x4000_0000)
        let bytes = [answer.ebx, answer.ecx, answer.edx].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        #expect(String(decoding: bytes, as: UTF8.self) == "MartletMartl")
        #expect(answer.eax == 0x4000_0000)
    }

    @Test func `extended leaves show only listed features and nothing above 80000008H`() {
        let machine = TestMachine { $0.leaves[0x8000_0000]![0]!.eax = 0x8000_001F }
        #expect(Self.ask(machine, 0x8000_0000) == Self.result(0x8000_0008, 0, 0, 0))
        #expect(Self.ask(machine, 0x8000_0001) == Self.result(7, 0, 1 << 0 | 1 << 5 | 1 << 8, 1 << 11 | 1 << 20 | 1 << 26 | 1 << 27 | 1 << 29))
        #expect(Self.ask(machine, 0x8000_0002) == SimulatedHost.skylakeX[0x8000_0002]![0]!)
        #expect(Self.ask(machine, 0x8000_0007) == Self.result(0, 0, 0, 1 << 8))
        #expect(Self.ask(machine, 0x8000_0008) == Self.result(0x3027, 0, 0, 0))
    }

    @Test(arguments: [0x3, 0x5, 0x6, 0x8, 0xA, 0xF, 0x10, 0x14] as [UInt64])
    func `leaves without a policy are zero`(leaf: UInt64) {
        let machine = TestMachine { $0.leaves[UInt32(leaf)] = [0: Self.result(1, 2, 3, 4)] }
        #expect(Self.ask(machine, leaf) == .zero)
    }

    @Test(arguments: [0x17, 0x1F, 0x20, 0x4000_0001, 0x7FFF_FFFF, 0x8000_0009, 0x8000_001F, 0x8000_0020, 0xFFFF_FFFF] as [UInt64])
    func `a leaf above the highest gives what the highest basic leaf gives`(leaf: UInt64) {
        #expect(Self.ask(TestMachine(), leaf) == Self.result(3500, 4500, 100, 0))
    }

    /// SDM volume 2, "CPUID": any dependence on ECX of the highest basic leaf is honoured.
    @Test(arguments: [0xE, 0x1F, 0x20, 0x8000_0009] as [UInt64])
    func `a leaf above the highest follows ECX if the highest basic leaf does`(leaf: UInt64) {
        let machine = TestMachine { $0.leaves[0]![0]!.eax = 0xD }
        #expect(Self.ask(machine, leaf, 2) == Self.result(256, 576, 0, 0))
        #expect(Self.ask(machine, leaf, 3) == .zero)
    }
}

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
        #expect(machine.exit(.cpuid, length: 2) == .step)
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
            machine.setExit(.cpuid, length: 2)
            if observed { machine.exit(.cpuid, length: 2) } else { #expect(machine.handleExit()) }
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
        #expect(
            Self.ask(machine, 0xFFFF_FFFF_0000_0004, 0xFFFF_FFFF_0000_0002) == Self.result(0x4143 & 0x3FFF, 0x03C0_003F, 0x3FF, 0)
        )
    }

    @Test func `leaf 0 shows the vendor and always 16H as the highest leaf`() {
        for highest in [0xB, 0x16, 0x20] as [UInt32] {
            let machine = TestMachine { $0.leaves[0]![0]!.eax = highest }
            #expect(Self.ask(machine, 0) == Self.result(0x16, 0x756E_6547, 0x6C65_746E, 0x4965_6E69))
        }
    }

    /// It would show what its own highest leaf holds.
    @Test(arguments: [(2, 1), (4, 3), (7, 6), (0xD, 0xB)] as [(UInt32, UInt32)])
    func `of a leaf that the processor lacks a guest sees nothing of the processor's`(leaf: UInt32, highest: UInt32) {
        let machine = TestMachine(set: .everything) { $0.leaves[0]![0]!.eax = highest }
        #expect(Self.ask(machine, UInt64(leaf)) == (leaf == 7 ? Self.result(0, 1 << 1, 0, 0) : .zero))
    }

    @Test func `leaf 1 shows one processor with its APIC ID, the signature and the size of cache lines`() {
        let answer = Self.ask(TestMachine(), 1)
        #expect(answer.eax == 0x0005_0654)
        #expect(answer.ebx == 0x0001_0800)
        let policy = CPUIDPolicy(TestMachine.allOffers, timeStampFrequency: 1, apicID: 5)
        #expect(policy.answer(1, 0, from: SimulatedHost()).ebx == 0x0501_0800)
        #expect(policy.answer(0xB, 1, from: SimulatedHost()) == Self.result(0, 1, 0x201, 5))
    }

    @Test func `leaf 1 shows the APIC while it is enabled`() {
        let machine = TestMachine()
        let apic: UInt32 = 1 << 9
        let before = Self.ask(machine, 1)
        #expect(before.edx & apic != 0)
        machine.cpu.answers.update(apicEnabled: false)
        #expect(Self.ask(machine, 1).edx == before.edx & ~apic && Self.ask(machine, 1).ecx == before.ecx)
        machine.cpu.answers.update(apicEnabled: true)
        #expect(Self.ask(machine, 1) == before)
    }

    @Test func `leaf 7 shows OSPKE as the guest's CR4 has PKE`() {
        let machine = TestMachine(set: .everything)
        let before = Self.ask(machine, 7)
        #expect(before.ecx & 0x18 == 0x08)
        machine.cpu.registers.rbx = 0x40_0020
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x304, length: 3) == .step)
        #expect(Self.ask(machine, 7).ecx == before.ecx | 0x10)
        machine.cpu.registers.rbx = 0x20
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x304, length: 3) == .step)
        #expect(Self.ask(machine, 7) == before)
    }

    @Test func `OSXSAVE in leaf 1 follows the guest's CR4`() {
        let machine = TestMachine()
        let osxsave: UInt32 = 1 << 27
        #expect(Self.ask(machine, 1).ecx & osxsave == 0)
        machine.cpu.registers.rbx = 0x4_0020
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x304, length: 3) == .step)
        #expect(Self.ask(machine, 1).ecx & osxsave != 0)
        machine.cpu.registers.rbx = 0x20
        #expect(machine.exit(.controlRegisterAccess, qualification: 0x304, length: 3) == .step)
        #expect(Self.ask(machine, 1).ecx & osxsave == 0)
    }

    @Test func `leaf 4 shows each cache as one processor's own`() {
        let machine = TestMachine()
        #expect(Self.ask(machine, 4, 0) == Self.result(0x0121, 0x01C0_003F, 0x3F, 0))
        #expect(Self.ask(machine, 4, 3) == Self.result(0x0163, 0x0280_003F, 0x7FF, 4))
        #expect(Self.ask(machine, 4, 4) == .zero)
    }

    @Test func `leaf 7 has a second subleaf where the processor has it, and no third`() {
        let machine = TestMachine()
        #expect(Self.ask(machine, 7).eax == 1 && Self.ask(machine, 7, 1) != .zero)
        #expect(Self.ask(machine, 7, 2) == .zero && Self.ask(machine, 7, 0xFFFF_FFFF) == .zero)
        let old = TestMachine { $0.leaves[7]![0]!.eax = 0 }
        #expect(Self.ask(old, 7).eax == 0 && Self.ask(old, 7, 1) == .zero)
    }

    @Test func `RDTSCP, RDPID, INVPCID, XSAVES and PAT are hidden where the hypervisor cannot give them`() {
        let host = SimulatedHost()
        let none = CPUIDPolicy(
            .init(rdtscp: false, invpcid: false, xsaves: false, pat: false, cr4: .init(rawValue: .max)), timeStampFrequency: 1)
        let all = CPUIDPolicy(TestMachine.allOffers, timeStampFrequency: 1)
        func hidden(_ leaf: UInt32, _ subleaf: UInt32, _ register: KeyPath<CPUIDResult, UInt32>) -> UInt32 {
            let shown = all.answer(leaf, subleaf, from: host)[keyPath: register]
            return shown ^ none.answer(leaf, subleaf, from: host)[keyPath: register]
        }
        #expect(hidden(1, 0, \.ecx) == 0 && hidden(1, 0, \.edx) == 1 << 16)
        #expect(hidden(7, 0, \.ebx) == 1 << 10 && hidden(7, 0, \.ecx) == 1 << 22 && hidden(7, 0, \.edx) == 0)
        #expect(hidden(0xD, 1, \.eax) == 1 << 3)
        #expect(hidden(0x8000_0001, 0, \.edx) == 1 << 27)
        // A processor without the controls makes a machine without the features.
        let machine = TestMachine(set: .arrandale)
        #expect(Self.ask(machine, 7).ebx & 1 << 10 == 0)
        #expect(Self.ask(machine, 0x8000_0001).edx & 1 << 27 != 0)
    }

    @Test(
        arguments: [
            (17, 1, \CPUIDResult.ecx, 17), (18, 1, \.ecx, 26), (16, 7, \.ebx, 0), (20, 7, \.ebx, 7), (21, 7, \.ebx, 20),
            (11, 7, \.ecx, 2),
            (22, 7, \.ecx, 3), (12, 7, \.ecx, 16),
        ] as [(Int, UInt32, KeyPath<CPUIDResult, UInt32> & Sendable, UInt32)])
    func `a feature is hidden whose bit CR4 cannot take`(
        bit: Int, leaf: UInt32, register: KeyPath<CPUIDResult, UInt32> & Sendable, feature: UInt32
    ) {
        var offers = TestMachine.allOffers
        let shown = CPUIDPolicy(offers, timeStampFrequency: 1).answer(leaf, 0, from: SimulatedHost())
        offers.cr4 = .init(rawValue: ~(1 << bit))
        let policy = CPUIDPolicy(offers, timeStampFrequency: 1)
        let features = GuestFeatures(policy, SimulatedHost())
        #expect(shown[keyPath: register] & 1 << feature != 0)
        #expect(policy.answer(leaf, 0, from: SimulatedHost())[keyPath: register] & 1 << feature == 0)
        #expect(features.cr4.rawValue & 1 << bit == 0)
    }

    @Test func `a processor with fast strings off shows no feature that says they are fast`() {
        let everything = SimulatedHost()
        for (leaf, subleaf) in [(0, 0), (7, 0), (7, 1)] as [(UInt32, UInt32)] {
            let eax: UInt32 = leaf == 0 ? 0x20 : subleaf == 0 ? 1 : .max
            everything.leaves[leaf, default: [:]][subleaf] = CPUIDResult(eax: eax, ebx: .max, ecx: .max, edx: .max)
        }
        func bits(_ offers: CPUIDPolicy.Offers) -> [UInt32] {
            let policy = CPUIDPolicy(offers, timeStampFrequency: 1)
            let (first, second) = (policy.answer(7, 0, from: everything), policy.answer(7, 1, from: everything))
            return [first.ebx & 1 << 9, first.edx & 1 << 4, second.eax & 0x1C00]
        }
        var offers = TestMachine.allOffers
        #expect(bits(offers) == [0x200, 0x10, 0x1C00])
        offers.fastStrings = false
        #expect(bits(offers) == [0, 0, 0])
    }

    @Test func `with LA57 hidden linear addresses have 48 bits`() {
        #expect(Self.ask(TestMachine(), 0x8000_0008).eax == 0x3027)
        #expect(Self.ask(TestMachine(set: .everything), 0x8000_0008).eax == 0x3927)
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
        #expect(Self.ask(machine, 0xD, 1) == Self.result(0xF, 2696, 0, 0))  // no state switched off, no supervisor state
        #expect(Self.ask(machine, 0xD, 2) == Self.result(256, 576, 0, 0))
        #expect(Self.ask(machine, 0xD, 3) == .zero)  // MPX
        #expect(Self.ask(machine, 0xD, 7) == Self.result(1024, 1664, 0, 0))
        for subleaf in [8, 9, 10, 17, 18, 63, 64, 0xFFFF_FFFF] as [UInt64] { #expect(Self.ask(machine, 0xD, subleaf) == .zero) }
    }

    @Test func `leaf DH shows PKRU's state where protection keys are offered`() {
        let machine = TestMachine(set: .everything)
        #expect(Self.ask(machine, 0xD, 0) == Self.result(0x2E7, 2696, 2696, 0))
        #expect(Self.ask(machine, 0xD, 9) == Self.result(8, 2688, 2, 0))
        #expect(machine.cpu.features.extendedState == 0x2E7)
        let without = TestMachine(set: .everything) { $0.leaves[0xD]![0]!.eax = 0xFF }
        #expect(Self.ask(without, 7).ecx & 1 << 3 == 0 && without.cpu.features.extendedState == 0xE7)
    }

    @Test func `without XSAVE leaf DH is zero`() {
        let machine = TestMachine { $0.leaves[1]![0]!.ecx &= ~(1 << 26) }
        for subleaf in 0..<10 as Range<UInt64> { #expect(Self.ask(machine, 0xD, subleaf) == .zero) }
    }

    // MARK: Frequencies

    static func frequencyPolicy(_ frequency: UInt64) -> CPUIDPolicy {
        CPUIDPolicy(TestMachine.allOffers, timeStampFrequency: frequency)
    }

    @Test(arguments: [1, 999, 50_000_000, 2_345_678_901, 4_294_967_295, 4_294_967_296, 5_000_000_002, 8_589_934_590] as [UInt64])
    func `leaf 15H gives the TSC's frequency exactly, and the local APIC timer's as the crystal's`(frequency: UInt64) {
        let policy = Self.frequencyPolicy(frequency)
        let answer = policy.answer(0x15, 0, from: SimulatedHost())
        #expect(UInt64(answer.ecx) * UInt64(answer.ebx) == frequency * UInt64(answer.eax))
        #expect(UInt64(answer.ecx) == policy.localAPICFrequency)
        #expect(answer.edx == 0)
    }

    @Test(arguments: [2_000_000_000, 5_000_000_000] as [UInt64])
    func `the local APIC's timer counts as often as leaf 15H says`(frequency: UInt64) {
        let policy = Self.frequencyPolicy(frequency)
        let shift = GuestFeatures(policy, SimulatedHost()).localAPICTimerShift
        #expect(policy.localAPICFrequency == frequency >> UInt64(shift))
    }

    @Test func `an odd frequency that ECX cannot hold is told one tick a second too low`() {
        let answer = Self.frequencyPolicy(4_999_999_999).answer(0x15, 0, from: SimulatedHost())
        #expect(answer == Self.result(1, 2, 2_499_999_999, 0))
    }

    @Test func `leaf 16H gives the frequency in MHz, and leaf 40000010H in kHz`() {
        let policy = Self.frequencyPolicy(2_345_678_901)
        #expect(policy.answer(0x16, 0, from: SimulatedHost()) == Self.result(2346, 2346, 2346, 0))
        #expect(policy.answer(0x4000_0010, 0, from: SimulatedHost()) == Self.result(2_345_678, 2_345_678, 0, 0))
        let fast = Self.frequencyPolicy(5_000_000_000)
        #expect(fast.answer(0x16, 0, from: SimulatedHost()) == Self.result(5000, 5000, 2500, 0))
        #expect(fast.answer(0x4000_0010, 0, from: SimulatedHost()) == Self.result(5_000_000, 2_500_000, 0, 0))
    }

    @Test(arguments: [0x15, 0x16, 0x4000_0010] as [UInt32]) func `an unknown frequency is not told`(leaf: UInt32) {
        #expect(Self.frequencyPolicy(0).answer(leaf, 0, from: SimulatedHost()) == .zero)
    }

    @Test func `the hypervisor leaf shows Martlet's signature, and claims no other hypervisor's interface`() {
        let machine = TestMachine()
        let answer = Self.ask(machine, 0x4000_0000)
        let bytes = [answer.ebx, answer.ecx, answer.edx].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        #expect(String(decoding: bytes, as: UTF8.self) == "MartletMartl")
        #expect(answer.eax == 0x4000_0010)
        for leaf in 0x4000_0001...0x4000_000F as ClosedRange<UInt64> { #expect(Self.ask(machine, leaf) == .zero) }
        #expect(Self.ask(machine, 0x4000_0010) == Self.result(2_345_678, 2_345_678, 0, 0))
    }

    @Test func `extended leaves show nothing above 80000008H, and never fewer`() {
        for highest in [0x8000_0004, 0x8000_001F] as [UInt32] {
            let machine = TestMachine { $0.leaves[0x8000_0000]![0]!.eax = highest }
            #expect(Self.ask(machine, 0x8000_0000) == Self.result(0x8000_0008, 0, 0, 0))
            #expect(Self.ask(machine, 0x8000_0001).eax == 7)
            #expect(Self.ask(machine, 0x8000_0002) == SimulatedHost.skylakeX[0x8000_0002]![0]!)
            #expect(Self.ask(machine, 0x8000_0007) == Self.result(0, 0, 0, 1 << 8))
            #expect(Self.ask(machine, 0x8000_0008) == Self.result(highest == 0x8000_0004 ? 0x3024 : 0x3027, 0, 0, 0))
        }
    }

    @Test(arguments: [0x3, 0x5, 0x8, 0x9, 0xA, 0xC, 0xE, 0xF, 0x10, 0x11, 0x12, 0x13, 0x14, 0x8000_0005] as [UInt64])
    func `leaves without a policy are zero`(leaf: UInt64) {
        let machine = TestMachine { $0.leaves[UInt32(leaf)] = [0: Self.result(1, 2, 3, 4)] }
        #expect(Self.ask(machine, leaf) == .zero)
    }

    @Test(
        arguments: [0x17, 0x1F, 0x20, 0x3FFF_FFFF, 0x4000_0011, 0x7FFF_FFFF, 0x8000_0009, 0x8000_001F, 0x8000_0020, 0xFFFF_FFFF]
            as [UInt64])
    func `a leaf above the highest gives what the highest basic leaf gives`(leaf: UInt64) {
        #expect(Self.ask(TestMachine(), leaf) == Self.result(2346, 2346, 2346, 0))
    }

    @Test func `no leaf and no subleaf traps, whatever the processor says`() {
        var random = RandomWords(seed: 77)
        let host = SimulatedHost()
        for leaf in host.leaves.keys {
            for subleaf in host.leaves[leaf]!.keys {
                host.leaves[leaf]![subleaf] = Self.result(
                    .random(in: 0 ... .max, using: &random), .max, .random(in: 0 ... .max, using: &random), .max)
            }
        }
        let policy = CPUIDPolicy(TestMachine.allOffers, timeStampFrequency: .max, apicID: .max)
        for _ in 0..<20_000 {
            let leaf =
                UInt32.random(in: 0 ... .max, using: &random) & [0x1F, 0x8000_001F, 0x4000_001F, .max].randomElement(
                    using: &random)!
            let subleaf = UInt32.random(in: 0 ... .max, using: &random) >> UInt32.random(in: 0..<32, using: &random)
            _ = policy.answer(leaf, subleaf, from: host)
        }
    }
}

import Foundation
import Support
import Testing
import Text
import X86

@testable import Machine

@Suite struct HiddenFeatureTests {
    static func hidden(_ names: String) -> HiddenFeatures { KernelOptionsTests.options("hide=\(names)")!.hidden }

    static func policy(_ names: String) -> CPUIDPolicy {
        CPUIDPolicy(TestMachine.allOffers, timeStampFrequency: 1_000_000_000, hidden: hidden(names))
    }

    /// The names of the documentation's table, row by row: those where the processor has them, and those that are always there.
    static func documented() throws -> [[String]] {
        let text = try String(contentsOfFile: "Docs/Guest.md", encoding: .utf8)
        let start = try #require(text.range(of: "| leaf | where the processor has it | always |"))
        return text[start.upperBound...].split(separator: "\n").dropFirst().prefix { $0.hasPrefix("|") }.map { line in
            line.split(separator: "|", omittingEmptySubsequences: false)[2...3]
                .flatMap { $0.split(separator: ",") }.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
    }

    static func isHidden(_ feature: CPUIDFeature, by names: String) -> Bool { hidden(names).features.contains(feature) }

    @Test func `each name hides its bit, in small letters and large, and no two rows have the same name or bit`() throws {
        #expect(try Set(Self.documented().flatMap { $0 }).count == CPUIDFeatureTable.rows.count)
        var bits = CPUIDFeatureSet()
        for index in 0..<CPUIDFeatureTable.rows.count {
            let row = CPUIDFeatureTable.rows[index]
            let name = "\(row.name)"
            for spelling in [name, name.lowercased(), name.uppercased()] {
                #expect(Self.isHidden(row.feature, by: spelling), "\(spelling)")
            }
            #expect(!bits.contains(row.feature), "\(name)")
            bits.insert(row.feature)
        }
    }

    @Test func `a feature goes with one that it needs, and one that nothing needs goes alone`() {
        for index in 0..<CPUIDFeatureTable.rows.count {
            let row = CPUIDFeatureTable.rows[index]
            let hidden = Self.hidden("\(row.name)").features
            for other in 0..<CPUIDFeatureTable.rows.count {
                let other = CPUIDFeatureTable.rows[other]
                let lacks = [other.needs.0, other.needs.1].compactMap { $0 }.contains { hidden.contains($0) }
                #expect(hidden.contains(other.feature) == (lacks || other.feature == row.feature), "\(row.name): \(other.name)")
            }
        }
    }

    @Test func `a hidden feature takes along what is nothing without it`() {
        let shown = Self.policy("")
        let host = SimulatedHost()
        func lost(_ names: String, _ leaf: UInt32, _ subleaf: UInt32 = 0) -> CPUIDResult {
            let (before, after) = (shown.answer(leaf, subleaf, from: host), Self.policy(names).answer(leaf, subleaf, from: host))
            return CPUIDResult(
                eax: before.eax & ~after.eax, ebx: before.ebx & ~after.ebx, ecx: before.ecx & ~after.ecx,
                edx: before.edx & ~after.edx)
        }
        #expect(lost("x2apic", 1).ecx == 1 << 21)
        #expect(lost("AVX512BW", 7).ebx == 1 << 30)
        // AVX512F with all others of AVX-512, and its state.
        #expect(lost("avx512f", 7).ebx == shown.answer(7, 0, from: host).ebx & (0b11 << 16 | 1 << 21 | 1 << 28 | 0b11 << 30))
        #expect(lost("avx512f", 0xD).eax == 0xE0 && lost("avx", 0xD).eax == 0xE4)
        // XSAVE with AVX, FMA and F16C, and leaf DH as a whole.
        #expect(lost("xsave", 1).ecx == shown.answer(1, 0, from: host).ecx & (1 << 26 | 1 << 28 | 1 << 29 | 1 << 12))
        #expect(Self.policy("xsave").answer(0xD, 0, from: host) == .zero)
        #expect(lost("apic", 6).eax == 1 << 2 && lost("apic", 1).ecx == 1 << 21 | 1 << 24)
        #expect(Self.hidden("x2apic,avx") == Self.hidden("avx,x2apic"))
    }

    @Test func `what is hidden cannot be turned on either`() {
        func features(_ names: String) -> GuestFeatures { GuestFeatures(Self.policy(names), SimulatedHost()) }
        let all = features("")
        let bits: [(String, ControlRegister4)] = [
            ("smep", .supervisorExecutionPrevention), ("smap", .supervisorAccessPrevention), ("pcid", .processContextIdentifiers),
            ("xsave", .xsave), ("fsgsbase", .fsgsbase), ("de", .debuggingExtensions), ("pge", .pageGlobalEnable),
            ("pse", .pageSizeExtensions),
            ("pae", .physicalAddressExtension), ("mce", .machineCheckEnable), ("fxsr", .fxsave), ("sse", .unmaskedSIMDExceptions),
            ("vme", .virtual8086Extensions), ("tsc", .timeStampDisable),
        ]
        for (name, bit) in bits { #expect(all.cr4.contains(bit) && !features(name).cr4.contains(bit), "\(name)") }
        #expect(all.extendedState != 0 && features("xsave").extendedState == 0 && features("avx").extendedState & 0xE4 == 0)
        #expect(all.hasExecuteDisable && !features("nx").hasExecuteDisable && !features("pae").hasExecuteDisable)
        #expect(all.hasSystemCall && !features("syscall").hasSystemCall && !features("lm").hasLongMode)
    }

    @Test(arguments: [false, true]) func `without deadlines the timer has no mode for them`(isHidden: Bool) {
        let machine = TestMachine(hidden: isHidden ? Self.hidden("tsc-deadline") : .init())
        func write(_ register: UInt64, _ value: UInt64) -> Outcome {
            machine.cpu.registers.rcx = register
            machine.cpu.registers.rax = value
            machine.cpu.registers.rdx = 0
            return machine.exit(.wrmsr, length: 2)
        }
        _ = machine.cpu.apic.write(offset: 0x320, 0x4_0020, at: machine.cpu.clock.now)
        #expect(machine.cpu.apic.read(offset: 0x320, at: machine.cpu.clock.now) == (isHidden ? 0x20 : 0x4_0020))
        #expect(write(0x1B, 0xFEE0_0D00) == .step && write(0x80F, 0x1FF) == .step)
        #expect(write(0x832, 0x4_0020) == (isHidden ? .inject(.generalProtection) : .step))
        #expect(write(0x832, 0x2_0020) == .step)
    }

    @Test func `registers of hidden features refuse`() {
        for (name, register, value) in [
            ("x2apic", 0x1B, 0xFEE0_0D00), ("tsc-deadline", 0x6E0, 0), ("tsc-adjust", 0x3B, 0), ("mtrr", 0x2FF, 0),
            ("mtrr", 0x200, 0),
            ("mca", 0x17A, 0), ("mca", 0x400, 0), ("nx", 0xC000_0080, 0x900), ("syscall", 0xC000_0080, 0x101),
            ("lm", 0xC000_0080, 1 << 8),
        ] as [(String, UInt64, UInt64)] {
            for isHidden in [false, true] {
                let machine = TestMachine(hidden: isHidden ? Self.hidden(name) : .init())
                machine.cpu.registers.rcx = register
                machine.cpu.registers.rax = value
                machine.cpu.registers.rdx = 0
                #expect(
                    machine.exit(.wrmsr, length: 2) == (isHidden ? .inject(.generalProtection) : .step), "\(name) \(isHidden)")
            }
        }
    }

    @Test func `an unknown name is refused with the nearest`() {
        for (word, nearest) in [
            ("x2apik", "x2APIC"), ("avx512g", "AVX512F"), ("sse4_1", "SSE4.1"), ("tscdeadline", "TSC-deadline"),
            ("popcont", "POPCNT"),
        ] {
            #expect(
                KernelOptionsTests.error("hide=smep,\(word)")
                    == "there is no feature \"\(word)\" to hide; the nearest name is \(nearest)")
        }
        #expect(KernelOptionsTests.error("hide=\(String(repeating: "x", count: 300))") != nil)
        #expect(KernelOptionsTests.options("hide=")?.hidden == HiddenFeatures())
    }
}

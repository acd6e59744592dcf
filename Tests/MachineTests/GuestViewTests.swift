import Foundation
import Support
import Testing
import X86

@testable import Machine

/// The tables that say what a guest sees: in the sources and in Docs/Guest.md they are the same, and they are true.
@Suite struct GuestViewTests {
    // MARK: The tables

    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")

    static func lines(_ path: String) -> [Substring] {
        try! String(contentsOf: root.appending(path: path), encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
    }

    /// The rows below a table's head, each as its trimmed cells.
    static func table(_ head: String, in path: String) -> [[String]] {
        let comment = path.hasSuffix(".swift") ? "/// " : ""
        let lines = lines(path)
        guard let start = lines.firstIndex(where: { $0 == comment + head }) else { return [] }
        return lines[(start + 2)...].prefix { $0.hasPrefix(comment + "|") }.map { line in
            line.dropFirst(comment.count + 1).dropLast().split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    static let featureHead = "| leaf | where the processor has it | always |"
    static let leafHead = "| leaf | answer |"
    static let registerHead = "| register | name | read | write | only with |"
    static let guestDocument = "Docs/Guest.md"
    static let cpuidSource = "Kernel/Machine/CPUID/CPUIDPolicy.swift"
    static let registerSource = "Kernel/Machine/MSRPolicy.swift"
    static let hypercallHead = "| RAX | function |"
    static let hypercallSource = "Kernel/Machine/Exits/HypercallExit.swift"

    @Test(arguments: [
        (leafHead, cpuidSource), (registerHead, registerSource), (hypercallHead, hypercallSource),
    ])
    func `the document shows the tables of the sources`(head: String, source: String) {
        let rows = Self.table(head, in: source)
        #expect(rows.count > 5)
        #expect(Self.table(head, in: Self.guestDocument) == rows)
    }

    // MARK: CPUID

    /// The features of the sources as the document's rows.
    @Test func `the document shows the features of the sources`() {
        var rows: [String: [[String]]] = [:]
        for index in 0..<CPUIDFeatureTable.rows.count {
            let row = CPUIDFeatureTable.rows[index]
            let (leaf, subleaf, register) = row.feature.word.place
            let hasSubleaves = leaf == 7 || leaf == 0xD
            let number = String(leaf, radix: 16, uppercase: true) + (leaf > 9 ? "H" : "")
            let place = "\(number)\(hasSubleaves ? ".\(subleaf)" : "") \("\(register)".uppercased())"
            rows[place, default: [[], []]][row.rule == .emulated ? 1 : 0].append("\(row.name)")
            #expect(Self.bits[place]?["\(row.name)"] == UInt32(row.feature.bit), "\(row.name)")
        }
        let document = Self.table(Self.featureHead, in: Self.guestDocument)
        #expect(document.count == rows.count)
        for row in document {
            #expect(rows[row[0]]?.map { $0.joined(separator: ", ") } == Array(row.dropFirst()), "\(row[0])")
        }
    }

    /// The bits by their names (SDM volume 2, "CPUID").
    static let bits: [String: [String: UInt32]] = [
        "1 ECX": [
            "SSE3": 0, "PCLMULQDQ": 1, "SSSE3": 9, "FMA": 12, "CMPXCHG16B": 13, "PCID": 17, "SSE4.1": 19, "SSE4.2": 20,
            "x2APIC": 21,
            "MOVBE": 22, "POPCNT": 23, "TSC-deadline": 24, "AES": 25, "XSAVE": 26, "AVX": 28, "F16C": 29, "RDRAND": 30,
            "hypervisor": 31,
        ],
        "1 EDX": [
            "FPU": 0, "VME": 1, "DE": 2, "PSE": 3, "TSC": 4, "MSR": 5, "PAE": 6, "MCE": 7, "CX8": 8, "APIC": 9, "SEP": 11,
            "MTRR": 12,
            "PGE": 13, "MCA": 14, "CMOV": 15, "PAT": 16, "PSE-36": 17, "CLFSH": 19, "MMX": 23, "FXSR": 24, "SSE": 25, "SSE2": 26,
            "SS": 27,
        ],
        "6 EAX": ["ARAT": 2],
        "7.0 EBX": [
            "FSGSBASE": 0, "TSC-ADJUST": 1, "BMI1": 3, "AVX2": 5, "FDP-EXCPTN-ONLY": 6, "SMEP": 7, "BMI2": 8, "ERMS": 9,
            "INVPCID": 10,
            "ZERO-FCS-FDS": 13, "AVX512F": 16, "AVX512DQ": 17, "RDSEED": 18, "ADX": 19, "SMAP": 20, "AVX512-IFMA": 21,
            "CLFLUSHOPT": 23,
            "CLWB": 24, "AVX512CD": 28, "SHA": 29, "AVX512BW": 30, "AVX512VL": 31,
        ],
        "7.0 ECX": [
            "AVX512-VBMI": 1, "UMIP": 2, "PKU": 3, "AVX512-VBMI2": 6, "GFNI": 8, "VAES": 9, "VPCLMULQDQ": 10, "AVX512-VNNI": 11,
            "AVX512-BITALG": 12, "AVX512-VPOPCNTDQ": 14, "LA57": 16, "RDPID": 22,
        ],
        "7.0 EDX": [
            "FSRM": 4, "AVX512-VP2INTERSECT": 8, "MD-CLEAR": 10, "SERIALIZE": 14, "AVX512-FP16": 23, "IBRS": 26, "STIBP": 27,
            "L1D-FLUSH": 28, "ARCH-CAPABILITIES": 29, "SSBD": 31,
        ],
        "7.1 EAX": [
            "SHA512": 0, "SM3": 1, "SM4": 2, "AVX-VNNI": 4, "AVX512-BF16": 5, "FZLRM": 10, "FSRS": 11, "FSRCS": 12,
            "AVX-IFMA": 23,
        ],
        "7.1 EDX": ["AVX-VNNI-INT8": 4, "AVX-NE-CONVERT": 5, "AVX-VNNI-INT16": 10],
        "DH.1 EAX": ["XSAVEOPT": 0, "XSAVEC": 1, "XGETBV1": 2, "XSAVES": 3],
        "80000001H ECX": ["LAHF64": 0, "LZCNT": 5, "PREFETCHW": 8],
        "80000001H EDX": ["SYSCALL": 11, "NX": 20, "PAGE1GB": 26, "RDTSCP": 27, "LM": 29],
        "80000007H EDX": ["invariant-TSC": 8],
    ]

    /// "DH.1 EAX" as leaf, subleaf and register.
    static func place(_ text: String) -> (leaf: UInt64, subleaf: UInt64, register: KeyPath<CPUIDResult, UInt32>) {
        let parts = text.split(separator: " ")
        let numbers = parts[0].split(separator: ".")
        let leaf = UInt64(numbers[0].filter { $0 != "H" }, radix: 16)!
        let registers: [Substring: KeyPath<CPUIDResult, UInt32>] = ["EAX": \.eax, "EBX": \.ebx, "ECX": \.ecx, "EDX": \.edx]
        return (leaf, numbers.count > 1 ? UInt64(numbers[1])! : 0, registers[parts[1]]!)
    }

    static func mask(_ names: String, _ row: String) -> UInt32 {
        names.split(separator: ", ").reduce(0) { mask, name in
            guard let bit = bits[row]?[String(name)] else {
                Issue.record("\(row) has no \(name)")
                return mask
            }
            return mask | 1 << bit
        }
    }

    @Test func `a guest sees exactly the features of the table, of a processor that has all and of one that has none`() {
        let rows = Self.table(Self.featureHead, in: Self.guestDocument)
        #expect(Set(rows.map { $0[0] }) == Set(Self.bits.keys))
        let rich = TestMachine(set: .everything)
        let poor = TestMachine(set: .everything) {
            for (leaf, subleaf) in [(1, 0), (7, 0), (7, 1), (0xD, 1), (0x8000_0001, 0), (6, 0), (0x8000_0007, 0)]
                as [(UInt32, UInt32)]
            {
                $0.leaves[leaf]?[subleaf] = leaf == 7 && subleaf == 0 ? CPUIDTests.result(1, 0, 0, 0) : .zero
            }
        }
        for row in rows {
            let (leaf, subleaf, register) = Self.place(row[0])
            let always = Self.mask(row[2], row[0])
            #expect(CPUIDTests.ask(rich, leaf, subleaf)[keyPath: register] == Self.mask(row[1], row[0]) | always, "\(row[0])")
            #expect(CPUIDTests.ask(poor, leaf, subleaf)[keyPath: register] == always, "\(row[0])")
        }
    }

    @Test func `the other leaves answer as their table says`() {
        let machine = TestMachine(set: .everything)
        let native = SimulatedHost()
        func same(_ leaf: UInt32) -> Bool { CPUIDTests.ask(machine, UInt64(leaf)) == native.cpuid(leaf, 0) }
        func ask(_ leaf: UInt64, _ subleaf: UInt64 = 0) -> CPUIDResult { CPUIDTests.ask(machine, leaf, subleaf) }
        let truths: [String: () -> Bool] = [
            "0": { ask(0).eax == 0x16 && ask(0).ebx == native.cpuid(0, 0).ebx },
            "1 EAX, EBX": { ask(1).eax == native.cpuid(1, 0).eax && ask(1).ebx == 0x0001_0800 },
            "1, 7": { ask(1).ecx & 1 << 27 == 0 && ask(7).ecx & 1 << 4 == 0 && ask(1).edx & 1 << 9 != 0 },
            "2": { same(2) },
            "4": { ask(4).eax == native.cpuid(4, 0).eax & 0x3FFF && ask(4).ecx == native.cpuid(4, 0).ecx },
            "7": { ask(7).eax == 1 && ask(7, 2) == .zero },
            "BH": { ask(0xB) == CPUIDTests.result(0, 1, 0x100, 0) },
            "DH": { ask(0xD).eax == 0x2E7 },
            "15H": { ask(0x15) == CPUIDTests.result(1, 1, 2_345_678_901, 0) },
            "16H": { ask(0x16).eax == 2346 },
            "3, 5, 8, 9, AH, CH, EH to 14H": { ([3, 5, 8, 9, 0xA, 0xC] + Array(0xE...0x14)).allSatisfy { ask($0) == .zero } },
            "above 16H": { [0x17, 0x20, 0x7FFF_FFFF, 0xFFFF_FFFF].allSatisfy { ask($0) == ask(0x16) } },
            "40000000H": { ask(0x4000_0000).eax == 0x4000_0010 },
            "40000001H to 4000000FH": { (0x4000_0001...0x4000_000F).allSatisfy { ask($0) == .zero } },
            "40000010H": { ask(0x4000_0010) == CPUIDTests.result(2_345_678, 2_345_678, 0, 0) },
            "80000000H": { ask(0x8000_0000).eax == 0x8000_0008 },
            "80000001H EAX": { ask(0x8000_0001).eax == native.cpuid(0x8000_0001, 0).eax },
            "80000002H to 80000004H, 80000006H": { [0x8000_0002, 0x8000_0003, 0x8000_0004, 0x8000_0006].allSatisfy(same) },
            "80000005H": { ask(0x8000_0005) == .zero },
            "80000008H": { ask(0x8000_0008).eax == 0x3927 },
        ]
        let rows = Self.table(Self.leafHead, in: Self.cpuidSource)
        #expect(Set(rows.map { $0[0] }) == Set(truths.keys))
        for row in rows { #expect(truths[row[0]]?() == true, "\(row[0])") }
    }

    // MARK: Model-specific registers

    static func numbers(_ text: String) -> [UInt32] {
        text.split(separator: ", ").flatMap { part -> [UInt32] in
            let ends = part.split(separator: " to ").map { UInt32($0.dropLast(), radix: 16)! }
            return Array(ends[0]...ends[ends.count - 1])
        }
    }

    /// What takes a feature away from the processor.
    static let removals: [String: @Sendable (SimulatedHost) -> Void] = [
        "": { _ in },
        // Machines start without it.
        "x2APIC mode": { _ in },
        "IBRS, STIBP or SSBD": { $0.leaves[7]![0]!.edx &= ~(1 << 26 | 1 << 27 | 1 << 31) },
        "IBRS": { $0.leaves[7]![0]!.edx &= ~(1 << 26) },
        "ARCH-CAPABILITIES": { $0.leaves[7]![0]!.edx &= ~(1 << 29) },
        "L1D-FLUSH": { $0.leaves[7]![0]!.edx &= ~(1 << 28) },
        "PAT": { $0.leaves[1]![0]!.edx &= ~(1 << 16) },
        "XSAVES": { $0.leaves[0xD]![1]!.eax &= ~(1 << 3) },
        "RDTSCP or RDPID": {
            $0.leaves[7]![0]!.ecx &= ~(1 << 22)
            $0.leaves[0x8000_0001]![0]!.edx &= ~(1 << 27)
        },
    ]

    enum Access { case passes, emulated, refused }

    /// How a guest of the machine gets at a register: RDMSR, or WRMSR of 0.
    static func access(_ machine: TestMachine, _ number: UInt32, writing: Bool) -> Access {
        let register = ModelSpecificRegister(number)
        let features = machine.cpu.features
        if writing ? MSRPolicy.passesWrites(register, features) : MSRPolicy.passesReads(register, features) { return .passes }
        machine.cpu.registers.rcx = UInt64(number)
        machine.cpu.registers.rax = 0
        machine.cpu.registers.rdx = 0
        machine.setExit(writing ? .wrmsr : .rdmsr, length: 2)
        let before = machine.rip
        #expect(machine.handleExit())
        defer { machine.rip = before }
        return machine.rip == before ? .refused : .emulated
    }

    static func promised(_ cell: String) -> Access { cell == "no exit" ? .passes : cell == "#GP" ? .refused : .emulated }

    @Test func `registers are read and written as their table says, and all others are refused`() {
        let rows = Self.table(Self.registerHead, in: Self.registerSource).dropLast()
        let machine = TestMachine(.protected32, set: .everything)
        var listed: Set<UInt32> = []
        for row in rows {
            for number in Self.numbers(row[0]) {
                #expect(listed.insert(number).inserted, "\(row[0]) twice")
                // The local APIC's own tests know which of its registers are there.
                if row[4] == "x2APIC mode" { continue }
                #expect(Self.access(machine, number, writing: false) == Self.promised(row[2]), "read of \(row[0])")
                #expect(Self.access(machine, number, writing: true) == Self.promised(row[3]), "write of \(row[0])")
            }
        }
        for start in [0, 0x4000_0000, 0xC000_0000, 0xC001_0000, 0xFFFF_E000] as [UInt32] {
            for number in start...start + 0x1FFF where !listed.contains(number) {
                let isRefused =
                    Self.access(machine, number, writing: false) == .refused
                    && Self.access(machine, number, writing: true) == .refused
                if !isRefused { Issue.record("MSR \(String(number, radix: 16)) is not listed") }
            }
        }
    }

    @Test func `the table calls each register as the trace and martlet explain do`() {
        for row in Self.table(Self.registerHead, in: Self.registerSource).dropLast() {
            let numbers = Self.numbers(row[0])
            if numbers.count == 1 { #expect(ModelSpecificRegister(numbers[0]).name.map { "\($0)" } == row[1]) }
        }
    }

    @Test func `a register is refused where its feature is missing`() {
        for row in Self.table(Self.registerHead, in: Self.registerSource).dropLast() where row[4] != "" {
            let remove = Self.removals[row[4]]
            #expect(remove != nil, "\(row[4])")
            let machine = TestMachine(.protected32, set: .everything) { remove?($0) }
            for number in Self.numbers(row[0]) {
                #expect(Self.access(machine, number, writing: false) == .refused, "read of \(row[0])")
                #expect(Self.access(machine, number, writing: true) == .refused, "write of \(row[0])")
            }
        }
    }
}

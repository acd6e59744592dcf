import X86

/// What a guest sees of the processor: the features of `CPUIDFeatureTable`, and otherwise what this table says. Docs/Guest.md
/// shows the same.
///
/// | leaf | answer |
/// | --- | --- |
/// | 0 | the processor's vendor; the highest leaf is 16H |
/// | 1 EAX, EBX | the processor's signature and cache-line size; one processor, with its APIC ID |
/// | 1, 7 | OSXSAVE and OSPKE follow CR4, APIC follows the enable bit of IA32_APIC_BASE |
/// | 2 | the processor's |
/// | 4 | the processor's caches, each used by one processor |
/// | 7 | subleaf 1 where the processor has it, no other |
/// | BH | one processor, with its APIC ID |
/// | DH | x87, SSE, AVX, AVX-512 and PKRU state, as the processor has them |
/// | 15H | the TSC's frequency; the crystal's is the local APIC timer's |
/// | 16H | the TSC's frequency in MHz |
/// | 3, 5, 8, 9, AH, CH, EH to 14H | zero |
/// | above 16H | what leaf 16H gives |
/// | 40000000H | highest hypervisor leaf 40000010H, "MartletMartl" |
/// | 40000001H to 4000000FH | zero |
/// | 40000010H | EAX: the TSC's frequency in kHz; EBX: the local APIC timer's |
/// | 80000000H | the highest extended leaf is 80000008H |
/// | 80000001H EAX | the processor's |
/// | 80000002H to 80000004H, 80000006H | the processor's |
/// | 80000005H | zero |
/// | 80000008H | the processor's physical-address width; 48 linear-address bits, 57 with LA57 |
///
/// Features can be hidden by name (hide=); with each go those that are useless without it, and its bits of CR4 and XCR0 and
/// its registers.
///
/// Some are always there: Martlet emulates them whatever the processor has. The time stamp is invariant, since nothing
/// changes the processor's speed or lets it sleep deeper than HLT.
///
/// Left out for a reason: MONITOR, since MWAIT would stop the processor; performance counters (leaf AH, PDCM), which Bochs
/// claims without having the MSRs; AMX, whose state is larger than all the rest together; CET and supervisor keys, whose state VM
/// entries do not switch here; thermal and power management, the machine's own; transactions, bounds and enclaves, which
/// processors no longer have; memory operations that Martlet's own decoder would have to know (MOVDIR64B, ENQCMD).
public struct CPUIDPolicy: Equatable, Sendable {
    /// What the processor lets a hypervisor give to a guest.
    public struct Offers: Equatable, Sendable {
        /// RDTSCP and RDPID.
        public var rdtscp: Bool
        public var invpcid: Bool
        public var xsaves: Bool
        /// VM entries and exits switch IA32_PAT.
        public var pat: Bool
        /// The bits of CR4 that may be set while a guest runs.
        public var cr4: ControlRegister4
        /// IA32_MISC_ENABLE has fast strings on; without them no feature says that string instructions are fast. (Linux 6.1
        /// believes IA32_MISC_ENABLE about ERMS but not about FSRM, and its memmove relies on both or neither.)
        public var fastStrings: Bool

        public init(rdtscp: Bool, invpcid: Bool, xsaves: Bool, pat: Bool, cr4: ControlRegister4, fastStrings: Bool = true) {
            self.rdtscp = rdtscp
            self.invpcid = invpcid
            self.xsaves = xsaves
            self.pat = pat
            self.cr4 = cr4
            self.fastStrings = fastStrings
        }

        func allow(_ row: CPUIDFeatureRow) -> Bool {
            switch row.rule {
            case .passed, .emulated: true
            case .control: cr4.contains(row.cr4)
            case .rdtscp: rdtscp
            case .invpcid: invpcid
            case .xsaves: xsaves
            case .pat: pat
            case .fastStrings: fastStrings
            }
        }
    }

    public let offers: Offers
    /// Time-stamp ticks a second, 0 if unknown: then no leaf shows it.
    public let timeStampFrequency: UInt64
    /// The virtual CPU's.
    public let apicID: UInt32
    /// The features that the guest has where the processor has them, and those that it always has.
    private let passed: CPUIDFeatureSet
    let emulated: CPUIDFeatureSet

    /// - Parameter hidden: what the guest is not to see.
    public init(_ offers: Offers, timeStampFrequency: UInt64, apicID: UInt32 = 0, hidden: HiddenFeatures = .init()) {
        self.offers = offers
        self.timeStampFrequency = timeStampFrequency
        self.apicID = apicID
        var (passed, emulated) = (CPUIDFeatureSet(), CPUIDFeatureSet())
        for index in 0..<CPUIDFeatureTable.rows.count {
            let row = CPUIDFeatureTable.rows[index]
            guard !hidden.features.contains(row.feature) else { continue }
            if row.rule == .emulated {
                emulated.insert(row.feature)
            } else if offers.allow(row) {
                passed.insert(row.feature)
            }
        }
        self.passed = passed
        self.emulated = emulated
    }

    /// The local APIC timer's frequency before its divider: that of the time stamp, or half of it where ECX of leaf 15H cannot
    /// hold that.
    public var localAPICFrequency: UInt64 { timeStampFrequency >> 32 == 0 ? timeStampFrequency : timeStampFrequency / 2 }

    /// The highest leaf of each range that a guest is shown.
    static var highestBasic: UInt32 { 0x16 }
    static var highestHypervisor: UInt32 { 0x4000_0010 }
    static var highestExtended: UInt32 { 0x8000_0008 }
    static var hypervisorLeaf: UInt32 { 0x4000_0000 }

    /// Whether a leaf exists for a guest.
    static func isShown(_ leaf: UInt32) -> Bool {
        leaf <= highestBasic || hypervisorLeaf...highestHypervisor ~= leaf || 0x8000_0000...highestExtended ~= leaf
    }

    /// What a guest sees of a feature register.
    private func shown(_ word: CPUIDFeatureWord, of native: UInt32) -> UInt32 { native & passed[word] | emulated[word] }

    /// Whether the answer shows a feature.
    func shows(_ feature: CPUIDFeature, of processor: some ProcessorIdentification) -> Bool {
        let place = feature.word.place
        return answer(place.leaf, place.subleaf, from: processor).has(feature)
    }

    /// The answer to CPUID, with OSXSAVE and OSPKE clear and APIC set.
    public func answer(_ leaf: UInt32, _ subleaf: UInt32, from processor: some ProcessorIdentification) -> CPUIDResult {
        switch leaf {
        case 0:
            let native = processor.cpuid(0, 0)
            return .init(eax: Self.highestBasic, ebx: native.ebx, ecx: native.ecx, edx: native.edx)
        case 1:
            let native = processor.cpuid(1, 0)
            return .init(
                eax: native.eax, ebx: native.ebx & 0x0000_FF00 | 1 << 16 | apicID << 24,
                ecx: shown(.leaf1ECX, of: native.ecx), edx: shown(.leaf1EDX, of: native.edx))
        case 2: return native(2, 0, processor)
        case 4:
            let native = native(4, subleaf, processor)
            return .init(eax: native.eax & 0x0000_3FFF, ebx: native.ebx, ecx: native.ecx, edx: native.edx)
        case 6: return .init(eax: emulated[.leaf6EAX], ebx: 0, ecx: 0, edx: 0)
        case 7: return structuredFeatures(subleaf, processor)
        case 0xB:
            // Level 0 is the thread, level 1 the core; both have one processor.
            return .init(
                eax: 0, ebx: subleaf < 2 ? 1 : 0, ecx: subleaf & 0xFF | (subleaf < 2 ? (subleaf + 1) << 8 : 0), edx: apicID)
        case 0xD: return extendedState(subleaf, processor)
        case 0x15...0x16, 0x4000_0010: return frequencies(leaf)
        case Self.hypervisorLeaf:
            // "MartletMartl"
            return .init(eax: Self.highestHypervisor, ebx: 0x7472_614D, ecx: 0x4D74_656C, edx: 0x6C74_7261)
        case 0x8000_0000: return .init(eax: Self.highestExtended, ebx: 0, ecx: 0, edx: 0)
        case 0x8000_0001:
            let native = native(leaf, 0, processor)
            return .init(
                eax: native.eax, ebx: 0, ecx: shown(.extended1ECX, of: native.ecx),
                edx: shown(.extended1EDX, of: native.edx))
        case 0x8000_0002...0x8000_0004, 0x8000_0006: return native(leaf, 0, processor)
        case 0x8000_0007: return .init(eax: 0, ebx: 0, ecx: 0, edx: emulated[.extended7EDX])
        case 0x8000_0008:
            return .init(
                eax: UInt32(processor.physicalAddressWidth) | (shows(.la57, of: processor) ? 57 : 48) << 8, ebx: 0, ecx: 0, edx: 0
            )
        default: return .zero
        }
    }

    /// The processor's own answer, zero for a leaf that it lacks: it would answer with another leaf.
    private func native(_ leaf: UInt32, _ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        processor.cpuid(leaf & 0x8000_0000, 0).eax >= leaf ? processor.cpuid(leaf, subleaf) : .zero
    }

    private func structuredFeatures(_ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        let first = native(7, 0, processor)
        let hasSecond = first.eax >= 1
        switch subleaf {
        case 0:
            // Keys without their state, PKRU, are useless.
            let hasKeys = extendedState(of: processor) & CPUIDPolicy.protectionKeyState != 0
            return .init(
                eax: hasSecond ? 1 : 0, ebx: shown(.leaf7EBX, of: first.ebx),
                ecx: shown(.leaf7ECX, of: hasKeys ? first.ecx : first.ecx & ~CPUIDFeature.pku.mask),
                edx: shown(.leaf7EDX, of: first.edx))
        case 1 where hasSecond:
            let second = processor.cpuid(7, 1)
            return .init(
                eax: shown(.leaf7Subleaf1EAX, of: second.eax), ebx: 0, ecx: 0, edx: shown(.leaf7Subleaf1EDX, of: second.edx))
        default: return .zero
        }
    }

    /// SDM volume 2, "CPUID": EBX / EAX of leaf 15H is the ratio of the TSC to the crystal, ECX the crystal's frequency.
    private func frequencies(_ leaf: UInt32) -> CPUIDResult {
        guard timeStampFrequency != 0 else { return .zero }
        let timer = localAPICFrequency
        switch leaf {
        case 0x15:
            return .init(
                eax: 1, ebx: timer == timeStampFrequency ? 1 : 2, ecx: UInt32(truncatingIfNeeded: timer), edx: 0)
        case 0x16:
            let megahertz = UInt32(truncatingIfNeeded: (timeStampFrequency &+ 500_000) / 1_000_000) & 0xFFFF
            return .init(
                eax: megahertz, ebx: megahertz, ecx: UInt32(truncatingIfNeeded: (timer &+ 500_000) / 1_000_000) & 0xFFFF,
                edx: 0)
        default:
            return .init(
                eax: UInt32(truncatingIfNeeded: timeStampFrequency / 1000), ebx: UInt32(truncatingIfNeeded: timer / 1000),
                ecx: 0, edx: 0)
        }
    }

    // MARK: Extended state

    /// PKRU's bit in XCR0.
    static var protectionKeyState: UInt64 { 1 << 9 }

    /// XCR0 bits of the processor that a guest could be given: x87, SSE, AVX, the three of AVX-512, PKRU.
    private func extendedState(of processor: some ProcessorIdentification) -> UInt64 {
        guard offers.cr4.contains(.xsave), processor.cpuid(0, 0).eax >= 0xD,
            processor.has(.xsave)
        else { return 0 }
        return UInt64(processor.cpuid(0xD, 0).eax) & (0xE7 | Self.protectionKeyState)
    }

    /// XCR0 bits that a guest may set; PKRU's goes with protection keys.
    public func offeredExtendedState(_ processor: some ProcessorIdentification) -> UInt64 {
        var offered = extendedState(of: processor)
        if !passed.contains(.xsave) { return 0 }
        if !passed.contains(.avx) { offered &= ~0xE4 }
        if !passed.contains(.avx512f) { offered &= ~0xE0 }
        return shows(.pku, of: processor) ? offered : offered & ~CPUIDPolicy.protectionKeyState
    }

    private func extendedState(_ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        let offered = offeredExtendedState(processor)
        guard offered != 0 else { return .zero }
        switch subleaf {
        case 0:
            var size: UInt32 = 576
            for component in UInt32(2)..<10 where offered & 1 << UInt64(component) != 0 {
                let part = processor.cpuid(0xD, component)
                size = max(size, part.eax &+ part.ebx)
            }
            // EBX follows the loaded XCR0, which is the guest's.
            return .init(
                eax: UInt32(truncatingIfNeeded: offered), ebx: processor.cpuid(0xD, 0).ebx, ecx: size, edx: 0)
        case 1:
            // No supervisor state, so IA32_XSS, the other register that EBX follows, is always 0.
            let native = processor.cpuid(0xD, 1)
            return .init(eax: shown(.leafDSubleaf1EAX, of: native.eax), ebx: native.ebx, ecx: 0, edx: 0)
        case 2..<10 where offered & 1 << UInt64(subleaf) != 0:
            // ECX: bit 1, aligned to 64 bytes in the compacted form; bit 2 would offer extended feature disable (XFD).
            let native = processor.cpuid(0xD, subleaf)
            return .init(eax: native.eax, ebx: native.ebx, ecx: native.ecx & 0b010, edx: 0)
        default: return .zero
        }
    }
}

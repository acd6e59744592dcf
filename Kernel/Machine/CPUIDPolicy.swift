import X86

/// What a guest sees of the processor. These two tables are the specification; Docs/Guest.md shows the same.
///
/// Features:
///
/// | leaf | where the processor has it | always |
/// | --- | --- | --- |
/// | 1 ECX | SSE3, PCLMULQDQ, SSSE3, FMA, CMPXCHG16B, PCID, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE, AVX, F16C, RDRAND | x2APIC, TSC-deadline, hypervisor |
/// | 1 EDX | FPU, VME, DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, PSE-36, CLFSH, MMX, FXSR, SSE, SSE2, SS | MCE, APIC, MTRR, MCA |
/// | 6 EAX | | ARAT |
/// | 7.0 EBX | FSGSBASE, BMI1, AVX2, FDP-EXCPTN-ONLY, SMEP, BMI2, ERMS, INVPCID, ZERO-FCS-FDS, AVX512F, AVX512DQ, RDSEED, ADX, SMAP, AVX512-IFMA, CLFLUSHOPT, CLWB, AVX512CD, SHA, AVX512BW, AVX512VL | TSC-ADJUST |
/// | 7.0 ECX | AVX512-VBMI, UMIP, PKU, AVX512-VBMI2, GFNI, VAES, VPCLMULQDQ, AVX512-VNNI, AVX512-BITALG, AVX512-VPOPCNTDQ, LA57, RDPID | |
/// | 7.0 EDX | FSRM, AVX512-VP2INTERSECT, MD-CLEAR, SERIALIZE, AVX512-FP16, IBRS, STIBP, L1D-FLUSH, ARCH-CAPABILITIES, SSBD | |
/// | 7.1 EAX | SHA512, SM3, SM4, AVX-VNNI, AVX512-BF16, FZLRM, FSRS, FSRCS, AVX-IFMA | |
/// | 7.1 EDX | AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16 | |
/// | DH.1 EAX | XSAVEOPT, XSAVEC, XGETBV1, XSAVES | |
/// | 80000001H ECX | LAHF64, LZCNT, PREFETCHW | |
/// | 80000001H EDX | SYSCALL, NX, PAGE1GB, RDTSCP, LM | |
/// | 80000007H EDX | | invariant-TSC |
///
/// The rest:
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
/// Whoever runs a guest may hide features by the names of the first table (hide=); with each go those that are nothing without it
/// (`CPUIDFeatureNames`), and its bits of CR4 and XCR0 and its registers.
///
/// A feature that CR4 turns on is shown only if CR4 can take the bit while a guest runs; RDTSCP, RDPID, INVPCID, XSAVES and
/// PAT only if VMX can give them.
///
/// Why some are always there: Martlet emulates them whatever the processor has. The time stamp is invariant since nothing
/// changes the processor's speed or lets it sleep deeper than HLT.
///
/// Left out for a reason: MONITOR, since MWAIT would stop the processor; performance counters (leaf AH, PDCM), which Bochs
/// claims without having the MSRs; AMX, whose state is larger than all other together; CET and supervisor keys, whose state VM
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
        /// believes IA32_MISC_ENABLE about ERMS but not about FSRM, and its memmove trusts in both or neither.)
        public var fastStrings: Bool

        public init(rdtscp: Bool, invpcid: Bool, xsaves: Bool, pat: Bool, cr4: ControlRegister4, fastStrings: Bool = true) {
            self.rdtscp = rdtscp
            self.invpcid = invpcid
            self.xsaves = xsaves
            self.pat = pat
            self.cr4 = cr4
            self.fastStrings = fastStrings
        }
    }

    public let offers: Offers
    /// Time-stamp ticks a second, 0 if nobody knows: then no leaf tells.
    public let timeStampFrequency: UInt64
    /// The virtual CPU's.
    public let apicID: UInt32
    /// What the guest is not to see all the same.
    public let hidden: HiddenFeatures

    public init(_ offers: Offers, timeStampFrequency: UInt64, apicID: UInt32 = 0, hidden: HiddenFeatures = .init()) {
        self.hidden = hidden
        self.offers = offers
        self.timeStampFrequency = timeStampFrequency
        self.apicID = apicID
    }

    /// How often a second the local APIC's timer counts before its divider: as the time stamp, but for the half of it where
    /// ECX of leaf 15H cannot hold that.
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

    // The rows of the first table, bit by bit.
    static var features1C: UInt32 { 0x76DA_3203 }
    static var always1C: UInt32 { CPUIDFeature.x2APIC | CPUIDFeature.timeStampDeadline | CPUIDFeature.hypervisor }
    static var features1D: UInt32 { 0x0F8B_A97F }
    static var always1D: UInt32 {
        CPUIDFeature.machineCheckException | CPUIDFeature.apic | CPUIDFeature.mtrr | CPUIDFeature.machineCheckArchitecture
    }
    static var always6A: UInt32 { 1 << 2 }
    static var features7B: UInt32 { 0xF1BF_27E9 }
    static var always7B: UInt32 { 1 << 1 }
    static var features7C: UInt32 { 0x0041_5F4E }
    static var features7D: UInt32 { 0xBC80_4510 }
    static var features71A: UInt32 { 0x0080_1C37 }
    static var features71D: UInt32 { 0x0000_0430 }
    static var featuresD1A: UInt32 { 0b1111 }
    static var featuresExtendedC: UInt32 { 0x0000_0121 }
    static var featuresExtendedD: UInt32 { 0x2C10_0800 }

    /// The answer to CPUID, with OSXSAVE and OSPKE clear and APIC set.
    public func answer(_ leaf: UInt32, _ subleaf: UInt32, from processor: some ProcessorIdentification) -> CPUIDResult {
        hidden.taken(from: wholeAnswer(leaf, subleaf, processor), leaf, subleaf)
    }

    private func wholeAnswer(_ leaf: UInt32, _ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        switch leaf {
        case 0:
            let native = processor.cpuid(0, 0)
            return .init(eax: Self.highestBasic, ebx: native.ebx, ecx: native.ecx, edx: native.edx)
        case 1:
            let native = processor.cpuid(1, 0)
            var hiddenC: UInt32 = 0
            if !offers.cr4.contains(.processContextIdentifiers) { hiddenC |= 1 << 17 }
            if !offers.cr4.contains(.xsave) { hiddenC |= CPUIDFeature.xsave }
            return .init(
                eax: native.eax, ebx: native.ebx & 0x0000_FF00 | 1 << 16 | apicID << 24,
                ecx: native.ecx & Self.features1C & ~hiddenC | Self.always1C,
                edx: native.edx & (offers.pat ? Self.features1D : Self.features1D & ~CPUIDFeature.pat) | Self.always1D)
        case 2: return native(2, 0, processor)
        case 4:
            let native = native(4, subleaf, processor)
            return .init(eax: native.eax & 0x0000_3FFF, ebx: native.ebx, ecx: native.ecx, edx: native.edx)
        case 6: return .init(eax: Self.always6A, ebx: 0, ecx: 0, edx: 0)
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
            let offered = offers.rdtscp ? Self.featuresExtendedD : Self.featuresExtendedD & ~(1 << 27)
            return .init(eax: native.eax, ebx: 0, ecx: native.ecx & Self.featuresExtendedC, edx: native.edx & offered)
        case 0x8000_0002...0x8000_0004, 0x8000_0006: return native(leaf, 0, processor)
        case 0x8000_0007: return .init(eax: 0, ebx: 0, ecx: 0, edx: CPUIDFeature.invariantTimeStamp)
        case 0x8000_0008:
            let hasFiveLevels = answer(7, 0, from: processor).ecx & CPUIDFeature.fiveLevelPaging != 0
            return .init(
                eax: UInt32(processor.physicalAddressWidth) | (hasFiveLevels ? 57 : 48) << 8, ebx: 0, ecx: 0, edx: 0)
        default: return .zero
        }
    }

    /// The processor's own answer, zero for a leaf that it does not have: it would give those of another.
    private func native(_ leaf: UInt32, _ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        processor.cpuid(leaf & 0x8000_0000, 0).eax >= leaf ? processor.cpuid(leaf, subleaf) : .zero
    }

    private func structuredFeatures(_ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        let first = native(7, 0, processor)
        let hasSecond = first.eax >= 1
        switch subleaf {
        case 0:
            var hiddenB: UInt32 = 0
            if !offers.cr4.contains(.fsgsbase) { hiddenB |= 1 << 0 }
            if !offers.cr4.contains(.supervisorExecutionPrevention) { hiddenB |= 1 << 7 }
            if !offers.invpcid { hiddenB |= 1 << 10 }
            if !offers.fastStrings { hiddenB |= 1 << 9 }
            if !offers.cr4.contains(.supervisorAccessPrevention) { hiddenB |= 1 << 20 }
            var hiddenC: UInt32 = 0
            if !offers.cr4.contains(.userModeInstructionPrevention) { hiddenC |= 1 << 2 }
            if extendedState(of: processor) & CPUIDPolicy.protectionKeyState == 0
                || !offers.cr4.contains(.protectionKeys)
            {
                hiddenC |= CPUIDFeature.protectionKeys
            }
            if !offers.cr4.contains(.fiveLevelPaging) { hiddenC |= CPUIDFeature.fiveLevelPaging }
            if !offers.rdtscp { hiddenC |= 1 << 22 }
            return .init(
                eax: hasSecond ? 1 : 0, ebx: first.ebx & Self.features7B & ~hiddenB | Self.always7B,
                ecx: first.ecx & Self.features7C & ~hiddenC,
                edx: first.edx & Self.features7D & (offers.fastStrings ? .max : ~(1 << 4)))
        case 1 where hasSecond:
            let second = processor.cpuid(7, 1)
            return .init(
                eax: second.eax & Self.features71A & (offers.fastStrings ? .max : ~0x1C00), ebx: 0, ecx: 0,
                edx: second.edx & Self.features71D)
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
            processor.cpuid(1, 0).ecx & CPUIDFeature.xsave != 0
        else { return 0 }
        return UInt64(processor.cpuid(0xD, 0).eax) & (0xE7 | Self.protectionKeyState)
    }

    /// XCR0 bits that a guest may set; PKRU's comes and goes with protection keys.
    public func offeredExtendedState(_ processor: some ProcessorIdentification) -> UInt64 {
        var offered = extendedState(of: processor)
        if hidden.contains(.init(row: 0, bit: CPUIDFeature.xsave)) { return 0 }
        if hidden.contains(.init(row: 0, bit: 1 << 28)) { offered &= ~0xE4 }  // AVX
        if hidden.contains(.init(row: 3, bit: 1 << 16)) { offered &= ~0xE0 }  // AVX512F
        let hasKeys = answer(7, 0, from: processor).ecx & CPUIDFeature.protectionKeys != 0
        return hasKeys ? offered : offered & ~CPUIDPolicy.protectionKeyState
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
            return .init(
                eax: native.eax & (offers.xsaves ? Self.featuresD1A : Self.featuresD1A & ~(1 << 3)), ebx: native.ebx, ecx: 0,
                edx: 0)
        case 2..<10 where offered & 1 << UInt64(subleaf) != 0:
            // ECX: bit 1, aligned to 64 bytes in the compacted form; bit 2 would let the state be switched off on first use.
            let native = processor.cpuid(0xD, subleaf)
            return .init(eax: native.eax, ebx: native.ebx, ecx: native.ecx & 0b010, edx: 0)
        default: return .zero
        }
    }
}

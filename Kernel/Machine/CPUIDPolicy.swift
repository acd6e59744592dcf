import X86

/// What a guest sees of the processor: for each leaf what is passed on, what is masked, what is made up.
///
/// | leaf | policy |
/// | --- | --- |
/// | 0 | vendor passed on; highest leaf at most 16H |
/// | 1 | signature passed on; one processor; features by an allow-list; OSXSAVE follows the guest's CR4; hypervisor bit set |
/// | 2 | passed on |
/// | 4 | caches passed on, shared by one processor |
/// | 7 | features by an allow-list, subleaf 0 only |
/// | BH | one processor, made up |
/// | DH | x87, SSE, AVX and AVX-512 state only, no XSAVES |
/// | 15H, 16H | frequencies passed on |
/// | 40000000H | Martlet's signature |
/// | 80000000H to 80000008H | passed on, features by an allow-list |
/// | others | zero |
///
/// Left out for a reason: MONITOR, since MWAIT would stop the processor; performance counters (leaf AH, PDCM), which Bochs
/// claims without having the MSRs; local APIC, MTRR and machine-check, which the virtual PC does not have; CET and
/// protection keys; LA57.
public struct CPUIDPolicy: Equatable, Sendable {
    /// Instructions that work only if the hypervisor could enable them.
    public var offersRDTSCP: Bool
    public var offersINVPCID: Bool

    public init(offersRDTSCP: Bool, offersINVPCID: Bool) {
        self.offersRDTSCP = offersRDTSCP
        self.offersINVPCID = offersINVPCID
    }

    /// The highest basic leaf that a guest is shown.
    static var highestBasic: UInt32 { 0x16 }
    static var highestExtended: UInt32 { 0x8000_0008 }
    static var hypervisorLeaf: UInt32 { 0x4000_0000 }

    /// Leaf 1, ECX: SSE3, PCLMULQDQ, SSSE3, FMA, CMPXCHG16B, PCID, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE, AVX, F16C,
    /// RDRAND.
    static var features1C: UInt32 { 0x76DA_3203 }
    /// Leaf 1, EDX: FPU, VME, DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, PSE-36, CLFSH, MMX, FXSR, SSE, SSE2, SS.
    static var features1D: UInt32 { 0x0F8B_A97F }
    /// Leaf 7, EBX: FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, INVPCID, AVX-512 (F, DQ, IFMA, CD, BW, VL), RDSEED, ADX, SMAP,
    /// CLFLUSHOPT, CLWB, SHA.
    static var features7B: UInt32 { 0xF1BF_07A9 }
    /// Leaf 7, ECX: AVX512_VBMI, UMIP, AVX512_VBMI2, GFNI, VAES, VPCLMULQDQ, AVX512_VNNI, AVX512_BITALG,
    /// AVX512_VPOPCNTDQ, RDPID.
    static var features7C: UInt32 { 0x0040_5F46 }
    /// Leaf 7, EDX: fast short REP MOV.
    static var features7D: UInt32 { 1 << 4 }
    /// Leaf 80000001H, ECX: LAHF in 64-bit mode, LZCNT, PREFETCHW.
    static var featuresExtendedC: UInt32 { 0x0000_0121 }
    /// Leaf 80000001H, EDX: SYSCALL, NX, 1-GiB pages, RDTSCP, 64-bit mode.
    static var featuresExtendedD: UInt32 { 0x2C10_0800 }

    /// The answer to CPUID.
    ///
    /// - Parameter osxsave: the guest's CR4.OSXSAVE.
    public func answer(
        _ leaf: UInt32, _ subleaf: UInt32, from processor: some ProcessorIdentification, osxsave: Bool
    ) -> CPUIDResult {
        let native = processor.cpuid(leaf, subleaf)
        switch leaf {
        case 0:
            return .init(eax: min(native.eax, Self.highestBasic), ebx: native.ebx, ecx: native.ecx, edx: native.edx)
        case 1:
            return .init(
                eax: native.eax, ebx: native.ebx & 0x0000_FF00 | 1 << 16,
                ecx: native.ecx & Self.features1C | CPUIDFeature.hypervisor | (osxsave ? CPUIDFeature.osxsave : 0),
                edx: native.edx & Self.features1D)
        case 4:
            return .init(eax: native.eax & 0x0000_3FFF, ebx: native.ebx, ecx: native.ecx, edx: native.edx)
        case 7:
            guard subleaf == 0 else { return .zero }
            return .init(
                eax: 0, ebx: native.ebx & (offersINVPCID ? Self.features7B : Self.features7B & ~(1 << 10)),
                ecx: native.ecx & (offersRDTSCP ? Self.features7C : Self.features7C & ~(1 << 22)),
                edx: native.edx & Self.features7D)
        case 0xB:
            // Level 0 is the thread, level 1 the core; both have one processor, whose x2APIC ID is 0.
            return .init(
                eax: 0, ebx: subleaf < 2 ? 1 : 0, ecx: subleaf & 0xFF | (subleaf < 2 ? (subleaf + 1) << 8 : 0), edx: 0)
        case 0xD: return extendedState(subleaf, native, processor)
        case 2, 0x15, 0x16, 0x8000_0002...0x8000_0006: return native
        case Self.hypervisorLeaf:
            // "MartletMartl"
            return .init(eax: Self.hypervisorLeaf, ebx: 0x7472_614D, ecx: 0x4D74_656C, edx: 0x6C74_7261)
        case 0x8000_0000: return .init(eax: min(native.eax, Self.highestExtended), ebx: 0, ecx: 0, edx: 0)
        case 0x8000_0001:
            let offered = offersRDTSCP ? Self.featuresExtendedD : Self.featuresExtendedD & ~(1 << 27)
            return .init(eax: native.eax, ebx: 0, ecx: native.ecx & Self.featuresExtendedC, edx: native.edx & offered)
        case 0x8000_0007: return .init(eax: 0, ebx: 0, ecx: 0, edx: native.edx & 1 << 8)  // invariant TSC
        case 0x8000_0008: return .init(eax: native.eax & 0xFFFF, ebx: 0, ecx: 0, edx: 0)
        default: return .zero
        }
    }

    /// XCR0 bits that a guest may set: x87, SSE, AVX, and the three of AVX-512, as far as the processor has them.
    public static func offeredExtendedState(_ processor: some ProcessorIdentification) -> UInt64 {
        guard processor.cpuid(0, 0).eax >= 0xD, processor.cpuid(1, 0).ecx & CPUIDFeature.xsave != 0 else { return 0 }
        return UInt64(processor.cpuid(0xD, 0).eax) & 0xE7
    }

    private func extendedState(
        _ subleaf: UInt32, _ native: CPUIDResult, _ processor: some ProcessorIdentification
    ) -> CPUIDResult {
        let offered = CPUIDPolicy.offeredExtendedState(processor)
        switch subleaf {
        case 0:
            // EBX follows the loaded XCR0, which is the guest's.
            var size: UInt32 = 576
            for component in 2..<8 where offered & 1 << UInt64(component) != 0 {
                let part = processor.cpuid(0xD, UInt32(component))
                size = max(size, part.eax &+ part.ebx)
            }
            return .init(eax: UInt32(truncatingIfNeeded: offered), ebx: native.ebx, ecx: size, edx: 0)
        case 1: return .init(eax: native.eax & 0b0111, ebx: native.ebx, ecx: 0, edx: 0)
        case 2..<8 where offered & 1 << UInt64(subleaf) != 0: return native
        default: return .zero
        }
    }
}

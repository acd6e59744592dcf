import X86

/// When a guest sees a feature.
enum CPUIDFeatureRule: UInt8, Sendable {
    /// Where the processor has it.
    case passed
    /// Always: Martlet emulates it.
    case emulated
    /// Where the processor has it, and its bits of CR4 may be set while a guest runs.
    case control
    /// Where the processor has it, and VMX can pass it on: RDTSCP with RDPID, INVPCID, XSAVES, IA32_PAT.
    case rdtscp, invpcid, xsaves, pat
    /// Where the processor has it, and IA32_MISC_ENABLE has fast strings on.
    case fastStrings
}

/// All that Martlet knows about a feature that a guest may see.
struct CPUIDFeatureRow: Sendable {
    /// The name by which it can be hidden, as in Docs/Guest.md.
    let name: StaticString
    let feature: CPUIDFeature
    let rule: CPUIDFeatureRule
    /// It is useless without these.
    let needs: (CPUIDFeature?, CPUIDFeature?)
    private let controlBits: UInt32

    var letters: UnsafeRawBufferPointer { .init(start: name.utf8Start, count: name.utf8CodeUnitCount) }
    /// The bits of CR4 that only a processor with the feature has.
    var cr4: ControlRegister4 { .init(rawValue: UInt64(controlBits)) }

    @inline(__always)
    init(
        _ name: StaticString, _ feature: CPUIDFeature, _ rule: CPUIDFeatureRule, needs first: CPUIDFeature? = nil,
        _ second: CPUIDFeature? = nil, cr4: ControlRegister4 = .none
    ) {
        self.name = name
        self.feature = feature
        self.rule = rule
        needs = (first, second)
        controlBits = UInt32(truncatingIfNeeded: cr4.rawValue)
    }
}

/// The features that a guest may see; no other is shown. Docs/Guest.md shows the same, and a test compares them.
enum CPUIDFeatureTable {
    static let rows: [111 of CPUIDFeatureRow] = [
        // Leaf 1, ECX.
        .init("SSE3", .sse3, .passed, needs: .sse2),
        .init("PCLMULQDQ", .pclmulqdq, .passed, needs: .sse2),
        .init("SSSE3", .ssse3, .passed, needs: .sse2),
        .init("FMA", .fma, .passed, needs: .avx),
        .init("CMPXCHG16B", .cmpxchg16b, .passed, needs: .lm, .cx8),
        .init("PCID", .pcid, .control, needs: .lm, cr4: .processContextIdentifiers),
        .init("SSE4.1", .sse41, .passed, needs: .sse2),
        .init("SSE4.2", .sse42, .passed, needs: .sse2),
        .init("x2APIC", .x2apic, .emulated, needs: .apic),
        .init("MOVBE", .movbe, .passed),
        .init("POPCNT", .popcnt, .passed),
        .init("TSC-deadline", .tscDeadline, .emulated, needs: .apic, .tsc),
        .init("AES", .aes, .passed, needs: .sse2),
        .init("XSAVE", .xsave, .control, needs: .fxsr, cr4: .xsave),
        .init("AVX", .avx, .passed, needs: .sse2, .xsave),
        .init("F16C", .f16c, .passed, needs: .avx),
        .init("RDRAND", .rdrand, .passed),
        .init("hypervisor", .hypervisor, .emulated),
        // Leaf 1, EDX.
        .init("FPU", .fpu, .passed),
        .init("VME", .vme, .passed, cr4: .virtual8086Extensions | .protectedVirtualInterrupts),
        .init("DE", .de, .passed, cr4: .debuggingExtensions),
        .init("PSE", .pse, .passed, cr4: .pageSizeExtensions),
        .init("TSC", .tsc, .passed, cr4: .timeStampDisable),
        .init("MSR", .msr, .passed),
        .init("PAE", .pae, .passed, cr4: .physicalAddressExtension),
        .init("MCE", .mce, .emulated, cr4: .machineCheckEnable),
        .init("CX8", .cx8, .passed),
        .init("APIC", .apic, .emulated),
        .init("SEP", .sep, .passed),
        .init("MTRR", .mtrr, .emulated),
        .init("PGE", .pge, .passed, cr4: .pageGlobalEnable),
        .init("MCA", .mca, .emulated, needs: .mce),
        .init("CMOV", .cmov, .passed),
        .init("PAT", .pat, .pat),
        .init("PSE-36", .pse36, .passed, needs: .pse),
        .init("CLFSH", .clfsh, .passed),
        .init("MMX", .mmx, .passed, needs: .fpu),
        .init("FXSR", .fxsr, .passed, needs: .fpu, cr4: .fxsave),
        .init("SSE", .sse, .passed, needs: .fxsr, cr4: .unmaskedSIMDExceptions),
        .init("SSE2", .sse2, .passed, needs: .sse),
        .init("SS", .ss, .passed),
        // Leaf 6, EAX.
        .init("ARAT", .arat, .emulated, needs: .apic),
        // Leaf 7, EBX.
        .init("FSGSBASE", .fsgsbase, .control, needs: .lm, cr4: .fsgsbase),
        .init("TSC-ADJUST", .tscAdjust, .emulated, needs: .tsc),
        .init("BMI1", .bmi1, .passed),
        .init("AVX2", .avx2, .passed, needs: .avx),
        .init("FDP-EXCPTN-ONLY", .fdpExcptnOnly, .passed, needs: .fpu),
        .init("SMEP", .smep, .control, cr4: .supervisorExecutionPrevention),
        .init("BMI2", .bmi2, .passed),
        .init("ERMS", .erms, .fastStrings),
        .init("INVPCID", .invpcid, .invpcid, needs: .pcid),
        .init("ZERO-FCS-FDS", .zeroFCSFDS, .passed, needs: .fpu),
        .init("AVX512F", .avx512f, .passed, needs: .avx2),
        .init("AVX512DQ", .avx512dq, .passed, needs: .avx512f),
        .init("RDSEED", .rdseed, .passed),
        .init("ADX", .adx, .passed),
        .init("SMAP", .smap, .control, cr4: .supervisorAccessPrevention),
        .init("AVX512-IFMA", .avx512ifma, .passed, needs: .avx512f),
        .init("CLFLUSHOPT", .clflushopt, .passed),
        .init("CLWB", .clwb, .passed),
        .init("AVX512CD", .avx512cd, .passed, needs: .avx512f),
        .init("SHA", .sha, .passed, needs: .sse2),
        .init("AVX512BW", .avx512bw, .passed, needs: .avx512f),
        .init("AVX512VL", .avx512vl, .passed, needs: .avx512f),
        // Leaf 7, ECX.
        .init("AVX512-VBMI", .avx512vbmi, .passed, needs: .avx512bw),
        .init("UMIP", .umip, .control, cr4: .userModeInstructionPrevention),
        .init("PKU", .pku, .control, needs: .xsave, cr4: .protectionKeys),
        .init("AVX512-VBMI2", .avx512vbmi2, .passed, needs: .avx512bw),
        .init("GFNI", .gfni, .passed, needs: .sse2),
        .init("VAES", .vaes, .passed, needs: .avx, .aes),
        .init("VPCLMULQDQ", .vpclmulqdq, .passed, needs: .avx, .pclmulqdq),
        .init("AVX512-VNNI", .avx512vnni, .passed, needs: .avx512f),
        .init("AVX512-BITALG", .avx512bitalg, .passed, needs: .avx512bw),
        .init("AVX512-VPOPCNTDQ", .avx512vpopcntdq, .passed, needs: .avx512f),
        .init("LA57", .la57, .control, needs: .lm, cr4: .fiveLevelPaging),
        .init("RDPID", .rdpid, .rdtscp),
        // Leaf 7, EDX.
        .init("FSRM", .fsrm, .fastStrings),
        .init("AVX512-VP2INTERSECT", .avx512vp2intersect, .passed, needs: .avx512f),
        .init("MD-CLEAR", .mdClear, .passed),
        .init("SERIALIZE", .serialize, .passed),
        .init("AVX512-FP16", .avx512fp16, .passed, needs: .avx512bw),
        .init("IBRS", .ibrs, .passed),
        .init("STIBP", .stibp, .passed),
        .init("L1D-FLUSH", .l1dFlush, .passed),
        .init("ARCH-CAPABILITIES", .archCapabilities, .passed),
        .init("SSBD", .ssbd, .passed),
        // Leaf 7, subleaf 1, EAX.
        .init("SHA512", .sha512, .passed, needs: .avx2),
        .init("SM3", .sm3, .passed, needs: .avx2),
        .init("SM4", .sm4, .passed, needs: .avx2),
        .init("AVX-VNNI", .avxVNNI, .passed, needs: .avx2),
        .init("AVX512-BF16", .avx512bf16, .passed, needs: .avx512bw),
        .init("FZLRM", .fzlrm, .fastStrings),
        .init("FSRS", .fsrs, .fastStrings),
        .init("FSRCS", .fsrcs, .fastStrings),
        .init("AVX-IFMA", .avxIFMA, .passed, needs: .avx2),
        // Leaf 7, subleaf 1, EDX.
        .init("AVX-VNNI-INT8", .avxVNNIINT8, .passed, needs: .avx2),
        .init("AVX-NE-CONVERT", .avxNEConvert, .passed, needs: .avx),
        .init("AVX-VNNI-INT16", .avxVNNIINT16, .passed, needs: .avx2),
        // Leaf DH, subleaf 1, EAX.
        .init("XSAVEOPT", .xsaveopt, .passed, needs: .xsave),
        .init("XSAVEC", .xsavec, .passed, needs: .xsave),
        .init("XGETBV1", .xgetbv1, .passed, needs: .xsave),
        .init("XSAVES", .xsaves, .xsaves, needs: .xsavec),
        // Leaf 80000001H, ECX.
        .init("LAHF64", .lahf64, .passed, needs: .lm),
        .init("LZCNT", .lzcnt, .passed),
        .init("PREFETCHW", .prefetchw, .passed),
        // Leaf 80000001H, EDX.
        .init("SYSCALL", .syscall, .passed, needs: .lm),
        .init("NX", .nx, .passed, needs: .pae),
        .init("PAGE1GB", .page1GB, .passed, needs: .lm),
        .init("RDTSCP", .rdtscp, .rdtscp, needs: .tsc),
        .init("LM", .lm, .passed, needs: .pae),
        // Leaf 80000007H, EDX.
        .init("invariant-TSC", .invariantTSC, .emulated, needs: .tsc),
    ]
}

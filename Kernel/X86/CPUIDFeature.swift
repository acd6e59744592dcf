/// A register of CPUID's answer.
public enum CPUIDRegister: UInt8, Sendable {
    case eax, ebx, ecx, edx
}

/// A register of a leaf's answer in which each bit is a feature (SDM volume 2, "CPUID").
public enum CPUIDFeatureWord: UInt8, Sendable {
    case leaf1ECX
    case leaf1EDX
    case leaf6EAX
    case leaf7EBX
    case leaf7ECX
    case leaf7EDX
    case leaf7Subleaf1EAX
    case leaf7Subleaf1EDX
    case leafDSubleaf1EAX
    case extended1ECX
    case extended1EDX
    case extended7EDX

    /// How many there are; they are numbered from 0.
    public static var count: Int { 12 }

    /// What CPUID takes in EAX and ECX, and the register of its answer.
    public var place: (leaf: UInt32, subleaf: UInt32, register: CPUIDRegister) {
        switch self {
        case .leaf1ECX: (1, 0, .ecx)
        case .leaf1EDX: (1, 0, .edx)
        case .leaf6EAX: (6, 0, .eax)
        case .leaf7EBX: (7, 0, .ebx)
        case .leaf7ECX: (7, 0, .ecx)
        case .leaf7EDX: (7, 0, .edx)
        case .leaf7Subleaf1EAX: (7, 1, .eax)
        case .leaf7Subleaf1EDX: (7, 1, .edx)
        case .leafDSubleaf1EAX: (0xD, 1, .eax)
        case .extended1ECX: (0x8000_0001, 0, .ecx)
        case .extended1EDX: (0x8000_0001, 0, .edx)
        case .extended7EDX: (0x8000_0007, 0, .edx)
        }
    }
}

/// A feature that CPUID reports: one bit.
public struct CPUIDFeature: Equatable, Sendable {
    public let word: CPUIDFeatureWord
    /// 0 to 31.
    public let bit: UInt8

    @inline(__always)
    init(_ word: CPUIDFeatureWord, _ bit: UInt8) {
        self.word = word
        self.bit = bit
    }

    /// The bit in its register.
    @inline(__always) public var mask: UInt32 { 1 << UInt32(bit) }
}

extension CPUIDResult {
    /// One register.
    public subscript(register: CPUIDRegister) -> UInt32 {
        switch register {
        case .eax: eax
        case .ebx: ebx
        case .ecx: ecx
        case .edx: edx
        }
    }

    /// Whether a feature's bit is 1 in this answer of its leaf and subleaf.
    public func has(_ feature: CPUIDFeature) -> Bool { self[feature.word.place.register] & feature.mask != 0 }
}

extension ProcessorIdentification {
    /// Whether a feature's bit is 1, in a leaf that the processor has.
    public func has(_ feature: CPUIDFeature) -> Bool {
        let place = feature.word.place
        return cpuid(place.leaf, place.subleaf).has(feature)
    }
}

/// The features that Martlet knows, by the names of the manual.
extension CPUIDFeature {
    // Leaf 1, ECX.
    public static var sse3: Self { .init(.leaf1ECX, 0) }
    public static var pclmulqdq: Self { .init(.leaf1ECX, 1) }
    public static var vmx: Self { .init(.leaf1ECX, 5) }
    public static var ssse3: Self { .init(.leaf1ECX, 9) }
    public static var fma: Self { .init(.leaf1ECX, 12) }
    public static var cmpxchg16b: Self { .init(.leaf1ECX, 13) }
    public static var pcid: Self { .init(.leaf1ECX, 17) }
    public static var sse41: Self { .init(.leaf1ECX, 19) }
    public static var sse42: Self { .init(.leaf1ECX, 20) }
    public static var x2apic: Self { .init(.leaf1ECX, 21) }
    public static var movbe: Self { .init(.leaf1ECX, 22) }
    public static var popcnt: Self { .init(.leaf1ECX, 23) }
    /// The local APIC's timer counts to IA32_TSC_DEADLINE.
    public static var tscDeadline: Self { .init(.leaf1ECX, 24) }
    public static var aes: Self { .init(.leaf1ECX, 25) }
    public static var xsave: Self { .init(.leaf1ECX, 26) }
    /// CR4.OSXSAVE is set.
    public static var osxsave: Self { .init(.leaf1ECX, 27) }
    public static var avx: Self { .init(.leaf1ECX, 28) }
    public static var f16c: Self { .init(.leaf1ECX, 29) }
    public static var rdrand: Self { .init(.leaf1ECX, 30) }
    /// Software runs under a hypervisor (reserved for that use by the manual).
    public static var hypervisor: Self { .init(.leaf1ECX, 31) }

    // Leaf 1, EDX.
    public static var fpu: Self { .init(.leaf1EDX, 0) }
    public static var vme: Self { .init(.leaf1EDX, 1) }
    public static var de: Self { .init(.leaf1EDX, 2) }
    public static var pse: Self { .init(.leaf1EDX, 3) }
    public static var tsc: Self { .init(.leaf1EDX, 4) }
    public static var msr: Self { .init(.leaf1EDX, 5) }
    public static var pae: Self { .init(.leaf1EDX, 6) }
    public static var mce: Self { .init(.leaf1EDX, 7) }
    /// CMPXCHG8B.
    public static var cx8: Self { .init(.leaf1EDX, 8) }
    public static var apic: Self { .init(.leaf1EDX, 9) }
    /// SYSENTER and SYSEXIT.
    public static var sep: Self { .init(.leaf1EDX, 11) }
    public static var mtrr: Self { .init(.leaf1EDX, 12) }
    public static var pge: Self { .init(.leaf1EDX, 13) }
    public static var mca: Self { .init(.leaf1EDX, 14) }
    public static var cmov: Self { .init(.leaf1EDX, 15) }
    public static var pat: Self { .init(.leaf1EDX, 16) }
    public static var pse36: Self { .init(.leaf1EDX, 17) }
    /// CLFLUSH.
    public static var clfsh: Self { .init(.leaf1EDX, 19) }
    public static var mmx: Self { .init(.leaf1EDX, 23) }
    /// FXSAVE and FXRSTOR.
    public static var fxsr: Self { .init(.leaf1EDX, 24) }
    public static var sse: Self { .init(.leaf1EDX, 25) }
    public static var sse2: Self { .init(.leaf1EDX, 26) }
    /// The processor snoops its own stores for code.
    public static var ss: Self { .init(.leaf1EDX, 27) }

    // Leaf 6, EAX.
    /// The local APIC's timer counts in every state of the processor.
    public static var arat: Self { .init(.leaf6EAX, 2) }

    // Leaf 7, EBX.
    public static var fsgsbase: Self { .init(.leaf7EBX, 0) }
    /// IA32_TSC_ADJUST.
    public static var tscAdjust: Self { .init(.leaf7EBX, 1) }
    /// Enclaves.
    public static var sgx: Self { .init(.leaf7EBX, 2) }
    public static var bmi1: Self { .init(.leaf7EBX, 3) }
    public static var avx2: Self { .init(.leaf7EBX, 5) }
    /// The x87 data pointer is written only by an instruction with an unmasked exception.
    public static var fdpExcptnOnly: Self { .init(.leaf7EBX, 6) }
    public static var smep: Self { .init(.leaf7EBX, 7) }
    public static var bmi2: Self { .init(.leaf7EBX, 8) }
    /// REP MOVSB and REP STOSB are fast.
    public static var erms: Self { .init(.leaf7EBX, 9) }
    public static var invpcid: Self { .init(.leaf7EBX, 10) }
    /// Transactions.
    public static var rtm: Self { .init(.leaf7EBX, 11) }
    /// The segments of the x87 pointers are zero.
    public static var zeroFCSFDS: Self { .init(.leaf7EBX, 13) }
    public static var avx512f: Self { .init(.leaf7EBX, 16) }
    public static var avx512dq: Self { .init(.leaf7EBX, 17) }
    public static var rdseed: Self { .init(.leaf7EBX, 18) }
    public static var adx: Self { .init(.leaf7EBX, 19) }
    public static var smap: Self { .init(.leaf7EBX, 20) }
    public static var avx512ifma: Self { .init(.leaf7EBX, 21) }
    public static var clflushopt: Self { .init(.leaf7EBX, 23) }
    public static var clwb: Self { .init(.leaf7EBX, 24) }
    public static var avx512cd: Self { .init(.leaf7EBX, 28) }
    public static var sha: Self { .init(.leaf7EBX, 29) }
    public static var avx512bw: Self { .init(.leaf7EBX, 30) }
    public static var avx512vl: Self { .init(.leaf7EBX, 31) }

    // Leaf 7, ECX.
    public static var avx512vbmi: Self { .init(.leaf7ECX, 1) }
    public static var umip: Self { .init(.leaf7ECX, 2) }
    /// Protection keys of user pages.
    public static var pku: Self { .init(.leaf7ECX, 3) }
    /// CR4.PKE is set.
    public static var ospke: Self { .init(.leaf7ECX, 4) }
    public static var avx512vbmi2: Self { .init(.leaf7ECX, 6) }
    /// Shadow stacks.
    public static var shstk: Self { .init(.leaf7ECX, 7) }
    public static var gfni: Self { .init(.leaf7ECX, 8) }
    public static var vaes: Self { .init(.leaf7ECX, 9) }
    public static var vpclmulqdq: Self { .init(.leaf7ECX, 10) }
    public static var avx512vnni: Self { .init(.leaf7ECX, 11) }
    public static var avx512bitalg: Self { .init(.leaf7ECX, 12) }
    public static var avx512vpopcntdq: Self { .init(.leaf7ECX, 14) }
    /// Five-level paging.
    public static var la57: Self { .init(.leaf7ECX, 16) }
    public static var rdpid: Self { .init(.leaf7ECX, 22) }
    public static var busLockDetect: Self { .init(.leaf7ECX, 24) }
    /// Protection keys of supervisor pages.
    public static var pks: Self { .init(.leaf7ECX, 31) }

    // Leaf 7, EDX.
    /// REP MOVSB is fast for few bytes.
    public static var fsrm: Self { .init(.leaf7EDX, 4) }
    public static var avx512vp2intersect: Self { .init(.leaf7EDX, 8) }
    /// VERW clears the buffers of the processor.
    public static var mdClear: Self { .init(.leaf7EDX, 10) }
    public static var serialize: Self { .init(.leaf7EDX, 14) }
    public static var avx512fp16: Self { .init(.leaf7EDX, 23) }
    /// IA32_SPEC_CTRL.IBRS, and IA32_PRED_CMD.
    public static var ibrs: Self { .init(.leaf7EDX, 26) }
    /// IA32_SPEC_CTRL.STIBP.
    public static var stibp: Self { .init(.leaf7EDX, 27) }
    /// IA32_FLUSH_CMD.
    public static var l1dFlush: Self { .init(.leaf7EDX, 28) }
    /// IA32_ARCH_CAPABILITIES.
    public static var archCapabilities: Self { .init(.leaf7EDX, 29) }
    /// IA32_SPEC_CTRL.SSBD.
    public static var ssbd: Self { .init(.leaf7EDX, 31) }

    // Leaf 7, subleaf 1, EAX.
    public static var sha512: Self { .init(.leaf7Subleaf1EAX, 0) }
    public static var sm3: Self { .init(.leaf7Subleaf1EAX, 1) }
    public static var sm4: Self { .init(.leaf7Subleaf1EAX, 2) }
    public static var avxVNNI: Self { .init(.leaf7Subleaf1EAX, 4) }
    public static var avx512bf16: Self { .init(.leaf7Subleaf1EAX, 5) }
    /// REP MOVSB of zero bytes is fast.
    public static var fzlrm: Self { .init(.leaf7Subleaf1EAX, 10) }
    /// REP STOSB is fast for few bytes.
    public static var fsrs: Self { .init(.leaf7Subleaf1EAX, 11) }
    /// REP CMPSB and REP SCASB are fast for few bytes.
    public static var fsrcs: Self { .init(.leaf7Subleaf1EAX, 12) }
    public static var avxIFMA: Self { .init(.leaf7Subleaf1EAX, 23) }

    // Leaf 7, subleaf 1, EDX.
    public static var avxVNNIINT8: Self { .init(.leaf7Subleaf1EDX, 4) }
    public static var avxNEConvert: Self { .init(.leaf7Subleaf1EDX, 5) }
    public static var avxVNNIINT16: Self { .init(.leaf7Subleaf1EDX, 10) }

    // Leaf DH, subleaf 1, EAX.
    public static var xsaveopt: Self { .init(.leafDSubleaf1EAX, 0) }
    public static var xsavec: Self { .init(.leafDSubleaf1EAX, 1) }
    public static var xgetbv1: Self { .init(.leafDSubleaf1EAX, 2) }
    public static var xsaves: Self { .init(.leafDSubleaf1EAX, 3) }

    // Leaf 80000001H, ECX.
    /// LAHF and SAHF in 64-bit mode.
    public static var lahf64: Self { .init(.extended1ECX, 0) }
    public static var svm: Self { .init(.extended1ECX, 2) }
    public static var lzcnt: Self { .init(.extended1ECX, 5) }
    public static var prefetchw: Self { .init(.extended1ECX, 8) }
    /// EFER.TCE.
    public static var tce: Self { .init(.extended1ECX, 17) }

    // Leaf 80000001H, EDX.
    public static var syscall: Self { .init(.extended1EDX, 11) }
    /// IA32_EFER.NXE.
    public static var nx: Self { .init(.extended1EDX, 20) }
    /// EFER.FFXSR.
    public static var ffxsr: Self { .init(.extended1EDX, 25) }
    public static var page1GB: Self { .init(.extended1EDX, 26) }
    public static var rdtscp: Self { .init(.extended1EDX, 27) }
    /// 64-bit mode.
    public static var lm: Self { .init(.extended1EDX, 29) }

    // Leaf 80000007H, EDX.
    public static var invariantTSC: Self { .init(.extended7EDX, 8) }
}

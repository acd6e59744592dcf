import X86

/// The names of the features in the first table of `CPUIDPolicy`, and which of them depend on which.
struct CPUIDFeatureNames {
    /// A feature: one bit of one of the registers in the table.
    struct Feature: Equatable {
        var row: Int
        var bit: UInt32
    }

    /// The table's rows, from leaf 1 ECX to leaf 80000007H EDX.
    static var rowCount: Int { 12 }

    /// The bits that a row has names for, in the order of the names.
    static func bits(_ row: Int) -> UInt32 {
        switch row {
        case 0: CPUIDPolicy.features1C | CPUIDPolicy.always1C
        case 1: CPUIDPolicy.features1D | CPUIDPolicy.always1D
        case 2: CPUIDPolicy.always6A
        case 3: CPUIDPolicy.features7B | CPUIDPolicy.always7B
        case 4: CPUIDPolicy.features7C
        case 5: CPUIDPolicy.features7D
        case 6: CPUIDPolicy.features71A
        case 7: CPUIDPolicy.features71D
        case 8: CPUIDPolicy.featuresD1A
        case 9: CPUIDPolicy.featuresExtendedC
        case 10: CPUIDPolicy.featuresExtendedD
        default: 1 << 8
        }
    }

    private static func names(_ row: Int) -> StaticString {
        switch row {
        case 0:
            "SSE3 PCLMULQDQ SSSE3 FMA CMPXCHG16B PCID SSE4.1 SSE4.2 x2APIC MOVBE POPCNT TSC-deadline AES XSAVE AVX F16C RDRAND hypervisor"
        case 1: "FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE-36 CLFSH MMX FXSR SSE SSE2 SS"
        case 2: "ARAT"
        case 3:
            "FSGSBASE TSC-ADJUST BMI1 AVX2 FDP-EXCPTN-ONLY SMEP BMI2 ERMS INVPCID ZERO-FCS-FDS AVX512F AVX512DQ RDSEED ADX SMAP AVX512-IFMA CLFLUSHOPT CLWB AVX512CD SHA AVX512BW AVX512VL"
        case 4: "AVX512-VBMI UMIP PKU AVX512-VBMI2 GFNI VAES VPCLMULQDQ AVX512-VNNI AVX512-BITALG AVX512-VPOPCNTDQ LA57 RDPID"
        case 5: "FSRM AVX512-VP2INTERSECT MD-CLEAR SERIALIZE AVX512-FP16 IBRS STIBP L1D-FLUSH ARCH-CAPABILITIES SSBD"
        case 6: "SHA512 SM3 SM4 AVX-VNNI AVX512-BF16 FZLRM FSRS FSRCS AVX-IFMA"
        case 7: "AVX-VNNI-INT8 AVX-NE-CONVERT AVX-VNNI-INT16"
        case 8: "XSAVEOPT XSAVEC XGETBV1 XSAVES"
        case 9: "LAHF64 LZCNT PREFETCHW"
        case 10: "SYSCALL NX PAGE1GB RDTSCP LM"
        default: "invariant-TSC"
        }
    }

    /// A feature, and behind it those that are nothing without it.
    static func dependence(_ number: Int) -> StaticString? {
        switch number {
        case 0: "FXSR SSE XSAVE"
        case 1: "SSE SSE2"
        case 2: "SSE2 SSE3 SSSE3 SSE4.1 SSE4.2 PCLMULQDQ AES SHA GFNI F16C AVX"
        case 3: "XSAVE AVX PKU XSAVEOPT XSAVEC XGETBV1 XSAVES"
        case 4: "XSAVEC XSAVES"
        case 5: "AVX FMA F16C AVX2 VAES VPCLMULQDQ AVX-NE-CONVERT"
        case 6: "AVX2 AVX512F AVX-VNNI AVX-IFMA AVX-VNNI-INT8 AVX-VNNI-INT16 SHA512 SM3 SM4"
        case 7: "AVX512F AVX512DQ AVX512-IFMA AVX512CD AVX512BW AVX512VL AVX512-VNNI AVX512-VPOPCNTDQ AVX512-VP2INTERSECT"
        case 8: "AVX512BW AVX512-VBMI AVX512-VBMI2 AVX512-BITALG AVX512-FP16 AVX512-BF16"
        case 9: "AES VAES"
        case 10: "PCLMULQDQ VPCLMULQDQ"
        case 11: "PAE NX LM"
        case 12: "LM LA57 PCID FSGSBASE PAGE1GB LAHF64 SYSCALL CMPXCHG16B"
        case 13: "PSE PSE-36"
        case 14: "CX8 CMPXCHG16B"
        case 15: "APIC x2APIC TSC-deadline ARAT"
        case 16: "TSC TSC-deadline TSC-ADJUST RDTSCP invariant-TSC"
        case 17: "MCE MCA"
        case 18: "FPU MMX FXSR FDP-EXCPTN-ONLY ZERO-FCS-FDS"
        case 19: "PCID INVPCID"
        default: nil
        }
    }

    private var row = -1
    private var rest: UInt32 = 0
    private var words = WordList("")

    /// The next name and its feature.
    private mutating func next() -> (name: UnsafeRawBufferPointer, feature: Feature)? {
        while rest == 0 {
            row += 1
            guard row < Self.rowCount else { return nil }
            rest = Self.bits(row)
            words = WordList(Self.names(row))
        }
        let bit = rest & (0 &- rest)
        rest ^= bit
        guard let name = words.next() else { return nil }
        return (name, Feature(row: row, bit: bit))
    }

    /// The feature of that name, small letters or large.
    static func feature(_ name: UnsafeRawBufferPointer) -> Feature? {
        var names = CPUIDFeatureNames()
        while let (known, feature) = names.next() {
            if known.count == name.count, distance(known, name) == 0 { return feature }
        }
        return nil
    }

    /// The name that is nearest to a word.
    static func nearest(to word: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var names = CPUIDFeatureNames()
        var least = Int.max
        var nearest = word
        while let (known, _) = names.next() {
            let distance = distance(known, word)
            if distance < least { (least, nearest) = (distance, known) }
        }
        return nearest
    }

    /// How many letters have to be put in, taken out or replaced to make one of the other (Levenshtein), of the first 31.
    private static func distance(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        let width = min(second.count, 31)
        var line: [32 of Int] = .init(repeating: 0)
        for column in 0...width { line[column] = column }
        for index in 0..<first.count {
            var diagonal = index
            line[0] = index + 1
            for column in 0..<width {
                let above = line[column + 1]
                let replaced = diagonal + (large(first[index]) == large(second[column]) ? 0 : 1)
                line[column + 1] = min(replaced, min(above, line[column]) + 1)
                diagonal = above
            }
        }
        return line[width] + second.count - width
    }

    private static func large(_ letter: UInt8) -> UInt8 { (0x61...0x7A).contains(letter) ? letter & 0xDF : letter }
}

/// Words between blanks or commas.
struct WordList {
    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }
    init(_ text: StaticString) { self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)) }

    private func isBetween(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x2C }

    mutating func next() -> UnsafeRawBufferPointer? {
        while position < text.count, isBetween(text[position]) { position += 1 }
        let start = position
        while position < text.count, !isBetween(text[position]) { position += 1 }
        return start == position ? nil : UnsafeRawBufferPointer(rebasing: text[start..<position])
    }
}

/// Features that a guest is not to see, and those that depend on them.
public struct HiddenFeatures: Equatable, Sendable {
    private var rows: [12 of UInt32] = .init(repeating: 0)
    private(set) var isEmpty = true

    public init() {}

    public static func == (left: Self, right: Self) -> Bool {
        for row in 0..<CPUIDFeatureNames.rowCount where left.rows[row] != right.rows[row] { return false }
        return true
    }

    func contains(_ feature: CPUIDFeatureNames.Feature) -> Bool { rows[feature.row] & feature.bit != 0 }

    /// Hides PKU, with what depends on it.
    public mutating func hideProtectionKeys() {
        let name: StaticString = "pku"
        _ = hide(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// Hides a feature by its name.
    /// - Returns: false if there is none of that name.
    mutating func hide(_ name: UnsafeRawBufferPointer) -> Bool {
        guard let feature = CPUIDFeatureNames.feature(name) else { return false }
        rows[feature.row] |= feature.bit
        isEmpty = false
        while hideDependents() {}
        return true
    }

    /// - Returns: whether any was still to be seen.
    private mutating func hideDependents() -> Bool {
        var isChanged = false
        var number = 0
        while let row = CPUIDFeatureNames.dependence(number) {
            number += 1
            var names = WordList(row)
            guard let first = names.next().flatMap(CPUIDFeatureNames.feature), contains(first) else { continue }
            while let name = names.next() {
                guard let feature = CPUIDFeatureNames.feature(name), !contains(feature) else { continue }
                rows[feature.row] |= feature.bit
                isChanged = true
            }
        }
        return isChanged
    }

    /// An answer of CPUID without them.
    func taken(from answer: CPUIDResult, _ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult {
        guard !isEmpty else { return answer }
        var (eax, ebx, ecx, edx) = (answer.eax, answer.ebx, answer.ecx, answer.edx)
        switch (leaf, subleaf) {
        case (1, _): (ecx, edx) = (ecx & ~rows[0], edx & ~rows[1])
        case (6, _): eax &= ~rows[2]
        case (7, 0): (ebx, ecx, edx) = (ebx & ~rows[3], ecx & ~rows[4], edx & ~rows[5])
        case (7, 1): (eax, edx) = (eax & ~rows[6], edx & ~rows[7])
        case (0xD, 1): eax &= ~rows[8]
        case (0x8000_0001, _): (ecx, edx) = (ecx & ~rows[9], edx & ~rows[10])
        case (0x8000_0007, _): edx &= ~rows[11]
        default: break
        }
        return .init(eax: eax, ebx: ebx, ecx: ecx, edx: edx)
    }
}

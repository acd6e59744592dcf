import X86

/// The answers to CPUID of one virtual CPU, worked out once: under another hypervisor each CPUID in the kernel is an exit
/// of its own.
///
/// The first 32 leaves of the basic and of the extended range have a place, and so have the two subleaves of leaf 7; other
/// leaves whose answer depends on ECX, and those of the hypervisor, are worked out each time.
public struct CPUIDAnswers: ~Copyable {
    /// One leaf's place.
    public struct Entry: Sendable {
        var result = CPUIDResult.zero
        /// Whether `result` is the answer to every CPUID of this leaf.
        var isConstant = false
    }

    /// How many places there are.
    public static var entryCount: Int { 66 }
    /// Where those of leaf 7 begin.
    private static var structuredFeatures: Int { 64 }

    // A table in place would be copied wherever the compiler cannot prove that it may look at it where it is.
    private let entries: UnsafeMutablePointer<Entry>
    private let policy: CPUIDPolicy

    /// - Parameter entries: memory for `entryCount` places, which stays as long as the virtual CPU lives.
    public init(
        _ policy: CPUIDPolicy, _ processor: some ProcessorIdentification, entries: UnsafeMutablePointer<Entry>
    ) {
        self.policy = policy
        self.entries = entries
        entries.initialize(repeating: Entry(), count: CPUIDAnswers.entryCount)
        for index in 0..<64 {
            let leaf = index < 32 ? UInt32(index) : 0x8000_0000 + UInt32(index - 32)
            // A leaf above the highest gives what the highest basic one gives (SDM volume 2, "CPUID").
            let highest = index < 32 ? CPUIDPolicy.highestBasic : CPUIDPolicy.highestExtended
            let shown = leaf <= highest ? leaf : CPUIDPolicy.highestBasic
            switch shown {
            case 4, 7, 0xB, 0xD: break
            default: entries[index] = Entry(result: policy.answer(shown, 0, from: processor), isConstant: true)
            }
        }
        for subleaf in 0..<2 {
            entries[CPUIDAnswers.structuredFeatures + subleaf].result = policy.answer(7, UInt32(subleaf), from: processor)
        }
    }

    /// The constant answer to a leaf, if it has one.
    @inline(__always)
    func constant(_ leaf: UInt32) -> CPUIDResult? {
        var place = entries + Int(leaf)
        if leaf >= 32 {
            guard leaf &- 0x8000_0000 < 32 else { return nil }
            place = entries + Int(leaf &- 0x8000_0000 &+ 32)
        }
        return place.pointee.isConstant ? place.pointee.result : nil
    }

    /// The answer to a leaf that has no constant one.
    func answer(_ leaf: UInt32, _ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        switch leaf {
        case 7: subleaf < 2 ? entries[CPUIDAnswers.structuredFeatures + Int(subleaf)].result : .zero
        case 4, 0xB, 0xD, CPUIDPolicy.hypervisorLeaf...CPUIDPolicy.highestHypervisor:
            policy.answer(leaf, subleaf, from: processor)
        default: entries[Int(CPUIDPolicy.highestBasic)].result
        }
    }

    // What follows the guest's state: called when the guest changes it.

    /// Leaf 1 shows CR4.OSXSAVE.
    mutating func update(osxsave: Bool) {
        let bit = CPUIDFeature.osxsave
        entries[1].result.ecx = osxsave ? entries[1].result.ecx | bit : entries[1].result.ecx & ~bit
    }

    /// Leaf 1 shows the enable bit of IA32_APIC_BASE.
    mutating func update(apicEnabled: Bool) {
        let bit = CPUIDFeature.apic
        entries[1].result.edx = apicEnabled ? entries[1].result.edx | bit : entries[1].result.edx & ~bit
    }

    /// Leaf 7 shows CR4.PKE.
    mutating func update(protectionKeysEnabled: Bool) {
        let place = CPUIDAnswers.structuredFeatures
        let bit = CPUIDFeature.protectionKeysEnabled
        entries[place].result.ecx = protectionKeysEnabled ? entries[place].result.ecx | bit : entries[place].result.ecx & ~bit
    }
}

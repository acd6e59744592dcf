import X86

/// The answers to CPUID of one virtual CPU, worked out once: under another hypervisor each CPUID in the kernel is an exit
/// of its own.
///
/// The first 32 leaves of the basic and of the extended range have a place, and so has each subleaf that holds something;
/// the leaves of the hypervisor and subleaves that are zero are worked out each time.
public struct CPUIDAnswers: ~Copyable {
    /// One leaf's or subleaf's place.
    public struct Entry: Sendable {
        var result = CPUIDResult.zero
        /// Whether `result` is the answer for every subleaf.
        var isConstant = true
        /// How many subleaves have a place.
        var subleafCount: UInt16 = 0
        /// The first of these.
        var firstSubleaf: UInt16 = 0
    }

    /// How many places there are.
    public static var entryCount: Int { 64 + 8 + 2 + 3 + 8 }

    // Where the subleaves of each leaf begin.
    private static var caches: Int { 64 }
    private static var structuredFeatures: Int { 72 }
    private static var topology: Int { 74 }
    private static var extendedState: Int { 77 }

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
            entries[index].result = policy.answer(leaf <= highest ? leaf : CPUIDPolicy.highestBasic, 0, from: processor)
        }
        place(4, CPUIDAnswers.caches, 8, processor)
        place(7, CPUIDAnswers.structuredFeatures, 2, processor)
        place(0xB, CPUIDAnswers.topology, 3, processor)
        place(0xD, CPUIDAnswers.extendedState, 8, processor)
    }

    private func place(_ leaf: Int, _ first: Int, _ count: Int, _ processor: some ProcessorIdentification) {
        entries[leaf].isConstant = false
        entries[leaf].firstSubleaf = UInt16(first)
        entries[leaf].subleafCount = UInt16(count)
        for subleaf in 0..<count {
            entries[first + subleaf].result = policy.answer(UInt32(leaf), UInt32(subleaf), from: processor)
        }
    }

    /// The answer to a leaf and subleaf that have a place.
    @inline(__always)
    func quick(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult? {
        var place = entries + Int(leaf)
        if leaf >= 32 {
            guard leaf &- 0x8000_0000 < 32 else { return nil }
            place = entries + Int(leaf &- 0x8000_0000 &+ 32)
        }
        if place.pointee.isConstant { return place.pointee.result }
        guard subleaf < UInt32(place.pointee.subleafCount) else { return nil }
        return entries[Int(place.pointee.firstSubleaf) &+ Int(subleaf)].result
    }

    /// The answer to any other.
    func answer(_ leaf: UInt32, _ subleaf: UInt32, _ processor: some ProcessorIdentification) -> CPUIDResult {
        switch leaf {
        case 4, 7, 0xB, 0xD, CPUIDPolicy.hypervisorLeaf...CPUIDPolicy.highestHypervisor:
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

    /// Leaf DH shows the size of what XCR0 enables, which the processor has loaded.
    mutating func updateExtendedState(_ processor: some ProcessorIdentification) {
        for subleaf in 0..<2 {
            entries[CPUIDAnswers.extendedState + subleaf].result = policy.answer(0xD, UInt32(subleaf), from: processor)
        }
    }

    /// Leaf 7 shows CR4.PKE.
    mutating func update(protectionKeysEnabled: Bool) {
        let place = CPUIDAnswers.structuredFeatures
        let bit = CPUIDFeature.protectionKeysEnabled
        entries[place].result.ecx = protectionKeysEnabled ? entries[place].result.ecx | bit : entries[place].result.ecx & ~bit
    }
}

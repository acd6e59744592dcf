import X86

/// One virtual CPU's answers to CPUID, computed once: under another hypervisor, each CPUID in the kernel is itself an exit.
///
/// Each range of leaves (basic, hypervisor, extended, and one that does not exist) has 32 places; for a leaf that does not
/// exist, the place holds what the processor gives for it. After them come the subleaves of the leaves that have any. Every
/// leaf is answered the same way, since that takes fewer instructions than telling them apart.
public struct CPUIDAnswers: ~Copyable {
    /// One leaf's or subleaf's place.
    public struct Entry: Sendable {
        var result = CPUIDResult.zero
        /// The place of the leaf's subleaf 0; for a leaf without subleaves, its own.
        var firstSubleaf: UInt32 = 0
        /// The last subleaf that has a place, which stands for all after it.
        var lastSubleaf: UInt32 = 0
        /// The bits of ECX that the answer repeats.
        var repeatedBits: UInt32 = 0
        private var unused: UInt32 = 0
    }

    /// How many places there are.
    public static var entryCount: Int { topology + 3 }

    private static var leavesInRange: UInt32 { 32 }
    // Where the subleaves of each leaf begin.
    private static var caches: Int { 4 * 32 }
    private static var structuredFeatures: Int { caches + 9 }
    private static var extendedState: Int { structuredFeatures + 3 }
    private static var topology: Int { extendedState + 11 }

    // An inline table would be copied wherever the compiler cannot prove that it may be read in place.
    private let entries: UnsafeMutablePointer<Entry>
    private let policy: CPUIDPolicy

    /// - Parameter entries: memory for `entryCount` places, which stays as long as the virtual CPU lives.
    public init(
        _ policy: CPUIDPolicy, _ processor: some ProcessorIdentification, entries: UnsafeMutablePointer<Entry>
    ) {
        self.policy = policy
        self.entries = entries
        entries.initialize(repeating: Entry(), count: CPUIDAnswers.entryCount)
        for index in 0..<4 * CPUIDAnswers.leavesInRange {
            let leaf = index << 30 | index >> 2
            entries[Int(index)].firstSubleaf = index
            entries[Int(index)].result = policy.answer(
                CPUIDPolicy.isShown(leaf) ? leaf : CPUIDPolicy.highestBasic, 0, from: processor)
        }
        place(4, CPUIDAnswers.caches, last: 8, processor)
        place(7, CPUIDAnswers.structuredFeatures, last: 2, processor)
        place(0xB, CPUIDAnswers.topology, last: 2, processor)
        place(0xD, CPUIDAnswers.extendedState, last: 10, processor)
        // Level numbers are repeated, even for levels that do not exist.
        for subleaf in 0...2 {
            entries[CPUIDAnswers.topology + subleaf].repeatedBits = 0xFF
            entries[CPUIDAnswers.topology + subleaf].result.ecx &= ~0xFF
        }
    }

    /// A leaf's place: its range is in the two lowest bits.
    @inline(__always)
    private static func index(_ leaf: UInt32) -> UInt32 { leaf << 2 | leaf >> 30 }

    private func place(_ leaf: UInt32, _ first: Int, last: Int, _ processor: some ProcessorIdentification) {
        let index = Int(CPUIDAnswers.index(leaf))
        entries[index].firstSubleaf = UInt32(first)
        entries[index].lastSubleaf = UInt32(last)
        for subleaf in 0...last {
            entries[first + subleaf].result = policy.answer(leaf, UInt32(subleaf), from: processor)
        }
    }

    /// The answer to any leaf and subleaf.
    @inline(__always)
    func answer(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult {
        var index = CPUIDAnswers.index(leaf)
        if index >= 4 * CPUIDAnswers.leavesInRange { index = CPUIDAnswers.index(CPUIDPolicy.highestBasic) }
        let place = entries + Int(index)
        let found = entries + Int(place.pointee.firstSubleaf &+ min(subleaf, place.pointee.lastSubleaf))
        var result = found.pointee.result
        result.ecx |= subleaf & found.pointee.repeatedBits
        return result
    }

    // Answers that follow the guest's state; called when the guest changes it.

    /// The place of leaf 1.
    private static var features: Int { 1 << 2 }

    /// Leaf 1 shows CR4.OSXSAVE.
    mutating func update(osxsave: Bool) {
        let bit = CPUIDFeature.osxsave.mask
        entries[CPUIDAnswers.features].result.ecx =
            osxsave ? entries[CPUIDAnswers.features].result.ecx | bit : entries[CPUIDAnswers.features].result.ecx & ~bit
    }

    /// Leaf 1 shows the enable bit of IA32_APIC_BASE.
    mutating func update(apicEnabled: Bool) {
        guard policy.emulated.contains(.apic) else { return }
        let bit = CPUIDFeature.apic.mask
        entries[CPUIDAnswers.features].result.edx =
            apicEnabled ? entries[CPUIDAnswers.features].result.edx | bit : entries[CPUIDAnswers.features].result.edx & ~bit
    }

    /// Leaf DH shows the size of what XCR0, now loaded in the processor, enables.
    mutating func updateExtendedState(_ processor: some ProcessorIdentification) {
        for subleaf in 0..<2 {
            entries[CPUIDAnswers.extendedState + subleaf].result = policy.answer(0xD, UInt32(subleaf), from: processor)
        }
    }

    /// Leaf 7 shows CR4.PKE.
    mutating func update(protectionKeysEnabled: Bool) {
        let place = CPUIDAnswers.structuredFeatures
        let bit = CPUIDFeature.ospke.mask
        entries[place].result.ecx = protectionKeysEnabled ? entries[place].result.ecx | bit : entries[place].result.ecx & ~bit
    }
}

import X86

/// The answers to CPUID of one virtual CPU, worked out once: under another hypervisor each CPUID in the kernel is an exit
/// of its own.
///
/// Each range of leaves (basic, hypervisor, extended, and one that nobody has) has 32 places, where a leaf that does not
/// exist has what the processor gives for it. Behind them lie the subleaves of the leaves that have some. Every leaf is
/// answered in the same way, since that takes fewer instructions than to tell them apart.
public struct CPUIDAnswers: ~Copyable {
    /// One leaf's or subleaf's place.
    public struct Entry: Sendable {
        var result = CPUIDResult.zero
        /// The place of the leaf's subleaf 0: of a leaf without subleaves, its own.
        var firstSubleaf: UInt32 = 0
        /// The number of the last subleaf that has a place, which stands for all after it.
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
        // Level numbers are repeated, also those of levels that are not there.
        for subleaf in 0...2 {
            entries[CPUIDAnswers.topology + subleaf].repeatedBits = 0xFF
            entries[CPUIDAnswers.topology + subleaf].result.ecx &= ~0xFF
        }
    }

    /// Where a leaf's place is: its range is in the two lowest bits.
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

    // What follows the guest's state: called when the guest changes it.

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

    /// Leaf DH shows the size of what XCR0 enables, which the processor has loaded.
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

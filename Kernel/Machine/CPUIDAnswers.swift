import X86

/// The answers to CPUID of one virtual CPU, worked out once: under another hypervisor each CPUID in the kernel is an exit
/// of its own.
///
/// The first 32 leaves of the basic and of the extended range have a place; leaves whose answer depends on ECX or on the
/// guest's state now are asked again each time.
public struct CPUIDAnswers: ~Copyable {
    /// One leaf's place.
    public struct Entry: Sendable {
        var result = CPUIDResult.zero
        /// Whether `result` is the answer to every CPUID of this leaf.
        var isConstant = false
    }

    /// How many places there are.
    public static var entryCount: Int { 64 }

    // A table in place would be copied wherever the compiler cannot prove that it may look at it where it is.
    private let entries: UnsafeMutablePointer<Entry>
    private let policy: CPUIDPolicy
    private let highestBasic: UInt32

    /// - Parameter entries: memory for `entryCount` places, which stays as long as the virtual CPU lives.
    public init(
        _ policy: CPUIDPolicy, _ processor: some ProcessorIdentification, entries: UnsafeMutablePointer<Entry>
    ) {
        self.policy = policy
        self.entries = entries
        entries.initialize(repeating: Entry(), count: CPUIDAnswers.entryCount)
        highestBasic = policy.answer(0, 0, from: processor, osxsave: false).eax
        for index in 0..<64 {
            let leaf = index < 32 ? UInt32(index) : 0x8000_0000 + UInt32(index - 32)
            let shown = isKnown(leaf, processor) ? leaf : highestBasic
            switch shown {
            case 4, 7, 0xB, 0xD: break
            default: entries[index] = Entry(result: policy.answer(shown, 0, from: processor, osxsave: false), isConstant: true)
            }
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

    /// Any answer. A leaf above the highest gives what the highest basic one gives, for the same ECX (SDM volume 2, "CPUID").
    func answer(
        _ leaf: UInt32, _ subleaf: UInt32, _ processor: some ProcessorIdentification, osxsave: Bool
    ) -> CPUIDResult {
        policy.answer(isKnown(leaf, processor) ? leaf : highestBasic, subleaf, from: processor, osxsave: osxsave)
    }

    private func isKnown(_ leaf: UInt32, _ processor: some ProcessorIdentification) -> Bool {
        leaf <= highestBasic || leaf == CPUIDPolicy.hypervisorLeaf
            || (leaf >= 0x8000_0000 && leaf <= processor.cpuid(0x8000_0000, 0).eax && leaf <= CPUIDPolicy.highestExtended)
    }

    /// Leaf 1 shows whether the local APIC is enabled: called when the guest changes that.
    mutating func update(hasAPIC: Bool) {
        let bit = CPUIDFeature.apic
        entries[1].result.edx = hasAPIC ? entries[1].result.edx | bit : entries[1].result.edx & ~bit
    }

    /// Leaf 1 shows CR4.OSXSAVE: called when the guest changes it.
    mutating func update(osxsave: Bool) {
        let bit = CPUIDFeature.osxsave
        entries[1].result.ecx = osxsave ? entries[1].result.ecx | bit : entries[1].result.ecx & ~bit
    }
}

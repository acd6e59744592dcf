import X86

/// The answers to CPUID of one virtual CPU, worked out once: under another hypervisor each CPUID in the kernel is an exit
/// of its own.
///
/// The first 32 leaves of the basic and of the extended range have a place; leaves whose answer depends on ECX or on the
/// guest's state now are asked again each time.
public struct CPUIDAnswers {
    /// One leaf's place.
    struct Entry {
        var result = CPUIDResult.zero
        /// Whether `result` is the answer to every CPUID of this leaf.
        var isConstant = false
    }

    private var entries: [64 of Entry]
    private let policy: CPUIDPolicy
    private let highestBasic: UInt32

    public init(_ policy: CPUIDPolicy, _ processor: some ProcessorIdentification) {
        self.policy = policy
        entries = .init(repeating: Entry())
        highestBasic = policy.answer(0, 0, from: processor, osxsave: false).eax
        for index in 0..<64 {
            let leaf = index < 32 ? UInt32(index) : 0x8000_0000 + UInt32(index - 32)
            switch leaf {
            case 4, 7, 0xB, 0xD: break
            default: entries[index] = Entry(result: answer(leaf, 0, processor, osxsave: false), isConstant: true)
            }
        }
    }

    /// The constant answer to a leaf, if it has one.
    @inline(__always)
    func constant(_ leaf: UInt32) -> CPUIDResult? {
        // 80000000H and up go to the second half, all else beyond the first 32 has no place.
        let index = leaf & 0x8000_0000 == 0 ? leaf : (leaf ^ 0x8000_0000) &+ 32
        guard index < 64, index < 32 || leaf >= 0x8000_0000 else { return nil }
        guard entries[Int(index)].isConstant else { return nil }
        return entries[Int(index)].result
    }

    /// Any answer. A leaf above the highest gives what the highest basic one gives (SDM volume 2, "CPUID").
    func answer(
        _ leaf: UInt32, _ subleaf: UInt32, _ processor: some ProcessorIdentification, osxsave: Bool
    ) -> CPUIDResult {
        let isKnown =
            leaf <= highestBasic || leaf == CPUIDPolicy.hypervisorLeaf
            || (leaf >= 0x8000_0000 && leaf <= processor.cpuid(0x8000_0000, 0).eax && leaf <= CPUIDPolicy.highestExtended)
        return policy.answer(isKnown ? leaf : highestBasic, subleaf, from: processor, osxsave: osxsave)
    }

    /// Leaf 1 shows CR4.OSXSAVE: called when the guest changes it.
    mutating func update(osxsave: Bool) {
        let bit = CPUIDFeature.osxsave
        entries[1].result.ecx = osxsave ? entries[1].result.ecx | bit : entries[1].result.ecx & ~bit
    }
}

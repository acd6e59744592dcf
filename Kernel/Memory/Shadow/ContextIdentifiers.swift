/// The address spaces for which a guest's processor may have cached translations: for each process-context identifier (PCID) the
/// root last loaded with it, unless the guest has since invalidated its translations. A load that keeps translations has none
/// to keep for any other.
///
/// Intel SDM vol. 3, "Process-Context Identifiers (PCIDs)" and "Operations that Invalidate TLBs and Paging-Structure Caches".
public struct ContextIdentifiers {
    /// For each identifier: the root's frame, and above it the generation in which it was loaded.
    private let roots: UnsafeMutablePointer<UInt64>
    private var generation: UInt64 = 0

    static var count: Int { 4096 }

    init(_ storage: UnsafeMutablePointer<UInt64>) {
        roots = storage
        removeAll()
    }

    /// - Parameter root: the root's frame.
    public func contains(_ tag: UInt64, root: UInt64) -> Bool {
        roots[Int(truncatingIfNeeded: tag) & 4095] == generation << 32 | root & 0xFFFF_FFFF
    }

    public mutating func insert(_ tag: UInt64, root: UInt64) {
        roots[Int(truncatingIfNeeded: tag) & 4095] = generation << 32 | root & 0xFFFF_FFFF
    }

    public mutating func remove(_ tag: UInt64) { roots[Int(truncatingIfNeeded: tag) & 4095] = 0 }

    public mutating func removeAll() {
        generation = (generation + 1) & 0xFFFF_FFFF
        // What was loaded in an earlier generation of the same number is long gone.
        guard generation <= 1 else { return }
        generation = 1
        roots.update(repeating: 0, count: Self.count)
    }
}

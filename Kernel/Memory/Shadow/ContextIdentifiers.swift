/// The process-context identifiers (PCIDs) for which a guest's processor may hold translations: those whose address spaces were
/// loaded since the guest last invalidated them. A load that keeps translations has none to keep for any other.
///
/// Intel SDM vol. 3, "Process-Context Identifiers (PCIDs)" and "Operations that Invalidate TLBs and Paging-Structure Caches".
public struct ContextIdentifiers: Sendable {
    private var words: [64 of UInt64] = .init(repeating: 0)

    public init() {}

    private static func place(_ tag: UInt64) -> (word: Int, bit: UInt64) {
        (Int(truncatingIfNeeded: tag >> 6 & 63), 1 &<< (tag & 63))
    }

    public func contains(_ tag: UInt64) -> Bool { words[Self.place(tag).word] & Self.place(tag).bit != 0 }
    public mutating func insert(_ tag: UInt64) { words[Self.place(tag).word] |= Self.place(tag).bit }
    public mutating func remove(_ tag: UInt64) { words[Self.place(tag).word] &= ~Self.place(tag).bit }

    public mutating func removeAll(but tag: UInt64) {
        words = .init(repeating: 0)
        insert(tag)
    }
}

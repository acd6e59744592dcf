import Memory

/// What makes an EPT entry misconfigured: using it causes a VM exit that no guest can cause by itself.
///
/// Intel SDM vol. 3, "EPT Misconfigurations".
public enum EPTMisconfiguration: Error, Equatable, Sendable {
    /// Bit 0 is clear and bit 1 is set: writes without reads.
    case writableButNotReadable
    /// Bit 0 is clear and fetches are allowed, but the processor does not offer execute-only translations.
    case executeOnlyNotOffered
    /// These bits are set, but reserved at this level.
    case reservedBits(UInt64)
    /// Bits 5:3 of a leaf are 2, 3 or 7.
    case reservedMemoryType(UInt64)
}

extension EPTFormat {
    /// What is wrong with an entry of a table at `level` (1 to 5), or nil if the processor accepts it.
    /// An entry that is not present is never misconfigured.
    public func misconfiguration(
        of entry: EPTEntry, level: Int
    ) -> EPTMisconfiguration? {
        guard isPresent(entry) else { return nil }
        if !entry.isReadable {
            if entry.isWritable { return .writableButNotReadable }
            // Present, not readable, not writable: the remaining bits allow fetches.
            if !offersExecuteOnly { return .executeOnlyNotOffered }
        }
        let reserved = reservedBits(of: entry, level: level)
        if reserved != 0 { return .reservedBits(reserved) }
        if isLeaf(entry, level: level), entry.memoryType == nil { return .reservedMemoryType(entry.memoryTypeBits) }
        return nil
    }
}

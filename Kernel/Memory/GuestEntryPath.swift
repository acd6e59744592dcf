/// What a walk of guest page tables remembers of the entries it uses.
protocol GuestEntryPath {
    /// Remembers an entry.
    mutating func append(_ address: GuestPhysicalAddress)

    /// Sets the accessed bit in every entry, and `leaf`'s bits too in the last. Returns whether it can.
    func mark(in memory: some GuestTableMemory, leaf: UInt64) -> Bool
}

/// Remembers nothing, for the walk in which nothing is to be set.
struct NoEntryPath: GuestEntryPath {
    @inline(__always)
    mutating func append(_ address: GuestPhysicalAddress) {}

    @inline(__always)
    func mark(in memory: some GuestTableMemory, leaf: UInt64) -> Bool { false }
}

/// Remembers the places of the entries, at most five.
struct MarkedEntryPath: GuestEntryPath {
    private var addresses = InlineArray<5, GuestPhysicalAddress>(repeating: GuestPhysicalAddress(0))
    private var count = 0

    mutating func append(_ address: GuestPhysicalAddress) {
        addresses[count] = address
        count += 1
    }

    func mark(in memory: some GuestTableMemory, leaf: UInt64) -> Bool {
        let addresses = addresses.span
        for index in 0..<count {
            let bits = index == count - 1 ? GuestEntryBits.accessed | leaf : GuestEntryBits.accessed
            memory.setBits(UInt32(truncatingIfNeeded: bits), at: addresses[index])
        }
        return true
    }
}

/// What a walk of guest page tables remembers of the entries it uses.
protocol GuestEntryPath {
    /// The entry at `address`, which covers 2^shift bytes, is about to be loaded. Returns false if it cannot be.
    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool

    /// It has been loaded but not checked yet.
    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64)

    /// Remembers an entry that leads on, or maps a page.
    mutating func append(_ address: GuestPhysicalAddress)

    /// Sets the accessed bit in every entry, and `leaf`'s bits too in the last. Returns whether it can.
    func mark(in memory: some GuestTableMemory, leaf: UInt64) -> Bool
}

extension GuestEntryPath {
    @inline(__always)
    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool { true }

    @inline(__always)
    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64) {}
}

/// Remembers nothing, for a walk that need not set anything.
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

    @_optimize(speed)
    func mark(in memory: some GuestTableMemory, leaf: UInt64) -> Bool {
        let addresses = addresses.span
        for index in 0..<count {
            let bits = index == count - 1 ? GuestEntryBits.accessed | leaf : GuestEntryBits.accessed
            memory.setBits(UInt32(truncatingIfNeeded: bits), at: addresses[index])
        }
        return true
    }
}

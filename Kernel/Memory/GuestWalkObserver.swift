/// Sees every entry that a walk of guest page tables loads, in order.
public protocol GuestWalkObserver {
    /// The walk is about to load the entry at `address`, which covers 2^shift bytes of linear addresses.
    /// - Returns: false to end the walk here, as if there were no memory.
    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool

    /// It has loaded `entry` from there, and is about to check it.
    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64)
}

/// Looks at nothing.
public struct NoWalkObserver: GuestWalkObserver {
    public init() {}

    public mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool { true }

    public mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64) {}
}

/// Marks no entry, and shows each to an observer.
struct ObservedEntryPath<Observer: GuestWalkObserver>: GuestEntryPath {
    var observer: Observer

    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool {
        observer.willLoad(address, shift: shift)
    }

    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64) {
        observer.didLoad(entry, from: address, shift: shift)
    }

    mutating func append(_ address: GuestPhysicalAddress) {}

    func mark(in memory: some GuestTableMemory, leaf: UInt64) -> Bool { true }
}

extension GuestPaging {
    /// What `translate` would return, without setting any bit in the guest's tables: for views and forecasts.
    public func foretell(
        _ address: GuestVirtualAddress, for access: GuestAccess, in memory: some GuestTableMemory,
        observer: inout some GuestWalkObserver
    ) -> GuestTranslation {
        var path = ObservedEntryPath(observer: observer)
        let result = follow(address, for: access, in: memory, path: &path)
        observer = path.observer
        guard let result else { preconditionFailure("a path that can mark its entries always ends") }
        return result
    }
}

// What an entry means, for an observer: the same rules as the walk's.

extension GuestPaging {
    /// The reserved bits that are set in a present entry which covers 2^shift bytes.
    public func reservedBits(of entry: UInt64, shift: UInt64) -> UInt64 {
        switch mode {
        case .none: 0
        case .bits32: reservedBits(Bits32Entries.self, of: entry, shift: shift)
        case .pae: reservedBits(PAEEntries.self, of: entry, shift: shift)
        case .fourLevel, .fiveLevel, .direct: reservedBits(LongModeEntries.self, of: entry, shift: shift)
        }
    }

    private func reservedBits<Entries: GuestTableEntries>(_: Entries.Type, of entry: UInt64, shift: UInt64) -> UInt64 {
        var reserved = Entries.reservedBits(self)
        if shift != 12, isLeaf(entry, shift: shift) { reserved |= Entries.largePageReservedBits(self, shift: shift) }
        return entry & reserved
    }

    /// Whether a present entry which covers 2^shift bytes maps a page rather than referring to a table.
    public func isLeaf(_ entry: UInt64, shift: UInt64) -> Bool {
        shift == 12 || entry & GuestEntryBits.largePage != 0 && (mode != .bits32 || hasPageSizeExtensions)
    }

    /// The table that an entry refers to, or the page that it maps.
    public func target(of entry: UInt64, shift: UInt64) -> GuestPhysicalAddress {
        guard shift != 12, isLeaf(entry, shift: shift) else {
            return GuestPhysicalAddress(entry & GuestEntryBits.address)
        }
        return GuestPhysicalAddress(
            mode == .bits32
                ? Bits32Entries.largePageAddress(entry, shift: shift)
                : LongModeEntries.largePageAddress(entry, shift: shift))
    }
}

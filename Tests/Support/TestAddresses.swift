import Memory

// Addresses and ranges in few letters.

public func host(_ value: UInt64) -> HostPhysicalAddress { HostPhysicalAddress(value) }
public func guestPhysical(_ value: UInt64) -> GuestPhysicalAddress { GuestPhysicalAddress(value) }

public func hostRange(_ start: UInt64, _ count: ByteCount) -> HostPhysicalRange {
    HostPhysicalRange(start: host(start), count: count)
}

public func guestRange(_ start: UInt64, _ count: ByteCount) -> GuestPhysicalRange {
    GuestPhysicalRange(start: guestPhysical(start), count: count)
}

import Memory

// Addresses and ranges in few letters.

func host(_ value: UInt64) -> HostPhysicalAddress { HostPhysicalAddress(value) }
func guestPhysical(_ value: UInt64) -> GuestPhysicalAddress { GuestPhysicalAddress(value) }

func hostRange(_ start: UInt64, _ count: ByteCount) -> HostPhysicalRange {
    HostPhysicalRange(start: host(start), count: count)
}

func guestRange(_ start: UInt64, _ count: ByteCount) -> GuestPhysicalRange {
    GuestPhysicalRange(start: guestPhysical(start), count: count)
}

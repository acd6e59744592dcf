extension GuestPaging {
    /// Where 4-level page tables map a linear address, without checking rights: for the bytes of an instruction that the
    /// processor has just executed, which proves its rights and has set the accessed bits.
    ///
    /// - Parameter cr3: the root of the tables.
    /// - Returns: nil where the tables no longer lead there (the processor used a cached translation) or leave the guest's
    ///   RAM.
    @inline(__always)
    public static func locate(
        _ address: GuestVirtualAddress, cr3: UInt64, in memory: some GuestTableMemory
    ) -> GuestPhysicalAddress? {
        var table = cr3 & GuestEntryBits.address
        var shift: UInt64 = 39
        while true {
            let index = address.rawValue &>> (shift &- 3) & 0xFF8
            guard let entry = memory.readUInt64(at: GuestPhysicalAddress(table | index)),
                entry & GuestEntryBits.present != 0
            else { return nil }
            table = entry & GuestEntryBits.address
            if shift == 12 || entry & GuestEntryBits.largePage != 0 {
                let offset = (1 &<< shift) &- 1
                return GuestPhysicalAddress(table & ~offset | address.rawValue & offset)
            }
            shift &-= 9
        }
    }
}

/// A guest's RAM by machine addresses, for a walk of tables that hold them.
struct MachineMemory<Guest: GuestTableMemory>: GuestTableMemory {
    let guest: Guest
    /// Where the RAM lies in the machine's memory. Anything below it comes out far above the RAM's end.
    let start: UInt64

    private func place(_ address: GuestPhysicalAddress) -> GuestPhysicalAddress {
        GuestPhysicalAddress(address.rawValue &- start)
    }

    func readUInt64(at address: GuestPhysicalAddress) -> UInt64? { guest.readUInt64(at: place(address)) }
    func readUInt32(at address: GuestPhysicalAddress) -> UInt32? { guest.readUInt32(at: place(address)) }
    func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) { guest.setBits(bits, at: place(address)) }
}

import Devices
import Memory

// Devices in memory. Both kinds of APIC have registers of 4 bytes, 16 bytes apart.

extension VirtualCPU {
    /// Reads `size` bytes (1, 2, 4 or 8) of a device; where there is none, ones, and the access is counted.
    mutating func readDevice(_ address: GuestPhysicalAddress, size: Int) -> UInt64 {
        let aligned = GuestPhysicalAddress(address.rawValue & ~3)
        let shift = 8 * (address.rawValue & 3)
        if isLocalAPIC(address) { return UInt64(readLocalAPIC(at: aligned)) >> shift }
        if let value = board.pointee.readMemory(aligned.rawValue) { return UInt64(value) >> shift }
        if let value = board.pointee.readTestMemory(address.rawValue, size: size) { return value }
        absentMemoryAccesses &+= 1
        return .max
    }

    /// Writes `size` bytes of a device; where there is none, the write goes nowhere and is counted. In the local APIC, only
    /// writes of whole registers have an effect.
    mutating func writeDevice(_ address: GuestPhysicalAddress, size: Int, _ value: UInt64) {
        let word = UInt32(truncatingIfNeeded: value)
        if isLocalAPIC(address) {
            if size >= 4 { writeLocalAPIC(word, at: address) }
        } else if board.pointee.writeMemory(address.rawValue, size: size, word) {
            followBoard()
        } else if !board.pointee.writeTestMemory(address.rawValue, size: size, value) {
            absentMemoryAccesses &+= 1
        }
    }
}

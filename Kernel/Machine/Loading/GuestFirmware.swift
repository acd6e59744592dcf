import Devices
import Memory

/// Firmware's part of a guest's memory, the same for every guest: the ACPI tables, and the BIOS with its address map.
///
/// The BIOS is only code until it is entered; a guest that is started in another way has no interrupt vectors of it.
extension GuestLoader {
    func installFirmware() {
        FirmwareTables.write(to: memory, processorCount: processorCount)
        let map = AddressMap(ram: memory.size)
        let table = FirmwareLayout.biosAddressMap
        memory.write(UInt64(map.count), count: 2, at: GuestPhysicalAddress(table))
        for index in 0..<map.count { write(map[index], at: table + 2 + 20 * UInt64(index)) }
        guard UInt64(bios.count) <= FirmwareLayout.end - FirmwareLayout.bios else { return }
        _ = memory.copy(bios, to: GuestPhysicalAddress(FirmwareLayout.bios))
    }

    /// An entry of the address map, in the 20 bytes of INT 15H, function E820H.
    func write(_ entry: AddressMap.Entry, at address: UInt64) {
        memory.write(entry.start, count: 8, at: GuestPhysicalAddress(address))
        memory.write(entry.count, count: 8, at: GuestPhysicalAddress(address + 8))
        memory.write(UInt64(entry.kind.rawValue), count: 4, at: GuestPhysicalAddress(address + 16))
    }
}

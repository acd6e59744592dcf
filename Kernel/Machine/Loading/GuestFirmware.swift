import Devices
import Memory

/// The firmware's part of a guest's memory, the same for every guest: the tables of its processors and devices, the BIOS with its
/// address map, its interrupt vectors and data, and an empty screen. `Board.setUpAsFirmware` is the devices' part.
extension GuestLoader {
    func installFirmware() {
        FirmwareTables.write(to: memory, processors)
        let map = AddressMap(ram: memory.size)
        let table = FirmwareLayout.biosAddressMap
        memory.write(UInt64(map.count), count: 2, at: GuestPhysicalAddress(table))
        for index in 0..<map.count { write(map[index], at: table + 2 + 20 * UInt64(index)) }
        guard UInt64(bios.count) <= FirmwareLayout.end - FirmwareLayout.bios else { return }
        _ = memory.copy(bios, to: GuestPhysicalAddress(FirmwareLayout.bios))
        // The BIOS begins with what it keeps at address 0.
        let low = min(bios.count, Int(FirmwareLayout.lowMemorySize))
        _ = memory.copy(UnsafeRawBufferPointer(rebasing: bios[..<low]), to: GuestPhysicalAddress(0))
        // 18.2 a second, as the 8254 counts 65536.
        memory.write((secondOfDay * 1_193_182) >> 16, count: 4, at: GuestPhysicalAddress(FirmwareLayout.ticksOfDay))
        memory.write(1, count: 1, at: GuestPhysicalAddress(FirmwareLayout.extendedDataArea))  // its size in KiB
        for offset in stride(from: 0, to: FirmwareLayout.textBufferSize, by: 8) {
            memory.write(0x0720_0720_0720_0720, count: 8, at: GuestPhysicalAddress(FirmwareLayout.textBuffer + offset))
        }
    }

    /// An entry of the address map, in the 20 bytes of INT 15H, function E820H.
    func write(_ entry: AddressMap.Entry, at address: UInt64) {
        memory.write(entry.start, count: 8, at: GuestPhysicalAddress(address))
        memory.write(entry.count, count: 8, at: GuestPhysicalAddress(address + 8))
        memory.write(UInt64(entry.kind.rawValue), count: 4, at: GuestPhysicalAddress(address + 16))
    }
}

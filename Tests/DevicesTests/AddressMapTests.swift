import Memory
import Testing

@testable import Devices

@Suite struct AddressMapTests {
    @Test(arguments: [2, 256, 3072] as [UInt64]) func `the map is a PC's: RAM twice, in order, and devices and firmware left out`(
        mebibytes: UInt64
    ) {
        let map = AddressMap(ram: .mebibytes(mebibytes))
        let entries = (0..<map.count).map { map[$0] }
        for (entry, next) in zip(entries, entries.dropFirst()) { #expect(entry.end <= next.start && entry.count > 0) }
        let usable = entries.filter { $0.kind == .usable }
        #expect(usable.map(\.start) == [0, 1 << 20] && usable.map(\.end) == [0x9FC00, mebibytes << 20])
        for address in [0x9FC00, 0xF0000, 0xFFFFF, 0xFEC0_0000, 0xFEE0_0FFF] as [UInt64] {
            #expect(entries.contains { $0.kind == .reserved && address >= $0.start && address < $0.end })
        }
        #expect(map[99] == map[map.count - 1] && map[-1] == map[map.count - 1])
    }

    @Test func `the most RAM ends where the devices of the PCI bus begin`() {
        let map = AddressMap(ram: AddressMap.mostRAM)
        #expect(map[3].end == 0xC000_0000 && map[3].end <= map[4].start)
    }
}

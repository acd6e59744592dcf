import Memory
import Support
import Testing
import VMX

@testable import StudyTools

/// Ept: the map of the EPT.
@Suite struct WalkMapTests {
    private let guest = WalkFixture()

    @Test func `the guest's RAM is one line, with the frames that the tables take`() {
        #expect(
            guest.map(of: guest.table()) == [
                "guest-physical                  host-physical   pages           may   memory type           accessed, dirty",
                "0x0 to 0x3ffffff                0x100000000     16384 of 4 KiB  rwx   write-back (WB)       0, 0",
                "16384 pages, 65536 KiB; the EPT takes 35 frames",
            ])
        #expect(
            guest.map(of: WalkFixture().table(.twoMebibytes))[1]
                == "0x0 to 0x3ffffff                0x100000000     32 of 2 MiB     rwx   write-back (WB)       0, 0")
    }

    @Test func `rights, memory type, size and a hole each begin a new line; accessed and dirty pages are counted`() throws {
        var frames = guest
        var table = guest.table(.twoMebibytes)
        let page = GuestPhysicalRange(start: GuestPhysicalAddress(0x20_1000), count: ByteCount(0x1000))
        _ = try table.protect(page, permissions: .read, frames: &frames)
        _ = try table.unmap(
            GuestPhysicalRange(start: GuestPhysicalAddress(0x60_0000), count: ByteCount(0x20_0000)), frames: &frames)
        table.view.trace(GuestPhysicalAddress(0x20_5000)) { step in
            if step.level == 1 {
                guest.writeUInt64(step.entry.rawValue | 0x300, at: step.address)
                guest.writeUInt64(
                    guest.readUInt64(at: step.address.advanced(by: ByteCount(8))) | 0x100,
                    at: step.address.advanced(by: ByteCount(8)))
            }
            return true
        }
        #expect(
            guest.map(of: table)[1...6] == [
                "0x0 to 0x1fffff                 0x100000000     1 of 2 MiB      rwx   write-back (WB)       0, 0",
                "0x200000 to 0x200fff            0x100200000     1 of 4 KiB      rwx   write-back (WB)       0, 0",
                "0x201000 to 0x201fff            0x100201000     1 of 4 KiB      r--   write-back (WB)       0, 0",
                "0x202000 to 0x3fffff            0x100202000     510 of 4 KiB    rwx   write-back (WB)       2, 1",
                "0x400000 to 0x5fffff            0x100400000     1 of 2 MiB      rwx   write-back (WB)       0, 0",
                "0x800000 to 0x3ffffff           0x100800000     28 of 2 MiB     rwx   write-back (WB)       0, 0",
            ])
    }

    @Test func `a range shows what overlaps it; an empty one says so`() {
        let table = guest.table()
        func range(_ start: UInt64, _ count: UInt64) -> AddressRange<GuestPhysicalAddress> {
            .init(start: GuestPhysicalAddress(start), count: ByteCount(count))
        }
        #expect(
            guest.map(range(0x10_0800, 0x1000), of: table)[1...] == [
                "0x100000 to 0x101fff            0x100100000     2 of 4 KiB      rwx   write-back (WB)       0, 0",
                "2 pages, 8 KiB; the EPT takes 35 frames",
            ])
        #expect(
            guest.map(range(0x800_0000, 0x1000), of: table) == [
                "nothing is mapped from guest-physical 0x8000000 to 0x8000fff"
            ])
        #expect(guest.map(range(.max - 0xFFF, 0x1000), of: table).count == 1)
        #expect(guest.map(range(0x3FF_F000, .max - 0x3FF_F000), of: table)[1].hasPrefix("0x3fff000 to 0x3ffffff "))
    }
}

import Memory
import Support
import Testing
import VMX

@testable import StudyTools

/// Walk: the two-dimensional page walk.
@Suite struct WalkTests {
    private let guest = WalkFixture()

    /// Tables for 4 KiB (0x8040_3000), 2 MiB (0x8060_0000) and 1 GiB (0xC000_0000) pages, by 4 or 5 levels.
    private func makeLongTables() {
        guest.put(0x1027, at: 0xF000)  // PML5E 0
        guest.put(0x2027, at: 0x1000)  // PML4E 0
        guest.put(0x3027, at: 0x2010)  // PDPTE 2
        guest.put(0x8000_0000_0000_01E3, at: 0x2018)  // PDPTE 3
        guest.put(0x4027, at: 0x3010)  // PDE 2
        guest.put(0x0060_00E7, at: 0x3018)  // PDE 3
        guest.put(0x5067, at: 0x4018)  // PTE 3
        guest.put(0x1000_0000_0000_5005, at: 0x4020)  // PTE 4: read-only, key 2
        guest.put(0x0010_0000_0000_0000 | 0x4000_0000_5007, at: 0x4028)  // PTE 5: bit 46 is reserved
        guest.put(0x6007, at: 0x4030)  // PTE 6: not accessed
    }

    /// The number of accesses that a walk says it made.
    private func accesses(_ lines: [String]) -> Int? {
        lines.firstMatch { $0.contains("and the access itself: ") ? Int($0.split(separator: " ").last!) : nil }
    }

    @Test func `four levels on four levels with 4 KiB pages make the 25 accesses that the literature counts, in order`() {
        makeLongTables()
        let seen = guest.walk(0x8040_3ABC, .modern(.fourLevel), through: guest.table())
        #expect(seen[0] == "walk of 0x80403abc for a supervisor read: 4-level paging, CR3 0x1000, EPTP 0x7000105e")
        #expect(
            seen[1...5] == [
                " 1  EPT PML4E    0x70001000    0x70002007         rwx, table 0x70002000",
                " 2  EPT PDPTE    0x70002000    0x70003007         rwx, table 0x70003000",
                " 3  EPT PDE      0x70003000    0x70004007         rwx, table 0x70004000",
                " 4  EPT PTE      0x70004008    0x100001037        rwx, write-back (WB), 4 KiB page 0x100001000",
                " 5  guest PML4E  0x1000        0x2027             writable user accessed, table 0x2000",
            ])
        #expect(seen[20] == "20  guest PTE    0x4018        0x5067             writable user accessed dirty, 4 KiB page 0x5000")
        #expect(seen[21...24].allSatisfy { $0.contains("  EPT P") })
        #expect(
            seen[25...] == [
                "guest-physical 0x5abc in a page of 4 KiB: writable, user, executable",
                "host-physical  0x100005abc in a page of 4 KiB: rwx, write-back (WB)",
                "24 loads, and the access itself: 25",
                "  with larger pages in the guest: 2 MiB 20, 1 GiB 15",
                "  with larger pages in the EPT: 2 MiB 20, 1 GiB 15",
                "  with the largest in both: 9",
            ])
    }

    @Test(
        arguments: [
            (0x8040_3ABC, PageSize.fourKibibytes, 25), (0x8040_3ABC, .twoMebibytes, 20), (0x8040_3ABC, .oneGibibyte, 15),
            (0x8060_1234, .fourKibibytes, 20), (0x8060_1234, .twoMebibytes, 16), (0x8060_1234, .oneGibibyte, 12),
            (0xC060_1234, .fourKibibytes, 15), (0xC060_1234, .twoMebibytes, 12), (0xC060_1234, .oneGibibyte, 9),
        ] as [(UInt64, PageSize, Int)])
    func `larger pages on either side make as many accesses as the smaller ones' walk had said`(
        address: UInt64, nested: PageSize, count: Int
    ) {
        makeLongTables()
        let seen = guest.walk(address, .modern(.fourLevel), through: guest.table(nested))
        #expect(accesses(seen) == count)
        #expect(seen.filter { $0.first?.isNumber == true || $0.hasPrefix(" ") && !$0.hasPrefix("  w") }.count == count)
        let place: UInt64 = address == 0x8040_3ABC ? 0x5ABC : 0x60_1234
        #expect(seen.contains { $0.hasPrefix("guest-physical 0x\(String(place, radix: 16)) ") })
        #expect(
            seen.contains {
                $0.hasPrefix(
                    "host-physical  0x1\(String(repeating: "0", count: place > 0xFFFF ? 2 : 4))\(String(place, radix: 16)) ")
            })
    }

    @Test func `the largest pages leave nothing to save`() {
        makeLongTables()
        let seen = guest.walk(0xC060_1234, .modern(.fourLevel), through: guest.table(.oneGibibyte))
        #expect(seen.last == "8 loads, and the access itself: 9")
        #expect(seen[seen.count - 3] == "guest-physical 0x601234 in a page of 1 GiB: writable, supervisor, not executable")
        #expect(seen[6].hasSuffix("0x80000000000001e3 writable supervisor no-execute accessed dirty global, 1 GiB page 0x0"))
    }

    @Test func `five levels of the guest and of the EPT make 35 loads`() {
        makeLongTables()
        let four = guest.walk(0x8040_3ABC, .modern(.fiveLevel, cr3: 0xF000), through: guest.table())
        #expect(accesses(four) == 30 && four[5].hasPrefix(" 5  guest PML5E"))
        guest.format = EPTFormat(
            levelCount: 5, leafSizes: .upToOneGibibyte, physicalAddressWidth: 46, offersExecuteOnly: true,
            hasModeBasedExecute: false, ignoresPAT: false)
        let five = guest.walk(0x8040_3ABC, .modern(.fiveLevel, cr3: 0xF000), through: guest.table())
        #expect(accesses(five) == 36 && five[1].hasPrefix(" 1  EPT PML5E"))
    }

    @Test func `without paging only the EPT are walked`() {
        let seen = guest.walk(0x1_0000_1234, .modern(.none), through: guest.table())
        #expect(seen[0] == "walk of 0x100001234 for a supervisor read: no paging, EPTP 0x7000105e")
        #expect(
            seen[5...] == [
                "guest-physical 0x1234", "host-physical  0x100001234 in a page of 4 KiB: rwx, write-back (WB)",
                "4 loads, and the access itself: 5", "  with larger pages in the EPT: 2 MiB 4, 1 GiB 3",
            ])
    }

    @Test func `32-bit paging has two levels of 4-byte entries, and 4 MiB pages`() {
        guest.put32(0x2027, at: 0x1000 + 4 * 5)
        guest.put32(0x3065, at: 0x2000 + 4 * 7)
        guest.put32(0x0080_00E7, at: 0x1000 + 4 * 6)
        let small = guest.walk(0x0140_7123, .modern(.bits32), through: guest.table())
        #expect(small[5] == " 5  guest PDE    0x1014        0x2027             writable user accessed, table 0x2000")
        #expect(small[10] == "10  guest PTE    0x201c        0x3065             read-only user accessed dirty, 4 KiB page 0x3000")
        #expect(small[15] == "guest-physical 0x3123 in a page of 4 KiB: read-only, user, executable")
        #expect(
            small[17...] == [
                "14 loads, and the access itself: 15", "  with larger pages in the guest: 4 MiB 10",
                "  with larger pages in the EPT: 2 MiB 12, 1 GiB 9", "  with the largest in both: 6",
            ])
        let large = guest.walk(0x0187_6543, .modern(.bits32), through: guest.table())
        #expect(large[5].hasSuffix("writable user accessed dirty, 4 MiB page 0x800000"))
        #expect(large[10] == "guest-physical 0x876543 in a page of 4 MiB: writable, user, executable")
        var paging = GuestPaging.modern(.bits32)
        paging.hasPageSizeExtensions = false
        #expect(guest.walk(0x0187_6543, paging, through: guest.table())[5].hasSuffix("writable user accessed, table 0x800000"))
    }

    @Test func `PAE paging begins at a register, which is no load`() {
        guest.put(0x3027, at: 0x2008)
        guest.put(0x8000_0000_0000_4063, at: 0x3000 + 8 * 3)
        var paging = GuestPaging.modern(.pae)
        paging.pdptes[1] = 0x2001
        let seen = guest.walk(0x4020_3ABC, paging, through: guest.table())
        #expect(seen[1] == "    PDPTE1                     0x2001             table 0x2000 (a register: no load)")
        #expect(seen[6].contains("guest PDE    0x2008"))
        #expect(seen[16] == "guest-physical 0x4abc in a page of 4 KiB: writable, supervisor, not executable")
        #expect(accesses(seen) == 15)
        #expect(
            guest.walk(0x8020_3ABC, paging, through: guest.table())[1...] == [
                "    PDPTE2                     0x0                not present (a register: no load)",
                "#PF, error code 0x0 (not present, read, supervisor), CR2 0x80203abc", "0 loads",
            ])
    }

    @Test(
        arguments: [
            (0x8040_7000, .supervisor(.read), 0x0, "not present, read, supervisor", 20),
            (0x0_0000_0000, .user(.write), 0x6, "not present, write, user", 10),
            (0x8040_4000, .user(.write), 0x7, "rights, write, user", 20),
            (0x8040_4000, .supervisor(.write), 0x3, "rights, write, supervisor", 20),
            (0xC000_0000, .user(.read), 0x5, "rights, read, user", 10),
            (0xC000_0000, .supervisor(.fetch), 0x11, "rights, fetch, supervisor", 10),
            (0x8060_0000, .supervisor(.fetch), 0x11, "rights, fetch, supervisor", 15),  // SMEP
            (0x8040_5000, .user(.fetch), 0x1D, "reserved bit, fetch, user", 20),
        ] as [(UInt64, GuestAccess, UInt32, String, Int)])
    func `a fault of the guest's tables is explained with its error code and the loads up to it`(
        address: UInt64, access: GuestAccess, code: UInt32, words: String, loads: Int
    ) {
        makeLongTables()
        let seen = guest.walk(address, .modern(.fourLevel), access, through: guest.table())
        let linear = String(address, radix: 16)
        #expect(
            seen.suffix(2) == [
                "#PF, error code 0x\(String(code, radix: 16)) (\(words)), CR2 0x\(linear)", "\(loads) loads",
            ])
    }

    @Test func `reserved bits, the protection key and SMAP are named`() {
        makeLongTables()
        let reserved = guest.walk(0x8040_5000, .modern(.fourLevel), through: guest.table())
        #expect(reserved[20].hasSuffix("writable user, reserved bits 0x400000000000, 4 KiB page 0x400000005000"))
        var paging = GuestPaging.modern(.fourLevel)
        paging.protectionKeyRights = 1 << 4
        let key = guest.walk(0x8040_4000, paging, through: guest.table())
        #expect(key[20].hasSuffix("read-only user key 2, 4 KiB page 0x5000"))
        #expect(key[21] == "#PF, error code 0x21 (protection key, read, supervisor), CR2 0x80404000")
        paging.preventsSupervisorAccess = true
        let smap = guest.walk(0x8040_3000, paging, through: guest.table())
        #expect(smap[21] == "#PF, error code 0x1 (rights, read, supervisor), CR2 0x80403000")
    }

    @Test func `an address that is not canonical loads nothing`() {
        let seen = guest.walk(1 << 47, .modern(.fourLevel), through: guest.table())
        #expect(seen[1...] == ["#GP(0), or #SS(0) through SS: the address is not canonical; nothing is loaded"])
    }

    @Test func `an EPT violation names the guest-physical address, the qualification, and what the EPT allow`() {
        makeLongTables()
        guest.put(0x1_2340_0067, at: 0x4038)
        let absent = guest.walk(0x8040_7000, .modern(.fourLevel), .supervisor(.write), through: guest.table())
        #expect(
            absent[21...] == [
                "21  EPT PML4E    0x70001000    0x70002007         rwx, table 0x70002000",
                "22  EPT PDPTE    0x70002020    0x0                not present",
                "EPT violation (exit reason 48) at guest-physical 0x123400000, qualification 0x182:",
                "  a write; nothing is mapped there", "22 loads",
            ])
        let table = guest.walk(0x0000_0000, .modern(.fourLevel, cr3: 0x5_0000_0000), through: guest.table())
        #expect(
            table.suffix(3) == [
                "EPT violation (exit reason 48) at guest-physical 0x500000000, qualification 0x83:",
                "  an access to an entry of the guest's tables, which counts as a write (EPTP bit 6); nothing is mapped there",
                "2 loads",
            ])
        let wide = guest.walk(0, .modern(.fourLevel, cr3: 0x0001_0000_0000_0000), through: guest.table())
        #expect(
            wide[2].hasSuffix("counts as a write (EPTP bit 6); the address is too wide for 4 levels") && wide.last == "0 loads")
    }

    @Test func `pages that may not be written stop the guest's walk where accessed and dirty flags are kept, or are to be set`() {
        makeLongTables()
        let withFlags = guest.walk(0x8040_3000, .modern(.fourLevel), through: guest.table(permissions: .read | .execute))
        #expect(withFlags.suffix(3).first == "EPT violation (exit reason 48) at guest-physical 0x1000, qualification 0xab:")
        guest.usesAccessedAndDirty = false
        let table = guest.table(permissions: .read | .execute)
        #expect(accesses(guest.walk(0x8040_3000, .modern(.fourLevel), through: table)) == 25)
        #expect(
            guest.walk(0x8040_6000, .modern(.fourLevel), through: table).suffix(3) == [
                "EPT violation (exit reason 48) at guest-physical 0x4030, qualification 0xaa:",
                "  a write of an accessed or dirty bit in the guest's tables; the EPT allow r-x", "24 loads",
            ])
        #expect(
            guest.walk(0x8040_3000, .modern(.fourLevel), .user(.write), through: table).suffix(3) == [
                "EPT violation (exit reason 48) at guest-physical 0x5000, qualification 0x1aa:", "  a write; the EPT allow r-x",
                "24 loads",
            ])
        #expect(guest.changes == 0)
    }

    @Test func `a misconfigured EPT entry ends the walk`() {
        let table = guest.table()
        guest.writeUInt64(0x1_0000_1036, at: HostPhysicalAddress(0x7000_4008))
        let seen = guest.walk(0x1234, .modern(.none), through: table)
        #expect(seen[4] == " 4  EPT PTE      0x70004008    0x100001036        -wx, misconfigured")
        #expect(seen[5] == "EPT misconfiguration (exit reason 49) at guest-physical 0x1234: writes are allowed and reads are not")
        guest.writeUInt64(0x7000_2087, at: HostPhysicalAddress(0x7000_1000))
        #expect(guest.walk(0x1234, .modern(.none), through: table)[1].hasSuffix("rwx, misconfigured"))
    }

    @Test func `walking sets no bit of the guest's or of the EPT`() {
        makeLongTables()
        let table = guest.table()
        let before = guest.readUInt64(at: HostPhysicalAddress(0x7000_4028))
        _ = guest.walk(0x8040_6000, .modern(.fourLevel), .user(.write), through: table)
        #expect(guest.changes == 0)
        #expect(guest.readUInt64(at: GuestPhysicalAddress(0x4030)) == 0x6007)
        #expect(guest.readUInt64(at: HostPhysicalAddress(0x7000_4028)) == before)
    }
}

extension Array {
    fileprivate func firstMatch<Result>(_ body: (Element) -> Result?) -> Result? {
        for element in self { if let result = body(element) { return result } }
        return nil
    }
}

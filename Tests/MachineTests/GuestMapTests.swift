import Devices
import Memory
import Testing

@testable import Machine

/// The tables of memory and ports: in the sources' comments and in Docs/Guest.md they are the same, and they are true.
@Suite struct GuestMapTests {
    private static let memoryHead = "| from | up to | what |"
    private static let portHead = "| ports | device |"
    private static let memorySource = "Kernel/Devices/Firmware/AddressMap.swift"
    private static let portSource = "Kernel/Devices/Board+Ports.swift"

    @Test(arguments: [(memoryHead, memorySource), (portHead, portSource)])
    func `the document shows the tables of the sources`(head: String, source: String) {
        let rows = GuestViewTests.table(head, in: source)
        #expect(rows.count > 5)
        #expect(GuestViewTests.table(head, in: "Docs/Guest.md") == rows)
    }

    private static func number(_ text: some StringProtocol) -> UInt64 {
        UInt64(text.hasSuffix("H") ? text.dropLast() : text[...], radix: text.hasSuffix("H") ? 16 : 10)!
    }

    @Test func `the memory of the table is what firmware tells`() {
        let ram: UInt64 = 256 << 20
        let map = AddressMap(ram: ByteCount(ram))
        let told = (0..<map.count).map { index in
            [map[index].start, map[index].end, UInt64(map[index].kind.rawValue)]
        }
        let listed = GuestViewTests.table(Self.memoryHead, in: "Docs/Guest.md").map { row in
            [
                Self.number(row[0]), row[1] == "the end of RAM" ? ram : Self.number(row[1]),
                row[2].hasPrefix("reserved") ? 2 : 1,
            ]
        }
        #expect(listed == told)
    }

    @Test func `the ports of the table answer, and no others`() {
        var listed: Set<UInt16> = []
        for row in GuestViewTests.table(Self.portHead, in: "Docs/Guest.md") where !row[1].contains("if asked for") {
            for part in row[0].split(separator: ", ") {
                let ends = part.split(separator: " to ").map { UInt16(Self.number($0)) }
                listed.formUnion(ends[0]...ends[ends.count - 1])
            }
        }
        // One register of four bytes, whose place the reset register shares.
        listed.formUnion(0xCF8...0xCFB)
        #expect(listed == Set((UInt16.min...UInt16.max).filter { Board.isPresent($0) }))
    }
}

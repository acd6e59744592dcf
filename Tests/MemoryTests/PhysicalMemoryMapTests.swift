import Support
import Testing
@testable import Memory

@Suite struct PhysicalMemoryMapTests {
    @Test func unusableWinsInEitherOrder() throws {
        for unusableFirst in [true, false] {
            var map = PhysicalMemoryMap(physicalAddressWidth: 36)
            if unusableFirst { try map.addUnusable(host(0x8000), count: .kibibytes(4)) }
            try map.addUsable(host(0x4000), count: .kibibytes(32))
            if !unusableFirst { try map.addUnusable(host(0x8000), count: .kibibytes(4)) }
            #expect(map.rangeCount == 2)
            #expect(map[0] == hostRange(0x4000, .kibibytes(16)) && map[1] == hostRange(0x9000, .kibibytes(12)))
            #expect(map.usableCount == .kibibytes(28) && map.largestBlock == map[0])
        }
    }

    @Test func framesAreRoundedOnlyWhenAsked() throws {
        var map = PhysicalMemoryMap(physicalAddressWidth: 36)
        try map.addUsable(host(0x800), count: ByteCount(0x1000))
        try map.addUsable(host(0x1800), count: ByteCount(0x1000))
        #expect(map.rangeCount == 1 && map.usableCount == .kibibytes(4))
        #expect(map.largestBlock == hostRange(0x1000, .kibibytes(4)))
        try map.addUnusable(host(0x1FFF), count: ByteCount(1))
        #expect(map.largestBlock == nil && map.usableCount == .zero)
    }

    @Test func touchingRangesBecomeOne() throws {
        var map = PhysicalMemoryMap(physicalAddressWidth: 36)
        for start in [0x5000, 0x1000, 0x3000, 0x4000, 0x2000] as [UInt64] {
            try map.addUsable(host(start), count: .kibibytes(4))
        }
        #expect(map.rangeCount == 1 && map[0] == hostRange(0x1000, .kibibytes(20)))
    }

    @Test func wildEntries() throws {
        var map = PhysicalMemoryMap(physicalAddressWidth: 36)
        try map.addUsable(host(0x1000), count: .zero)
        try map.addUsable(host(0xFFFF_FFFF_FFFF_0000), count: .mebibytes(1))
        #expect(map.rangeCount == 0 && map.ignoredEntries == 1)
        try map.addUsable(host(0xF_FFFF_0000), count: .mebibytes(1))
        #expect(map[0].end == host(1 << 36))
        try map.addUsable(host(1 << 36), count: .mebibytes(1))
        #expect(map.rangeCount == 1 && map.usableCount == .kibibytes(64))
        try map.addUnusable(host(0xF_FFFF_8000), count: ByteCount(.max))
        #expect(map.usableCount == .kibibytes(32))
    }

    @Test func reserving() throws {
        var map = PhysicalMemoryMap(physicalAddressWidth: 36)
        try map.addUsable(host(0x10_0000), count: .mebibytes(4))
        try map.reserve(hostRange(0x20_0000, .mebibytes(1)))
        #expect(throws: PhysicalMemoryMapError.notUsable) { try map.reserve(hostRange(0x2F_F000, .kibibytes(8))) }
        #expect(throws: PhysicalMemoryMapError.notUsable) { try map.reserve(hostRange(0x4F_F000, .kibibytes(8))) }
        try map.addUsable(host(0x10_0000), count: .mebibytes(4))
        #expect(map.usableCount == .mebibytes(3), "a reserved range stays reserved")
    }

    @Test func findingBlocks() throws {
        var map = PhysicalMemoryMap(physicalAddressWidth: 36)
        try map.addUsable(host(0x10_1000), count: .mebibytes(4))
        try map.addUsable(host(0x1000_0000), count: .mebibytes(64))
        func find(_ size: ByteCount, _ alignment: ByteCount, _ limit: UInt64, _ high: Bool) -> UInt64? {
            map.findBlock(size: size, alignment: alignment, below: host(limit), preferHigh: high)?.start.rawValue
        }
        #expect(find(.mebibytes(2), .kibibytes(4), .max, false) == 0x10_1000)
        #expect(find(.mebibytes(2), .mebibytes(2), .max, false) == 0x20_0000)
        #expect(find(.mebibytes(4), .mebibytes(2), .max, false) == 0x1000_0000)
        #expect(find(.mebibytes(2), .kibibytes(4), .max, true) == 0x13E0_0000)
        #expect(find(.mebibytes(2), .kibibytes(4), 0x1000_0000, true) == 0x30_1000)
        #expect(find(.mebibytes(2), .mebibytes(2), 0x1050_0FFF, true) == 0x1020_0000)
        #expect(find(.mebibytes(65), .kibibytes(4), .max, false) == nil)
        #expect(find(.mebibytes(2), .kibibytes(4), 0x30_0FFF, false) == nil)
        #expect(map.findBlock(size: ByteCount(1), alignment: .zero, below: host(.max), preferHigh: false)?.count == .kibibytes(4))
    }

    @Test func capacity() throws {
        var map = PhysicalMemoryMap(physicalAddressWidth: 40)
        for index in 0..<UInt64(128) { try map.addUsable(host(index << 20), count: .kibibytes(16)) }
        #expect(throws: PhysicalMemoryMapError.tooManyRanges) { try map.addUsable(host(200 << 20), count: .kibibytes(4)) }
        #expect(throws: PhysicalMemoryMapError.tooManyRanges) { try map.addUnusable(host(0x1000), count: .kibibytes(4)) }
        #expect(map[0] == hostRange(0, .kibibytes(4)), "the part above the hole is given up, the hole is not usable")
        try map.addUsable(host(0), count: .mebibytes(200))
        #expect(map.rangeCount == 2, "filling the gaps makes room; the unusable page stays out")
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func randomEntriesAgreeWithABytewiseModel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var map = PhysicalMemoryMap(physicalAddressWidth: 16)
        var usable = [Bool](repeating: false, count: 1 << 16)
        var unusable = usable
        for step in 1...24 {
            let start = random.next() % 70000
            let count = random.next() % 9000
            let bytes = Int(min(start, 65536))..<Int(min(start + count, 65536))
            if random.one(in: 3) {
                try map.addUnusable(host(start), count: ByteCount(count))
                for byte in bytes { unusable[byte] = true }
            } else {
                try map.addUsable(host(start), count: ByteCount(count))
                for byte in bytes { usable[byte] = true }
            }
            guard step % 8 == 0 else { continue }
            var listed = [Bool](repeating: false, count: 1 << 16)
            var previousEnd: UInt64 = 0
            for index in 0..<map.rangeCount {
                let range = map[index]
                #expect(!range.isEmpty && (index == 0 || range.start.rawValue > previousEnd))
                previousEnd = range.end.rawValue
                for byte in range.start.rawValue..<previousEnd { listed[Int(byte)] = true }
            }
            let expected = (0..<65536).map { usable[$0] && !unusable[$0] }
            #expect(listed == expected)
            let frames = (0..<16).filter { frame in (0..<4096).allSatisfy { expected[frame * 4096 + $0] } }
            #expect(map.usableCount == .frames(UInt64(frames.count)))
        }
    }
}

@testable import Memory
import SVM
import Support
import Testing

/// Nested page tables of AMD's.
@Suite struct NPTTests {
    typealias NPT = PageTable<NPTFormat, FakeMemory>

    private static func format(
        levels: Int = 4, sizes: LeafSizes = .upToOneGibibyte, executeDisable: Bool = true,
        attributes: PageAttributeTable = .atReset
    ) -> NPTFormat {
        .init(
            levelCount: levels, leafSizes: sizes, physicalAddressWidth: 40, hasExecuteDisable: executeDisable,
            attributes: attributes)
    }

    private static let rwx: NPTPermissions = .read | .write | .execute

    /// The raw entries on the way to the leaf that maps guest-physical 1 GiB to host-physical 2 GiB, the root's first.
    private func entries(
        _ format: NPTFormat, _ largest: PageSize, _ permissions: NPTPermissions, _ type: MemoryType = .writeBack
    ) throws -> [UInt64] {
        let memory = FakeMemory()
        var frames = FakeFrames(memory: memory)
        var table = try NPT(format: format, memory: memory, frames: &frames)
        _ = try table.map(
            guestRange(0x4000_0000, .gibibytes(1)), to: host(0x8000_0000), permissions: permissions, memoryType: type,
            largest: largest, frames: &frames)
        var entries: [UInt64] = []
        table.view.trace(guestPhysical(0x4000_0000)) {
            entries.append($0.entry.rawValue)
            return true
        }
        return entries
    }

    @Test func `leaves of all sizes have their bits in place, the user bit among them`() throws {
        let noExecute: UInt64 = 1 << 63
        #expect(try entries(Self.format(), .fourKibibytes, Self.rwx).last == 0x8000_0000 | 7)
        #expect(try entries(Self.format(), .twoMebibytes, Self.rwx).last == 0x8000_0000 | 0x87)
        #expect(try entries(Self.format(), .oneGibibyte, Self.rwx).last == 0x8000_0000 | 0x87)
        #expect(try entries(Self.format(), .fourKibibytes, .read).last == 0x8000_0000 | 5 | noExecute)
        #expect(try entries(Self.format(), .fourKibibytes, .read | .write).last == 0x8000_0000 | 7 | noExecute)
        #expect(try entries(Self.format(executeDisable: false), .fourKibibytes, .read | .execute).last == 0x8000_0000 | 5)
    }

    @Test func `the host's attribute table gives the memory type, bit 7 or 12 being its highest bit`() throws {
        #expect(try entries(Self.format(), .fourKibibytes, Self.rwx, .writeThrough).last == 0x8000_0000 | 0xF)
        #expect(try entries(Self.format(), .fourKibibytes, Self.rwx, .uncacheable).last == 0x8000_0000 | 0x1F)
        let combining = PageAttributeTable(rawValue: 0x0007_0401_0007_0406)
        #expect(try entries(Self.format(attributes: combining), .fourKibibytes, Self.rwx, .writeCombining).last == 0x8000_0087)
        #expect(try entries(Self.format(attributes: combining), .twoMebibytes, Self.rwx, .writeCombining).last == 0x8000_1087)
        #expect(!Self.format().canExpress(.writeCombining) && Self.format(attributes: combining).canExpress(.writeCombining))
    }

    @Test func `tables allow everything and have no reserved bits`() throws {
        for levels in [4, 5] {
            let format = Self.format(levels: levels)
            let entries = try entries(format, .fourKibibytes, .read)
            #expect(entries.count == levels)
            for (index, entry) in entries.enumerated() {
                #expect(format.reservedBits(of: NPTEntry(rawValue: entry), level: levels - index) == 0)
                if index < levels - 1 { #expect(entry & 0xFFF == 7) }
            }
        }
    }

    @Test func `a mapping that no access can use, or that cannot be written down, is refused`() throws {
        let format = Self.format()
        #expect(!format.canExpress(.none) && !format.canExpress(.write | .execute) && format.canExpress(.read))
        #expect(!Self.format(executeDisable: false).canExpress(.read | .write))
        #expect(NPTPermissions.read.includes(.none) && !NPTPermissions.read.includes(.read | .write))
        #expect(throws: PageTableError<GuestPhysicalAddress>.permissionsNotExpressible) {
            _ = try entries(format, .fourKibibytes, .write)
        }
    }

    @Test func `a leaf is read back as it was made`() throws {
        let attributes = PageAttributeTable(rawValue: 0x0501_0406_0007_0406)
        let format = Self.format(attributes: attributes)
        for size in [PageSize.fourKibibytes, .twoMebibytes, .oneGibibyte] {
            for type in [MemoryType.writeBack, .writeThrough, .writeCombining, .writeProtected, .uncacheable] {
                for permissions in [NPTPermissions.read, .read | .write, .read | .execute, Self.rwx] {
                    for isUsed in [false, true] {
                        let leaf = PageLeaf(
                            output: host(0x40_0000_0000), size: size, permissions: permissions, memoryType: type,
                            isAccessed: isUsed, isDirty: isUsed)
                        let entry = format.entry(for: leaf)
                        let level = size == .fourKibibytes ? 1 : size == .twoMebibytes ? 2 : 3
                        #expect(format.leaf(entry, level: level) == leaf)
                        #expect(format.isPresent(entry) && format.isLeaf(entry, level: level))
                        #expect(format.reservedBits(of: entry, level: level) == 0)
                    }
                }
            }
        }
        // Without the user bit no access of the guest's goes through; without NXE all pages are executable.
        #expect(format.leaf(NPTEntry(rawValue: 0x8000_0000_0000_1003), level: 1).permissions == .write)
        let old = Self.format(executeDisable: false)
        #expect(old.leaf(NPTEntry(rawValue: 0x8000_0000_0000_1007), level: 1).permissions == Self.rwx)
    }

    static let reserved: [(UInt64, Int, UInt64)] = [
        (0x1007, 1, 0), (0x1FF7, 1, 0), (0x7FF0_0000_0000_1007, 1, 0), (0x100_0000_1007, 1, 1 << 40),
        (0x0020_0087, 2, 0), (0x0020_2087, 2, 0x2000), (0x0020_1087, 2, 0), (0x4000_0087, 3, 0), (0x4020_0087, 3, 0x20_0000),
        (0x1107, 2, 0), (0x1107, 3, 0x100), (0x4000_0187, 3, 0), (0x1107, 4, 0x100), (0x1087, 4, 0x80), (0x1187, 5, 0x180),
    ]

    @Test(arguments: reserved)
    func `reserved bits are found, by the level of the table`(_ entry: UInt64, _ level: Int, _ expected: UInt64) {
        #expect(Self.format(levels: 5).reservedBits(of: NPTEntry(rawValue: entry), level: level) == expected)
    }

    @Test func `sizes that the processor lacks and bit 63 without NXE are reserved`() {
        #expect(Self.format(sizes: .upToTwoMebibytes).reservedBits(of: NPTEntry(rawValue: 0x4000_0087), level: 3) == 0x80)
        #expect(Self.format(executeDisable: false).reservedBits(of: NPTEntry(rawValue: 1 << 63 | 0x1007), level: 1) == 1 << 63)
    }

    @Test func `guest-physical addresses end where the tables do`() {
        #expect(Self.format().position(of: guestPhysical(0xFFFF_FFFF_FFFF)) == 0xFFFF_FFFF_FFFF)
        #expect(Self.format().position(of: guestPhysical(1 << 48)) == nil)
        #expect(Self.format(levels: 5).position(of: guestPhysical(1 << 48)) == 1 << 48)
        #expect(Self.format().input(at: 0x1234) == guestPhysical(0x1234))
    }
}

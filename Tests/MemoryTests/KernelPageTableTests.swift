import Support
import Testing
@testable import Memory

@Suite struct KernelPageTableTests {
    typealias Table = PageTable<KernelPageTableFormat, FakeMemory>
    typealias TableError = PageTableError<HostVirtualAddress>

    let memory = FakeMemory()

    static func format(
        levels: Int = 4, executeDisable: Bool = true, attributes: PageAttributeTable = .atReset
    ) -> KernelPageTableFormat {
        KernelPageTableFormat(
            levelCount: levels, leafSizes: .upToOneGibibyte, physicalAddressWidth: 39,
            hasExecuteDisable: executeDisable, attributes: attributes)
    }

    static func range(_ start: UInt64, _ count: ByteCount) -> AddressRange<HostVirtualAddress> {
        AddressRange(start: HostVirtualAddress(start), count: count)
    }

    static let leaves: [(KernelPagePermissions, MemoryType, PageSize, UInt64)] = [
        (.readOnly, .writeBack, .fourKibibytes, 0x8000_0000_8000_0001),
        (.write, .writeBack, .fourKibibytes, 0x8000_0000_8000_0003),
        (.execute, .writeBack, .fourKibibytes, 0x8000_0001),
        (.write | .user | .global, .writeThrough, .fourKibibytes, 0x8000_0000_8000_010F),
        (.write, .uncacheable, .twoMebibytes, 0x8000_0000_8000_009B),
        (.execute, .writeBack, .oneGibibyte, 0x8000_0081),
    ]

    @Test(arguments: leaves)
    func leafBits(permissions: KernelPagePermissions, type: MemoryType, size: PageSize, raw: UInt64) {
        let leaf = PageLeaf(output: host(0x8000_0000), size: size, permissions: permissions, memoryType: type)
        let entry = Self.format().entry(for: leaf)
        #expect(entry.rawValue == raw)
        #expect(Self.format().leaf(entry, level: (Int(size.rawValue) - 3) / 9) == leaf)
    }

    @Test func attributeTableDecidesTheIndex() {
        // Index 4 is write-combining, index 5 write-protected: the PAT bit is bit 7, or bit 12 of a large page.
        let attributes = PageAttributeTable(rawValue: 0x0007_0501_0007_0406)
        let format = Self.format(attributes: attributes)
        func entry(_ type: MemoryType, _ size: PageSize) -> UInt64 {
            format.entry(for: PageLeaf(output: host(0), size: size, permissions: .execute, memoryType: type)).rawValue
        }
        #expect(entry(.writeCombining, .fourKibibytes) == 0x81)
        #expect(entry(.writeCombining, .twoMebibytes) == 0x1081)
        #expect(entry(.writeProtected, .fourKibibytes) == 0x89)
        for size in [PageSize.fourKibibytes, .twoMebibytes] {
            let raw = KernelPageTableEntry(rawValue: entry(.writeCombining, size))
            let leaf = format.leaf(raw, level: size == .fourKibibytes ? 1 : 2)
            #expect(leaf.memoryType == .writeCombining && leaf.output == host(0))
        }
        #expect(!Self.format().canExpress(.writeCombining) && format.canExpress(.writeCombining))
        let ucMinus = format.leaf(KernelPageTableEntry(rawValue: 0x11), level: 1)
        #expect(ucMinus.memoryType == .uncacheable)
    }

    @Test func upperHalfAndCanonicalAddresses() throws {
        var frames = FakeFrames(memory: memory)
        var table = try Table(format: Self.format(), memory: memory, frames: &frames)
        let top: UInt64 = 0xFFFF_FFFF_8000_0000
        _ = try table.map(
            Self.range(top, .gibibytes(2)), to: host(0), permissions: .write, memoryType: .writeBack,
            largest: .oneGibibyte, frames: &frames)
        #expect(table.translate(HostVirtualAddress(.max)) == host(0x7FFF_FFFF))
        #expect(table.walk(HostVirtualAddress(0x0000_8000_0000_0000)) == .inputTooWide)
        #expect(table.walk(HostVirtualAddress(0x7FFF_FFFF_FFFF)) == .notPresent(level: 4))
        var inputs: [UInt64] = []
        table.forEachRun { run in
            inputs.append(run.input.rawValue)
            return true
        }
        #expect(inputs == [top])
        #expect(throws: TableError.inputTooWide) {
            try table.map(
                Self.range(0x7FFF_FFFF_F000, .kibibytes(8)), to: host(0), permissions: .write,
                memoryType: .writeBack, largest: .fourKibibytes, frames: &frames)
        }
        let five = Self.format(levels: 5)
        #expect(five.position(of: HostVirtualAddress(0x0000_8000_0000_0000)) == 0x0000_8000_0000_0000)
        #expect(five.position(of: HostVirtualAddress(0x0100_0000_0000_0000)) == nil)
    }

    @Test func splitMovesThePATBit() throws {
        var frames = FakeFrames(memory: memory)
        let format = Self.format(attributes: PageAttributeTable(rawValue: 0x0007_0501_0007_0406))
        var table = try Table(format: format, memory: memory, frames: &frames)
        let range = Self.range(0x4000_0000, .mebibytes(2))
        _ = try table.map(
            range, to: host(0x4000_0000), permissions: .write, memoryType: .writeCombining,
            largest: .twoMebibytes, frames: &frames)
        _ = try table.split(range, downTo: .fourKibibytes, frames: &frames)
        let last = HostVirtualAddress(0x401F_F000)
        #expect(
            table.walk(last)
                == .mapped(
                    PageLeaf(
                        output: host(0x401F_F000), size: .fourKibibytes, permissions: .write, memoryType: .writeCombining)))
        _ = try table.merge(range, largest: .twoMebibytes, frames: &frames)
        #expect(
            table.walk(last)
                == .mapped(
                    PageLeaf(
                        output: host(0x4000_0000), size: .twoMebibytes, permissions: .write, memoryType: .writeCombining)))
    }

    @Test func withoutExecuteDisableEverythingIsExecutable() throws {
        var frames = FakeFrames(memory: memory)
        var table = try Table(format: Self.format(executeDisable: false), memory: memory, frames: &frames)
        #expect(throws: TableError.permissionsNotExpressible) {
            try table.map(
                Self.range(0, .kibibytes(4)), to: host(0), permissions: .write, memoryType: .writeBack,
                largest: .fourKibibytes, frames: &frames)
        }
        #expect(throws: TableError.memoryTypeNotExpressible) {
            try table.map(
                Self.range(0, .kibibytes(4)), to: host(0), permissions: .execute, memoryType: .writeCombining,
                largest: .fourKibibytes, frames: &frames)
        }
    }

    @Test func reservedBits() {
        let format = Self.format()
        func reserved(_ raw: UInt64, _ level: Int) -> UInt64 {
            format.reservedBits(of: KernelPageTableEntry(rawValue: raw), level: level)
        }
        #expect(reserved(1 << 39 | 1, 1) == 1 << 39 && reserved(1 << 38 | 1, 1) == 0)
        #expect(reserved(0x2081, 2) == 0x2000 && reserved(0x1081, 2) == 0)
        #expect(reserved(0x81, 4) == 0x80 && reserved(0x81, 3) == 0 && reserved(1 << 63 | 1, 1) == 0)
        let executable = Self.format(executeDisable: false)
        #expect(executable.reservedBits(of: KernelPageTableEntry(rawValue: 1 << 63 | 1), level: 1) == 1 << 63)
    }

    @Test func globalIsNoRight() {
        #expect(!(KernelPagePermissions.write | .global).includes(.write))
        #expect((KernelPagePermissions.write | .execute).includes(.write))
    }
}

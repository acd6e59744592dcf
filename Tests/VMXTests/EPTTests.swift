import Memory
import Support
import Testing
@testable import VMX

@Suite struct EPTTests {
    /// The raw leaf that maps guest-physical 1 GiB to host-physical 2 GiB.
    func leaf(
        _ format: EPTFormat, _ largest: PageSize,
        _ permissions: ExtendedPagePermissions, _ type: MemoryType
    ) throws -> [UInt64] {
        let memory = FakeMemory()
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: format, memory: memory, frames: &frames)
        _ = try table.mapRAM(0x4000_0000, .gibibytes(1), to: 0x8000_0000, largest: largest, permissions, type, frames: &frames)
        return table.entries(at: 0x4000_0000)
    }

    @Test func leavesHaveTheirBitsInPlace() throws {
        // Write-back is 6 in bits 5:3, the guest's PAT is ignored by bit 6, bit 7 makes a page large.
        #expect(try leaf(.test(), .fourKibibytes, .rwx, .writeBack).last == 0x8000_0000 | 6 << 3 | 1 << 6 | 7)
        #expect(try leaf(.test(), .twoMebibytes, .rwx, .writeBack).last == 0x8000_0000 | 6 << 3 | 1 << 6 | 1 << 7 | 7)
        #expect(try leaf(.test(), .oneGibibyte, .rwx, .writeBack).last == 0x8000_0000 | 6 << 3 | 1 << 6 | 1 << 7 | 7)
        #expect(try leaf(.test(ignoresPAT: false), .fourKibibytes, .rwx, .writeBack).last == 0x8000_0000 | 6 << 3 | 7)
        #expect(try leaf(.test(), .fourKibibytes, .read, .uncacheable).last == 0x8000_0000 | 1 << 6 | 1)
        #expect(try leaf(.test(), .fourKibibytes, .read | .write, .writeThrough).last == 0x8000_0000 | 4 << 3 | 1 << 6 | 3)
        #expect(try leaf(.test(), .fourKibibytes, .execute, .writeProtected).last == 0x8000_0000 | 5 << 3 | 1 << 6 | 4)
        #expect(try leaf(.test(), .fourKibibytes, .read, .writeCombining).last == 0x8000_0000 | 1 << 3 | 1 << 6 | 1)
    }

    @Test func userExecuteNeedsModeBasedExecute() throws {
        #expect(try leaf(.test(modeBased: true), .fourKibibytes, .all, .writeBack).last! & 0xFFF == 0x477)
        #expect(try leaf(.test(modeBased: false), .fourKibibytes, .all, .writeBack).last! & 0xFFF == 0x077)
        let format = EPTFormat.test(modeBased: true)
        #expect(format.isPresent(EPTEntry(rawValue: 0x400)))
        #expect(!EPTFormat.test().isPresent(EPTEntry(rawValue: 0x400)))
        #expect(format.canExpress(.userExecute) && !EPTFormat.test().canExpress(.userExecute))
    }

    @Test func tablesAllowEverythingAndHaveNoReservedBits() throws {
        let entries = try leaf(.test(), .fourKibibytes, .read, .writeBack)
        #expect(entries.count == 4)
        for entry in entries.dropLast() { #expect(entry & 0xFFF == 7) }
        for entry in try leaf(.test(modeBased: true), .twoMebibytes, .read, .writeBack).dropLast() {
            #expect(entry & 0xFFF == 0x407)
        }
    }

    @Test func entryProperties() {
        var entry = EPTEntry(rawValue: 0)
        entry.isReadable = true
        entry.isUserExecutable = true
        entry.isAccessed = true
        entry.isDirty = true
        entry.suppressesVirtualizationException = true
        entry.setMemoryType(.writeBack)
        #expect(entry.rawValue == 0x8000_0000_0000_0731)
        entry.setMemoryType(.writeCombining)
        entry.isDirty = false
        #expect(entry.rawValue == 0x8000_0000_0000_0509 && entry.memoryType == .writeCombining)
    }

    @Test func permissionSets() {
        let permissions = ExtendedPagePermissions.read | .execute
        #expect(permissions.contains(.read) && !permissions.contains(.write))
        #expect(permissions.includes(.read) && !permissions.includes(.rwx) && ExtendedPagePermissions.all.includes(.rwx))
    }

    typealias Misconfiguration = EPTMisconfiguration

    static let cases: [(UInt64, Int, Misconfiguration?)] = [
        (0x0000_0000, 1, nil),
        (0xFFFF_FFFF_FFFF_FFF8, 1, nil),
        (0x1037, 1, nil),
        (0x1032, 1, .writableButNotReadable),
        (0x1036, 1, .writableButNotReadable),
        (0x1034, 1, nil),
        (0x1007, 2, nil),
        (0x1017, 1, .reservedMemoryType(2)),
        (0x101F, 1, .reservedMemoryType(3)),
        (0x103F, 1, .reservedMemoryType(7)),
        (0x100F, 2, .reservedBits(1 << 3)),
        (0x1047, 3, .reservedBits(1 << 6)),
        (0x1087, 4, .reservedBits(1 << 7)),
        (0x10FF, 5, .reservedBits(0xF8)),
        (0x20_0087, 2, nil),
        (0x20_1087, 2, .reservedBits(1 << 12)),
        (0x4000_0087, 3, nil),
        (0x4020_0087, 3, .reservedBits(1 << 21)),
        (1 << 46 | 7, 1, .reservedBits(1 << 46)),
        (1 << 45 | 7, 1, nil),
        (0x0000_0097, 2, .reservedMemoryType(2)),
        (0xFFF0_0000_0000_0F37, 1, nil),
    ]

    @Test(arguments: cases)
    func misconfigurations(entry: UInt64, level: Int, expected: Misconfiguration?) {
        let format = EPTFormat.test(width: 46)
        #expect(format.misconfiguration(of: EPTEntry(rawValue: entry), level: level) == expected)
    }

    @Test func misconfigurationsThatDependOnTheProcessor() {
        let poor = EPTFormat.test(sizes: .fourKibibytes, executeOnly: false)
        let modeBased = EPTFormat.test(executeOnly: false, modeBased: true)
        func check(_ format: EPTFormat, _ entry: UInt64, _ level: Int) -> Misconfiguration? {
            format.misconfiguration(of: EPTEntry(rawValue: entry), level: level)
        }
        #expect(check(poor, 0x1034, 1) == .executeOnlyNotOffered)
        #expect(check(poor, 0x20_0087, 2) == .reservedBits(1 << 7))
        #expect(check(.test(sizes: .upToTwoMebibytes), 0x4000_0087, 3) == .reservedBits(1 << 7))
        #expect(check(modeBased, 0x1430, 1) == .executeOnlyNotOffered)
        #expect(check(poor, 0x1430, 1) == nil, "without mode-based execute control, bit 10 does not make it present")
        #expect(check(modeBased, 0x1432, 1) == .writableButNotReadable)
        #expect(check(.test(modeBased: true), 0x1430, 1) == nil)
    }

    /// Nothing that the table writes is misconfigured.
    @Test func ownEntriesAreSound() throws {
        let all: [ExtendedPagePermissions] = [.read, .read | .write, .read | .execute, .rwx, .execute]
        for type in [MemoryType.uncacheable, .writeCombining, .writeThrough, .writeProtected, .writeBack] {
            for permissions in all {
                for size in [PageSize.fourKibibytes, .twoMebibytes, .oneGibibyte] {
                    let format = EPTFormat.test()
                    let entries = try leaf(format, size, permissions, type)
                    for (index, entry) in entries.enumerated() {
                        #expect(format.misconfiguration(of: EPTEntry(rawValue: entry), level: 4 - index) == nil)
                    }
                }
            }
        }
    }

    @Test func pointer() {
        let pointer = EPTPointer(
            root: HostPhysicalAddress(0x1234_5000), levelCount: 4, memoryType: .writeBack, usesAccessedAndDirty: true)
        #expect(pointer.rawValue == 0x1234_505E)
        #expect(pointer.root == HostPhysicalAddress(0x1234_5000) && pointer.levelCount == 4 && pointer.memoryType == .writeBack)
        #expect(pointer.usesAccessedAndDirty && !pointer.enforcesShadowStacks)
        let other = EPTPointer(
            root: HostPhysicalAddress(0x1000), levelCount: 5, memoryType: .uncacheable, usesAccessedAndDirty: false)
        #expect(other.rawValue == 0x1020 && other.levelCount == 5)
    }
}

import Support
import Testing
@testable import Memory
import VMX

@Suite struct PageTableTests {
    let memory = FakeMemory()

    @Test(arguments: [
        (PageSize.oneGibibyte, LeafSizes.upToOneGibibyte, 2 as UInt64, 1 as UInt64),
        (.oneGibibyte, .upToTwoMebibytes, 3, 512),
        (.twoMebibytes, .upToOneGibibyte, 3, 512),
        (.fourKibibytes, .upToOneGibibyte, 515, 262_144),
        (.oneGibibyte, .fourKibibytes, 515, 262_144),
    ])
    func tablePagesForOneGibibyte(largest: PageSize, sizes: LeafSizes, tables: UInt64, leaves: UInt64) throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(sizes: sizes), memory: memory, frames: &frames)
        let change = try table.mapRAM(0, .gibibytes(1), to: 0x4000_0000, largest: largest, frames: &frames)
        #expect(change == .added && !change.needsInvalidation)
        #expect(table.tableCount == tables && UInt64(frames.inUse.count) == tables)
        #expect(table.listing().map(\.pages) == [leaves])
        table.destroy(frames: &frames)
        #expect(frames.inUse.isEmpty)
    }

    @Test func fiveLevelsHaveOneMore() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(levels: 5), memory: memory, frames: &frames)
        _ = try table.mapRAM(1 << 50, .gibibytes(1), to: 0, frames: &frames)
        #expect(table.tableCount == 3)
        #expect(table.translate(guestPhysical(1 << 50 | 0x1234_5678)) == host(0x1234_5678))
        #expect(table.walk(guestPhysical(1 << 57)) == .inputTooWide)
        #expect(table.walk(guestPhysical(1 << 49)) == .notPresent(level: 5))
    }

    @Test func unalignedOutputFallsToSmallerPages() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .gibibytes(2), to: 0x8020_0000, frames: &frames)
        _ = try table.mapRAM(0x8000_0000, .mebibytes(4), to: 0x10_0000_1000, frames: &frames)
        #expect(
            table.listing() == [
                ListedRun(input: 0, output: 0x8020_0000, size: .twoMebibytes, pages: 1024),
                ListedRun(input: 0x8000_0000, output: 0x10_0000_1000, size: .fourKibibytes, pages: 1024),
            ])
    }

    @Test func sizesMixToFitTheRange() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        let start: UInt64 = 0x3FDF_F000
        let count = ByteCount(0x8040_3000 - start)
        _ = try table.mapRAM(start, count, to: start, frames: &frames)
        #expect(
            table.listing() == [
                ListedRun(input: 0x3FDF_F000, output: 0x3FDF_F000, size: .fourKibibytes, pages: 1),
                ListedRun(input: 0x3FE0_0000, output: 0x3FE0_0000, size: .twoMebibytes, pages: 1),
                ListedRun(input: 0x4000_0000, output: 0x4000_0000, size: .oneGibibyte, pages: 1),
                ListedRun(input: 0x8000_0000, output: 0x8000_0000, size: .twoMebibytes, pages: 2),
                ListedRun(input: 0x8040_0000, output: 0x8040_0000, size: .fourKibibytes, pages: 3),
            ])
        #expect(table.tableCount == 6)
        #expect(table.nextRun(from: guestPhysical(0x8020_1000))?.input == guestPhysical(0x8020_0000))
        #expect(table.nextRun(from: guestPhysical(0x8040_3000)) == nil)
    }

    @Test func walkSaysWhereItEnds() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0x20_0000, .kibibytes(4), to: 0x5000, .read | .execute, .writeThrough, frames: &frames)
        #expect(
            table.walk(guestPhysical(0x20_0FFF))
                == .mapped(
                    PageLeaf(
                        output: host(0x5000), size: .fourKibibytes, permissions: .read | .execute, memoryType: .writeThrough)))
        #expect(table.walk(guestPhysical(0x20_1000)) == .notPresent(level: 1))
        #expect(table.walk(guestPhysical(0)) == .notPresent(level: 2))
        #expect(table.walk(guestPhysical(1 << 30)) == .notPresent(level: 3))
        #expect(table.walk(guestPhysical(1 << 39)) == .notPresent(level: 4))
        #expect(table.walk(guestPhysical(1 << 48)) == .inputTooWide)
        #expect(table.translate(guestPhysical(0x20_0ABC)) == host(0x5ABC) && table.translate(guestPhysical(0)) == nil)
    }

    @Test func argumentsAreChecked() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(width: 40, executeOnly: false), memory: memory, frames: &frames)
        func attempt(
            _ start: UInt64, _ count: ByteCount, _ output: UInt64, _ permissions: ExtendedPagePermissions = .rwx
        ) -> EPTError? {
            do throws(EPTError) { _ = try table.mapRAM(start, count, to: output, permissions, frames: &frames) } catch {
                return error
            }
            return nil
        }
        #expect(attempt(0x800, .kibibytes(4), 0) == .misaligned)
        #expect(attempt(0, ByteCount(4000), 0) == .misaligned)
        #expect(attempt(0, .zero, 0) == .misaligned)
        #expect(attempt(0, .kibibytes(4), 0x80) == .misaligned)
        #expect(attempt((1 << 48) - 0x1000, .kibibytes(8), 0) == .inputTooWide)
        #expect(attempt(1 << 48, .kibibytes(4), 0) == .inputTooWide)
        #expect(attempt(0, .kibibytes(8), (1 << 40) - 0x1000) == .outputTooWide)
        #expect(attempt(0, .kibibytes(4), 0xFFFF_FFFF_FFFF_F000) == .outputTooWide)
        #expect(attempt(0, .kibibytes(4), 0, .write) == .permissionsNotExpressible)
        #expect(attempt(0, .kibibytes(4), 0, .execute) == .permissionsNotExpressible)
        #expect(attempt(0, .kibibytes(4), 0, .userExecute) == .permissionsNotExpressible)
        #expect(table.tableCount == 1 && frames.inUse.count == 1)
        #expect(attempt((1 << 48) - 0x1000, .kibibytes(4), (1 << 40) - 0x1000) == nil)
        let last = guestPhysical((1 << 48) - 1)
        #expect(table.translate(last) == host((1 << 40) - 1))
        #expect(table.listing().count == 1)
        _ = try table.unmap(guestRange((1 << 48) - 0x1000, .kibibytes(4)), frames: &frames)
        #expect(table.tableCount == 1)
    }

    @Test func alreadyMappedNamesTheFirstPage() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0x40_3000, .kibibytes(4), to: 0, frames: &frames)
        let before = table.listing()
        #expect(throws: EPTError.alreadyMapped(guestPhysical(0x40_3000))) {
            try table.mapRAM(0, .gibibytes(1), to: 0, frames: &frames)
        }
        #expect(throws: EPTError.alreadyMapped(guestPhysical(0x40_3000))) {
            try table.mapRAM(0x40_2000, .kibibytes(8), to: 0, frames: &frames)
        }
        #expect(table.listing() == before && table.tableCount == 4)
        _ = try table.mapRAM(0x4000_0000, .gibibytes(1), to: 0, frames: &frames)
        #expect(throws: EPTError.alreadyMapped(guestPhysical(0x4000_5000))) {
            try table.mapRAM(0x4000_5000, .kibibytes(4), to: 0, frames: &frames)
        }
    }

    @Test func outOfFramesChangesNothing() throws {
        var frames = FakeFrames(memory: memory, limit: 3)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        #expect(throws: EPTError.outOfFrames(needed: 3)) {
            try table.mapRAM(0, .mebibytes(1), to: 0, frames: &frames)
        }
        _ = try table.mapRAM(0, .gibibytes(1), to: 0, frames: &frames)
        #expect(frames.availableFrames == 1)
        #expect(throws: EPTError.outOfFrames(needed: 2)) { try table.unmap(guestRange(0, .kibibytes(4)), frames: &frames) }
        #expect(throws: EPTError.outOfFrames(needed: 2)) {
            try table.protect(guestRange(0x5000, .kibibytes(4)), permissions: .read, frames: &frames)
        }
        #expect(throws: EPTError.outOfFrames(needed: 3)) {
            try table.split(guestRange(0x1F_F000, .kibibytes(8)), downTo: .fourKibibytes, frames: &frames)
        }
        #expect(table.listing() == [ListedRun(input: 0, output: 0, size: .oneGibibyte, pages: 1)])
        #expect(throws: EPTError.outOfFrames(needed: 1)) {
            var empty = FakeFrames(memory: memory, limit: 0)
            _ = try EPT(format: .test(), memory: memory, frames: &empty)
        }
    }

    @Test func protectNeedsEveryPage() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .mebibytes(4), to: 0, frames: &frames)
        _ = try table.unmap(guestRange(0x20_5000, .kibibytes(4)), frames: &frames)
        #expect(throws: EPTError.notMapped(guestPhysical(0x20_5000))) {
            try table.protect(guestRange(0, .mebibytes(4)), permissions: .read, frames: &frames)
        }
        #expect(throws: EPTError.permissionsNotExpressible) {
            try table.protect(guestRange(0, .mebibytes(2)), permissions: .write, frames: &frames)
        }
        #expect(table.listing().first?.size == .twoMebibytes)
        #expect(throws: EPTError.sizeNotOffered) {
            try table.split(guestRange(0, .mebibytes(2)), downTo: .fourMebibytes, frames: &frames)
        }
    }

    @Test func changesAreReported() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .mebibytes(2), to: 0, largest: .fourKibibytes, .read, frames: &frames)
        let page = guestRange(0x3000, .kibibytes(4))
        #expect(try table.protect(page, permissions: .read, frames: &frames) == TranslationChange.none)
        #expect(try table.protect(page, permissions: .rwx, frames: &frames) == .relaxed)
        #expect(try table.protect(page, permissions: .read | .write, frames: &frames) == .changed)
        #expect(try table.unmap(guestRange(0x40_0000, .mebibytes(2)), frames: &frames) == TranslationChange.none)
        #expect(try table.unmap(page, frames: &frames) == .changed)
        #expect(TranslationChange.changed.needsInvalidation && !TranslationChange.relaxed.needsInvalidation)
    }
}

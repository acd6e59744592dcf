import Support
import Testing
@testable import Memory
import VMX

@Suite struct PageTableSplittingTests {
    let memory = FakeMemory()

    @Test func splitKeepsTheRestLarge() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .gibibytes(1), to: 0x4000_0000, frames: &frames)
        let change = try table.split(guestRange(0x40_1000, .kibibytes(4)), downTo: .fourKibibytes, frames: &frames)
        #expect(change == .changed && table.tableCount == 4)
        #expect(
            table.listing() == [
                ListedRun(input: 0, output: 0x4000_0000, size: .twoMebibytes, pages: 2),
                ListedRun(input: 0x40_0000, output: 0x4040_0000, size: .fourKibibytes, pages: 512),
                ListedRun(input: 0x60_0000, output: 0x4060_0000, size: .twoMebibytes, pages: 509),
            ])
        #expect(try table.split(guestRange(0, .gibibytes(1)), downTo: .twoMebibytes, frames: &frames) == TranslationChange.none)
        #expect(try table.merge(guestRange(0, .gibibytes(1)), largest: .oneGibibyte, frames: &frames) == .changed)
        #expect(table.listing() == [ListedRun(input: 0, output: 0x4000_0000, size: .oneGibibyte, pages: 1)])
        #expect(table.tableCount == 2 && frames.inUse.count == 2)
    }

    @Test func mergeRespectsRangeAndLimit() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .gibibytes(1), to: 0, largest: .fourKibibytes, frames: &frames)
        let part = guestRange(0x1000, .mebibytes(4))
        #expect(try table.merge(part, largest: .oneGibibyte, frames: &frames) == .changed)
        #expect(table.listing().map(\.size) == [.fourKibibytes, .twoMebibytes, .fourKibibytes])
        #expect(try table.merge(guestRange(0, .gibibytes(1)), largest: .fourKibibytes, frames: &frames) == TranslationChange.none)
        #expect(try table.merge(guestRange(0, .gibibytes(1)), largest: .twoMebibytes, frames: &frames) == .changed)
        #expect(table.listing() == [ListedRun(input: 0, output: 0, size: .twoMebibytes, pages: 512)])
    }

    /// What differs in one page keeps a table from being merged.
    @Test(arguments: ["permission", "hole", "output", "type", "misaligned"])
    func mergeRefuses(difference: String) throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        let output: UInt64 = difference == "misaligned" ? 0x1000 : 0
        _ = try table.mapRAM(0, .mebibytes(2), to: output, largest: .fourKibibytes, frames: &frames)
        let odd = guestRange(0x1F_F000, .kibibytes(4))
        switch difference {
        case "permission": _ = try table.protect(odd, permissions: .read, frames: &frames)
        case "misaligned": break
        default: _ = try table.unmap(odd, frames: &frames)
        }
        if difference == "output" { _ = try table.mapRAM(0x1F_F000, .kibibytes(4), to: 0x5000, frames: &frames) }
        if difference == "type" {
            _ = try table.mapRAM(0x1F_F000, .kibibytes(4), to: 0x1F_F000, .rwx, .uncacheable, frames: &frames)
        }
        #expect(try table.merge(guestRange(0, .mebibytes(2)), largest: .twoMebibytes, frames: &frames) == TranslationChange.none)
        #expect(table.tableCount == 4)
    }

    @Test func unmapCutsOnlyTheEdges() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .gibibytes(2), to: 0, frames: &frames)
        let before = frames.allocations
        let middle = guestRange(0x10_0000, .gibibytes(1))
        #expect(try table.unmap(middle, frames: &frames) == .changed)
        #expect(frames.allocations - before == 4, "each edge cuts a 1 GiB leaf and a 2 MiB leaf")
        #expect(
            table.listing() == [
                ListedRun(input: 0, output: 0, size: .fourKibibytes, pages: 256),
                ListedRun(input: 0x4010_0000, output: 0x4010_0000, size: .fourKibibytes, pages: 256),
                ListedRun(input: 0x4020_0000, output: 0x4020_0000, size: .twoMebibytes, pages: 511),
            ])
        #expect(table.tableCount == 6 && frames.inUse.count == 6)
    }

    @Test func bothEdgesInOneLeafShareTables() throws {
        var frames = FakeFrames(memory: memory, limit: 4)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .gibibytes(1), to: 0, frames: &frames)
        _ = try table.protect(guestRange(0x5000, .kibibytes(8)), permissions: .read, frames: &frames)
        #expect(table.tableCount == 4 && frames.availableFrames == 0)
        #expect(table.listing().map(\.pages) == [5, 2, 505, 511])
    }

    @Test func accessedAndDirtyBitsAreCopiedAndMerged() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .mebibytes(2), to: 0, frames: &frames)
        func leaf(_ address: UInt64) -> (accessed: Bool, dirty: Bool) {
            guard case .mapped(let leaf) = table.walk(guestPhysical(address)) else { return (false, false) }
            return (leaf.isAccessed, leaf.isDirty)
        }
        func mark(_ address: UInt64, _ bits: UInt64) {
            var slot = host(0)
            table.view.trace(guestPhysical(address)) {
                slot = $0.address
                return true
            }
            memory.writeUInt64(memory.readUInt64(at: slot) | bits, at: slot)
        }
        let whole = guestRange(0, .mebibytes(2))
        mark(0, 1 << 8 | 1 << 9)
        _ = try table.split(whole, downTo: .fourKibibytes, frames: &frames)
        #expect(leaf(0) == (true, true) && leaf(0x1F_F000) == (true, true))

        var taken: [UInt64: Bool] = [:]
        let change = try table.takeAccessed(in: whole) { page, size, dirty in
            if size == .fourKibibytes { taken[page.rawValue] = dirty }
        }
        #expect(change == .changed && taken.count == 512 && taken.values.allSatisfy { $0 })
        #expect(leaf(0x3000) == (false, false))
        mark(0x3000, 1 << 8)
        taken = [:]
        _ = try table.takeAccessed(in: whole) { page, _, dirty in taken[page.rawValue] = dirty }
        #expect(taken == [0x3000: false])
        #expect(try table.takeAccessed(in: whole) { _, _, _ in } == TranslationChange.none)

        mark(0x7000, 1 << 8)
        mark(0x9000, 1 << 8 | 1 << 9)
        _ = try table.merge(whole, largest: .oneGibibyte, frames: &frames)
        #expect(table.tableCount == 3 && leaf(0) == (true, true))
    }

    /// A processor sets the dirty bit between our look at an entry and our change of it.
    @Test func bitsThatAProcessorSetsMeanwhileAreKept() throws {
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(), memory: memory, frames: &frames)
        _ = try table.mapRAM(0, .mebibytes(2), to: 0, frames: &frames)
        func interfereOnce() {
            memory.beforeExchange = { memory, address in
                memory.beforeExchange = nil
                memory.writeUInt64(memory.readUInt64(at: address) | 1 << 8 | 1 << 9, at: address)
            }
        }
        func isDirty(_ address: UInt64) -> Bool {
            guard case .mapped(let leaf) = table.walk(guestPhysical(address)) else { return false }
            return leaf.isDirty && leaf.isAccessed
        }
        interfereOnce()
        _ = try table.protect(guestRange(0, .mebibytes(2)), permissions: .read | .write, frames: &frames)
        #expect(isDirty(0))
        var dirty = false
        _ = try table.takeAccessed(in: guestRange(0, .mebibytes(2))) { _, _, isDirty in dirty = isDirty }
        #expect(dirty && !isDirty(0))
        interfereOnce()
        _ = try table.split(guestRange(0, .kibibytes(4)), downTo: .fourKibibytes, frames: &frames)
        #expect(isDirty(0) && isDirty(0x1F_F000))
    }
}

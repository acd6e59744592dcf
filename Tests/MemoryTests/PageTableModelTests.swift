import Support
import Testing
@testable import Memory
import VMX

/// Random operations, checked against a dictionary from page to translation.
@Suite struct PageTableModelTests {
    struct Page: Equatable {
        var output: UInt64
        var permissions: ExtendedPagePermissions
        var type: MemoryType
    }

    /// What a run of random operations works on: a window of `pages` units, each of `unit` bytes.
    struct Window: Sendable, CustomTestStringConvertible {
        var start: UInt64
        var unit: UInt64
        var pages: UInt64
        var sizes: LeafSizes
        var seed: UInt64
        var testDescription: String { "unit \(unit), sizes \(sizes), seed \(seed)" }
    }

    static let windows = [
        Window(start: 0x3F80_0000, unit: 0x1000, pages: 4096, sizes: .upToOneGibibyte, seed: 1),
        Window(start: 0x3F80_0000, unit: 0x1000, pages: 4096, sizes: .upToOneGibibyte, seed: 2),
        Window(start: 0, unit: 0x1000, pages: 2048, sizes: .fourKibibytes, seed: 3),
        Window(start: 0x7F_4000_0000, unit: 0x20_0000, pages: 2048, sizes: .upToOneGibibyte, seed: 4),
        Window(start: 0x7F_4000_0000, unit: 0x20_0000, pages: 2048, sizes: .upToOneGibibyte, seed: 5),
        Window(start: 0, unit: 0x20_0000, pages: 1536, sizes: .upToTwoMebibytes, seed: 6),
    ]

    static let permissions: [ExtendedPagePermissions] = [.read, .rwx, .rwx, .read | .write, .read | .execute, .execute]
    static let types: [MemoryType] = [.writeBack, .writeBack, .writeBack, .uncacheable]

    @Test(arguments: windows)
    func agreesWithTheModel(window: Window) throws {
        let memory = FakeMemory()
        var random = SeededGenerator(seed: window.seed)
        var frames = FakeFrames(memory: memory)
        var table = try EPT(format: .test(sizes: window.sizes), memory: memory, frames: &frames)
        var model: [UInt64: Page] = [:]

        for step in 0..<120 {
            let kind = random.next() % 10
            var first = random.next() % window.pages
            var count = random.next() % (random.one(in: 3) ? window.pages : 600) + 1
            if random.one(in: 2) {
                first &= ~511
                count = (count + 511) & ~511
            }
            count = min(count, window.pages - first)
            let range = guestRange(window.start + first * window.unit, ByteCount(count * window.unit))
            let touched = (first..<first + count).map { window.start + $0 * window.unit }
            let before = model
            let permissions = Self.permissions.randomElement(using: &random)!
            let type = Self.types.randomElement(using: &random)!
            let largest = [PageSize.fourKibibytes, .twoMebibytes, .oneGibibyte, .oneGibibyte].randomElement(using: &random)!
            // Most outputs keep the input's alignment, so that large pages occur.
            let output = range.start.rawValue + 0x10_0000_0000 + (random.one(in: 4) ? window.unit : 0)

            // With too few frames nothing changes; with as many as the error asks for, the operation succeeds.
            let ample = frames.availableFrames
            var needed: UInt64?
            if random.one(in: 3) {
                frames.availableFrames = random.next() % 3
                let limited = frames.availableFrames
                let listing = table.listing()
                do throws(EPTError) {
                    let tables = table.tableCount
                    let change = try operate(&table, &frames, kind, range, output, permissions, type, largest)
                    check(change, kind, before, &model, touched, output, range, permissions, type)
                    #expect(Int64(tables) - Int64(table.tableCount) == Int64(frames.availableFrames) - Int64(limited))
                    frames.availableFrames = 1_000_000 - UInt64(frames.inUse.count)
                    continue
                } catch {
                    #expect(table.listing() == listing)
                    #expect(frames.availableFrames == limited)
                    if case .outOfFrames(let count) = error {
                        #expect(count > limited)
                        needed = count
                    }
                }
            }
            frames.availableFrames = needed ?? ample
            let allocations = frames.allocations
            do throws(EPTError) {
                let change = try operate(&table, &frames, kind, range, output, permissions, type, largest)
                if let needed { #expect(frames.allocations - allocations == needed) }
                check(change, kind, before, &model, touched, output, range, permissions, type)
            } catch {
                #expect(needed == nil, "asked for \(needed ?? 0) frames, got them, and failed: \(error)")
                expectJustified(error, kind, before, touched)
            }
            frames.availableFrames = 1_000_000 - UInt64(frames.inUse.count)
            #expect(table.tableCount == UInt64(frames.inUse.count))
            if step % 50 == 0 { #expect(contents(of: table, unit: window.unit) == model, "step \(step)") }
        }
        #expect(contents(of: table, unit: window.unit) == model)
        expectWalksAgree(table, model, window, &random)
        _ = try table.unmap(guestRange(window.start, ByteCount(window.pages * window.unit)), frames: &frames)
        #expect(table.tableCount == 1 && table.listing().isEmpty)
    }

    private func operate(
        _ table: inout EPT, _ frames: inout FakeFrames, _ kind: UInt64, _ range: GuestPhysicalRange, _ output: UInt64,
        _ permissions: ExtendedPagePermissions, _ type: MemoryType, _ largest: PageSize
    ) throws(EPTError) -> TranslationChange {
        switch kind {
        case 0...3:
            return try table.map(
                range, to: host(output), permissions: permissions, memoryType: type,
                largest: largest, frames: &frames)
        case 4, 5: return try table.unmap(range, frames: &frames)
        case 6, 7: return try table.protect(range, permissions: permissions, frames: &frames)
        case 8: return try table.merge(range, largest: largest, frames: &frames)
        default:
            // A gibibyte in 4 KiB pages takes long to list: wide ranges are split down to 2 MiB only.
            let isWide = range.count.bytes > 16 << 20 && table.format.leafSizes.contains(.twoMebibytes)
            let size: PageSize = isWide ? .twoMebibytes : .fourKibibytes
            return try table.split(range, downTo: size, frames: &frames)
        }
    }

    /// Applies an operation that succeeded to the model, and checks what it reported.
    private func check(
        _ change: TranslationChange, _ kind: UInt64, _ before: [UInt64: Page], _ model: inout [UInt64: Page],
        _ touched: [UInt64], _ output: UInt64, _ range: GuestPhysicalRange,
        _ permissions: ExtendedPagePermissions, _ type: MemoryType
    ) {
        switch kind {
        case 0...3:
            #expect(touched.allSatisfy { before[$0] == nil } && change == .added)
            for page in touched {
                model[page] = Page(output: output + page - range.start.rawValue, permissions: permissions, type: type)
            }
        case 4, 5:
            for page in touched { model[page] = nil }
            #expect((change == .changed) == (model.count != before.count))
        case 6, 7:
            var restricted = false
            var different = false
            for page in touched {
                let old = model[page]!.permissions
                if old != permissions { different = true }
                if !permissions.includes(old) { restricted = true }
                model[page]!.permissions = permissions
            }
            if restricted { #expect(change == .changed) }
            if different { #expect(change >= .relaxed) }
        default:
            #expect(change == .none || change == .changed)
        }
    }

    private func expectJustified(_ error: EPTError, _ kind: UInt64, _ before: [UInt64: Page], _ touched: [UInt64]) {
        switch error {
        case .alreadyMapped(let page): #expect(kind <= 3 && page.rawValue == touched.first { before[$0] != nil })
        case .notMapped(let page): #expect((6...7).contains(kind) && page.rawValue == touched.first { before[$0] == nil })
        default: Issue.record("unexpected error \(error)")
        }
    }

    private func contents(of table: borrowing EPT, unit: UInt64) -> [UInt64: Page] {
        var pages: [UInt64: Page] = [:]
        table.forEachRun { run in
            for offset in stride(from: 0, to: run.count.bytes, by: Int(unit)) {
                pages[run.input.rawValue + offset] = Page(
                    output: run.first.output.rawValue + offset, permissions: run.first.permissions, type: run.first.memoryType)
            }
            return true
        }
        return pages
    }

    private func expectWalksAgree(
        _ table: borrowing EPT, _ model: [UInt64: Page], _ window: Window, _ random: inout SeededGenerator
    ) {
        for _ in 0..<2000 {
            let page = window.start + random.next() % window.pages * window.unit
            let offset = random.next() % window.unit
            let output = table.translate(guestPhysical(page + offset))
            #expect(output == model[page].map { host($0.output + offset) })
        }
    }
}

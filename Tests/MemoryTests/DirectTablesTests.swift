import Foundation
import Testing

@testable import Memory

@Suite struct DirectTablesTests {
    /// A guest's RAM, what direct paging keeps of it, and the model of both.
    final class Guest {
        let ram = FakeGuestRAM(frames: DirectTablesModel.frameCount)
        var tables: DirectTables<FakeGuestRAM>
        var model = DirectTablesModel()
        private let storage: UnsafeMutableRawPointer

        init() {
            let layout = DirectLayout(
                HostPhysicalRange(
                    start: HostPhysicalAddress(DirectTablesModel.ramStart), count: .frames(UInt64(DirectTablesModel.frameCount))))
            storage = .allocate(byteCount: layout.bytes, alignment: 8)
            storage.initializeMemory(as: UInt8.self, repeating: 0xA5, count: layout.bytes)
            tables = DirectTables(layout, storage: storage, memory: ram, leafSizes: .upToOneGibibyte)
            tables.hasExecuteDisable = true
        }

        deinit { storage.deallocate() }

        func put(_ entry: UInt64, _ frame: Int, _ index: Int) { ram.words[frame * 512 + index] = entry }

        // Each does as the kernel does, compares the answer with the model's, and brings the model up to date.

        func register(_ address: UInt64, _ level: UInt64) -> DirectRefusal? {
            let refusal = tables.register(address, level: level)
            var expected: DirectRefusal?
            if let frame = DirectTablesModel.frame(address) {
                if !(1...4).contains(level) || model.levels[frame] != nil {
                    expected = .wrongTable
                } else if model.isWritable(frame, ram) {
                    expected = .writableTable
                } else {
                    model.levels[frame] = Int(level)
                    for index in 0..<512 where expected == nil {
                        expected = model.refusal(
                            ram.words[frame * 512 + index], level: Int(level), hasExecuteDisable: tables.hasExecuteDisable)
                    }
                    if expected != nil { model.levels[frame] = nil }
                }
            } else {
                expected = .foreign
            }
            #expect(refusal == expected)
            finish()
            return expected
        }

        func unregister(_ address: UInt64) {
            let refusal = tables.unregister(address)
            var expected: DirectRefusal?
            if let frame = DirectTablesModel.frame(address) {
                if model.levels[frame] == nil {
                    expected = .wrongTable
                } else if model.pinned.contains(frame) || model.loaded == frame || model.isReferredTo(frame, ram) {
                    expected = .inUse
                } else {
                    model.levels[frame] = nil
                }
            } else {
                expected = .foreign
            }
            #expect(refusal == expected)
            finish()
        }

        func pin(_ address: UInt64, _ isPinned: Bool) {
            let refusal = tables.pin(address, isPinned)
            var expected: DirectRefusal?
            if let frame = DirectTablesModel.frame(address) {
                if model.levels[frame] != 4 || model.pinned.contains(frame) == isPinned {
                    expected = .wrongTable
                } else if isPinned {
                    model.pinned.insert(frame)
                } else {
                    model.pinned.remove(frame)
                }
            } else {
                expected = .foreign
            }
            #expect(refusal == expected)
            finish()
        }

        func load(_ cr3: UInt64) {
            let refusal = tables.load(cr3)
            var expected: DirectRefusal?
            if let frame = DirectTablesModel.frame(cr3 & ~0xFFF) {
                if model.pinned.contains(frame) { model.loaded = frame } else { expected = .wrongTable }
            } else {
                expected = .foreign
            }
            #expect(refusal == expected)
            finish()
        }

        /// The pairs lie in the last frames, which are never tables.
        func update(_ pairs: [(UInt64, UInt64)]) {
            let place = DirectTablesModel.frameCount - 1
            for (index, pair) in pairs.enumerated() {
                put(pair.0, place, 2 * index)
                put(pair.1, place, 2 * index + 1)
            }
            var written: UInt64 = 0
            var expected: DirectRefusal?
            var entries: [Int: UInt64] = [:]
            for (address, new) in pairs where expected == nil {
                if address & 7 != 0 || DirectTablesModel.frame(address & ~0xFFF) == nil {
                    expected = .foreign
                } else if let level = model.levels[DirectTablesModel.frame(address & ~0xFFF)!] {
                    expected = model.refusal(new, level: level, hasExecuteDisable: tables.hasExecuteDisable)
                    if expected == nil { entries[Int(address - DirectTablesModel.ramStart) / 8] = new }
                } else {
                    expected = .wrongTable
                }
                if expected == nil { written += 1 }
            }
            let result = tables.update(DirectTablesModel.address(place), count: UInt64(pairs.count))
            #expect(result.done == written && result.refusal == expected)
            #expect(entries.allSatisfy { ram.words[$0.key] == $0.value })
            // An update alone drops nothing.
            finish(flushes: false)
        }

        private func finish(flushes: Bool = true) {
            if flushes, tables.takeFlush() { model.dropCache() }
            #expect(model.violation(ram) == nil)
        }
    }

    /// RAM of which few words are not 0, large enough for pages of 1 GiB.
    final class SparseRAM: DirectTableMemory {
        var words: [UInt64: UInt64] = [:]

        func readUInt64(at address: GuestPhysicalAddress) -> UInt64? { words[address.rawValue] ?? 0 }
        func readUInt32(at address: GuestPhysicalAddress) -> UInt32? { nil }
        func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {}
        func writeUInt64(_ value: UInt64, at address: GuestPhysicalAddress) { words[address.rawValue] = value }
    }

    @Test func `a page of 1 GiB is the guest's as a whole, and is writable or has tables in it`() {
        let start: UInt64 = 0x6000_0000
        let layout = DirectLayout(HostPhysicalRange(start: HostPhysicalAddress(start), count: .gibibytes(2)))
        let storage = UnsafeMutableRawPointer.allocate(byteCount: layout.bytes, alignment: 8)
        defer { storage.deallocate() }
        let ram = SparseRAM()
        // Where the first whole GiB begins, and a table behind it.
        let whole: UInt64 = 0x8000_0000
        let table: UInt64 = 0xC000_0000
        ram.words[table - start] = whole | 0x87
        var tables = DirectTables(layout, storage: storage, memory: ram, leafSizes: .upToOneGibibyte)
        #expect(tables.register(table, level: 3) == nil)
        #expect(tables.register(whole, level: 1) == .writableTable && tables.register(table - 0x1000, level: 1) == .writableTable)
        #expect(tables.register(whole - 0x1000, level: 1) == nil && !tables.takeFlush())
        func write(_ entry: UInt64) -> DirectRefusal? {
            ram.words[0] = table
            ram.words[8] = entry
            return tables.update(start, count: 1).refusal
        }
        #expect(write(0x4000_0087) == .foreign && write(0xC000_0087) == .foreign && write(whole | 0x2087) == .reservedBits)
        // Read-only, with bit 12 set, which is none of the address.
        #expect(write(whole | 0x1085) == nil && tables.register(whole, level: 1) == nil && tables.takeFlush())
        #expect(write(whole | 0x87) == .writableTable)
        #expect(
            tables.unregister(whole) == nil && write(whole | 0x1087) == nil && tables.register(whole, level: 1) == .writableTable)
        #expect(write(0) == nil && tables.register(whole, level: 1) == nil)
        tables = DirectTables(layout, storage: storage, memory: ram, leafSizes: .upToTwoMebibytes)
        ram.words[table - start] = whole | 0x85
        #expect(tables.register(table, level: 3) == .reservedBits)
    }

    @Test func `what a guest has built becomes its tables, each once, or is refused`() {
        let guest = Guest()
        func address(_ frame: Int) -> UInt64 { DirectTablesModel.address(frame) }
        guest.put(address(2) | 7, 1, 0)
        guest.put(address(2) | 7, 1, 511)
        guest.put(address(3) | 7, 2, 1)
        guest.put(address(4) | 7, 3, 1)
        guest.put(address(3) | 7, 2, 2)
        guest.put(address(5) | 7, 4, 7)
        guest.put(address(4) | 5, 4, 8)
        #expect(guest.tables.adopt(address(1) | 0x18) == nil && guest.tables.takeFlush())
        for (frame, level) in [(1, 4), (2, 3), (3, 2), (4, 1)] { guest.model.levels[frame] = level }
        guest.model.pinned = [1]
        guest.model.loaded = 1
        for frame in 1...5 { guest.unregister(address(frame)) }
        guest.pin(address(1), false)
        guest.unregister(address(1))
        #expect(guest.register(address(5), 1) == .writableTable)

        // A table that leads to itself, of two levels, and one that is writable.
        for (frame, entry, refusal) in [(1, address(1) | 5, DirectRefusal.wrongTable), (4, address(4) | 7, .writableTable)] {
            let guest = Guest()
            for (frame, entry) in [(1, address(2)), (2, address(3)), (3, address(4))] { guest.put(entry | 5, frame, 0) }
            guest.put(entry, frame, 9)
            #expect(guest.tables.adopt(address(1)) == refusal)
        }
        #expect(Guest().tables.adopt(DirectTablesModel.ramEnd) == .foreign)
    }

    @Test func `a batch is bounded`() {
        let guest = Guest()
        #expect(guest.register(DirectTablesModel.address(1), 1) == nil)
        for index in 0..<1024 { guest.put(DirectTablesModel.address(1), 2 + index / 256, 2 * (index & 255)) }
        let result = guest.tables.update(DirectTablesModel.address(2), count: .max)
        #expect(result.done == 512 && result.refusal == nil)
        // The second pair reaches out of the RAM.
        guest.put(DirectTablesModel.address(1), DirectTablesModel.frameCount - 1, 509)
        let last = guest.tables.update(DirectTablesModel.ramEnd - 24, count: 2)
        #expect(last.done == 1 && last.refusal == .foreign)
    }

    /// Steps at random, most of which make sense.
    static func run(_ steps: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var guest = Guest()
        guest.model.width = 8
        // Few frames, so that they meet: at a large page's begin, its end, and the RAM's.
        let places = [0, 1, 254, 255, 256, 257, 258, 300, 767, 768, 769, 1279, 1280, 1297]
        func address() -> UInt64 {
            if random.one(in: 40) {
                return [DirectTablesModel.ramStart - 0x1000, DirectTablesModel.ramEnd, 0, 1 << 51, 0x4010_0008][
                    Int(random.next() % 5)]
            }
            return DirectTablesModel.address(places[Int(random.next() % UInt64(places.count))])
        }
        func table(_ level: Int) -> UInt64? {
            let frames = guest.model.levels.filter { $0.value == level }.keys.sorted()
            return frames.isEmpty ? nil : DirectTablesModel.address(frames[Int(random.next() % UInt64(frames.count))])
        }
        func entry(_ level: Int) -> UInt64 {
            if random.one(in: 5) { return 0 }
            var bits: UInt64 = 1 | (random.next() & 0x16) | (random.next() & 0x60)
            if random.one(in: 8) { bits |= 1 << 63 }
            if random.one(in: 16) { bits ^= 1 }
            if level == 1 { return address() | bits | (random.next() & 0x180) }
            if level <= 3, random.one(in: 3) {
                let large = level == 2 ? 0x4020_0000 + (random.next() % 4) << 21 : 0x4000_0000
                return large | bits | 0x80 | (random.one(in: 8) ? 0x1000 : 0) | (random.one(in: 20) ? 0x4000 : 0)
            }
            if random.one(in: 20) { bits |= 0x80 }
            return (random.one(in: 6) ? address() : table(level - 1) ?? address()) | bits
        }
        for step in 0..<steps {
            if step % 5000 == 4999 {
                guest = Guest()
                guest.model.width = 8
            }
            if random.one(in: 400) { guest.tables.hasExecuteDisable = false }
            switch random.next() % 16 {
            case 0...2:
                let target = address()
                let level = random.one(in: 30) ? random.next() % 7 : 1 + random.next() % 4
                if let frame = DirectTablesModel.frame(target), guest.model.levels[frame] == nil {
                    for _ in 0..<8 { guest.put(random.one(in: 2) ? 0 : entry(Int(level)), frame, Int(random.next() % 6)) }
                    if guest.register(target, level) != nil {
                        // Data again.
                        for index in 0..<6 { guest.put(0, frame, index) }
                        _ = guest.register(target, level)
                    }
                } else {
                    _ = guest.register(target, level)
                }
            case 3: guest.unregister(address())
            case 4: guest.pin(random.one(in: 3) ? address() : table(4) ?? address(), !random.one(in: 3))
            case 5: guest.load((random.one(in: 3) ? address() : table(4) ?? address()) | random.next() & 0x18)
            case 6, 7: guest.model.cache(guest.ram)
            default:
                let pairs = (0..<Int(1 + random.next() % 6)).map { _ in
                    let level = 1 + Int(random.next() % 4)
                    let place = random.one(in: 30) ? address() : table(level) ?? table(1) ?? address()
                    return (place + random.next() % 6 * 8 + (random.one(in: 60) ? 4 : 0), entry(level))
                }
                guest.update(pairs)
            }
            guest.tables.hasExecuteDisable = true
        }
    }

    /// DIRECT_STEPS=1000000 in the environment for as many, of four seeds each.
    static let steps = ProcessInfo.processInfo.environment["DIRECT_STEPS"].flatMap { Int($0) } ?? 5000

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `no random steps let a guest write to a table, or reach what is not its own, not by what is cached either`(seed: UInt64)
    {
        Self.run(Self.steps, seed: seed)
    }
}

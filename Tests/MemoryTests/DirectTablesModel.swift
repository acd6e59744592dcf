@testable import Memory

extension FakeGuestRAM: DirectTableMemory {
    func writeUInt64(_ value: UInt64, at address: GuestPhysicalAddress) { words[Int(address.rawValue / 8)] = value }
}

/// The rules of direct paging once more, without any counting: each is asked of all entries there are. And a processor that keeps
/// whatever it may have cached.
struct DirectTablesModel {
    /// The RAM begins amid a large page of the machine's.
    static let ramStart: UInt64 = 0x4010_0000
    static let frameCount = 1300
    static var ramEnd: UInt64 { ramStart + UInt64(frameCount) << 12 }

    /// The entries of a table that are not 0 are among the first so many.
    var width = 512
    /// By frame: the level of those that are tables.
    var levels: [Int: Int] = [:]
    var pinned: Set<Int> = []
    var loaded: Int?
    /// Frames that the processor may still write to, and those that it may still use as tables of a level, by what was there.
    var cachedWrites: Set<Int> = []
    var cachedTables: [Int: Int] = [:]

    static func frame(_ address: UInt64) -> Int? {
        address & 0xFFF == 0 && address >= ramStart && address < ramEnd ? Int(address - ramStart) / 4096 : nil
    }
    static func address(_ frame: Int) -> UInt64 { ramStart + UInt64(frame) * 4096 }

    /// What an entry means.
    enum Meaning: Equatable {
        case nothing
        case table(UInt64)
        case page(UInt64, frames: Int, isWritable: Bool)
        case reserved
    }

    static func meaning(_ entry: UInt64, level: Int, hasExecuteDisable: Bool) -> Meaning {
        if entry % 2 == 0 { return entry == 0 ? .nothing : .reserved }
        if entry >> 63 == 1, !hasExecuteDisable { return .reserved }
        let address = entry & 0x000F_FFFF_FFFF_F000
        let isWritable = entry & 2 != 0
        if level == 1 { return .page(address, frames: 1, isWritable: isWritable) }
        guard entry & 0x80 != 0 else { return .table(address) }
        switch level {
        case 2: return address & 0x1F_E000 != 0 ? .reserved : .page(address & ~0x1000, frames: 512, isWritable: isWritable)
        case 3:
            return address & 0x3FFF_E000 != 0 ? .reserved : .page(address & ~0x1000, frames: 512 * 512, isWritable: isWritable)
        default: return .reserved
        }
    }

    /// The frames of a page, if all are the guest's.
    static func frames(_ address: UInt64, _ count: Int) -> Range<Int>? {
        guard let first = frame(address), first + count <= frameCount else { return nil }
        return first..<first + count
    }

    /// Whether an entry may be in a table of a level.
    func refusal(_ entry: UInt64, level: Int, hasExecuteDisable: Bool) -> DirectRefusal? {
        switch Self.meaning(entry, level: level, hasExecuteDisable: hasExecuteDisable) {
        case .nothing: return nil
        case .reserved: return .reservedBits
        case .table(let address):
            guard let frame = Self.frame(address) else { return .foreign }
            return levels[frame] == level - 1 ? nil : .wrongTable
        case .page(let address, let count, let isWritable):
            guard let frames = Self.frames(address, count) else { return .foreign }
            guard isWritable else { return nil }
            return levels.keys.contains { frames.contains($0) } ? .writableTable : nil
        }
    }

    /// All entries of all tables, by what they mean.
    func entries(_ ram: FakeGuestRAM) -> [(table: Int, level: Int, meaning: Meaning)] {
        levels.flatMap { frame, level in
            (0..<width).compactMap { index in
                let entry = ram.words[frame * 512 + index]
                return entry == 0 ? nil : (frame, level, Self.meaning(entry, level: level, hasExecuteDisable: true))
            }
        }
    }

    func isReferredTo(_ frame: Int, _ ram: FakeGuestRAM) -> Bool {
        entries(ram).contains { $0.meaning == .table(Self.address(frame)) }
    }

    func isWritable(_ frame: Int, _ ram: FakeGuestRAM) -> Bool {
        entries(ram).contains {
            guard case .page(let address, let count, true) = $0.meaning, let frames = Self.frames(address, count) else {
                return false
            }
            return frames.contains(frame)
        }
    }

    // MARK: The processor

    /// It caches all that the loaded root leads to.
    mutating func cache(_ ram: FakeGuestRAM) {
        guard let loaded else { return }
        var next = [loaded]
        while let table = next.popLast() {
            cachedTables[table] = levels[table]
            for index in 0..<width {
                let entry = ram.words[table * 512 + index]
                switch Self.meaning(entry, level: levels[table] ?? 0, hasExecuteDisable: true) {
                case .table(let address): next.append(Self.frame(address)!)
                case .page(let address, let count, true): cachedWrites.formUnion(Self.frames(address, count)!)
                default: break
                }
            }
        }
    }

    mutating func dropCache() {
        cachedWrites = []
        cachedTables = [:]
    }

    /// What must hold whenever the guest runs; nil if it does.
    func violation(_ ram: FakeGuestRAM) -> String? {
        for entry in entries(ram) {
            switch entry.meaning {
            case .nothing: break
            case .reserved: return "a reserved bit in table \(entry.table)"
            case .table(let address):
                guard let frame = Self.frame(address), levels[frame] == entry.level - 1 else {
                    return "table \(entry.table) leads nowhere"
                }
            case .page(let address, let count, let isWritable):
                guard let frames = Self.frames(address, count) else { return "table \(entry.table) maps what is not the guest's" }
                if isWritable, let table = levels.keys.first(where: frames.contains) { return "table \(table) is writable" }
            }
        }
        if let table = levels.keys.first(where: cachedWrites.contains) { return "table \(table) is writable by what is cached" }
        if let (table, level) = cachedTables.first(where: { levels[$0.key] != $0.value }) {
            return "frame \(table) is cached as a table of level \(level)"
        }
        return nil
    }
}

@testable import Memory

/// What a processor may hold of a guest's page tables: a translation may be composed of all that stood in the entries on its way while
/// they were on its way, since its context's translations were last invalidated (Intel SDM volume 3, "Caching Translation Information").
struct TranslationHistory {
    private enum Event {
        case write(frame: Int, word: Int, old: UInt64, new: UInt64)
        case load(tag: UInt64, GuestPaging)
    }

    private var events: [Event] = []
    /// Of each context, the event since when; of each page whose translation was invalidated alone, too.
    private var starts: [UInt64: Int] = [:]
    private var pageStarts: [UInt64: [UInt64: Int]] = [:]

    /// A word of a table has changed.
    mutating func note(frame: Int, word: Int, old: UInt64, new: UInt64) {
        events.append(.write(frame: frame, word: word, old: old, new: new))
    }

    mutating func load(_ paging: GuestPaging, tag: UInt64, keepsTranslations: Bool) {
        if !keepsTranslations || starts[tag] == nil { (starts[tag], pageStarts[tag]) = (events.count, [:]) }
        events.append(.load(tag: tag, paging))
    }

    /// All translations are invalidated.
    mutating func flush(_ paging: GuestPaging, tag: UInt64) {
        (events, starts, pageStarts) = ([], [:], [:])
        load(paging, tag: tag, keepsTranslations: false)
    }

    mutating func invalidate(_ linear: UInt64, _ paging: GuestPaging, tag: UInt64) {
        pageStarts[tag, default: [:]][linear >> 12] = events.count
        events.append(.load(tag: tag, paging))
    }

    /// Whether an access may come to a page.
    func allows(_ linear: UInt64, _ access: GuestAccess, to page: UInt64, tag: UInt64, in ram: FakeGuestRAM) -> Bool {
        var way = Way(linear: linear, ram: ram)
        let start = max(starts[tag] ?? 0, pageStarts[tag]?[linear >> 12] ?? 0)
        for event in events[start...].reversed() {
            if case .write(let frame, let word, let old, _) = event { way.words[frame << 9 | word] = old }
        }
        for event in events[start...] {
            switch event {
            case .load(tag, let paging): way.load(paging)
            case .load: break
            case .write(let frame, let word, _, let new): way.write(new, frame, word)
            }
        }
        return way.leads(to: page, access)
    }

    /// The way of one linear address through the tables, with all that stood in the entries.
    private struct Way {
        let linear: UInt64
        let ram: FakeGuestRAM
        var words: [Int: UInt64] = [:]
        private var paging: GuestPaging?
        /// Tables that were on the way, by level and frame, and what their entry for the address was.
        private var entries: [[UInt64: Set<UInt64>]] = .init(repeating: [:], count: 6)
        private var top = 0

        init(linear: UInt64, ram: FakeGuestRAM) {
            self.linear = linear
            self.ram = ram
        }

        private struct OneEntry: GuestTableMemory {
            let value: UInt64
            // The processor sets these when it takes the entry over.
            func readUInt64(at address: GuestPhysicalAddress) -> UInt64? { value | 0x60 }
            func readUInt32(at address: GuestPhysicalAddress) -> UInt32? { UInt32(truncatingIfNeeded: value | 0x60) }
            func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {}
        }

        private func shift(_ level: Int) -> UInt64 { paging!.mode == .bits32 ? UInt64(2 + 10 * level) : UInt64(3 + 9 * level) }

        private func place(_ level: Int) -> Int {
            Int(linear >> shift(level)) & (paging!.mode == .bits32 ? 1023 : 511)
        }

        private func value(_ frame: UInt64, _ level: Int) -> UInt64 {
            let place = place(level)
            guard frame < UInt64(ram.words.count / 512) else { return 0 }
            let index = Int(frame) << 9 | (paging!.mode == .bits32 ? place / 2 : place)
            let word = words[index] ?? ram.words[index]
            return paging!.mode == .bits32 ? word >> UInt64(32 * (place & 1)) & 0xFFFF_FFFF : word
        }

        mutating func load(_ new: GuestPaging) {
            paging = new
            switch new.mode {
            case .pae:
                top = 2
                let pointer = new.pdptes[Int(linear >> 30 & 3)]
                if pointer & 1 != 0 { reach(pointer >> 12 & 0xFF_FFFF_FFFF, 2) }
            case .bits32:
                top = 2
                reach(new.cr3 >> 12, 2)
            default:
                top = new.shadowLevelCount
                reach(new.cr3 >> 12, top)
            }
        }

        private mutating func reach(_ frame: UInt64, _ level: Int) {
            guard entries[level][frame] == nil else { return }
            entries[level][frame] = []
            add(value(frame, level), frame, level)
        }

        private mutating func add(_ value: UInt64, _ frame: UInt64, _ level: Int) {
            entries[level][frame]!.insert(value)
            if let entry = mirror(value, level), !entry.isPage { reach(entry.address >> 12, level - 1) }
        }

        private func mirror(_ value: UInt64, _ level: Int) -> MirroredEntry? {
            let index = Int(linear >> UInt64(3 + 9 * level)) & 511
            return paging!.mirror(frame: 0, level: level, part: 0, index: index, in: OneEntry(value: value))
        }

        mutating func write(_ new: UInt64, _ frame: Int, _ word: Int) {
            words[frame << 9 | word] = new
            guard let paging else { return }
            for level in 1...top where entries[level][UInt64(frame)] != nil {
                let place = place(level)
                if (paging.mode == .bits32 ? place / 2 : place) == word { add(value(UInt64(frame), level), UInt64(frame), level) }
            }
        }

        func leads(to page: UInt64, _ access: GuestAccess) -> Bool {
            entries[top].keys.contains { leads($0, top, to: page, access) }
        }

        private func leads(_ frame: UInt64, _ level: Int, to page: UInt64, _ access: GuestAccess) -> Bool {
            entries[level][frame, default: []].contains { value in
                guard let entry = mirror(value, level),
                    access.kind != .write || entry.bits & 2 != 0 || !access.isUser && !paging!.writeProtects,
                    !access.isUser || entry.bits & 4 != 0, access.kind != .fetch || entry.bits >> 63 == 0
                else { return false }
                guard entry.isPage else { return leads(entry.address >> 12, level - 1, to: page, access) }
                return entry.address + linear & (1 << UInt64(3 + 9 * level) - 1) == page
            }
        }
    }
}

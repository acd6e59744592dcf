import Testing
@testable import Memory

/// Shadow tables against the guest's own, with tables that change at random.
@Suite struct ShadowTablesTests {
    /// A million in all.
    static let steps = 125_000

    static func paging(_ mode: GuestPagingMode, writeProtects: Bool = true) -> GuestPaging {
        GuestPaging(
            mode: mode, cr3: 0x1000, writeProtects: writeProtects, hasPageSizeExtensions: true,
            hasExecuteDisable: mode != .bits32,
            preventsSupervisorExecution: false, preventsSupervisorAccess: false, hasGibibytePages: true, hasPSE36: true,
            physicalAddressWidth: 40)
    }

    /// Frames 1 to 12 are tables and everything else besides; entries stand at few places, so that they meet.
    struct Guest {
        var random: SeededGenerator
        let model: ShadowTablesModel
        var mode: GuestPagingMode { model.paging.mode }
        var entrySize: Int { mode == .bits32 ? 4 : 8 }
        static let allPlaces = [0, 511, 3, 256, 1, 255, 510]
        /// The more levels, the fewer, that the same addresses come again.
        var places: ArraySlice<Int> { Self.allPlaces.prefix(mode == .fourLevel || mode == .fiveLevel ? 3 : 7) }

        mutating func number(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        mutating func place() -> Int {
            let place = places[number(places.count)]
            return mode == .bits32 ? place * 2 + number(2) : place
        }

        mutating func entry() -> UInt64 {
            var entry = UInt64(1 + number(12)) << 12
            switch number(24) {
            case 0: entry = UInt64(number(model.frameCount)) << 12
            case 1: entry = UInt64(number(5)) << 21 | 0x80
            case 2: entry = 0x80
            default: break
            }
            let bits = random.next()
            entry |= bits & 0x11E
            // Most are present, accessed, writable and the user's.
            if number(16) > 0 { entry |= 1 }
            if number(6) > 0 { entry |= 0x26 }
            if number(2) > 0 { entry |= 0x40 }
            if model.paging.hasExecuteDisable, number(4) == 0 { entry |= 1 << 63 }
            if number(40) == 0 { entry |= 1 << 45 }
            return entry
        }

        mutating func linear() -> UInt64 {
            var linear = UInt64(number(4096))
            switch mode {
            case .fourLevel, .fiveLevel:
                let levels = mode == .fourLevel ? 4 : 5
                for level in 1...levels { linear |= UInt64(place()) << UInt64(3 + 9 * level) }
                let unused = UInt64(52 - 9 * levels)
                return UInt64(bitPattern: Int64(bitPattern: linear << unused) >> Int64(unused))
            case .pae: return linear | UInt64(place()) << 12 | UInt64(place()) << 21 | UInt64(number(4)) << 30
            case .bits32: return linear | UInt64(place()) << 12 | UInt64(place()) << 22
            case .direct, .none: return linear
            }
        }

        mutating func access() -> GuestAccess {
            .explicit([.read, .write, .fetch][number(3)], privilegeLevel: number(2) * 3, alignmentCheck: false)
        }

        /// - Returns: whether all translations were flushed.
        mutating func chooseAddressSpace() -> Bool {
            model.paging.cr3 = UInt64(1 + number(3)) << 12
            // Now and then a root that is a table of another level besides, or outside RAM.
            switch number(12) {
            case 0: model.paging.cr3 = UInt64(1 + number(12)) << 12
            case 1: model.paging.cr3 = UInt64(model.frameCount + number(3)) << 12
            default: break
            }
            if mode == .fourLevel || mode == .fiveLevel {
                if model.tables.hasIdentifiers {
                    model.load(tag: UInt64(number(3)), keepsTranslations: number(3) > 0)
                    return false
                }
                model.load(tag: 0, keepsTranslations: false)
                return true
            }
            if mode == .pae {
                for part in 0..<4 { model.paging.pdptes[part] = UInt64(1 + number(12)) << 12 | (number(8) > 0 ? 1 : 0) }
            }
            model.load()
            return true
        }
    }

    /// With snapshots of tables out of step, process-context identifiers and the guest's CR0.WP, and without.
    @Test(arguments: [GuestPagingMode.fourLevel, .fiveLevel, .pae, .bits32], [(true, true), (false, true), (true, false)])
    func `random tables, changes and invalidations never leave a right that the guest's tables do not give`(
        mode: GuestPagingMode, kind: (hasSnapshots: Bool, writeProtects: Bool)
    ) {
        change(
            mode, hasSnapshots: kind.hasSnapshots, hasIdentifiers: mode != .fiveLevel || kind.hasSnapshots,
            writeProtects: kind.writeProtects)
    }

    @Test func `nor do they where each load of CR3 drops all translations`() {
        change(.fourLevel, hasSnapshots: true, hasIdentifiers: false, writeProtects: true)
    }

    private func change(_ mode: GuestPagingMode, hasSnapshots: Bool, hasIdentifiers: Bool, writeProtects: Bool) {
        let paging = Self.paging(mode, writeProtects: writeProtects)
        var guest = Guest(
            random: SeededGenerator(seed: 7), model: ShadowTablesModel(paging, hasIdentifiers: hasIdentifiers))
        let model = guest.model
        if !hasSnapshots { model.tables.firstSnapshot = 0 }
        for frame in 1...12 {
            for place in guest.places { model.write(guest.entry(), frame: frame, index: place, size: guest.entrySize) }
        }
        var isFlushed = guest.chooseAddressSpace()
        var pages = 0
        for step in 0..<Self.steps {
            switch guest.number(100) {
            case 0..<60:
                let (linear, access) = (guest.linear(), guest.access())
                let result = model.access(linear, access)
                if case .page(let page) = result {
                    pages += 1
                    let isAllowed = model.history.allows(linear, access, to: page, tag: model.tag, in: model.ram)
                    #expect(
                        isAllowed,
                        "step \(step): no processor holds a way from \(String(linear, radix: 16)) to \(String(page, radix: 16)) for \(access)"
                    )
                    if !isAllowed { return }
                }
                guard result != .loops else {
                    Issue.record(
                        "step \(step): \(access) at \(String(linear, radix: 16)) comes to no end: \(model.processorTranslates(linear, access)), the guest has \(model.paging.translate(GuestVirtualAddress(linear), for: access, in: model.ram))"
                    ); return
                }
                // What the guest has not flushed may be as it was.
                guard isFlushed else { continue }
                let expected = model.paging.translate(GuestVirtualAddress(linear), for: access, in: model.ram)
                switch (result, expected) {
                case (.page(let seen), .page(let page)): #expect(seen == page.address.rawValue, "step \(step)")
                case (.device(let seen), .page(let page)): #expect(seen == page.address.rawValue, "step \(step)")
                case (.fault(let seen), .fault(let code)): #expect(seen == code.rawValue, "step \(step)")
                case (.outside, .tableOutsideRAM), (.outside, .notCanonical): break
                default: Issue.record("step \(step): \(result), not \(expected)")
                }
            case 60..<80:
                model.write(
                    guest.entry(), frame: 1 + guest.number(12), index: guest.place(), size: guest.entrySize,
                    isEmulated: guest.number(4) == 0)
                isFlushed = false
            case 80..<90:
                let linear = guest.linear()
                model.invalidate(linear)
                let excess = model.excess(linear)
                #expect(excess == nil, "step \(step), INVLPG")
            case 90..<96:
                model.flush()
                isFlushed = true
                for _ in 0..<20 {
                    let excess = model.excess(guest.linear())
                    #expect(excess == nil, "step \(step), a flush")
                }
            default:
                if guest.chooseAddressSpace() { isFlushed = true }
            }
            if step % 100 == 0 {
                let disorder = model.disorder()
                #expect(disorder == nil, "step \(step)")
                if disorder != nil { return }
            }
        }
        if model.paging.shadowLevelCount > 3 { #expect(model.quietLoads > 100) }
        #expect(pages > 2000 && model.tables.counts.outOfStep > 100 && model.tables.counts.comparisons > 100)
    }

    @Test(arguments: [LeafSizes.upToOneGibibyte, LeafSizes(twoMebibytes: false, oneGibibyte: false)])
    func `without paging all RAM is at its own address, in the largest pages that fit`(leafSizes: LeafSizes) {
        let model = ShadowTablesModel(Self.paging(.none), megabytes: 7, leafSizes: leafSizes)
        var random = SeededGenerator(seed: 3)
        for _ in 0..<2000 {
            let linear = random.next() % (9 << 20)
            let user = GuestAccess.explicit([.read, .write, .fetch][Int(linear % 3)], privilegeLevel: 3, alignmentCheck: false)
            #expect(model.access(linear, user) == (linear < 7 << 20 ? .page(linear) : .device(linear)))
        }
        #expect(model.access(0xFEE0_0000, .explicit(.read, privilegeLevel: 0, alignmentCheck: false)) == .device(0xFEE0_0000))
        #expect(model.disorder() == nil)
        // Of the last MiB there is no large page.
        #expect(model.tables.mostPages == (leafSizes.contains(.twoMebibytes) ? 2 : 5))
        model.tables.setHole(GuestPhysicalAddress(0x3000))
        model.load()
        let write = GuestAccess.explicit(.write, privilegeLevel: 0, alignmentCheck: false)
        #expect(model.access(0x2FFF, write) == .page(0x2FFF) && model.access(0x4000, write) == .page(0x4000))
        guard case .fault = model.processorTranslates(0x3000, write) else { Issue.record("the hole is mapped"); return }
    }

    @Test func `without CR0-WP a page that is read-only is the supervisor's to write and then the user's again, at every place`()
    {
        let model = ShadowTablesModel(Self.paging(.pae, writeProtects: false))
        for part in 0..<4 { model.paging.pdptes[part] = 0x1001 }
        // One table that is read-only by one way to it.
        model.write(0x2067, frame: 1, index: 0, size: 8)
        model.write(0x2065, frame: 1, index: 1, size: 8)
        model.write(0x9067, frame: 2, index: 0, size: 8)
        model.write(0xA065, frame: 2, index: 1, size: 8)
        model.load()
        let read = GuestAccess.explicit(.read, privilegeLevel: 3, alignmentCheck: false)
        let userWrite = GuestAccess.explicit(.write, privilegeLevel: 3, alignmentCheck: false)
        let write = GuestAccess.explicit(.write, privilegeLevel: 0, alignmentCheck: false)
        for _ in 0..<2 {
            for (linear, page, isWritable) in [
                (0, 0x9000, true), (0x1000, 0xA000, false), (0x20_0000, 0x9000, false), (0x20_1000, 0xA000, false),
            ] as [(UInt64, UInt64, Bool)] {
                #expect(model.access(linear, read) == .page(page))
                #expect(model.access(linear, write) == .page(page))
                #expect(model.access(linear, userWrite) == (isWritable ? .page(page) : .fault(7)))
                #expect(model.excess(linear) == nil && model.disorder() == nil)
            }
        }
    }

    @Test func `a frame beyond all RAM is not taken for the one with the same low bits`() {
        let model = ShadowTablesModel(Self.paging(.fourLevel))
        model.paging.physicalAddressWidth = 46
        model.load()
        for (frame, entry) in [(1, 0x2067), (2, 0x3067), (3, 0x4067), (4, 0x5067)] as [(Int, UInt64)] {
            model.write(entry, frame: frame, index: 0, size: 8)
        }
        let read = GuestAccess.explicit(.read, privilegeLevel: 0, alignmentCheck: false)
        #expect(model.access(0, read) == .page(0x5000))
        model.write(0x3067 | 1 << 44, frame: 2, index: 0, size: 8)
        model.flush()
        #expect(model.access(0, read) == .outside)
    }

    @Test func `a frame that many entries map writable is protected in one go when it becomes a table`() {
        let model = ShadowTablesModel(Self.paging(.fourLevel))
        for (frame, entry) in [(1, 0x2067), (2, 0x3067), (3, 0x4067)] as [(Int, UInt64)] {
            model.write(entry, frame: frame, index: 0, size: 8)
        }
        for index in 0..<512 { model.write(0x9067, frame: 4, index: index, size: 8) }
        let write = GuestAccess.explicit(.write, privilegeLevel: 3, alignmentCheck: false)
        for index in 0..<512 { #expect(model.access(UInt64(index) << 12, write) == .page(0x9000)) }
        model.write(0x9067, frame: 3, index: 1, size: 8)
        model.write(0xA067, frame: 9, index: 0, size: 8)
        #expect(model.access(1 << 21, write) == .page(0xA000))
        #expect(model.disorder() == nil && model.tables.frames[9].isProtected && model.tables.frames[9].writable.count == 0)
    }
}

import Testing
@testable import Memory

extension GuestPaging {
    /// Paging of a modern kernel, unless something is said otherwise.
    static func test(_ mode: GuestPagingMode, cr3: UInt64 = 0, width: Int = 40) -> Self {
        Self(
            mode: mode, cr3: cr3, writeProtects: true, hasPageSizeExtensions: true, hasExecuteDisable: true,
            preventsSupervisorExecution: true, preventsSupervisorAccess: true, hasGibibytePages: true, hasPSE36: true,
            physicalAddressWidth: width)
    }
}

@Suite struct GuestPagingTests {
    static let modes: [GuestPagingMode] = [.none, .bits32, .pae, .fourLevel, .fiveLevel]
    static let frameCount = 24

    /// Fills every frame with entries most of which lead on, and some of which are wrong in some way.
    static func fill(_ ram: FakeGuestRAM, _ mode: GuestPagingMode, _ random: inout SeededGenerator) {
        func entry(_ random: inout SeededGenerator) -> UInt64 {
            var entry = random.next() % UInt64(frameCount) << 12 | random.next() & 0xE7F | 7
            if random.one(in: 20) { entry &= ~1 }
            if random.one(in: 10) { entry &= ~2 }
            if random.one(in: 8) { entry &= ~4 }
            if random.one(in: 10) { entry |= 0x80 }
            // A large page that is aligned.
            if entry & 0x80 != 0, !random.one(in: 4) { entry = entry & 0x1FFF | (random.next() & 0xF) << 30 }
            if random.one(in: 60) { entry += UInt64(frameCount) << 12 }
            guard mode != .bits32 else { return entry & 0xFFFF_FFFF | (random.one(in: 8) ? random.next() & 0xFFFF_E000 : 0) }
            if random.one(in: 16) { entry |= 1 << 63 }
            if mode != .pae, random.one(in: 3) { entry |= random.next() << 59 & 0xF << 59 }
            if random.one(in: 40) { entry |= 1 << (36 + random.next() % 27) }
            return entry
        }
        for index in ram.words.indices {
            ram.words[index] = mode == .bits32 ? entry(&random) | entry(&random) << 32 : entry(&random)
        }
    }

    static func randomPaging(_ mode: GuestPagingMode, _ random: inout SeededGenerator) -> GuestPaging {
        var paging = GuestPaging.test(
            mode, cr3: random.next() % UInt64(frameCount) << 12 | random.next() & 0xFFF,
            width: [32, 36, 39, 40, 46, 52].randomElement(using: &random)!)
        if random.one(in: 30) { paging.cr3 |= 1 << 30 }
        paging.writeProtects = random.one(in: 2)
        paging.hasPageSizeExtensions = !random.one(in: 4)
        paging.hasExecuteDisable = !random.one(in: 3)
        paging.preventsSupervisorExecution = random.one(in: 2)
        paging.preventsSupervisorAccess = random.one(in: 2)
        if random.one(in: 2) { paging.protectionKeyRights = UInt32(truncatingIfNeeded: random.next() & random.next()) }
        paging.hasGibibytePages = random.one(in: 2)
        paging.hasPSE36 = random.one(in: 2)
        for index in 0..<4 {
            paging.pdptes[index] = random.next() % UInt64(frameCount) << 12 | (random.one(in: 5) ? 0 : 1)
        }
        return paging
    }

    static func randomAddress(_ random: inout SeededGenerator) -> UInt64 {
        switch random.next() % 4 {
        case 0: random.one(in: 2) ? random.next() : random.next() >> 18
        case 1: random.next() >> 17
        case 2: random.next() >> 8
        default: random.next() | 0xFFFF_8000_0000_0000
        }
    }

    static func randomAccess(_ random: inout SeededGenerator) -> AccessDescription {
        let kind = [GuestAccess.Kind.read, .write, .fetch].randomElement(using: &random)!
        return AccessDescription(
            kind: kind, privilegeLevel: [0, 3, 1, 3].randomElement(using: &random)!,
            isImplicit: kind != .fetch && random.one(in: 4), alignmentCheck: random.one(in: 2))
    }

    @Test(arguments: modes, 1...6 as ClosedRange<UInt64>)
    func agreesWithTheReference(mode: GuestPagingMode, seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 31 &+ UInt64(Self.modes.firstIndex(of: mode)!))
        let ram = FakeGuestRAM(frames: Self.frameCount)
        var pages = 0, faults = 0
        for round in 0..<2500 {
            if round % 100 == 0 { Self.fill(ram, mode, &random) }
            let paging = Self.randomPaging(mode, &random)
            let description = Self.randomAccess(&random)
            let access =
                description.isImplicit
                ? GuestAccess.implicit(description.kind)
                : .explicit(
                    description.kind, privilegeLevel: description.privilegeLevel, alignmentCheck: description.alignmentCheck)
            let linear = Self.randomAddress(&random)
            var reference = GuestPagingReference(paging: paging, ram: ram)
            let expected = reference.translate(linear, description)
            ram.forgetChanges()
            var observer = LoadCounter()
            let foretold = paging.foretell(GuestVirtualAddress(linear), for: access, in: ram, observer: &observer)
            #expect(Self.outcome(foretold) == expected && ram.changes.isEmpty, "foretold \(linear) \(description) \(paging)")
            #expect(observer.isInOrder)
            let result = paging.translate(GuestVirtualAddress(linear), for: access, in: ram)
            #expect(Self.outcome(result) == expected, "\(linear) \(description) \(paging)")
            #expect(ram.changes == reference.expectedChanges)
            switch expected {
            case .address: pages += 1
            case .fault: faults += 1
            default: break
            }
        }
        #expect(pages > 50 && (faults > 100 || mode == .none), "the cases are worth something: \(pages), \(faults)")
    }

    static func outcome(_ result: GuestTranslation) -> GuestPagingReference.Outcome {
        switch result {
        case .page(let page):
            .address(
                page.address.rawValue, page.size, writable: page.isWritable, user: page.isUser,
                executable: page.isExecutable, dirty: page.isDirty)
        case .fault(let code): .fault(code.rawValue)
        case .notCanonical: .notCanonical
        case .tableOutsideRAM(let address): .outside(address.rawValue)
        }
    }

    static let supervisorRead = GuestAccess.explicit(.read, privilegeLevel: 0, alignmentCheck: false)

    @Test func fourLevelByHand() {
        let ram = FakeGuestRAM(frames: 5)
        ram.words[512 + 256] = 0x2003
        ram.words[1024] = 0x3003
        ram.words[1536 + 1] = 0x4003
        ram.words[1536 + 2] = 0x8000_0012_3460_0083
        ram.words[2048 + 3] = 0x9_8765_4003
        let paging = GuestPaging.test(.fourLevel, cr3: 0x1018)
        let base: UInt64 = 0xFFFF_8000_0000_0000
        let page = paging.translate(GuestVirtualAddress(base + 0x20_3ABC), for: Self.supervisorRead, in: ram)
        #expect(
            Self.outcome(page)
                == .address(
                    0x9_8765_4ABC, .fourKibibytes, writable: true, user: false, executable: true, dirty: false))
        #expect(ram.words[512 + 256] == 0x2023 && ram.words[1024] == 0x3023)
        #expect(ram.words[1537] == 0x4023 && ram.words[2051] == 0x9_8765_4023)
        let write = GuestAccess.explicit(.write, privilegeLevel: 0, alignmentCheck: false)
        let large = paging.translate(GuestVirtualAddress(base + 0x5F_FFFF), for: write, in: ram)
        #expect(
            Self.outcome(large)
                == .address(
                    0x12_347F_FFFF, .twoMebibytes, writable: true, user: false, executable: false, dirty: true))
        #expect(ram.words[1538] == 0x8000_0012_3460_00E3 && ram.words[1024] == 0x3023, "dirty in the leaf only")
        let fetch = GuestAccess.explicit(.fetch, privilegeLevel: 0, alignmentCheck: false)
        #expect(paging.translate(GuestVirtualAddress(base + 0x40_0000), for: fetch, in: ram) == .fault(.init(rawValue: 0x11)))
        #expect(paging.translate(GuestVirtualAddress(base), for: fetch, in: ram) == .fault(.init(rawValue: 0x10)))
        #expect(paging.translate(GuestVirtualAddress(1 << 47), for: fetch, in: ram) == .notCanonical)
    }

    /// The bits of a 4 MiB page's entry that hold bits 39:32 of its address, for several widths of the processor.
    @Test(arguments: [(40, true), (38, true), (37, false), (32, false)])
    func pageSizeExtension36(width: Int, reaches: Bool) {
        let ram = FakeGuestRAM(frames: 1)
        // Bits 20:13 are 3FH, of which bit 18 is bit 37 of the address.
        ram.words[0] = 0xC000_0000 | 0x3F << 13 | 0x83
        var paging = GuestPaging.test(.bits32, width: width)
        paging.preventsSupervisorAccess = false
        let result = paging.translate(GuestVirtualAddress(0x23_4567), for: Self.supervisorRead, in: ram)
        guard reaches else {
            #expect(result == .fault(PageFaultErrorCode(rawValue: 9)))
            return
        }
        #expect(
            Self.outcome(result)
                == .address(
                    0x3F_C023_4567, .fourMebibytes, writable: true, user: false, executable: true, dirty: false))
    }

    /// A user page with protection key 5; what PKRU forbids, for reads and writes by user and supervisor.
    @Test(
        arguments: [
            (0, true, 0, 0, 0, 0), (1 << 10, true, 0x25, 0x27, 0x21, 0x23), (1 << 11, true, 0, 0x27, 0, 0x23),
            (1 << 11, false, 0, 0x27, 0, 0), (3 << 8 | 3 << 12, true, 0, 0, 0, 0), (3 << 10, false, 0x25, 0x27, 0x21, 0x23),
        ] as [(UInt32, Bool, UInt32, UInt32, UInt32, UInt32)])
    func protectionKeysByHand(
        pkru: UInt32, writeProtects: Bool, userRead: UInt32, userWrite: UInt32, supervisorRead: UInt32, supervisorWrite: UInt32
    ) {
        let ram = FakeGuestRAM(frames: 4)
        ram.words[0] = 0x1027
        ram.words[512] = 0x2027
        ram.words[1024] = 0x3027
        ram.words[1536] = 5 << 59 | 0x9067
        var paging = GuestPaging.test(.fourLevel)
        paging.protectionKeyRights = pkru
        paging.writeProtects = writeProtects
        paging.preventsSupervisorExecution = false
        func code(_ kind: GuestAccess.Kind, _ level: Int) -> UInt32 {
            let access = GuestAccess.explicit(kind, privilegeLevel: level, alignmentCheck: true)
            guard case .fault(let code) = paging.translate(GuestVirtualAddress(0), for: access, in: ram) else { return 0 }
            #expect(code.isProtectionKey)
            return code.rawValue
        }
        #expect(code(.read, 3) == userRead && code(.write, 3) == userWrite)
        #expect(code(.read, 0) == supervisorRead && code(.write, 0) == supervisorWrite)
        #expect(code(.fetch, 3) == 0 && code(.fetch, 0) == 0)
        // A supervisor page has no key.
        ram.words[1536] &= ~4
        #expect(code(.read, 0) == 0 && code(.write, 0) == 0)
        #expect(ram.changes.isEmpty)
    }

    @Test func upperHalvesAreIgnoredOutsideLongMode() {
        let ram = FakeGuestRAM(frames: 1)
        let result = GuestPaging.test(.none).translate(
            GuestVirtualAddress(0x1_2345_6789), for: Self.supervisorRead, in: ram)
        #expect(
            Self.outcome(result)
                == .address(
                    0x2345_6789, .fourKibibytes, writable: true, user: true, executable: true, dirty: true))
    }

    @Test func tablesOutsideRAMAreNamed() {
        let ram = FakeGuestRAM(frames: 1)
        let paging = GuestPaging.test(.fiveLevel, cr3: 0x7FFF_F000)
        let result = paging.translate(GuestVirtualAddress(3 << 48), for: Self.supervisorRead, in: ram)
        #expect(result == .tableOutsideRAM(GuestPhysicalAddress(0x7FFF_F018)))
    }

    @Test func errorCodeBits() {
        let code = PageFaultErrorCode(rawValue: 0b10110)
        #expect(!code.isProtectionViolation && code.isWrite && code.isUser && !code.isReservedBit && code.isFetch)
    }
}

/// Checks that each load that is announced is made, from the same place, at smaller sizes each time.
private struct LoadCounter: GuestWalkObserver {
    private var pending: GuestPhysicalAddress?
    private var lastShift: UInt64 = 64
    private(set) var isInOrder = true

    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool {
        if pending != nil || shift >= lastShift { isInOrder = false }
        pending = address
        lastShift = shift
        return true
    }

    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64) {
        if pending != address || shift != lastShift { isInOrder = false }
        pending = nil
    }
}

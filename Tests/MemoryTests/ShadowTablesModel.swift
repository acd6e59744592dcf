@testable import Memory

/// Shadow tables over a guest's RAM, and the processor that uses them.
final class ShadowTablesModel {
    static let ramStart: UInt64 = 0x4000_0000
    static let storageStart: UInt64 = 0x1000_0000

    let ram: FakeGuestRAM
    let frameCount: Int
    var tables: ShadowTables<FakeGuestRAM>
    private let storage: UnsafeMutableRawPointer
    /// Free memory where two of the three roots of the guest's believe to be.
    private let windowStorage: UnsafeMutableRawPointer
    static let window = HostPhysicalRange(start: HostPhysicalAddress(0x1000), count: .kibibytes(8))
    /// What the processor's CR3 refers to.
    private var loadedRoot = HostPhysicalAddress(0)
    /// Loads of CR3 that did not exit.
    private(set) var quietLoads = 0
    private let layout: ShadowLayout
    var paging: GuestPaging
    /// The identifier of the address space in use.
    private(set) var tag: UInt64 = 0
    private(set) var history = TranslationHistory()

    init(
        _ paging: GuestPaging, megabytes: Int = 8, tables count: UInt64 = 64, leafSizes: LeafSizes = .upToOneGibibyte,
        hasIdentifiers: Bool = true
    ) {
        frameCount = megabytes * 256
        ram = FakeGuestRAM(frames: frameCount)
        self.paging = paging
        layout = ShadowLayout(size: .frames(count), ram: .mebibytes(UInt64(megabytes)))
        storage = UnsafeMutableRawPointer.allocate(byteCount: layout.bytes, alignment: 4096)
        windowStorage = UnsafeMutableRawPointer.allocate(byteCount: Int(Self.window.count.bytes), alignment: 4096)
        storage.initializeMemory(as: UInt8.self, repeating: 0xA5, count: layout.bytes)
        tables = ShadowTables(
            layout, storage: storage, at: HostPhysicalAddress(Self.storageStart), memory: ram,
            ram: HostPhysicalRange(start: HostPhysicalAddress(Self.ramStart), count: .mebibytes(UInt64(megabytes))),
            leafSizes: leafSizes, paging: paging,
            twins: RootTwins(window: Self.window, storage: windowStorage, limit: 2))
        tables.load(paging, hasIdentifiers: hasIdentifiers && paging.shadowLevelCount > 3)
        flush()
    }

    deinit {
        storage.deallocate()
        windowStorage.deallocate()
    }

    // MARK: The processor

    /// The shadow tables, as the processor reads them.
    private struct Storage: GuestTableMemory {
        let start: UnsafeMutableRawPointer
        let count: Int
        let window: UnsafeMutableRawPointer

        func readUInt64(at address: GuestPhysicalAddress) -> UInt64? {
            if ShadowTablesModel.window.contains(HostPhysicalAddress(address.rawValue)) {
                return window.load(
                    fromByteOffset: Int(address.rawValue - ShadowTablesModel.window.start.rawValue), as: UInt64.self)
            }
            precondition(
                address.rawValue >= storageStart && address.rawValue < storageStart + UInt64(count), "a table outside the storage"
            )
            return start.load(fromByteOffset: Int(address.rawValue - storageStart), as: UInt64.self)
        }
        func readUInt32(at address: GuestPhysicalAddress) -> UInt32? { nil }
        func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {
            preconditionFailure("accessed and dirty bits are set from the start")
        }
    }

    /// What the processor makes of an access with the shadow tables, which has no cached translations.
    func processorTranslates(_ linear: UInt64, _ access: GuestAccess) -> GuestTranslation {
        let memory = Storage(start: storage, count: layout.pageCount * 4096, window: windowStorage)
        var own = paging
        own.cr3 = loadedRoot.rawValue
        own.writeProtects = true
        own.protectionKeyRights = 0
        own.hasGibibytePages = true
        own.physicalAddressWidth = 46
        if paging.shadowLevelCount == 3 {
            own.mode = .pae
            for part in 0..<4 {
                own.pdptes[part] = memory.readUInt64(at: GuestPhysicalAddress(own.cr3 + UInt64(8 * part)))!
            }
        }
        return own.translate(GuestVirtualAddress(linear), for: access, in: memory)
    }

    enum Access: Equatable { case page(UInt64), fault(UInt32), device(UInt64), outside, loops }

    /// An access of the guest's, with the page faults that Martlet answers.
    func access(_ linear: UInt64, _ access: GuestAccess) -> Access {
        for _ in 0..<4 {
            if case .page(let page) = processorTranslates(linear, access) { return .page(page.address.rawValue - Self.ramStart) }
            switch paging.translate(GuestVirtualAddress(linear), for: access, in: ram) {
            case .fault(let code): return .fault(code.rawValue)
            case .notCanonical, .tableOutsideRAM: return .outside
            case .page(let page):
                guard page.address.rawValue < UInt64(frameCount) << 12 else { return .device(page.address.rawValue) }
                tables.follow(paging.cr3)
                _ = tables.fill(GuestVirtualAddress(linear), isWrite: access.kind == .write, isUser: access.isUser)
                loadedRoot = tables.rootAddress
            }
        }
        return .loops
    }

    /// The guest writes to an entry of its tables: itself, as a page fault leads to it if the table is in step, or by an instruction that
    /// Martlet does for it.
    func write(_ value: UInt64, frame: Int, index: Int, size: Int, isEmulated: Bool = false) {
        if !isEmulated, tables.frames[frame].isProtected { tables.leaveOutOfStep(frame, isWrittenTo: false) }
        defer { if isEmulated { tables.noteWrite(at: GuestPhysicalAddress(UInt64(frame) << 12)) } }
        let word = frame * 512 + (size == 8 ? index : index / 2)
        let old = ram.words[word]
        defer { history.note(frame: frame, word: word & 511, old: old, new: ram.words[word]) }
        if size == 8 {
            ram.words[word] = value
        } else {
            let shift = UInt64(32 * (index & 1))
            ram.words[word] = ram.words[word] & ~(0xFFFF_FFFF << shift) | (value & 0xFFFF_FFFF) << shift
        }
    }

    /// The guest loads CR3 with another address space's root, or the same, with an exit or without.
    func load(tag: UInt64, keepsTranslations: Bool) {
        self.tag = tag
        paging.cr3 = paging.cr3 & ~0xFFF | tag
        if tables.twins.contains(paging.cr3 | (keepsTranslations ? 1 << 63 : 0)) {
            quietLoads += 1
            loadedRoot = HostPhysicalAddress(paging.cr3 & ~0xFFF)
        } else {
            tables.loadRoot(paging.cr3, keepsTranslations: keepsTranslations)
            loadedRoot = tables.rootAddress
        }
        history.load(paging, tag: tag, keepsTranslations: keepsTranslations)
    }

    /// The guest loads what may be in another mode.
    func load() {
        tables.load(paging)
        flush()
    }

    /// The guest flushes all translations.
    func flush() {
        tables.follow(paging.cr3)
        tables.synchronize()
        tables.flushOthers()
        loadedRoot = tables.rootAddress
        history.flush(paging, tag: tag)
    }

    func invalidate(_ linear: UInt64) {
        tables.follow(paging.cr3)
        tables.invalidate(GuestVirtualAddress(linear))
        loadedRoot = tables.rootAddress
        history.invalidate(linear, paging, tag: tag)
    }

    // MARK: What must hold

    /// Whether the processor may do something now that the guest's tables do not allow; nil if not.
    func excess(_ linear: UInt64) -> String? {
        for isUser in [false, true] {
            for kind in [GuestAccess.Kind.read, .write, .fetch] {
                let access = GuestAccess.explicit(kind, privilegeLevel: isUser ? 3 : 0, alignmentCheck: false)
                guard case .page(let seen) = processorTranslates(linear, access) else { continue }
                let words = ram.words
                let wanted = paging.translate(GuestVirtualAddress(linear), for: access, in: ram)
                guard ram.words == words else { return "\(kind) at \(String(linear, radix: 16)) without the bits that it sets" }
                guard case .page(let page) = wanted, page.address.rawValue == seen.address.rawValue - Self.ramStart else {
                    return "\(kind) user \(isUser) at \(String(linear, radix: 16)): \(seen), the guest has \(wanted)"
                }
            }
        }
        return nil
    }

    /// What the bookkeeping should be, counted anew; nil if it is so.
    func disorder() -> String? {
        var writable = [[Int]](repeating: [], count: 4)
        writable[1] = .init(repeating: 0, count: frameCount)
        writable[2] = .init(repeating: 0, count: layout.regionCount)
        writable[3] = .init(repeating: 0, count: layout.regionCount)
        var references = [Int](repeating: 0, count: layout.pageCount)
        var free = 0
        for number in 0..<layout.pageCount {
            let page = tables.pages[number]
            if !page.isUsed { free += 1 }
            var valid = 0
            for slot in number * 512..<(number + 1) * 512 {
                let entry = tables.entries[slot]
                guard entry != 0 else { continue }
                valid += 1
                let level = Int(page.level)
                if !page.isUsed { return "a free table \(number) has entries" }
                if tables.isLeaf(entry, level: level) {
                    let frame = tables.frame(of: entry, level: level)
                    let size = ShadowTables<FakeGuestRAM>.coverage(level) >> 12
                    if frame + size > UInt64(frameCount) { return "an entry maps what is not the guest's" }
                    guard entry & 2 != 0 else { continue }
                    writable[level][level == 1 ? Int(frame) : layout.region(Int(frame), level)] += 1
                    for one in frame..<frame + size where tables.frames[Int(one)].isProtected {
                        return "table \(one) is in step and writable at level \(level)"
                    }
                } else {
                    references[tables.child(of: entry)] += 1
                    if !tables.pages[tables.child(of: entry)].isUsed { return "an entry refers to a free table" }
                }
            }
            if valid != Int(page.validCount) { return "table \(number) has \(valid) entries, not \(page.validCount)" }
        }
        for number in 1..<layout.pageCount where references[number] != Int(tables.pages[number].references) {
            return "references of \(number)"
        }
        if free != tables.freeCount { return "\(free) tables are free, not \(tables.freeCount)" }
        for frame in 0..<frameCount where writable[1][frame] != Int(tables.frames[frame].writable.count) {
            return "writable \(frame)"
        }
        for region in 0..<layout.regionCount
        where writable[2][region] + writable[3][region] != Int(tables.regions[region].writable.count) {
            return "writable region \(region)"
        }
        return nil
    }
}

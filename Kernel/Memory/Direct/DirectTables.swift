/// Which of a guest's pages are its page tables, where the processor walks them as they are: direct paging.
///
/// Entries hold machine addresses, so Martlet decides what they may be: they lead only to the guest's own RAM, and no page that
/// is a table is writable anywhere. A page becomes a table of one level when all its entries have been checked (`register`),
/// and from then on only `update` writes to it. An entry that refers to a table needs one of the level below, so there are no
/// loops. With the counts for each frame, and for each large page's worth of frames, every rule checks just one number.
///
/// What the processor has cached stays as long as the guest likes, with one exception: an entry that referred to a table, or made
/// a page writable, is dropped before a page becomes a table or ceases to be one (`takeFlush`).
///
/// Intel SDM vol. 3, "4-Level Paging and 5-Level Paging" and "Caching Translation Information".
public struct DirectTables<Guest: DirectTableMemory>: ~Copyable {
    let memory: Guest
    let layout: DirectLayout
    let leafSizes: LeafSizes
    let frames: UnsafeMutablePointer<FrameRole>
    /// Those of 2 MiB, then those of 1 GiB.
    let regions: UnsafeMutablePointer<RegionRole>
    /// IA32_EFER.NXE: bit 63 of an entry is not reserved.
    public var hasExecuteDisable = false
    /// The frame of the root that CR3 refers to.
    var loaded = -1
    /// The processor may have cached translations of removed entries, of a kind that must be dropped in time.
    var isStale = false

    /// - Parameters:
    ///   - storage: `layout.bytes` bytes, aligned to 8, that nothing else uses, with any contents.
    ///   - leafSizes: those the processor offers.
    public init(_ layout: DirectLayout, storage: UnsafeMutableRawPointer, memory: Guest, leafSizes: LeafSizes) {
        self.layout = layout
        self.memory = memory
        self.leafSizes = leafSizes
        regions = storage.bindMemory(to: RegionRole.self, capacity: layout.regionCount)
        regions.initialize(repeating: RegionRole(), count: layout.regionCount)
        frames = (storage + layout.framesOffset).bindMemory(to: FrameRole.self, capacity: layout.frameCount)
        frames.initialize(repeating: FrameRole(), count: layout.frameCount)
    }

    /// Where the guest's RAM lies in the machine's memory.
    public var ram: HostPhysicalRange { layout.ram }

    /// Whether translations cached by a processor must be dropped; resets the answer.
    public mutating func takeFlush() -> Bool {
        defer { isStale = false }
        return isStale
    }

    /// The guest asks for that.
    public mutating func flush() { isStale = true }

    // MARK: Pages

    /// Makes a page a table.
    /// - Parameters:
    ///   - address: the page's machine address.
    ///   - level: 1 for a page table, to 4 for a root.
    /// - Returns: why not, with nothing changed.
    public mutating func register(_ address: UInt64, level: UInt64) -> DirectRefusal? {
        guard let frame = layout.frame(at: address) else { return .foreign }
        guard (1...4).contains(level), frames[frame].level == 0 else { return .wrongTable }
        guard frames[frame].count == 0, regions[layout.region(frame, 2)].writableCount == 0,
            regions[layout.region(frame, 3)].writableCount == 0
        else { return .writableTable }
        setLevel(frame, Int(truncatingIfNeeded: level), change: 1)
        for index in 0..<512 {
            guard let refusal = add(entry(frame, index), Int(truncatingIfNeeded: level)) else { continue }
            removeEntries(frame, index)
            setLevel(frame, 0, change: -1)
            return refusal
        }
        return nil
    }

    /// Makes a table an ordinary page.
    /// - Returns: why not, with nothing changed.
    public mutating func unregister(_ address: UInt64) -> DirectRefusal? {
        guard let frame = layout.frame(at: address) else { return .foreign }
        guard frames[frame].level != 0 else { return .wrongTable }
        guard frames[frame].count == 0, !frames[frame].isPinned, frame != loaded else { return .inUse }
        removeEntries(frame, 512)
        setLevel(frame, 0, change: -1)
        return nil
    }

    /// Lets a table of level 4 be a root, or ends that.
    /// - Returns: why not, with nothing changed.
    public mutating func pin(_ address: UInt64, _ isPinned: Bool) -> DirectRefusal? {
        guard let frame = layout.frame(at: address) else { return .foreign }
        guard frames[frame].level == 4, frames[frame].isPinned != isPinned else { return .wrongTable }
        frames[frame].isPinned = isPinned
        return nil
    }

    /// Makes a pinned root the one at which the processor begins; everything it has cached must be dropped.
    /// - Parameter cr3: the root's machine address, and CR3's other bits.
    /// - Returns: why not, with nothing changed.
    public mutating func load(_ cr3: UInt64) -> DirectRefusal? {
        guard let frame = layout.frame(at: cr3 & ~0xFFF) else { return .foreign }
        guard frames[frame].isPinned else { return .wrongTable }
        loaded = frame
        isStale = true
        return nil
    }

    /// Registers all tables below a root, pins and loads it: those that a guest has built before its paging is on.
    /// - Returns: why not; some are then registered.
    public mutating func adopt(_ cr3: UInt64) -> DirectRefusal? {
        guard let root = layout.frame(at: cr3 & ~0xFFF) else { return .foreign }
        var path: [5 of Int] = [0, 0, 0, 0, root]
        var done: [5 of Int] = [0, 0, 0, 0, 0]
        var level = 4
        // A frame is visited only while it is not a table; afterwards it is one, or everything ends.
        while level <= 4 {
            if level > 1, done[level] < 512 {
                let entry = entry(path[level], done[level])
                done[level] += 1
                guard entry & GuestEntryBits.present != 0, entry & GuestEntryBits.largePage == 0,
                    let child = layout.frame(at: entry & GuestEntryBits.address), frames[child].level == 0
                else { continue }
                level -= 1
                path[level] = child
                done[level] = 0
                continue
            }
            if let refusal = register(layout.address(of: path[level]), level: UInt64(level)) { return refusal }
            level += 1
        }
        frames[root].isPinned = true
        return load(cr3)
    }

    // MARK: Entries

    /// Writes table entries, one after the other, up to the first that is refused.
    /// - Parameters:
    ///   - pairs: the machine address of pairs of 8-byte numbers: an entry's machine address, and its new value.
    ///   - count: at most `mostPairs` of them are looked at.
    /// - Returns: how many were written, and why the next was not.
    public mutating func update(_ pairs: UInt64, count: UInt64) -> (done: UInt64, refusal: DirectRefusal?) {
        var done: UInt64 = 0
        while done < count, done < Self.mostPairs {
            let place = pairs &+ 16 &* done
            guard pairs & 7 == 0, let target = memory.readUInt64(at: layout.guestPhysical(place)),
                let value = memory.readUInt64(at: layout.guestPhysical(place &+ 8))
            else { return (done, .foreign) }
            if let refusal = set(target, value) { return (done, refusal) }
            done += 1
        }
        return (done, nil)
    }

    /// A limit, so that no call takes long.
    public static var mostPairs: UInt64 { 512 }

    private mutating func set(_ address: UInt64, _ new: UInt64) -> DirectRefusal? {
        guard address & 7 == 0, let frame = layout.frame(at: address & ~0xFFF) else { return .foreign }
        let level = frames[frame].level
        guard level != 0 else { return .wrongTable }
        let old = entry(frame, Int(truncatingIfNeeded: address >> 3 & 511))
        if let refusal = add(old: old, new, level) { return refusal }
        memory.writeUInt64(new, at: layout.guestPhysical(address))
        return nil
    }

    private mutating func add(old: UInt64, _ new: UInt64, _ level: Int) -> DirectRefusal? {
        if let refusal = add(new, level) { return refusal }
        remove(old, level)
        return nil
    }

    private func entry(_ frame: Int, _ index: Int) -> UInt64 {
        memory.readUInt64(at: GuestPhysicalAddress(UInt64(frame) << 12 | UInt64(index) << 3)) ?? 0
    }

    /// Checks an entry that is to go into a table, and counts it.
    /// - Returns: why it may not, with nothing changed.
    @inline(never)
    private mutating func add(_ entry: UInt64, _ level: Int) -> DirectRefusal? {
        guard entry & GuestEntryBits.present != 0 else {
            // A processor with the L1 terminal fault (L1TF) speculates with the address of an entry that is not present.
            return entry == 0 ? nil : .reservedBits
        }
        guard entry & GuestEntryBits.executeDisable == 0 || hasExecuteDisable else { return .reservedBits }
        let address = entry & GuestEntryBits.address
        guard level == 1 || entry & GuestEntryBits.largePage != 0 else {
            guard let table = layout.frame(at: address) else { return .foreign }
            guard frames[table].level == level - 1 else { return .wrongTable }
            return frames[table].increment() ? nil : .tooMany
        }
        guard let size = PageSize(level: level), leafSizes.contains(size) else { return .reservedBits }
        // Bit 12 of a large page is the page attribute bit.
        let offset = address & size.offsetMask
        guard offset & ~0x1000 == 0 else { return .reservedBits }
        guard let frame = layout.frame(at: address & ~size.offsetMask, count: size.bytes) else { return .foreign }
        guard entry & GuestEntryBits.writable != 0 else { return nil }
        if level == 1 {
            guard frames[frame].level == 0 else { return .writableTable }
            return frames[frame].increment() ? nil : .tooMany
        }
        let region = layout.region(frame, level)
        guard regions[region].tableCount == 0 else { return .writableTable }
        guard regions[region].writableCount < .max else { return .tooMany }
        regions[region].writableCount += 1
        return nil
    }

    /// Removes an entry that was added.
    @inline(never)
    private mutating func remove(_ entry: UInt64, _ level: Int) {
        guard entry & GuestEntryBits.present != 0 else { return }
        let isLeaf = level == 1 || entry & GuestEntryBits.largePage != 0
        guard !isLeaf || entry & GuestEntryBits.writable != 0 else { return }
        isStale = true
        // Only a large page has low bits that are not part of its address, and they lie below a frame's.
        guard let frame = layout.frame(at: entry & GuestEntryBits.address & ~(isLeaf && level > 1 ? 0x1FFF : 0xFFF)) else {
            return
        }
        if isLeaf, level > 1 {
            regions[layout.region(frame, level)].writableCount -= 1
        } else {
            frames[frame].decrement()
        }
    }

    private mutating func removeEntries(_ frame: Int, _ count: Int) {
        for index in 0..<count { remove(entry(frame, index), frames[frame].level) }
    }

    private mutating func setLevel(_ frame: Int, _ level: Int, change: Int) {
        frames[frame].level = level
        for size in 2...3 {
            let region = layout.region(frame, size)
            regions[region].tableCount = UInt32(truncatingIfNeeded: Int(regions[region].tableCount) + change)
        }
    }
}

/// Access to a guest's page tables that Martlet also writes.
public protocol DirectTableMemory: GuestTableMemory {
    /// Writes the 8 bytes at `address`, a multiple of 8 inside the guest's RAM, in one access.
    func writeUInt64(_ value: UInt64, at address: GuestPhysicalAddress)
}

/// Why a page or an entry is refused. The numbers are what hypercalls return.
public enum DirectRefusal: UInt8, Equatable, Sendable {
    /// An address is outside the guest's RAM, or not aligned.
    case foreign = 1
    /// A page is already a table, or is not one, or is not of the level needed.
    case wrongTable = 2
    /// A reserved bit is set, or an entry that is not present is not 0.
    case reservedBits = 3
    /// A page would be both a table and writable.
    case writableTable = 4
    /// An entry refers to the table, or it is pinned or loaded.
    case inUse = 5
    /// There are already as many entries of one kind as can be counted.
    case tooMany = 6
}

import Debug
import Memory

/// The shadow tables in the machine's memory, with what the kernel remembers about each: the kernel's types, read from there.
final class ShadowBook {
    let facts: ShadowFacts
    private let words: WordCache

    init(_ facts: ShadowFacts, _ words: WordCache) {
        self.facts = facts
        self.words = words
    }

    private var standing: ShadowStanding { facts.standing }

    /// The page that CR3 refers to; without long mode it has four entries.
    var root: UInt64 { address(of: standing.root) }

    func address(of page: UInt64) -> UInt64 { standing.entries.rawValue &+ page << 12 }

    /// The number of the page that a shadow entry refers to; nil if it is none.
    func number(of entry: UInt64) -> UInt64? {
        let number = (entry & 0x000F_FFFF_FFFF_F000 &- standing.entries.rawValue) >> 12
        return number < standing.pageCount ? number : nil
    }

    func page(_ number: UInt64) -> ShadowPage? {
        value(at: UInt64(standing.layout.pagesOffset) + number * UInt64(MemoryLayout<ShadowPage>.stride), as: ShadowPage.self)
    }

    /// What is known of a frame of the guest's RAM; nil outside of it.
    func use(of frame: UInt64) -> FrameUse? {
        guard frame < standing.frameCount else { return nil }
        return value(at: UInt64(standing.layout.framesOffset) + frame * UInt64(MemoryLayout<FrameUse>.stride), as: FrameUse.self)
    }

    /// Such as "in step"; nothing for a frame that is no table whose shadow is in use.
    func stepWords(of table: UInt64) -> StaticString? {
        guard let use = use(of: table >> 12), use.tableCount > 0 else { return nil }
        return use.isOutOfStep ? "out of step" : "in step"
    }

    /// The guest-physical address that the shadow tables lead to.
    func guestAddress(of host: UInt64) -> UInt64 { host &- standing.ram.rawValue }

    /// The pages in use that shadow a table of the guest's.
    var tables: [(number: UInt64, page: ShadowPage)] {
        guard standing.usedEnd > 1 else { return [] }
        return (1..<min(standing.usedEnd, standing.pageCount)).compactMap { number in
            guard let page = page(number), page.isUsed, !page.isDirect, !page.isDetached else { return nil }
            return (number, page)
        }
    }

    /// The guest's tables that it may write to without an exit, by their frames.
    var framesOutOfStep: [UInt64] {
        var frames: [UInt64] = []
        var listed = standing.firstListed
        while listed != 0, UInt64(frames.count) < standing.frameCount, let use = use(of: listed - 1) {
            if use.isOutOfStep, use.tableCount > 0 { frames.append(listed - 1) }
            listed = UInt64(use.nextListed)
        }
        return frames.sorted()
    }

    private func value<Value: BitwiseCopyable>(at offset: UInt64, as: Value.Type) -> Value? {
        let start = standing.entries.rawValue &+ offset
        var bytes: [UInt8] = []
        for address in stride(from: start & ~7, to: start + UInt64(MemoryLayout<Value>.size), by: 8) {
            guard let word = words.word(at: address) else { return nil }
            for place in 0..<UInt64(8) where address + place >= start {
                bytes.append(UInt8(truncatingIfNeeded: word >> (8 * place)))
            }
        }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
    }
}

/// The shadow tables as the processor walks them: what it takes for physical addresses is the machine's.
struct ShadowEntries: GuestTableMemory {
    private let words: WordCache

    init(_ words: WordCache) { self.words = words }

    func readUInt64(at address: GuestPhysicalAddress) -> UInt64? { words.word(at: address.rawValue) }
    func readUInt32(at address: GuestPhysicalAddress) -> UInt32? { nil }
    func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {}
}

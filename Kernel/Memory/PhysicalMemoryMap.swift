/// Why the memory map could not accept an entry.
public enum PhysicalMemoryMapError: Error, Equatable {
    /// There are more ranges than the map can hold. It lists no byte declared unusable so far, but it may forget this entry
    /// when later ones declare its bytes usable: add no more of them.
    case tooManyRanges
    /// The range to reserve is not wholly usable.
    case notUsable
}

/// The machine's physical memory as the loader reported it, less what is taken.
///
/// Entries may come in any order, overlap, touch or be empty: a byte is usable if some entry says so and none says
/// otherwise, whatever their order. Bytes are kept exactly, and only queries round to whole frames, so that a frame
/// shared by two usable entries is usable, and one touched by an unusable entry is not.
public struct PhysicalMemoryMap {
    private var usable = PhysicalRangeList()
    private var unusable = PhysicalRangeList()
    private let limit: UInt64

    /// Usable entries that were left out because they wrap around the address space: their numbers cannot be trusted.
    public private(set) var ignoredEntries = 0

    /// An empty map of an address space of `physicalAddressWidth` bits (MAXPHYADDR, at most 52); nothing beyond is usable.
    public init(physicalAddressWidth: Int) {
        limit = 1 << UInt64(physicalAddressWidth)
    }

    /// Adds an entry of usable memory.
    public mutating func addUsable(
        _ start: HostPhysicalAddress, count: ByteCount
    ) throws(PhysicalMemoryMapError) {
        guard let range = HostPhysicalRange(checking: start, count: count) else {
            ignoredEntries += 1
            return
        }
        let (lower, upper) = clamped(range)
        guard lower < upper else { return }
        guard usable.insert(lower, upper) else { throw .tooManyRanges }
        var complete = true
        for index in 0..<unusable.count {
            let entry = unusable[index]
            if !usable.remove(entry.start, entry.end) { complete = false }
        }
        guard complete else { throw .tooManyRanges }
    }

    /// Adds an entry of memory that must not be used. One that wraps around counts up to the end of the address space.
    public mutating func addUnusable(
        _ start: HostPhysicalAddress, count: ByteCount
    ) throws(PhysicalMemoryMapError) {
        let longest = ByteCount(UInt64.max - start.rawValue)
        let (lower, upper) = clamped(HostPhysicalRange(start: start, count: min(count, longest)))
        guard lower < upper else { return }
        let removed = usable.remove(lower, upper)
        let inserted = unusable.insert(lower, upper)
        guard removed && inserted else { throw .tooManyRanges }
    }

    /// Takes a range, all of which must be usable, out of the usable memory.
    public mutating func reserve(_ range: HostPhysicalRange) throws(PhysicalMemoryMapError) {
        let (lower, upper) = clamped(range)
        guard ByteCount(upper - lower) == range.count, range.isEmpty || usable.contains(lower, upper) else {
            throw .notUsable
        }
        try addUnusable(range.start, count: range.count)
    }

    /// The number of usable ranges, not rounded to frames.
    public var rangeCount: Int { usable.count }

    /// The usable range at `index`, counted upwards from 0, not rounded to frames.
    public subscript(index: Int) -> HostPhysicalRange {
        let entry = usable[index]
        return HostPhysicalRange(start: HostPhysicalAddress(entry.start), count: ByteCount(entry.end - entry.start))
    }

    /// The usable memory in whole frames.
    public var usableCount: ByteCount {
        var total = ByteCount.zero
        for index in 0..<rangeCount { total += wholeFrames(at: index).count }
        return total
    }

    /// The largest usable block of whole frames, the lowest of several; nil when there is none.
    public var largestBlock: HostPhysicalRange? {
        var largest: HostPhysicalRange?
        for index in 0..<rangeCount {
            let block = wholeFrames(at: index)
            if block.count > largest?.count ?? .zero { largest = block }
        }
        return largest
    }

    /// A usable block of `size` bytes; finding it does not reserve it.
    ///
    /// - Parameters:
    ///   - size: greater than zero; rounded up to whole frames.
    ///   - alignment: what the start is a multiple of; a power of two, at least 4 KiB counts.
    ///   - limit: the block ends at or below this address.
    ///   - preferHigh: take the highest such block instead of the lowest.
    /// - Returns: the block, or nil if there is none.
    public func findBlock(
        size: ByteCount, alignment: ByteCount, below limit: HostPhysicalAddress, preferHigh: Bool
    ) -> HostPhysicalRange? {
        let frame = PageSize.fourKibibytes.offsetMask
        precondition(alignment.bytes & (alignment.bytes &- 1) == 0 && size > .zero && size.bytes <= UInt64.max - frame)
        let size = (size.bytes + frame) & ~frame
        let mask = max(alignment.bytes, frame + 1) - 1
        var found: HostPhysicalRange?
        for index in 0..<rangeCount {
            let block = wholeFrames(at: index)
            let end = min(block.end.rawValue, limit.rawValue & ~frame)
            let lowest = (block.start.rawValue + mask) & ~mask
            guard lowest < end, end - lowest >= size else { continue }
            let start = preferHigh ? (end - size) & ~mask : lowest
            found = HostPhysicalRange(start: HostPhysicalAddress(start), count: ByteCount(size))
            if !preferHigh { break }
        }
        return found
    }

    /// The whole frames in a usable range; perhaps none.
    private func wholeFrames(at index: Int) -> HostPhysicalRange {
        let mask = PageSize.fourKibibytes.offsetMask
        let entry = usable[index]
        let start = (entry.start + mask) & ~mask
        let end = entry.end & ~mask
        return HostPhysicalRange(start: HostPhysicalAddress(start), count: ByteCount(end > start ? end - start : 0))
    }

    private func clamped(_ range: HostPhysicalRange) -> (lower: UInt64, upper: UInt64) {
        let lower = min(range.start.rawValue, limit)
        return (lower, lower + min(range.count.bytes, limit - lower))
    }
}

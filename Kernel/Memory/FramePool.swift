/// Why a frame could not be taken back, or a range not added to a pool.
public enum FramePoolError: Error, Equatable {
    /// The address or the length is not a multiple of 4 KiB.
    case misaligned
    /// The frame lies in none of the pool's ranges.
    case notInPool
    /// The frame is free already: it was freed twice, or never allocated.
    case alreadyFree
    /// The range is empty, starts at address 0, or overlaps a range of the pool.
    case unusableRange
    /// The pool holds as many ranges as it can (`FramePool.rangeCapacity`).
    case tooManyRanges
}

/// A pool of 4 KiB frames over some ranges of host-physical memory.
///
/// Frames that were never given out cost nothing: each range remembers how far it has been used. Returned frames are
/// chained through their own first word; the second word marks them as free, so that a double free is detected.
public struct FramePool<Memory: PhysicalMemory>: ~Copyable, FrameSource {
    /// How many ranges a pool can hold.
    public static var rangeCapacity: Int { 8 }

    private struct Range {
        var start: UInt64
        var end: UInt64
        /// Frames from here to `end` have never been given out.
        var fresh: UInt64
    }

    private let memory: Memory
    private var ranges = InlineArray<8, Range>(repeating: Range(start: 0, end: 0, fresh: 0))
    private var rangeCount = 0
    /// The first free frame of the chain; zero ends it, which is why no range may start at 0.
    private var firstFree: UInt64 = 0

    /// Frames that are given out now.
    public private(set) var framesInUse: UInt64 = 0

    /// Frames that can still be given out.
    public private(set) var availableFrames: UInt64 = 0

    /// A pool without frames.
    public init(memory: Memory) { self.memory = memory }

    /// Adds the frames of `range` to the pool. Its contents may be anything.
    public mutating func add(_ range: HostPhysicalRange) throws(FramePoolError) {
        let start = range.start.rawValue
        guard range.start.isAligned(to: .fourKibibytes),
            range.count.bytes & PageSize.fourKibibytes.offsetMask == 0
        else { throw .misaligned }
        guard start != 0, !range.isEmpty, start < UInt64.max - range.count.bytes else { throw .unusableRange }
        let end = start + range.count.bytes
        for index in 0..<rangeCount where start < ranges[index].end && ranges[index].start < end { throw .unusableRange }
        guard rangeCount < Self.rangeCapacity else { throw .tooManyRanges }
        ranges[rangeCount] = Range(start: start, end: end, fresh: start)
        rangeCount += 1
        availableFrames += range.count.wholeFrames
    }

    /// A frame filled with zeroes, or nil when all are in use. Returned frames are given out first.
    public mutating func allocateFrame() -> HostPhysicalAddress? {
        guard let frame = takeFreed() ?? takeFresh() else { return nil }
        framesInUse += 1
        availableFrames -= 1
        memory.zeroFrame(at: frame)
        return frame
    }

    /// Takes back a frame. Nothing changes on an error.
    public mutating func free(_ frame: HostPhysicalAddress) throws(FramePoolError) {
        guard frame.isAligned(to: .fourKibibytes) else { throw .misaligned }
        guard let range = rangeIndex(of: frame) else { throw .notInPool }
        guard frame.rawValue < ranges[range].fresh, !isFree(frame) else { throw .alreadyFree }
        memory.writeUInt64(firstFree, at: frame)
        memory.writeUInt64(Self.mark(of: frame, next: firstFree), at: frame.advanced(by: ByteCount(8)))
        firstFree = frame.rawValue
        framesInUse -= 1
        availableFrames += 1
    }

    /// Takes back a frame of this pool that is in use; traps for any other.
    public mutating func freeFrame(_ frame: HostPhysicalAddress) {
        do throws(FramePoolError) { try free(frame) } catch { preconditionFailure("not a frame in use of this pool") }
    }

    private mutating func takeFreed() -> HostPhysicalAddress? {
        guard firstFree != 0 else { return nil }
        let frame = HostPhysicalAddress(firstFree)
        precondition(bearsMark(frame), "a free frame was written to")
        firstFree = memory.readUInt64(at: frame)
        return frame
    }

    private mutating func takeFresh() -> HostPhysicalAddress? {
        for index in 0..<rangeCount where ranges[index].fresh < ranges[index].end {
            let frame = HostPhysicalAddress(ranges[index].fresh)
            ranges[index].fresh += PageSize.fourKibibytes.bytes
            return frame
        }
        return nil
    }

    private func rangeIndex(of frame: HostPhysicalAddress) -> Int? {
        for index in 0..<rangeCount where ranges[index].start <= frame.rawValue && frame.rawValue < ranges[index].end {
            return index
        }
        return nil
    }

    /// Whether the frame is in the chain. Only a frame that bears the mark is searched for: normally none,
    /// but the user of a frame may have written the mark's value, by chance or by malice.
    private func isFree(_ frame: HostPhysicalAddress) -> Bool {
        guard bearsMark(frame) else { return false }
        var candidate = firstFree
        while candidate != 0 {
            if candidate == frame.rawValue { return true }
            candidate = memory.readUInt64(at: HostPhysicalAddress(candidate))
        }
        return false
    }

    private func bearsMark(_ frame: HostPhysicalAddress) -> Bool {
        memory.readUInt64(at: frame.advanced(by: ByteCount(8))) == Self.mark(of: frame, next: memory.readUInt64(at: frame))
    }

    /// The second word of a free frame. It covers the first, so that a stray write to either is noticed.
    private static func mark(of frame: HostPhysicalAddress, next: UInt64) -> UInt64 {
        frame.rawValue ^ next ^ 0x4D41_5254_4C45_5421
    }
}

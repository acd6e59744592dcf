/// What one of the guest's frames is, in 4 bytes.
struct FrameRole {
    /// Bits 2:0: a table's level, 0 for any other page; bit 3: pinned; above them the count.
    private var bits: UInt32 = 0

    var level: Int {
        get { Int(bits & 7) }
        set { bits = bits & ~7 | UInt32(truncatingIfNeeded: newValue) }
    }

    var isPinned: Bool {
        get { bits & 8 != 0 }
        set { bits = newValue ? bits | 8 : bits & ~8 }
    }

    /// For a table, the entries that refer to it; for another page, the 4 KiB entries through which it is writable.
    var count: UInt32 { bits >> 4 }

    /// - Returns: false, with nothing changed, if there are too many to count.
    mutating func increment() -> Bool {
        guard bits >> 4 < .max >> 4 else { return false }
        bits += 16
        return true
    }

    mutating func decrement() { bits -= 16 }
}

/// What a large page's worth of frames holds.
struct RegionRole {
    /// Large-page entries of this size through which it is writable.
    var writableCount: UInt32 = 0
    /// Tables among its frames.
    var tableCount: UInt32 = 0
}

/// Where a guest's RAM lies in the machine's memory, and the layout of its bookkeeping.
public struct DirectLayout: Equatable, Sendable {
    let ram: HostPhysicalRange
    let frameCount: Int

    /// - Parameter ram: starts and ends with a page.
    public init(_ ram: HostPhysicalRange) {
        self.ram = ram
        frameCount = Int(ram.count.wholeFrames)
    }

    /// The number of large pages of a level's size that the RAM covers, in part or whole.
    private func regionCount(_ level: Int) -> Int { frameCount == 0 ? 0 : region(frameCount - 1, level) - region(0, level) + 1 }
    var regionCount: Int { regionCount(2) + regionCount(3) }
    var framesOffset: Int { regionCount * MemoryLayout<RegionRole>.stride }
    /// The total size, in bytes.
    public var bytes: Int { framesOffset + frameCount * MemoryLayout<FrameRole>.stride }

    /// The number of the region of a level's size that holds a frame; regions begin where the machine's large pages do.
    func region(_ frame: Int, _ level: Int) -> Int {
        let shift: UInt64 = level == 2 ? 21 : 30
        let number = Int(truncatingIfNeeded: (address(of: frame) >> shift) - (ram.start.rawValue >> shift))
        return level == 2 ? number : regionCount(2) + number
    }

    /// The frame at a page-aligned machine address, if all of `count` bytes there are the guest's.
    func frame(at address: UInt64, count: UInt64 = 0x1000) -> Int? {
        let offset = address &- ram.start.rawValue
        guard address & 0xFFF == 0, offset < ram.count.bytes, ram.count.bytes - offset >= count else { return nil }
        return Int(truncatingIfNeeded: offset >> 12)
    }

    func address(of frame: Int) -> UInt64 { ram.start.rawValue + UInt64(frame) << 12 }

    func guestPhysical(_ address: UInt64) -> GuestPhysicalAddress { GuestPhysicalAddress(address &- ram.start.rawValue) }
}

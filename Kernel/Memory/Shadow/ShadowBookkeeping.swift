// What is recorded about shadow tables besides their entries. All numbers are indices; a page's is at least 1, so that 0 means
// none: page 0 is the root outside long mode.

/// A shadow table.
public struct ShadowPage: BitwiseCopyable, Sendable {
    /// The guest's table that it shadows; for a direct one, the first frame that it maps.
    public internal(set) var frame: UInt32 = 0
    public internal(set) var level: UInt8 = 0
    public internal(set) var part: UInt8 = 0
    /// It maps a part of a guest's large page and shadows no table.
    public internal(set) var isDirect = false
    /// The guest's table is no longer one, and what still refers to it soon will not.
    public internal(set) var isDetached = false
    public internal(set) var isUsed = false
    /// A copy of it is at the guest's address of the table (`RootTwins`).
    public internal(set) var hasTwin = false
    /// Entries that are not zero.
    var validCount: UInt16 = 0
    /// Entries that refer to it.
    var references: UInt32 = 0
    /// The next of the same frame, or the next free one.
    var next: UInt32 = 0

    func isSame(_ frame: UInt64, _ level: Int, _ part: UInt8, isDirect: Bool) -> Bool {
        self.frame == UInt32(truncatingIfNeeded: frame) && self.level == UInt8(truncatingIfNeeded: level) && self.part == part
            && self.isDirect == isDirect && !isDetached
    }
}

/// How many shadow entries map a page of one size writable, and the places of the last two added, if still there: a page that
/// is in a guest's map of all memory and also in a program's is found at once when it becomes a table.
public struct WritableMappings: BitwiseCopyable, Sendable {
    var count: UInt32 = 0
    var last: UInt32 = 0
    var earlier: UInt32 = 0

    mutating func add(_ place: Int) {
        count &+= 1
        earlier = last
        last = UInt32(truncatingIfNeeded: place)
    }

    mutating func remove(_ place: Int) {
        count &-= 1
        if earlier == UInt32(truncatingIfNeeded: place) { earlier = 0 }
        if last == UInt32(truncatingIfNeeded: place) { (last, earlier) = (earlier, 0) }
    }
}

/// A frame of the guest's RAM.
public struct FrameUse: BitwiseCopyable, Sendable {
    var writable = WritableMappings()
    /// The first shadow table of this frame.
    var firstPage: UInt32 = 0
    /// Shadow tables that stand for this frame as a table.
    public internal(set) var tableCount: UInt16 = 0
    /// The number of the snapshot of its contents at the last comparison; 0 if there is none.
    var snapshot: UInt16 = 0
    /// It was written to since it was compared: its shadow may be out of date.
    public internal(set) var isOutOfStep = false
    /// A snapshot has shown that it was written to since the guest's last flush.
    var isWrittenTo = false
    /// It is in the list of such frames.
    var isListed = false
    public internal(set) var nextListed: UInt32 = 0

    /// Writes to it must not go unseen.
    var isProtected: Bool { tableCount > 0 && !isOutOfStep }
}

/// A large page's worth of the guest's RAM.
struct RegionUse {
    var writable = WritableMappings()
    /// Protected frames in it.
    var protectedCount: UInt32 = 0
}

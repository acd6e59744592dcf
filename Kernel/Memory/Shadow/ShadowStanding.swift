/// Where shadow tables keep their parts, for a reader of the machine's memory.
///
/// The tables themselves begin at `entries`, 4 KiB each; their bookkeeping lies where `layout` says (`ShadowPage`, `FrameUse`).
public struct ShadowStanding: Equatable, Sendable {
    public var entries: HostPhysicalAddress
    public var pageCount: UInt64
    public var frameCount: UInt64
    /// Where the guest's RAM begins.
    public var ram: HostPhysicalAddress
    /// The number of the page that CR3 refers to.
    public var root: UInt64
    /// One more than the highest page number ever in use.
    public var usedEnd: UInt64
    public var freeCount: UInt64
    /// The first frame that may be out of step, plus one.
    public var firstListed: UInt64

    public init() {
        entries = HostPhysicalAddress(0)
        ram = HostPhysicalAddress(0)
        (pageCount, frameCount, root, usedEnd, freeCount, firstListed) = (0, 0, 0, 0, 0, 0)
    }

    /// How the tables' memory is used.
    public var layout: ShadowLayout { ShadowLayout(size: .frames(pageCount), ram: .frames(frameCount)) }
}

extension ShadowTables {
    public var standing: ShadowStanding {
        var standing = ShadowStanding()
        standing.entries = HostPhysicalAddress(entriesAddress)
        standing.pageCount = UInt64(layout.pageCount)
        standing.frameCount = UInt64(layout.frameCount)
        standing.ram = ram.start
        standing.root = UInt64(root)
        standing.usedEnd = UInt64(usedEnd)
        standing.freeCount = UInt64(freeCount)
        standing.firstListed = UInt64(firstListed)
        return standing
    }
}

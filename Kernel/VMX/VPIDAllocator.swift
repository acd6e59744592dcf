/// Hands out VPIDs, the tags of cached translations: 1 to 65535, never 0, which is the hypervisor's own.
public struct VPIDAllocator: Sendable {
    private var next: UInt32 = 1

    public init() {}

    /// A tag that no virtual CPU has, and whether tags start over: all tagged translations must then be invalidated before
    /// the tag is used (SDM volume 3, "Guidelines for Use of the INVVPID Instruction").
    public mutating func allocate() -> (tag: UInt16, startsAnew: Bool) {
        let startsAnew = next > UInt32(UInt16.max)
        if startsAnew { next = 1 }
        defer { next += 1 }
        return (UInt16(next), startsAnew)
    }
}

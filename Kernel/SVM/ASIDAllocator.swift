/// Hands out address-space identifiers (ASIDs), the tags of cached translations: 1 to the processor's last, never 0, which is the
/// host's own (APM volume 2, "TLB Control").
public struct ASIDAllocator: Sendable {
    private let last: UInt32
    private var next: UInt32 = 1

    public init(_ controls: SVMControls) { last = controls.lastASID }

    /// A tag that no virtual CPU has, and whether tags begin anew: then all tagged translations must be dropped before the tag is
    /// used.
    public mutating func allocate() -> (asid: UInt32, startsAnew: Bool) {
        let startsAnew = next > last
        if startsAnew { next = 1 }
        defer { next += 1 }
        return (next, startsAnew)
    }
}

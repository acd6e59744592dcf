/// What answers at a guest-physical address.
enum MemoryDevice: UInt8, Sendable {
    /// Nothing: reads are ones, writes go nowhere, and both are counted.
    case none
    case ioAPIC
}

/// Guest-physical addresses that a device claims: it knows its registers by offset, not where they are.
struct MemoryClaim: Sendable {
    let first: UInt64
    let count: UInt64
    let device: MemoryDevice

    init(_ first: UInt64, _ count: UInt64, _ device: MemoryDevice) {
        self.first = first
        self.count = count
        self.device = device
    }
}

/// Maps a guest-physical address to a device and an offset. RAM accesses do not come here: where a claim overlaps RAM, RAM
/// answers.
struct MemoryMap: Equatable, Sendable {
    private static var maximumClaims: Int { 8 }

    private var claimCount = 0
    private var firsts: [8 of UInt64] = .init(repeating: 0)
    private var counts: [8 of UInt64] = .init(repeating: 0)
    private var devices: [8 of MemoryDevice] = .init(repeating: .none)
    // All claims lie between these addresses. It never shrinks: that would only save time.
    private var windowFirst: UInt64 = 0
    private var windowCount: UInt64 = 0

    /// Whether an address is near enough to a device to be looked up.
    @inline(__always)
    func mayHave(_ address: UInt64) -> Bool { address &- windowFirst < windowCount }

    /// Makes addresses be looked up.
    @inline(never)
    mutating func include(_ first: UInt64, _ count: UInt64) {
        let end = windowCount == 0 ? first &+ count : max(windowFirst &+ windowCount, first &+ count)
        windowFirst = windowCount == 0 ? first : min(windowFirst, first)
        windowCount = end &- windowFirst
    }

    /// Gives a device addresses, except those that another already has; none if there is no room.
    @inline(never)
    mutating func claim(_ claim: MemoryClaim) {
        guard claimCount < Self.maximumClaims else { return }
        firsts[claimCount] = claim.first
        counts[claimCount] = claim.count
        devices[claimCount] = claim.device
        claimCount += 1
        include(claim.first, claim.count)
    }

    /// Takes all addresses back.
    mutating func releaseAll() {
        for index in 0..<claimCount { counts[index] = 0 }
        claimCount = 0
    }

    /// The device at an address, and the offset there. The first claim is the board's own, and the most frequent.
    @inline(__always)
    mutating func find(_ address: UInt64) -> (device: MemoryDevice, offset: UInt64) {
        let offset = address &- firsts[unchecked: 0]
        return offset < counts[unchecked: 0] ? (devices[unchecked: 0], offset) : findOther(address)
    }

    @inline(never)
    private mutating func findOther(_ address: UInt64) -> (device: MemoryDevice, offset: UInt64) {
        for index in 0..<claimCount where address &- firsts[index] < counts[index] {
            return (devices[index], address &- firsts[index])
        }
        return (.none, 0)
    }

    static func == (left: Self, right: Self) -> Bool {
        guard left.claimCount == right.claimCount else { return false }
        for index in 0..<left.claimCount {
            guard left.firsts[index] == right.firsts[index], left.counts[index] == right.counts[index],
                left.devices[index] == right.devices[index]
            else { return false }
        }
        return true
    }
}

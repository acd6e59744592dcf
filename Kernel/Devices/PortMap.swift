/// What answers at a port.
enum PortDevice: UInt8, Sendable {
    /// Nothing: reads are ones, writes go nowhere, and both are counted.
    case none
    case interruptControllers, timer, keyboard, speaker, clock, diagnostic, debugConsole, debugExit, serial
    case firmwareConfiguration, power, configurationAddress, configurationData, resetControl, crtController
    case testLatch, testFlush, testLine
}

/// Consecutive ports that a device claims, and the first of its registers there: a device knows its registers by number, not
/// where they are.
struct PortClaim: Sendable {
    let first: UInt16
    let count: UInt16
    let device: PortDevice
    let register: UInt8

    @inline(__always)
    init(_ first: UInt16, _ count: UInt16, _ device: PortDevice, _ register: UInt8 = 0) {
        self.first = first
        self.count = count
        self.device = device
        self.register = register
    }
}

/// Maps a port to a device's register, in a few instructions for any port: a page of 256 ports at a time.
struct PortMap: Equatable, Sendable {
    private static var maximumClaims: Int { 31 }
    /// Six of the board's own, one of the test device's, and one for each function's ports, which fit in one.
    private static var maximumPages: Int { 12 }

    private var claimCount = 0
    private var pageCount = 0
    /// Which page of `places` has the ports with a given upper byte; page 0 has no devices.
    private var pages: [256 of UInt8] = .init(repeating: 0)
    /// The number of the claim for each port of a page; claim 0 means none.
    private var places: [3328 of UInt8] = .init(repeating: 0)
    /// The device of each claim, and what to subtract from the lower byte of a port to get the register.
    private var devices: [32 of PortDevice] = .init(repeating: .none)
    private var bases: [32 of UInt8] = .init(repeating: 0)

    /// Gives a device ports.
    /// - Parameter takes: whether it also takes over ports of another device.
    /// - Returns: false if there is no room.
    @inline(never)
    mutating func claim(_ claim: PortClaim, takes: Bool) -> Bool {
        guard claimCount < Self.maximumClaims else { return false }
        claimCount += 1
        devices[claimCount] = claim.device
        bases[claimCount] = UInt8(truncatingIfNeeded: claim.first) &- claim.register
        for index in 0..<claim.count {
            let port = claim.first &+ index
            if pages[Int(port >> 8)] == 0 {
                guard pageCount < Self.maximumPages else { return false }
                pageCount += 1
                pages[Int(port >> 8)] = UInt8(pageCount)
            }
            let place = Int(pages[Int(port >> 8)]) << 8 | Int(port & 0xFF)
            if takes || places[place] == 0 { places[place] = UInt8(claimCount) }
        }
        return true
    }

    /// The device at a port, and the number of its register there.
    @inline(__always)
    mutating func find(_ port: UInt16) -> (device: PortDevice, register: UInt8) {
        // Whatever the port is, each index is less than its table's length: page 12 is the last, and claim 31.
        let page = Int(pages.span[unchecked: Int(port &>> 8)]) &<< 8
        let claim = Int(places.span[unchecked: page | Int(port & 0xFF)])
        return (devices.span[unchecked: claim], UInt8(truncatingIfNeeded: port) &- bases.span[unchecked: claim])
    }

    static func == (left: Self, right: Self) -> Bool {
        guard left.claimCount == right.claimCount else { return false }
        for index in 0..<32 {
            guard left.devices[index] == right.devices[index], left.bases[index] == right.bases[index] else { return false }
        }
        for index in 0..<256 where left.pages[index] != right.pages[index] { return false }
        for index in 0..<3328 where left.places[index] != right.places[index] { return false }
        return true
    }
}

/// Who answers at a port.
enum PortDevice: UInt8, Sendable {
    /// Nobody: reads are ones, writes go nowhere, and both are counted.
    case none
    case interruptControllers, timer, keyboard, speaker, clock, diagnostic, debugConsole, debugExit, serial
    case firmwareConfiguration, power, configurationAddress, configurationData, resetControl
}

/// Ports that a device claims, one after the other, and the first of its registers that is there: a device knows its
/// registers by number, and not where they stand.
struct PortClaim: Sendable {
    let first: UInt16
    let count: UInt16
    let device: PortDevice
    let register: UInt8

    init(_ first: UInt16, _ count: UInt16, _ device: PortDevice, _ register: UInt8 = 0) {
        self.first = first
        self.count = count
        self.device = device
        self.register = register
    }
}

/// The way from a port to a device's register, in a few instructions for any port: a page of 256 ports at a time.
struct PortMap: Equatable, Sendable {
    private static var maximumClaims: Int { 31 }
    private static var maximumPages: Int { 7 }

    private var claims: [32 of PortClaim] = .init(repeating: PortClaim(0, 0, .none))
    private var claimCount = 0
    /// Which page of `places` has the ports with an upper byte; page 0 is that of no device.
    private var pages: [256 of UInt8] = .init(repeating: 0)
    private var pageCount = 0
    /// The number of the claim for each port of a page; claim 0 is nobody's.
    private var places: [2048 of UInt8] = .init(repeating: 0)

    /// Gives a device ports, of which it may take some from another.
    /// - Returns: false if there is no room.
    mutating func claim(_ claim: PortClaim) -> Bool {
        guard claimCount < Self.maximumClaims else { return false }
        claimCount += 1
        claims[claimCount] = claim
        for index in 0..<claim.count {
            let port = claim.first &+ index
            if pages[Int(port >> 8)] == 0 {
                guard pageCount < Self.maximumPages else { return false }
                pageCount += 1
                pages[Int(port >> 8)] = UInt8(pageCount)
            }
            places[Int(pages[Int(port >> 8)] & 7) << 8 | Int(port & 0xFF)] = UInt8(claimCount)
        }
        return true
    }

    /// The device of a port, and the number of its register there.
    @inline(__always)
    mutating func find(_ port: UInt16) -> (device: PortDevice, register: UInt8) {
        let page = pages.span[unchecked: Int(port &>> 8)] & 7
        let place = places.span[unchecked: Int(page) &<< 8 | Int(port & 0xFF)] & 31
        let claim = claims.span[unchecked: Int(place)]
        return (claim.device, UInt8(truncatingIfNeeded: port &- claim.first) &+ claim.register)
    }

    static func == (left: Self, right: Self) -> Bool {
        guard left.claimCount == right.claimCount else { return false }
        for index in 0..<32 {
            let (one, other) = (left.claims[index], right.claims[index])
            guard one.first == other.first, one.count == other.count, one.device == other.device, one.register == other.register
            else { return false }
        }
        return true
    }
}

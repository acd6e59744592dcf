import Memory

/// Guest memory as firmware fills it before the guest starts; the tables are written through it.
public protocol FirmwareMemory {
    /// Writes the low `count` bytes (1 to 8) of a value, little-endian.
    /// - Returns: false, with nothing written, where the guest has no RAM.
    @discardableResult
    func write(_ value: UInt64, count: Int, at address: GuestPhysicalAddress) -> Bool

    /// A byte; nil where the guest has no RAM.
    func readUInt8(at address: GuestPhysicalAddress) -> UInt8?
}

extension FirmwareMemory {
    /// What must be added to the sum of some bytes to make it zero, as checksums in firmware tables do.
    func complement(of start: UInt64, count: UInt64) -> UInt8 {
        var sum: UInt8 = 0
        for offset in 0..<Int(count) { sum &+= readUInt8(at: GuestPhysicalAddress(start &+ UInt64(offset))) ?? 0 }
        return 0 &- sum
    }
}

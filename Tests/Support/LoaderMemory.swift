import Memory

/// Physical memory as a boot loader leaves it: a few pieces, and nothing else may be touched.
public final class LoaderMemory: PhysicalMemory {
    private var bytes: [UInt64: UInt8] = [:]

    public init() {}

    public func put(_ value: UInt64, _ size: Int, at address: UInt64) {
        for index in 0..<size { bytes[address + UInt64(index)] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        // A word is read as a whole.
        for index in address & ~3..<(address + UInt64(size) + 3) & ~3 where bytes[index] == nil { bytes[index] = 0 }
    }

    /// Stores a text with its ending zero.
    public func put(_ text: String, at address: UInt64) {
        for (index, byte) in (Array(text.utf8) + [0]).enumerated() { put(UInt64(byte), 1, at: address + UInt64(index)) }
    }

    private func load(_ address: HostPhysicalAddress, _ size: Int) -> UInt64 {
        precondition(address.rawValue % UInt64(size) == 0)
        return (0..<size).reduce(0) { value, index in
            guard let byte = bytes[address.rawValue + UInt64(index)] else { fatalError("read of \(address), which nobody wrote") }
            return value | UInt64(byte) << UInt64(8 * index)
        }
    }

    public func readUInt64(at address: HostPhysicalAddress) -> UInt64 { load(address, 8) }
    public func readUInt32(at address: HostPhysicalAddress) -> UInt32 { UInt32(load(address, 4)) }
    public func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) { fatalError("a loader's memory is only read") }
    public func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) { fatalError("a loader's memory is only read") }
    public func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool {
        fatalError("a loader's memory is only read")
    }
}

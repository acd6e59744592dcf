import Devices
import Memory

/// The guest's RAM: guest-physical addresses from 0 up to its size, in one piece of the host's memory.
///
/// The only way to reach a guest's memory. Every access is checked and copies; nothing outside the RAM can be named.
public struct GuestMemory {
    private let base: UnsafeMutableRawPointer
    public let size: ByteCount

    /// - Parameter base: the first byte of a piece of memory of `size` bytes that nothing else uses.
    public init(base: UnsafeMutableRawPointer, size: ByteCount) {
        self.base = base
        self.size = size
    }

    /// Whether a range lies in the RAM.
    @inline(__always)
    public func contains(_ address: GuestPhysicalAddress, count: UInt64) -> Bool {
        count <= size.bytes && address.rawValue <= size.bytes &- count
    }

    @inline(__always)
    private func load<Value: FixedWidthInteger>(_ address: GuestPhysicalAddress, as type: Value.Type) -> Value? {
        guard contains(address, count: UInt64(MemoryLayout<Value>.size)) else { return nil }
        return (base + Int(truncatingIfNeeded: address.rawValue)).loadUnaligned(as: type)
    }

    /// Little-endian values; nil outside the RAM.
    public func readUInt8(at address: GuestPhysicalAddress) -> UInt8? { load(address, as: UInt8.self) }
    public func readUInt32(at address: GuestPhysicalAddress) -> UInt32? { load(address, as: UInt32.self) }
    @inline(__always)
    public func readUInt64(at address: GuestPhysicalAddress) -> UInt64? { load(address, as: UInt64.self) }

    /// The 16 bytes at an address, as two words; nil unless all are in the RAM.
    @inline(__always)
    func readPair(at address: GuestPhysicalAddress) -> (low: UInt64, high: UInt64)? {
        guard contains(address, count: 16) else { return nil }
        let start = base + Int(truncatingIfNeeded: address.rawValue)
        return (start.loadUnaligned(as: UInt64.self), (start + 8).loadUnaligned(as: UInt64.self))
    }

    /// Writes the low `count` bytes (1 to 8) of a value.
    /// - Returns: false, and nothing is written, outside the RAM.
    @discardableResult
    public func write(_ value: UInt64, count: Int, at address: GuestPhysicalAddress) -> Bool {
        guard contains(address, count: UInt64(count)) else { return false }
        var rest = value
        for index in 0..<count {
            (base + Int(address.rawValue) + index).storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
            rest >>= 8
        }
        return true
    }

    /// Copies bytes into the RAM.
    /// - Returns: false, and nothing is written, if they do not fit.
    public func copy(_ bytes: UnsafeRawBufferPointer, to address: GuestPhysicalAddress) -> Bool {
        guard contains(address, count: UInt64(bytes.count)) else { return false }
        if let source = bytes.baseAddress, bytes.count > 0 {
            (base + Int(address.rawValue)).copyMemory(from: source, byteCount: bytes.count)
        }
        return true
    }

    /// Fills a range of the RAM with zeros.
    /// - Returns: false, and nothing is written, if it does not lie in the RAM.
    public func zero(_ address: GuestPhysicalAddress, count: UInt64) -> Bool {
        guard contains(address, count: count) else { return false }
        UnsafeMutableRawBufferPointer(start: base + Int(address.rawValue), count: Int(count))
            .initializeMemory(as: UInt8.self, repeating: 0)
        return true
    }
}

extension GuestMemory: FirmwareMemory {}

import Foundation
import Machine
import Memory

/// Guest RAM for tests, between two pages of canary bytes that nothing may touch.
public final class GuestRAM {
    private let storage: UnsafeMutableRawBufferPointer
    private let canary: UInt8 = 0xC5
    private let margin = 4096
    public let size: Int

    /// - Parameter size: a multiple of 8.
    public init(size: Int) {
        self.size = size
        storage = .allocate(byteCount: size + 2 * margin, alignment: 4096)
        memset(storage.baseAddress!, Int32(canary), storage.count)
        fill(0)
    }

    deinit { storage.deallocate() }

    private var base: UnsafeMutableRawPointer { storage.baseAddress! + margin }

    public var memory: GuestMemory { GuestMemory(base: base, size: ByteCount(UInt64(size))) }

    /// Whether all canary bytes around the RAM are as they were.
    public var isIntactAround: Bool {
        let expected = [UInt8](repeating: canary, count: margin)
        return memcmp(storage.baseAddress!, expected, margin) == 0 && memcmp(base + size, expected, margin) == 0
    }

    public func fill(_ byte: UInt8) {
        memset(base, Int32(byte), size)
    }

    public subscript(address: Int) -> UInt8 {
        get { storage[margin + address] }
        set { storage[margin + address] = newValue }
    }

    public subscript(range: Range<Int>) -> [UInt8] { Array(storage[(margin + range.lowerBound)..<(margin + range.upperBound)]) }

    public func put(_ bytes: [UInt8], at address: Int) {
        precondition(address >= 0 && address + bytes.count <= size)
        (base + address).copyMemory(from: bytes, byteCount: bytes.count)
    }

    public func put64(_ value: UInt64, at address: Int) { (base + address).storeBytes(of: value, as: UInt64.self) }
    public func put32(_ value: UInt32, at address: Int) { (base + address).storeBytes(of: value, as: UInt32.self) }
    public func word64(_ address: Int) -> UInt64 { (base + address).loadUnaligned(as: UInt64.self) }
    public func word32(_ address: Int) -> UInt32 { (base + address).loadUnaligned(as: UInt32.self) }
    public func word16(_ address: Int) -> UInt16 { (base + address).loadUnaligned(as: UInt16.self) }
}

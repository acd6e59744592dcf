import Devices
import Memory
import Synchronization

/// The guest's RAM: guest-physical addresses from 0 up to its size, in one piece of host memory.
///
/// The only way to reach a guest's memory. Every access is checked and copies; nothing outside the RAM can be named. What a
/// processor would access atomically is accessed atomically: the guest's processors and walks of its page tables may be using
/// the same memory.
public struct GuestMemory {
    private let base: UnsafeMutableRawPointer
    public let size: ByteCount

    /// - Parameter base: the first byte of a piece of memory of `size` bytes, aligned to a page, that nothing else uses.
    public init(base: UnsafeMutableRawPointer, size: ByteCount) {
        self.base = base
        self.size = size
    }

    /// Whether a range lies in the RAM.
    @inline(__always)
    public func contains(_ address: GuestPhysicalAddress, count: UInt64) -> Bool {
        count <= size.bytes && address.rawValue <= size.bytes &- count
    }

    /// A value in the RAM, for accesses that are one instruction each. (The RAM is aligned to a page.)
    @inline(__always)
    private func cell<Value>(_ address: GuestPhysicalAddress, of type: Value.Type) -> UnsafeMutablePointer<Atomic<Value>> {
        (base + Int(truncatingIfNeeded: address.rawValue)).assumingMemoryBound(to: Atomic<Value>.self)
    }

    @inline(__always)
    public func readUInt8(at address: GuestPhysicalAddress) -> UInt8? {
        contains(address, count: 1) ? cell(address, of: UInt8.self).pointee.load(ordering: .relaxed) : nil
    }

    @inline(__always)
    public func readUInt32(at address: GuestPhysicalAddress) -> UInt32? {
        contains(address, count: 4) ? cell(address, of: UInt32.self).pointee.load(ordering: .relaxed) : nil
    }

    @inline(__always)
    public func readUInt64(at address: GuestPhysicalAddress) -> UInt64? {
        contains(address, count: 8) ? cell(address, of: UInt64.self).pointee.load(ordering: .relaxed) : nil
    }

    @inline(__always)
    public func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {
        guard contains(address, count: 4) else { return }
        cell(address, of: UInt32.self).pointee.bitwiseOr(bits, ordering: .relaxed)
    }

    public func copyPage(at address: GuestPhysicalAddress, to words: UnsafeMutablePointer<UInt64>) {
        guard contains(address, count: 0x1000) else { return }
        UnsafeMutableRawPointer(words).copyMemory(from: base + Int(truncatingIfNeeded: address.rawValue), byteCount: 0x1000)
    }

    public func difference(at address: GuestPhysicalAddress, to words: UnsafePointer<UInt64>, from start: Int) -> Int {
        guard contains(address, count: 0x1000) else { return 512 }
        let page = UnsafeRawPointer(base + Int(truncatingIfNeeded: address.rawValue)).assumingMemoryBound(to: UInt64.self)
        var index = start
        while index < 512 {
            // Nearly all are equal: compares eight at once, once they are aligned.
            if index & 7 == 0 {
                let (left, right) = (page + index, words + index)
                var different = (left[0] ^ right[0]) | (left[1] ^ right[1])
                different |= (left[2] ^ right[2]) | (left[3] ^ right[3])
                different |= (left[4] ^ right[4]) | (left[5] ^ right[5])
                different |= (left[6] ^ right[6]) | (left[7] ^ right[7])
                if different == 0 {
                    index &+= 8
                    continue
                }
            }
            if page[index] != words[index] { return index }
            index &+= 1
        }
        return 512
    }

    /// The 16 bytes at an address, as two words; nil unless all are in the RAM.
    @inline(__always)
    func readPair(at address: GuestPhysicalAddress) -> (low: UInt64, high: UInt64)? {
        guard contains(address, count: 16) else { return nil }
        let start = base + Int(truncatingIfNeeded: address.rawValue)
        return (start.loadUnaligned(as: UInt64.self), (start + 8).loadUnaligned(as: UInt64.self))
    }

    /// Reads `count` bytes (1 to 8), little-endian: an aligned value of 1, 2, 4 or 8 bytes in one access, others byte by byte;
    /// nil outside the RAM.
    @inline(never)
    @_optimize(speed)
    public func read(count: Int, at address: GuestPhysicalAddress) -> UInt64? {
        guard contains(address, count: UInt64(count)) else { return nil }
        switch (count, address.rawValue & UInt64(count - 1)) {
        case (1, _): return UInt64(cell(address, of: UInt8.self).pointee.load(ordering: .relaxed))
        case (2, 0): return UInt64(cell(address, of: UInt16.self).pointee.load(ordering: .relaxed))
        case (4, 0): return UInt64(cell(address, of: UInt32.self).pointee.load(ordering: .relaxed))
        case (8, 0): return cell(address, of: UInt64.self).pointee.load(ordering: .relaxed)
        default: break
        }
        var value: UInt64 = 0
        for index in 0..<UInt64(count) {
            let byte = cell(address.advanced(by: ByteCount(index)), of: UInt8.self).pointee.load(ordering: .relaxed)
            value |= UInt64(byte) << (8 * index)
        }
        return value
    }

    /// Writes the low `count` bytes (1 to 8) of a value, likewise.
    /// - Returns: false, with nothing written, outside the RAM.
    @inline(never)
    @discardableResult
    public func write(_ value: UInt64, count: Int, at address: GuestPhysicalAddress) -> Bool {
        guard contains(address, count: UInt64(count)) else { return false }
        switch (count, address.rawValue & UInt64(count - 1)) {
        case (1, _): cell(address, of: UInt8.self).pointee.store(UInt8(truncatingIfNeeded: value), ordering: .relaxed)
        case (2, 0): cell(address, of: UInt16.self).pointee.store(UInt16(truncatingIfNeeded: value), ordering: .relaxed)
        case (4, 0): cell(address, of: UInt32.self).pointee.store(UInt32(truncatingIfNeeded: value), ordering: .relaxed)
        case (8, 0): cell(address, of: UInt64.self).pointee.store(value, ordering: .relaxed)
        default:
            for index in 0..<UInt64(count) {
                cell(address.advanced(by: ByteCount(index)), of: UInt8.self).pointee
                    .store(UInt8(truncatingIfNeeded: value >> (8 * index)), ordering: .relaxed)
            }
        }
        return true
    }

    /// Copies bytes into the RAM.
    /// - Returns: false, with nothing written, if they do not fit.
    public func copy(_ bytes: UnsafeRawBufferPointer, to address: GuestPhysicalAddress) -> Bool {
        guard contains(address, count: UInt64(bytes.count)) else { return false }
        if let source = bytes.baseAddress, bytes.count > 0 {
            (base + Int(address.rawValue)).copyMemory(from: source, byteCount: bytes.count)
        }
        return true
    }

    /// Fills a range of the RAM with zeros.
    /// - Returns: false, with nothing written, if it does not lie in the RAM.
    public func zero(_ address: GuestPhysicalAddress, count: UInt64) -> Bool {
        guard contains(address, count: count) else { return false }
        UnsafeMutableRawBufferPointer(start: base + Int(address.rawValue), count: Int(count))
            .initializeMemory(as: UInt8.self, repeating: 0)
        return true
    }
}

extension GuestMemory: FirmwareMemory, ComparedTableMemory {}

extension GuestMemory: DirectTableMemory {
    public func writeUInt64(_ value: UInt64, at address: GuestPhysicalAddress) { write(value, count: 8, at: address) }
}

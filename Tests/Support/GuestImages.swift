/// Builds guest images for tests, byte by byte.
public struct ImageBuilder: Sendable {
    public var bytes: [UInt8]

    public init(size: Int = 0) { bytes = [UInt8](repeating: 0, count: size) }
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Stores the low `size` bytes of a value, little-endian; the image grows as it must.
    public mutating func put(_ value: UInt64, _ size: Int, at offset: Int) {
        if bytes.count < offset + size { bytes += [UInt8](repeating: 0, count: offset + size - bytes.count) }
        for index in 0..<size { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    public mutating func put(_ new: [UInt8], at offset: Int) {
        for (index, byte) in new.enumerated() { put(UInt64(byte), 1, at: offset + index) }
    }

    /// A multiboot 1 header, with address fields if they are given: header, load, load end, bss end, entry.
    public mutating func putMultibootHeader(at offset: Int, flags: UInt32 = 3, addresses: [UInt32]? = nil) {
        let flags = addresses == nil ? flags : flags | 1 << 16
        let words = [0x1BAD_B002, flags, 0 &- 0x1BAD_B002 &- flags] + (addresses ?? [])
        for (index, word) in words.enumerated() { put(UInt64(word), 4, at: offset + 4 * index) }
    }
}

/// A segment of an ELF image for tests.
public struct TestSegment: Sendable {
    public var type: UInt32 = 1
    public var offset: UInt64
    public var virtualAddress: UInt64
    public var physicalAddress: UInt64
    public var fileSize: UInt64
    public var memorySize: UInt64

    public init(offset: UInt64 = 0x1000, at address: UInt64, virtual: UInt64? = nil, fileSize: UInt64, memorySize: UInt64? = nil)
    {
        self.offset = offset
        physicalAddress = address
        virtualAddress = virtual ?? address
        self.fileSize = fileSize
        self.memorySize = memorySize ?? fileSize
    }
}

extension ImageBuilder {
    /// An ELF executable with a multiboot header behind its program headers, and 0x3000 bytes in all. The byte at offset n of
    /// the file, from 0x1000 on, is n modulo 251.
    public static func elf(
        is64Bit: Bool, entry: UInt64, segments: [TestSegment], machine: UInt16? = nil, type: UInt16 = 2
    ) -> ImageBuilder {
        var image = ImageBuilder(size: 0x3000)
        for offset in 0x1000..<0x3000 { image.bytes[offset] = UInt8(offset % 251) }
        image.put([0x7F, 0x45, 0x4C, 0x46, is64Bit ? 2 : 1, 1, 1], at: 0)
        image.put(UInt64(type), 2, at: 16)
        image.put(UInt64(machine ?? (is64Bit ? 62 : 3)), 2, at: 18)
        let header = is64Bit ? 64 : 52
        let entrySize = is64Bit ? 56 : 32
        if is64Bit {
            image.put(entry, 8, at: 24)
            image.put(UInt64(header), 8, at: 32)
            image.put(UInt64(entrySize), 2, at: 54)
            image.put(UInt64(segments.count), 2, at: 56)
        } else {
            image.put(entry, 4, at: 24)
            image.put(UInt64(header), 4, at: 28)
            image.put(UInt64(entrySize), 2, at: 42)
            image.put(UInt64(segments.count), 2, at: 44)
        }
        for (index, segment) in segments.enumerated() {
            let start = header + entrySize * index
            image.put(UInt64(segment.type), 4, at: start)
            if is64Bit {
                let words = [
                    segment.offset, segment.virtualAddress, segment.physicalAddress, segment.fileSize, segment.memorySize,
                ]
                for (place, word) in words.enumerated() { image.put(word, 8, at: start + 8 + 8 * place) }
            } else {
                let words = [
                    segment.offset, segment.virtualAddress, segment.physicalAddress, segment.fileSize, segment.memorySize,
                ]
                for (place, word) in words.enumerated() { image.put(word, 4, at: start + 4 + 4 * place) }
            }
        }
        image.putMultibootHeader(at: 0x800)
        return image
    }
}

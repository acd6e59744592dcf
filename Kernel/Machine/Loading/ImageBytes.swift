/// A guest image or module in memory. Reads are little-endian and checked; nothing outside can be named.
public struct ImageBytes {
    public let bytes: UnsafeRawBufferPointer

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public var count: UInt64 { UInt64(bytes.count) }

    private func load<Value: FixedWidthInteger>(_ offset: UInt64, as type: Value.Type) -> Value? {
        let size = UInt64(MemoryLayout<Value>.size)
        guard count >= size, offset <= count - size else { return nil }
        return bytes.loadUnaligned(fromByteOffset: Int(offset), as: type)
    }

    func uint8(_ offset: UInt64) -> UInt8? { load(offset, as: UInt8.self) }
    func uint16(_ offset: UInt64) -> UInt16? { load(offset, as: UInt16.self) }
    func uint32(_ offset: UInt64) -> UInt32? { load(offset, as: UInt32.self) }
    func uint64(_ offset: UInt64) -> UInt64? { load(offset, as: UInt64.self) }

    /// A part of the image, or nil if it is not all there.
    func part(_ offset: UInt64, count size: UInt64) -> UnsafeRawBufferPointer? {
        guard size <= count, offset <= count - size else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<Int(offset + size)])
    }
}

/// Something that the boot loader handed over: a guest image or a guest's module, and its words.
public struct GuestModule {
    public let image: ImageBytes
    /// File name and arguments, without a terminating zero.
    public let commandLine: UnsafeRawBufferPointer

    public init(image: ImageBytes, commandLine: UnsafeRawBufferPointer) {
        self.image = image
        self.commandLine = commandLine
    }
}

/// A Linux kernel image for tests: a header as a distribution's kernel has it, but small, and bytes that count.
public struct LinuxImage: Sendable {
    /// Boot protocol 2.15, 64-bit entry, relocatable, preferred at 2 MiB, with 1 MiB of memory needed there.
    public static let usual = LinuxImage()
    public static let setupSectors = 4
    public static let setupSize = 512 * (1 + setupSectors)
    public static let kernelSize = 0x4000

    public var image: ImageBuilder

    public init() {
        image = ImageBuilder((0..<(Self.setupSize + Self.kernelSize)).map { $0 < Self.setupSize ? 0 : UInt8($0 % 251) })
        image.put(UInt64(Self.setupSectors), 1, at: 0x1F1)
        image.put(UInt64(Self.kernelSize / 16), 4, at: 0x1F4)
        image.put(0xAA55, 2, at: 0x1FE)
        image.put([0xEB, 0x6A] + Array("HdrS".utf8), at: 0x200)
        image.put(0x20F, 2, at: 0x206)
        image.put(1, 1, at: 0x211)  // LOADED_HIGH
        image.put(0x10_0000, 4, at: 0x214)
        image.put(0x7FFF_FFFF, 4, at: 0x22C)
        image.put(0x20_0000, 4, at: 0x230)
        image.put(1, 1, at: 0x234)
        image.put(21, 1, at: 0x235)
        image.put(0x7F, 2, at: 0x236)
        image.put(255, 4, at: 0x238)
        image.put(0x100, 4, at: 0x248)
        image.put(0x3000, 4, at: 0x24C)
        image.put(0x20_0000, 8, at: 0x258)
        image.put(0x10_0000, 4, at: 0x260)
    }

    /// The image with a field changed.
    public func with(_ value: UInt64, _ size: Int, at offset: Int) -> LinuxImage {
        var copy = self
        copy.image.put(value, size, at: offset)
        return copy
    }

    /// Boot protocol 2.6 and no more: no preferred address, no payload, no flags of entries.
    public func ofVersion(_ version: UInt16, headerEnd: Int) -> LinuxImage {
        var copy = with(UInt64(version), 2, at: 0x206).with(UInt64(headerEnd - 0x202), 1, at: 0x201)
        for offset in headerEnd..<0x270 { copy.image.bytes[offset] = 0xEE }
        return copy
    }

    public var bytes: [UInt8] { image.bytes }
    public var kernel: [UInt8] { Array(image.bytes[Self.setupSize...]) }
}

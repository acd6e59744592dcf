/// An ELF executable (System V ABI, "Object Files"), 32 or 64 bits wide, as far as loading needs it.
struct ELFImage {
    /// One PT_LOAD segment.
    struct Segment {
        var offset: UInt64
        var virtualAddress: UInt64
        var physicalAddress: UInt64
        var fileSize: UInt64
        var memorySize: UInt64
    }

    let image: ImageBytes
    let is64Bit: Bool
    let entry: UInt64
    private let headerTable: UInt64
    private let headerSize: UInt64
    let headerCount: Int

    /// Whether the bytes begin as every ELF file does.
    static func isELF(_ image: ImageBytes) -> Bool { image.uint32(0) == 0x464C_457F }

    init(_ image: ImageBytes) throws(ImageError) {
        guard ELFImage.isELF(image) else { throw .notAnELF }
        guard let identification = image.uint64(0) else { throw .truncatedELF(what: "header") }
        is64Bit = identification >> 32 & 0xFF == 2
        guard image.count >= (is64Bit ? 64 : 52), let type = image.uint16(16), let machine = image.uint16(18) else {
            throw .truncatedELF(what: "header")
        }
        guard machine == 3 || machine == 62 else { throw .wrongMachine(machine) }
        guard type == 2 else { throw .notExecutable(type) }
        self.image = image
        if is64Bit {
            entry = image.uint64(24) ?? 0
            headerTable = image.uint64(32) ?? 0
            headerSize = UInt64(image.uint16(54) ?? 0)
            headerCount = Int(image.uint16(56) ?? 0)
        } else {
            entry = UInt64(image.uint32(24) ?? 0)
            headerTable = UInt64(image.uint32(28) ?? 0)
            headerSize = UInt64(image.uint16(42) ?? 0)
            headerCount = Int(image.uint16(44) ?? 0)
        }
        let (size, _) = headerSize.multipliedReportingOverflow(by: UInt64(headerCount))
        guard headerCount == 0 || headerSize >= (is64Bit ? 56 : 32), image.part(headerTable, count: size) != nil else {
            throw .truncatedELF(what: "program header table")
        }
    }

    /// The segment of a program header, or nil if that header loads nothing.
    func segment(_ index: Int) -> Segment? {
        let header = headerTable + headerSize * UInt64(index)
        guard image.uint32(header) == 1 else { return nil }
        let segment: Segment
        if is64Bit {
            segment = Segment(
                offset: image.uint64(header + 8) ?? 0, virtualAddress: image.uint64(header + 16) ?? 0,
                physicalAddress: image.uint64(header + 24) ?? 0, fileSize: image.uint64(header + 32) ?? 0,
                memorySize: image.uint64(header + 40) ?? 0)
        } else {
            segment = Segment(
                offset: UInt64(image.uint32(header + 4) ?? 0), virtualAddress: UInt64(image.uint32(header + 8) ?? 0),
                physicalAddress: UInt64(image.uint32(header + 12) ?? 0), fileSize: UInt64(image.uint32(header + 16) ?? 0),
                memorySize: UInt64(image.uint32(header + 20) ?? 0))
        }
        return segment.memorySize == 0 && segment.fileSize == 0 ? nil : segment
    }
}

/// Files mistaken for guests, recognized by how they begin.
public enum ForeignImage: Sendable {
    /// With gzip, xz, bzip2, zstd, lz4 or zip.
    case compressed
    /// Of cpio or tar.
    case archive
    case efiProgram
    /// Raw with partitions or a file system, qcow2, VMDK, VHDX, VDI or ISO 9660.
    case disk
    case text

    init?(_ image: ImageBytes) {
        let start = image.uint32(0) ?? 0
        switch start {
        case 0x587A_37FD, 0xFD2F_B528, 0x184D_2204, 0x184C_2102, 0x0403_4B50: self = .compressed
        case 0x3730_3730: self = .archive
        case 0xFB49_4651, 0x564D_444B, 0x7864_6876: self = .disk
        case _ where start & 0xFFFF == 0x8B1F || start & 0xFF_FFFF == 0x68_5A42: self = .compressed
        case _ where start & 0xFFFF == 0x5A4D: self = .efiProgram
        case _ where image.uint32(257) == 0x6174_7375: self = .archive
        case _ where ForeignImage.isDisk(image): self = .disk
        case _ where ForeignImage.isText(image): self = .text
        default: return nil
        }
    }

    /// The signature of VDI, ISO 9660 or a GUID partition table; or a partition table that is followed by something.
    private static func isDisk(_ image: ImageBytes) -> Bool {
        if image.uint32(64) == 0xBEDA_107F || image.uint32(0x8001) == 0x3030_4443 || image.uint64(512) == 0x5452_4150_2049_4645 {
            return true
        }
        guard image.hasBootSignature, image.count > 512, image.count & 511 == 0 else { return false }
        var partitions = 0
        for entry in 0..<UInt64(4) {
            let place = 446 + 16 * entry
            guard (image.uint8(place) ?? 1) & 0x7F == 0 else { return false }
            if image.uint8(place + 4) != 0, image.uint32(place + 8) != 0, image.uint32(place + 12) != 0 { partitions += 1 }
        }
        return partitions > 0
    }

    /// The beginning is UTF-8 without control characters other than tabs and line ends (9 to 13).
    private static func isText(_ image: ImageBytes) -> Bool {
        guard image.count >= 4 else { return false }
        var following = 0
        for position in 0..<min(image.count, 512) {
            let byte = image.uint8(position) ?? 0
            if following > 0 {
                guard byte & 0xC0 == 0x80 else { return false }
                following -= 1
            } else if byte >= 0x80 {
                guard (0xC2...0xF4).contains(byte) else { return false }
                following = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3
            } else {
                guard byte >= 0x20 && byte != 0x7F || (9...13).contains(byte) else { return false }
            }
        }
        return true
    }
}

extension ImageBytes {
    /// 55H, AAH at the end of the first sector.
    var hasBootSignature: Bool { uint16(510) == 0xAA55 }
}

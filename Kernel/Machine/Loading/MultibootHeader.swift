/// The multiboot 1 header of a guest image (Multiboot Specification 0.6.96, 3.1 "OS image format").
struct MultibootHeader {
    static var magic: UInt32 { 0x1BAD_B002 }
    /// Flag bit 16: the header itself says where to load.
    static var hasAddressFields: UInt32 { 1 << 16 }
    /// Flags that Martlet heeds: modules on page boundaries, memory information, address fields.
    static var understood: UInt32 { 1 << 0 | 1 << 1 | hasAddressFields }

    /// Where in the file the header is.
    let offset: UInt64
    let flags: UInt32

    /// The header's length: its three words, and the address fields if used.
    var size: UInt64 { MultibootHeader.size(flags) }
    private static func size(_ flags: UInt32) -> UInt64 { flags & hasAddressFields == 0 ? 12 : 32 }

    /// Finds the header: wholly in the first 8192 bytes, on a 4-byte boundary, with a checksum that makes its words sum to 0.
    init?(in image: ImageBytes) {
        var position: UInt64 = 0
        while position < 8192 {
            if image.uint32(position) == MultibootHeader.magic, let flags = image.uint32(position + 4),
                let checksum = image.uint32(position + 8), MultibootHeader.magic &+ flags &+ checksum == 0,
                position + MultibootHeader.size(flags) <= 8192
            {
                offset = position
                self.flags = flags
                return
            }
            position += 4
        }
        return nil
    }

    /// Flags of features that a loader must understand or refuse (bits 0 to 15), and Martlet does not.
    var unsupportedFlags: UInt32 { flags & 0xFFFF & ~MultibootHeader.understood }

    /// The address fields.
    struct Addresses {
        var header: UInt32
        var load: UInt32
        var loadEnd: UInt32
        var bssEnd: UInt32
        var entry: UInt32
    }

    func addresses(in image: ImageBytes) -> Addresses? {
        guard flags & MultibootHeader.hasAddressFields != 0, let header = image.uint32(offset + 12),
            let load = image.uint32(offset + 16), let loadEnd = image.uint32(offset + 20),
            let bssEnd = image.uint32(offset + 24), let entry = image.uint32(offset + 28)
        else { return nil }
        return Addresses(header: header, load: load, loadEnd: loadEnd, bssEnd: bssEnd, entry: entry)
    }
}

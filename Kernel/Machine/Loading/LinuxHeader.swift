/// The setup header of a Linux kernel image, checked (Linux documentation, "The Linux/x86 Boot Protocol").
struct LinuxHeader: Equatable {
    /// Where such an image begins to execute.
    enum Entry: Equatable {
        /// In 64-bit mode, 200H after the load address.
        case long
        /// In flat protected mode, at the load address.
        case protected
        /// In real mode, in its setup code, which asks the BIOS.
        case realMode
    }

    /// "HdrS".
    static var magic: UInt32 { 0x5372_6448 }
    /// Everything the checks rely on exists since 2.06 (Linux 2.6.22): the maximum command line size came last.
    static var oldestVersion: UInt16 { 0x206 }
    /// Where the header begins in the image and in the boot parameters, and by where it must end in the latter.
    static var start: UInt64 { 0x1F1 }
    static var latestEnd: UInt64 { 0x290 }
    /// Where a kernel that is not relocatable is loaded.
    static var usualAddress: UInt64 { 0x10_0000 }

    let version: UInt16
    /// The boot sector and the setup code; the kernel proper follows.
    let setupSize: UInt64
    /// Where the header ends in the image.
    let end: UInt64
    let entry: Entry
    /// LOADED_HIGH: the kernel proper goes to 1 MiB or above.
    let isLoadedHigh: Bool
    /// Where the kernel proper is loaded, if high.
    let loadAddress: UInt64
    /// Where it needs memory once it runs, and how much; 0 where the protocol does not tell yet.
    let runtimeStart: UInt64
    let runtimeSize: UInt64
    let commandLineLimit: UInt64
    /// The highest address that the initial RAM disk may have.
    let initialRAMDiskLimit: UInt64

    /// Whether the image has a setup header.
    static func isLinux(_ image: ImageBytes) -> Bool { image.uint32(0x202) == magic }

    init(_ image: ImageBytes) throws(ImageError) {
        let sectors = UInt64(image.uint8(0x1F1) ?? 0)
        setupSize = 512 * (1 + (sectors == 0 ? 4 : sectors))
        guard image.uint16(0x1FE) == 0xAA55 else { throw .alteredLinuxHeader(what: "boot sector signature") }
        guard image.uint8(0x200) == 0xEB else { throw .alteredLinuxHeader(what: "jump over the header") }
        guard let version = image.uint16(0x206) else { throw .truncatedLinux(needed: setupSize, size: image.count) }
        guard version >= LinuxHeader.oldestVersion else { throw .linuxTooOld(version: version) }
        self.version = version
        // The size is in paragraphs, rounded up.
        let paragraphs = UInt64(image.uint32(0x1F4) ?? 0)
        guard paragraphs > 0 else { throw .alteredLinuxHeader(what: "kernel size") }
        let needed = setupSize + 16 * (paragraphs - 1) + 1
        guard image.count >= needed else { throw .truncatedLinux(needed: needed, size: image.count) }
        end = 0x202 + UInt64(image.uint8(0x201) ?? 0)
        guard end >= LinuxHeader.leastEnd(version), end <= min(setupSize, LinuxHeader.latestEnd) else {
            throw .alteredLinuxHeader(what: "header length")
        }
        let kernelSize = image.count - setupSize
        if version >= 0x208 {
            let offset = UInt64(image.uint32(0x248) ?? 0)
            guard offset + UInt64(image.uint32(0x24C) ?? 0) <= kernelSize else {
                throw .alteredLinuxHeader(what: "place of the compressed kernel")
            }
        }
        isLoadedHigh = (image.uint8(0x211) ?? 0) & 1 != 0
        let isLong = version >= 0x20C && (image.uint16(0x236) ?? 0) & 1 != 0 && kernelSize > 0x200
        // Without an entry point of its own, the kernel proper is meant to be entered only by its setup code.
        let hasEntry = UInt64(image.uint32(0x214) ?? 0) == LinuxHeader.usualAddress
        entry = !isLoadedHigh ? .realMode : isLong ? .long : hasEntry ? .protected : .realMode
        let (address, start) = try LinuxHeader.addresses(image, version)
        // Setup code jumps to where the header says the kernel is, which is not the preferred address.
        loadAddress = entry == .realMode ? LinuxHeader.usualAddress : address
        runtimeStart = start
        runtimeSize = version >= 0x20A ? UInt64(image.uint32(0x260) ?? 0) : 0
        commandLineLimit = UInt64(image.uint32(0x238) ?? 0)
        initialRAMDiskLimit = UInt64(image.uint32(0x22C) ?? 0)
    }

    /// Where the fields of a version end.
    private static func leastEnd(_ version: UInt16) -> UInt64 {
        switch version {
        case ..<0x207: 0x23C
        case ..<0x208: 0x248
        case ..<0x209: 0x250
        case ..<0x20A: 0x258
        case ..<0x20B: 0x264
        case ..<0x20F: 0x268
        default: 0x26C
        }
    }

    /// Where the kernel proper is to be loaded, and where it will then run.
    private static func addresses(_ image: ImageBytes, _ version: UInt16) throws(ImageError) -> (UInt64, UInt64) {
        let isRelocatable = image.uint8(0x234) ?? 0 != 0
        let alignment = UInt64(image.uint32(0x230) ?? 0)
        guard !isRelocatable || alignment > 0 && alignment & (alignment - 1) == 0 else {
            throw .alteredLinuxHeader(what: "alignment")
        }
        guard version >= 0x20A else { return (usualAddress, usualAddress) }
        let preferred = image.uint64(0x258) ?? 0
        guard preferred >= usualAddress, preferred <= UInt64(UInt32.max) else {
            throw .alteredLinuxHeader(what: "preferred address")
        }
        guard isRelocatable else { return (usualAddress, preferred) }
        let start = (preferred + alignment - 1) & ~(alignment - 1)
        return (start, start)
    }
}

import Devices
import Memory

/// Puts a guest image and its modules into guest RAM.
///
/// A Linux kernel is loaded by its boot protocol, a multiboot image by the Multiboot Specification 0.6.96; anything else
/// that is not an ELF file is a flat binary, loaded at 7C00H as firmware loads a boot sector.
public struct GuestLoader {
    /// Where a flat binary goes.
    public static var flatAddress: UInt64 { 0x7C00 }
    /// The end of conventional memory, above which a PC keeps its extended BIOS data area.
    public static var conventionalEnd: UInt64 { FirmwareLayout.conventionalEnd }
    /// Where the boot information of a multiboot guest goes, up to `conventionalEnd`.
    public static var bootArea: UInt64 { 0x90000 }
    /// A guest needs its first MiB, whose memory map is a PC's, and some memory above it.
    public static var leastRAM: UInt64 { 2 << 20 }

    let memory: GuestMemory
    /// The code of the BIOS, which begins at `FirmwareLayout.bios`.
    let bios: UnsafeRawBufferPointer
    let processors: FirmwareTables.Processors
    /// The time of day at the start, for the BIOS.
    let secondOfDay: UInt64
    /// A flat binary needs no signature.
    public var takesFlat = false
    /// The end of what is loaded so far: modules go after it.
    private var loadedEnd: UInt64 = 1 << 20

    public init(
        _ memory: GuestMemory, bios: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        processors: FirmwareTables.Processors = .init(count: 1), unixSeconds: UInt64 = 0
    ) {
        self.memory = memory
        self.bios = bios
        self.processors = processors
        secondOfDay = unixSeconds % 86_400
    }

    /// Loads an image, and the modules `module(0)` up to `module(moduleCount - 1)`.
    public mutating func load(
        _ guest: GuestModule, moduleCount: Int, module: (Int) -> GuestModule
    ) throws(ImageError) -> GuestStart {
        let ram = memory.size.bytes
        guard ram >= GuestLoader.leastRAM else { throw .notEnoughRAM(needed: GuestLoader.leastRAM, size: ram) }
        guard memory.size <= AddressMap.mostRAM else { throw .tooMuchRAM(size: ram, limit: AddressMap.mostRAM.bytes) }
        guard guest.image.count > 0 else { throw .empty }
        installFirmware()
        if LinuxHeader.isLinux(guest.image) {
            return try loadLinux(guest, moduleCount: moduleCount, module: module)
        }
        guard let header = MultibootHeader(in: guest.image) else {
            guard !ELFImage.isELF(guest.image) else { throw .elfWithoutMultibootHeader }
            try loadFlat(guest.image)
            return .realMode
        }
        guard guest.image.part(header.offset, count: header.size) != nil else {
            throw .truncatedLoadRange(needed: header.offset + header.size, size: guest.image.count)
        }
        guard header.unsupportedFlags == 0 else { throw .unsupportedFlags(header.unsupportedFlags) }
        let entry: UInt32
        if let addresses = header.addresses(in: guest.image) {
            entry = try load(guest.image, at: addresses, headerOffset: header.offset)
        } else {
            entry = try loadELF(guest.image)
        }
        var information = BootInformation(memory)
        try information.add(commandLine: guest.commandLine)
        for index in 0..<moduleCount {
            let module = module(index)
            let start = try place(module.image, index: index)
            try information.addModule(start: start, size: module.image.count, words: module.commandLine)
        }
        try information.finish()
        return .multiboot(entry: entry, information: UInt32(GuestLoader.bootArea))
    }

    private func loadFlat(_ image: ImageBytes) throws(ImageError) {
        if !takesFlat, let foreign = ForeignImage(image) { throw .foreign(foreign) }
        let limit = GuestLoader.conventionalEnd - GuestLoader.flatAddress
        guard image.count <= limit, memory.copy(image.bytes, to: GuestPhysicalAddress(GuestLoader.flatAddress)) else {
            throw .flatTooLarge(size: image.count, limit: limit)
        }
        guard takesFlat || image.count < 512 || image.hasBootSignature else { throw .flatWithoutSignature }
    }

    /// Loads by the header's address fields.
    private mutating func load(
        _ image: ImageBytes, at addresses: MultibootHeader.Addresses, headerOffset: UInt64
    ) throws(ImageError) -> UInt32 {
        let load = UInt64(addresses.load)
        guard addresses.header >= addresses.load, UInt64(addresses.header - addresses.load) <= headerOffset else {
            throw .invalidAddressFields
        }
        let offset = headerOffset - UInt64(addresses.header - addresses.load)
        // A load end of 0 means the rest of the file; a bss end of 0 means no bss.
        let fileEnd = addresses.loadEnd == 0 ? load + (image.count - offset) : UInt64(addresses.loadEnd)
        guard fileEnd >= load else { throw .invalidAddressFields }
        let end = addresses.bssEnd == 0 ? fileEnd : UInt64(addresses.bssEnd)
        guard end >= fileEnd, UInt64(addresses.entry) >= load, UInt64(addresses.entry) < end else {
            throw .invalidAddressFields
        }
        guard let bytes = image.part(offset, count: fileEnd - load) else {
            throw .truncatedLoadRange(needed: offset + (fileEnd - load), size: image.count)
        }
        try loadSegment(bytes, at: load, memorySize: end - load, index: 0)
        return addresses.entry
    }

    private mutating func loadELF(_ image: ImageBytes) throws(ImageError) -> UInt32 {
        let elf = try ELFImage(image)
        // As in GRUB: an address that is not a virtual one of the image may be a physical one.
        var virtualEntry: UInt64?
        var physicalEntry: UInt64?
        for index in 0..<elf.headerCount {
            guard let segment = elf.segment(index) else { continue }
            guard segment.fileSize <= segment.memorySize else { throw .segmentLargerInFile(index: index) }
            guard !segment.physicalAddress.addingReportingOverflow(segment.memorySize).overflow,
                !segment.virtualAddress.addingReportingOverflow(segment.memorySize - 1).overflow
            else { throw .segmentWraps(index: index) }
            // A segment with no bytes in the file has no place in it.
            guard let bytes = image.part(segment.fileSize == 0 ? 0 : segment.offset, count: segment.fileSize) else {
                throw .segmentOutsideFile(index: index)
            }
            try refuseOverlap(of: segment, index, in: elf)
            try loadSegment(bytes, at: segment.physicalAddress, memorySize: segment.memorySize, index: index)
            let distance = elf.entry &- segment.virtualAddress
            if distance < segment.memorySize { virtualEntry = segment.physicalAddress + distance }
            if elf.entry &- segment.physicalAddress < segment.memorySize { physicalEntry = elf.entry }
        }
        guard loadedSomething else { throw .noSegments }
        guard let entry = virtualEntry ?? physicalEntry, let address = UInt32(exactly: entry) else {
            throw .entryOutsideImage(elf.entry)
        }
        return address
    }

    private func refuseOverlap(of segment: ELFImage.Segment, _ index: Int, in elf: ELFImage) throws(ImageError) {
        for other in 0..<index {
            guard let earlier = elf.segment(other) else { continue }
            if segment.physicalAddress < earlier.physicalAddress + earlier.memorySize,
                earlier.physicalAddress < segment.physicalAddress + segment.memorySize
            {
                throw .segmentsOverlap(other, index)
            }
        }
    }

    private var loadedSomething = false

    private mutating func loadSegment(
        _ bytes: UnsafeRawBufferPointer, at address: UInt64, memorySize: UInt64, index: Int
    ) throws(ImageError) {
        let end = address + memorySize
        guard memory.contains(GuestPhysicalAddress(address), count: memorySize) else {
            throw .segmentOutsideRAM(index: index, start: address, end: end)
        }
        guard end <= GuestLoader.bootArea || address >= GuestLoader.conventionalEnd else {
            throw .segmentInBootArea(index: index, start: address, end: end)
        }
        _ = memory.copy(bytes, to: GuestPhysicalAddress(address))
        let fileSize = UInt64(bytes.count)
        _ = memory.zero(GuestPhysicalAddress(address + fileSize), count: memorySize - fileSize)
        loadedSomething = true
        loadedEnd = max(loadedEnd, end)
    }

    /// Puts a module after everything else, on a page boundary.
    private mutating func place(_ image: ImageBytes, index: Int) throws(ImageError) -> UInt64 {
        let start = (loadedEnd + 0xFFF) & ~0xFFF
        let end = memory.size.bytes
        let free = end > start ? end - start : 0
        guard start <= end, image.count <= free, memory.copy(image.bytes, to: GuestPhysicalAddress(start)) else {
            throw .moduleDoesNotFit(index: index, size: image.count, free: free)
        }
        loadedEnd = start + image.count
        return start
    }
}

import Devices
import Memory

/// Loading a Linux kernel image (bzImage): the kernel, its command line, the initial RAM disk and the boot parameters.
///
/// The entry is chosen by the header: 64-bit if the kernel has one (XLF_KERNEL_64), as distributions' kernels and
/// memtest86+x64.bin; else 32-bit if the header names an entry point (code32_start is 100000H), as memtest86+ia32.bin; else
/// real mode with a BIOS, as iPXE's ipxe.lkrn and whatever is not loaded high.
extension GuestLoader {
    mutating func loadLinux(
        _ guest: GuestModule, moduleCount: Int, module: (Int) -> GuestModule
    ) throws(ImageError) -> GuestStart {
        let header = try LinuxHeader(guest.image)
        let isRealMode = header.entry == .realMode
        let words = try commandLine(
            guest.commandLine, header,
            room: FirmwareLayout.conventionalEnd
                - (isRealMode ? LinuxLayout.setupCommandLine : LinuxLayout.commandLine))
        let kernelEnd = try loadKernel(guest.image, header)
        let disk = try loadInitialRAMDisk(header, above: kernelEnd, moduleCount: moduleCount, module: module)
        guard !isRealMode else {
            try loadSetup(guest.image, header, words, disk)
            return .realModeSetup(segment: UInt16(LinuxLayout.setup >> 4), stackPointer: LinuxLayout.setupStack)
        }
        writeBootParameters(guest.image, header, words, disk)
        writeDescriptorTable(header.entry)
        guard header.entry == .long else {
            return .linux32(
                entry: UInt32(truncatingIfNeeded: header.loadAddress),
                bootParameters: UInt32(truncatingIfNeeded: LinuxLayout.bootParameters))
        }
        writePageTables()
        return .linux64(entry: header.loadAddress + 0x200, bootParameters: LinuxLayout.bootParameters)
    }

    /// The command line without the image's own name.
    private func commandLine(
        _ words: UnsafeRawBufferPointer, _ header: LinuxHeader, room: UInt64
    ) throws(ImageError) -> UnsafeRawBufferPointer {
        var start = 0
        while start < words.count, words[start] != 0x20 { start += 1 }
        while start < words.count, words[start] == 0x20 { start += 1 }
        let limit = min(header.commandLineLimit, room - 1)
        guard UInt64(words.count - start) <= limit else {
            throw .commandLineTooLong(size: UInt64(words.count - start), limit: limit)
        }
        return UnsafeRawBufferPointer(rebasing: words[start...])
    }

    /// Copies the kernel proper, all of the file after the setup code.
    /// - Returns: the end of what it needs.
    private func loadKernel(_ image: ImageBytes, _ header: LinuxHeader) throws(ImageError) -> UInt64 {
        let size = image.count - header.setupSize
        guard let kernel = image.part(header.setupSize, count: size) else {
            throw .truncatedLinux(needed: header.setupSize, size: image.count)
        }
        guard header.isLoadedHigh || size <= LinuxLayout.setup - LinuxLayout.lowKernel else {
            throw .linuxTooLargeForLow(size: size, limit: LinuxLayout.setup - LinuxLayout.lowKernel)
        }
        let address = header.isLoadedHigh ? header.loadAddress : LinuxLayout.lowKernel
        let end = max(address + size, header.runtimeStart + header.runtimeSize)
        guard end <= memory.size.bytes, memory.copy(kernel, to: GuestPhysicalAddress(address)) else {
            throw .notEnoughRAM(needed: end, size: memory.size.bytes)
        }
        return max(end, FirmwareLayout.end)
    }

    /// Copies the modules as one initial RAM disk, each on a 4-byte boundary, as high as the kernel and the RAM allow: the
    /// kernel may use memory after itself before it knows of the disk.
    private func loadInitialRAMDisk(
        _ header: LinuxHeader, above kernelEnd: UInt64, moduleCount: Int, module: (Int) -> GuestModule
    ) throws(ImageError) -> (start: UInt64, size: UInt64) {
        var size: UInt64 = 0
        for index in 0..<moduleCount { size = (size + 3) & ~3 + module(index).image.count }
        guard size > 0 else { return (0, 0) }
        let top = min(memory.size.bytes, header.initialRAMDiskLimit + 1) & ~0xFFF
        let bottom = (kernelEnd + 0xFFF) & ~0xFFF
        let free = top > bottom ? top - bottom : 0
        guard size <= free else { throw .initialRAMDiskDoesNotFit(size: size, free: free) }
        let start = (top - size) & ~0xFFF
        var next = start
        for index in 0..<moduleCount {
            let padding = (0 &- next) & 3
            _ = memory.zero(GuestPhysicalAddress(next), count: padding)
            _ = memory.copy(module(index).image.bytes, to: GuestPhysicalAddress(next + padding))
            next += padding + module(index).image.count
        }
        return (start, size)
    }

    /// Stores the command line, zero-terminated.
    private func store(_ words: UnsafeRawBufferPointer, at address: UInt64) {
        _ = memory.copy(words, to: GuestPhysicalAddress(address))
        memory.write(0, count: 1, at: GuestPhysicalAddress(address + UInt64(words.count)))
    }

    /// The zero page ("The Linux/x86 Boot Protocol", "Zero Page").
    ///
    /// The screen is left zero: with a text mode, Linux would drive a VGA, which is not there.
    private func writeBootParameters(
        _ image: ImageBytes, _ header: LinuxHeader, _ words: UnsafeRawBufferPointer, _ disk: (start: UInt64, size: UInt64)
    ) {
        let page = LinuxLayout.bootParameters
        store(words, at: LinuxLayout.commandLine)
        _ = memory.zero(GuestPhysicalAddress(page), count: 4096)
        if let bytes = image.part(LinuxHeader.start, count: header.end - LinuxHeader.start) {
            _ = memory.copy(bytes, to: GuestPhysicalAddress(page + LinuxHeader.start))
        }
        fillHeader(at: page, commandLine: LinuxLayout.commandLine, disk)
        put(header.loadAddress, count: 4, at: page + 0x214)
        if header.version >= 0x209 { put(0, count: 8, at: page + 0x250) }  // no setup_data
        if header.version >= 0x20E { put(FirmwareLayout.start, count: 8, at: page + 0x70) }  // ACPI's root pointer
        let map = AddressMap(ram: memory.size)
        put(UInt64(map.count), count: 1, at: page + 0x1E8)
        for index in 0..<map.count { write(map[index], at: page + 0x2D0 + 20 * UInt64(index)) }
        // The older ways of reporting extended memory, in KiB.
        let extended = memory.size.kibibytes - 1024
        put(min(extended, 0xFFFF), count: 2, at: page + 0x02)
        put(extended, count: 4, at: page + 0x1E0)
    }

    /// Loads the boot sector and the setup code, as a boot loader does for a real-mode entry.
    private func loadSetup(
        _ image: ImageBytes, _ header: LinuxHeader, _ words: UnsafeRawBufferPointer, _ disk: (start: UInt64, size: UInt64)
    ) throws(ImageError) {
        guard header.setupSize <= LinuxLayout.mostSetup else {
            throw .linuxSetupTooLarge(size: header.setupSize, limit: LinuxLayout.mostSetup)
        }
        guard let setup = image.part(0, count: header.setupSize) else { return }
        _ = memory.copy(setup, to: GuestPhysicalAddress(LinuxLayout.setup))
        store(words, at: LinuxLayout.setupCommandLine)
        fillHeader(at: LinuxLayout.setup, commandLine: LinuxLayout.setupCommandLine, disk)
        let flags = UInt64(image.uint8(0x211) ?? 0)
        put(flags | 0x80, count: 1, at: LinuxLayout.setup + 0x211)  // CAN_USE_HEAP
        put(UInt64(LinuxLayout.setupStack) - 0x200, count: 2, at: LinuxLayout.setup + 0x224)
    }

    /// What every boot loader writes into the setup header.
    private func fillHeader(at page: UInt64, commandLine: UInt64, _ disk: (start: UInt64, size: UInt64)) {
        put(0xFFFF, count: 2, at: page + 0x1FA)  // the usual video mode
        put(0xFF, count: 1, at: page + 0x210)  // a boot loader without a number of its own
        put(disk.start, count: 4, at: page + 0x218)
        put(disk.size, count: 4, at: page + 0x21C)
        put(commandLine, count: 4, at: page + 0x228)
    }

    /// Flat segments under the selectors 10H (code) and 18H (data).
    private func writeDescriptorTable(_ entry: LinuxHeader.Entry) {
        put(0, count: 8, at: LinuxLayout.descriptorTable)
        put(0, count: 8, at: LinuxLayout.descriptorTable + 8)
        put(entry == .long ? 0x00AF_9B00_0000_FFFF : 0x00CF_9B00_0000_FFFF, count: 8, at: LinuxLayout.descriptorTable + 0x10)
        put(0x00CF_9300_0000_FFFF, count: 8, at: LinuxLayout.descriptorTable + 0x18)
    }

    /// The first 4 GiB, each address to itself, in pages of 2 MiB: present and writable.
    private func writePageTables() {
        let pointers = LinuxLayout.pageTables + 0x1000
        let directories = pointers + 0x1000
        _ = memory.zero(GuestPhysicalAddress(LinuxLayout.pageTables), count: 0x2000)
        put(pointers | 3, count: 8, at: LinuxLayout.pageTables)
        for index in 0..<UInt64(4) { put((directories + index << 12) | 3, count: 8, at: pointers + 8 * index) }
        for index in 0..<UInt64(2048) { put(index << 21 | 0x83, count: 8, at: directories + 8 * index) }
    }

    private func put(_ value: UInt64, count: Int, at address: UInt64) {
        memory.write(value, count: count, at: GuestPhysicalAddress(address))
    }
}

import Devices
import Memory
import Text

/// What is wrong with a guest image or one of its modules.
public enum ImageError: Error, Equatable, Sendable {
    case empty
    case flatTooLarge(size: UInt64, limit: UInt64)
    case flatWithoutSignature
    case foreign(ForeignImage)
    case elfWithoutMultibootHeader
    case unsupportedFlags(UInt32)
    case invalidAddressFields
    case truncatedLoadRange(needed: UInt64, size: UInt64)
    case truncatedELF(what: StaticString)
    case notAnELF
    case wrongMachine(UInt16)
    case notExecutable(UInt16)
    case noSegments
    case segmentOutsideFile(index: Int)
    case segmentWraps(index: Int)
    case segmentLargerInFile(index: Int)
    case segmentOutsideRAM(index: Int, start: UInt64, end: UInt64)
    case segmentsOverlap(Int, Int)
    case segmentInBootArea(index: Int, start: UInt64, end: UInt64)
    case entryOutsideImage(UInt64)
    case moduleDoesNotFit(index: Int, size: UInt64, free: UInt64)
    case bootInformationTooLong
    case notEnoughRAM(needed: UInt64, size: UInt64)
    case tooMuchRAM(size: UInt64, limit: UInt64)
    case alteredLinuxHeader(what: StaticString)
    case truncatedLinux(needed: UInt64, size: UInt64)
    case linuxTooOld(version: UInt16)
    case linuxSetupTooLarge(size: UInt64, limit: UInt64)
    case linuxTooLargeForLow(size: UInt64, limit: UInt64)
    case commandLineTooLong(size: UInt64, limit: UInt64)
    case initialRAMDiskDoesNotFit(size: UInt64, free: UInt64)

    public static func == (left: Self, right: Self) -> Bool {
        Line("\(left)") == Line("\(right)")
    }
}

extension ImageError: TextConvertible {
    public func write(to output: inout Line) {
        output.write(words)
    }

    private var words: Line {
        switch self {
        case .empty: "the guest image is empty; give \(ImageError.guests)"
        case .flatTooLarge(let size, let limit):
            "the guest image has neither a Linux nor a multiboot header and is too large for a flat binary: \(size) bytes, at most \(limit)"
        case .elfWithoutMultibootHeader:
            "the guest image is an ELF file without a multiboot header, wholly in its first 8192 bytes; add one"
        case .flatWithoutSignature:
            "the guest image has no header, and no boot sector signature (55H, AAH) at 510; if it is a flat binary anyway, say FLAT=on"
        case .foreign(.compressed): "the guest image is compressed; unpack it first, as by gunzip, unxz or unzstd"
        case .foreign(.archive): "the guest image is an archive; an initial RAM disk is a module for a Linux kernel"
        case .foreign(.efiProgram): "the guest image is an EFI program, and a guest has no EFI; give \(ImageError.guests)"
        case .foreign(.disk):
            "the guest image is a disk image, and guests have no disks; give the kernel on it as the guest, its initial RAM disk as a module"
        case .foreign(.text): "the guest image is a text file; give \(ImageError.guests)"
        case .unsupportedFlags(let flags):
            "the guest's multiboot header asks for something that Martlet does not offer: flags \(hex: flags)"
        case .invalidAddressFields:
            "the address fields of the guest's multiboot header contradict each other (header, load, load end, bss end, entry)"
        case .truncatedLoadRange(let needed, let size):
            "the guest image is cut off: its multiboot header wants \(needed) bytes of a file of \(size)"
        case .truncatedELF(let what): "the guest image is a cut-off ELF file: its \(what) is not all there"
        case .notAnELF: "the guest image has a multiboot header without address fields, and is not an ELF file"
        case .wrongMachine(let machine):
            "the guest image is an ELF file for another machine (e_machine \(machine)); Martlet runs 3 (x86) and 62 (x86-64)"
        case .notExecutable(let type): "the guest image is an ELF file of type \(type); Martlet runs executables (type 2)"
        case .noSegments: "the guest image is an ELF file that loads nothing: it has no PT_LOAD segment"
        case .segmentOutsideFile(let index): "segment \(index) of the guest's ELF image lies outside the file: is it cut off?"
        case .segmentLargerInFile(let index):
            "segment \(index) of the guest's ELF image has more bytes in the file than in memory (p_filesz above p_memsz); relink it"
        case .segmentWraps(let index): "segment \(index) of the guest's ELF image wraps around the address space"
        case .segmentOutsideRAM(let index, let start, let end):
            "segment \(index) of the guest image lies outside its RAM: \(hex: start) to \(hex: end); \(ImageError.advice(end))"
        case .segmentsOverlap(let first, let second): "segments \(first) and \(second) of the guest's ELF image overlap"
        case .segmentInBootArea(let index, let start, let end):
            "segment \(index) of the guest image, \(hex: start) to \(hex: end), covers 0x90000 to 0x9fbff, where its boot information goes"
        case .entryOutsideImage(let entry):
            "the guest image's entry point \(hex: entry) is neither a virtual nor a physical address of what it loads"
        case .moduleDoesNotFit(let index, let size, let free):
            "module \(index) does not fit the guest's RAM: \(size) bytes, \(free) are free; \(ImageError.advice(size))"
        case .bootInformationTooLong:
            "the guest's command line, modules and their words take more than 64512 bytes; shorten them"
        case .notEnoughRAM(let needed, let size):
            "the guest has too little RAM: it needs at least \(needed) bytes and has \(size); \(ImageError.advice(needed))"
        case .tooMuchRAM(let size, let limit):
            "a guest has at most \(limit >> 20) MiB of RAM, below its devices, not \(size >> 20) MiB; give less with memory="
        case .alteredLinuxHeader(let what):
            "the header of the Linux kernel is damaged: its \(what) is wrong; fetch or build the image again"
        case .truncatedLinux(let needed, let size):
            "the Linux kernel is cut off: it needs \(needed) bytes and has \(size); fetch or build the image again"
        case .linuxTooOld(let version):
            "the Linux kernel speaks boot protocol \(version >> 8).\(version & 0xFF); take one with 2.6 or later (Linux 2.6.22)"
        case .linuxSetupTooLarge(let size, let limit):
            "the Linux kernel's real-mode setup code has \(size) bytes, at most \(limit) fit; take a kernel with a 32-bit entry"
        case .linuxTooLargeForLow(let size, let limit):
            "the Linux kernel is to be loaded below 640 KiB and has \(size) bytes, at most \(limit) fit; take a bzImage"
        case .commandLineTooLong(let size, let limit):
            "the command line has \(size) characters, and this kernel takes \(limit); shorten it"
        case .initialRAMDiskDoesNotFit(let size, let free):
            "the initial RAM disk does not fit the guest's RAM: \(size) bytes, \(free) are free; \(ImageError.advice(size))"
        }
    }

    private static var guests: StaticString { "a Linux kernel, a multiboot image or a flat binary" }

    /// What to do where a guest lacks RAM up to an address.
    private static func advice(_ end: UInt64) -> StaticString {
        end <= AddressMap.mostRAM.bytes
            ? "give more with memory=" : "no guest has RAM from 3072 MiB on: it must need less, or be linked lower"
    }
}

import Text
import Foundation
import Memory
import Support
import Testing

@testable import Machine

/// A loader with RAM that is filled with a pattern, so that all it writes is seen.
final class LoaderFixture {
    let ram: GuestRAM
    static let pattern: UInt8 = 0xEE

    init(size: Int = 4 << 20) {
        ram = GuestRAM(size: size)
        ram.fill(LoaderFixture.pattern)
    }

    deinit { #expect(ram.isIntactAround) }

    /// Loads an image and modules; the error instead, if there is one.
    func load(
        _ image: [UInt8], words: String = "", modules: [([UInt8], String)] = [], bios: [UInt8] = [], processors: Int = 1,
        takesFlat: Bool = false
    ) -> Result<GuestStart, ImageError> {
        var held: [UnsafeMutableRawBufferPointer] = []
        defer { for buffer in held { buffer.deallocate() } }
        func hold(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
            buffer.copyBytes(from: bytes)
            held.append(buffer)
            return UnsafeRawBufferPointer(buffer)
        }
        let guest = GuestModule(image: ImageBytes(hold(image)), commandLine: hold(Array(words.utf8)))
        let all = modules.map { GuestModule(image: ImageBytes(hold($0.0)), commandLine: hold(Array($0.1.utf8))) }
        var loader = GuestLoader(
            ram.memory, bios: hold(bios), processors: .init(count: processors), unixSeconds: 2 * 86_400 + 65_367)
        loader.takesFlat = takesFlat
        do throws(ImageError) {
            return .success(try loader.load(guest, moduleCount: all.count) { all[$0] })
        } catch {
            return .failure(error)
        }
    }

    func error(_ image: ImageBuilder, modules: [([UInt8], String)] = [], words: String = "") -> ImageError? {
        guard case .failure(let error) = load(image.bytes, words: words, modules: modules) else { return nil }
        return error
    }

    func text(at address: UInt32) -> String {
        var bytes: [UInt8] = []
        var place = Int(address)
        while ram[place] != 0 {
            bytes.append(ram[place])
            place += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite struct GuestLoaderTests {
    static let multiboot = GuestStart.multiboot(entry: 0x10_0010, information: 0x90000)

    /// A multiboot image with address fields: header at file offset 0x20, loaded to 1 MiB.
    static func addressed(
        header: UInt32 = 0x10_0020, load: UInt32 = 0x10_0000, loadEnd: UInt32 = 0x10_0200, bssEnd: UInt32 = 0x10_0300,
        entry: UInt32 = 0x10_0010
    ) -> ImageBuilder {
        var image = ImageBuilder((0..<0x200).map { UInt8($0 & 0xFF) })
        image.putMultibootHeader(at: 0x20, addresses: [header, load, loadEnd, bssEnd, entry])
        return image
    }

    // MARK: Flat binaries

    @Test(arguments: [true, false])
    func `every guest finds the BIOS's vectors and data, an empty screen and the time of day`(isMultiboot: Bool) {
        let fixture = LoaderFixture()
        let image = isMultiboot ? Self.addressed().bytes : [0xF4]
        let bios = (0..<0x8000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 >> 8) }
        _ = fixture.load(image, bios: bios)
        let ram = fixture.ram
        #expect(ram[0..<0x46C] == Array(bios[..<0x46C]) && ram[0x470..<0x500] == Array(bios[0x470..<0x500]))
        #expect(ram.word32(0x46C) == 1_190_105 && ram[0x9FC00] == 1)  // at 18:09:27
        for place in [0x500, 0xB7FFF, 0xB8FA0] { #expect(ram[place] == LoaderFixture.pattern) }
        for place in stride(from: 0xB8000, to: 0xB8FA0, by: 2) { #expect(ram.word16(place) == 0x0720) }
    }

    @Test func `a flat binary is loaded at 7C00H, unchanged, with nothing around it`() {
        let fixture = LoaderFixture()
        var image = (0..<1000).map { UInt8($0 % 256) }
        image[510...511] = [0x55, 0xAA]
        #expect(fixture.load(image) == .success(.realMode))
        #expect(fixture.ram[0x7C00..<0x7C00 + 1000] == image)
        #expect(fixture.ram[0x7BFF] == LoaderFixture.pattern && fixture.ram[0x7C00 + 1000] == LoaderFixture.pattern)
    }

    @Test func `a flat binary may fill conventional memory and no more`() {
        let limit = 0x9FC00 - 0x7C00
        #expect(LoaderFixture().load([UInt8](repeating: 1, count: limit), takesFlat: true) == .success(.realMode))
        #expect(
            LoaderFixture().error(ImageBuilder(size: limit + 1)) == .flatTooLarge(size: UInt64(limit + 1), limit: UInt64(limit)))
    }

    @Test func `an empty image is refused`() { #expect(LoaderFixture().error(ImageBuilder()) == .empty) }

    @Test func `RAM below 2 MiB is refused`() {
        let needed: UInt64 = 2 << 20
        let size = needed - 4096
        #expect(LoaderFixture(size: Int(size)).error(ImageBuilder([0xF4])) == .notEnoughRAM(needed: needed, size: size))
        #expect(LoaderFixture(size: Int(needed)).load([0xF4]) == .success(.realMode))
    }

    // MARK: Multiboot headers

    @Test func `a header is found at any 4-byte boundary of the first 8192 bytes, and nowhere else`() {
        for (offset, isFound) in [
            (0, true), (4, true), (8180, true), (8184, false), (8188, false), (8192, false), (2, false), (8196, false),
        ] {
            var image = ImageBuilder(size: 9000)
            image.putMultibootHeader(at: offset, flags: 1 << 3)
            #expect(LoaderFixture().error(image) == (isFound ? .unsupportedFlags(8) : .flatWithoutSignature), "\(offset)")
        }
        // Address fields are of the header.
        for (offset, isFound) in [(8160, true), (8164, false)] {
            var image = ImageBuilder(size: 9000)
            image.putMultibootHeader(at: offset, flags: 1 << 3, addresses: [0, 0, 0, 0, 0])
            #expect(LoaderFixture().error(image) == (isFound ? .unsupportedFlags(8) : .flatWithoutSignature), "\(offset)")
        }
    }

    @Test func `a header that the file does not hold whole is cut off`() {
        var image = ImageBuilder(size: 0x40)
        image.putMultibootHeader(at: 0x24, flags: 3 | 1 << 16)
        #expect(LoaderFixture().error(image) == .truncatedLoadRange(needed: 0x44, size: 0x40))
    }

    @Test func `a header with a wrong checksum is none`() {
        var image = ImageBuilder(size: 64)
        image.putMultibootHeader(at: 0, flags: 1 << 3)
        image.bytes[8] ^= 1
        #expect(LoaderFixture().load(image.bytes) == .success(.realMode))
    }

    @Test(arguments: [2, 3, 15] as [UInt32]) func `flags that ask for something that Martlet lacks are refused`(bit: UInt32) {
        var image = ImageBuilder(size: 64)
        image.putMultibootHeader(at: 0, flags: 3 | 1 << bit)
        #expect(LoaderFixture().error(image) == .unsupportedFlags(1 << bit))
    }

    @Test func `flags that a loader may ignore are ignored`() {
        var image = Self.addressed()
        image.putMultibootHeader(at: 0x20, flags: 1 << 16 | 1 << 20, addresses: [0x10_0020, 0x10_0000, 0x10_0200, 0, 0x10_0010])
        #expect(LoaderFixture().load(image.bytes) == .success(Self.multiboot))
    }

    @Test func `a multiboot image without address fields must be an ELF file`() {
        var image = ImageBuilder(size: 64)
        image.putMultibootHeader(at: 0)
        #expect(LoaderFixture().error(image) == .notAnELF)
    }

    @Test func `an ELF file without a multiboot header is refused`() {
        var image = ImageBuilder.elf(is64Bit: true, entry: 0x10_0000, segments: [])
        image.bytes[0x800] = 0
        #expect(LoaderFixture().error(image) == .elfWithoutMultibootHeader)
    }

    // MARK: Address fields

    @Test func `address fields load the file and clear the bss behind it`() {
        let fixture = LoaderFixture()
        let image = Self.addressed()
        #expect(fixture.load(image.bytes) == .success(Self.multiboot))
        #expect(fixture.ram[0x10_0000..<0x10_0200] == image.bytes)
        #expect(fixture.ram[0x10_0200..<0x10_0300].allSatisfy { $0 == 0 })
        #expect(fixture.ram[0x10_0300] == LoaderFixture.pattern)
    }

    @Test func `a load end of 0 means the whole file, a bss end of 0 means none`() {
        let fixture = LoaderFixture()
        let image = Self.addressed(loadEnd: 0, bssEnd: 0)
        #expect(fixture.load(image.bytes) == .success(Self.multiboot))
        #expect(fixture.ram[0x10_0000..<0x10_0200] == image.bytes)
        #expect(fixture.ram[0x10_0200] == LoaderFixture.pattern)
    }

    @Test func `loading may begin in the middle of the file`() {
        let fixture = LoaderFixture()
        let image = Self.addressed(header: 0x10_0000, load: 0x10_0000, loadEnd: 0x10_0100, bssEnd: 0)
        #expect(fixture.load(image.bytes) == .success(Self.multiboot))
        #expect(fixture.ram[0x10_0000..<0x10_0100] == Array(image.bytes[0x20..<0x120]))
    }

    @Test(arguments: [
        addressed(header: 0x0F_FFFF),  // the header before what is loaded
        addressed(header: 0x10_0024),  // the load would begin before the file
        addressed(loadEnd: 0x0F_FFFF, bssEnd: 0),
        addressed(bssEnd: 0x10_01FF),  // the bss ends before the file
        addressed(entry: 0x0F_FFFF), addressed(entry: 0x10_0300), addressed(loadEnd: 0x10_0000, bssEnd: 0x10_0000),
    ])
    func `address fields that contradict each other are refused`(image: ImageBuilder) {
        #expect(LoaderFixture().error(image) == .invalidAddressFields)
    }

    @Test func `address fields that want more than the file has are refused`() {
        #expect(LoaderFixture().error(Self.addressed(loadEnd: 0x10_0201)) == .truncatedLoadRange(needed: 0x201, size: 0x200))
    }

    @Test func `address fields outside RAM or in the boot area are refused`() {
        let high = Self.addressed(header: 0x3F_FF20, load: 0x3F_FF00, loadEnd: 0x40_0100, bssEnd: 0, entry: 0x3F_FF00)
        #expect(LoaderFixture().error(high) == .segmentOutsideRAM(index: 0, start: 0x3F_FF00, end: 0x40_0100))
        let last = Self.addressed(header: 0xFFFF_FE20, load: 0xFFFF_FE00, loadEnd: 0, bssEnd: 0, entry: 0xFFFF_FE00)
        #expect(LoaderFixture().error(last) == .segmentOutsideRAM(index: 0, start: 0xFFFF_FE00, end: 0x1_0000_0000))
        let boot = Self.addressed(header: 0x8_FF20, load: 0x8_FF00, loadEnd: 0x9_0001, bssEnd: 0x9_0001, entry: 0x8_FF00)
        #expect(LoaderFixture().error(boot) == .segmentInBootArea(index: 0, start: 0x8_FF00, end: 0x9_0001))
    }

    @Test func `what is no guest is told by how it begins, unless it is said to be flat`() {
        func beginning(_ bytes: [UInt8], at offset: Int = 0, size: Int = 600) -> [UInt8] {
            var image = ImageBuilder(size: size)
            image.put(bytes, at: offset)
            return image.bytes
        }
        var disk = ImageBuilder(size: 1024)
        disk.put([0x80, 0, 2, 0, 0x83, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0], at: 446)
        disk.put([0x55, 0xAA], at: 510)
        let cases: [([UInt8], ForeignImage)] = [
            (beginning([0x1F, 0x8B, 8]), .compressed), (beginning([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]), .compressed),
            (beginning(Array("BZh9".utf8)), .compressed), (beginning([0x28, 0xB5, 0x2F, 0xFD]), .compressed),
            (beginning([0x02, 0x21, 0x4C, 0x18]), .compressed), (beginning(Array("PK\u{3}\u{4}".utf8)), .compressed),
            (beginning(Array("070701".utf8)), .archive), (beginning(Array("ustar".utf8), at: 257), .archive),
            (beginning(Array("MZ".utf8)), .efiProgram),
            (beginning(Array("QFI\u{FB}".unicodeScalars.map { UInt8($0.value) })), .disk),
            (beginning(Array("CD001".utf8), at: 0x8001, size: 0x9000), .disk),
            (beginning(Array("EFI PART".utf8), at: 512), .disk),
            (disk.bytes, .disk), (Array("#!/bin/sh\necho\n".utf8), .text), (Array("Grüße, 世界 👋\n".utf8), .text),
        ]
        for (image, kind) in cases {
            #expect(LoaderFixture().error(ImageBuilder(image)) == .foreign(kind), "\(image.prefix(8))")
            #expect(LoaderFixture().load(image, takesFlat: true) == .success(.realMode))
        }
        // A boot sector alone may have partitions; an image as short as that has no place for a signature.
        #expect(LoaderFixture().load(Array(disk.bytes[..<512])) == .success(.realMode))
        #expect(LoaderFixture().load([UInt8](repeating: 0, count: 511)) == .success(.realMode))
        #expect(LoaderFixture().error(ImageBuilder(size: 512)) == .flatWithoutSignature)
        #expect(LoaderFixture().load([0xB0, 0x41, 0xE6, 0xE9, 0xE6, 0xF4]) == .success(.realMode))
    }

    // MARK: ELF

    static let plain = TestSegment(at: 0x10_0000, fileSize: 0x100, memorySize: 0x180)

    @Test(arguments: [false, true]) func `an ELF file's segments are loaded, cleared behind, and entered`(is64Bit: Bool) {
        let fixture = LoaderFixture()
        let image = ImageBuilder.elf(
            is64Bit: is64Bit, entry: 0x10_0010,
            segments: [
                Self.plain, TestSegment(offset: 0x2000, at: 0x20_0000, fileSize: 0, memorySize: 0x40),
                TestSegment(offset: 0x2F00, at: 0x7000, fileSize: 0x100),
            ])
        #expect(fixture.load(image.bytes) == .success(Self.multiboot))
        #expect(fixture.ram[0x10_0000..<0x10_0100] == Array(image.bytes[0x1000..<0x1100]))
        #expect(fixture.ram[0x10_0100..<0x10_0180].allSatisfy { $0 == 0 })
        #expect(fixture.ram[0x10_0180] == LoaderFixture.pattern)
        #expect(fixture.ram[0x20_0000..<0x20_0040].allSatisfy { $0 == 0 })
        #expect(fixture.ram[0x7000..<0x7100] == Array(image.bytes[0x2F00..<0x3000]))
    }

    @Test func `the entry point is translated from virtual to physical`() {
        let image = ImageBuilder.elf(
            is64Bit: true, entry: 0xFFFF_FFFF_8010_0010,
            segments: [TestSegment(at: 0x10_0000, virtual: 0xFFFF_FFFF_8010_0000, fileSize: 0x100)])
        #expect(LoaderFixture().load(image.bytes) == .success(Self.multiboot))
    }

    @Test func `an entry point that is no virtual address of the image may be a physical one`() {
        let segments = [
            TestSegment(at: 0x10_0000, virtual: 0xC010_0000, fileSize: 0x100),
            TestSegment(at: 0x20_0000, virtual: 0x10_0000, fileSize: 0x100),
        ]
        func entry(_ address: UInt64, _ count: Int) -> Result<GuestStart, ImageError> {
            LoaderFixture().load(ImageBuilder.elf(is64Bit: false, entry: address, segments: Array(segments[..<count])).bytes)
        }
        #expect(entry(0x10_0010, 1) == .success(Self.multiboot))
        #expect(entry(0x10_0100, 1) == .failure(.entryOutsideImage(0x10_0100)))
        // The virtual address comes first.
        #expect(entry(0x10_0010, 2) == .success(.multiboot(entry: 0x20_0010, information: 0x90000)))
    }

    @Test func `of a segment that is not in the file the place in it does not matter`() {
        let fixture = LoaderFixture()
        let bss = TestSegment(offset: .max, at: 0x20_0000, fileSize: 0, memorySize: 0x40)
        #expect(
            fixture.load(ImageBuilder.elf(is64Bit: true, entry: 0x10_0010, segments: [Self.plain, bss]).bytes)
                == .success(Self.multiboot))
        #expect(fixture.ram[0x20_0000..<0x20_0040].allSatisfy { $0 == 0 })
    }

    @Test func `a segment may end with the address space, and not have more in the file than in memory`() {
        let last = TestSegment(at: 0x10_0000, virtual: .max - 0xFF, fileSize: 0x100)
        #expect(
            LoaderFixture().load(ImageBuilder.elf(is64Bit: true, entry: .max - 0xEF, segments: [last]).bytes)
                == .success(Self.multiboot))
        for memorySize in [0, 0xFF] as [UInt64] {
            let large = TestSegment(at: 0x20_0000, fileSize: 0x100, memorySize: memorySize)
            let image = ImageBuilder.elf(is64Bit: true, entry: 0x10_0010, segments: [Self.plain, large])
            #expect(LoaderFixture().error(image) == .segmentLargerInFile(index: 1))
        }
    }

    @Test func `headers of other types load nothing`() {
        var note = TestSegment(at: 0xFFFF_0000, fileSize: 0xFFFF)
        note.type = 4
        let image = ImageBuilder.elf(is64Bit: false, entry: 0x10_0010, segments: [note, Self.plain])
        #expect(LoaderFixture().load(image.bytes) == .success(Self.multiboot))
    }

    @Test func `segments that touch are no overlap`() {
        let image = ImageBuilder.elf(
            is64Bit: false, entry: 0x10_0010,
            segments: [
                TestSegment(at: 0x10_0000, fileSize: 0x100), TestSegment(at: 0x10_0100, fileSize: 0x100),
                TestSegment(at: 0x8_FF00, fileSize: 0x100), TestSegment(at: 0x9_FC00, fileSize: 0x400),
            ])
        #expect(LoaderFixture().load(image.bytes) == .success(Self.multiboot))
    }

    @Test(arguments: [false, true]) func `each way in which an ELF file can be wrong has its own error`(is64Bit: Bool) {
        func elf(_ segments: [TestSegment], entry: UInt64 = 0x10_0010, machine: UInt16? = nil, type: UInt16 = 2) -> ImageBuilder {
            .elf(is64Bit: is64Bit, entry: entry, segments: segments, machine: machine, type: type)
        }
        func error(_ image: ImageBuilder) -> ImageError? { LoaderFixture().error(image) }
        let top: UInt64 = is64Bit ? .max : 0xFFFF_FFFF
        #expect(error(elf([Self.plain], machine: 40)) == .wrongMachine(40))
        #expect(error(elf([Self.plain], machine: 0x0300)) == .wrongMachine(0x0300))  // big-endian
        #expect(error(elf([Self.plain], type: 3)) == .notExecutable(3))
        #expect(error(elf([])) == .noSegments)
        var note = Self.plain
        note.type = 4
        #expect(error(elf([note])) == .noSegments)
        #expect(error(elf([TestSegment(at: 0x10_0000, fileSize: 0, memorySize: 0)])) == .noSegments)
        #expect(error(elf([Self.plain], entry: 0x0F_FFFF)) == .entryOutsideImage(0x0F_FFFF))
        #expect(error(elf([Self.plain], entry: 0x10_0180)) == .entryOutsideImage(0x10_0180))
        #expect(error(elf([TestSegment(offset: 0x2F01, at: 0x10_0000, fileSize: 0x100)])) == .segmentOutsideFile(index: 0))
        #expect(error(elf([TestSegment(offset: top - 0x10, at: 0x10_0000, fileSize: 0x100)])) == .segmentOutsideFile(index: 0))
        #expect(error(elf([TestSegment(at: 0x10_0000, fileSize: 0x100, memorySize: 0xFF)])) == .segmentLargerInFile(index: 0))
        #expect(
            error(elf([Self.plain, TestSegment(at: 0x40_0000 - 0x80, fileSize: 0x100)]))
                == .segmentOutsideRAM(index: 1, start: 0x3F_FF80, end: 0x40_0080))
        #expect(
            error(elf([TestSegment(at: 0x10_0000, fileSize: 0x100, memorySize: 0x80_0000)]))
                == .segmentOutsideRAM(index: 0, start: 0x10_0000, end: 0x90_0000))
        #expect(error(elf([Self.plain, TestSegment(at: 0x10_017F, fileSize: 0x10)])) == .segmentsOverlap(0, 1))
        #expect(
            error(elf([TestSegment(at: 0x20_0000, fileSize: 0x10), Self.plain, TestSegment(at: 0x0F_FFF0, fileSize: 0x11)]))
                == .segmentsOverlap(1, 2))
        #expect(
            error(elf([TestSegment(at: 0x9_0000, fileSize: 0x10)]))
                == .segmentInBootArea(index: 0, start: 0x9_0000, end: 0x9_0010))
        #expect(
            error(elf([TestSegment(at: 0x9_FBFF, fileSize: 0x10)]))
                == .segmentInBootArea(index: 0, start: 0x9_FBFF, end: 0x9_FC0F))
    }

    @Test func `segments that wrap around the address space are refused`() {
        func error(_ segment: TestSegment) -> ImageError? {
            LoaderFixture().error(.elf(is64Bit: true, entry: 0x10_0010, segments: [Self.plain, segment]))
        }
        #expect(error(TestSegment(at: .max - 0xF, fileSize: 0x100)) == .segmentWraps(index: 1))
        #expect(error(TestSegment(at: 0x20_0000, virtual: .max - 0xF, fileSize: 0x100)) == .segmentWraps(index: 1))
        #expect(error(TestSegment(at: 0x20_0000, fileSize: 0, memorySize: .max)) == .segmentWraps(index: 1))
    }

    @Test(arguments: [false, true]) func `a cut-off ELF file is refused by what is cut off`(is64Bit: Bool) {
        // The multiboot header right behind the ELF header, so that it survives the cuts.
        var image = ImageBuilder.elf(is64Bit: is64Bit, entry: 0x10_0010, segments: [Self.plain])
        image.put([UInt8](repeating: 0, count: 12), at: 0x800)
        let whole = is64Bit ? 64 : 52
        image.putMultibootHeader(at: 4 * ((whole + (is64Bit ? 56 : 32)) / 4 + 1))
        let table = ImageBuilder(Array(image.bytes[..<0x100]))
        #expect(LoaderFixture().error(table) == .segmentOutsideFile(index: 0))
        var early = image
        early.put(0x1000 - 8, is64Bit ? 8 : 4, at: is64Bit ? 32 : 28)
        #expect(LoaderFixture().error(ImageBuilder(Array(early.bytes[..<0x1000]))) == .truncatedELF(what: "program header table"))
        early.put(.max, is64Bit ? 8 : 4, at: is64Bit ? 32 : 28)
        #expect(LoaderFixture().error(early) == .truncatedELF(what: "program header table"))
        early.put(UInt64(whole), is64Bit ? 8 : 4, at: is64Bit ? 32 : 28)
        early.put(0xFFFF, 2, at: is64Bit ? 56 : 44)
        #expect(LoaderFixture().error(early) == .truncatedELF(what: "program header table"))
        early.put(1, 2, at: is64Bit ? 56 : 44)
        early.put(UInt64(is64Bit ? 55 : 31), 2, at: is64Bit ? 54 : 42)
        #expect(LoaderFixture().error(early) == .truncatedELF(what: "program header table"))
        // A header that ends too early: the multiboot header sits inside it.
        var short = ImageBuilder(Array(image.bytes[..<20]))
        short.putMultibootHeader(at: 20)
        #expect(LoaderFixture().error(short) == .truncatedELF(what: "header"))
    }

    @Test func `an entry point above 4 GiB is refused`() {
        let fixture = LoaderFixture()
        let image = ImageBuilder.elf(is64Bit: true, entry: 0x1_0010_0010, segments: [Self.plain])
        #expect(fixture.error(image) == .entryOutsideImage(0x1_0010_0010))
    }

    // MARK: Boot information and modules

    @Test func `the boot information is as the multiboot specification says`() {
        let fixture = LoaderFixture()
        let first = [UInt8](repeating: 0x11, count: 0x1234)
        let second = [UInt8](repeating: 0x22, count: 1)
        let image = Self.addressed()
        #expect(
            fixture.load(image.bytes, words: "guest one=1 two", modules: [(first, "first a"), (second, ""), ([], "third")])
                == .success(Self.multiboot))
        let ram = fixture.ram
        let information = 0x90000
        #expect(ram.word32(information) == 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9)
        #expect(ram.word32(information + 4) == 639)  // KiB of conventional memory
        #expect(ram.word32(information + 8) == 3 * 1024)  // KiB from 1 MiB up
        #expect(fixture.text(at: ram.word32(information + 16)) == "guest one=1 two")
        #expect(ram.word32(information + 20) == 3)
        let list = Int(ram.word32(information + 24))
        // Modules lie behind the image and one another, on page boundaries.
        let expected: [(UInt32, UInt32, String)] = [
            (0x10_1000, 0x10_2234, "first a"), (0x10_3000, 0x10_3001, ""), (0x10_4000, 0x10_4000, "third"),
        ]
        for (index, (start, end, words)) in expected.enumerated() {
            #expect(ram.word32(list + 16 * index) == start && ram.word32(list + 16 * index + 4) == end)
            #expect(fixture.text(at: ram.word32(list + 16 * index + 8)) == words)
            #expect(ram.word32(list + 16 * index + 12) == 0)
        }
        #expect(ram[0x10_1000..<0x10_2234] == first && ram[0x10_3000] == 0x22)
        let map = Int(ram.word32(information + 48))
        #expect(ram.word32(information + 44) == 6 * 24)
        let entries: [(UInt64, UInt64, UInt32)] = [
            (0, 0x9FC00, 1), (0x9FC00, 0x400, 2), (0xF0000, 0x10000, 2), (0x10_0000, 0x30_0000, 1),
            (0xFEC0_0000, 0x1000, 2), (0xFEE0_0000, 0x1000, 2),
        ]
        for (index, (start, count, type)) in entries.enumerated() {
            let entry = map + 24 * index
            #expect(
                ram.word32(entry) == 20 && ram.word64(entry + 4) == start && ram.word64(entry + 12) == count
                    && ram.word32(entry + 20) == type)
        }
        #expect(fixture.text(at: ram.word32(information + 64)) == "Martlet")
    }

    @Test func `boot information lies in its area as a whole`() {
        let fixture = LoaderFixture()
        _ = fixture.load(Self.addressed().bytes, words: String(repeating: "w", count: 500))
        #expect(fixture.ram[0x8FFFF] == LoaderFixture.pattern && fixture.ram[0x9FC01] == LoaderFixture.pattern)
    }

    @Test func `a module that does not fit is refused with what is free`() {
        let image = Self.addressed()
        let fits = [UInt8](repeating: 1, count: 0x40_0000 - 0x10_1000)
        #expect(LoaderFixture().load(image.bytes, modules: [(fits, "")]) == .success(Self.multiboot))
        #expect(
            LoaderFixture().error(image, modules: [(fits + [1], "")])
                == .moduleDoesNotFit(index: 0, size: UInt64(fits.count + 1), free: UInt64(fits.count)))
        #expect(LoaderFixture().error(image, modules: [(fits, ""), ([1], "")]) == .moduleDoesNotFit(index: 1, size: 1, free: 0))
    }

    @Test func `more RAM than there are addresses below the devices is refused`() {
        let memory = GuestMemory(base: UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8), size: ByteCount(0xC000_1000))
        var loader = GuestLoader(memory)
        let empty = GuestModule(image: ImageBytes(.init(start: nil, count: 0)), commandLine: .init(start: nil, count: 0))
        do throws(ImageError) {
            _ = try loader.load(empty, moduleCount: 0) { _ in empty }
            Issue.record("loaded")
        } catch {
            #expect(error == .tooMuchRAM(size: 0xC000_1000, limit: 0xC000_0000))
        }
    }

    @Test func `words and modules that are too many for the boot area are refused`() {
        let image = Self.addressed()
        let room = 0x9FC00 - 0x90000 - 128 - 512
        #expect(LoaderFixture().error(image, words: String(repeating: "w", count: room)) == .bootInformationTooLong)
        #expect(LoaderFixture().error(image, words: String(repeating: "w", count: room - 1)) == .bootInformationTooLong)
        #expect(LoaderFixture().load(image.bytes, words: String(repeating: "w", count: room - 180)) == .success(Self.multiboot))
        let empty = ([UInt8](), "")
        #expect(LoaderFixture().load(image.bytes, modules: Array(repeating: empty, count: 32)) == .success(Self.multiboot))
        #expect(LoaderFixture().error(image, modules: Array(repeating: empty, count: 33)) == .bootInformationTooLong)
    }

    @Test func `every error says what is wrong and, where one can, what to do`() {
        let errors: [(ImageError, String)] = [
            (.empty, "empty"), (.flatTooLarge(size: 9, limit: 8), "9 bytes, at most 8"), (.elfWithoutMultibootHeader, "add one"),
            (.unsupportedFlags(4), "flags 0x4"), (.invalidAddressFields, "contradict"),
            (.truncatedLoadRange(needed: 9, size: 8), "9 bytes of a file of 8"),
            (.truncatedELF(what: "header"), "its header is not all there"), (.notAnELF, "not an ELF file"),
            (.wrongMachine(40), "e_machine 40"),
            (.notExecutable(3), "type 3"), (.noSegments, "no PT_LOAD"), (.segmentOutsideFile(index: 2), "segment 2"),
            (.segmentWraps(index: 3), "wraps"),
            (.segmentOutsideRAM(index: 1, start: 0x10, end: 0x20), "0x10 to 0x20; give more with memory="),
            (.segmentOutsideRAM(index: 1, start: 0x10, end: 0xFFF0_1000), "no guest has RAM from 3072 MiB on"),
            (.segmentLargerInFile(index: 1), "p_filesz above p_memsz"), (.flatWithoutSignature, "FLAT=on"),
            (.foreign(.compressed), "unpack it"), (.foreign(.text), "is a text"),
            (.foreign(.disk), "initial RAM disk as a module"), (.foreign(.archive), "archive"), (.foreign(.efiProgram), "EFI"),
            (.segmentsOverlap(1, 2), "segments 1 and 2"),
            (.segmentInBootArea(index: 0, start: 1, end: 2), "0x90000 to 0x9fbff"), (.entryOutsideImage(0xABC), "0xabc"),
            (.moduleDoesNotFit(index: 4, size: 9, free: 8), "9 bytes, 8 are free"), (.bootInformationTooLong, "shorten"),
            (.notEnoughRAM(needed: 9, size: 8), "at least 9 bytes and has 8"),
            (.tooMuchRAM(size: 4 << 30, limit: 3 << 30), "at most 3072 MiB of RAM, below its devices, not 4096 MiB; give less"),
            (.alteredLinuxHeader(what: "alignment"), "its alignment is wrong; fetch or build"),
            (.truncatedLinux(needed: 9, size: 8), "it needs 9 bytes and has 8; fetch or build"),
            (.linuxTooOld(version: 0x204), "boot protocol 2.4; take one with 2.6 or later"),
            (.linuxSetupTooLarge(size: 9, limit: 8), "9 bytes, at most 8 fit"),
            (.linuxTooLargeForLow(size: 9, limit: 8), "take a bzImage"),
            (.commandLineTooLong(size: 9, limit: 8), "9 characters, and this kernel takes 8; shorten it"),
            (.initialRAMDiskDoesNotFit(size: 9, free: 8), "9 bytes, 8 are free; give more with memory="),
        ]
        for (error, part) in errors { #expect(words(error).contains(part), "\(words(error))") }
    }

    // MARK: Hostile images

    @Test func `mutated images load or give an error, and never write outside the RAM`() {
        var random = FixedSeedGenerator(seed: 2024)
        let seeds = [
            Self.addressed(),
            .elf(is64Bit: false, entry: 0x10_0010, segments: [Self.plain, TestSegment(at: 0x20_0000, fileSize: 0x10)]),
            .elf(is64Bit: true, entry: 0x10_0010, segments: [Self.plain, TestSegment(at: 0x20_0000, fileSize: 0x10)]),
        ]
        let interesting: [UInt64] = [
            0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, .max, 1 << 63, 0x40_0000, 0x3F_FFFF, 0x9_0000, 0x1000, 0x3000,
        ]
        let fixture = LoaderFixture(size: 2 << 20)
        var loaded = 0
        var errors: Set<String> = []
        for round in 0..<20_000 {
            var image = seeds[round % 3]
            let headers = round % 3 == 0 ? 0x40 : 0xC0
            for _ in 0...Int(random.next() % 3) {
                let place = Int(random.next() % UInt64(headers))
                let size = [1, 2, 4, 8][Int(random.next() % 4)]
                let value = random.next() % 2 == 0 ? interesting[Int(random.next() % 12)] : random.next()
                image.put(value, size, at: place & ~(size - 1))
            }
            // The checksum is made right, or nearly every image would be a flat binary or none at all.
            if round % 3 == 0, random.next() % 4 != 0 {
                let flags = image.bytes[0x24..<0x28].enumerated().reduce(UInt32(0)) {
                    $0 | UInt32($1.element) << UInt32(8 * $1.offset)
                }
                image.put(0x1BAD_B002, 4, at: 0x20)
                image.put(UInt64(0 &- 0x1BAD_B002 &- flags), 4, at: 0x28)
            }
            if random.next() % 8 == 0 { image.bytes.removeLast(Int(random.next() % UInt64(image.bytes.count))) }
            switch fixture.load(image.bytes, words: "x", modules: round % 5 == 0 ? [([1, 2, 3], "m")] : []) {
            case .success(.multiboot(let entry, _)):
                loaded += 1
                #expect(Int(entry) < fixture.ram.size)
            case .success: loaded += 1
            case .failure(let error): errors.insert(String(words(error).prefix(40)))
            }
            guard fixture.ram.isIntactAround else { Issue.record("round \(round) wrote outside the RAM"); return }
        }
        #expect(loaded > 2000 && errors.count > 12, "\(loaded) loaded, \(errors.count) kinds of errors: the mutations are tame")
    }
}

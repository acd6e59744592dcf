import Text
import Devices
import Memory
import Support
import Testing

@testable import Machine

@Suite struct LinuxLoaderTests {
    static let long = GuestStart.linux64(entry: 0x20_0200, bootParameters: 0x90000)
    static let protected = GuestStart.linux32(entry: 0x20_0000, bootParameters: 0x90000)
    static let setup = GuestStart.realModeSetup(segment: 0x9000, stackPointer: 0xE000)

    static func error(_ image: LinuxImage, words: String = "", modules: [([UInt8], String)] = [], size: Int = 4 << 20)
        -> ImageError?
    {
        LoaderFixture(size: size).error(image.image, modules: modules, words: words)
    }

    // MARK: The header

    @Test func `a damaged header is refused by what is wrong with it`() {
        let usual = LinuxImage.usual
        let cases: [(LinuxImage, ImageError)] = [
            (usual.with(0xAA54, 2, at: 0x1FE), .alteredLinuxHeader(what: "boot sector signature")),
            (usual.with(0xE9, 1, at: 0x200), .alteredLinuxHeader(what: "jump over the header")),
            (usual.with(0x205, 2, at: 0x206), .linuxTooOld(version: 0x205)),
            (usual.with(0, 2, at: 0x206), .linuxTooOld(version: 0)),
            (usual.with(0, 4, at: 0x1F4), .alteredLinuxHeader(what: "kernel size")),
            (usual.with(0x69, 1, at: 0x201), .alteredLinuxHeader(what: "header length")),
            (usual.with(0x8F, 1, at: 0x201), .alteredLinuxHeader(what: "header length")),
            (usual.with(0x3F01, 4, at: 0x248), .alteredLinuxHeader(what: "place of the compressed kernel")),
            (usual.with(0xFFFF_FFFF, 4, at: 0x24C), .alteredLinuxHeader(what: "place of the compressed kernel")),
            (usual.with(0, 4, at: 0x230), .alteredLinuxHeader(what: "alignment")),
            (usual.with(0x30_0000, 4, at: 0x230), .alteredLinuxHeader(what: "alignment")),
            (usual.with(0xF_FFFF, 8, at: 0x258), .alteredLinuxHeader(what: "preferred address")),
            (usual.with(1 << 32, 8, at: 0x258), .alteredLinuxHeader(what: "preferred address")),
        ]
        for (image, expected) in cases { #expect(Self.error(image) == expected) }
    }

    @Test func `a kernel that is cut off anywhere is refused with the bytes that it needs`() {
        let bytes = LinuxImage.usual.bytes
        let needed = UInt64(bytes.count) - 15
        for size in [0x208, 0x280, LinuxImage.setupSize, LinuxImage.setupSize + 0x200, bytes.count - 16] {
            #expect(
                LoaderFixture().error(ImageBuilder(Array(bytes[..<size]))) == .truncatedLinux(needed: needed, size: UInt64(size)),
                "\(size)")
        }
        #expect(
            LoaderFixture().error(ImageBuilder(Array(bytes[..<0x207])))
                == .truncatedLinux(needed: UInt64(LinuxImage.setupSize), size: 0x207))
        #expect(
            Self.error(LinuxImage.usual.with(0xFFFF_FFFF, 4, at: 0x1F4))
                == .truncatedLinux(needed: UInt64(LinuxImage.setupSize) + 0xF_FFFF_FFE1, size: UInt64(bytes.count)))
    }

    @Test func `a setup of 0 sectors has four`() {
        #expect(LoaderFixture().load(LinuxImage.usual.with(0, 1, at: 0x1F1).bytes) == .success(Self.long))
    }

    @Test(
        arguments: [
            (0x206, 0x23C), (0x207, 0x248), (0x208, 0x250), (0x209, 0x258), (0x20A, 0x264), (0x20C, 0x268), (0x20F, 0x26C),
        ] as [(UInt16, Int)])
    func `what lies behind the header of a version is not taken for fields`(version: UInt16, end: Int) throws {
        let fixture = LoaderFixture()
        let start = fixture.load(LinuxImage.usual.ofVersion(version, headerEnd: end).bytes)
        let usual = version < 0x20A
        switch version {
        case 0x20C...: #expect(start == .success(Self.long))
        default: #expect(start == .success(.linux32(entry: usual ? 0x10_0000 : 0x20_0000, bootParameters: 0x90000)))
        }
        // Fields of later versions in the boot parameters are zero.
        #expect(fixture.ram[(0x90000 + end)..<(0x90000 + 0x290)].allSatisfy { $0 == 0 })
        #expect(Self.error(LinuxImage.usual.ofVersion(version, headerEnd: end - 1)) == .alteredLinuxHeader(what: "header length"))
    }

    // MARK: Which entry

    @Test func `the entry follows the header: 64-bit, 32-bit, or by way of the setup code`() {
        let usual = LinuxImage.usual
        func start(_ image: LinuxImage) -> GuestStart? { try? LoaderFixture().load(image.bytes).get() }
        #expect(start(usual) == Self.long)
        #expect(start(usual.with(0, 4, at: 0x214)) == Self.long)
        let protected = usual.with(0x7E, 2, at: 0x236)
        #expect(start(protected) == Self.protected)
        #expect(start(protected.with(0, 4, at: 0x214)) == Self.setup)
        #expect(start(usual.with(0, 1, at: 0x211)) == Self.setup)
        #expect(start(usual.ofVersion(0x20B, headerEnd: 0x268)) == Self.protected)
    }

    @Test func `a kernel is loaded where it prefers, one that cannot move at 1 MiB`() {
        let fixture = LoaderFixture()
        #expect(fixture.load(LinuxImage.usual.bytes) == .success(Self.long))
        #expect(fixture.ram[0x20_0000..<0x20_4000] == LinuxImage.usual.kernel)
        let fixed = LoaderFixture()
        #expect(
            fixed.load(LinuxImage.usual.with(0, 1, at: 0x234).bytes)
                == .success(.linux64(entry: 0x10_0200, bootParameters: 0x90000)))
        #expect(fixed.ram[0x10_0000..<0x10_4000] == LinuxImage.usual.kernel && fixed.ram[0x20_0000] == LoaderFixture.pattern)
        let aligned = LoaderFixture()
        let image = LinuxImage.usual.with(0x18_0001, 8, at: 0x258)
        #expect(aligned.load(image.bytes) == .success(Self.long))
    }

    @Test func `RAM that ends before the kernel's memory is refused with the amount needed`() {
        #expect(Self.error(.usual, size: 0x30_0000 - 8) == .notEnoughRAM(needed: 0x30_0000, size: 0x30_0000 - 8))
        #expect(Self.error(.usual, size: 0x30_0000) == nil)
        #expect(
            Self.error(LinuxImage.usual.with(0xFFFF_FFFF, 4, at: 0x260)) == .notEnoughRAM(needed: 0x1_001F_FFFF, size: 4 << 20))
        #expect(
            Self.error(LinuxImage.usual.with(0xFFFF_FFFF, 8, at: 0x258)) == .notEnoughRAM(needed: 0x1_0010_0000, size: 4 << 20))
        // Less than the file asks for is not believed.
        #expect(
            Self.error(LinuxImage.usual.with(0, 4, at: 0x260), size: 0x20_4000 - 8)
                == .notEnoughRAM(needed: 0x20_4000, size: 0x20_4000 - 8))
    }

    // MARK: Boot parameters

    @Test func `the boot parameters are the header, the map and nothing else`() {
        let fixture = LoaderFixture()
        let ram = fixture.ram
        #expect(
            fixture.load(LinuxImage.usual.with(0x1234, 8, at: 0x250).bytes, words: "vmlinuz console=ttyS0 quiet")
                == .success(Self.long))
        let page = 0x90000
        #expect(ram[(page + 0x1F1)..<(page + 0x1FA)] == Array(LinuxImage.usual.bytes[0x1F1..<0x1FA]))
        #expect(ram[(page + 0x200)..<(page + 0x210)] == Array(LinuxImage.usual.bytes[0x200..<0x210]))
        #expect(ram.word16(page + 0x1FA) == 0xFFFF && ram[page + 0x210] == 0xFF && ram[page + 0x211] == 1)
        #expect(ram.word32(page + 0x214) == 0x20_0000)
        #expect(ram.word32(page + 0x218) == 0 && ram.word32(page + 0x21C) == 0)
        #expect(fixture.text(at: ram.word32(page + 0x228)) == "console=ttyS0 quiet")
        #expect(ram.word64(page + 0x250) == 0, "no chain of setup_data")
        #expect(ram.word64(page + 0x70) == 0xF0000)
        #expect(ram.word16(page + 2) == 3072 && ram.word32(page + 0x1E0) == 3072)
        #expect(ram[page + 0x1E8] == 6 && ram[page + 0x1EF] == 0)
        let map = AddressMap(ram: .mebibytes(4))
        for index in 0..<6 {
            let entry = page + 0x2D0 + 20 * index
            #expect(ram.word64(entry) == map[index].start && ram.word64(entry + 8) == map[index].count)
            #expect(ram.word32(entry + 16) == map[index].kind.rawValue)
        }
        // The screen and all that is not said above stays zero.
        #expect(ram.word64(page + 0) >> 32 == 0 && ram.word64(page + 8) == 0)
        for range in [0x10..<0x70, 0x78..<0x1E0, 0x1E4..<0x1E8, 0x1E9..<0x1F1, 0x26C..<0x2D0, 0x348..<0x1000] {
            #expect(ram[(page + range.lowerBound)..<(page + range.upperBound)].allSatisfy { $0 == 0 }, "\(range)")
        }
    }

    @Test func `a kernel before 2.14 is told nothing of ACPI in a field that it does not have`() {
        let fixture = LoaderFixture()
        _ = fixture.load(LinuxImage.usual.with(0x20D, 2, at: 0x206).bytes)
        #expect(fixture.ram.word64(0x90070) == 0)
    }

    @Test func `the page tables map 4 GiB to themselves and the segments are flat`() {
        let fixture = LoaderFixture()
        let ram = fixture.ram
        _ = fixture.load(LinuxImage.usual.bytes)
        #expect(ram.word64(0x92000) == 0x93003 && ram[0x92008..<0x93000].allSatisfy { $0 == 0 })
        #expect((0..<4).allSatisfy { ram.word64(0x93000 + 8 * $0) == UInt64(0x94003 + 0x1000 * $0) })
        #expect(ram[0x93020..<0x94000].allSatisfy { $0 == 0 })
        #expect((0..<2048).allSatisfy { ram.word64(0x94000 + 8 * $0) == UInt64($0) << 21 | 0x83 })
        #expect((0..<4).map { ram.word64(0x91000 + 8 * $0) } == [0, 0, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF])
        let narrow = LoaderFixture()
        _ = narrow.load(LinuxImage.usual.with(0x7E, 2, at: 0x236).bytes)
        #expect(narrow.ram.word64(0x91010) == 0x00CF_9B00_0000_FFFF)
    }

    // MARK: Command line

    @Test func `a command line may have as many characters as the kernel takes, without the image's name`() {
        let longest = String(repeating: "c", count: 255)
        let fixture = LoaderFixture()
        #expect(fixture.load(LinuxImage.usual.bytes, words: "vmlinuz  " + longest) == .success(Self.long))
        #expect(fixture.text(at: fixture.ram.word32(0x90228)) == longest)
        #expect(Self.error(.usual, words: "vmlinuz " + longest + "d") == .commandLineTooLong(size: 256, limit: 255))
        let room = 0x9FC00 - 0x98000 - 1
        let boundless = LinuxImage.usual.with(0xFFFF_FFFF, 4, at: 0x238)
        #expect(Self.error(boundless, words: "v " + String(repeating: "c", count: room)) == nil)
        #expect(
            Self.error(boundless, words: "v " + String(repeating: "c", count: room + 1))
                == .commandLineTooLong(size: UInt64(room + 1), limit: UInt64(room)))
    }

    @Test(arguments: ["", "vmlinuz", "vmlinuz "]) func `no command line is an empty one`(words: String) {
        let fixture = LoaderFixture()
        _ = fixture.load(LinuxImage.usual.bytes, words: words)
        #expect(fixture.text(at: fixture.ram.word32(0x90228)) == "")
    }

    // MARK: Initial RAM disk

    @Test func `modules make one initial RAM disk, as high as it can be, each on a boundary of 4 bytes`() {
        let fixture = LoaderFixture()
        let ram = fixture.ram
        let first = [UInt8](repeating: 0x11, count: 0x1235)
        let last = [UInt8](repeating: 0x33, count: 0xFFF)
        #expect(fixture.load(LinuxImage.usual.bytes, modules: [(first, "a"), ([0x22], ""), (last, "")]) == .success(Self.long))
        let start = Int(ram.word32(0x90218))
        #expect(ram.word32(0x9021C) == 0x1238 + 4 + 0xFFF && start == 0x3F_D000)
        #expect(ram[start..<(start + 0x1235)] == first && ram[(start + 0x1235)..<(start + 0x123C)] == [0, 0, 0, 0x22, 0, 0, 0])
        #expect(ram[(start + 0x123C)..<(start + 0x123C + 0xFFF)] == last)
    }

    @Test func `the initial RAM disk keeps below the kernel's limit and above its memory`() {
        let fixture = LoaderFixture()
        let disk = ([UInt8](repeating: 7, count: 0x1000), "")
        _ = fixture.load(LinuxImage.usual.with(0x37_FFFF, 4, at: 0x22C).bytes, modules: [disk])
        #expect(fixture.ram.word32(0x90218) == 0x37_F000)
        let fits = ([UInt8](repeating: 7, count: 0x10_0000), "")
        #expect(LoaderFixture().load(LinuxImage.usual.bytes, modules: [fits]) == .success(Self.long))
        #expect(Self.error(.usual, modules: [fits, ([1], "")]) == .initialRAMDiskDoesNotFit(size: 0x10_0001, free: 0x10_0000))
        #expect(
            Self.error(LinuxImage.usual.with(0, 4, at: 0x22C), modules: [disk])
                == .initialRAMDiskDoesNotFit(size: 0x1000, free: 0))
    }

    // MARK: Real mode

    @Test func `setup code gets a heap, its command line, its disk, and the kernel at 1 MiB`() {
        let fixture = LoaderFixture()
        let ram = fixture.ram
        let image = LinuxImage.usual.ofVersion(0x207, headerEnd: 0x267).with(0, 4, at: 0x214)
        let bios = [UInt8](repeating: 0xB1, count: 0x8000)
        #expect(fixture.load(image.bytes, words: "ipxe.lkrn dhcp", modules: [([9], "")], bios: bios) == .success(Self.setup))
        #expect(ram[0x90000..<0x901FA] == Array(image.bytes[..<0x1FA]))
        #expect(ram[0x9026C..<(0x90000 + LinuxImage.setupSize)] == Array(image.bytes[0x26C..<LinuxImage.setupSize]))
        #expect(ram[0x90210] == 0xFF && ram[0x90211] == 0x81 && ram.word16(0x90224) == 0xDE00)
        #expect(ram.word32(0x90218) == 0x3F_F000 && ram.word32(0x9021C) == 1 && ram.word32(0x90228) == 0x9E000)
        #expect(fixture.text(at: 0x9E000) == "dhcp")
        #expect(ram[0x10_0000..<0x10_4000] == image.kernel)
        #expect(ram[0xF8000..<0x10_0000].allSatisfy { $0 == 0xB1 } && ram[0x4FF] == 0xB1)
    }

    @Test func `a kernel that is loaded low lies at 64 KiB and must end below its setup code`() {
        let fixture = LoaderFixture()
        let low = LinuxImage.usual.with(0, 1, at: 0x211)
        #expect(fixture.load(low.bytes) == .success(Self.setup))
        #expect(fixture.ram[0x10000..<0x14000] == low.kernel)
        var large = low
        large.image.put(0, 1, at: LinuxImage.setupSize + 0x80000)
        #expect(Self.error(large) == .linuxTooLargeForLow(size: 0x80001, limit: 0x80000))
    }

    @Test func `setup code and its command line that find no room are refused`() {
        var image = LinuxImage.usual.with(0, 1, at: 0x211).with(64, 1, at: 0x1F1)
        image.image.put(0, 1, at: 65 * 512 + LinuxImage.kernelSize - 1)
        #expect(Self.error(image) == .linuxSetupTooLarge(size: 65 * 512, limit: 0x8000))
        let boundless = LinuxImage.usual.with(0, 1, at: 0x211).with(0xFFFF_FFFF, 4, at: 0x238)
        #expect(
            Self.error(boundless, words: "v " + String(repeating: "c", count: 7168))
                == .commandLineTooLong(size: 7168, limit: 7167))
    }

    // MARK: Firmware

    @Test func `every guest finds firmware's tables and the map for the BIOS`() {
        for image in [LinuxImage.usual.bytes, GuestLoaderTests.addressed().bytes, [0xF4]] {
            let fixture = LoaderFixture()
            _ = fixture.load(image, processors: 2)
            #expect(fixture.ram[0xF0000..<0xF0008] == Array("RSD PTR ".utf8))
            #expect(fixture.ram.word16(0xF7000) == 6 && fixture.ram.word32(0xF7002 + 8) == 0x9FC00)
            #expect(fixture.ram[0xEFFFF] == LoaderFixture.pattern)
        }
    }

    // MARK: Hostile images

    @Test func `altered headers give a start or one error, and never write outside the RAM`() {
        var random = FixedSeedGenerator(seed: 31)
        let interesting: [UInt64] = [
            0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, .max, 1 << 63, 0x40_0000, 0x3F_FFFF, 0x10_0000, 0x200, 0x206,
        ]
        let fixture = LoaderFixture()
        var starts: Set<String> = []
        var errors: Set<String> = []
        for round in 0..<8_000 {
            var image = LinuxImage.usual.image
            for _ in 0...Int(random.next() % 3) {
                let size = [1, 2, 4, 8][Int(random.next() % 4)]
                let place = 0x1F0 + Int(random.next() % 0x7C)
                image.put(random.next() % 2 == 0 ? interesting[Int(random.next() % 12)] : random.next(), size, at: place)
            }
            if random.next() % 8 == 0 { image.bytes.removeLast(Int(random.next() % UInt64(image.bytes.count))) }
            switch fixture.load(image.bytes, words: "vmlinuz x", modules: round % 3 == 0 ? [([1, 2, 3], "m")] : []) {
            case .success(let start):
                starts.insert(String("\(start)".prefix(12)))
                if case .linux64(let entry, _) = start { #expect(entry < UInt64(fixture.ram.size)) }
                if case .linux32(let entry, _) = start { #expect(Int(entry) < fixture.ram.size) }
            case .failure(let error): errors.insert(String(words(error).prefix(60)))
            }
            guard fixture.ram.isIntactAround else { Issue.record("round \(round) wrote outside the RAM"); return }
        }
        #expect(starts.count == 4 && errors.count >= 9, "\(starts), \(errors): the alterations are tame")
    }
}

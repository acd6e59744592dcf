import Foundation
import Support
import Testing

@testable import StudyTools

/// Names of addresses.
@Suite struct SymbolTests {
    static let map = """
        0000000000000000 A fixed_percpu_data
        ffffffff81000000 T _text
        ffffffff81000000 T startup_64
        ffffffff81e00ab0 T asm_exc_page_fault
        ffffffff82000000 D jiffies
        """

    @Test func `an address has the name before it, a name its address`() {
        let symbols = Symbols([("b", 0x2000), ("a", 0x1000)])
        #expect(
            symbols.words(0x1000) == "a" && symbols.words(0x1FFF) == "a+0xfff" && symbols.words(0xFFF) == nil
                && symbols.words(0x2000_0000) == nil)
        #expect(symbols.name(at: 0x2000) == "b" && symbols.name(at: 0x2001) == nil)
        #expect(symbols.address(of: "a") == 0x1000 && symbols.address(of: "c") == nil)
    }

    @Test func `a System.map is read without what is no address`() throws {
        let symbols = Symbols(try #require(Symbols.systemMap(Array(Self.map.utf8))))
        #expect(
            symbols.count == 4 && symbols.words(0xFFFF_FFFF_8100_0010) == "_text+0x10"
                && symbols.address(of: "fixed_percpu_data") == nil)
        #expect(Symbols.systemMap(Array("no map".utf8)) == nil && Symbols.systemMap([]) == nil)
    }

    @Test func `where Linux has put itself is found out by its handler of page faults`() throws {
        var symbols = Symbols(try #require(Symbols.systemMap(Array(Self.map.utf8))))
        #expect(symbols.mayMove)
        symbols.findSlide(pageFaultHandler: 0xFFFF_FFFF_8100_0AB0 + 8)
        symbols.findSlide(pageFaultHandler: 0x00E0_0AB0)
        #expect(symbols.slide == 0)
        symbols.findSlide(pageFaultHandler: 0xFFFF_FFFF_9AE0_0AB0)
        #expect(symbols.slide == 0x1900_0000 && !symbols.mayMove)
        #expect(symbols.address(of: "_text") == 0xFFFF_FFFF_9A00_0000 && symbols.words(0xFFFF_FFFF_9A00_0004) == "_text+0x4")
        #expect(!Symbols([("main", 1)]).mayMove)
    }

    @Test(arguments: ["long", "protected"]) func `the symbols of ELF guests of either width`(name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../build/guests/\(name).elf")
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        let symbols = try Symbols(file: file)
        #expect(try #require(symbols.address(of: "start")) >= 0x10_0000)
    }

    @Test func `no damage to an ELF file makes it trap`() throws {
        let bytes = elf()
        #expect(ELFSymbols.read(bytes)?.map(\.name) == ["main"] && ELFSymbols.read(bytes)?.first?.address == 0x1234)
        var generator = FixedSeedGenerator(seed: 8)
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 4..<damaged.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = ELFSymbols.read(Array(damaged.prefix(Int.random(in: 0...damaged.count, using: &generator))))
            _ = ELFSymbols.read(damaged)
        }
        #expect(throws: Complaint.self) { try Symbols(file: URL(filePath: "/nonexistent")) }
    }

    /// A file of 64 bits with one symbol.
    private func elf() -> [UInt8] {
        func number(_ value: UInt64, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        }
        var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 33)
        file += number(64, 8) + [UInt8](repeating: 0, count: 10) + number(64, 2) + number(3, 2) + number(0, 2)
        func section(_ type: UInt64, _ offset: UInt64, _ size: UInt64, _ link: UInt64) -> [UInt8] {
            number(0, 4) + number(type, 4) + number(0, 16 - 8) + number(0, 8) + number(offset, 8) + number(size, 8)
                + number(link, 4) + number(0, 20)
        }
        file += [UInt8](repeating: 0, count: 64) + section(2, 256, 24, 2) + section(3, 280, 6, 0)
        file += number(1, 4) + [0x12, 0] + number(1, 2) + number(0x1234, 8) + number(0, 8)
        return file + Array("\0main\0".utf8)
    }
}

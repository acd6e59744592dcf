import Foundation
import Memory
import Support
import Testing

@testable import Devices

/// The tables as they lie in the memory of a guest, read back as an operating system does.
private struct Tables {
    let ram = GuestRAM(size: 2 << 20)
    let root: Int

    init(processors: Int = 1) {
        root = Int(FirmwareTables.write(to: ram.memory, .init(count: processors, signature: 0x506E4, features: 0x1783FBFF)))
    }

    func text(_ start: Int, _ count: Int) -> String { String(decoding: ram[start..<(start + count)], as: UTF8.self) }
    func sum(_ start: Int, _ count: Int) -> UInt8 { ram[start..<(start + count)].reduce(0, &+) }

    /// The addresses of the tables by their signatures, by way of the XSDT.
    var all: [String: Int] {
        let extended = Int(ram.word64(root + 24))
        var found = ["XSDT": extended, "RSDT": Int(ram.word32(root + 16))]
        for entry in stride(from: extended + 36, to: extended + Int(ram.word32(extended + 4)), by: 8) {
            let table = Int(ram.word64(entry))
            found[text(table, 4)] = table
        }
        if let fixed = found["FACP"] {
            found["DSDT"] = Int(ram.word64(fixed + 140))
            found["FACS"] = Int(ram.word32(fixed + 36))
        }
        return found
    }

    func bytes(_ table: String) -> [UInt8] {
        guard let start = all[table] else { return [] }
        return ram[start..<(start + Int(ram.word32(start + 4)))]
    }
}

@Suite struct FirmwareTablesTests {
    @Test func `the root pointer lies where operating systems look and both its checksums are right`() {
        let tables = Tables()
        #expect(tables.root >= 0xE0000 && tables.root < 0x10_0000 && tables.root % 16 == 0)
        #expect(tables.text(tables.root, 8) == "RSD PTR " && tables.ram[tables.root + 15] == 2)
        #expect(tables.sum(tables.root, 20) == 0 && tables.sum(tables.root, 36) == 0)
        #expect(tables.ram.word32(tables.root + 20) == 36)
    }

    @Test(arguments: [1, 3, 64]) func `the MP table is found, sums to zero, and names processors, buses and interrupts`(
        processors: Int
    ) {
        let tables = Tables(processors: processors)
        let ram = tables.ram
        let found = stride(from: 0xF0000, to: 0x10_0000, by: 16).filter { tables.text($0, 4) == "_MP_" }
        #expect(found.count == 1)
        guard let pointer = found.first else { return }
        let start = Int(ram.word32(pointer + 4))
        #expect(ram[pointer + 8] == 1 && ram[pointer + 9] == 4 && ram[pointer + 11] == 0 && tables.sum(pointer, 16) == 0)
        let count = Int(ram.word16(start + 4))
        #expect(tables.text(start, 4) == "PCMP" && ram[start + 6] == 4 && tables.sum(start, count) == 0)
        #expect(ram.word32(start + 36) == 0xFEE0_0000 && start + count <= Int(FirmwareLayout.biosAddressMap))
        var kinds: [UInt8: [Int]] = [:]
        var next = start + 44
        for _ in 0..<ram.word16(start + 34) {
            kinds[ram[next], default: []].append(next)
            next += ram[next] == 0 ? 20 : 8
        }
        #expect(next == start + count && Set(kinds.keys) == [0, 1, 2, 3, 4])
        let identifiers = kinds[0]!.map { entry -> UInt8 in ram[entry + 1] }
        #expect(identifiers == Array(0..<UInt8(processors)))
        for (number, entry) in kinds[0]!.enumerated() {
            #expect(ram[entry + 2] == 0x14 && ram[entry + 3] == (number == 0 ? 3 : 1))
            #expect(ram.word32(entry + 4) == 0x506E4 && ram.word32(entry + 8) == 0x1783FBFF)
        }
        #expect(kinds[1]!.map { tables.text($0 + 2, 6) } == ["PCI   ", "ISA   "])
        #expect(kinds[2]!.map { ram.word32($0 + 4) } == [0xFEC0_0000])
        #expect(kinds[3]!.count == 15)
        for entry in kinds[3]! {
            let line = ram[entry + 5]
            #expect(line < 16 && line != 2 && ram[entry + 7] == (line == 0 ? 2 : line) && ram[entry + 2] == (line == 9 ? 0xD : 0))
        }
        let ends = kinds[4]!.map { entry -> [UInt8] in [ram[entry + 1], ram[entry + 6], ram[entry + 7]] }
        #expect(ends == [[3, 0xFF, 0], [1, 0xFF, 1]])
    }

    @Test(arguments: [1, 2, 64, 200]) func `every table has its length and a right checksum, and lies in firmware's area`(
        processors: Int
    ) {
        let tables = Tables(processors: processors)
        #expect(Set(tables.all.keys) == ["XSDT", "RSDT", "FACP", "APIC", "DSDT", "FACS"])
        for (name, start) in tables.all {
            let count = Int(tables.ram.word32(start + 4))
            #expect(tables.text(start, 4) == name)
            #expect(start >= 0xF0000 && start + count <= Int(FirmwareLayout.biosAddressMap), "\(name)")
            if name != "FACS" { #expect(tables.sum(start, count) == 0, "\(name)") }
        }
        #expect(tables.ram[0xEFFFF] == 0 && tables.ram[0xF7000] == 0)
    }

    @Test func `the old root table points to the same tables as the new one`() throws {
        let tables = Tables()
        let old = try #require(tables.all["RSDT"])
        let new = try #require(tables.all["XSDT"])
        #expect(tables.ram.word32(old + 4) == 36 + 2 * 4 && tables.ram.word32(new + 4) == 36 + 2 * 8)
        for index in 0..<2 {
            #expect(UInt64(tables.ram.word32(old + 36 + 4 * index)) == tables.ram.word64(new + 36 + 8 * index))
        }
    }

    @Test func `the fixed description tells the ports, the interrupt and the flags of the board`() throws {
        let tables = Tables()
        let ram = tables.ram
        let fixed = try #require(tables.all["FACP"])
        #expect(ram.word32(fixed + 4) == 268 && ram[fixed + 8] == 5)
        #expect(ram.word32(fixed + 36) % 64 == 0 && ram.word64(fixed + 132) == 0)
        #expect(UInt64(ram.word32(fixed + 40)) == ram.word64(fixed + 140))
        #expect(ram.word16(fixed + 46) == 9 && ram.word32(fixed + 48) == 0)
        #expect(ram.word32(fixed + 56) == 0x600 && ram.word32(fixed + 64) == 0x604 && ram.word32(fixed + 76) == 0x608)
        #expect(ram[(fixed + 88)..<(fixed + 96)] == [4, 2, 0, 4, 0, 0, 0, 0])
        #expect(ram[fixed + 108] == 0x32 && ram.word16(fixed + 109) == 0b111)
        let flags = ram.word32(fixed + 112)
        #expect(flags & 1 << 8 != 0 && flags & 1 << 10 != 0 && flags & 1 << 20 == 0)
        #expect(ram[fixed + 116] == 1 && ram.word64(fixed + 120) == 0xCF9 && ram[fixed + 128] == 6)
        for (offset, bits, port) in [(148, 32, 0x600), (172, 16, 0x604), (208, 32, 0x608)] {
            #expect(ram[fixed + offset] == 1 && ram[fixed + offset + 1] == bits)
            #expect(ram.word64(fixed + offset + 4) == UInt64(port))
        }
    }

    @Test(arguments: [1, 3]) func `the interrupt table has every processor, the I/O APIC and the overrides`(processors: Int)
        throws
    {
        let tables = Tables(processors: processors)
        let ram = tables.ram
        let table = try #require(tables.all["APIC"])
        #expect(ram.word32(table + 36) == 0xFEE0_0000 && ram.word32(table + 40) == 1)
        var entries: [[UInt8]] = []
        var place = table + 44
        while place < table + Int(ram.word32(table + 4)) {
            entries.append(ram[place..<(place + Int(ram[place + 1]))])
            place += Int(ram[place + 1])
        }
        let expected: [[UInt8]] =
            (0..<UInt8(processors)).map { [0, 8, $0, $0, 1, 0, 0, 0] } + [
                [1, 12, 1, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0], [2, 10, 0, 0, 2, 0, 0, 0, 0, 0], [2, 10, 0, 9, 9, 0, 0, 0, 0x0D, 0],
                [4, 6, 0xFF, 0, 0, 1],
            ]
        #expect(entries == expected)
    }

    @Test func `writing the tables where there is no RAM does nothing`() {
        let ram = GuestRAM(size: 4096)
        FirmwareTables.write(to: ram.memory, .init(count: 1))
        #expect(ram.isIntactAround && ram[0..<4096].allSatisfy { $0 == 0 })
    }

    /// What ACPI's own compiler reads out of the tables; without it on this machine there is nothing to compare.
    @Test(.enabled(if: Disassembler.path != nil), arguments: ["DSDT", "FACP", "APIC", "FACS", "XSDT", "RSDT"])
    func `ACPI's own compiler reads the tables without a complaint, and what it reads compiles to the same`(table: String) throws
    {
        let tables = Tables(processors: 2)
        let source = try Disassembler.disassemble(tables.bytes(table), named: table)
        switch table {
        case "DSDT":
            for part in [
                "Name (_S5, Package (0x04)", "Device (PCI0)", "EisaId (\"PNP0A03\")", "EisaId (\"PNP0501\")",
                "EisaId (\"PNP0B00\")",
                "EisaId (\"PNP0303\")", "EisaId (\"PNP0100\")", "EisaId (\"PNP0000\")", "EisaId (\"PNP0C02\")", "Device (CP01)",
                "Name (_HID, \"ACPI0007\"", "Name (_ADR, 0x00010000)", "IRQNoFlags ()", "0xFEBFFFFF,         // Range Maximum",
            ] { #expect(source.contains(part), "\(part)") }
            #expect(try Disassembler.compile(source) == Array(tables.bytes(table)[36...]))
        case "FACP":
            #expect(source.contains("Reset Register Supported (V2) : 1") && source.contains("32-bit PM Timer (V1) : 1"))
            #expect(source.contains("VGA Not Present (V4) : 1") && source.contains("Hardware Reduced (V5) : 0"))
        case "APIC": #expect(source.contains("Interrupt Source Override") && source.contains("Trigger Mode : 3"))
        default: break
        }
    }
}

/// iasl of the ACPI Component Architecture.
private enum Disassembler {
    static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/iasl" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Runs iasl in a folder of its own and expects it to be content.
    private static func run(_ arguments: [String], _ file: String, _ contents: Data, makes product: String) throws -> Data {
        let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-acpi-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try contents.write(to: folder.appending(path: file))
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: try #require(path))
        process.arguments = arguments + [file]
        process.currentDirectoryURL = folder
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(words)")
        let complaint = words.split(separator: "\n").first {
            !$0.contains("0 Errors, 0 Warnings") && ($0.contains("rror") || $0.contains("arning") || $0.contains("nvalid"))
        }
        #expect(complaint == nil, "\(words)")
        return try Data(contentsOf: folder.appending(path: product))
    }

    static func disassemble(_ table: [UInt8], named name: String) throws -> String {
        String(decoding: try run(["-d"], "\(name).aml", Data(table), makes: "\(name).dsl"), as: UTF8.self)
    }

    /// The definition block behind its header.
    static func compile(_ source: String) throws -> [UInt8] {
        Array(try run(["-on"], "DSDT.dsl", Data(source.utf8), makes: "DSDT.aml")[36...])
    }
}

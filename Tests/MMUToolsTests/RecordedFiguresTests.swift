import Foundation
import Testing

/// The figures of Docs/Memory.md are those that Tools/bench-mmu has taken down, those of Docs/Design.md those of Tools/bench.
@Suite struct RecordedFiguresTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")

    static func lines(_ path: String) throws -> [String] {
        try String(contentsOf: root.appending(path: path), encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
    }

    /// By column and row.
    static func recorded() throws -> [String: String] {
        var figures: [String: String] = [:]
        for line in try lines("Tests/Bench/mmu-recorded") where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            figures[words[0] + " " + words[1]] = words[2]
        }
        return figures
    }

    static let rows = [
        "a page touched the first time": "touch", "mprotect twice, and a write": "protect", "a system call": "call",
        "512 bytes through a pipe": "pipe", "a switch between processes": "switch", "fork, exit, wait": "fork",
        "exec, exit, wait": "exec", "4096 bytes copied": "copy-4096", "CPUID, and 16 pages touched": "exits",
        "an access at random in 16 MiB": "random-16", "an access at random in 64 MiB": "random-64",
        "an access at random in 256 MiB": "random-256", "an access at random in 1 GiB": "random-1024",
        "a switch between 2 address spaces": "switch-2", "a switch between 16 address spaces": "switch-16",
        "a switch between 2, with identifiers": "tagged-2",
    ]

    /// The tables, by the words that their heads begin with, and the columns of the record.
    @Test(arguments: [
        ("| Linux |", ["bare-on", "nested-on", "shadow-on"]),
        ("| a guest of ours |", ["spaces-bare", "spaces-nested", "spaces-shadow", "spaces-direct"]),
        ("| entries loaded |", ["walks-tables", "walks-tables-off", "walks-nested-4k", "walks-nested-2m", "walks-nested-1g"]),
    ])
    func `the figures of the document are those recorded`(head: String, columns: [String]) throws {
        let recorded = try Self.recorded()
        let table = try Self.lines("Docs/Memory.md").drop { !$0.hasPrefix(head) }.dropFirst(2).prefix { $0.hasPrefix("|") }
        #expect(table.count >= 5)
        for line in table {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
            let row = try #require(Self.rows[cells[0]], "\(cells[0])")
            #expect(
                cells.dropFirst().map { $0.replacing(",", with: "") } == columns.map { recorded["\($0) \(row)"] ?? "-" },
                "\(cells[0])")
        }
    }

    static let exits = [
        "CPUID": "cpuid-1", "VMCALL, the signature": "vmcall-signature", "VMCALL, arming the timer": "vmcall-timer",
        "RDMSR of IA32_APIC_BASE": "rdmsr-apic-base", "WRMSR of IA32_MISC_ENABLE": "wrmsr-misc-enable",
        "OUT to port 80H": "out-80",
        "IN from COM1": "in-3fd", "IN from a port without a device": "in-absent", "the ACPI timer": "pm-timer",
        "a read of absent memory": "mmio-read", "a write to absent memory": "mmio-write",
        "HLT with an interrupt due": "hlt-timer-due",
        "an interrupt to itself by the local APIC": "self-ipi-icr", "an interrupt of the local APIC's timer": "deadline-due",
        "the preemption timer, nothing due": "preemption-timer", "recording an exit, besides": "record",
    ]

    @Test func `the costs of exits in the document are those recorded`() throws {
        var recorded: [String: [String]] = [:]
        for line in try Self.lines("Tests/Bench/recorded") where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            recorded[words[0]] = [words[1], words[3], words[4], words[5]]
        }
        let table = try Self.lines("Docs/Design.md").drop { !$0.hasPrefix("| exit |") }.dropFirst(2).prefix { $0.hasPrefix("|") }
        #expect(table.count == Self.exits.count)
        for line in table {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
            let row = try #require(Self.exits[cells[0]], "\(cells[0])")
            #expect(cells.dropFirst().map { $0.replacing(",", with: "") } == recorded[row], "\(cells[0])")
        }
    }
}

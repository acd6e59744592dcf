import Foundation
import Memory
import Support
import Testing
import Text
import Trace
import Virtualization

@testable import Machine

@Suite struct KernelOptionsTests {
    /// The options, or what the error says.
    static func parse(_ line: String) -> (options: KernelOptions?, error: String?) {
        Array(line.utf8).withUnsafeBytes { bytes in
            do throws(KernelOptionError) {
                return (try KernelOptions(commandLine: bytes), nil)
            } catch {
                return (nil, words(error))
            }
        }
    }

    static func options(_ line: String) -> KernelOptions? { parse(line).options }
    static func error(_ line: String) -> String? { parse(line).error }

    @Test(arguments: ["", "   ", "/boot/martlet.elf", "martlet.elf", "/boot/dir=with/equals"])
    func `without words, or with the file name alone, all is as usual`(line: String) {
        #expect(Self.options(line) == KernelOptions())
    }

    @Test func `the usual options`() {
        let usual = KernelOptions()
        #expect(usual.memory == .mebibytes(256) && usual.trace == .exits && usual.largestPage == .oneGibibyte && usual.usesVPID)
        #expect(
            !usual.checksEntries && !usual.seesExceptions && usual.report == nil && !usual.isStudied && usual.selfTest == .none
                && usual.guest == .tour)
        #expect(usual.recording == .off && usual.recordCount == 1024)
    }

    @Test func `shadow and direct paging refuse what does not go with them`() {
        for size in ["0", "252K", "4M1", "2G"] {
            #expect(Self.error("mmu=shadow shadow=\(size)")?.contains("it takes a size from 256K to 1G") == true)
        }
        #expect(Self.error("mmu=none")?.contains("nested, shadow or direct") == true)
        for words in ["roundtrip=5 mmu=shadow", "mmu=direct agent=com2", "roundtrip=5 mmu=direct"] {
            #expect(Self.error(words)?.contains("leave one of them out") == true)
        }
        #expect(Self.options("mmu=nested agent=com2 roundtrip=5") != nil && Self.options("mmu=shadow agent=com2") != nil)
    }

    @Test func `each key takes each of its values`() {
        #expect(Self.options("mmu=shadow")?.mmu == .shadow && Self.options("mmu=nested")?.mmu == .nested)
        #expect(Self.options("mmu=direct")?.mmu == .direct && Self.options("")?.mmu == nil)
        #expect(Self.options("mmu=direct")?.translation == .direct && Self.options("")?.translation == .nested)
        #expect(Self.options("mmu=shadow shadow=256K")?.shadowSize == .kibibytes(256))
        #expect(Self.options("record=serial")?.recording == .serial)
        #expect(Self.options("record=memory records=2")?.recording == .memory)
        #expect(Self.options("record=memory records=2")?.recordCount == 2)
        #expect(Self.options("record=off")?.recording == .off)
        #expect(Self.options("recordway=parallel")?.recordWay == .parallel && Self.options("recordway=port")?.recordWay == .port)
        #expect(Self.options("memory=64M")?.memory == .mebibytes(64))
        #expect(Self.options("memory=2g")?.memory == .gibibytes(2))
        #expect(Self.options("memory=8192k")?.memory == .mebibytes(8))
        #expect(Self.options("memory=4194304")?.memory == .mebibytes(4))
        for (word, level) in [("off", .off), ("summary", .summary), ("exits", .exits), ("full", .full)] as [(String, TraceLevel)]
        {
            #expect(Self.options("trace=\(word)")?.trace == level)
        }
        for (word, size) in [("4k", .fourKibibytes), ("2m", .twoMebibytes), ("1g", .oneGibibyte)] as [(String, PageSize)] {
            #expect(Self.options("large=\(word)")?.largestPage == size)
        }
        #expect(Self.options("vpid=off")?.usesVPID == false && Self.options("vpid=on")?.usesVPID == true)
        #expect(Self.options("checks=on")?.checksEntries == true && Self.options("exceptions=on")?.seesExceptions == true)
        #expect(Self.options("testdev=on")?.hasTestDevice == true && Self.options("")?.hasTestDevice == false)
        #expect(Self.options("report=com2")?.report == .com2 && Self.options("report=com3")?.report == .com3)
        #expect(Self.options("flat=on")?.takesFlat == true && !KernelOptions().takesFlat)
        #expect(Self.options("stop=com4")?.canBeStopped == true && !KernelOptions().canBeStopped)
        #expect(Self.options("agent=com2")?.isStudied == true)
        #expect(Self.options("slice=1000")?.slice == 1000)
        #expect(Self.options("limit=1000")?.limit == 1000)
        #expect(Self.options("screen=off rows=24")?.screen == .off && Self.options("rows=24")?.terminalRows == 24)
        #expect(Self.options("columns=80")?.columns == 80 && Self.options("")?.columns == 100)
        #expect(Self.options("screen=on")?.screen == .on && Self.options("screen=auto")?.screen == .automatic)
        #expect(Self.options("roundtrip=1")?.roundTrip == 1)
        for (word, test) in [
            ("panic", .panic), ("stack", .stack), ("text", .writeText), ("data", .executeData), ("guest-state", .badGuestState),
            ("controls", .badControls),
        ] as [(String, KernelOptions.SelfTest)] {
            #expect(Self.options("selftest=\(word)")?.selfTest == test)
        }
        #expect(
            Self.options("apic=plain")?.assistance == InterruptAssistance.none
                && Self.options("apic=tpr")?.assistance == .taskPriority)
        #expect(Self.options("timer=host")?.usesHostTimer == true && Self.options("step=tf")?.stepsByTrapFlag == true)
        #expect(Self.options("then=long")?.guestAfterwards == .long && Self.options("restart=3")?.restarts == 3)
        #expect(Self.options("checksum=on")?.checksMemory == true && Self.options("hide=avx2")?.hidden != HiddenFeatures())
        for (word, guest) in [("tour", .tour), ("real", .real), ("protected", .protected), ("long", .long)]
            as [(String, KernelOptions.EmbeddedGuest)]
        {
            #expect(Self.options("guest=\(word)")?.guest == guest)
        }
    }

    @Test func `words come in any order, with any blanks, and the last of two wins`() {
        var expected = KernelOptions()
        expected.trace = .off
        expected.usesVPID = false
        #expect(Self.options("  /boot/martlet.elf   vpid=off  trace=full trace=off ") == expected)
        #expect(Self.options("vpid=off trace=off") == expected)
    }

    @Test(arguments: [
        ("memory=", "a size"), ("memory=M", "a size"), ("memory=0", "a size"), ("memory=4095", "a size"), ("memory=1T", "a size"),
        ("memory=-1M", "a size"), ("memory=18446744073709551616", "a size"), ("memory=17179869184G", "a size"),
        ("memory=18014398509481984K", "a size"), ("trace=on", "off, summary, exits or full"), ("trace=", "off, summary"),
        ("large=4K", "4k, 2m or 1g"), ("vpid=yes", "on or off"), ("checks=1", "on or off"), ("exceptions=", "on or off"),
        ("report=com1", "com2"), ("slice=999", "at least 1000"), ("slice=99999999999999999999", "at least 1000"),
        ("slice=1k", "at least 1000"),
        ("limit=999", "at least 1000"), ("screen=yes", "auto, on or off"), ("rows=1001", "at most 1000"),
        ("columns=39", "from 40 to 1000"),
        ("roundtrip=0", "at least 1"),
        ("selftest=all", "panic, stack"), ("guest=linux", "tour, real, protected or long"), ("trace=offf", "off"),
        ("trace=of", "off"),
        ("trace=or", "off"), ("trace=off,", "off"), ("guest=(other", "tour"), ("guest=modules)", "tour"),
    ])
    func `a bad value is refused with the word and what the key takes`(word: String, accepted: String) {
        let error = Self.error("kernel \(word) vpid=on")
        #expect(error?.hasPrefix("bad value on the command line: \"\(word)\"; it takes ") == true)
        #expect(error?.contains(accepted) == true)
    }

    @Test(arguments: ["memroy=1M", "=on", "Trace=off", "traces=off", "memory"])
    func `an unknown key is refused with the word and the keys that there are`(word: String) {
        let error = Self.error("/kernel \(word)")
        #expect(error?.hasPrefix("unknown key on the command line: \"\(word)\"") == (word != "memory"))
        #expect(word == "memory" || error?.contains("there are memory, trace, flat, hide, large, vpid") == true)
        #expect(error != nil)
    }

    @Test func `what is not printable shows as question marks`() {
        #expect(Self.error("/k \u{1}\u{7F}x=1")?.contains("\"??x=1\"") == true)
    }

    @Test func `no key is told that does not exist`() throws {
        let error = try #require(Self.error("x=1"))
        let keys = try #require(error.components(separatedBy: "there are ").last).components(separatedBy: ", ")
        #expect(keys.count == 31)
        for key in keys { #expect(Self.error("\(key)=?")?.contains("unknown key") != true) }
    }

    @Test func `the options are documented with the keys and values that their rows take`() throws {
        let source = try String(
            contentsOf: GuestViewTests.root.appending(path: "Kernel/Machine/Boot/KernelOptions.swift"), encoding: .utf8)
        var documented: [String: String] = [:]
        for match in source.matches(of: /\/\/\/ ([a-z]+)=([^:. ]+)[:.]/) { documented[String(match.1)] = String(match.2) }
        let error = try #require(Self.error("x=1"))
        let keys = try #require(error.components(separatedBy: "there are ").last).components(separatedBy: ", ")
        #expect(Set(keys) == Set(documented.keys))
        for (key, values) in documented {
            // What the error says that the key takes: a choice, or a number or size in words.
            guard let accepted = Self.error("\(key)=?")?.components(separatedBy: "it takes ").last, key != "hide",
                !accepted.hasPrefix("a ")
            else { continue }
            let choices = accepted.prefix { $0 != "(" }.replacing(" or ", with: ", ").components(separatedBy: ", ")
            #expect(
                Set(choices.map { $0.trimmingCharacters(in: .whitespaces) }) == Set(values.components(separatedBy: "|")), "\(key)"
            )
        }
    }

    @Test func `a second file name is an unknown key`() { #expect(Self.error("/boot/kernel /boot/other") != nil) }
}

import Memory
import Study
import Testing

@Suite("GDB: memory and breakpoints")
struct GDBMemoryTests {
    @Test("memory is read and written, in hexadecimal digits and in binary")
    func readAndWritten() {
        let session = GDBSession()
        #expect(session.ask("M1000,4:01020aFF", "m1000,4", "m1001,1", "m1000,0", "M1000,0:") == ["OK", "01020aff", "02", "", "OK"])
        // Escaped are what frames packets, and the escape itself.
        let binary = Array("X1010,5:".utf8) + [0x7D, 0x03, 0x7D, 0x04, 0x7D, 0x5D, 0x7D, 0x0A, 0x80]
        #expect(session.ask(bytes: [binary, Array("m1010,6".utf8), Array("X1000,0:".utf8), Array("c".utf8)]) == ["OK", "23247d2a8000", "OK"])
    }

    @Test("a hole in memory ends what is read, and is an error where it begins")
    func holes() {
        let session = GDBSession()
        session.target.ram[0x2FFE] = 0xAB
        #expect(session.ask("m2ffe,10", "m3000,1", "m200000,4", "mffffffffffffffff,2") == ["ab00", "E0e", "E0e", "E0e"])
    }

    @Test("a write that meets a hole changes nothing")
    func writeIntoHole() {
        let session = GDBSession()
        #expect(session.ask("M2fff,2:1122", "X2fff,2:ab", "m2fff,1") == ["E0e", "E0e", "00"])
    }

    @Test("memory is that of the guest's linear addresses, page by page")
    func pages() {
        let session = GDBSession()
        session.target.pages = [0xFFFF_8000_0000_0: 2, 0xFFFF_8000_0000_1: 1]
        session.target.load([0x11, 0x22], at: 0x2FFF - 1)
        session.target.load([0x33], at: 0x1000)
        #expect(session.ask("mffff800000000ffe,3", "Mffff800000000fff,2:4455") == ["112233", "OK"])
        #expect(session.target.ram[0x2FFF] == 0x44 && session.target.ram[0x1000] == 0x55)
        #expect(session.ask("mffff800000001fff,2") == ["00"])
    }

    @Test("as much is read as fits in a packet")
    func longRead() {
        let session = GDBSession(memory: 1024)
        #expect(session.ask("m1000,1000")[0].count == 512)
        #expect(session.ask("m1000,ffffffffffffffff")[0].count == 512)
    }

    @Test(
        "malformed questions are errors, and change nothing",
        arguments: [
            "m", "m1000", "m1000,", "m,1", "m1000,1,", "mg,1", "m10000000000000000,1", "M1000,2:11", "M1000,1:1122", "M1000,1:1", "M1000,1:0g",
            "M1000,1", "M1000,8000000000000001:11", "X1000,2:a", "X1000,1:ab", "Z0,1000", "Z0", "Z", "Z0,1000,1,", "Z0,1000,1;X1,0", "z0,1000",
            "Z,1000,1",
        ])
    func malformed(packet: String) {
        let session = GDBSession()
        let before = session.target.ram
        #expect(session.ask(packet) == ["E01"])
        #expect(session.target.ram == before && !session.usesSoftwareBreakpoints)
    }

    // MARK: Software breakpoints

    @Test("a software breakpoint is in the guest's memory, and the debugger does not see it")
    func hidden() {
        let session = GDBSession()
        session.target.load([0x90, 0x91, 0x92], at: 0x1000)
        #expect(session.ask("Z0,1001,1", "m1000,3") == ["OK", "909192"])
        #expect(session.target.ram[0x1001] == 0xCC && session.usesSoftwareBreakpoints)
        #expect(session.ownsBreakpoint(at: 0x1001))
        #expect(!session.ownsBreakpoint(at: 0x1000))
        #expect(!session.ownsBreakpoint(at: 0x20_0000))
        // A write goes under it.
        #expect(session.ask("M1000,3:a0a1a2", "m1000,3") == ["OK", "a0a1a2"])
        #expect(session.target.ram[0x1001] == 0xCC)
        #expect(session.ask("z0,1001,1", "z0,1001,1", "m1000,3") == ["OK", "OK", "a0a1a2"])
        #expect(session.target.ram[0x1001] == 0xA1 && !session.usesSoftwareBreakpoints)
    }

    @Test("asked for twice it is there once; an INT3 of the guest's own is not ours")
    func twice() {
        let session = GDBSession()
        session.target.load([0x90, 0xCC], at: 0x1000)
        #expect(session.ask("Z0,1000,1", "Z0,1000,1", "z0,1000,1", "m1000,2") == ["OK", "OK", "OK", "90cc"])
        #expect(session.target.ram[0x1000] == 0x90)
        #expect(!session.ownsBreakpoint(at: 0x1001))
    }

    @Test("a breakpoint is lifted where it was set, though other page tables hold by then")
    func otherTables() {
        let session = GDBSession()
        session.target.pages = [0x400: 1]
        session.target.load([0x90], at: 0x1234)
        session.target.load([0x40], at: 0x2234)
        #expect(session.ask("Z0,400234,1") == ["OK"])
        #expect(session.target.ram[0x1234] == 0xCC)
        session.target.pages = [0x400: 2]
        #expect(session.ask("m400234,1", "m1234,1", "z0,400234,1") == ["40", "90", "OK"])
        #expect(session.target.ram[0x1234] == 0x90 && session.target.ram[0x2234] == 0x40)
    }

    @Test("two breakpoints on one byte of RAM, by two addresses: the last to go gives the byte back")
    func aliases() {
        let session = GDBSession()
        session.target.pages = [0x400: 1]
        session.target.load([0x90], at: 0x1234)
        #expect(session.ask("Z0,400234,1", "Z0,1234,1", "M1234,1:91", "z0,400234,1", "m1234,1") == ["OK", "OK", "OK", "OK", "91"])
        #expect(session.target.ram[0x1234] == 0xCC)
        #expect(session.ask("z0,1234,1") == ["OK"])
        #expect(session.target.ram[0x1234] == 0x91)
    }

    @Test("what the guest has written over a breakpoint stays")
    func overwritten() {
        let session = GDBSession()
        #expect(session.ask("Z0,1000,1") == ["OK"])
        session.target.ram[0x1000] = 0x55
        #expect(session.ask("m1000,1", "z0,1000,1", "m1000,1") == ["55", "OK", "55"])
    }

    @Test("there are 64 breakpoints, and none where there is no memory")
    func limits() {
        let session = GDBSession()
        for place in 0..<64 { #expect(session.ask("Z0,\(String(0x1000 + place, radix: 16)),1") == ["OK"]) }
        #expect(session.ask("Z0,1040,1", "Z0,1000,1", "Z0,300000,1", "Z0,4000,1") == ["E1c", "OK", "E0e", "E0e"])
        #expect(session.ask("m103f,2", "z0,1000,1", "Z0,1040,1") == ["0000", "OK", "OK"])
        #expect((0x1001...0x1040).allSatisfy { session.target.ram[$0] == 0xCC } && session.target.ram[0x1000] == 0)
    }

    @Test(
        "whoever ends the session, the guest's memory is as it was", arguments: ["D", "D;1", "k", "vKill;1", "?", "gone"])
    func cleanedUp(end: String) {
        let session = GDBSession()
        let before = session.target.ram
        #expect(session.ask("Z0,1000,1", "Z1,1800,1", "Z2,2000,4") == ["OK", "OK", "OK"])
        #expect(session.target.ram != before && session.target.watches.count == 2)
        if end == "gone" { _ = session.send([]) } else { _ = session.ask(end) }
        #expect(session.target.ram == before && session.target.watches.isEmpty)
    }

    // MARK: Watches

    @Test("hardware breakpoints and watchpoints are the target's: it has them, has no room, or does not know the kind")
    func watches() {
        let session = GDBSession()
        session.target.mostWatches = 2
        #expect(session.ask("Z1,1000,1", "Z1,1000,1", "Z2,2000,8", "Z4,2000,4", "Z3,2000,4", "Z5,2000,4", "Zff,0,0") == ["OK", "OK", "OK", "E1c", "", "", ""])
        #expect(session.target.watches == [DebugWatch(.execute, at: .init(0x1000), length: 1), DebugWatch(.write, at: .init(0x2000), length: 8)])
        #expect(session.ask("z1,1000,1", "z4,2000,4", "Z4,ffffffffffffffff,ffffffffffffffff") == ["OK", "OK", "OK"])
        #expect(session.target.watches.last == DebugWatch(.access, at: .init(.max), length: .max))
    }
}

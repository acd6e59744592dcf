import StudyTools
import Testing

/// GDB: memory and breakpoints.
@Suite struct GDBMemoryTests {
    @Test func `memory is read and written, in hexadecimal digits and in binary`() {
        let session = GDBSession()
        #expect(
            session.ask("M1000,4:01020aFF", "m1000,4", "m1001,1", "m1000,0", "M1000,0:") == ["OK", "01020aff", "02", "", "OK"])
        // Escaped are what frames packets, and the escape itself.
        let binary = Array("X1010,5:".utf8) + [0x7D, 0x03, 0x7D, 0x04, 0x7D, 0x5D, 0x7D, 0x0A, 0x80]
        #expect(
            session.ask(bytes: [binary, Array("m1010,6".utf8), Array("X1000,0:".utf8), Array("c".utf8)]) == [
                "OK", "23247d2a8000", "OK",
            ])
    }

    @Test func `a hole in memory ends what is read, and is an error where it begins`() {
        let session = GDBSession()
        session.target.ram[0x2FFE] = 0xAB
        #expect(session.ask("m2ffe,10", "m3000,1", "m200000,4", "mffffffffffffffff,2") == ["ab00", "E0e", "E0e", "E0e"])
    }

    @Test func `a write that meets a hole changes nothing`() {
        let session = GDBSession()
        #expect(session.ask("M2fff,2:1122", "X2fff,2:ab", "m2fff,1") == ["E0e", "E0e", "00"])
    }

    @Test func `as much is read as fits in a packet`() {
        let session = GDBSession(.withRAM(0x1000..<0x5000))
        #expect(session.ask("m1000,4000")[0].count == 0x4000)
        #expect(session.ask("m1000,ffffffffffffffff")[0].count == 0x4000)
    }

    @Test(arguments: [
        "m", "m1000", "m1000,", "m,1", "m1000,1,", "mg,1", "m10000000000000000,1", "M1000,2:11", "M1000,1:1122", "M1000,1:1",
        "M1000,1:0g",
        "M1000,1", "M1000,8000000000000001:11", "X1000,2:a", "X1000,1:ab", "Z0,1000", "Z0", "Z", "Z0,1000,1,",
        "Z0,1000,1;X1,0", "z0,1000",
        "Z,1000,1",
    ])
    func `malformed questions are errors, and change nothing`(packet: String) {
        let session = GDBSession()
        let before = session.target.ram
        #expect(session.ask(packet) == ["E01"])
        #expect(session.target.ram == before && session.target.watches.isEmpty)
    }

    // MARK: Watches

    @Test(arguments: ["D", "D;1", "k", "vKill;1", "?", "gone"])
    func `whoever ends the session, nothing of it stays behind; one that is lost leaves all to the next`(end: String) {
        let session = GDBSession()
        #expect(session.ask("Z0,1000,1", "Z1,1800,1", "Z2,2000,4") == ["OK", "OK", "OK"])
        #expect(session.target.watches.count == 3)
        if end == "gone" { _ = session.send([]) } else { _ = session.ask(end) }
        #expect(session.target.watches.count == (end == "gone" ? 3 : 0))
    }

    @Test func `hardware breakpoints and watchpoints are the target's: it has them, has no room, or does not know the kind`() {
        let session = GDBSession()
        session.target.mostWatches = 2
        #expect(
            session.ask("Z1,1000,1", "Z1,1000,1", "Z2,2000,8", "Z4,2000,4", "Z3,2000,4", "Z5,2000,4", "Zff,0,0", "Z0,9000,1") == [
                "OK", "OK", "OK", "E1c", "", "", "", "E0e",
            ])
        #expect(
            session.target.watches == [DebugWatch(.execute, at: 0x1000, length: 1), DebugWatch(.write, at: 0x2000, length: 8)])
        #expect(session.ask("z1,1000,1", "z4,2000,4", "Z4,ffffffffffffffff,ffffffffffffffff") == ["OK", "OK", "OK"])
        #expect(session.target.watches.last == DebugWatch(.access, at: .max, length: .max))
    }
}

import StudyTools
import Testing
import X86

/// GDB: framing.
@Suite struct GDBFramingTests {
    typealias Channel = ScriptedChannel

    @Test func `a packet is acknowledged, and its answer comes with a checksum`() {
        let session = GDBSession()
        #expect(session.send(Array("+$qC#b4+$k#6b".utf8)) == "+$QC1#c5+")
        #expect(session.resumption == .kill)
    }

    @Test func `a packet with a wrong checksum is asked for again, and not obeyed`() {
        let session = GDBSession()
        #expect(session.send(Array("$k#6c$k#zz$qC#b4+$k#6b".utf8)) == "--+$QC1#c5+")
    }

    @Test func `an answer that arrived damaged is sent again, as often as it takes`() {
        let session = GDBSession()
        #expect(session.send(Array("$qC#b4--+$k#6b".utf8)) == "+$QC1#c5$QC1#c5$QC1#c5+")
        // Also when the debugger says so late.
        #expect(session.send(Array("$qC#b4+-+$k#6b".utf8)) == "+$QC1#c5$QC1#c5+")
    }

    @Test func `a debugger that continues has received the answer`() {
        let session = GDBSession()
        #expect(session.send(Array("$qC#b4$qC#b4$k#6b".utf8)) == "+$QC1#c5+$QC1#c5+")
    }

    @Test func `noise between packets, and a break character that comes too late, do nothing`() {
        let session = GDBSession()
        #expect(
            session.send([0x03, 0x00, 0xFF, 0x23] + Array("hello$qC#b4".utf8) + [0x03] + Array("+$k#6b".utf8)) == "+$QC1#c5+")
    }

    @Test func `a packet that begins in the middle of another takes its place`() {
        let session = GDBSession()
        #expect(session.send(Array("$m1000,$qC#b4+$k#6b".utf8)) == "+$QC1#c5+")
    }

    @Test func `without acknowledgements there are none, from the answer on`() {
        let session = GDBSession()
        let start = Channel.packet("QStartNoAckMode") + [0x2B]
        #expect(session.send(start + Array("$qC#b4$qC#b4".utf8) + Channel.packet("c")) == "+$OK#9a$QC1#c5$QC1#c5")
        #expect(session.resumption == .continue)
    }

    @Test func `a damaged packet that nobody would send again is an error`() {
        let session = GDBSession()
        let start = Channel.packet("QStartNoAckMode") + [0x2B]
        #expect(session.send(start + Array("$k#00$k#6b".utf8)) == "+$OK#9a$E01#a6")
    }

    @Test func `a packet longer than the buffer is an error, and the next one is taken`() {
        let session = GDBSession()
        let long = Channel.packet(String(repeating: "m", count: 0x4001))
        #expect(session.send(long + Array("+$k#6b".utf8)) == "+$E01#a6+")
        #expect(session.send(Channel.packet(String(repeating: "u", count: 0x4000)) + Array("+$k#6b".utf8)) == "+$#00+")
    }

    @Test func `a line that goes away ends the session, in the middle of whatever`() {
        let whole = Channel.packet("QStartNoAckMode") + [0x2B] + Channel.packet("X1000,2:}\u{3}a")
        for length in 0..<whole.count {
            let session = GDBSession()
            _ = session.send(Array(whole[..<length]))
            #expect(session.resumption == .lost)
        }
    }

    @Test(arguments: 0..<40)
    func `random bytes neither stop the server nor keep it`(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> UInt8 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return UInt8(truncatingIfNeeded: random >> 24)
        }
        let alphabet = Array("?gGpPmMXZzcCsSHTqQvDk0123456789abcdef,;:=-+$#}lRx".utf8)
        let starts = [
            "m", "M", "X", "Z0,", "Z2,", "z1,", "P", "p", "G", "vCont;", "vCont", "qRcmd,", "qXfer:features:read:target.xml:",
            "H", "T",
            "qThreadExtraInfo,", "qSupported:", "C", "S", "s", "c", "QStartNoAckMode", "D", "vKill",
        ]
        let session = GDBSession()
        session.target.modes = [.real, .long64]
        for _ in 0..<60 {
            var input: [UInt8] = []
            for _ in 0..<20 {
                var content = next() < 200 ? Array(starts[Int(next()) % starts.count].utf8) : []
                for _ in 0..<(next() % 40) { content.append(next() < 250 ? alphabet[Int(next()) % alphabet.count] : next()) }
                input += next() < 230 ? Channel.packet(content) : content
            }
            _ = session.send(input, stop: DebugStop(.watchpoint(.write, UInt64(next())), thread: UInt32(next() & 3)))
            for byte in input.prefix(30) { _ = session.isInterruptRequested(by: byte) }
        }
        _ = session.send(Channel.packet("D") + [0x2B])
        _ = session.send([])
        #expect(session.target.watches.isEmpty)
    }
}

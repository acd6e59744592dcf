import Study
import Testing
import X86

@Suite("GDB: framing")
struct GDBFramingTests {
    typealias Channel = ScriptedChannel

    @Test("a packet is acknowledged, and its answer comes with a checksum")
    func acknowledged() {
        let session = GDBSession()
        #expect(session.send(Array("+$qC#b4+$k#6b".utf8)) == "+$QC1#c5+")
        #expect(session.resumption == .kill)
    }

    @Test("a packet with a wrong checksum is asked for again, and not obeyed")
    func wrongChecksum() {
        let session = GDBSession()
        #expect(session.send(Array("$k#6c$k#zz$qC#b4+$k#6b".utf8)) == "--+$QC1#c5+")
    }

    @Test("an answer that arrived damaged is sent again, as often as it takes")
    func sentAgain() {
        let session = GDBSession()
        #expect(session.send(Array("$qC#b4--+$k#6b".utf8)) == "+$QC1#c5$QC1#c5$QC1#c5+")
        // Also when the debugger says so late.
        #expect(session.send(Array("$qC#b4+-+$k#6b".utf8)) == "+$QC1#c5$QC1#c5+")
    }

    @Test("a debugger that goes on has got the answer")
    func impliedAcknowledgement() {
        let session = GDBSession()
        #expect(session.send(Array("$qC#b4$qC#b4$k#6b".utf8)) == "+$QC1#c5+$QC1#c5+")
    }

    @Test("noise between packets, and a break character that comes too late, do nothing")
    func noise() {
        let session = GDBSession()
        #expect(session.send([0x03, 0x00, 0xFF, 0x23] + Array("hello$qC#b4".utf8) + [0x03] + Array("+$k#6b".utf8)) == "+$QC1#c5+")
    }

    @Test("a packet that begins in the middle of another takes its place")
    func restarted() {
        let session = GDBSession()
        #expect(session.send(Array("$m1000,$qC#b4+$k#6b".utf8)) == "+$QC1#c5+")
    }

    @Test("without acknowledgements there are none, from the answer on; a new debugger has them again")
    func withoutAcknowledgements() {
        let session = GDBSession()
        let start = Channel.packet("QStartNoAckMode") + [0x2B]
        #expect(session.send(start + Array("$qC#b4$qC#b4".utf8) + Channel.packet("c")) == "+$OK#9a$QC1#c5$QC1#c5")
        #expect(session.resumption == .continue)
        // It went away while the guest ran; the next one begins with "+" and asks.
        #expect(!session.isInterruptRequested(by: 0x2B))
        #expect(session.isInterruptRequested(by: 0x24))
        #expect(session.send(Array("qC#b4+$k#6b".utf8), stop: DebugStop(.interrupt)) == "+$QC1#c5+")
    }

    @Test("a new debugger at a stopped guest has acknowledgements again too")
    func newDebugger() {
        let session = GDBSession()
        let start = Channel.packet("QStartNoAckMode") + [0x2B]
        #expect(session.send(start + Array("$qC#b4+$qC#b4+$k#6b".utf8)) == "+$OK#9a$QC1#c5+$QC1#c5+")
    }

    @Test("a connection that is lost in the middle of a packet does the next debugger no harm", arguments: [false, true])
    func lostConnection(acknowledges: Bool) {
        let start = acknowledges ? Array("+".utf8) : Array("+".utf8) + Channel.packet("QStartNoAckMode") + [0x2B]
        let whole = Channel.packet("X1000,2:}\u{3}a")
        for length in 1..<whole.count {
            let session = GDBSession()
            let answers = session.send(start + whole[..<length] + Array("+$qC#b4+$k#6b".utf8))
            #expect(answers.hasSuffix("+$QC1#c5+"), "\(length): \(answers)")
            #expect(session.resumption == .kill && session.target.ram[0x1000] == 0)
        }
    }

    @Test("and likewise in the middle of an answer that was never acknowledged, or while the guest runs")
    func lostElsewhere() {
        let session = GDBSession()
        #expect(session.send(Array("+$qC#b4+$qC#b4+$k#6b".utf8)) == "+$QC1#c5+$QC1#c5+")
        for begun in ["+", "+$", "+$m10", "+$m10#", "+$m10#a"] {
            let session = GDBSession()
            _ = session.ask("QStartNoAckMode")
            var rest = Array((begun + "+$?#3f+$D#44+").utf8)[...]
            while let byte = rest.popFirst(), !session.isInterruptRequested(by: byte) {}
            let answers = session.send(Array(rest), stop: DebugStop(.interrupt))
            #expect(answers.hasSuffix("+$T02thread:1;#d4+$OK#9a"), "\(begun): \(answers)")
        }
    }

    @Test("a damaged packet that nobody would send again is an error")
    func damagedWithoutAcknowledgements() {
        let session = GDBSession()
        let start = Channel.packet("QStartNoAckMode") + [0x2B]
        #expect(session.send(start + Array("$k#00$k#6b".utf8)) == "+$OK#9a$E01#a6")
    }

    @Test("a packet longer than the buffer is an error, and the next one is taken")
    func tooLong() {
        let session = GDBSession(memory: 2048)
        let long = Channel.packet(String(repeating: "m", count: 1025))
        #expect(session.send(long + Array("+$k#6b".utf8)) == "+$E01#a6+")
        #expect(session.send(Channel.packet(String(repeating: "u", count: 1024)) + Array("+$k#6b".utf8)) == "+$#00+")
    }

    @Test("a line that goes away ends the session, in the middle of whatever")
    func lineGone() {
        let whole = Channel.packet("QStartNoAckMode") + [0x2B] + Channel.packet("X1000,2:}\u{3}a")
        for length in 0..<whole.count {
            let session = GDBSession()
            _ = session.send(Array(whole[..<length]))
            #expect(session.resumption == .detach)
        }
    }

    @Test("an answer that does not fit is an error instead")
    func noRoom() {
        let session = GDBSession(memory: 64)
        #expect(session.ask("g", "qC") == ["E1c", "QC1"])
    }

    @Test("random bytes neither stop the server nor keep it", arguments: 0..<40)
    func randomBytes(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> UInt8 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return UInt8(truncatingIfNeeded: random >> 24)
        }
        let alphabet = Array("?gGpPmMXZzcCsSHTqQvDk0123456789abcdef,;:=-+$#}lRx".utf8)
        let starts = [
            "m", "M", "X", "Z0,", "Z2,", "z1,", "P", "p", "G", "vCont;", "vCont", "qRcmd,", "qXfer:features:read:target.xml:", "H", "T",
            "qThreadExtraInfo,", "qSupported:", "C", "S", "s", "c", "QStartNoAckMode", "D", "vKill",
        ]
        let session = GDBSession(memory: 512)
        session.target.modes = [.real, .long64]
        for _ in 0..<60 {
            var input: [UInt8] = []
            for _ in 0..<20 {
                var content = next() < 200 ? Array(starts[Int(next()) % starts.count].utf8) : []
                for _ in 0..<(next() % 40) { content.append(next() < 250 ? alphabet[Int(next()) % alphabet.count] : next()) }
                input += next() < 230 ? Channel.packet(content) : content
            }
            _ = session.send(input, stop: DebugStop(.watchpoint(.write, .init(UInt64(next()))), thread: UInt32(next() & 3)))
            for byte in input.prefix(30) { _ = session.isInterruptRequested(by: byte) }
        }
        // What it has put in the guest's memory goes with it.
        _ = session.send(Channel.packet("D") + [0x2B])
        _ = session.send([])
        #expect(!session.usesSoftwareBreakpoints)
    }
}

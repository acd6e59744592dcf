import Debug
import Foundation
import Testing

@testable import StudyTools

/// The conversation with the agent, over lines that lose and add bytes.
@Suite struct ConnectionTests {
    /// A line on which each request is answered by a function.
    final class ScriptedLine: AgentLine {
        var answer: (_ kind: UInt8, _ sequence: UInt8, _ count: Int) -> [UInt8]?
        private var decoder = FrameDecoder()
        private var pending: [UInt8] = []
        private(set) var requests: [UInt8] = []
        private var isGone = false

        init(_ answer: @escaping (UInt8, UInt8, Int) -> [UInt8]?) { self.answer = answer }

        func send(_ bytes: [UInt8]) {
            for byte in bytes where decoder.take(byte) {
                requests.append(decoder.kind)
                if let answer = answer(decoder.kind, decoder.sequence, requests.count) {
                    pending += answer
                } else {
                    isGone = true
                }
            }
        }

        func receive(timeout: Double) -> [UInt8]? {
            defer { pending = [] }
            return pending.isEmpty && isGone ? nil : pending
        }
    }

    static func frame(_ sequence: UInt8, _ kind: UInt8, _ payload: [UInt8]) -> [UInt8] {
        var message = Message()
        message.begin(sequence: sequence, kind: kind)
        for byte in payload { message.append(byte) }
        var bytes: [UInt8] = []
        message.send { bytes.append($0) }
        return bytes
    }

    @Test func `an answer is found among noise and events, which are kept in their order`() throws {
        let line = ScriptedLine { kind, sequence, _ in
            [1, 2, 3, 0x7E, 0x7D] + Self.frame(0, AgentEvent.trace.rawValue, Array("one".utf8)) + [0x7E, 9, 9]
                + Self.frame(sequence &- 1, kind | 0x80, [0, 0])
                + Self.frame(1, AgentEvent.starting.rawValue, Array("two\u{7}".utf8))
                + Self.frame(sequence, kind | 0x80, [0, 42, 43])
        }
        let connection = GuestConnection(line)
        #expect(try connection.ask(.registers) == [42, 43])
        #expect(connection.event(timeout: 0) == .trace("one") && connection.event(timeout: 0) == .starting("two?"))
        #expect(connection.event(timeout: 0) == nil)
    }

    @Test func `what changes nothing is asked again if no answer comes, and nothing else is`() {
        let line = ScriptedLine { kind, sequence, count in count < 3 ? [] : Self.frame(sequence, kind | 0x80, [0, 7]) }
        let connection = GuestConnection(line, patience: 0.01)
        #expect((try? connection.ask(.registers)) == [7] && line.requests.count == 3)
        let deaf = ScriptedLine { _, _, _ in [] }
        let second = GuestConnection(deaf, patience: 0.01)
        #expect(throws: Complaint("the machine does not respond")) { try second.ask(.run(.never)) }
        #expect(deaf.requests.count == 1 && !second.isLost)
    }

    @Test func `a line that is gone is reported`() {
        let connection = GuestConnection(ScriptedLine { _, _, _ in nil })
        #expect(throws: Complaint("the machine is gone")) { try connection.ask(.registers) }
        #expect(connection.isLost && connection.event(timeout: 1) == nil)
    }

    @Test func `every error of the agent's has words`() {
        for number in UInt8.min...UInt8.max {
            guard let error = AgentError(rawValue: number) else { continue }
            let words = Complaint(AgentFailure(error, 0x6820)).words
            #expect(
                words.count > 10 && words.first?.isUppercase != true || words.hasPrefix("Martlet") || words.hasPrefix("NMI")
                    || words.hasPrefix("RFLAGS"), "\(words)")
        }
    }

    @Test(arguments: 0..<20) func `whatever the agent answers, no command traps`(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> UInt8 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return UInt8(truncatingIfNeeded: random >> 24)
        }
        let line = ScriptedLine { kind, sequence, count in
            // The first two make a guest at all.
            if kind == 1 { return Self.frame(sequence, 0x81, [0, 1, 0, 2, 7, 0] + [UInt8](repeating: 1, count: 17)) }
            if kind == 2 { return Self.frame(sequence, 0x82, [0] + [UInt8](repeating: 0, count: 8) + [40, 48, 0, 0]) }
            return Self.frame(sequence, kind | 0x80, [next() < 40 ? next() : 0] + (0..<Int(next()) * 4).map { _ in next() })
        }
        guard let guest = try? StudiedGuest(GuestConnection(line, patience: 0.001)) else { return }
        let study = Study(guest, disassembler: Disassembler(tool: nil))
        for command in Command.allCases {
            for line in [command.rawValue, command.description.example] {
                var answer = Answer()
                _ = try? study.perform(line, saying: &answer)
            }
        }
    }

    #if os(Linux)
    @Test func `a serial port passes every byte as it is, at 115200 bits a second`() throws {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        defer { close(master) }
        var (lock, number): (Int32, Int32) = (0, 0)
        // TIOCSPTLCK and TIOCGPTN
        #expect(ioctl(master, 0x4004_5431, &lock) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
        let file = try Port.open(device: "/dev/pts/\(number)")
        defer { close(file) }
        var settings = termios()
        #expect(
            tcgetattr(file, &settings) == 0 && cfgetospeed(&settings) == speed_t(B115200)
                && settings.c_cflag & tcflag_t(CSIZE) == tcflag_t(CS8))
        let bytes = [UInt8](0...255)
        #expect(Poller.write(bytes, to: file))
        var there: [UInt8] = []
        while there.count < 256, let more = Poller.read(master) { there += more }
        #expect(there == bytes)
        #expect(Poller.write(bytes, to: master))
        var back: [UInt8] = []
        let poller = Poller()
        let line = FileLine(file, poller)
        while back.count < 256, let more = line.receive(timeout: 5), !more.isEmpty { back += more }
        #expect(back == bytes)
    }
    #endif

    @Test func `a port that is taken is not listened on twice`() throws {
        let first = try #require(Port.listen(on: 0))
        defer { close(first.file) }
        #expect(Port.listen(on: first.port) == nil)
    }
}

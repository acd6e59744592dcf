import Memory
import Testing
import Trace
import Virtualization
import X86

@testable import Debug
@testable import Machine

/// What is encoded is decoded as the same.
@Suite struct MessageTests {
    /// A message's payload, as the other end gets it.
    private func payload(_ encode: (inout Message) -> Void) -> [UInt8] {
        var message = Message()
        message.begin(sequence: 1, kind: 1)
        encode(&message)
        var bytes: [UInt8] = []
        message.send { bytes.append($0) }
        return frames(in: bytes)[0].payload
    }

    private func decoded<Value>(_ bytes: [UInt8], _ decode: (inout MessageReader) -> Value?) -> Value? {
        bytes.withUnsafeBytes { bytes in
            var reader = MessageReader(bytes)
            guard let value = decode(&reader), reader.isAtEnd else { return nil }
            return value
        }
    }

    static let condition = StopCondition(.init(.init(.register(.r10), .low16), mask: 0xF0, .atLeast, 3))
        .joined(with: StopCondition(.init(.init(.exit(.linear)), .hasBits, 9)), by: .or)!

    @Test func `requests`() throws {
        let text = Array("text".utf8)
        text.withUnsafeBytes { text -> Void in
            let requests: [Request] = [
                .hello(version: 0x102), .capabilities, .statistics(firstReason: 3), .stops(first: 4),
                .setStop(Stop(.port(5), Self.condition)),
                .deleteStop(6), .deleteAllStops, .stop, .type(text), .trace(.full), .state(.after, changesSince: .before),
                .state(.now, changesSince: nil), .registers, .lastExit, .lastStop, .read(.host, address: 1 << 40, count: 9),
                .readWords(.virtual, address: .max, count: 10), .write(.physical, address: 11, text), .translate(linear: 12),
                .setRegister(.efer, 13), .setField(encoding: 0x681E, 14), .setTrap(physical: 15), .deleteTrap(physical: 16),
                .deleteAllTraps, .inject(.exception(.pageFault, errorCode: 17)), .run(.never), .run(.exits(18)),
                .run(.instructions(19)), .run(.reason(20, Self.condition)), .run(.reason(21, nil)), .reset, .quit, .shadow,
            ]
            for request in requests {
                var message = Message()
                request.encode(sequence: 7, to: &message)
                var bytes: [UInt8] = []
                message.send { bytes.append($0) }
                let frame = frames(in: bytes)[0]
                frame.payload.withUnsafeBytes { payload -> Void in
                    guard let again = try? Request(kind: frame.kind, payload) else {
                        Issue.record("\(request)")
                        return
                    }
                    var message = Message()
                    again.encode(sequence: 7, to: &message)
                    var second: [UInt8] = []
                    message.send { second.append($0) }
                    #expect(bytes == second && again.kind == request.kind)
                }
                // A byte less or more is none, but where any number of bytes will do.
                switch request {
                case .type, .write: continue
                default: break
                }
                for payload in [Array(frame.payload.dropLast()), frame.payload + [0]] where payload != frame.payload {
                    payload.withUnsafeBytes { payload -> Void in
                        #expect(throws: AgentError.malformed) { try Request(kind: frame.kind, payload) }
                    }
                }
            }
        }
    }

    @Test func `an unknown kind of request is told apart`() {
        for kind in [0, 0x0B, 0x1F, 0x32, 0x7F] as [UInt8] {
            #expect(throws: AgentError.unknownRequest) { try Request(kind: kind, .init(start: nil, count: 0)) }
        }
    }

    @Test func `reports of stops and ends`() {
        let causes: [StopReport.Cause] = [
            .start, .stop(16), .exits, .instructions, .reason, .request, .trap, .displaced(from: 3), .end,
        ]
        for (index, cause) in causes.enumerated() {
            let report = StopReport(
                cause, isBefore: index & 1 != 0, isAsleep: index & 2 != 0, exitCount: 1 << 40,
                CodeAddress(selector: 8, pointer: 0xFFFF_FFFF_8000_0000, mode: .long64), linear: 5)
            #expect(decoded(payload { report.encode(to: &$0) }, { StopReport(&$0) }) == report)
        }
        for mode in [.real, .virtual8086, .protected16, .protected32, .compatibility16, .compatibility32, .long64]
            as [ProcessorMode]
        {
            #expect(ProcessorMode(number: mode.number) == mode)
        }
        for ending in [nil, .debugExit(9), .unsupported(.unknownReason(77)), .entryFailure(reason: 0x8000_0021)] as [Ending?] {
            #expect(decoded(payload { EndReport(ending).encode(to: &$0) }, { EndReport(&$0) }) == EndReport(ending))
        }
    }

    @Test func `outcomes`() {
        let outcomes: [Outcome?] = [
            nil, .resume, .step, .stepLength(3), .inject(.exception(.pageFault, errorCode: 6)), .inject(.interrupt(0x30)), .wait,
            .end(.tripleFault), .end(.debugExit(5)),
        ]
        for outcome in outcomes {
            #expect(decoded(payload { LastExit(outcome).encode(to: &$0) }, { LastExit(&$0) }) == LastExit(outcome))
        }
    }

    @Test func `why memory cannot be read`() {
        let faults: [MemoryAnswer.Fault?] = [
            nil, .notPresent, .reservedBit, .notCanonical, .tableOutsideRAM(1), .outsideRAM(2), .noHostMemory(3),
        ]
        for fault in faults {
            #expect(decoded(payload { MemoryAnswer(fault).encode(to: &$0) }, { MemoryAnswer(&$0) }) == MemoryAnswer(fault))
        }
    }
}

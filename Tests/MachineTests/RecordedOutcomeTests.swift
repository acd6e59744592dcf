import Testing
import Trace
import Virtualization

@testable import Machine

@Suite struct RecordedOutcomeTests {
    static let endings: [Ending] = [
        .debugExit(3), .halted(interruptsEnabled: true), .halted(interruptsEnabled: false), .tripleFault, .powerOff, .reset,
        .entryFailure(reason: 0x8000_0021), .unsupported(.initSignal), .unsupported(.startupIPI),
        .unsupported(.systemManagementInterrupt), .unsupported(.controlNotSet), .unsupported(.unknownReason(99)),
        .unsupported(.instruction), .unsupported(.fetchFromAbsentMemory), .unsupported(.tableInAbsentMemory),
        .unsupported(.nestedPageMisconfiguration), .unsupported(.machineCheck), .unsupported(.directPaging(.pagingOff)),
    ]

    @Test func `what Martlet did comes back as it was taken down`() {
        let fault = Event.exception(.pageFault, errorCode: 7)
        for outcome in [Outcome.resume, .step, .wait, .inject(fault)] + Self.endings.map({ .end($0) }) {
            var record = ExitRecord()
            record.note(outcome)
            #expect(record.result(of: .cpuid, outcome == .inject(fault) ? fault : nil) == outcome)
        }
        var record = ExitRecord()
        record.note(.inject(fault))
        #expect(record.detail == 7)
        record.note(.stepLength(3))
        #expect(record.result(of: .cpuid, nil) == .step)
        #expect(record.detail == 0)
    }

    @Test func `every ending has a number of its own`() {
        #expect(Set(Self.endings.map { $0.recorded.0 }).count == Self.endings.count - 1)
    }

    @Test func `where nobody took it down the record tells`() {
        var record = ExitRecord()
        #expect(record.result(of: .cpuid, nil) == .resume)
        #expect(record.result(of: .cpuid, .interrupt(0x30)) == .inject(.interrupt(0x30)))
        record.nextInstructionPointer = 2
        #expect(record.result(of: .cpuid, .interrupt(0x30)) == .step)
        #expect(record.result(of: .halt, .interrupt(0x30)) == .inject(.interrupt(0x30)))
        #expect(record.result(of: .halt, nil) == .resume)
    }
}

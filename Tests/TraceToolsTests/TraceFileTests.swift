import Testing
import Trace

@testable import TraceTools

@Suite struct TraceFileTests {
    @Test func `a file is its guests with their exits, numbered as on the console`() throws {
        var trace = SmallTrace.three
        trace.bytes.removeLast(120)
        trace.start("second")
        trace.exit(.hlt)
        trace.end(status: 10)
        let file = try trace.file()
        #expect(file.guests.map(\.name) == ["small", "second"])
        #expect(file.guests[0].machine == "bochs" && file.guests[0].processor == "a processor")
        #expect(file.guests[0].exits.map(\.number) == [1, 2, 3])
        #expect(file.guests[1].exits.map(\.number) == [1])
        #expect(file.status == 10)
        #expect(file.warnings == [])
    }

    @Test func `the guest's time counts from the entry before, pauses left out`() throws {
        var trace = SmallTrace()
        trace.exit(.cpuid)
        trace.mark(.pause(from: 1015, to: 1018))
        trace.exit(.cpuid)
        trace.end()
        let exits = try trace.file().guests[0].exits
        #expect(exits.map(\.guestTicks) == [10, 7])
        #expect(exits.map(\.record.ticks) == [5, 5])
    }

    @Test func `lost records are counted and reported, and the numbers continue after them`() throws {
        var trace = SmallTrace()
        trace.mark(.loss(count: 100))
        trace.exit(.cpuid)
        trace.mark(.end(exits: 1, lost: 100, status: 0))
        let file = try trace.file()
        #expect(file.guests[0].exits[0].number == 101)
        #expect(file.lost == 100)
        #expect(file.warnings == ["100 records were lost: they were overwritten before they could be written out"])
        var one = SmallTrace()
        one.mark(.end(exits: 0, lost: 1, status: 0))
        #expect(try one.file().warnings == ["1 record was lost: it was overwritten before it could be written out"])
    }

    @Test func `an incomplete file is read as far as it goes, and reported`() throws {
        var trace = SmallTrace()
        trace.exit(.cpuid)
        #expect(try trace.file().warnings == ["the file ends early: the machine was ended before Martlet wrote its last record"])
        trace.exit(.cpuid)
        trace.bytes.removeLast(7)
        let file = try trace.file()
        #expect(file.exitCount == 1)
        #expect(
            file.warnings == [
                "the file ends early in the middle of a record: the machine was ended before Martlet wrote its last record"
            ])
    }

    private func complaint(_ bytes: [UInt8]) -> String? {
        do { _ = try TraceFile(bytes, path: "a.trace") } catch { return "\(error)" }
        return nil
    }

    @Test func `errors in a file are reported`() {
        #expect(complaint([]) == "a.trace: it is empty: the machine ended before Martlet wrote a record")
        #expect(complaint([1]) == "a.trace: it is shorter than one record")
        #expect(
            complaint(Array("#!/bin/sh, a script".utf8))
                == "a.trace: it is not a file of exit records: it does not begin with \"MARTLET\"")
        var other = SmallTrace.three.bytes
        other[8] = 7
        #expect(complaint(other) == "a.trace: its format has version 7, this tool reads version 1")
        var damaged = SmallTrace.three.bytes
        damaged[120 + 114] = 44
        #expect(complaint(damaged) == "a.trace: record 1, at byte 120, is of the unknown kind 44: the file is damaged")
        #expect(
            complaint(SmallTrace.three.bytes + SmallTrace.three.bytes)
                == "a.trace: record 5 stands after the end record")
        let path = "/nowhere/a.trace"
        #expect(throws: TraceFileError(path: path, fault: .missing)) { try TraceFile(contentsOf: path) }
    }

    @Test func `no bytes make it trap`() {
        var state: UInt64 = 1
        var bytes = SmallTrace.three.bytes
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[120 + Int(state >> 33) % (bytes.count - 120)] = UInt8(truncatingIfNeeded: state >> 24)
            guard let file = try? TraceFile(bytes, path: "") else {
                bytes = SmallTrace.three.bytes
                continue
            }
            TextReport(showsCauses: true).lines(file) { _ in }
            _ = Summary(file.guests).lines
            _ = PerfettoExport(file).json
            _ = HTMLExport(file).page
        }
    }
}

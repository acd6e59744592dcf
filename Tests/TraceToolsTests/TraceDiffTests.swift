import Testing
import Trace
import VMX

@testable import TraceTools

@Suite struct TraceDiffTests {
    @Test func `the same run twice`() throws {
        let file = try SmallTrace.three.file()
        let diff = TraceDiff(file, file)
        #expect(diff.parting == nil)
        #expect(
            diff.lines("a", "b").suffix(2) == [
                "The same exits in both, in the same order.", "Their times are the same too, to the tick.",
            ])
    }

    @Test func `differing times are distinguished from differing exits`() throws {
        var slower = SmallTrace()
        slower.exit(.hlt)
        slower.exit(.hlt, ticks: 9)
        var faster = SmallTrace()
        faster.exit(.hlt)
        faster.exit(.hlt)
        let diff = TraceDiff(try slower.file(), try faster.file())
        #expect(diff.parting == nil)
        #expect(diff.lines("a", "b").last == "Their times differ, from exit 2 of guest small on.")
    }

    @Test func `the first exit at which two runs diverge, with the exit before and the fields`() throws {
        func trace(_ value: UInt64) -> SmallTrace {
            var trace = SmallTrace()
            trace.exit(.cpuid)
            trace.exit(.ioInstruction, qualification: 0x80 << 16) {
                $0.rax = value; $0.nextRAX = value
            }
            trace.exit(.hlt)
            return trace
        }
        let diff = TraceDiff(try trace(1).file(), try trace(2).file())
        #expect(diff.parting == .init(guest: 0, number: 1, fields: ["RAX", "RAX afterwards"]))
        let lines = diff.lines("a", "b")
        #expect(lines.contains("The runs diverge at exit 2 of guest small, in RAX, RAX afterwards:"))
        #expect(lines.suffix(3).map { $0.prefix(4) } == ["  = ", "  A ", "  B "])
        #expect(lines.suffix(2).map { $0.contains("AL = 0x1") } == [true, false])
    }

    @Test func `the operand counts only where the reason defines it`() throws {
        func trace(_ reason: BasicExitReason, _ operand: UInt64) throws -> TraceFile {
            var trace = SmallTrace()
            trace.exit(reason) { $0.operand = operand }
            return try trace.file()
        }
        #expect(TraceDiff(try trace(.hlt, 1), try trace(.hlt, 2)).parting == nil)
        #expect(TraceDiff(try trace(.eptViolation, 1), try trace(.eptViolation, 2)).parting?.fields.first == "operand")
    }

    @Test func `one run continues where the other ends`() throws {
        var short = SmallTrace()
        short.exit(.cpuid)
        var long = short
        long.exit(.hlt)
        let diff = TraceDiff(try short.file(), try long.file())
        #expect(diff.parting == .init(guest: 0, number: 1, fields: []))
        #expect(diff.lines("a", "b").prefix(2) == ["A: a, 1 exit", "B: b, 2 exits"])
        #expect(diff.lines("a", "b").contains("The runs diverge after exit 1 of guest small: only B goes on."))
        #expect(diff.lines("a", "b").contains { $0.contains("HLT") && $0.contains("+1") })
    }

    @Test func `one run has a guest more`() throws {
        var two = SmallTrace()
        two.exit(.cpuid)
        let one = try two.file()
        two.start("second")
        #expect(
            TraceDiff(try two.file(), one).lines("a", "b").last
                == "The runs diverge after guest 1: only A goes on with another guest.")
    }
}

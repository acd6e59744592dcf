import Foundation
import Testing
import Trace
import VMX

@testable import TraceTools

@Suite struct ReportTests {
    private func text(_ trace: SmallTrace, full: Bool = false, columns: Int = 100) throws -> [String] {
        var lines: [String] = []
        TextReport(showsCauses: full, columns: columns).lines(try trace.file()) { lines.append($0) }
        return lines
    }

    @Test func `text as on the console`() throws {
        #expect(
            try text(.three) == [
                "guest small on bochs, a processor",
                "    1 +10     CPUID                    0008:00100000  CPUID leaf 1",
                "              ->  EAX 0x50654, EBX 0x800, ECX 0x3, EDX 0x4",
                "    2 +10     I/O instruction          0008:00100000  OUT 0x3f8, AL = 'H'  ->  sent by COM1",
                "    3 +10     EPT violation            0008:00100000  read of 0xb1000080, not mapped  ->  read ones",
            ])
    }

    @Test func `a long time has a blank after it`() throws {
        var trace = SmallTrace()
        trace.exit(.hlt) {
            $0.arrival += 1_234_567_890; $0.departure += 1_234_567_890
        }
        #expect(try text(trace)[1].hasPrefix("    1 +1234567900 HLT"))
    }

    @Test func `and why each exit happened`() throws {
        #expect(
            try text(.three, full: true)[3].hasPrefix("        why: always (\"Instructions That Cause VM Exits Unconditionally"))
    }

    /// The last line's description and action.
    private func last(_ reason: BasicExitReason, _ change: @escaping (inout ExitRecord) -> Void) throws -> String {
        var trace = SmallTrace()
        trace.exit(reason, change)
        return String(try text(trace, columns: 200)[1].dropFirst(39))
    }

    @Test func `the place has the digits of its mode`() throws {
        #expect(
            try last(.hlt) {
                $0.cr0 = 0x10; $0.codeAccessRights = 0x9B; $0.codeSelector = 0xF000; $0.instructionPointer = 0xFFF0
            }.hasPrefix("f000:fff0     "))
        #expect(
            try last(.hlt) {
                $0.cr0 = 0x11; $0.codeAccessRights = 0xC09B
            }.hasPrefix("0008:00100000 "))
        #expect(try last(.hlt) { $0.codeAccessRights = 0xF3 }.hasPrefix("0008:100000"))
    }

    @Test func `the operand of a control-register access is its source`() throws {
        let line = try last(.controlRegisterAccess) {
            $0.qualification = 0x304; $0.operand = 0x20; $0.rax = 7
        }
        #expect(line == "0008:00100000  MOV CR4, RBX = 0x20  ->  done")
    }

    @Test func `exceptions and what Martlet injects`() throws {
        let fault = try last(.exceptionOrNMI) {
            $0.interruption = 0x8000_0B0E
            $0.qualification = 0x1234
            $0.operand = 2
            $0.outcome = 3
            $0.detail = 2
            $0.event = 0x8000_0B0E
            $0.nextInstructionPointer = $0.instructionPointer
        }
        #expect(fault == "0008:00100000  #PF(0x2) at 0x1234  ->  injected #PF(2)")
        let refused = try last(.rdmsr) {
            $0.rcx = 0x123; $0.event = 0x8000_0B0D; $0.nextInstructionPointer = $0.instructionPointer
        }
        #expect(refused == "0008:00100000  RDMSR MSR 0x123  ->  injected #GP(0)")
        let window = try last(.interruptWindow) {
            $0.event = 0x8000_0030; $0.nextInstructionPointer = $0.instructionPointer
        }
        #expect(window == "0008:00100000  interrupt window  ->  injected interrupt 0x30")
    }

    @Test func `how a guest ends`() throws {
        #expect(
            try last(.ioInstruction) {
                $0.qualification = 0xF4 << 16; $0.outcome = 16; $0.detail = 3
            }.hasSuffix("ended: wrote 0x3 to the debug-exit port"))
        #expect(try last(.tripleFault) { $0.outcome = 18 }.hasSuffix("triple fault  ->  ended: triple fault"))
        #expect(try last(.cpuid) { $0.outcome = 200 }.hasSuffix("what this version does not know (200)"))
    }

    @Test func `the table has the columns of perf kvm stat`() throws {
        var trace = SmallTrace.three
        trace.bytes.removeLast(120)
        trace.exit(.cpuid, ticks: 15)
        let lines = Summary(try trace.file().guests).lines
        #expect(
            lines == [
                "                       VM-EXIT    Samples   Samples%     Time%      Min Time      Max Time          Avg time",
                "",
                "                         CPUID          2     50.00%    28.57%        5.00us       15.00us           10.00us ( +-  50.00% )",
                "                 EPT violation          1     25.00%    42.86%       30.00us       30.00us           30.00us ( +-   0.00% )",
                "               I/O instruction          1     25.00%    28.57%       20.00us       20.00us           20.00us ( +-   0.00% )",
                "",
                "Total Samples:4, Total events handled time:70.00us.",
            ])
    }

    @Test func `a trace for Perfetto has guest and Martlet as slices and interrupts as instants`() throws {
        var trace = SmallTrace()
        trace.exit(.hlt) {
            $0.event = 0x8000_0030
            $0.requestedVector = 0xEC
        }
        trace.end()
        let json = try JSONSerialization.jsonObject(with: Data(PerfettoExport(try trace.file()).json.utf8))
        let events = try #require((json as? [String: Any])?["traceEvents"] as? [[String: Any]])
        func find(_ phase: String, _ name: String) -> [String: Any]? {
            events.first { $0["ph"] as? String == phase && $0["name"] as? String == name }
        }
        let guest = try #require(find("X", "guest"))
        #expect(guest["ts"] as? Double == 0 && guest["dur"] as? Double == 10)
        let halt = try #require(find("X", "HLT"))
        #expect(halt["ts"] as? Double == 10 && halt["dur"] as? Double == 5)
        #expect((halt["args"] as? [String: String])?["what"] == "HLT")
        #expect(find("i", "interrupt 0x30")?["ts"] as? Double == 15)
        #expect(find("i", "interrupt 0xec, by the processor")?["ts"] as? Double == 15)
        #expect(find("M", "process_name") != nil)
    }
}

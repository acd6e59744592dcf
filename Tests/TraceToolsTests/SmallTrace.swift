import Text
import Trace
import VMX

@testable import TraceTools

/// A file of records, made by hand.
struct SmallTrace {
    var bytes: [UInt8] = []
    private var time: UInt64 = 1000

    init(guest: Line = "small", header: Bool = true) {
        if header { start(guest) }
    }

    mutating func start(_ guest: Line) {
        append(RecordHeader(frequency: 1_000_000, start: time, processor: "a processor", machine: "bochs", guest: guest).encode)
    }

    mutating func append(_ encode: (UnsafeMutableRawBufferPointer) -> Void) {
        var record = [UInt8](repeating: 0, count: ExitRecord.size)
        record.withUnsafeMutableBytes { encode($0) }
        bytes += record
    }

    mutating func mark(_ mark: RecordMark) { append(mark.encode) }

    /// An exit in 64-bit mode at 0x100000 after the guest ran for 10 ticks; Martlet takes 5, and steps past 2 bytes.
    mutating func exit(
        _ reason: BasicExitReason, qualification: UInt64 = 0, ticks: UInt64 = 5,
        _ change: (inout ExitRecord) -> Void = { _ in }
    ) {
        var record = ExitRecord()
        time += 10
        record.arrival = time
        time += ticks
        record.departure = time
        record.instructionPointer = 0x100000
        record.nextInstructionPointer = 0x100002
        record.reason = UInt32(reason.rawValue)
        record.qualification = qualification
        record.codeAccessRights = 0xA09B
        record.cr0 = 0x8000_0011
        record.codeSelector = 8
        change(&record)
        append(record.encode)
    }

    mutating func end(status: UInt32 = 1) { mark(.end(exits: 0, lost: 0, status: status)) }

    func file() throws -> TraceFile { try TraceFile(bytes, path: "a.trace") }

    /// CPUID, a character to COM1, and an absent register read.
    static var three: SmallTrace {
        var trace = SmallTrace()
        trace.exit(.cpuid) {
            $0.rax = 1
            $0.nextRAX = 0x50654
            $0.nextEBX = 0x800
            $0.nextECX = 3
            $0.nextEDX = 4
        }
        trace.exit(.ioInstruction, qualification: 0x3F8 << 16, ticks: 20) { $0.rax = 0x48 }
        trace.exit(.eptViolation, qualification: 0x181, ticks: 30) { $0.operand = 0xB100_0080 }
        trace.end()
        return trace
    }
}

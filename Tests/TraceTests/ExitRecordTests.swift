import Support
import Testing
import Text

@testable import Trace

@Suite struct ExitRecordTests {
    /// A record whose every field is another number.
    static var example: ExitRecord {
        var record = ExitRecord()
        record.arrival = 0x0101_0101_0101_0100
        record.departure = 0x0202_0202_0202_0208
        record.instructionPointer = 0x0303_0303_0303_0310
        record.nextInstructionPointer = 0x0404_0404_0404_0418
        record.qualification = 0x0505_0505_0505_0520
        record.operand = 0x0606_0606_0606_0628
        record.rax = 0x0707_0707_0707_0730
        record.rcx = 0x0808_0808_0808_0838
        record.rdx = 0x0909_0909_0909_0940
        record.nextRAX = 0x0A0A_0A0A_0A0A_0A48
        record.event = 0x8B0B_0B50
        record.nextEBX = 0x0C0C_0C54
        record.nextECX = 0x0D0D_0D58
        record.nextEDX = 0x0E0E_0E5C
        record.reason = 0x0F0F_0F60
        record.interruption = 0x1010_1064
        record.codeAccessRights = 0x1168
        record.requestedVector = 0xEC
        record.cr0 = 0x1212_126C
        record.codeSelector = 0x1370
        record.outcome = 3
        record.detail = 0x1414_1474
        return record
    }

    static func bytes(_ encode: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: 120)
        bytes.withUnsafeMutableBytes { encode($0) }
        return bytes
    }

    @Test func `every field of an exit stands at its offset, little-endian`() {
        let bytes = Self.bytes(Self.example.encode)
        // The lowest byte of each example number names its offset.
        for offset in [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 84, 88, 92, 96, 100, 104, 108, 112, 116] {
            #expect(Int(bytes[offset]) == offset)
        }
        #expect(Array(bytes[0..<8]) == [0, 1, 1, 1, 1, 1, 1, 1])
        #expect(Array(bytes[80..<84]) == [0x50, 0x0B, 0x0B, 0x8B])
        #expect(bytes[106] == 0 && bytes[107] == 0xEC)
        #expect(bytes[113] == 0x13 && bytes[114] == 0 && bytes[115] == 3)
    }

    @Test func `an exit comes back as it was written`() {
        let bytes = Self.bytes(Self.example.encode)
        #expect(bytes.withUnsafeBytes { ExitRecord($0) } == Self.example)
        #expect(bytes[..<119].withUnsafeBytes { ExitRecord($0) } == nil)
    }

    @Test func `in memory a record is what is written, for the world switch writes it there`() {
        #expect(MemoryLayout<ExitRecord>.size == ExitRecord.size && MemoryLayout<ExitRecord>.stride == ExitRecord.size)
        let memory = withUnsafeBytes(of: Self.example) { Array($0) }
        #expect(memory == Self.bytes(Self.example.encode))
    }

    @Test func `the world switch's offsets are the record's`() throws {
        let source = try String(
            contentsOfFile: #filePath.replacing("Tests/TraceTests/ExitRecordTests.swift", with: "Boot/records.inc"),
            encoding: .utf8)
        var offsets: [String: Int] = [:]
        for line in source.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 3, words[1] == "equ", let offset = Int(words[2]) { offsets[String(words[0])] = offset }
        }
        func offset(_ field: PartialKeyPath<ExitRecord>) -> Int? { MemoryLayout<ExitRecord>.offset(of: field) }
        let expected: [(String, Int?)] = [
            ("ARRIVAL", offset(\.arrival)), ("DEPARTURE", offset(\.departure)), ("RIP", offset(\.instructionPointer)),
            ("NEXT_RIP", offset(\.nextInstructionPointer)), ("QUALIFICATION", offset(\.qualification)),
            ("OPERAND", offset(\.operand)), ("RAX_BEFORE", offset(\.rax)), ("RCX_BEFORE", offset(\.rcx)),
            ("RDX_BEFORE", offset(\.rdx)), ("NEXT_RAX", offset(\.nextRAX)), ("EVENT", offset(\.event)),
            ("NEXT_EBX", offset(\.nextEBX)), ("NEXT_ECX", offset(\.nextECX)), ("NEXT_EDX", offset(\.nextEDX)),
            ("REASON", offset(\.reason)), ("INTERRUPTION", offset(\.interruption)), ("CS_RIGHTS", offset(\.codeAccessRights)),
            ("CR0", offset(\.cr0)), ("CS_SELECTOR", offset(\.codeSelector)), ("RECORD_SIZE", ExitRecord.size),
        ]
        for (name, value) in expected { #expect((offsets[name + "_AT"] ?? offsets[name]) == value, "\(name)") }
    }

    @Test func `a header names machine, processor and guest`() throws {
        let header = RecordHeader(
            frequency: 50_000_000, start: 77, processor: "Intel(R) Core(TM) i7-7800X CPU @ 3.50GHz", machine: "bochs",
            guest: "tour")
        let bytes = Self.bytes(header.encode)
        #expect(bytes[..<12].elementsEqual(Array("MARTLET\0".utf8) + [1, 0, 120, 0]))
        #expect(bytes[114] == 1)
        let read = try bytes.withUnsafeBytes { (bytes) throws(RecordHeader.Fault) in try RecordHeader(bytes) }
        #expect(read.frequency == 50_000_000 && read.start == 77)
        #expect(words(read.processor) == "Intel(R) Core(TM) i7-7800X CPU @ 3.50GHz")
        #expect(words(read.machine) == "bochs" && words(read.guest) == "tour")
    }

    @Test func `a name that is too long is cut, and runs into nothing else`() throws {
        let name: Line = "a-guest-with-a-very-long-name-indeed"
        let bytes = Self.bytes(RecordHeader(frequency: 1, start: 2, processor: name, machine: name, guest: name).encode)
        let read = try bytes.withUnsafeBytes { (bytes) throws(RecordHeader.Fault) in try RecordHeader(bytes) }
        #expect(words(read.machine) == "a-guest-" && words(read.guest) == "a-guest-with-a-very-long")
        #expect(bytes[112] == 0 && bytes[113] == 0 && bytes[114] == 1)
    }

    @Test func `what is no header says why`() {
        func fault(_ change: (inout [UInt8]) -> Void) -> RecordHeader.Fault? {
            var bytes = Self.bytes(RecordHeader(frequency: 1, start: 2, processor: "p", machine: "m", guest: "g").encode)
            change(&bytes)
            return bytes.withUnsafeBytes {
                do throws(RecordHeader.Fault) { _ = try RecordHeader($0) } catch { return error }
                return nil
            }
        }
        #expect(fault { _ in } == nil)
        #expect(fault { $0[0] = 0x6D } == .notARecordFile)
        #expect(fault { $0[8] = 2 } == .unknownVersion(2))
        #expect(fault { $0[10] = 128 } == .wrongSize(128))
        #expect(fault { $0.removeLast() } == .tooShort)
        #expect(fault { $0 = [1, 2, 3] } == .tooShort)
    }

    @Test(arguments: [
        RecordMark.pause(from: 1 << 40, to: 1 << 41), .loss(count: 3), .end(exits: 12, lost: 3, status: 10),
    ])
    func `marks come back as they were written`(mark: RecordMark) {
        let bytes = Self.bytes(mark.encode)
        #expect(bytes.withUnsafeBytes { RecordMark($0) } == mark)
        #expect(bytes.withUnsafeBytes { ExitRecord($0) } == nil)
    }

    @Test func `an exit is no mark, nor is an unknown kind`() {
        #expect(Self.bytes(Self.example.encode).withUnsafeBytes { RecordMark($0) } == nil)
        var bytes = Self.bytes(RecordMark.loss(count: 1).encode)
        bytes[114] = 99
        #expect(bytes.withUnsafeBytes { RecordMark($0) } == nil)
    }
}

import Foundation
import StudyTools
import Text
import Trace

/// A file of records, read whole: the guests that it names and their exits in order.
public struct TraceFile {
    /// One guest of the file, from its start on.
    public struct Guest {
        public var machine: String
        public var processor: String
        public var name: String
        /// Time-stamp ticks a second.
        public var frequency: UInt64
        /// The time stamp of its start.
        public var start: UInt64
        /// How many of its exits were overwritten before they could be written out.
        public var lost: UInt64 = 0
        public var exits: [TracedExit] = []
        public var pauses: [Pause] = []
    }

    /// A time in which the guest was kept from running for a reason that is no exit.
    public struct Pause: Equatable {
        public var from: UInt64
        public var to: UInt64
    }

    public var guests: [Guest] = []
    /// Records that were lost, of all guests.
    public var lost: UInt64 = 0
    /// Martlet's status at the end; nil if the file ends early before its end.
    public var status: UInt32?
    /// Bytes of a last record of which the rest is missing.
    public var incompleteBytes = 0

    public init(contentsOf path: String) throws(TraceFileError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw TraceFileError(path: path, fault: exists ? .unreadable : .missing)
        }
        try self.init([UInt8](data), path: path)
    }

    /// - Parameter path: for error messages.
    public init(_ bytes: [UInt8], path: String) throws(TraceFileError) {
        let fault: TraceFileError.Fault? = bytes.withUnsafeBytes { take($0) }
        if let fault { throw TraceFileError(path: path, fault: fault) }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) -> TraceFileError.Fault? {
        guard !bytes.isEmpty else { return .empty }
        do { _ = try RecordHeader(bytes) } catch { return .header(error) }
        let count = bytes.count / ExitRecord.size
        var lastEntry: UInt64 = 0
        for index in 0..<count {
            let slot = UnsafeRawBufferPointer(rebasing: bytes[(index * ExitRecord.size)..<((index + 1) * ExitRecord.size)])
            guard status == nil else { return .behindTheEnd(record: index) }
            switch RecordKind(rawValue: slot[RecordKind.offset]) {
            case .header:
                do {
                    let header = try RecordHeader(slot)
                    guests.append(Guest(header))
                    lastEntry = header.start
                } catch {
                    return .header(error)
                }
            case .exit:
                guard let record = ExitRecord(slot) else { return .unknownKind(slot[RecordKind.offset], record: index) }
                let number = UInt64(guests[guests.count - 1].exits.count) + guests[guests.count - 1].lost + 1
                guests[guests.count - 1].exits.append(TracedExit(number: number, record: record, lastEntry: lastEntry))
                lastEntry = record.departure
            case nil: return .unknownKind(slot[RecordKind.offset], record: index)
            case .pause, .loss, .end:
                guard let mark = RecordMark(slot) else { return .unknownKind(slot[RecordKind.offset], record: index) }
                take(mark, &lastEntry)
            }
        }
        incompleteBytes = bytes.count % ExitRecord.size
        return nil
    }

    private mutating func take(_ mark: RecordMark, _ lastEntry: inout UInt64) {
        switch mark {
        case .pause(let from, let to):
            guests[guests.count - 1].pauses.append(Pause(from: from, to: to))
            lastEntry &+= to &- from
        case .loss(let count):
            guests[guests.count - 1].lost += count
            lost += count
        case .end(_, let lost, let status):
            self.lost = max(self.lost, lost)
            self.status = status
        }
    }

    public var exitCount: Int { guests.reduce(0) { $0 + $1.exits.count } }

    /// What a reader should know before trusting figures: records are missing.
    public var warnings: [String] {
        var warnings: [String] = []
        if lost > 0 {
            let words =
                "\(count: lost, "record was lost: it was overwritten before it", "records were lost: they were overwritten before they")"
            warnings.append("\(words) could be written out")
        }
        if status == nil {
            let place = incompleteBytes == 0 ? "" : " in the middle of a record"
            warnings.append("the file ends early\(place): the machine was ended before Martlet wrote its last record")
        } else if incompleteBytes > 0 {
            warnings.append("\(count: incompleteBytes, "byte stands", "bytes stand") after the end record")
        }
        return warnings
    }
}

extension TraceFile.Guest {
    init(_ header: RecordHeader) {
        machine = header.machine.string
        processor = header.processor.string
        name = header.guest.string
        frequency = header.frequency
        start = header.start
    }

    /// A number of ticks in microseconds; ticks where the file does not know the frequency.
    public func microseconds(_ ticks: UInt64) -> Double {
        frequency == 0 ? Double(ticks) : Double(ticks) * 1_000_000 / Double(frequency)
    }
}

/// What is wrong with a file of records.
public struct TraceFileError: Error, Equatable, CustomStringConvertible {
    public enum Fault: Equatable, Sendable {
        case missing
        case unreadable
        case empty
        case header(RecordHeader.Fault)
        case unknownKind(UInt8, record: Int)
        case behindTheEnd(record: Int)
    }

    public var path: String
    public var fault: Fault

    public var description: String {
        switch fault {
        case .missing: "\(path): there is no such file; TRACE_FILE=\(path) makes Tools/martlet write it"
        case .unreadable: "\(path): it cannot be read"
        case .empty: "\(path): it is empty: the machine ended before Martlet wrote a record"
        case .header(.tooShort): "\(path): it is shorter than one record"
        case .header(.notARecordFile): "\(path): it is not a file of exit records: it does not begin with \"MARTLET\""
        case .header(.unknownVersion(let version)):
            "\(path): its format has version \(version), this tool reads version \(RecordHeader.version)"
        case .header(.wrongSize(let size)): "\(path): its records have \(count: size, "byte") instead of \(ExitRecord.size)"
        case .unknownKind(let kind, let record):
            "\(path): record \(record), at byte \(record * ExitRecord.size), is of the unknown kind \(kind): the file is damaged"
        case .behindTheEnd(let record): "\(path): record \(record) stands after the end record"
        }
    }
}

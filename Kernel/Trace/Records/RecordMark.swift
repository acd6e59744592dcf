/// A record that is neither an exit nor a header: two numbers and a third.
///
///     kind        offset 0, 8 bytes      offset 8, 8 bytes     offset 116, 4 bytes
///     pause       its first time stamp   its last              -
///     loss        how many records       -                     -
///     end         exits in the file      records lost          Martlet's status
public enum RecordMark: Equatable, Sendable {
    case pause(from: UInt64, to: UInt64)
    case loss(count: UInt64)
    case end(exits: UInt64, lost: UInt64, status: UInt32)

    /// Decodes a record of one of these kinds; nil for another kind, or too few bytes.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= ExitRecord.size else { return nil }
        let first: UInt64 = bytes.littleEndian(at: 0)
        let second: UInt64 = bytes.littleEndian(at: 8)
        let third: UInt32 = bytes.littleEndian(at: 116)
        switch RecordKind(rawValue: bytes[RecordKind.offset]) {
        case .pause: self = .pause(from: first, to: second)
        case .loss: self = .loss(count: first)
        case .end: self = .end(exits: first, lost: second, status: third)
        case .exit, .header, nil: return nil
        }
    }

    /// Writes the record's 120 bytes.
    public func encode(to bytes: UnsafeMutableRawBufferPointer) {
        switch self {
        case .pause(let from, let to): RecordMark.store(.pause, from, to, 0, to: bytes)
        case .loss(let count): RecordMark.store(.loss, count, 0, 0, to: bytes)
        case .end(let exits, let lost, let status): RecordMark.store(.end, exits, lost, status, to: bytes)
        }
    }

    private static func store(
        _ kind: RecordKind, _ first: UInt64, _ second: UInt64, _ third: UInt32, to bytes: UnsafeMutableRawBufferPointer
    ) {
        for offset in 0..<ExitRecord.size { bytes[offset] = 0 }
        bytes.store(first, at: 0)
        bytes.store(second, at: 8)
        bytes.store(third, at: 116)
        bytes[RecordKind.offset] = kind.rawValue
    }
}

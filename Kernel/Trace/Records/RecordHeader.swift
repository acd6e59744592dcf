import Text

/// The record that begins a file, and each further guest in it.
///
///     offset  size
///        0      8   "MARTLET", 0
///        8      2   version of the format: 1
///       10      2   size of every record: 120
///       12      4   0
///       16      8   time-stamp ticks a second
///       24      8   time stamp of the guest's start
///       32     48   the processor's name
///       80      8   the machine: bochs, kvm, tcg, or pc
///       88     24   the guest's name
///      114      1   kind of record: 1
///
/// Texts are ASCII, cut to their field and padded with zeros. What is not named is 0.
public struct RecordHeader: Sendable {
    public static var version: UInt16 { 1 }
    /// The file's first eight bytes, as a little-endian number.
    public static var signature: UInt64 { 0x0054_454C_5452_414D }

    public var frequency: UInt64
    public var start: UInt64
    public var processor: Line
    public var machine: Line
    public var guest: Line

    public init(frequency: UInt64, start: UInt64, processor: Line, machine: Line, guest: Line) {
        self.frequency = frequency
        self.start = start
        self.processor = processor
        self.machine = machine
        self.guest = guest
    }

    /// What keeps the bytes from being a header.
    public enum Fault: Error, Equatable, Sendable {
        case tooShort
        case notARecordFile
        case unknownVersion(UInt16)
        case wrongSize(UInt16)
    }

    /// Decodes a header.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        guard bytes.count >= 12 else { throw .tooShort }
        guard bytes.littleEndian(at: 0) == RecordHeader.signature else { throw .notARecordFile }
        let version: UInt16 = bytes.littleEndian(at: 8)
        guard version == RecordHeader.version else { throw .unknownVersion(version) }
        let size: UInt16 = bytes.littleEndian(at: 10)
        guard size == UInt16(ExitRecord.size) else { throw .wrongSize(size) }
        guard bytes.count >= ExitRecord.size else { throw .tooShort }
        frequency = bytes.littleEndian(at: 16)
        start = bytes.littleEndian(at: 24)
        processor = RecordHeader.text(bytes, at: 32, room: 48)
        machine = RecordHeader.text(bytes, at: 80, room: 8)
        guest = RecordHeader.text(bytes, at: 88, room: 24)
    }

    /// Writes the header's 120 bytes.
    public func encode(to bytes: UnsafeMutableRawBufferPointer) {
        for offset in 0..<ExitRecord.size { bytes[offset] = 0 }
        bytes.store(RecordHeader.signature, at: 0)
        bytes.store(RecordHeader.version, at: 8)
        bytes.store(UInt16(ExitRecord.size), at: 10)
        bytes.store(frequency, at: 16)
        bytes.store(start, at: 24)
        RecordHeader.store(processor, to: bytes, at: 32, room: 48)
        RecordHeader.store(machine, to: bytes, at: 80, room: 8)
        RecordHeader.store(guest, to: bytes, at: 88, room: 24)
        bytes[RecordKind.offset] = RecordKind.header.rawValue
    }

    private static func text(_ bytes: UnsafeRawBufferPointer, at offset: Int, room: Int) -> Line {
        var end = offset
        while end < offset + room, bytes[end] != 0 { end += 1 }
        return Line(UnsafeRawBufferPointer(rebasing: bytes[offset..<end]))
    }

    private static func store(_ text: Line, to bytes: UnsafeMutableRawBufferPointer, at offset: Int, room: Int) {
        for position in 0..<min(text.count, room) { bytes[offset + position] = text[position] }
    }
}

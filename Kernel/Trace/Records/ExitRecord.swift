/// One VM exit, as it is written to a trace file: 120 bytes, little-endian.
///
/// The format, version 1; Docs/Records.md describes it in words. The offsets are the contract with the world switch
/// (Boot/records.inc), which writes most of a record while the guest's registers are still in their places. A VMREAD to
/// memory writes eight bytes, so the 32-bit fields stand in the order in which they are written, each over the zeros of the
/// one before; the last of them leaves `kind` and `outcome` 0.
///
///     offset  size
///        0      8   time stamp of the exit
///        8      8   time stamp of the VM entry after it
///       16      8   guest RIP at the exit
///       24      8   guest RIP at the VM entry
///       32      8   exit qualification
///       40      8   operand: the guest-physical address; for a control or debug register its source, for an exception the
///                   error code
///       48     24   RAX, RCX, RDX at the exit
///       72      8   RAX at the VM entry
///       80      4   VM-entry interruption information: the event that the entry delivers
///       84     12   EBX, ECX, EDX at the VM entry
///       96      4   exit reason, all 32 bits
///      100      4   VM-exit interruption information
///      104      2   access rights of CS
///      106      1   0
///      107      1   vector of an interrupt requested of the processor, which delivers it itself; 0 for none
///      108      4   CR0, the low half
///      112      2   CS
///      114      1   kind of record: 0
///      115      1   outcome: what Martlet did, 0 where the other fields tell
///      116      4   detail of the outcome
public struct ExitRecord: Equatable, Sendable {
    /// The size of every kind of record.
    public static var size: Int { 120 }

    public var arrival: UInt64 = 0
    public var departure: UInt64 = 0
    public var instructionPointer: UInt64 = 0
    public var nextInstructionPointer: UInt64 = 0
    public var qualification: UInt64 = 0
    public var operand: UInt64 = 0
    public var rax: UInt64 = 0
    public var rcx: UInt64 = 0
    public var rdx: UInt64 = 0
    public var nextRAX: UInt64 = 0
    public var event: UInt32 = 0
    public var nextEBX: UInt32 = 0
    public var nextECX: UInt32 = 0
    public var nextEDX: UInt32 = 0
    public var reason: UInt32 = 0
    public var interruption: UInt32 = 0
    public var codeAccessRights: UInt16 = 0
    private var unused: UInt8 = 0
    public var requestedVector: UInt8 = 0
    public var cr0: UInt32 = 0
    public var codeSelector: UInt16 = 0
    public private(set) var kind = RecordKind.exit
    public var outcome: UInt8 = 0
    public var detail: UInt32 = 0

    public init() {}

    /// How long Martlet took, in time-stamp ticks.
    public var ticks: UInt64 { departure &- arrival }
    /// Whether the event field names an event.
    public var deliversEvent: Bool { event >> 31 != 0 }
}

/// What a record is about: the byte at offset 114.
public enum RecordKind: UInt8, Sendable {
    case exit = 0
    /// A guest starts: machine, processor, guest. The first record of a file is one.
    case header = 1
    /// Martlet kept the guest from running for a reason other than an exit.
    case pause = 2
    /// Records that were overwritten before they could be written out.
    case loss = 3
    /// The last record of a complete file.
    case end = 4

    /// Where the byte is in every record.
    public static var offset: Int { 114 }
}

extension ExitRecord {
    /// Decodes a record of the kind `exit`; nil for another kind, or too few bytes.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= ExitRecord.size, bytes[RecordKind.offset] == RecordKind.exit.rawValue else { return nil }
        arrival = bytes.littleEndian(at: 0)
        departure = bytes.littleEndian(at: 8)
        instructionPointer = bytes.littleEndian(at: 16)
        nextInstructionPointer = bytes.littleEndian(at: 24)
        qualification = bytes.littleEndian(at: 32)
        operand = bytes.littleEndian(at: 40)
        rax = bytes.littleEndian(at: 48)
        rcx = bytes.littleEndian(at: 56)
        rdx = bytes.littleEndian(at: 64)
        nextRAX = bytes.littleEndian(at: 72)
        event = bytes.littleEndian(at: 80)
        nextEBX = bytes.littleEndian(at: 84)
        nextECX = bytes.littleEndian(at: 88)
        nextEDX = bytes.littleEndian(at: 92)
        reason = bytes.littleEndian(at: 96)
        interruption = bytes.littleEndian(at: 100)
        codeAccessRights = bytes.littleEndian(at: 104)
        requestedVector = bytes[107]
        cr0 = bytes.littleEndian(at: 108)
        codeSelector = bytes.littleEndian(at: 112)
        outcome = bytes[115]
        detail = bytes.littleEndian(at: 116)
    }

    /// Writes the record's 120 bytes.
    public func encode(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.store(arrival, at: 0)
        bytes.store(departure, at: 8)
        bytes.store(instructionPointer, at: 16)
        bytes.store(nextInstructionPointer, at: 24)
        bytes.store(qualification, at: 32)
        bytes.store(operand, at: 40)
        bytes.store(rax, at: 48)
        bytes.store(rcx, at: 56)
        bytes.store(rdx, at: 64)
        bytes.store(nextRAX, at: 72)
        bytes.store(event, at: 80)
        bytes.store(nextEBX, at: 84)
        bytes.store(nextECX, at: 88)
        bytes.store(nextEDX, at: 92)
        bytes.store(reason, at: 96)
        bytes.store(interruption, at: 100)
        bytes.store(codeAccessRights, at: 104)
        bytes.store(unused, at: 106)
        bytes.store(requestedVector, at: 107)
        bytes.store(cr0, at: 108)
        bytes.store(codeSelector, at: 112)
        bytes.store(kind.rawValue, at: RecordKind.offset)
        bytes.store(outcome, at: 115)
        bytes.store(detail, at: 116)
    }
}

extension UnsafeRawBufferPointer {
    /// A number of a record.
    func littleEndian<Number: FixedWidthInteger & UnsignedInteger>(at offset: Int) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}

extension UnsafeMutableRawBufferPointer {
    func store(_ number: some FixedWidthInteger & UnsignedInteger, at offset: Int) {
        storeBytes(of: number.littleEndian, toByteOffset: offset, as: type(of: number))
    }
}

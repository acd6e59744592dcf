/// Why the agent did not do what a request asked; nothing was done. The number is the answer's first byte; the host has
/// the words for it.
///
/// A 64-bit number goes with each, 0 unless stated otherwise.
public enum AgentError: UInt8, Error, Equatable, Sendable {
    // MARK: The request itself
    /// The payload is too short, too long, or holds a meaningless number.
    case malformed = 1
    /// There is no such request.
    case unknownRequest = 2
    /// The agent speaks another version: the number is its own.
    case unknownVersion = 3
    /// The guest is running: stop it first.
    case notStopped = 4
    /// The guest has ended, and this needs one that can go on.
    case hasEnded = 5
    /// There is no such thing yet: no exit has stopped the guest.
    case nothingYet = 6
    /// The answer would not fit a frame.
    case tooLong = 7

    // MARK: Memory
    /// The guest has no RAM at this guest-physical address.
    case noMemory = 16
    /// The machine has no memory at this host-physical address, or none that may be read.
    case noHostMemory = 17
    /// The guest's page tables map nothing at this linear address.
    case notMapped = 18

    // MARK: Stops
    /// All places for stops are taken: the number is how many there are.
    case noRoom = 32
    /// There is no stop of this number.
    case noSuchStop = 33
    /// The range ends beyond the guest's RAM: the number is its size.
    case beyondMemory = 34
    /// No instruction can be at an address that is not canonical.
    case notCanonical = 35
    /// The guest's DR7 leaves too few debug registers: the number is how many stops have one.
    case noDebugRegister = 36
    /// The nested page tables cannot have such pages: no memory for tables is left, or there are no execute-only pages.
    case noNestedPages = 37
    /// Memory cannot be watched with shadow tables: watches use EPT permissions.
    case noWatchesOfMemory = 38
    /// There are no shadow tables.
    case noShadowTables = 39

    // MARK: Registers and fields
    /// There is no such register.
    case noSuchRegister = 48
    /// There is no such field, or not on this processor.
    case noSuchField = 49
    /// The field is not part of the guest's state.
    case notGuestState = 50
    /// Martlet enters only guests that are active.
    case activityState = 51
    /// The value has more bits than the field or register: the number is how many it has.
    case valueTooWide = 52
    /// A MOV or WRMSR of this value would raise an exception.
    case wouldFault = 53
    /// RFLAGS.VM cannot be changed alone: segments and mode depend on it.
    case virtual8086 = 54
    /// The next VM entry would fail: the low half of the number is the encoding of the field to look at, the high half the
    /// number of the rule (`EntryRule`).
    case entryWouldFail = 55

    /// Shadow paging owns the VMCS field: set the register instead.
    case keptByShadowPaging = 56

    // MARK: Segment registers; the number is the selector unless it says otherwise
    /// The descriptor, given by the number, is not that of a present segment.
    case noSegment = 64
    /// The register cannot do without a segment here.
    case needsSegment = 65
    /// It is a data segment, and CS needs code.
    case needsCode = 66
    /// It is a code segment that no jump from this privilege level reaches.
    case unreachableCode = 67
    /// It is not a writable data segment, which SS needs.
    case needsWritableData = 68
    /// It is not of the privilege level that SS needs.
    case wrongPrivilegeLevel = 69
    /// It is a code segment that cannot be read.
    case unreadableCode = 70
    /// It is of a privilege level that cannot be accessed from here.
    case tooPrivileged = 71
    /// There is no local descriptor table.
    case noLocalTable = 72
    /// It is beyond its table; the number is the table's last byte.
    case beyondTable = 73
    /// The guest's page tables map no memory at this address, where the descriptor is.
    case descriptorNotMapped = 74

    // MARK: Events
    /// The next VM entry already delivers an event.
    case eventPending = 80
    /// RFLAGS.IF is clear, or STI or MOV SS blocks interrupts.
    case interruptsBlocked = 81
    /// NMIs are blocked.
    case nonMaskableInterruptsBlocked = 82
    /// No event of this kind has the vector.
    case badVector = 83
    /// The exception has an error code, but none was given.
    case needsErrorCode = 84
    /// The exception has no error code, or not one like this.
    case badErrorCode = 85
    /// The guest has not yet read what was typed before: the number is how many bytes were taken.
    case noRoomForInput = 86
}

/// An error with the number that goes with it.
public struct AgentFailure: Error, Equatable, Sendable {
    public let error: AgentError
    public let number: UInt64

    public init(_ error: AgentError, _ number: UInt64 = 0) {
        self.error = error
        self.number = number
    }

    /// The payload of an answer with an error.
    public func encode(to message: inout Message) {
        message.append(error.rawValue)
        message.append(number)
    }

    /// Decodes what follows the first byte of such an answer; nil for an error that no version knows.
    public init?(status: UInt8, _ reader: inout MessageReader) {
        guard let error = AgentError(rawValue: status), let number = reader.uint64() else { return nil }
        self.init(error, number)
    }
}

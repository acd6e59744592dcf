import Trace
import VMX
import Virtualization

/// What the host asks of the agent (Docs/Agent.md has each with its payload and its answer).
///
/// Bytes in it point into whatever it was decoded from.
public enum Request {
    // Always answered.
    case hello(version: UInt16)
    case capabilities
    case statistics(firstReason: UInt8)
    case stops(first: UInt8)
    case setStop(Stop)
    case deleteStop(UInt8)
    case deleteAllStops
    case stop
    case type(UnsafeRawBufferPointer)
    case trace(TraceLevel)
    // For a stopped guest.
    case state(StateMoment, changesSince: StateMoment?)
    case registers
    case lastExit
    case lastStop
    case read(AddressSpace, address: UInt64, count: UInt16)
    case readWords(AddressSpace, address: UInt64, count: UInt16)
    case write(AddressSpace, address: UInt64, UnsafeRawBufferPointer)
    case translate(linear: UInt64)
    case shadow
    case setRegister(GuestRegister, UInt64)
    case setField(encoding: UInt16, UInt64)
    case setTrap(physical: UInt64)
    case deleteTrap(physical: UInt64)
    case deleteAllTraps
    case inject(Event)
    case run(Goal)
    case reset
    case quit

    /// The numbers on the line.
    public enum Kind: UInt8, Sendable {
        case hello = 0x01, capabilities, statistics, stops, setStop, deleteStop, deleteAllStops, stop, type, trace
        case state = 0x20, registers, lastExit, lastStop, read, readWords, write, translate, setRegister, setField, setTrap
        case deleteTrap, deleteAllTraps, inject, run, reset, quit, shadow

        /// The agent also answers while the guest runs.
        public var needsNoStop: Bool { rawValue < Kind.state.rawValue }
        /// The kind of its answer.
        public var answer: UInt8 { rawValue | Kind.answerBit }

        public static var answerBit: UInt8 { 0x80 }
    }
}

/// The memories to which addresses belong.
public enum AddressSpace: UInt8, Equatable, Sendable {
    /// The guest's linear addresses, through its own page tables as they are.
    case virtual
    /// The guest's RAM.
    case physical
    /// The machine's memory, read-only.
    case host
}

/// Moments at which the guest's state is recorded.
public enum StateMoment: UInt8, Equatable, Sendable {
    case now
    /// At the last exit that stopped the guest, and when it had been handled.
    case before, after
}

/// How long the guest is to run.
public enum Goal: Equatable, Sendable {
    /// Until something else stops it.
    case never
    /// That many exits, or instructions, at least 1.
    case exits(UInt64)
    case instructions(UInt64)
    /// The next exit with a basic reason, if its condition holds.
    case reason(UInt16, StopCondition?)
}

// MARK: On the line

extension Request {
    public var kind: Kind {
        switch self {
        case .hello: .hello
        case .capabilities: .capabilities
        case .statistics: .statistics
        case .stops: .stops
        case .setStop: .setStop
        case .deleteStop: .deleteStop
        case .deleteAllStops: .deleteAllStops
        case .stop: .stop
        case .type: .type
        case .trace: .trace
        case .state: .state
        case .registers: .registers
        case .lastExit: .lastExit
        case .lastStop: .lastStop
        case .read: .read
        case .readWords: .readWords
        case .write: .write
        case .translate: .translate
        case .shadow: .shadow
        case .setRegister: .setRegister
        case .setField: .setField
        case .setTrap: .setTrap
        case .deleteTrap: .deleteTrap
        case .deleteAllTraps: .deleteAllTraps
        case .inject: .inject
        case .run: .run
        case .reset: .reset
        case .quit: .quit
        }
    }

    /// Encodes it as a message.
    public func encode(sequence: UInt8, to message: inout Message) {
        message.begin(sequence: sequence, kind: kind.rawValue)
        switch self {
        case .hello(let version): message.append(version)
        case .statistics(let first), .stops(let first): message.append(first)
        case .setStop(let stop): stop.encode(to: &message)
        case .deleteStop(let number): message.append(number)
        case .type(let bytes): message.append(bytes)
        case .trace(let level): message.append(level.rawValue)
        case .state(let moment, let base):
            message.append(moment.rawValue)
            message.append(base?.rawValue ?? 0xFF)
        case .read(let space, let address, let count), .readWords(let space, let address, let count):
            message.append(space.rawValue)
            message.append(address)
            message.append(count)
        case .write(let space, let address, let bytes):
            message.append(space.rawValue)
            message.append(address)
            message.append(bytes)
        case .translate(let address), .setTrap(let address), .deleteTrap(let address): message.append(address)
        case .setRegister(let register, let value):
            message.append(register.rawValue)
            message.append(value)
        case .setField(let encoding, let value):
            message.append(encoding)
            message.append(value)
        case .inject(let event): event.encode(to: &message)
        case .run(let goal): goal.encode(to: &message)
        case .capabilities, .deleteAllStops, .stop, .registers, .lastExit, .lastStop, .deleteAllTraps, .reset, .quit, .shadow:
            break
        }
    }

    /// Decodes a frame's kind and payload.
    @inline(never)
    public init(kind number: UInt8, _ payload: UnsafeRawBufferPointer) throws(AgentError) {
        guard let kind = Kind(rawValue: number) else { throw .unknownRequest }
        var reader = MessageReader(payload)
        guard let request = Request(kind, &reader), reader.isAtEnd else { throw .malformed }
        self = request
    }

    private init?(_ kind: Kind, _ reader: inout MessageReader) {
        switch kind {
        case .hello:
            guard let version = reader.uint16() else { return nil }
            self = .hello(version: version)
        case .statistics:
            guard let first = reader.uint8() else { return nil }
            self = .statistics(firstReason: first)
        case .stops:
            guard let first = reader.uint8() else { return nil }
            self = .stops(first: first)
        case .deleteStop:
            guard let number = reader.uint8() else { return nil }
            self = .deleteStop(number)
        case .setStop:
            guard let stop = Stop(&reader) else { return nil }
            self = .setStop(stop)
        case .type: self = .type(reader.rest())
        case .trace:
            guard let level = reader.uint8().flatMap({ TraceLevel(rawValue: $0) }) else { return nil }
            self = .trace(level)
        case .state:
            guard let moment = reader.uint8().flatMap({ StateMoment(rawValue: $0) }), let base = reader.uint8() else {
                return nil
            }
            if base == 0xFF {
                self = .state(moment, changesSince: nil)
            } else {
                guard let base = StateMoment(rawValue: base), base != .now else { return nil }
                self = .state(moment, changesSince: base)
            }
        case .read, .readWords, .write:
            guard let space = reader.uint8().flatMap({ AddressSpace(rawValue: $0) }), let address = reader.uint64() else {
                return nil
            }
            if kind == .write {
                self = .write(space, address: address, reader.rest())
                return
            }
            guard let count = reader.uint16() else { return nil }
            if kind == .read {
                self = .read(space, address: address, count: count)
            } else {
                self = .readWords(space, address: address, count: count)
            }
        case .translate:
            guard let address = reader.uint64() else { return nil }
            self = .translate(linear: address)
        case .setTrap:
            guard let address = reader.uint64() else { return nil }
            self = .setTrap(physical: address)
        case .deleteTrap:
            guard let address = reader.uint64() else { return nil }
            self = .deleteTrap(physical: address)
        case .setRegister:
            guard let register = reader.uint8().flatMap({ GuestRegister(rawValue: $0) }), let value = reader.uint64() else {
                return nil
            }
            self = .setRegister(register, value)
        case .setField:
            guard let encoding = reader.uint16(), let value = reader.uint64() else { return nil }
            self = .setField(encoding: encoding, value)
        case .inject:
            guard let event = Event(&reader) else { return nil }
            self = .inject(event)
        case .run:
            guard let goal = Goal(&reader) else { return nil }
            self = .run(goal)
        case .capabilities: self = .capabilities
        case .deleteAllStops: self = .deleteAllStops
        case .stop: self = .stop
        case .registers: self = .registers
        case .lastExit: self = .lastExit
        case .lastStop: self = .lastStop
        case .deleteAllTraps: self = .deleteAllTraps
        case .reset: self = .reset
        case .quit: self = .quit
        case .shadow: self = .shadow
        }
    }
}

extension Goal {
    private enum Number: UInt8 { case never, exits, instructions, reason }

    func encode(to message: inout Message) {
        switch self {
        case .never: message.append(Number.never.rawValue)
        case .exits(let count):
            message.append(Number.exits.rawValue)
            message.append(count)
        case .instructions(let count):
            message.append(Number.instructions.rawValue)
            message.append(count)
        case .reason(let reason, let condition):
            message.append(Number.reason.rawValue)
            message.append(reason)
            if let condition { condition.encode(to: &message) } else { message.append(UInt32(0)) }
        }
    }

    init?(_ reader: inout MessageReader) {
        switch reader.uint8().flatMap({ Number(rawValue: $0) }) {
        case .never: self = .never
        case .exits:
            guard let count = reader.uint64(), count > 0 else { return nil }
            self = .exits(count)
        case .instructions:
            guard let count = reader.uint64(), count > 0 else { return nil }
            self = .instructions(count)
        case .reason:
            guard let reason = reader.uint16(), let program = reader.uint32() else { return nil }
            if program == 0 {
                self = .reason(reason, nil)
            } else {
                guard let condition = StopCondition(program: program, &reader) else { return nil }
                self = .reason(reason, condition)
            }
        case nil: return nil
        }
    }
}

extension Event {
    /// Its kind as the manual numbers it (SDM volume 3, table "Format of the VM-Entry Interruption-Information Field"), the
    /// vector, the length of a software event's instruction, whether there is an error code, and that.
    func encode(to message: inout Message) {
        message.append(UInt8(truncatingIfNeeded: InterruptionInformation.Kind(kind).rawValue))
        message.append(vector)
        message.append(instructionLength)
        message.append(UInt8(errorCode == nil ? 0 : 1))
        message.append(errorCode ?? 0)
    }

    init?(_ reader: inout MessageReader) {
        guard let number = reader.uint8(), let kind = InterruptionInformation.Kind(rawValue: UInt32(number)),
            kind != .reserved, kind != .other, let vector = reader.uint8(), let length = reader.uint8(),
            let hasCode = reader.uint8(), hasCode <= 1,
            let code = reader.uint32()
        else { return nil }
        self.init(kind: kind.event, vector: vector, errorCode: hasCode == 0 ? nil : code, instructionLength: length)
    }
}

import Machine
import Text
import X86

/// What the agent sends unasked. Events have their own ascending sequence numbers, so that a lost one is noticed.
public enum AgentEvent: UInt8, Sendable {
    /// The agent is listening: its version in 2 bytes.
    case ready = 0xF0
    /// The guest is stopped: a `StopReport`.
    case stopped
    /// A line of the exits' trace: its text.
    case trace
    /// The guest has ended, and is stopped there: an `EndReport`.
    case ended
    /// A guest begins: its name.
    case starting
}

/// Why and where the guest is stopped.
public struct StopReport: Equatable, Sendable {
    public enum Cause: Equatable, Sendable {
        /// It has not run yet.
        case start
        /// A stop, by its number.
        case stop(UInt8)
        /// As many exits or instructions as requested, or the exit requested.
        case exits, instructions, reason
        /// The host asked for it.
        case request
        /// An INT3 in a place that the host has named.
        case trap
        /// The guest enabled debug registers, displacing stops on addresses from this number on.
        case displaced(from: UInt8)
        /// The guest has ended.
        case end
    }

    public let cause: Cause
    /// The exit at which it stopped is not handled yet: the access is still to be made.
    public let isBefore: Bool
    /// It is asleep in HLT.
    public let isAsleep: Bool
    /// How many exits there were.
    public let exitCount: UInt64
    /// Where it goes on.
    public let place: CodeAddress
    /// The same as a linear address.
    public let linear: UInt64

    public init(_ cause: Cause, isBefore: Bool, isAsleep: Bool, exitCount: UInt64, _ place: CodeAddress, linear: UInt64) {
        self.cause = cause
        self.isBefore = isBefore
        self.isAsleep = isAsleep
        self.exitCount = exitCount
        self.place = place
        self.linear = linear
    }

    private enum CauseNumber: UInt8 {
        case start, stop, exits, instructions, reason, request, trap, displaced, end
    }

    public func encode(to message: inout Message) {
        let (code, number): (CauseNumber, UInt8) =
            switch cause {
            case .start: (.start, 0)
            case .stop(let number): (.stop, number)
            case .exits: (.exits, 0)
            case .instructions: (.instructions, 0)
            case .reason: (.reason, 0)
            case .request: (.request, 0)
            case .trap: (.trap, 0)
            case .displaced(let number): (.displaced, number)
            case .end: (.end, 0)
            }
        message.append(code.rawValue)
        message.append(number)
        message.append(UInt8((isBefore ? 1 : 0) | (isAsleep ? 2 : 0)))
        message.append(place.mode.number)
        message.append(exitCount)
        message.append(place.selector)
        message.append(place.pointer)
        message.append(linear)
    }

    public init?(_ reader: inout MessageReader) {
        guard let code = reader.uint8().flatMap({ CauseNumber(rawValue: $0) }), let number = reader.uint8(),
            let flags = reader.uint8(),
            let mode = reader.uint8().flatMap({ ProcessorMode(number: $0) }), let exitCount = reader.uint64(),
            let selector = reader.uint16(), let pointer = reader.uint64(), let linear = reader.uint64()
        else { return nil }
        let cause: Cause =
            switch code {
            case .start: .start
            case .stop: .stop(number)
            case .exits: .exits
            case .instructions: .instructions
            case .reason: .reason
            case .request: .request
            case .trap: .trap
            case .displaced: .displaced(from: number)
            case .end: .end
            }
        self.init(
            cause, isBefore: flags & 1 != 0, isAsleep: flags & 2 != 0, exitCount: exitCount,
            CodeAddress(selector: selector, pointer: pointer, mode: mode), linear: linear)
    }
}

/// How the guest ended.
public struct EndReport: Equatable, Sendable {
    /// Nil if it could not be entered because a VM-entry rule is broken.
    public let ending: Ending?

    public init(_ ending: Ending?) { self.ending = ending }

    /// The ending as exit records have it (Docs/Records.md), 0 for none.
    public func encode(to message: inout Message) {
        let (code, detail) = ending?.recorded ?? (0, 0)
        message.append(code)
        message.append(detail)
    }

    public init?(_ reader: inout MessageReader) {
        guard let code = reader.uint8(), let detail = reader.uint32() else { return nil }
        if code == 0 {
            ending = nil
        } else {
            guard let known = Ending(recorded: code, detail) else { return nil }
            ending = known
        }
    }
}

extension ProcessorMode {
    var number: UInt8 {
        switch self {
        case .real: 0
        case .virtual8086: 1
        case .protected16: 2
        case .protected32: 3
        case .compatibility16: 4
        case .compatibility32: 5
        case .long64: 6
        }
    }

    init?(number: UInt8) {
        switch number {
        case 0: self = .real
        case 1: self = .virtual8086
        case 2: self = .protected16
        case 3: self = .protected32
        case 4: self = .compatibility16
        case 5: self = .compatibility32
        case 6: self = .long64
        default: return nil
        }
    }
}

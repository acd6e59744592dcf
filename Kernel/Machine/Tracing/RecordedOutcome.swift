import Trace
import Virtualization

// An outcome in a record: a byte, and a 32-bit number that goes with it. The event that an outcome injects is not in these:
// the record has a separate field for it.

/// The number of an outcome in a record and in the agent's answers; `Ending.recorded` has those for endings.
public enum OutcomeNumber: UInt8, Sendable {
    /// It was not recorded, or nothing was done.
    case untold
    case resume, step, inject, wait
    // In the agent's answers alone; a record has `step` for both.
    case stepLength, execute
}

extension ExitRecord {
    /// Records what Martlet did. The detail of an injection is the event's error code.
    public mutating func note(_ result: Outcome) {
        detail = 0
        let number: OutcomeNumber
        switch result {
        case .resume, .iterate: number = .resume
        case .step, .stepLength, .execute: number = .step
        case .inject(let event), .wake(let event):
            number = .inject
            detail = event.errorCode ?? 0
        case .wait: number = .wait
        case .end(let ending):
            (outcome, detail) = ending.recorded
            return
        }
        outcome = number.rawValue
    }

    /// What Martlet did. Where that was not recorded, because the exit took the fastest path, the record's other fields tell:
    /// emulating an instruction moves RIP.
    /// - Parameters:
    ///   - exit: what the record's reason and qualification mean.
    ///   - event: what its event field means.
    /// - Returns: nil for a number that no version writes.
    public func result(of exit: Exit, _ event: Event?) -> Outcome? {
        switch OutcomeNumber(rawValue: outcome) {
        case .untold:
            // HLT is stepped past before Martlet looks for what ends it.
            if nextInstructionPointer != instructionPointer, exit != .halt { return .step }
            return event.map { .inject($0) } ?? .resume
        case .resume: return .resume
        case .step: return .step
        case .inject: return event.map { .inject($0) } ?? .resume
        case .wait: return .wait
        case .stepLength, .execute: return nil
        case nil: return Ending(recorded: outcome, detail).map { .end($0) }
        }
    }
}

extension Ending {
    public var recorded: (UInt8, UInt32) {
        switch self {
        case .debugExit(let value): (16, value)
        case .halted(let interruptsEnabled): (17, interruptsEnabled ? 1 : 0)
        case .tripleFault: (18, 0)
        case .powerOff: (19, 0)
        case .reset: (20, 0)
        case .entryFailure(let reason): (21, reason)
        case .overdue: (22, 0)
        case .dismissed: (23, 0)
        case .stopped: (24, 0)
        case .unsupported(.initSignal): (33, 0)
        case .unsupported(.startupIPI): (34, 0)
        case .unsupported(.systemManagementInterrupt): (35, 0)
        case .unsupported(.controlNotSet): (36, 0)
        case .unsupported(.unknownReason(let reason)): (37, reason)
        case .unsupported(.instruction): (38, 0)
        case .unsupported(.fetchFromAbsentMemory): (39, 0)
        case .unsupported(.tableInAbsentMemory): (40, 0)
        case .unsupported(.nestedPageMisconfiguration): (41, 0)
        case .unsupported(.machineCheck): (42, 0)
        case .unsupported(.directPaging(let obstacle)): (43, UInt32(obstacle.rawValue))
        }
    }

    public init?(recorded code: UInt8, _ detail: UInt32) {
        switch code {
        case 16: self = .debugExit(detail)
        case 17: self = .halted(interruptsEnabled: detail != 0)
        case 18: self = .tripleFault
        case 19: self = .powerOff
        case 20: self = .reset
        case 21: self = .entryFailure(reason: detail)
        case 22: self = .overdue
        case 23: self = .dismissed
        case 24: self = .stopped
        case 33: self = .unsupported(.initSignal)
        case 34: self = .unsupported(.startupIPI)
        case 35: self = .unsupported(.systemManagementInterrupt)
        case 36: self = .unsupported(.controlNotSet)
        case 37: self = .unsupported(.unknownReason(detail))
        case 38: self = .unsupported(.instruction)
        case 39: self = .unsupported(.fetchFromAbsentMemory)
        case 40: self = .unsupported(.tableInAbsentMemory)
        case 41: self = .unsupported(.nestedPageMisconfiguration)
        case 42: self = .unsupported(.machineCheck)
        case 43:
            guard let obstacle = DirectObstacle(rawValue: UInt8(truncatingIfNeeded: detail)) else { return nil }
            self = .unsupported(.directPaging(obstacle))
        default: return nil
        }
    }
}

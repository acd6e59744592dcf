import Foundation

/// The launcher's exit status. Even statuses are Martlet's and the launcher's; odd ones are twice the value that the guest
/// wrote to the debug-exit port, plus one.
public enum RunStatus: Int32, CaseIterable, Sendable {
    case inOrder = 0
    case badUsage = 2
    case badImage = 4
    case missingFeature = 6
    case failedEntry = 8
    case tripleFault = 10
    case panic = 12
    case timedOut = 14
    case unsupported = 16
    case noMachine = 18
    case selfTestFailed = 20
    case scriptError = 22
    case stopped = 24
    case readNoLonger = 26
    case endedByHand = 130

    /// What it means, for the help.
    var words: String {
        switch self {
        case .inOrder: "the guest ended normally: it halted for good"
        case .badUsage: "a word was invalid"
        case .badImage: "the guest's image was invalid"
        case .missingFeature: "VMX, or a required feature of it, is missing"
        case .failedEntry: "a VM entry failed"
        case .tripleFault: "the guest ended in a triple fault"
        case .panic: "Martlet panicked"
        case .timedOut: "the time limit was reached: TIMEOUT, or limit="
        case .unsupported: "the guest needs something that Martlet does not emulate"
        case .noMachine: "the machine could not be set up or started, or ended without a report"
        case .selfTestFailed: "a self-test failed"
        case .scriptError: "a command in SCRIPT failed"
        case .stopped: "ended by SIGTERM or by the terminal closing, cleanly if the machine responds"
        case .readNoLonger: "the reader of the output was gone"
        case .endedByHand: "ended by Ctrl-C or Ctrl-A x"
        }
    }

    /// Whoever ended it knows without being told.
    private var needsNoWords: Bool { self == .stopped || self == .readNoLonger || self == .endedByHand }

    /// What `make` should print about a status, as its own status only says that something failed; nil for nothing.
    static func wordsForMake(_ status: Int32) -> String? {
        if let own = RunStatus(rawValue: status) {
            return own.needsNoWords ? nil : "ended with status \(status): \(own.words)"
        }
        return status & 1 == 1
            ? "ended with status \(status): the guest wrote \(status / 2) to port 0xf4" : "ended with status \(status)"
    }
}

/// Why a run did not start, or did not finish.
struct Failure: Error, Equatable {
    let status: RunStatus
    /// What was wrong and what to do; nil if that has been printed already.
    let words: String?

    init(_ status: RunStatus, _ words: String?) {
        self.status = status
        self.words = words
    }

    /// What a signal means before there is a machine to stop.
    init(signal: Int32) { self.init(signal == SIGINT ? .endedByHand : .stopped, nil) }

    static func badUsage(_ words: String) -> Failure { Failure(.badUsage, words) }
    static func noMachine(_ words: String) -> Failure { Failure(.noMachine, words) }
}

/// What the launcher ends with. Even statuses are Martlet's and the launcher's; odd ones are what the guest wrote to the
/// debug-exit port, twice and one more.
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

    /// What it means, as the help says it.
    var words: String {
        switch self {
        case .inOrder: "the guest ended in order: it halted for good"
        case .badUsage: "a word was wrong"
        case .badImage: "the guest's image was wrong"
        case .missingFeature: "no VMX, or a feature of it is missing"
        case .failedEntry: "a VM entry failed"
        case .tripleFault: "the guest ended in a triple fault"
        case .panic: "Martlet panicked"
        case .timedOut: "the time was up: of TIMEOUT, or limit="
        case .unsupported: "the guest needs what Martlet does not emulate"
        case .noMachine: "the machine could not be set up or started, or ended without a word"
        case .selfTestFailed: "a self-test failed"
        case .scriptError: "a command of SCRIPT was wrong"
        case .stopped: "SIGTERM or the end of the terminal ended it, in order where the machine answers"
        case .readNoLonger: "nobody read the output any longer"
        case .endedByHand: "Ctrl-C, or Ctrl-A x, ended it"
        }
    }

    /// Who ended it knows without being told.
    private var needsNoWords: Bool { self == .stopped || self == .readNoLonger || self == .endedByHand }

    /// What `make` is to say of a status, which has only one for whatever is no success; nil if there is nothing to say.
    static func wordsForMake(_ status: Int32) -> String? {
        if let own = RunStatus(rawValue: status) {
            return own.needsNoWords ? nil : "ended with status \(status): \(own.words)"
        }
        return status & 1 == 1
            ? "ended with status \(status): the guest wrote \(status / 2) to port 0xf4" : "ended with status \(status)"
    }
}

/// Why a run did not happen, or not to its end.
struct Failure: Error, Equatable {
    let status: RunStatus
    /// What was wrong and what to do; nil if it has been said.
    let words: String?

    init(_ status: RunStatus, _ words: String?) {
        self.status = status
        self.words = words
    }

    static func badUsage(_ words: String) -> Failure { Failure(.badUsage, words) }
    static func noMachine(_ words: String) -> Failure { Failure(.noMachine, words) }
}

import VMX

/// What VM entry may do with a VMCS: the manual leaves the order of checks to the processor, so a VMCS that breaks rules
/// of several kinds may fail in several ways.
public struct EntryPrediction: Equatable, Sendable {
    private var failsByControls = false
    private var failsByHostState = false
    /// One bit for each exit qualification by which the entry may fail.
    private var guestQualifications: UInt64 = 0
    /// The same, for checks that a processor may leave out.
    private var optionalQualifications: UInt64 = 0

    /// The prediction for a VMCS that breaks no rule.
    public init() {}

    /// Adds a broken rule.
    public mutating func include(_ violation: Violation) {
        switch violation.rule.failure {
        case .pass: break
        case .fail(let error): if error == 7 { failsByControls = true } else { failsByHostState = true }
        case .entryFailure(_, let qualification):
            if violation.rule.isLeftToProcessor {
                optionalQualifications |= 1 << qualification
            } else {
                guestQualifications |= 1 << qualification
            }
        }
    }

    /// The likeliest outcome.
    public var verdict: EntryVerdict {
        if failsByControls { return .invalidControls }
        if failsByHostState { return .invalidHostState }
        let qualifications = guestQualifications | optionalQualifications
        if qualifications == 0 { return .pass }
        return .invalidGuestState(qualification: UInt64(qualifications.trailingZeroBitCount))
    }

    /// Whether a processor that follows the manual may do this.
    public func allows(_ seen: EntryVerdict) -> Bool {
        if failsByControls || failsByHostState {
            return seen == .invalidControls && failsByControls || seen == .invalidHostState && failsByHostState
        }
        switch seen {
        case .pass: return guestQualifications == 0
        case .fail: return false
        case .entryFailure(let reason, let qualification):
            return reason == BasicExitReason.entryFailureGuestState.rawValue && qualification < 64
                && (guestQualifications | optionalQualifications) & 1 << qualification != 0
        }
    }

    /// Whether the entry may pass.
    public var mayPass: Bool { allows(.pass) }
}

import Memory
import X86

/// Every check that VM entry makes on the fields of the VMCS, so that a failed entry can be explained (SDM volume 3,
/// "Checks on VMX Controls and Host-State Area" and "Checking and Loading Guest State").
///
/// All broken rules are found, not only the first, since the processor may check in any order. It is assumed that the
/// processor is in 64-bit mode and outside system-management mode, as Martlet always is.
///
/// Outside these checks, because fields do not decide them: events blocked by MOV SS (error 26); the launch state (errors
/// 4 and 5); what the MSR-load areas hold (exit reason 34, or an abort); Intel Processor Trace being active; the reserved
/// bits of the tertiary controls, the secondary VM-exit controls and IA32_RTIT_CTL, whose capability registers Martlet
/// does not read. `EntryCircumstances` says what is known of memory.
public struct EntryChecks {
    let snapshot: VMCSSnapshot
    let capabilities: VMXCapabilities
    let circumstances: EntryCircumstances
    /// Counts the rules that are asked about.
    private var asked: UnsafeMutablePointer<Int>?

    /// The checks of a VMCS on a processor.
    public init(_ snapshot: VMCSSnapshot, _ capabilities: VMXCapabilities, _ circumstances: EntryCircumstances) {
        self.snapshot = snapshot
        self.capabilities = capabilities
        self.circumstances = circumstances
        asked = nil
    }

    /// Takes each broken rule.
    public typealias Report = (Violation) -> Void

    /// Reports every broken rule: those of the controls, of the host state, and of the guest state.
    public func report(to report: Report) {
        checkExecutionControls(report)
        checkExitControls(report)
        checkEntryControls(report)
        checkHostRegisters(report)
        checkHostSegments(report)
        checkAddressSpaceSize(report)
        checkGuestRegisters(report)
        checkGuestSegments(report)
        checkGuestDescriptorTables(report)
        checkGuestInstructionPointer(report)
        checkGuestNonRegisterState(report)
        checkGuestPageDirectoryPointers(report)
    }

    /// The same.
    /// - Returns: how many rules were asked about: of the manual's those that apply to a VMCS with these controls.
    public func reportCounting(to report: Report) -> Int {
        var count = 0
        var counting = self
        withUnsafeMutablePointer(to: &count) {
            counting.asked = $0
            counting.report(to: report)
        }
        return count
    }

    /// What the processor will do.
    public var prediction: EntryPrediction {
        var prediction = EntryPrediction()
        report { prediction.include($0) }
        return prediction
    }

    /// What the processor will do, the first class of failures deciding: controls, host state, guest state.
    public var verdict: EntryVerdict { prediction.verdict }

    @inline(never)
    func require<Value: VMCSValue, Access>(
        _ holds: Bool, _ field: VMCSField<Value, Access>, _ section: EntryCheckSection, _ rule: StaticString,
        failing failure: EntryVerdict? = nil, leftToProcessor: Bool = false, _ report: Report
    ) {
        asked?.pointee += 1
        guard !holds else { return }
        report(
            Violation(
                field: field.encoding, value: snapshot[field.encoding], rule: rule, section: section,
                failure: failure ?? section.failure, isLeftToProcessor: leftToProcessor))
    }
}

/// What VM entry may do with a VMCS: the manual leaves the order of checks to the processor, so that a VMCS that breaks
/// rules of several kinds may fail in several ways.
public struct EntryPrediction: Equatable, Sendable {
    private var failsByControls = false
    private var failsByHostState = false
    /// One bit for each exit qualification by which the entry may fail.
    private var guestQualifications: UInt64 = 0
    /// The same, of checks that a processor may leave out.
    private var optionalQualifications: UInt64 = 0

    /// The prediction for a VMCS that breaks no rule.
    public init() {}

    /// Adds a broken rule.
    public mutating func include(_ violation: Violation) {
        switch violation.failure {
        case .pass: break
        case .fail(let error): if error == 7 { failsByControls = true } else { failsByHostState = true }
        case .entryFailure(_, let qualification):
            if violation.isLeftToProcessor {
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
            return reason == 33 && qualification < 64
                && (guestQualifications | optionalQualifications) & 1 << qualification != 0
        }
    }

    /// Whether the entry may pass.
    public var mayPass: Bool { allows(.pass) }
}

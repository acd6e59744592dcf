import VMX

/// What the entry checks found: the rules that a VMCS breaks, those of the controls first, then of the host state, then of
/// the guest state.
public struct EntryFindings: Sendable {
    /// How many rules were checked: those of the manual's that apply to a VMCS with these controls.
    public private(set) var asked = 0
    /// What the processor will do.
    public private(set) var prediction = EntryPrediction()
    /// How many rules are broken.
    public private(set) var count = 0
    private var violations: [192 of Violation]

    /// How many broken rules there is room for. Many rules exclude each other, so no VMCS breaks that many.
    public static var capacity: Int { 192 }

    init() {
        violations = .init(repeating: Violation(rule: .cr3TargetCount, field: VMCSFieldEncoding(rawValue: 0), value: 0))
    }

    mutating func ask() { asked += 1 }

    mutating func add(_ violation: Violation) {
        prediction.include(violation)
        guard count < Self.capacity else { return }
        violations[count] = violation
        count += 1
    }

    /// A broken rule by its place, from 0 up to `count`.
    public subscript(index: Int) -> Violation { violations.span[index] }

    /// Whether a field breaks a rule.
    public func contains(_ rule: EntryRule, of field: VMCSFieldEncoding) -> Bool {
        for index in 0..<count where self[index].rule == rule && self[index].field == field { return true }
        return false
    }

    /// What the processor will do, the first class of failures deciding: controls, host state, guest state.
    public var verdict: EntryVerdict { prediction.verdict }
}

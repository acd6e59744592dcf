import VMX
import VMXChecks

/// The entry checks on a VMCS of which some fields are not known.
///
/// A rule is broken if it is broken whatever the unknown fields hold, and undecided if it depends on them. What a rule depends on is
/// found by trying: the checks run many times, with the unknown fields filled in different ways. A rule on an unknown field itself is
/// never called broken.
struct DumpCheck {
    /// Rules that are broken.
    private(set) var broken: [Violation] = []
    /// Rules that the unknown fields decide.
    private(set) var undecided: [Violation] = []

    init(_ dump: DumpedVMCS, on processor: ProcessorDescription) {
        let unknown = dump.missing.map(\.encoding).filter { $0.area != .exitInformation }
        var counts: [RuleName: Int] = [:]
        var found: [(RuleName, Violation)] = []
        let known = dump.snapshot
        let trials = unknown.isEmpty ? 1 : UnknownFieldFilling.trials
        var filling = UnknownFieldFilling()
        for trial in 0..<trials {
            var snapshot = known
            for field in unknown { snapshot[field] = filling.value(of: trial) }
            let findings = EntryChecks.run(snapshot, processor.capabilities, processor.circumstances)
            for index in 0..<findings.count {
                let name = RuleName(rule: findings[index].rule, field: findings[index].field)
                if counts[name] == nil { found.append((name, findings[index])) }
                counts[name, default: 0] += 1
            }
        }
        let unknownFields = Set(unknown)
        for (name, violation) in found {
            if counts[name] == trials, !unknownFields.contains(violation.field) {
                broken.append(violation)
            } else {
                undecided.append(violation)
            }
        }
    }

    /// A rule about one field: a rule may be about several.
    private struct RuleName: Hashable {
        let rule: EntryRule
        let field: VMCSFieldEncoding
    }
}

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
        let trials = unknown.isEmpty ? 1 : Self.trials
        var generator = Generator()
        for trial in 0..<trials {
            var snapshot = known
            for field in unknown { snapshot[field] = generator.filling(trial) }
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

    /// Enough that every rule which joins two or three unknown fields meets both outcomes.
    private static let trials = 300

    /// A rule about one field: a rule may be about several.
    private struct RuleName: Hashable {
        let rule: EntryRule
        let field: VMCSFieldEncoding
    }

    /// Values for unknown fields: all zero, all one, then such as registers and addresses have; the same in every run.
    private struct Generator {
        private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

        private mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }

        mutating func filling(_ trial: Int) -> UInt64 {
            if trial < 2 { return trial == 0 ? 0 : .max }
            let value = next()
            switch value >> 60 & 7 {
            case 0, 1: return 0
            case 2: return .max
            case 3: return 1 << (value & 63)
            case 4: return value & 0xFF_FFFF_F000
            case 5: return value & 0xFF
            case 6: return ~(1 << (value & 63))
            default: return value
            }
        }
    }
}

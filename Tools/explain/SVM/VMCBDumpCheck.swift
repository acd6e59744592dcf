import SVM
import SVMChecks
import X86

/// The checks of VMRUN on a VMCB of which some fields are not known: `DumpCheck` says how.
struct VMCBDumpCheck {
    /// Rules that are broken.
    private(set) var broken: [ConsistencyFinding] = []
    /// Rules that the unknown fields decide.
    private(set) var undecided: [ConsistencyFinding] = []

    init(_ dump: DumpedVMCB, on capabilities: SVMCapabilities) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: VMCB.size, alignment: 4096)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: VMCB.size)
        let vmcb = VMCB(at: memory)
        for (field, value) in dump.values { vmcb.setBits(of: field, to: value) }
        let unknown = dump.missing.filter { !$0.isReadOnly }
        let trials = unknown.isEmpty ? 1 : UnknownFieldFilling.trials
        var filling = UnknownFieldFilling()
        var counts: [RuleName: Int] = [:]
        var found: [(RuleName, ConsistencyFinding)] = []
        for trial in 0..<trials {
            for field in unknown { vmcb.setBits(of: field, to: filling.value(of: trial)) }
            let findings = ConsistencyChecks.run(vmcb, capabilities, ConsistencyCircumstances())
            for index in 0..<findings.count {
                let name = RuleName(rule: findings[index].rule, field: findings[index].field)
                if counts[name] == nil { found.append((name, findings[index])) }
                counts[name, default: 0] += 1
            }
        }
        for (name, finding) in found {
            if counts[name] == trials, !unknown.contains(name.field) { broken.append(finding) } else { undecided.append(finding) }
        }
    }

    /// A rule about one field: a rule may be about several.
    private struct RuleName: Hashable {
        let rule: ConsistencyRule
        let field: VMCBFieldName
    }
}

extension SVMCapabilities {
    /// A processor that offers all that the manual defines: what it refuses, every processor refuses.
    static func everything(physicalAddressWidth: Int) -> Self {
        let known: ControlRegister4 = named()
        return .init(
            SVMIdentification(.init(eax: 1, ebx: .max, ecx: 1 << 6, edx: .max)), physicalAddressWidth: physicalAddressWidth,
            efer: named(), cr4: known.subtracting(.vmxEnable | .smxEnable))
    }

    /// All bits that have a name.
    private static func named<Flags: FlagSet>() -> Flags where Flags.RawValue == UInt64 {
        Flags(rawValue: (0..<64).reduce(0) { Flags.name(ofBit: $1) == nil ? $0 : $0 | 1 << UInt64($1) })
    }
}

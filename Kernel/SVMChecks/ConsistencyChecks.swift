import Memory
import SVM
import X86

/// Every check that VMRUN makes on the VMCB, so that a refused one can be explained (APM volume 2, "Canonicalization and
/// Consistency Checks" and the sections that add to it).
///
/// All broken rules are found. It is assumed that the host is in long mode, as Martlet always is, and that the guest's state is
/// not encrypted: of a guest with SEV-ES it is not in the VMCB.
///
/// Outside these checks: reserved bits that "should be zero", of which the manual does not say that VMRUN looks at them; base
/// addresses, which VMRUN makes canonical; what SEV and secure AVIC check of the pages that they use.
public struct ConsistencyChecks {
    let vmcb: VMCB
    let capabilities: SVMCapabilities
    let circumstances: ConsistencyCircumstances
    private let findings: UnsafeMutablePointer<ConsistencyFindings>

    /// The checks of a VMCB on a processor.
    @inline(never)
    public static func run(
        _ vmcb: VMCB, _ capabilities: SVMCapabilities, _ circumstances: ConsistencyCircumstances
    ) -> ConsistencyFindings {
        var findings = ConsistencyFindings()
        withUnsafeMutablePointer(to: &findings) { findings in
            ConsistencyChecks(vmcb: vmcb, capabilities: capabilities, circumstances: circumstances, findings: findings).run()
        }
        return findings
    }

    private func run() {
        checkIntercepts()
        checkVirtualInterrupts()
        checkEventInjection()
        checkNestedPaging()
        guard !vmcb[.nestedControl].contains(.encryptedState) else { return }
        checkExtendedFeatures()
        checkControlRegisters()
        checkDebugRegisters()
        checkShadowStacks()
        checkPageDirectoryPointers()
    }

    /// Asks about a rule; the field is what to look at first when it does not hold.
    @inline(never)
    func require(_ holds: Bool, _ rule: ConsistencyRule, _ field: VMCBFieldName) {
        if !holds { findings.pointee.add(ConsistencyFinding(rule: rule, field: field, value: vmcb.bits(of: field))) }
    }

    /// No bits beyond the width of physical addresses.
    func isPhysical(_ address: UInt64) -> Bool { address >> UInt64(capabilities.physicalAddressWidth) == 0 }

    /// EFER.LME and CR0.PG, by which VMRUN takes the guest to be in long mode, whatever EFER.LMA says.
    var entersLongMode: Bool { vmcb[.efer].contains(.longModeEnable) && vmcb[.cr0].contains(.paging) }
}

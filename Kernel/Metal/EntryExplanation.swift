import Memory
import Text
import VMX
import VMXChecks

/// Explains why a VM entry fails, or would: runs the entry checks over the current VMCS.
struct EntryExplanation {
    let capabilities: VMXCapabilities
    let circumstances: EntryCircumstances

    init(_ machine: borrowing HostMachine, vmcs: HostPhysicalAddress) {
        capabilities = machine.capabilities
        var circumstances = EntryCircumstances(machine.host)
        circumstances.currentVMCS = vmcs
        self.circumstances = circumstances
    }

    /// Reports every rule that the VMCS breaks.
    /// - Returns: how many.
    func reportViolations(of vmcs: VMCS<HardwareVMCS>) -> Int {
        let findings = EntryChecks.run(VMCSSnapshot(reading: vmcs, capabilities), capabilities, circumstances)
        for index in 0..<findings.count { Report.error("entry check: \(findings[index])") }
        return findings.count
    }

    /// The same after a failed entry: some rule must be broken.
    func explainFailure(of vmcs: VMCS<HardwareVMCS>) {
        if reportViolations(of: vmcs) == 0 {
            Report.error("the entry checks find no broken rule: the fault is outside the fields (MSR-load areas, memory)")
        }
    }
}

import Memory
import X86

extension VMCSFieldEncoding {
    /// Whether every processor on which the field is used has it: the fields of the exit path. VMREAD and VMWRITE of these
    /// cannot fail while there is a current VMCS; all others are checked at each access.
    @inline(__always)
    public var isUniversal: Bool {
        switch rawValue {
        case VMCSField.exitReason.number...VMCSField.exitInstructionInformation.number,
            VMCSField.exitQualification.number, VMCSField.guestLinearAddress.number,
            VMCSField.primaryControls.number, VMCSField.entryControls.number,
            VMCSField.entryInterruptionInformation.number, VMCSField.timeStampCounterOffset.number,
            VMCSField.guestInterruptibility.number, VMCSField.cr0ReadShadow.number,
            VMCSField.guestRSP.number...VMCSField.guestRFLAGS.number,
            VMCSField.guestESAccessRights.number...VMCSField.guestTRAccessRights.number,
            VMCSField.guestCR0.number...VMCSField.guestCR4.number:
            true
        // Used only on processors with EPT, a preemption timer, virtual-interrupt delivery or a virtual task priority.
        case VMCSField.guestPhysicalAddress.number, VMCSField.preemptionTimer.number, VMCSField.guestInterruptStatus.number,
            VMCSField.tprThreshold.number:
            true
        default: false
        }
    }
}

import Text
import VMX

/// A VM-instruction error in words, with what to look at.
public struct InstructionErrorExplanation {
    let error: InstructionError

    public init(_ error: InstructionError) { self.error = error }

    public func report(to print: (Line) -> Void) {
        print("VM-instruction error \(error.number): \(error.words) (SDM volume 3, \"VM Instruction Error Numbers\")")
        print("  \(advice)")
    }

    /// Whence it comes and where to look.
    private var advice: StaticString {
        switch error.number {
        case 1: "VMCALL in root operation calls an SMM monitor, and there is none."
        case 2, 9:
            "The address must be a multiple of 4096, within the physical-address width, and below 4 GiB if IA32_VMX_BASIC bit 48 is 1."
        case 3, 10: "The operand is the VMXON region: a VMCS needs a page of its own."
        case 4: "The VMCS has been launched already: use VMRESUME, or VMCLEAR it first."
        case 5: "The VMCS has not been launched since its VMCLEAR, or on this processor: use VMLAUNCH."
        case 6: "VMXOFF has been executed since: VMCLEAR and VMPTRLD the VMCS, then use VMLAUNCH."
        case 7:
            "Compare the controls with the capability MSRs, then the addresses they need: the entry checks on a dump name the rule."
        case 8:
            "Selectors, canonical addresses and the control registers of the host state: the entry checks on a dump name the rule."
        case 11:
            "The first 4 bytes of the region must be the revision of IA32_VMX_BASIC; bit 31 is 1 for a shadow VMCS only."
        case 12: "The processor does not have the field: it exists only with the control that uses it."
        case 13: "VM-exit information can be written only where IA32_VMX_MISC bit 29 is 1."
        case 15: "The processor is in VMX operation already."
        case 16, 17, 18, 25: "This concerns a return from an SMM monitor to the executive monitor's VMCS."
        case 19, 20, 22, 23, 24: "This concerns the dual-monitor treatment of system-management interrupts."
        case 26: "An instruction that blocks events (MOV SS, POP SS) stands right before VMLAUNCH or VMRESUME."
        case 28:
            "The kind must be one that IA32_VMX_EPT_VPID_CAP offers, the descriptor's reserved bits 0, the EPTP valid or the VPID not 0."
        default: "No processor that follows the manual reports it."
        }
    }
}

/// The number that a failed VMX instruction leaves in the VMCS (SDM volume 3, "VM Instruction Error Numbers").
public struct InstructionError: Equatable, Sendable {
    public let number: UInt32
    public init(_ number: UInt32) { self.number = number }

    public var words: StaticString {
        switch number {
        case 1: "VMCALL executed in VMX root operation"
        case 2: "VMCLEAR with invalid physical address"
        case 3: "VMCLEAR with VMXON pointer"
        case 4: "VMLAUNCH with non-clear VMCS"
        case 5: "VMRESUME with non-launched VMCS"
        case 6: "VMRESUME after VMXOFF"
        case 7: "VM entry with invalid control fields"
        case 8: "VM entry with invalid host-state fields"
        case 9: "VMPTRLD with invalid physical address"
        case 10: "VMPTRLD with VMXON pointer"
        case 11: "VMPTRLD with incorrect VMCS revision identifier"
        case 12: "VMREAD or VMWRITE of an unsupported VMCS component"
        case 13: "VMWRITE to a read-only VMCS component"
        case 15: "VMXON executed in VMX root operation"
        case 16: "VM entry with invalid executive-VMCS pointer"
        case 17: "VM entry with non-launched executive VMCS"
        case 18: "VM entry with executive-VMCS pointer that is not the VMXON pointer"
        case 19: "VMCALL with non-clear VMCS"
        case 20: "VMCALL with invalid VM-exit control fields"
        case 22: "VMCALL with incorrect MSEG revision identifier"
        case 23: "VMXOFF under dual-monitor treatment"
        case 24: "VMCALL with invalid SMM-monitor features"
        case 25: "VM entry with invalid VM-execution control fields in executive VMCS"
        case 26: "VM entry with events blocked by MOV SS"
        case 28: "invalid operand to INVEPT or INVVPID"
        default: "an error number that the manual reserves"
        }
    }
}

/// One thing that can be explained.
struct Kind: Sendable {
    let name: String
    /// What follows the name.
    let operands: String
    let about: String
    let example: String
    let explain: @Sendable (inout Arguments, Session) throws -> Int32

    static let all: [Kind] =
        [
            Kind(
                name: "exit-reason", operands: "REASON", about: "an exit reason, with or without the flags above it",
                example: "exit-reason 48", explain: exitReason),
            Kind(
                name: "qualification", operands: "REASON VALUE", about: "the exit qualification of an exit reason",
                example: "qualification 30 0x3f80000", explain: qualification),
            Kind(
                name: "interruption", operands: "VALUE",
                about: "interruption information of VM entry or VM exit, IDT-vectoring information",
                example: "interruption 0x80000b0e", explain: interruption),
            Kind(
                name: "access-rights", operands: "VALUE",
                about: "a segment's access rights", example: "access-rights 0xa09b",
                explain: accessRights),
            Kind(
                name: "control", operands: "FIELD VALUE",
                about: "a control field: pin, primary, secondary, tertiary, exit, secondary-exit or entry",
                example: "control primary 0xb5a06dfa", explain: control),
            Kind(
                name: "ept-entry", operands: "VALUE [LEVEL]",
                about: "an entry of the extended page tables; its table's level is 1 by default",
                example: "ept-entry 0x100000f7 2", explain: nestedEntry),
            Kind(
                name: "eptp", operands: "VALUE",
                about: "the EPT pointer", example: "eptp 0x12345e05e", explain: nestedPointer),
            Kind(
                name: "error", operands: "NUMBER",
                about: "a VM-instruction error", example: "error 7", explain: instructionError),
            Kind(name: "cr0", operands: "VALUE", about: "CR0", example: "cr0 0x80050033", explain: cr0),
            Kind(name: "cr4", operands: "VALUE", about: "CR4", example: "cr4 0x3426f0", explain: cr4),
            Kind(name: "efer", operands: "VALUE", about: "IA32_EFER", example: "efer 0xd01", explain: efer),
            Kind(name: "rflags", operands: "VALUE", about: "RFLAGS", example: "rflags 0x10246", explain: rflags),
            Kind(
                name: "interruptibility", operands: "VALUE",
                about: "the guest's interruptibility state", example: "interruptibility 1",
                explain: interruptibility),
            Kind(
                name: "msr", operands: "NUMBER [VALUE]",
                about: "a model-specific register, the VMX capabilities among them",
                example: "msr 0x48c 0xf0106734141", explain: msr),
            Kind(
                name: "vmcs", operands: "FILE [OPTION...]",
                about: "a VMCS dump of KVM, Xen or Martlet in a file (- for standard input): runs the checks of VM entry on it",
                example: "vmcs dmesg.txt", explain: vmcs),
        ] + svm
}

/// Where words go and files come from.
struct Session {
    let read: (String) throws -> String
    let print: (String) -> Void
}

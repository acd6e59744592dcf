/// What a guest's machine is.
enum MachineKind: String, CaseIterable, Sendable {
    /// KVM where the host has it nested, else Bochs.
    case auto
    case kvm
    case tcg
    case bochs
    case olderBochs = "bochs2.7"
    case nested
}

/// What is at the machine's second serial port.
enum Monitor: Sendable {
    /// The prompt to study the guest.
    case study
    /// A server for GDB.
    case debugger
}

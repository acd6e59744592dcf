/// The kind of machine that a guest runs on.
enum MachineKind: String, CaseIterable, Sendable {
    /// KVM if the host offers nested VMX, otherwise Bochs.
    case auto
    case kvm
    case tcg
    case bochs
    case olderBochs = "bochs2.7"
    case nested
}

/// What is connected to the machine's second serial port.
enum Monitor: Sendable {
    /// The prompt for studying the guest.
    case study
    /// A server for GDB.
    case debugger
}

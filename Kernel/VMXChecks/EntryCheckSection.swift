/// The sections of the manual that contain the checks, by title, which stays when chapters are renumbered.
public enum EntryCheckSection: Equatable, Sendable {
    case executionControls, exitControls, entryControls
    case hostRegisters, hostSegments, addressSpaceSize
    case guestRegisters, guestSegments, guestDescriptorTables, guestInstructionPointer, guestNonRegisterState
    case guestPageDirectoryPointers

    /// The section's title in the manual.
    public var title: StaticString {
        switch self {
        case .executionControls: "VM-Execution Control Fields"
        case .exitControls: "VM-Exit Control Fields"
        case .entryControls: "VM-Entry Control Fields"
        case .hostRegisters: "Checks on Host Control Registers, MSRs, and SSP"
        case .hostSegments: "Checks on Host Segment and Descriptor-Table Registers"
        case .addressSpaceSize: "Checks Related to Address-Space Size"
        case .guestRegisters: "Checks on Guest Control Registers, Debug Registers, and MSRs"
        case .guestSegments: "Checks on Guest Segment Registers"
        case .guestDescriptorTables: "Checks on Guest Descriptor-Table Registers"
        case .guestInstructionPointer: "Checks on Guest RIP, RFLAGS, and SSP"
        case .guestNonRegisterState: "Checks on Guest Non-Register State"
        case .guestPageDirectoryPointers: "Checks on Guest Page-Directory-Pointer-Table Entries"
        }
    }

    /// How VM entry fails when a rule of this section is broken, unless the rule has an exit qualification of its own.
    var failure: EntryVerdict {
        switch self {
        case .executionControls, .exitControls, .entryControls: .invalidControls
        case .hostRegisters, .hostSegments, .addressSpaceSize: .invalidHostState
        case .guestPageDirectoryPointers: .invalidGuestState(qualification: 2)
        case .guestRegisters, .guestSegments, .guestDescriptorTables, .guestInstructionPointer, .guestNonRegisterState:
            .invalidGuestState(qualification: 0)
        }
    }
}

import Text

/// One rule of VM entry that a VMCS breaks.
public struct Violation: Sendable {
    /// The field to look at first; some rules join several.
    public let field: VMCSFieldEncoding
    /// What the field holds.
    public let value: UInt64
    /// What the manual asks for, in words.
    public let rule: StaticString
    /// Where the manual asks for it.
    public let section: EntryCheckSection
    /// How VM entry fails by it.
    public let failure: EntryVerdict
    /// The manual lets each processor decide whether it makes this check.
    public let isLeftToProcessor: Bool

    /// Whether the rule reads so.
    public func isRule(_ words: StaticString) -> Bool {
        guard rule.utf8CodeUnitCount == words.utf8CodeUnitCount else { return false }
        for index in 0..<words.utf8CodeUnitCount where rule.utf8Start[index] != words.utf8Start[index] { return false }
        return true
    }
}

/// The places in the manual where the checks stand. They are known by title, which stays when chapters are renumbered.
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

/// What becomes of a VM entry, as far as the checks of its fields decide.
public enum EntryVerdict: Equatable, Sendable {
    /// The checks pass.
    case pass
    /// VMfailValid with a VM-instruction error number (SDM volume 3, "VM Instruction Error Numbers").
    case fail(error: UInt32)
    /// An exit with bit 31 of the reason set: the basic reason and the qualification (SDM volume 3, "VM-Entry Failures
    /// During or After Loading Guest State").
    case entryFailure(reason: UInt16, qualification: UInt64)

    /// Error 7.
    public static var invalidControls: Self { .fail(error: 7) }
    /// Error 8.
    public static var invalidHostState: Self { .fail(error: 8) }
    /// Basic reason 33: qualification 2 stands for page-directory pointers, 3 for an NMI blocked by STI, 4 for the VMCS link
    /// pointer, 0 for all else.
    public static func invalidGuestState(qualification: UInt64) -> Self {
        .entryFailure(reason: 33, qualification: qualification)
    }
}

extension Violation: TextConvertible {
    public func write(to output: inout Line) {
        output.write(VMCSFieldDescription.name(of: field))
        output.write(" = ")
        output.write(hex: value)
        output.write(": ")
        output.write(rule)
        output.write(" (SDM volume 3, \"")
        output.write(section.title)
        output.write("\")")
    }
}

extension EntryVerdict: TextConvertible {
    public func write(to output: inout Line) {
        switch self {
        case .pass: output.write("enters")
        case .fail(let error):
            output.write("VMfailValid ")
            output.write(decimal: UInt64(error))
        case .entryFailure(let reason, let qualification):
            output.write("entry failure ")
            output.write(decimal: UInt64(reason))
            output.write(" qualification ")
            output.write(decimal: qualification)
        }
    }
}

extension VMCSFieldDescription {
    /// The manual's name of the field with an encoding.
    public static func name(of encoding: VMCSFieldEncoding) -> StaticString {
        guard let position = position(of: encoding) else { return "unknown field" }
        return field(at: position).name
    }
}

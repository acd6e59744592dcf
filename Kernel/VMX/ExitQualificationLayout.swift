/// What the exit qualification holds, which depends on the basic reason (SDM volume 3, "Basic VM-Exit Information"). Those
/// that Martlet decodes have a type in ExitQualifications.swift.
public enum ExitQualificationLayout: Sendable {
    /// The field is 0.
    case none
    /// By the vector: of #PF the linear address, of #DB the new bits of DR6, of #NM under XFD its bits, of all others 0.
    case exception
    /// The vector of a start-up IPI, or of the interrupt that ended.
    case startupVector, endedVector
    /// As of an I/O instruction, after which an SMI came.
    case ioBeforeSMI
    case io
    case taskSwitch
    case linearAddress
    /// The displacement of the instruction's memory operand.
    case displacement
    case controlRegister
    case debugRegister
    /// Which group of checks on the guest state failed.
    case guestStateFailure
    /// The number of an entry of the VM-entry MSR-load area, counted from 1.
    case msrLoadEntry
    /// Bit 0: a monitor is armed.
    case armedMonitor
    case apicAccess
    case eptViolation
    /// The offset of a register in the APIC page.
    case apicWrite
    /// Bit 12: IRET had unblocked NMIs.
    case unblockedNMI
    /// The same, and bit 16: the exit is asynchronous to the guest's instructions.
    case modificationLog
    /// The same as `unblockedNMI`, and bit 11: an entry is missing, not misconfigured.
    case subPagePermission
    /// The same as `unblockedNMI`, and bit 0: the VMCS holds no valid state.
    case instructionTimeout
    /// The number of a model-specific register.
    case registerNumber
}

extension ExitReason {
    /// What the exit qualification holds.
    public var qualificationLayout: ExitQualificationLayout {
        switch basic {
        case .exceptionOrNMI: .exception
        case .startupIPI: .startupVector
        case .ioSMI: .ioBeforeSMI
        case .taskSwitch: .taskSwitch
        case .invlpg: .linearAddress
        case .vmclear, .vmptrld, .vmptrst, .vmread, .vmwrite, .vmxon, .gdtrOrIDTRAccess, .ldtrOrTRAccess, .invept, .invvpid,
            .invpcid, .xsaves, .xrstors:
            .displacement
        case .controlRegisterAccess: .controlRegister
        case .movDR: .debugRegister
        case .ioInstruction: .io
        case .entryFailureGuestState: .guestStateFailure
        case .entryFailureMSRLoading: .msrLoadEntry
        case .mwait: .armedMonitor
        case .apicAccess: .apicAccess
        case .virtualizedEOI: .endedVector
        case .eptViolation: .eptViolation
        case .apicWrite: .apicWrite
        case .pageModificationLogFull: .modificationLog
        case .sppEvent: .subPagePermission
        case .busLock: .unblockedNMI
        case .instructionTimeout: .instructionTimeout
        case .rdmsrImmediate, .wrmsrnsImmediate: .registerNumber
        default: .none
        }
    }

    /// Whether the exit qualification holds anything.
    public var hasQualification: Bool { qualificationLayout != .none }
}

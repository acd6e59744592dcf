import Memory
import VMX
import X86

/// Where Bochs 3.0 is known to depart from the manual's checks. On a machine that follows the manual none of them counts.
enum KnownDeviation: UInt8 {
    case debugControl, performanceControl, longModeWithoutPaging, entryToSMM, instructionPointer
    case pendingHighBits, pendingSingleStep, haltedInjection, blockedNMI, qualificationOfNMI, postedInterruptDescriptor
    case linearAddressWidth

    static var count: UInt8 { 12 }

    /// A rule that Bochs does not check.
    init?(unchecked violation: Violation) {
        switch violation.field {
        case VMCSField.guestDebugControl.encoding:
            self = .debugControl
        case VMCSField.guestPerformanceControl.encoding, VMCSField.hostPerformanceControl.encoding:
            self = .performanceControl
        case VMCSField.guestCR0.encoding where violation.isRule("PG must be 1 with \"IA-32e mode guest\""):
            self = .longModeWithoutPaging
        case VMCSField.guestRIP.encoding
        where violation.isRule("bits beyond the linear-address width must all equal its highest bit"):
            self = .instructionPointer
        case VMCSField.guestPendingDebugExceptions.encoding:
            if violation.isRule(
                "BS must be 1 when RFLAGS.TF is 1, BTF is 0 and the guest is halted or blocked by STI or MOV SS")
                || violation.isRule(
                    "BS must be 0 when RFLAGS.TF is 0 or BTF is 1 and the guest is halted or blocked by STI or MOV SS") {
                self = .pendingSingleStep
            } else if violation.isRule("bits 63:17, 15, 13 and 11:4 must be 0"), violation.value & 0xFFFE_AFF0 == 0 {
                self = .pendingHighBits
            } else {
                return nil
            }
        case VMCSField.guestActivityState.encoding
        where violation.isRule("HLT allows the injection of interrupts, NMIs, #DB, #MC and a pending MTF exit only"):
            self = .haltedInjection
        case VMCSField.guestInterruptibility.encoding
        where violation.isRule("blocking by NMI must be 0 to inject an NMI with \"virtual NMIs\""):
            self = .blockedNMI
        default:
            return nil
        }
    }

    /// Something that Bochs does of its own.
    init?(_ mutation: Mutation, _ snapshot: VMCSSnapshot, _ capabilities: VMXCapabilities, _ seen: EntryVerdict) {
        let event = snapshot[.entryInterruptionInformation]
        let descriptor: HostPhysicalAddress = snapshot[.postedInterruptDescriptorAddress]
        if snapshot[.entryControls].contains(.entryToSMM), seen == .invalidGuestState(qualification: 0) {
            self = .entryToSMM
        } else if event.isValid, event.kind == .nonMaskableInterrupt, seen == .invalidGuestState(qualification: 0),
            snapshot[.guestInterruptibility].contains(.blockingBySTI) {
            self = .qualificationOfNMI
        } else if snapshot[.pinControls].contains(.processPostedInterrupts), seen == .invalidControls,
            !descriptor.isAligned(to: .fourKibibytes) {
            self = .postedInterruptDescriptor
        } else if capabilities.linearAddressWidth > 48, mutation.field.width == .natural, seen != .pass,
            Int64(bitPattern: mutation.value) >> 47 != Int64(bitPattern: mutation.value) >> 63 {
            self = .linearAddressWidth
        } else {
            return nil
        }
    }

    /// Bochs ends, rather than let the entry fail.
    var endsEmulator: Bool { self == .longModeWithoutPaging }

    /// Bochs takes a guest with another CR4.LA57 than the host's for a switch of paging modes in IA-32e mode, and ends.
    static func endsEmulator(_ snapshot: VMCSSnapshot) -> Bool {
        (snapshot[.guestCR4] ^ snapshot[.hostCR4]).contains(.fiveLevelPaging)
    }

    /// What is not as the manual has it, and where it stands (SDM volume 3).
    var words: StaticString {
        switch self {
        case .debugControl:
            "reserved bits of IA32_DEBUGCTL are not checked (\"Checks on Guest Control Registers, Debug Registers, and MSRs\")"
        case .performanceControl:
            "reserved bits of IA32_PERF_GLOBAL_CTRL are not checked (\"Checks on Guest Control Registers, Debug Registers, and MSRs\", host likewise)"
        case .longModeWithoutPaging:
            "\"IA-32e mode guest\" without CR0.PG enters (\"Checks on Guest Control Registers, Debug Registers, and MSRs\")"
        case .entryToSMM:
            "\"entry to SMM\" outside SMM is taken for a fault of the guest state (\"VM-Entry Control Fields\")"
        case .instructionPointer:
            "guest RIP need not be canonical (\"Checks on Guest RIP, RFLAGS, and SSP\")"
        case .pendingHighBits:
            "bits 63:32 of the pending debug exceptions are not checked (\"Checks on Guest Non-Register State\")"
        case .pendingSingleStep:
            "the pending single step (BS) is not compared with RFLAGS.TF (\"Checks on Guest Non-Register State\")"
        case .haltedInjection:
            "any event may be injected into a halted guest (\"Checks on Guest Non-Register State\")"
        case .blockedNMI:
            "an NMI may be injected while virtual NMIs are blocked (\"Checks on Guest Non-Register State\")"
        case .qualificationOfNMI:
            "an NMI with blocking by STI fails with qualification 0, not 3 (\"VM-Entry Failures During or After Loading Guest State\")"
        case .postedInterruptDescriptor:
            "the posted-interrupt descriptor must begin a page (\"VM-Execution Control Fields\")"
        case .linearAddressWidth:
            "addresses must be canonical by the paging mode, not by the width that the processor has (host and guest state)"
        }
    }
}

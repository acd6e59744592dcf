import Memory
import VMX
import VMXChecks
import X86

/// Where Bochs 3.0 is known to depart from the manual's checks. On a machine that follows the manual, none of them counts.
enum KnownDeviation: UInt8 {
    case debugControl, performanceControl, longModeWithoutPaging, entryToSMM, instructionPointer
    case pendingHighBits, pendingSingleStep, haltedInjection, blockedNMI, qualificationOfNMI, postedInterruptDescriptor
    case linearAddressWidth

    static var count: UInt8 { 12 }

    /// A rule that Bochs does not check.
    init?(unchecked violation: Violation) {
        switch violation.rule {
        case .guestReservedBits where violation.field == VMCSField.guestDebugControl.encoding: self = .debugControl
        case .guestReservedBits where violation.field == VMCSField.guestPerformanceControl.encoding,
            .hostReservedBits where violation.field == VMCSField.hostPerformanceControl.encoding:
            self = .performanceControl
        case .longModeNeedsPaging: self = .longModeWithoutPaging
        case .ripUpperBits: self = .instructionPointer
        case .pendingStepMissing, .pendingStepWithoutCause: self = .pendingSingleStep
        case .pendingReservedBits where violation.value & 0xFFFE_AFF0 == 0: self = .pendingHighBits
        case .haltedInjection: self = .haltedInjection
        case .injectedNMIBlockedByNMI: self = .blockedNMI
        default: return nil
        }
    }

    /// Something that Bochs does on its own.
    init?(_ mutation: Mutation, _ snapshot: VMCSSnapshot, _ capabilities: VMXCapabilities, _ seen: EntryVerdict) {
        let event = snapshot[.entryInterruptionInformation]
        let descriptor: HostPhysicalAddress = snapshot[.postedInterruptDescriptorAddress]
        if snapshot[.entryControls].contains(.entryToSMM), seen == .invalidGuestState(qualification: 0) {
            self = .entryToSMM
        } else if event.isValid, event.kind == .nonMaskableInterrupt, seen == .invalidGuestState(qualification: 0),
            snapshot[.guestInterruptibility].contains(.blockingBySTI)
        {
            self = .qualificationOfNMI
        } else if snapshot[.pinControls].contains(.processPostedInterrupts), seen == .invalidControls,
            !descriptor.isAligned(to: .fourKibibytes)
        {
            self = .postedInterruptDescriptor
        } else if capabilities.linearAddressWidth > 48, mutation.field.width == .natural, seen != .pass,
            Int64(bitPattern: mutation.value) >> 47 != Int64(bitPattern: mutation.value) >> 63
        {
            self = .linearAddressWidth
        } else {
            return nil
        }
    }

    /// Bochs ends, rather than let the entry fail.
    var endsEmulator: Bool { self == .longModeWithoutPaging }

    /// Bochs takes a guest whose CR4.LA57 differs from the host's for a switch of paging modes in IA-32e mode, and ends.
    static func endsEmulator(_ snapshot: VMCSSnapshot) -> Bool {
        (snapshot[.guestCR4] ^ snapshot[.hostCR4]).contains(.fiveLevelPaging)
    }

    /// What differs from the manual, and where that says so (SDM volume 3).
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
            "bits 63:48 of guest RIP need not be identical (\"Checks on Guest RIP, RFLAGS, and SSP\")"
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

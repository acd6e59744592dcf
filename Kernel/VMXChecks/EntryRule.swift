/// A rule of VM entry. Rules that read alike but are in different sections are different rules; one rule may concern
/// several fields.
public enum EntryRule: UInt8, Equatable, Hashable, Sendable {
    case executionRequiredBits, executionOfferedBits, cr3TargetCount, executionPage, tprThresholdHighBits
    case tprThresholdAbovePriority, x2APICModeNeedsTPRShadow, apicRegistersNeedTPRShadow, interruptDeliveryNeedsTPRShadow
    case x2APICModeOrAPICAccesses, interruptDeliveryNeedsInterruptExiting, virtualNMIsNeedNMIExiting
    case nmiWindowNeedsVirtualNMIs, postedInterruptsNeedDelivery, postedInterruptsNeedAcknowledgement, postedInterruptVector
    case postedInterruptDescriptor, vpidNotZero, pmlNeedsEPT, unrestrictedGuestNeedsEPT, modeBasedExecuteNeedsEPT
    case subPagePermissionsNeedEPT, traceThroughEPTNeedsEPT, traceThroughEPTNeedsLoad, traceThroughEPTNeedsClear
    case eptpMemoryType, eptpWalkLength, eptpAccessedAndDirty, eptpShadowStacks, eptpReservedBits, eptpSwitchingNeedsEPT
    case tscMultiplierNotZero
    case exitRequiredBits, exitOfferedBits, savedTimerNeedsTimer, exitRegisterArea
    case entryRequiredBits, entryOfferedBits, entryToSMM, dualMonitorTreatment, entryRegisterArea, injectionReservedBits
    case injectionReservedType, injectedNMIVector, injectedExceptionVector, injectedTrapFlagOffered, injectedTrapFlagVector
    case injectionLength, injectionLengthNotZero, errorCodeNeedsException, errorCodeNeedsProtection, errorCodeHighBits
    case errorCodeByVector
    case hostFixedBits, hostCETNeedsWriteProtect, hostCR3Width, hostRegisterCanonical, hostReservedBits, hostPAT, hostLMA
    case hostLME, hostSupervisorCET, hostShadowStackAlignment, hostPKRS
    case hostSelectorBits, hostSelectorNotZero, hostStackSelectorNotZero, hostBaseCanonical
    case hostPAE, hostRIPCanonical, hostAddressSpaceSize, ia32eModeGuestNeedsHost, hostPCIDs, hostRIPHighBits
    case guestFixedBits, pagingNeedsProtection, guestCETNeedsWriteProtect, longModeNeedsPaging, longModeNeedsPAE
    case pcidsNeedLongMode, guestCR3Width, guestReservedBits, guestHighBits, guestRegisterCanonical, guestPAT
    case boundConfigurationBits, boundConfigurationCanonical, guestLMA, guestLMEWithPaging, guestSupervisorCET
    case selectorTableIndicator, stackSelectorLevel, virtual8086Base, segmentBaseCanonical, segmentBaseHighBits
    case virtual8086Limit, virtual8086Rights, segmentPresent, segmentReservedBits, segmentByteGranularity
    case segmentPageGranularity, codeOrDataSegment, codeType3Level, codeLevel, conformingCodeLevel
    case codeTypeOfUnrestrictedGuest, codeType, codeDefaultSize, stackType, stackLevel, stackLevelWithCodeType3
    case stackLevelInRealMode, dataAccessed, dataReadable, dataLevel, taskUsable, localTableType, longTaskType, taskType
    case systemSegment
    case tableBaseCanonical, tableLimitHighBits
    case ripHighBits, ripUpperBits, rflagsReservedBits, rflagsAlwaysSet, virtual8086InLongMode, virtual8086NeedsProtection
    case injectionNeedsInterruptFlag, shadowStackAlignment, shadowStackUpperBits
    case activityState, haltedLevel, activeWhileBlocked, haltedInjection, shutdownInjection, waitForSIPIInjection
    case interruptibilityReservedBits, blockingBySTIAndMovSS, blockingBySTINeedsInterruptFlag, injectedInterruptBlocked
    case blockingBySMI, enclaveAndMovSS, enclaveNeedsSGX, injectedNMIBlockedByMovSS, injectedNMIBlockedBySTI
    case injectedNMIBlockedByNMI, pendingReservedBits, pendingStepMissing, pendingStepWithoutCause, transactionNeedsRTM
    case transactionBits, transactionAndMovSS, linkPointerPage, linkedRevision, linkedShadow, linkedCurrent
    case pageDirectoryPointer

    /// What the manual requires, in words.
    public var words: StaticString { row.words }
    /// Where the manual requires it.
    public var section: EntryCheckSection { row.section }
    /// How VM entry fails because of it.
    public var failure: EntryVerdict { row.failure ?? row.section.failure }
    /// The manual lets each processor decide whether it makes this check.
    public var isLeftToProcessor: Bool { self == .injectedNMIBlockedBySTI }
}

extension EntryRule {
    private struct Row {
        let section: EntryCheckSection
        let words: StaticString
        /// How VM entry fails, where the section alone does not say it.
        let failure: EntryVerdict?

        init(_ section: EntryCheckSection, _ words: StaticString, failing failure: EntryVerdict? = nil) {
            self.section = section
            self.words = words
            self.failure = failure
        }
    }

    /// The table of the rules.
    private var row: Row {
        switch self {
        case .executionRequiredBits: .init(.executionControls, "the bits that the processor requires must be 1")
        case .executionOfferedBits: .init(.executionControls, "bits that the processor does not offer must be 0")
        case .cr3TargetCount:
            .init(.executionControls, "must not exceed the number of CR3-target values that the processor has")
        case .executionPage: .init(.executionControls, "must be the physical address of a page")
        case .tprThresholdHighBits: .init(.executionControls, "bits 31:4 must be 0 without virtual-interrupt delivery")
        case .tprThresholdAbovePriority:
            .init(.executionControls, "must not exceed bits 7:4 of the task priority in the virtual-APIC page")
        case .x2APICModeNeedsTPRShadow: .init(.executionControls, "\"virtualize x2APIC mode\" needs \"use TPR shadow\"")
        case .apicRegistersNeedTPRShadow: .init(.executionControls, "\"APIC-register virtualization\" needs \"use TPR shadow\"")
        case .interruptDeliveryNeedsTPRShadow:
            .init(.executionControls, "\"virtual-interrupt delivery\" needs \"use TPR shadow\"")
        case .x2APICModeOrAPICAccesses:
            .init(.executionControls, "\"virtualize x2APIC mode\" and \"virtualize APIC accesses\" must not both be 1")
        case .interruptDeliveryNeedsInterruptExiting:
            .init(.executionControls, "\"virtual-interrupt delivery\" needs \"external-interrupt exiting\"")
        case .virtualNMIsNeedNMIExiting: .init(.executionControls, "\"virtual NMIs\" needs \"NMI exiting\"")
        case .nmiWindowNeedsVirtualNMIs: .init(.executionControls, "\"NMI-window exiting\" needs \"virtual NMIs\"")
        case .postedInterruptsNeedDelivery:
            .init(.executionControls, "\"process posted interrupts\" needs \"virtual-interrupt delivery\"")
        case .postedInterruptsNeedAcknowledgement:
            .init(.executionControls, "\"process posted interrupts\" needs \"acknowledge interrupt on exit\"")
        case .postedInterruptVector: .init(.executionControls, "must be a vector from 0 to 255")
        case .postedInterruptDescriptor: .init(.executionControls, "must be a physical address and a multiple of 64")
        case .vpidNotZero: .init(.executionControls, "must not be 0, which is the host's tag")
        case .pmlNeedsEPT: .init(.executionControls, "\"enable PML\" needs \"enable EPT\"")
        case .unrestrictedGuestNeedsEPT: .init(.executionControls, "\"unrestricted guest\" needs \"enable EPT\"")
        case .modeBasedExecuteNeedsEPT: .init(.executionControls, "\"mode-based execute control for EPT\" needs \"enable EPT\"")
        case .subPagePermissionsNeedEPT:
            .init(.executionControls, "\"sub-page write permissions for EPT\" needs \"enable EPT\"")
        case .traceThroughEPTNeedsEPT:
            .init(.executionControls, "\"Intel PT uses guest physical addresses\" needs \"enable EPT\"")
        case .traceThroughEPTNeedsLoad:
            .init(.executionControls, "\"Intel PT uses guest physical addresses\" needs \"load IA32_RTIT_CTL\"")
        case .traceThroughEPTNeedsClear:
            .init(.executionControls, "\"Intel PT uses guest physical addresses\" needs \"clear IA32_RTIT_CTL\"")
        case .eptpMemoryType: .init(.executionControls, "bits 2:0 must be a memory type that the processor offers")
        case .eptpWalkLength: .init(.executionControls, "bits 5:3 must be a page-walk length that the processor offers, less 1")
        case .eptpAccessedAndDirty:
            .init(.executionControls, "bit 6 must be 0 where the processor has no accessed and dirty flags for EPT")
        case .eptpShadowStacks:
            .init(.executionControls, "bit 7 must be 0 where the processor has no supervisor shadow-stack control for EPT")
        case .eptpReservedBits: .init(.executionControls, "bits 11:8 and those beyond the physical-address width must be 0")
        case .eptpSwitchingNeedsEPT: .init(.executionControls, "\"EPTP switching\" needs \"enable EPT\"")
        case .tscMultiplierNotZero: .init(.executionControls, "must not be 0")
        case .exitRequiredBits: .init(.exitControls, "the bits that the processor requires must be 1")
        case .exitOfferedBits: .init(.exitControls, "bits that the processor does not offer must be 0")
        case .savedTimerNeedsTimer:
            .init(.exitControls, "\"save VMX-preemption timer value\" needs \"activate VMX-preemption timer\"")
        case .exitRegisterArea: .init(.exitControls, "must be a multiple of 16 and the area within the physical addresses")
        case .entryRequiredBits: .init(.entryControls, "the bits that the processor requires must be 1")
        case .entryOfferedBits: .init(.entryControls, "bits that the processor does not offer must be 0")
        case .entryToSMM: .init(.entryControls, "\"entry to SMM\" must be 0 outside system-management mode")
        case .dualMonitorTreatment:
            .init(.entryControls, "\"deactivate dual-monitor treatment\" must be 0 outside system-management mode")
        case .entryRegisterArea: .init(.entryControls, "must be a multiple of 16 and the area within the physical addresses")
        case .injectionReservedBits: .init(.entryControls, "bits 30:12 must be 0")
        case .injectionReservedType: .init(.entryControls, "type 1 is reserved")
        case .injectedNMIVector: .init(.entryControls, "an NMI needs vector 2")
        case .injectedExceptionVector: .init(.entryControls, "a hardware exception needs a vector up to 31")
        case .injectedTrapFlagOffered: .init(.entryControls, "type 7 needs a processor with the monitor trap flag")
        case .injectedTrapFlagVector: .init(.entryControls, "type 7 needs vector 0, a pending monitor-trap-flag exit")
        case .injectionLength: .init(.entryControls, "a software event needs a length up to 15")
        case .injectionLengthNotZero: .init(.entryControls, "must not be 0 where the processor does not allow it")
        case .errorCodeNeedsException: .init(.entryControls, "only a hardware exception delivers an error code (bit 11)")
        case .errorCodeNeedsProtection: .init(.entryControls, "no error code (bit 11) is delivered in real mode")
        case .errorCodeHighBits: .init(.entryControls, "bits 31:16 must be 0")
        case .errorCodeByVector:
            .init(.entryControls, "bit 11 must be 1 for #DF, #TS, #NP, #SS, #GP, #PF and #AC, and 0 for others")
        case .hostFixedBits: .init(.hostRegisters, "must have the bits that VMX operation fixes")
        case .hostCETNeedsWriteProtect: .init(.hostRegisters, "CR4.CET needs CR0.WP")
        case .hostCR3Width: .init(.hostRegisters, "bits beyond the physical-address width must be 0")
        case .hostRegisterCanonical: .init(.hostRegisters, "must be canonical")
        case .hostReservedBits: .init(.hostRegisters, "reserved bits must be 0")
        case .hostPAT: .init(.hostRegisters, "each byte must be 0, 1, 4, 5, 6 or 7")
        case .hostLMA: .init(.hostRegisters, "LMA must equal \"host address-space size\"")
        case .hostLME: .init(.hostRegisters, "LME must equal \"host address-space size\"")
        case .hostSupervisorCET: .init(.hostRegisters, "bits 9:6 must be 0, and bits 11:10 not both 1")
        case .hostShadowStackAlignment: .init(.hostRegisters, "bits 1:0 must be 0")
        case .hostPKRS: .init(.hostRegisters, "bits 63:32 must be 0")
        case .hostSelectorBits: .init(.hostSegments, "privilege level (bits 1:0) and table indicator (bit 2) must be 0")
        case .hostSelectorNotZero: .init(.hostSegments, "must not be 0")
        case .hostStackSelectorNotZero: .init(.hostSegments, "must not be 0 without \"host address-space size\"")
        case .hostBaseCanonical: .init(.hostSegments, "must be canonical")
        case .hostPAE: .init(.addressSpaceSize, "PAE must be 1 with \"host address-space size\"")
        case .hostRIPCanonical: .init(.addressSpaceSize, "must be canonical")
        case .hostAddressSpaceSize:
            .init(.addressSpaceSize, "\"host address-space size\" must be 1 when entering from IA-32e mode")
        case .ia32eModeGuestNeedsHost: .init(.addressSpaceSize, "\"IA-32e mode guest\" needs \"host address-space size\"")
        case .hostPCIDs: .init(.addressSpaceSize, "PCIDE must be 0 without \"host address-space size\"")
        case .hostRIPHighBits: .init(.addressSpaceSize, "bits 63:32 must be 0 without \"host address-space size\"")
        case .guestFixedBits: .init(.guestRegisters, "must have the bits that VMX operation fixes")
        case .pagingNeedsProtection: .init(.guestRegisters, "PG needs PE")
        case .guestCETNeedsWriteProtect: .init(.guestRegisters, "CR4.CET needs CR0.WP")
        case .longModeNeedsPaging: .init(.guestRegisters, "PG must be 1 with \"IA-32e mode guest\"")
        case .longModeNeedsPAE: .init(.guestRegisters, "PAE must be 1 with \"IA-32e mode guest\"")
        case .pcidsNeedLongMode: .init(.guestRegisters, "PCIDE must be 0 without \"IA-32e mode guest\"")
        case .guestCR3Width: .init(.guestRegisters, "bits beyond the physical-address width must be 0")
        case .guestReservedBits: .init(.guestRegisters, "reserved bits must be 0")
        case .guestHighBits: .init(.guestRegisters, "bits 63:32 must be 0")
        case .guestRegisterCanonical: .init(.guestRegisters, "must be canonical")
        case .guestPAT: .init(.guestRegisters, "each byte must be 0, 1, 4, 5, 6 or 7")
        case .boundConfigurationBits: .init(.guestRegisters, "bits 11:2 must be 0")
        case .boundConfigurationCanonical: .init(.guestRegisters, "bits 63:12 must be a canonical address")
        case .guestLMA: .init(.guestRegisters, "LMA must equal \"IA-32e mode guest\"")
        case .guestLMEWithPaging: .init(.guestRegisters, "LMA must equal LME while CR0.PG is 1")
        case .guestSupervisorCET: .init(.guestRegisters, "bits 9:6 must be 0, and bits 11:10 not both 1")
        case .selectorTableIndicator: .init(.guestSegments, "the table indicator (bit 2) must be 0")
        case .stackSelectorLevel: .init(.guestSegments, "the privilege level (bits 1:0) must equal that of CS")
        case .virtual8086Base: .init(.guestSegments, "must be the selector times 16 in virtual-8086 mode")
        case .segmentBaseCanonical: .init(.guestSegments, "must be canonical")
        case .segmentBaseHighBits: .init(.guestSegments, "bits 63:32 must be 0")
        case .virtual8086Limit: .init(.guestSegments, "must be 0xffff in virtual-8086 mode")
        case .virtual8086Rights: .init(.guestSegments, "must be 0xf3 in virtual-8086 mode")
        case .segmentPresent: .init(.guestSegments, "P (bit 7) must be 1")
        case .segmentReservedBits: .init(.guestSegments, "bits 11:8 and 31:17 must be 0")
        case .segmentByteGranularity: .init(.guestSegments, "G (bit 15) must be 0 for a limit whose bits 11:0 are not all 1")
        case .segmentPageGranularity: .init(.guestSegments, "G (bit 15) must be 1 for a limit that has any of bits 31:20")
        case .codeOrDataSegment: .init(.guestSegments, "S (bit 4) must be 1")
        case .codeType3Level: .init(.guestSegments, "type 3 needs DPL 0")
        case .codeLevel: .init(.guestSegments, "types 9 and 11 need DPL equal to SS.DPL")
        case .conformingCodeLevel: .init(.guestSegments, "types 13 and 15 need DPL up to SS.DPL")
        case .codeTypeOfUnrestrictedGuest: .init(.guestSegments, "the type must be 3, 9, 11, 13 or 15")
        case .codeType: .init(.guestSegments, "the type must be 9, 11, 13 or 15")
        case .codeDefaultSize: .init(.guestSegments, "D (bit 14) must be 0 for 64-bit code (L)")
        case .stackType: .init(.guestSegments, "the type must be 3 or 7")
        case .stackLevel: .init(.guestSegments, "DPL must equal the selector's privilege level")
        case .stackLevelWithCodeType3: .init(.guestSegments, "DPL must be 0 when the type of CS is 3")
        case .stackLevelInRealMode: .init(.guestSegments, "DPL must be 0 when CR0.PE is 0")
        case .dataAccessed: .init(.guestSegments, "the type must be accessed (bit 0)")
        case .dataReadable: .init(.guestSegments, "a code segment's type must be readable (bit 1)")
        case .dataLevel: .init(.guestSegments, "DPL must not be below the selector's privilege level")
        case .taskUsable: .init(.guestSegments, "must be usable (bit 16)")
        case .localTableType: .init(.guestSegments, "the type must be 2, a local descriptor table")
        case .longTaskType: .init(.guestSegments, "the type must be 11, a busy 64-bit task")
        case .taskType: .init(.guestSegments, "the type must be 3 or 11, a busy task")
        case .systemSegment: .init(.guestSegments, "S (bit 4) must be 0")
        case .tableBaseCanonical: .init(.guestDescriptorTables, "must be canonical")
        case .tableLimitHighBits: .init(.guestDescriptorTables, "bits 31:16 must be 0")
        case .ripHighBits: .init(.guestInstructionPointer, "bits 63:32 must be 0 outside 64-bit mode")
        case .ripUpperBits:
            .init(.guestInstructionPointer, "bits beyond the linear-address width must be identical, in 64-bit mode")
        case .rflagsReservedBits: .init(.guestInstructionPointer, "bits 63:22, 15, 5 and 3 must be 0")
        case .rflagsAlwaysSet: .init(.guestInstructionPointer, "bit 1 must be 1")
        case .virtual8086InLongMode: .init(.guestInstructionPointer, "VM must be 0 with \"IA-32e mode guest\"")
        case .virtual8086NeedsProtection: .init(.guestInstructionPointer, "VM must be 0 when CR0.PE is 0")
        case .injectionNeedsInterruptFlag: .init(.guestInstructionPointer, "IF must be 1 to inject an external interrupt")
        case .shadowStackAlignment: .init(.guestInstructionPointer, "bits 1:0 must be 0")
        case .shadowStackUpperBits:
            .init(.guestInstructionPointer, "bits beyond the linear-address width must be identical")
        case .activityState: .init(.guestNonRegisterState, "must be a state that the processor offers")
        case .haltedLevel: .init(.guestNonRegisterState, "HLT needs SS.DPL 0")
        case .activeWhileBlocked: .init(.guestNonRegisterState, "must be active (0) with blocking by STI or by MOV SS")
        case .haltedInjection:
            .init(.guestNonRegisterState, "HLT allows the injection of interrupts, NMIs, #DB, #MC and a pending MTF exit only")
        case .shutdownInjection: .init(.guestNonRegisterState, "shutdown allows the injection of NMIs and #MC only")
        case .waitForSIPIInjection: .init(.guestNonRegisterState, "wait-for-SIPI allows no injection")
        case .interruptibilityReservedBits: .init(.guestNonRegisterState, "bits 31:5 must be 0")
        case .blockingBySTIAndMovSS: .init(.guestNonRegisterState, "blocking by STI and by MOV SS must not both be 1")
        case .blockingBySTINeedsInterruptFlag: .init(.guestNonRegisterState, "blocking by STI must be 0 when RFLAGS.IF is 0")
        case .injectedInterruptBlocked:
            .init(.guestNonRegisterState, "blocking by STI and by MOV SS must be 0 to inject an external interrupt")
        case .blockingBySMI: .init(.guestNonRegisterState, "blocking by SMI must be 0 outside system-management mode")
        case .enclaveAndMovSS: .init(.guestNonRegisterState, "enclave interruption and blocking by MOV SS must not both be 1")
        case .enclaveNeedsSGX: .init(.guestNonRegisterState, "enclave interruption needs a processor with SGX")
        case .injectedNMIBlockedByMovSS: .init(.guestNonRegisterState, "blocking by MOV SS must be 0 to inject an NMI")
        case .injectedNMIBlockedBySTI:
            .init(
                .guestNonRegisterState,
                "blocking by STI must be 0 to inject an NMI", failing: .invalidGuestState(qualification: 3))
        case .injectedNMIBlockedByNMI:
            .init(.guestNonRegisterState, "blocking by NMI must be 0 to inject an NMI with \"virtual NMIs\"")
        case .pendingReservedBits: .init(.guestNonRegisterState, "bits 63:17, 15, 13 and 11:4 must be 0")
        case .pendingStepMissing:
            .init(
                .guestNonRegisterState,
                "BS must be 1 when RFLAGS.TF is 1, BTF is 0 and the guest is halted or blocked by STI or MOV SS")
        case .pendingStepWithoutCause:
            .init(
                .guestNonRegisterState,
                "BS must be 0 when RFLAGS.TF is 0 or BTF is 1 and the guest is halted or blocked by STI or MOV SS")
        case .transactionNeedsRTM: .init(.guestNonRegisterState, "RTM (bit 16) needs a processor with RTM")
        case .transactionBits: .init(.guestNonRegisterState, "RTM (bit 16) needs bit 12 and no other")
        case .transactionAndMovSS: .init(.guestNonRegisterState, "RTM (bit 16) must be 0 with blocking by MOV SS")
        case .linkPointerPage:
            .init(
                .guestNonRegisterState,
                "must be the physical address of a page, or all ones", failing: .invalidGuestState(qualification: 4))
        case .linkedRevision:
            .init(
                .guestNonRegisterState,
                "must point to a VMCS of this processor's revision", failing: .invalidGuestState(qualification: 4))
        case .linkedShadow:
            .init(
                .guestNonRegisterState,
                "must point to a shadow VMCS with \"VMCS shadowing\", and to an ordinary one without",
                failing: .invalidGuestState(qualification: 4))
        case .linkedCurrent:
            .init(.guestNonRegisterState, "must not be the current VMCS", failing: .invalidGuestState(qualification: 4))
        case .pageDirectoryPointer:
            .init(
                .guestPageDirectoryPointers,
                "a present entry's bits 2:1, 8:5 and those beyond the physical-address width must be 0")
        }
    }
}

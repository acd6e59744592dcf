import EntryProof
import Memory
import Support
import VMX
import VMXChecks
import X86

private let hole: UInt64 = 1 << 62

/// Rules about the guest's registers, but for its segments.
let guestRegisterBreaks: [EntryBreak] = [
    .init(.long64, .guestCR0, .guestFixedBits) { $0.snapshot[.guestCR0].rawValue &= ~0x20 },
    .init(.long64User, .guestCR0, .guestFixedBits, with: [finding(.guestCR0, .longModeNeedsPaging)]) {
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.paging)
    },
    .init(.long64, .guestCR0, .guestFixedBits) { $0.snapshot[.guestCR0].rawValue |= 1 << 32 },
    .init(.real, .guestCR0, .pagingNeedsProtection) { $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0] | .paging },
    .init(.long64, .guestCR4, .guestFixedBits) { $0.snapshot[.guestCR4].rawValue |= 1 << 11 },
    .init(.long64, .guestCR4, .guestCETNeedsWriteProtect) {
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4] | .controlFlowEnforcement
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.writeProtect)
    },
    .init(.long64, .guestCR0, .longModeNeedsPaging) {
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.paging)
    },
    .init(.long64, .guestCR4, .longModeNeedsPAE) {
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4].subtracting(.physicalAddressExtension)
    },
    .init(.real, .guestCR4, .pcidsNeedLongMode) {
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4] | .processContextIdentifiers
    },
    .init(.long64, .guestCR3, .guestCR3Width) { $0.snapshot[.guestCR3] = 1 << 39 },
    .init(.long64, .guestDebugControl, .guestReservedBits) { $0.snapshot[.guestDebugControl] = 1 << 4 },
    .init(.long64, .guestDR7, .guestHighBits) { $0.snapshot[.guestDR7] = 1 << 32 | 0x400 },
    .init(.long64, .guestSysenterESP, .guestRegisterCanonical) { $0.snapshot[.guestSysenterESP] = hole },
    .init(.long64, .guestSysenterEIP, .guestRegisterCanonical) { $0.snapshot[.guestSysenterEIP] = hole },
    .init(.features, .guestPerformanceControl, .guestReservedBits) {
        $0.snapshot[.guestPerformanceControl] = 1 << 35
    },
    .init(.long64, .guestPAT, .guestPAT) { $0.snapshot[.guestPAT] = 3 << 8 },
    .init(.features, .guestBoundConfiguration, .boundConfigurationBits) { $0.snapshot[.guestBoundConfiguration] = 4 },
    .init(.features, .guestBoundConfiguration, .boundConfigurationCanonical) {
        $0.snapshot[.guestBoundConfiguration] = hole
    },
    .init(.features, .guestLastBranchControl, .guestReservedBits) { $0.snapshot[.guestLastBranchControl] = 0x10 },
    .init(.features, .guestPKRS, .guestHighBits) { $0.snapshot[.guestPKRS] = 1 << 63 },
    .init(.long64, .guestEFER, .guestReservedBits) { $0.snapshot[.guestEFER].rawValue |= 2 },
    .init(.long64, .guestEFER, .guestLMA) { $0.snapshot[.guestEFER] = .executeDisable },
    .init(.long64, .guestEFER, .guestLMEWithPaging) {
        $0.snapshot[.guestEFER] = $0.snapshot[.guestEFER].subtracting(.longModeEnable)
    },
    .init(.features, .guestSupervisorCET, .guestSupervisorCET) {
        $0.snapshot[.guestSupervisorCET] = 0x40
    },
    .init(.features, .guestSupervisorCET, .guestRegisterCanonical) { $0.snapshot[.guestSupervisorCET] = hole },
    .init(.features, .guestInterruptShadowStackTable, .guestRegisterCanonical) {
        $0.snapshot[.guestInterruptShadowStackTable] = hole
    },
    .init(.long64, .guestGDTRBase, .tableBaseCanonical) { $0.snapshot[.guestGDTRBase] = hole },
    .init(.long64, .guestIDTRBase, .tableBaseCanonical) { $0.snapshot[.guestIDTRBase] = hole },
    .init(.long64, .guestGDTRLimit, .tableLimitHighBits) { $0.snapshot[.guestGDTRLimit] = 0x1_0000 },
    .init(.long64, .guestIDTRLimit, .tableLimitHighBits) { $0.snapshot[.guestIDTRLimit] = 0x1_0000 },
    .init(.real, .guestRIP, .ripHighBits) { $0.snapshot[.guestRIP] = 1 << 32 },
    .init(.long64, .guestRIP, .ripUpperBits) {
        $0.snapshot[.guestRIP] = 1 << 48
    },
    .init(.features, .guestShadowStackPointer, .shadowStackAlignment) { $0.snapshot[.guestShadowStackPointer] = 1 },
    .init(.features, .guestShadowStackPointer, .shadowStackUpperBits) { $0.snapshot[.guestShadowStackPointer] = hole },
    .init(.long64, .guestRFLAGS, .rflagsReservedBits) { $0.snapshot[.guestRFLAGS].rawValue |= 8 },
    .init(.long64, .guestRFLAGS, .rflagsAlwaysSet) { $0.snapshot[.guestRFLAGS] = .none },
    .init(.virtual8086, .guestRFLAGS, .virtual8086InLongMode) {
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls] | .ia32eModeGuest
        $0.snapshot[.guestEFER] = .longModeEnable | .longModeActive
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4] | .physicalAddressExtension
    },
    .init(.virtual8086, .guestRFLAGS, .virtual8086NeedsProtection) {
        $0.add(.unrestrictedGuest)
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.protectionEnable | .paging)
    },
    .init(.interrupt, .guestRFLAGS, .injectionNeedsInterruptFlag) { $0.snapshot[.guestRFLAGS] = .alwaysSet },
]

/// Rules about the guest's segments.
let guestSegmentBreaks: [EntryBreak] =
    [
        .init(.long64, .guestTRSelector, .selectorTableIndicator) {
            $0.snapshot[.guestTRSelector] = .init(rawValue: 0x1C)
        },
        .init(.pageDirectoryPointers, .guestLDTRSelector, .selectorTableIndicator) {
            $0.snapshot[.guestLDTRSelector] = .init(rawValue: 0x2C)
        },
        .init(.long64User, .guestSSSelector, .stackSelectorLevel) {
            $0.snapshot[.guestCSSelector] = .init(rawValue: 0x18)
        },
        .init(.long64, .guestFSBase, .segmentBaseCanonical) { $0.snapshot[.guestFSBase] = hole },
        .init(.long64, .guestGSBase, .segmentBaseCanonical) { $0.snapshot[.guestGSBase] = hole },
        .init(.long64, .guestTRBase, .segmentBaseCanonical) { $0.snapshot[.guestTRBase] = hole },
        .init(.pageDirectoryPointers, .guestLDTRBase, .segmentBaseCanonical) { $0.snapshot[.guestLDTRBase] = hole },
        .init(.pageDirectoryPointers, .guestCSAccessRights, .codeType) {
            $0.snapshot[.guestCSAccessRights].rawValue &= ~1
        },
        .init(.long64, .guestCSAccessRights, .codeTypeOfUnrestrictedGuest) {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA091)
        },
        .init(.long64, .guestCSAccessRights, .codeType3Level) {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA0F3)
        },
        .init(.long64, .guestCSAccessRights, .codeLevel) {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA0F9)
        },
        .init(.long64, .guestCSAccessRights, .conformingCodeLevel) {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA0BD)
        },
        .init(.long64, .guestCSAccessRights, .codeDefaultSize) {
            $0.snapshot[.guestCSAccessRights].rawValue |= 0x4000
        },
        .init(.long64, .guestSSAccessRights, .stackType) {
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xC091)
        },
        .init(.long64User, .guestSSAccessRights, .stackLevel) {
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xC0D3)
        },
        .init(.long64, .guestSSAccessRights, .stackLevelWithCodeType3) {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA093)
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xC0B3)
        },
        .init(.real, .guestSSAccessRights, .stackLevelInRealMode) {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0x9F)
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xF3)
        },
        .init(.long64, .guestTRAccessRights, .taskUsable) {
            $0.snapshot[.guestTRAccessRights].rawValue |= 1 << 16
        },
        .init(.long64, .guestTRAccessRights, .longTaskType) {
            $0.snapshot[.guestTRAccessRights] = .init(rawValue: 0x83)
        },
        .init(.pageDirectoryPointers, .guestTRAccessRights, .taskType) {
            $0.snapshot[.guestTRAccessRights] = .init(rawValue: 0x89)
        },
        .init(.pageDirectoryPointers, .guestLDTRAccessRights, .localTableType) {
            $0.snapshot[.guestLDTRAccessRights] = .init(rawValue: 0x8B)
        },
        .init(.long64, .guestTRAccessRights, .systemSegment) { $0.snapshot[.guestTRAccessRights].rawValue |= 0x10 },
        .init(.pageDirectoryPointers, .guestLDTRAccessRights, .systemSegment) {
            $0.snapshot[.guestLDTRAccessRights].rawValue |= 0x10
        },
    ] + (UInt32(0)..<8).flatMap(breaksOfEvery) + [UInt32(0), 3, 4, 5].flatMap(dataBreaks)
    + (UInt32(0)..<6).flatMap(virtual8086Breaks)

/// Rules that hold for every usable segment, by its number.
private func breaksOfEvery(_ index: UInt32) -> [EntryBreak] {
    let rights = VMCSField<SegmentAccessRights, Writable>.accessRights(index)
    let limit = VMCSField<UInt32, Writable>.limit(index)
    let base = VMCSField<UInt64, Writable>.base(index)
    var breaks: [EntryBreak] = [
        .init(.pageDirectoryPointers, rights, .segmentPresent) { $0.snapshot[rights].rawValue &= ~0x80 },
        .init(.pageDirectoryPointers, rights, .segmentReservedBits) { $0.snapshot[rights].rawValue |= 0x400 },
        .init(.pageDirectoryPointers, rights, .segmentReservedBits) { $0.snapshot[rights].rawValue |= 1 << 17 },
        .init(.pageDirectoryPointers, rights, .segmentByteGranularity) {
            $0.snapshot[limit] = 0xFFFF_FFFE
            $0.snapshot[rights].rawValue |= 0x8000
        },
        .init(.pageDirectoryPointers, rights, .segmentPageGranularity) {
            $0.snapshot[limit] = 0x10_0FFF
            $0.snapshot[rights].rawValue &= ~0x8000
        },
    ]
    if index < 6 {
        breaks.append(
            .init(.pageDirectoryPointers, rights, .codeOrDataSegment) { $0.snapshot[rights].rawValue &= ~0x10 })
    }
    if index < 4 {
        breaks.append(.init(.pageDirectoryPointers, base, .segmentBaseHighBits) { $0.snapshot[base] = 1 << 32 })
    }
    return breaks
}

/// Rules of DS, ES, FS and GS.
private func dataBreaks(_ index: UInt32) -> [EntryBreak] {
    let rights = VMCSField<SegmentAccessRights, Writable>.accessRights(index)
    return [
        .init(.pageDirectoryPointers, rights, .dataAccessed) { $0.snapshot[rights].rawValue &= ~1 },
        .init(.pageDirectoryPointers, rights, .dataReadable) {
            $0.snapshot[rights].rawValue = $0.snapshot[rights].rawValue & ~15 | 9
        },
        .init(.pageDirectoryPointers, rights, .dataLevel) {
            $0.snapshot[rights].rawValue &= ~0x60
        },
    ]
}

private func virtual8086Breaks(_ index: UInt32) -> [EntryBreak] {
    let rights = VMCSField<SegmentAccessRights, Writable>.accessRights(index)
    let limit = VMCSField<UInt32, Writable>.limit(index)
    let base = VMCSField<UInt64, Writable>.base(index)
    return [
        .init(.virtual8086, base, .virtual8086Base) { $0.snapshot[base] = 0x1231 },
        .init(.virtual8086, limit, .virtual8086Limit) { $0.snapshot[limit] = 0xFFFE },
        .init(.virtual8086, rights, .virtual8086Rights) { $0.snapshot[rights].rawValue ^= 8 },
    ]
}

private func finding<Value>(_ field: VMCSField<Value, Writable>, _ rule: EntryRule) -> EntryBreak.Finding {
    .init(field: field.encoding.rawValue, rule: rule)
}

/// Rules about the guest's non-register state, and its page-directory pointers.
let guestStateBreaks: [EntryBreak] = [
    .init(.long64, .guestActivityState, .activityState) {
        $0.snapshot[.guestActivityState] = .init(rawValue: 4)
    },
    .init(
        .long64, .guestActivityState, .activityState,
        on: .skylakeX.replacing([0x485: 0x7004_C160])
    ) { $0.snapshot[.guestActivityState] = .shutdown },
    .init(.long64User, .guestActivityState, .haltedLevel) { $0.snapshot[.guestActivityState] = .halted },
    .init(.blocking, .guestActivityState, .activeWhileBlocked) {
        $0.snapshot[.guestActivityState] = .halted
    },
    .init(.softwareInterrupt, .guestActivityState, .haltedInjection) { $0.snapshot[.guestActivityState] = .halted },
    .init(.interrupt, .guestActivityState, .shutdownInjection) {
        $0.snapshot[.guestActivityState] = .shutdown
    },
    .init(.nonMaskableInterrupt, .guestActivityState, .waitForSIPIInjection) {
        $0.snapshot[.guestActivityState] = .waitForStartupIPI
    },
    .init(.long64, .guestInterruptibility, .interruptibilityReservedBits) {
        $0.snapshot[.guestInterruptibility] = .init(rawValue: 1 << 5)
    },
    .init(.blocking, .guestInterruptibility, .blockingBySTIAndMovSS) {
        $0.snapshot[.guestInterruptibility] = .blockingBySTI | .blockingByMovSS
    },
    .init(.blocking, .guestInterruptibility, .blockingBySTINeedsInterruptFlag) {
        $0.snapshot[.guestRFLAGS] = .alwaysSet | .trap
    },
    .init(.interrupt, .guestInterruptibility, .injectedInterruptBlocked) {
        $0.snapshot[.guestInterruptibility] = .blockingByMovSS
    },
    .init(.long64, .guestInterruptibility, .blockingBySMI) {
        $0.snapshot[.guestInterruptibility] = .blockingBySMI
    },
    .init(.long64, .guestInterruptibility, .enclaveAndMovSS) {
        $0.snapshot[.guestInterruptibility] = .enclaveInterruption | .blockingByMovSS
    },
    .init(.long64, .guestInterruptibility, .enclaveNeedsSGX) {
        $0.circumstances.hasEnclaves = false
        $0.snapshot[.guestInterruptibility] = .enclaveInterruption
    },
    .init(.nonMaskableInterrupt, .guestInterruptibility, .injectedNMIBlockedByMovSS) {
        $0.snapshot[.guestInterruptibility] = .blockingByMovSS
    },
    .init(.nonMaskableInterrupt, .guestInterruptibility, .injectedNMIBlockedBySTI) {
        $0.snapshot[.guestInterruptibility] = .blockingBySTI
    },
    .init(.nonMaskableInterrupt, .guestInterruptibility, .injectedNMIBlockedByNMI) {
        $0.snapshot[.guestInterruptibility] = .blockingByNMI
    },
    .init(.long64, .guestPendingDebugExceptions, .pendingReservedBits) {
        $0.snapshot[.guestPendingDebugExceptions] = .init(rawValue: 1 << 63)
    },
    .init(.blocking, .guestPendingDebugExceptions, .pendingStepMissing) { $0.snapshot[.guestPendingDebugExceptions] = .none },
    .init(.halted, .guestPendingDebugExceptions, .pendingStepWithoutCause) {
        $0.snapshot[.guestPendingDebugExceptions] = .singleStep
    },
    .init(.blocking, .guestPendingDebugExceptions, .pendingStepWithoutCause) { $0.snapshot[.guestDebugControl] = 2 },
    .init(.long64, .guestPendingDebugExceptions, .transactionNeedsRTM) {
        $0.circumstances.hasTransactions = false
        $0.snapshot[.guestPendingDebugExceptions] = .transactional | .enabledBreakpoint
    },
    .init(.long64, .guestPendingDebugExceptions, .transactionBits) {
        $0.snapshot[.guestPendingDebugExceptions] = .transactional
    },
    .init(.long64, .guestPendingDebugExceptions, .transactionAndMovSS) {
        $0.snapshot[.guestPendingDebugExceptions] = .transactional | .enabledBreakpoint
        $0.snapshot[.guestInterruptibility] = .blockingByMovSS
    },
    .init(.long64, .linkPointer, .linkPointerPage) {
        $0.snapshot[.linkPointer] = .init(0x20_9800)
    },
    .init(.long64, .linkPointer, .linkedRevision) {
        $0.snapshot[.linkPointer] = EntryFixture.pages.shadowVMCS
        $0.circumstances.linkTarget = 2
    },
    .init(.long64, .linkPointer, .linkedShadow) {
        $0.snapshot[.linkPointer] = EntryFixture.pages.shadowVMCS
        $0.circumstances.linkTarget = 1 << 31 | 1
    },
    .init(.features, .linkPointer, .linkedShadow) { $0.circumstances.linkTarget = 1 },
    .init(.long64, .linkPointer, .linkedCurrent) { $0.snapshot[.linkPointer] = .init(0x20_A000) },
    .init(.pageDirectoryPointers, .guestPDPTE0, .pageDirectoryPointer) { $0.snapshot[.guestPDPTE0] |= 2 },
    .init(.pageDirectoryPointers, .guestPDPTE1, .pageDirectoryPointer) { $0.snapshot[.guestPDPTE1] |= 1 << 39 },
    .init(.pageDirectoryPointers, .guestPDPTE2, .pageDirectoryPointer) { $0.snapshot[.guestPDPTE2] = 0x21 },
    .init(.pageDirectoryPointers, .guestPDPTE3, .pageDirectoryPointer) { $0.snapshot[.guestPDPTE3] = 0x101 },
    .init(.pageDirectoryPointers, .guestCR3, .pageDirectoryPointer) {
        $0.remove(.enableEPT)
        $0.circumstances.pageDirectoryPointers = [0, 0x20_0001, 5, 0]
    },
]

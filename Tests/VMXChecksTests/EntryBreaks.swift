import EntryProof
import Memory
import Support
import Testing
import VMX
import VMXChecks
import X86

/// One way to break a good VMCS, and what the entry checks must find then, and nothing else.
struct EntryBreak: CustomTestStringConvertible, Sendable {
    let scenario: MutationScenario
    let set: CapabilitySet
    let expected: [Finding]
    let apply: @Sendable (inout EntryFixture) -> Void
    let others: [Finding]

    struct Finding: Equatable, Comparable, Sendable {
        let field: UInt32
        let rule: EntryRule
        static func < (a: Self, b: Self) -> Bool { (a.field, a.rule.rawValue) < (b.field, b.rule.rawValue) }
    }

    var testDescription: String { "\(scenario): \(expected[0].rule)" }

    init<Value, Access>(
        _ scenario: MutationScenario, _ field: VMCSField<Value, Access>, _ rule: EntryRule, on set: CapabilitySet = .everything,
        with others: [Finding] = [], _ apply: @escaping @Sendable (inout EntryFixture) -> Void
    ) {
        self.scenario = scenario
        self.set = set
        self.others = others
        expected = [Finding(field: field.encoding.rawValue, rule: rule)]
        self.apply = apply
    }
}

private let wide: UInt64 = 1 << 39
private let hole: UInt64 = 1 << 62

/// Rules about the execution, exit and entry controls.
let controlBreaks: [EntryBreak] = [
    .init(.long64, .pinControls, .executionRequiredBits) { $0.snapshot[.pinControls].rawValue &= ~2 },
    .init(.long64, .pinControls, .executionOfferedBits) { $0.snapshot[.pinControls].rawValue |= 1 << 31 },
    .init(.long64, .primaryControls, .executionRequiredBits) { $0.snapshot[.primaryControls].rawValue &= ~2 },
    .init(.long64, .primaryControls, .executionOfferedBits) { $0.snapshot[.primaryControls].rawValue |= 1 },
    .init(.long64, .secondaryControls, .executionRequiredBits, on: .skylakeX.replacing([0x48B: 0x0257_FFFF_0000_0040])) {
        $0.snapshot[.secondaryControls].rawValue &= ~0x40
    },
    .init(.long64, .secondaryControls, .executionOfferedBits) { $0.snapshot[.secondaryControls].rawValue |= 1 << 31 },
    .init(.long64, .cr3TargetCount, .cr3TargetCount) { $0.snapshot[.cr3TargetCount] = 5 },
    .init(.features, .ioBitmapA, .executionPage) { $0.snapshot[.ioBitmapA] = .init(0x20_0800) },
    .init(.features, .ioBitmapB, .executionPage) { $0.snapshot[.ioBitmapB] = .init(wide) },
    .init(.features, .msrBitmaps, .executionPage) { $0.snapshot[.msrBitmaps] = .init(wide) },
    .init(.features, .msrBitmaps, .executionPage, on: .skylakeX.replacing([0x480: 0x00DB_1000_0000_0001])) {
        $0.snapshot[.msrBitmaps] = .init(1 << 32)
    },
    .init(.features, .vmreadBitmap, .executionPage) { $0.snapshot[.vmreadBitmap] = .init(1) },
    .init(.features, .vmwriteBitmap, .executionPage) { $0.snapshot[.vmwriteBitmap] = .init(1) },
    .init(.features, .virtualAPICAddress, .executionPage) { $0.snapshot[.virtualAPICAddress] = .init(8) },
    .init(.features, .apicAccessAddress, .executionPage) { $0.snapshot[.apicAccessAddress] = .init(wide) },
    .init(.features, .pageModificationLogAddress, .executionPage) { $0.snapshot[.pageModificationLogAddress] = .init(8) },
    .init(.features, .subPagePermissionTable, .executionPage) { $0.snapshot[.subPagePermissionTable] = .init(8) },
    .init(.features, .virtualizationExceptionAddress, .executionPage) { $0.snapshot[.virtualizationExceptionAddress] = .init(8) },
    .init(.features, .eptpListAddress, .executionPage) { $0.snapshot[.eptpListAddress] = .init(8) },
    .init(.long64, .tprThreshold, .tprThresholdHighBits) {
        $0.snapshot[.primaryControls] = $0.snapshot[.primaryControls] | .useTPRShadow
        $0.snapshot[.tprThreshold] = 0x10
    },
    .init(.long64, .tprThreshold, .tprThresholdAbovePriority) {
        $0.snapshot[.primaryControls] = $0.snapshot[.primaryControls] | .useTPRShadow
        $0.circumstances.virtualTaskPriority = 0x5F
        $0.snapshot[.tprThreshold] = 6
    },
    .init(.long64, .secondaryControls, .x2APICModeNeedsTPRShadow) {
        $0.add(.virtualizeX2APICMode)
    },
    .init(.long64, .secondaryControls, .apicRegistersNeedTPRShadow) {
        $0.add(.apicRegisterVirtualization)
    },
    .init(.long64, .secondaryControls, .interruptDeliveryNeedsTPRShadow) {
        $0.add(.virtualInterruptDelivery)
    },
    .init(.features, .secondaryControls, .x2APICModeOrAPICAccesses) { $0.add(.virtualizeX2APICMode) },
    .init(.features, .secondaryControls, .interruptDeliveryNeedsInterruptExiting) {
        $0.remove(.externalInterruptExiting)
    },
    .init(.long64, .pinControls, .virtualNMIsNeedNMIExiting) { $0.remove(.nmiExiting) },
    .init(.long64, .primaryControls, .nmiWindowNeedsVirtualNMIs) {
        $0.remove(.virtualNMIs)
        $0.snapshot[.primaryControls] = $0.snapshot[.primaryControls] | .nmiWindowExiting
    },
    .init(.features, .pinControls, .postedInterruptsNeedDelivery) {
        $0.remove(.virtualInterruptDelivery)
    },
    .init(.features, .pinControls, .postedInterruptsNeedAcknowledgement) {
        $0.snapshot[.exitControls] = $0.snapshot[.exitControls].subtracting(.acknowledgeInterrupt)
    },
    .init(.features, .postedInterruptNotificationVector, .postedInterruptVector) {
        $0.snapshot[.postedInterruptNotificationVector] = 256
    },
    .init(.features, .postedInterruptDescriptorAddress, .postedInterruptDescriptor) {
        $0.snapshot[.postedInterruptDescriptorAddress] = .init(0x20_3020)
    },
    .init(.features, .virtualProcessorIdentifier, .vpidNotZero) {
        $0.snapshot[.virtualProcessorIdentifier] = 0
    },
    .init(.long64, .extendedPageTablePointer, .eptpMemoryType) {
        $0.changeTables(7, to: 4)
    },
    .init(
        .long64, .extendedPageTablePointer, .eptpMemoryType,
        on: .skylakeX.replacing([0x48C: 0xF01_0673_4041])
    ) { $0.changeTables(7, to: 0) },
    .init(.long64, .extendedPageTablePointer, .eptpWalkLength) {
        $0.changeTables(0x38, to: 4 << 3)
    },
    .init(
        .long64, .extendedPageTablePointer, .eptpAccessedAndDirty,
        on: .skylakeX.replacing([0x48C: 0xF01_0653_4141])
    ) { $0.changeTables(0x40, to: 0x40) },
    .init(.long64, .extendedPageTablePointer, .eptpShadowStacks) { $0.changeTables(0x80, to: 0x80) },
    .init(.long64, .extendedPageTablePointer, .eptpReservedBits) { $0.changeTables(0, to: 0x100) },
    .init(.long64, .extendedPageTablePointer, .eptpReservedBits) { $0.changeTables(0, to: wide) },
    .init(.long64, .secondaryControls, .pmlNeedsEPT) { $0.replaceNestedPaging(.enablePML) },
    .init(.long64, .secondaryControls, .unrestrictedGuestNeedsEPT) {
        $0.replaceNestedPaging(.unrestrictedGuest)
    },
    .init(.long64, .secondaryControls, .modeBasedExecuteNeedsEPT) {
        $0.replaceNestedPaging(.modeBasedExecuteControl)
    },
    .init(.long64, .secondaryControls, .subPagePermissionsNeedEPT) {
        $0.replaceNestedPaging(.subPageWritePermissions)
    },
    .init(.long64, .secondaryControls, .traceThroughEPTNeedsEPT) {
        $0.trace()
        $0.replaceNestedPaging(.ptUsesGuestPhysicalAddresses)
    },
    .init(.long64, .secondaryControls, .traceThroughEPTNeedsLoad) {
        $0.trace()
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls].subtracting(.loadTraceControl)
    },
    .init(.long64, .secondaryControls, .traceThroughEPTNeedsClear) {
        $0.trace()
        $0.snapshot[.exitControls] = $0.snapshot[.exitControls].subtracting(.clearTraceControl)
    },
    .init(.features, .vmFunctionControls, .executionOfferedBits) { $0.snapshot[.vmFunctionControls] = .init(rawValue: 3) },
    .init(.long64, .vmFunctionControls, .eptpSwitchingNeedsEPT) {
        $0.replaceNestedPaging(.enableVMFunctions)
        $0.snapshot[.vmFunctionControls] = .eptpSwitching
    },
    .init(.features, .timeStampCounterMultiplier, .tscMultiplierNotZero) { $0.snapshot[.timeStampCounterMultiplier] = 0 },

    .init(.long64, .exitControls, .exitRequiredBits) { $0.snapshot[.exitControls].rawValue &= ~1 },
    .init(.long64, .exitControls, .exitOfferedBits) { $0.snapshot[.exitControls].rawValue |= 1 << 30 },
    .init(.long64, .exitControls, .savedTimerNeedsTimer) {
        $0.remove(.activatePreemptionTimer)
        $0.snapshot[.exitControls] = $0.snapshot[.exitControls] | .savePreemptionTimer
    },
    .init(.features, .exitMSRStoreAddress, .exitRegisterArea) { $0.snapshot[.exitMSRStoreAddress] = .init(0x20_6008) },
    .init(.features, .exitMSRLoadAddress, .exitRegisterArea) { $0.snapshot[.exitMSRLoadAddress] = .init(wide) },
    .init(.features, .exitMSRLoadAddress, .exitRegisterArea) {
        $0.snapshot[.exitMSRLoadAddress] = .init(wide - 16)
        $0.snapshot[.exitMSRLoadCount] = 2
    },

    .init(.long64, .entryControls, .entryRequiredBits) { $0.snapshot[.entryControls].rawValue &= ~1 },
    .init(.long64, .entryControls, .entryOfferedBits) { $0.snapshot[.entryControls].rawValue |= 1 << 31 },
    .init(.long64, .entryControls, .entryToSMM) {
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls] | .entryToSMM
    },
    .init(.long64, .entryControls, .dualMonitorTreatment) {
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls] | .deactivateDualMonitor
    },
    .init(.features, .entryMSRLoadAddress, .entryRegisterArea) { $0.snapshot[.entryMSRLoadAddress] = .init(.max & ~15) },
    .init(.exception, .entryInterruptionInformation, .injectionReservedBits) { $0.change(event: 1 << 12) },
    .init(.interrupt, .entryInterruptionInformation, .injectionReservedType) { $0.change(event: 1 << 8) },
    .init(.nonMaskableInterrupt, .entryInterruptionInformation, .injectedNMIVector) { $0.change(event: 1) },
    .init(.exception, .entryInterruptionInformation, .injectedExceptionVector) {
        $0.inject(.hardwareException, 32)
    },
    .init(
        .long64, .entryInterruptionInformation, .injectedTrapFlagOffered,
        on: .skylakeX.replacing([0x48E: 0xF7F9_FFFE_0400_6172])
    ) { $0.inject(.other, 0) },
    .init(.long64, .entryInterruptionInformation, .injectedTrapFlagVector) {
        $0.inject(.other, 1)
    },
    .init(.interrupt, .entryInterruptionInformation, .errorCodeNeedsException) {
        $0.change(event: 1 << 11)
    },
    .init(.real, .entryInterruptionInformation, .errorCodeNeedsProtection) {
        $0.inject(.hardwareException, 13, errorCode: true)
    },
    .init(.exception, .entryInterruptionInformation, .errorCodeByVector) { $0.inject(.hardwareException, 17) },
    .init(.exception, .entryInterruptionInformation, .errorCodeByVector) { $0.inject(.hardwareException, 6, errorCode: true) },
    .init(.exception, .entryExceptionErrorCode, .errorCodeHighBits) { $0.snapshot[.entryExceptionErrorCode] = 0x1_0000 },
    .init(.softwareInterrupt, .entryInstructionLength, .injectionLength) {
        $0.snapshot[.entryInstructionLength] = 16
    },
    .init(
        .softwareInterrupt, .entryInstructionLength, .injectionLengthNotZero,
        on: .skylakeX.replacing([0x485: 0x3004_C1E0])
    ) { $0.snapshot[.entryInstructionLength] = 0 },
]

private let notInIA32e = EntryBreak.Finding(
    field: VMCSField<ExitControls, Writable>.exitControls.encoding.rawValue,
    rule: .hostAddressSpaceSize)

/// Rules about the host state.
let hostBreaks: [EntryBreak] =
    [
        .init(.long64, .hostCR0, .hostFixedBits) { $0.snapshot[.hostCR0].rawValue &= ~0x20 },
        .init(.long64, .hostCR0, .hostFixedBits) { $0.snapshot[.hostCR0].rawValue |= 1 << 32 },
        .init(.long64, .hostCR4, .hostFixedBits) { $0.snapshot[.hostCR4].rawValue &= ~0x2000 },
        .init(.long64, .hostCR4, .hostCETNeedsWriteProtect) {
            $0.snapshot[.hostCR4] = $0.snapshot[.hostCR4] | .controlFlowEnforcement
            $0.snapshot[.hostCR0] = $0.snapshot[.hostCR0].subtracting(.writeProtect)
        },
        .init(.long64, .hostCR3, .hostCR3Width) { $0.snapshot[.hostCR3] = wide },
        .init(.long64, .hostSysenterESP, .hostRegisterCanonical) { $0.snapshot[.hostSysenterESP] = hole },
        .init(.long64, .hostSysenterEIP, .hostRegisterCanonical) { $0.snapshot[.hostSysenterEIP] = 1 << 47 },
        .init(.features, .hostPerformanceControl, .hostReservedBits) { $0.snapshot[.hostPerformanceControl] = 1 << 4 },
        .init(.long64, .hostPAT, .hostPAT) { $0.snapshot[.hostPAT] = 2 << 56 },
        .init(.long64, .hostEFER, .hostReservedBits) { $0.snapshot[.hostEFER].rawValue |= 2 },
        .init(.long64, .hostEFER, .hostLMA) {
            $0.snapshot[.hostEFER] = $0.snapshot[.hostEFER].subtracting(.longModeActive)
        },
        .init(.long64, .hostEFER, .hostLME) {
            $0.snapshot[.hostEFER] = $0.snapshot[.hostEFER].subtracting(.longModeEnable)
        },
        .init(.features, .hostSupervisorCET, .hostSupervisorCET) {
            $0.snapshot[.hostSupervisorCET] = 0xC00
        },
        .init(.features, .hostSupervisorCET, .hostRegisterCanonical) { $0.snapshot[.hostSupervisorCET] = hole },
        .init(.features, .hostShadowStackPointer, .hostShadowStackAlignment) { $0.snapshot[.hostShadowStackPointer] = 2 },
        .init(.features, .hostShadowStackPointer, .hostRegisterCanonical) { $0.snapshot[.hostShadowStackPointer] = hole },
        .init(.features, .hostInterruptShadowStackTable, .hostRegisterCanonical) {
            $0.snapshot[.hostInterruptShadowStackTable] = hole
        },
        .init(.features, .hostPKRS, .hostPKRS) { $0.snapshot[.hostPKRS] = 1 << 32 },
        .init(.long64, .hostCSSelector, .hostSelectorNotZero) { $0.snapshot[.hostCSSelector] = .init(rawValue: 0) },
        .init(.long64, .hostTRSelector, .hostSelectorNotZero) { $0.snapshot[.hostTRSelector] = .init(rawValue: 0) },
        .init(.real, .hostSSSelector, .hostStackSelectorNotZero, with: [notInIA32e]) {
            $0.leaveHostLongMode()
            $0.snapshot[.hostSSSelector] = .init(rawValue: 0)
        },
        .init(.long64, .hostFSBase, .hostBaseCanonical) { $0.snapshot[.hostFSBase] = hole },
        .init(.long64, .hostGSBase, .hostBaseCanonical) { $0.snapshot[.hostGSBase] = hole },
        .init(.long64, .hostGDTRBase, .hostBaseCanonical) { $0.snapshot[.hostGDTRBase] = hole },
        .init(.long64, .hostIDTRBase, .hostBaseCanonical) { $0.snapshot[.hostIDTRBase] = hole },
        .init(.long64, .hostTRBase, .hostBaseCanonical) { $0.snapshot[.hostTRBase] = hole },
        .init(.long64, .hostCR4, .hostPAE) {
            $0.snapshot[.hostCR4] = $0.snapshot[.hostCR4].subtracting(.physicalAddressExtension)
        },
        .init(.long64, .hostRIP, .hostRIPCanonical) { $0.snapshot[.hostRIP] = hole },
        .init(.real, .exitControls, notInIA32e.rule) { $0.leaveHostLongMode() },
        .init(.long64, .entryControls, .ia32eModeGuestNeedsHost, with: [notInIA32e]) {
            $0.leaveHostLongMode()
        },
        .init(.real, .hostCR4, .hostPCIDs, with: [notInIA32e]) {
            $0.leaveHostLongMode()
            $0.snapshot[.hostCR4] = $0.snapshot[.hostCR4] | .processContextIdentifiers
        },
        .init(.real, .hostRIP, .hostRIPHighBits, with: [notInIA32e]) {
            $0.leaveHostLongMode()
            $0.snapshot[.hostRIP] = 1 << 32
        },
    ]
    + hostSelectors.map { field in
        .init(.long64, field, .hostSelectorBits) {
            $0.snapshot[field] = .init(rawValue: 0x24)
        }
    }

private let hostSelectors: [VMCSField<SegmentSelector, Writable>] = [
    .hostESSelector, .hostCSSelector, .hostSSSelector, .hostDSSelector, .hostFSSelector, .hostGSSelector, .hostTRSelector,
]

extension EntryFixture {
    mutating func add(_ controls: SecondaryControls) {
        snapshot[.secondaryControls] = snapshot[.secondaryControls] | controls
    }
    mutating func remove(_ controls: SecondaryControls) {
        snapshot[.secondaryControls] = snapshot[.secondaryControls].subtracting(controls)
    }
    mutating func remove(_ controls: PinControls) {
        snapshot[.pinControls] = snapshot[.pinControls].subtracting(controls)
    }
    /// Without EPT and what needs it, but for these.
    mutating func replaceNestedPaging(_ controls: SecondaryControls) { snapshot[.secondaryControls] = controls }
    mutating func changeTables(_ mask: UInt64, to bits: UInt64) {
        let pointer: EPTPointer = snapshot[.extendedPageTablePointer]
        snapshot[.extendedPageTablePointer] = .init(rawValue: pointer.rawValue & ~mask | bits)
    }
    mutating func trace() {
        add(.ptUsesGuestPhysicalAddresses)
        snapshot[.entryControls] = snapshot[.entryControls] | .loadTraceControl
        snapshot[.exitControls] = snapshot[.exitControls] | .clearTraceControl
    }
    mutating func change(event bits: UInt32) { snapshot[.entryInterruptionInformation].rawValue ^= bits }
    mutating func inject(_ kind: InterruptionInformation.Kind, _ vector: UInt8, errorCode: Bool = false) {
        snapshot[.entryInterruptionInformation] = .init(kind: kind, vector: vector, deliversErrorCode: errorCode)
    }
    mutating func leaveHostLongMode() {
        snapshot[.exitControls] = snapshot[.exitControls].subtracting(.hostAddressSpaceSize)
        snapshot[.hostEFER] = .executeDisable
    }
}

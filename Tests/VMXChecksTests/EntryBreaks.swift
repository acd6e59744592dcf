import EntryProof
import Memory
import Support
import Testing
import VMX
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
        let rule: String
        static func < (a: Self, b: Self) -> Bool { (a.field, a.rule) < (b.field, b.rule) }
    }

    var testDescription: String { "\(scenario): \(expected[0].rule)" }

    init<Value, Access>(
        _ scenario: MutationScenario, _ field: VMCSField<Value, Access>, _ rule: String, on set: CapabilitySet = .everything,
        with others: [Finding] = [], _ apply: @escaping @Sendable (inout EntryFixture) -> Void
    ) {
        self.scenario = scenario
        self.set = set
        self.others = others
        expected = [Finding(field: field.encoding.rawValue, rule: rule)]
        self.apply = apply
    }
}

private let required = "the bits that the processor requires must be 1"
private let offered = "bits that the processor does not offer must be 0"
private let page = "must be the physical address of a page"
private let area = "must be a multiple of 16 and the area within the physical addresses"
private let canonical = "must be canonical"
private let fixed = "must have the bits that VMX operation fixes"
private let attributes = "each byte must be 0, 1, 4, 5, 6 or 7"
private let reserved = "reserved bits must be 0"
private let wide: UInt64 = 1 << 39
private let hole: UInt64 = 1 << 62

/// Rules about the execution, exit and entry controls.
let controlBreaks: [EntryBreak] = [
    .init(.long64, .pinControls, required) { $0.snapshot[.pinControls].rawValue &= ~2 },
    .init(.long64, .pinControls, offered) { $0.snapshot[.pinControls].rawValue |= 1 << 31 },
    .init(.long64, .primaryControls, required) { $0.snapshot[.primaryControls].rawValue &= ~2 },
    .init(.long64, .primaryControls, offered) { $0.snapshot[.primaryControls].rawValue |= 1 },
    .init(.long64, .secondaryControls, required, on: .skylakeX.replacing([0x48B: 0x0257_FFFF_0000_0040])) {
        $0.snapshot[.secondaryControls].rawValue &= ~0x40
    },
    .init(.long64, .secondaryControls, offered) { $0.snapshot[.secondaryControls].rawValue |= 1 << 31 },
    .init(
        .long64, .cr3TargetCount, "must not exceed the number of CR3-target values that the processor has"
    ) { $0.snapshot[.cr3TargetCount] = 5 },
    .init(.features, .ioBitmapA, page) { $0.snapshot[.ioBitmapA] = .init(0x20_0800) },
    .init(.features, .ioBitmapB, page) { $0.snapshot[.ioBitmapB] = .init(wide) },
    .init(.features, .msrBitmaps, page) { $0.snapshot[.msrBitmaps] = .init(wide) },
    .init(.features, .msrBitmaps, page, on: .skylakeX.replacing([0x480: 0x00DB_1000_0000_0001])) {
        $0.snapshot[.msrBitmaps] = .init(1 << 32)
    },
    .init(.features, .vmreadBitmap, page) { $0.snapshot[.vmreadBitmap] = .init(1) },
    .init(.features, .vmwriteBitmap, page) { $0.snapshot[.vmwriteBitmap] = .init(1) },
    .init(.features, .virtualAPICAddress, page) { $0.snapshot[.virtualAPICAddress] = .init(8) },
    .init(.features, .apicAccessAddress, page) { $0.snapshot[.apicAccessAddress] = .init(wide) },
    .init(.features, .pageModificationLogAddress, page) { $0.snapshot[.pageModificationLogAddress] = .init(8) },
    .init(.features, .subPagePermissionTable, page) { $0.snapshot[.subPagePermissionTable] = .init(8) },
    .init(.features, .virtualizationExceptionAddress, page) { $0.snapshot[.virtualizationExceptionAddress] = .init(8) },
    .init(.features, .eptpListAddress, page) { $0.snapshot[.eptpListAddress] = .init(8) },
    .init(.long64, .tprThreshold, "bits 31:4 must be 0 without virtual-interrupt delivery") {
        $0.snapshot[.primaryControls] = $0.snapshot[.primaryControls] | .useTPRShadow
        $0.snapshot[.tprThreshold] = 0x10
    },
    .init(.long64, .tprThreshold, "must not exceed bits 7:4 of the task priority in the virtual-APIC page") {
        $0.snapshot[.primaryControls] = $0.snapshot[.primaryControls] | .useTPRShadow
        $0.circumstances.virtualTaskPriority = 0x5F
        $0.snapshot[.tprThreshold] = 6
    },
    .init(.long64, .secondaryControls, "\"virtualize x2APIC mode\" needs \"use TPR shadow\"") {
        $0.add(.virtualizeX2APICMode)
    },
    .init(.long64, .secondaryControls, "\"APIC-register virtualization\" needs \"use TPR shadow\"") {
        $0.add(.apicRegisterVirtualization)
    },
    .init(.long64, .secondaryControls, "\"virtual-interrupt delivery\" needs \"use TPR shadow\"") {
        $0.add(.virtualInterruptDelivery)
    },
    .init(
        .features, .secondaryControls, "\"virtualize x2APIC mode\" and \"virtualize APIC accesses\" must not both be 1"
    ) { $0.add(.virtualizeX2APICMode) },
    .init(.features, .secondaryControls, "\"virtual-interrupt delivery\" needs \"external-interrupt exiting\"") {
        $0.remove(.externalInterruptExiting)
    },
    .init(.long64, .pinControls, "\"virtual NMIs\" needs \"NMI exiting\"") { $0.remove(.nmiExiting) },
    .init(.long64, .primaryControls, "\"NMI-window exiting\" needs \"virtual NMIs\"") {
        $0.remove(.virtualNMIs)
        $0.snapshot[.primaryControls] = $0.snapshot[.primaryControls] | .nmiWindowExiting
    },
    .init(.features, .pinControls, "\"process posted interrupts\" needs \"virtual-interrupt delivery\"") {
        $0.remove(.virtualInterruptDelivery)
    },
    .init(.features, .pinControls, "\"process posted interrupts\" needs \"acknowledge interrupt on exit\"") {
        $0.snapshot[.exitControls] = $0.snapshot[.exitControls].subtracting(.acknowledgeInterrupt)
    },
    .init(.features, .postedInterruptNotificationVector, "must be a vector from 0 to 255") {
        $0.snapshot[.postedInterruptNotificationVector] = 256
    },
    .init(.features, .postedInterruptDescriptorAddress, "must be a physical address and a multiple of 64") {
        $0.snapshot[.postedInterruptDescriptorAddress] = .init(0x20_3020)
    },
    .init(.features, .virtualProcessorIdentifier, "must not be 0, which is the host's tag") {
        $0.snapshot[.virtualProcessorIdentifier] = 0
    },
    .init(.long64, .extendedPageTablePointer, "bits 2:0 must be a memory type that the processor offers") {
        $0.changeTables(7, to: 4)
    },
    .init(
        .long64, .extendedPageTablePointer, "bits 2:0 must be a memory type that the processor offers",
        on: .skylakeX.replacing([0x48C: 0xF01_0673_4041])
    ) { $0.changeTables(7, to: 0) },
    .init(.long64, .extendedPageTablePointer, "bits 5:3 must be a page-walk length that the processor offers, less 1") {
        $0.changeTables(0x38, to: 4 << 3)
    },
    .init(
        .long64, .extendedPageTablePointer, "bit 6 must be 0 where the processor has no accessed and dirty flags for EPT",
        on: .skylakeX.replacing([0x48C: 0xF01_0653_4141])
    ) { $0.changeTables(0x40, to: 0x40) },
    .init(
        .long64, .extendedPageTablePointer,
        "bit 7 must be 0 where the processor has no supervisor shadow-stack control for EPT"
    ) { $0.changeTables(0x80, to: 0x80) },
    .init(
        .long64, .extendedPageTablePointer, "bits 11:8 and those beyond the physical-address width must be 0"
    ) { $0.changeTables(0, to: 0x100) },
    .init(
        .long64, .extendedPageTablePointer, "bits 11:8 and those beyond the physical-address width must be 0"
    ) { $0.changeTables(0, to: wide) },
    .init(.long64, .secondaryControls, "\"enable PML\" needs \"enable EPT\"") { $0.replaceNestedPaging(.enablePML) },
    .init(.long64, .secondaryControls, "\"unrestricted guest\" needs \"enable EPT\"") {
        $0.replaceNestedPaging(.unrestrictedGuest)
    },
    .init(.long64, .secondaryControls, "\"mode-based execute control for EPT\" needs \"enable EPT\"") {
        $0.replaceNestedPaging(.modeBasedExecuteControl)
    },
    .init(.long64, .secondaryControls, "\"sub-page write permissions for EPT\" needs \"enable EPT\"") {
        $0.replaceNestedPaging(.subPageWritePermissions)
    },
    .init(.long64, .secondaryControls, "\"Intel PT uses guest physical addresses\" needs \"enable EPT\"") {
        $0.trace()
        $0.replaceNestedPaging(.ptUsesGuestPhysicalAddresses)
    },
    .init(.long64, .secondaryControls, "\"Intel PT uses guest physical addresses\" needs \"load IA32_RTIT_CTL\"") {
        $0.trace()
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls].subtracting(.loadTraceControl)
    },
    .init(.long64, .secondaryControls, "\"Intel PT uses guest physical addresses\" needs \"clear IA32_RTIT_CTL\"") {
        $0.trace()
        $0.snapshot[.exitControls] = $0.snapshot[.exitControls].subtracting(.clearTraceControl)
    },
    .init(.features, .vmFunctionControls, offered) { $0.snapshot[.vmFunctionControls] = 3 },
    .init(.long64, .vmFunctionControls, "\"EPTP switching\" needs \"enable EPT\"") {
        $0.replaceNestedPaging(.enableVMFunctions)
        $0.snapshot[.vmFunctionControls] = 1
    },
    .init(.features, .timeStampCounterMultiplier, "must not be 0") { $0.snapshot[.timeStampCounterMultiplier] = 0 },

    .init(.long64, .exitControls, required) { $0.snapshot[.exitControls].rawValue &= ~1 },
    .init(.long64, .exitControls, offered) { $0.snapshot[.exitControls].rawValue |= 1 << 30 },
    .init(.long64, .exitControls, "\"save VMX-preemption timer value\" needs \"activate VMX-preemption timer\"") {
        $0.remove(.activatePreemptionTimer)
        $0.snapshot[.exitControls] = $0.snapshot[.exitControls] | .savePreemptionTimer
    },
    .init(.features, .exitMSRStoreAddress, area) { $0.snapshot[.exitMSRStoreAddress] = .init(0x20_6008) },
    .init(.features, .exitMSRLoadAddress, area) { $0.snapshot[.exitMSRLoadAddress] = .init(wide) },
    .init(.features, .exitMSRLoadAddress, area) {
        $0.snapshot[.exitMSRLoadAddress] = .init(wide - 16)
        $0.snapshot[.exitMSRLoadCount] = 2
    },

    .init(.long64, .entryControls, required) { $0.snapshot[.entryControls].rawValue &= ~1 },
    .init(.long64, .entryControls, offered) { $0.snapshot[.entryControls].rawValue |= 1 << 31 },
    .init(.long64, .entryControls, "\"entry to SMM\" must be 0 outside system-management mode") {
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls] | .entryToSMM
    },
    .init(.long64, .entryControls, "\"deactivate dual-monitor treatment\" must be 0 outside system-management mode") {
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls] | .deactivateDualMonitor
    },
    .init(.features, .entryMSRLoadAddress, area) { $0.snapshot[.entryMSRLoadAddress] = .init(.max & ~15) },
    .init(.exception, .entryInterruptionInformation, "bits 30:12 must be 0") { $0.change(event: 1 << 12) },
    .init(.interrupt, .entryInterruptionInformation, "type 1 is reserved") { $0.change(event: 1 << 8) },
    .init(.nonMaskableInterrupt, .entryInterruptionInformation, "an NMI needs vector 2") { $0.change(event: 1) },
    .init(.exception, .entryInterruptionInformation, "a hardware exception needs a vector up to 31") {
        $0.inject(.hardwareException, 32)
    },
    .init(
        .long64, .entryInterruptionInformation, "type 7 needs a processor with the monitor trap flag",
        on: .skylakeX.replacing([0x48E: 0xF7F9_FFFE_0400_6172])
    ) { $0.inject(.other, 0) },
    .init(.long64, .entryInterruptionInformation, "type 7 needs vector 0, a pending monitor-trap-flag exit") {
        $0.inject(.other, 1)
    },
    .init(.interrupt, .entryInterruptionInformation, "only a hardware exception delivers an error code (bit 11)") {
        $0.change(event: 1 << 11)
    },
    .init(.real, .entryInterruptionInformation, "no error code (bit 11) is delivered in real mode") {
        $0.inject(.hardwareException, 13, errorCode: true)
    },
    .init(
        .exception, .entryInterruptionInformation,
        "bit 11 must be 1 for #DF, #TS, #NP, #SS, #GP, #PF and #AC, and 0 for others"
    ) { $0.inject(.hardwareException, 17) },
    .init(
        .exception, .entryInterruptionInformation,
        "bit 11 must be 1 for #DF, #TS, #NP, #SS, #GP, #PF and #AC, and 0 for others"
    ) { $0.inject(.hardwareException, 6, errorCode: true) },
    .init(.exception, .entryExceptionErrorCode, "bits 31:16 must be 0") { $0.snapshot[.entryExceptionErrorCode] = 0x1_0000 },
    .init(.softwareInterrupt, .entryInstructionLength, "a software event needs a length up to 15") {
        $0.snapshot[.entryInstructionLength] = 16
    },
    .init(
        .softwareInterrupt, .entryInstructionLength, "must not be 0 where the processor does not allow it",
        on: .skylakeX.replacing([0x485: 0x3004_C1E0])
    ) { $0.snapshot[.entryInstructionLength] = 0 },
]

private let notInIA32e = EntryBreak.Finding(
    field: VMCSField<ExitControls, Writable>.exitControls.encoding.rawValue,
    rule: "\"host address-space size\" must be 1 when entering from IA-32e mode")

/// Rules about the host state.
let hostBreaks: [EntryBreak] =
    [
        .init(.long64, .hostCR0, fixed) { $0.snapshot[.hostCR0].rawValue &= ~0x20 },
        .init(.long64, .hostCR0, fixed) { $0.snapshot[.hostCR0].rawValue |= 1 << 32 },
        .init(.long64, .hostCR4, fixed) { $0.snapshot[.hostCR4].rawValue &= ~0x2000 },
        .init(.long64, .hostCR4, "CR4.CET needs CR0.WP") {
            $0.snapshot[.hostCR4] = $0.snapshot[.hostCR4] | .controlFlowEnforcement
            $0.snapshot[.hostCR0] = $0.snapshot[.hostCR0].subtracting(.writeProtect)
        },
        .init(.long64, .hostCR3, "bits beyond the physical-address width must be 0") { $0.snapshot[.hostCR3] = wide },
        .init(.long64, .hostSysenterESP, canonical) { $0.snapshot[.hostSysenterESP] = hole },
        .init(.long64, .hostSysenterEIP, canonical) { $0.snapshot[.hostSysenterEIP] = 1 << 47 },
        .init(.features, .hostPerformanceControl, reserved) { $0.snapshot[.hostPerformanceControl] = 1 << 4 },
        .init(.long64, .hostPAT, attributes) { $0.snapshot[.hostPAT] = 2 << 56 },
        .init(.long64, .hostEFER, reserved) { $0.snapshot[.hostEFER].rawValue |= 2 },
        .init(.long64, .hostEFER, "LMA must equal \"host address-space size\"") {
            $0.snapshot[.hostEFER] = $0.snapshot[.hostEFER].subtracting(.longModeActive)
        },
        .init(.long64, .hostEFER, "LME must equal \"host address-space size\"") {
            $0.snapshot[.hostEFER] = $0.snapshot[.hostEFER].subtracting(.longModeEnable)
        },
        .init(.features, .hostSupervisorCET, "bits 9:6 must be 0, and bits 11:10 not both 1") {
            $0.snapshot[.hostSupervisorCET] = 0xC00
        },
        .init(.features, .hostSupervisorCET, canonical) { $0.snapshot[.hostSupervisorCET] = hole },
        .init(.features, .hostShadowStackPointer, "bits 1:0 must be 0") { $0.snapshot[.hostShadowStackPointer] = 2 },
        .init(.features, .hostShadowStackPointer, canonical) { $0.snapshot[.hostShadowStackPointer] = hole },
        .init(.features, .hostInterruptShadowStackTable, canonical) { $0.snapshot[.hostInterruptShadowStackTable] = hole },
        .init(.features, .hostPKRS, "bits 63:32 must be 0") { $0.snapshot[.hostPKRS] = 1 << 32 },
        .init(.long64, .hostCSSelector, "must not be 0") { $0.snapshot[.hostCSSelector] = .init(rawValue: 0) },
        .init(.long64, .hostTRSelector, "must not be 0") { $0.snapshot[.hostTRSelector] = .init(rawValue: 0) },
        .init(.real, .hostSSSelector, "must not be 0 without \"host address-space size\"", with: [notInIA32e]) {
            $0.leaveHostLongMode()
            $0.snapshot[.hostSSSelector] = .init(rawValue: 0)
        },
        .init(.long64, .hostFSBase, canonical) { $0.snapshot[.hostFSBase] = hole },
        .init(.long64, .hostGSBase, canonical) { $0.snapshot[.hostGSBase] = hole },
        .init(.long64, .hostGDTRBase, canonical) { $0.snapshot[.hostGDTRBase] = hole },
        .init(.long64, .hostIDTRBase, canonical) { $0.snapshot[.hostIDTRBase] = hole },
        .init(.long64, .hostTRBase, canonical) { $0.snapshot[.hostTRBase] = hole },
        .init(.long64, .hostCR4, "PAE must be 1 with \"host address-space size\"") {
            $0.snapshot[.hostCR4] = $0.snapshot[.hostCR4].subtracting(.physicalAddressExtension)
        },
        .init(.long64, .hostRIP, canonical) { $0.snapshot[.hostRIP] = hole },
        .init(.real, .exitControls, notInIA32e.rule) { $0.leaveHostLongMode() },
        .init(.long64, .entryControls, "\"IA-32e mode guest\" needs \"host address-space size\"", with: [notInIA32e]) {
            $0.leaveHostLongMode()
        },
        .init(.real, .hostCR4, "PCIDE must be 0 without \"host address-space size\"", with: [notInIA32e]) {
            $0.leaveHostLongMode()
            $0.snapshot[.hostCR4] = $0.snapshot[.hostCR4] | .processContextIdentifiers
        },
        .init(.real, .hostRIP, "bits 63:32 must be 0 without \"host address-space size\"", with: [notInIA32e]) {
            $0.leaveHostLongMode()
            $0.snapshot[.hostRIP] = 1 << 32
        },
    ]
    + hostSelectors.map { field in
        .init(.long64, field, "privilege level (bits 1:0) and table indicator (bit 2) must be 0") {
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

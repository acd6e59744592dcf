import Memory
import VMX
import X86

/// A VMCS that enters, for mutations to start from. Each makes different checks count.
public enum MutationScenario: UInt8, Equatable, Sendable {
    case long64, real, virtual8086, pageDirectoryPointers, long64User
    case exception, interrupt, nonMaskableInterrupt, softwareInterrupt, blocking, halted, features

    /// How many scenarios there are; their raw values run from 0.
    public static var count: UInt8 { 12 }

    /// What the guest is or does.
    public var name: StaticString {
        switch self {
        case .long64: "64-bit guest"
        case .real: "real-mode guest"
        case .virtual8086: "virtual-8086 guest"
        case .pageDirectoryPointers: "PAE guest"
        case .long64User: "64-bit user code"
        case .exception: "exception injected"
        case .interrupt: "interrupt injected"
        case .nonMaskableInterrupt: "NMI injected"
        case .softwareInterrupt: "INT n injected"
        case .blocking: "blocked by STI"
        case .halted: "halted guest"
        case .features: "all features"
        }
    }

    /// Whether the processor can enter this VMCS.
    public func isAvailable(_ capabilities: VMXCapabilities) -> Bool {
        let hasNestedPaging = capabilities.secondary.allowed.contains(.enableEPT)
        switch self {
        case .real: return hasNestedPaging && capabilities.secondary.allowed.contains(.unrestrictedGuest)
        case .halted: return capabilities.miscellaneous.supportsHaltState
        case .nonMaskableInterrupt: return capabilities.pin.allowed.contains(.nmiExiting | .virtualNMIs)
        case .softwareInterrupt, .exception, .interrupt, .blocking, .features, .long64, .virtual8086,
            .pageDirectoryPointers, .long64User:
            return true
        }
    }

    /// The VMCS.
    public func snapshot(
        _ capabilities: VMXCapabilities, _ host: HostState, _ pages: MutationPages
    ) -> VMCSSnapshot {
        var snapshot = VMCSSnapshot()
        snapshot.pointEverything(to: pages, capabilities)
        snapshot.setControls(capabilities)
        snapshot.setHost(host)
        snapshot.setLongGuest(capabilities, pages)
        switch self {
        case .long64: break
        case .real: snapshot.makeReal(capabilities)
        case .virtual8086: snapshot.makeVirtual8086(capabilities)
        case .pageDirectoryPointers: snapshot.makeProtected(pages)
        case .long64User: snapshot.makeUser()
        case .exception:
            snapshot[.entryInterruptionInformation] = .init(
                kind: .hardwareException, vector: ExceptionVector.generalProtection.number, deliversErrorCode: true)
        case .interrupt:
            snapshot[.entryInterruptionInformation] = .init(kind: .externalInterrupt, vector: 0x40, deliversErrorCode: false)
            snapshot[.guestRFLAGS] = snapshot[.guestRFLAGS] | .interruptEnable
        case .nonMaskableInterrupt:
            snapshot[.entryInterruptionInformation] = .init(
                kind: .nonMaskableInterrupt, vector: 2, deliversErrorCode: false)
            snapshot[.guestRFLAGS] = snapshot[.guestRFLAGS] | .interruptEnable
        case .softwareInterrupt:
            snapshot[.entryInterruptionInformation] = .init(kind: .softwareInterrupt, vector: 0x80, deliversErrorCode: false)
            snapshot[.entryInstructionLength] = 2
        case .blocking:
            snapshot[.guestInterruptibility] = .blockingBySTI
            snapshot[.guestRFLAGS] = snapshot[.guestRFLAGS] | .interruptEnable | .trap
            snapshot[.guestPendingDebugExceptions] = .singleStep
        case .halted: snapshot[.guestActivityState] = .halted
        case .features: snapshot.enableFeatures(capabilities, pages)
        }
        return snapshot
    }
}

extension VMCSSnapshot {
    /// Fields that no control enables are still good, so that switching one on alone still enters.
    fileprivate mutating func pointEverything(to pages: MutationPages, _ capabilities: VMXCapabilities) {
        let scratch = pages.scratch
        self[.ioBitmapA] = scratch
        self[.ioBitmapB] = scratch
        self[.msrBitmaps] = scratch
        self[.virtualAPICAddress] = scratch
        self[.apicAccessAddress] = pages.apicAccess
        self[.postedInterruptDescriptorAddress] = scratch
        self[.pageModificationLogAddress] = scratch
        self[.eptpListAddress] = scratch
        self[.vmreadBitmap] = scratch
        self[.vmwriteBitmap] = scratch
        self[.virtualizationExceptionAddress] = scratch
        self[.subPagePermissionTable] = scratch
        self[.exitMSRStoreAddress] = pages.registerArea
        self[.exitMSRLoadAddress] = pages.registerArea
        self[.entryMSRLoadAddress] = pages.registerArea
        self[.linkPointer] = HostPhysicalAddress(UInt64.max)
        self[.virtualProcessorIdentifier] = 1
        self[.timeStampCounterMultiplier] = 1 << 48
        self[.extendedPageTablePointer] = EPTPointer(
            root: pages.blank, levelCount: 4,
            memoryType: capabilities.eptAndVPID.writeBackTables ? .writeBack : .uncacheable, usesAccessedAndDirty: false)
    }

    /// Everything the guest may do exits; the preemption timer, where there is one, exits before it does anything.
    fileprivate mutating func setControls(_ capabilities: VMXCapabilities) {
        let pin: PinControls = .externalInterruptExiting | .nmiExiting | .virtualNMIs | .activatePreemptionTimer
        self[.pinControls] = capabilities.pin.required | pin & capabilities.pin.allowed
        let primary: PrimaryControls =
            .hltExiting | .mwaitExiting | .monitorExiting | .unconditionalIOExiting
            | .activateSecondaryControls
        self[.primaryControls] = capabilities.primary.required | primary & capabilities.primary.allowed
        self[.secondaryControls] =
            capabilities.secondary.required | (.enableEPT | .unrestrictedGuest) & capabilities.secondary.allowed
        let exit: ExitControls = .hostAddressSpaceSize | .loadEFER | .saveEFER | .loadPAT
        self[.exitControls] = capabilities.exit.required | exit & capabilities.exit.allowed
        let entry: EntryControls = .ia32eModeGuest | .loadEFER | .loadPAT | .loadDebugControls
        self[.entryControls] = capabilities.entry.required | entry & capabilities.entry.allowed
        self[.exceptionBitmap] = .max
    }

    fileprivate mutating func setHost(_ host: HostState) {
        self[.hostCR0] = host.cr0
        self[.hostCR3] = host.cr3
        self[.hostCR4] = host.cr4
        self[.hostEFER] = host.extendedFeatures
        self[.hostPAT] = host.pat
        let data = SegmentSelector(rawValue: host.dataSelector)
        self[.hostCSSelector] = SegmentSelector(rawValue: host.codeSelector)
        self[.hostSSSelector] = data
        self[.hostDSSelector] = data
        self[.hostESSelector] = data
        self[.hostTRSelector] = SegmentSelector(rawValue: host.taskSelector)
        self[.hostTRBase] = host.taskStateBase
        self[.hostGDTRBase] = host.gdtBase
        self[.hostIDTRBase] = host.idtBase
        self[.hostRSP] = host.stackPointer
        self[.hostRIP] = host.instructionPointer
    }

    /// 64-bit kernel code with flat segments and no page tables to speak of.
    fileprivate mutating func setLongGuest(_ capabilities: VMXCapabilities, _ pages: MutationPages) {
        self[.guestCR0] = capabilities.cr0.fixed0 | .protectionEnable | .paging | .writeProtect | .extensionType | .numericError
        self[.guestCR4] = capabilities.cr4.fixed0 | .physicalAddressExtension
        self[.guestCR3] = pages.blank.rawValue
        // An exit that does not load EFER leaves the guest's, and the kernel's tables may need NXE.
        self[.guestEFER] = self[.hostEFER] & (.longModeEnable | .longModeActive | .executeDisable)
        self[.guestPAT] = 0x0007_0406_0007_0406
        self[.guestDR7] = DebugRegister7.alwaysSet.rawValue
        self[.guestRFLAGS] = .alwaysSet
        self[.guestRIP] = 0x1000
        self[.guestRSP] = 0x2000
        for index: UInt32 in 0..<6 {
            setSegment(index, selector: index == 1 ? 8 : 16, limit: 0xFFFF_FFFF, rights: index == 1 ? 0xA09B : 0xC093)
        }
        setSegment(7, selector: 24, limit: 0x67, rights: 0x8B)
        self[.guestLDTRAccessRights] = .unusable
    }

    private mutating func setSegment(_ index: UInt32, selector: UInt16, base: UInt64 = 0, limit: UInt32, rights: UInt32) {
        self[.selector(index)] = SegmentSelector(rawValue: selector)
        self[.base(index)] = base
        self[.limit(index)] = limit
        self[.accessRights(index)] = SegmentAccessRights(rawValue: rights)
    }

    /// Leaves IA-32e mode and the rules from which unrestricted guests are exempt.
    private mutating func leaveLongMode() {
        self[.entryControls] = self[.entryControls].subtracting(.ia32eModeGuest)
        self[.guestEFER] = self[.guestEFER] & .executeDisable
    }

    private mutating func restrict() {
        self[.secondaryControls] = self[.secondaryControls].subtracting(.unrestrictedGuest)
    }

    fileprivate mutating func makeReal(_ capabilities: VMXCapabilities) {
        leaveLongMode()
        self[.guestCR0] = capabilities.cr0.fixed0.subtracting(.protectionEnable | .paging) | .extensionType
        self[.guestCR4] = capabilities.cr4.fixed0
        for index: UInt32 in 0..<6 {
            setSegment(index, selector: 0x10, base: 0x100, limit: 0xFFFF, rights: index == 1 ? 0x9B : 0x93)
        }
    }

    fileprivate mutating func makeVirtual8086(_ capabilities: VMXCapabilities) {
        leaveLongMode()
        restrict()
        self[.guestCR4] = capabilities.cr4.fixed0
        self[.guestRFLAGS] = .alwaysSet | .virtual8086
        for index: UInt32 in 0..<6 { setSegment(index, selector: 0x123, base: 0x1230, limit: 0xFFFF, rights: 0xF3) }
    }

    /// 32-bit user code under PAE paging, with a local descriptor table and segments of several kinds.
    fileprivate mutating func makeProtected(_ pages: MutationPages) {
        leaveLongMode()
        restrict()
        for index: UInt32 in 0..<6 { setSegment(index, selector: 0x23, limit: 0xFFFF_FFFF, rights: 0xC0F3) }
        setSegment(1, selector: 0x1B, limit: 0xFFFF_FFFF, rights: 0xC0FB)
        setSegment(2, selector: 0x23, limit: 0xFFFF, rights: 0x40F7)
        setSegment(4, selector: 0x1B, limit: 0xFFFF, rights: 0x40FB)
        setSegment(6, selector: 0x28, base: 0x5000, limit: 0x1FF, rights: 0x82)
        setSegment(7, selector: 0x30, base: 0x6000, limit: 0x67, rights: 0x83)
        self[.guestPDPTE0] = pages.blank.rawValue | 1
        self[.guestPDPTE1] = pages.blank.rawValue | 0x19
        self[.guestPDPTE3] = 0xE00
    }

    /// 64-bit user code in a conforming segment.
    fileprivate mutating func makeUser() {
        restrict()
        for index: UInt32 in 0..<6 { setSegment(index, selector: 0x23, limit: 0xFFFF_FFFF, rights: 0xC0F3) }
        setSegment(1, selector: 0x1B, limit: 0xFFFF_FFFF, rights: 0xA0DF)
        self[.guestDSAccessRights] = .unusable
        setSegment(0, selector: 0, limit: 0, rights: 0x10000)
        setSegment(6, selector: 0x28, base: 0xFFFF_8000_0000_5000, limit: 0x1FF, rights: 0x82)
    }

    /// Switches on everything that has a field of its own, as far as compatible.
    fileprivate mutating func enableFeatures(_ capabilities: VMXCapabilities, _ pages: MutationPages) {
        let pin = capabilities.pin.allowed
        let primary = capabilities.primary.allowed
        let secondary = capabilities.secondary.allowed
        self[.primaryControls] =
            self[.primaryControls] | (.useIOBitmaps | .useMSRBitmaps | .useTPRShadow | .useTSCOffsetting) & primary
        var wanted: SecondaryControls =
            .enableVPID | .enablePML | .vmcsShadowing | .eptViolationException | .useTSCScaling
            | .enableVMFunctions | .modeBasedExecuteControl | .subPageWritePermissions | .enableXSAVES | .pauseLoopExiting
        if primary.contains(.useTPRShadow) {
            wanted = wanted | .virtualizeAPICAccesses | .apicRegisterVirtualization | .virtualInterruptDelivery
        }
        self[.secondaryControls] = self[.secondaryControls] | wanted & secondary
        let delivers = self[.secondaryControls].contains(.virtualInterruptDelivery)
        let exit: ExitControls =
            .acknowledgeInterrupt | .loadPerformanceControl | .savePAT | .loadPAT | .loadEFER
            | .savePreemptionTimer | .loadCETState | .loadPKRS
        self[.exitControls] = self[.exitControls] | exit & capabilities.exit.allowed
        if delivers, self[.exitControls].contains(.acknowledgeInterrupt) {
            self[.pinControls] = self[.pinControls] | .processPostedInterrupts & pin
        }
        let entry: EntryControls =
            .loadPerformanceControl | .loadBoundConfiguration | .loadCETState | .loadPKRS
            | .loadLastBranchControl
        self[.entryControls] = self[.entryControls] | entry & capabilities.entry.allowed
        if self[.secondaryControls].contains(.vmcsShadowing) { self[.linkPointer] = pages.shadowVMCS }
        self[.vmFunctionControls] = capabilities.vmFunctions & .eptpSwitching
        self[.pageModificationLogIndex] = 511
        self[.cr3TargetCount] = min(capabilities.miscellaneous.cr3TargetCount, 4)
        self[.exitMSRStoreCount] = 1
        self[.exitMSRLoadCount] = 1
        self[.entryMSRLoadCount] = 1
        self[.pauseLoopGap] = 128
        self[.pauseLoopWindow] = 4096
    }
}

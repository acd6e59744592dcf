import Memory
import Virtualization
import X86

/// What the processor loads on a VM exit, fixed for the life of a virtual CPU.
public struct HostState: Equatable, Sendable {
    public var cr0: ControlRegister0
    public var cr3: UInt64
    public var cr4: ControlRegister4
    public var extendedFeatures: ExtendedFeatureEnable
    public var pat: UInt64
    public var codeSelector: UInt16
    public var dataSelector: UInt16
    public var taskSelector: UInt16
    /// Of the processor's own data.
    public var gsBase: UInt64
    public var taskStateBase: UInt64
    public var gdtBase: UInt64
    public var idtBase: UInt64
    /// The end of the virtual CPU's register block, where the world switch pushes.
    public var stackPointer: UInt64
    /// The world switch's VM-exit entry.
    public var instructionPointer: UInt64

    public init(
        cr0: ControlRegister0, cr3: UInt64, cr4: ControlRegister4, extendedFeatures: ExtendedFeatureEnable, pat: UInt64,
        codeSelector: UInt16, dataSelector: UInt16, taskSelector: UInt16, gsBase: UInt64, taskStateBase: UInt64,
        gdtBase: UInt64, idtBase: UInt64, stackPointer: UInt64, instructionPointer: UInt64
    ) {
        self.cr0 = cr0
        self.cr3 = cr3
        self.cr4 = cr4
        self.extendedFeatures = extendedFeatures
        self.pat = pat
        self.codeSelector = codeSelector
        self.dataSelector = dataSelector
        self.taskSelector = taskSelector
        self.gsBase = gsBase
        self.taskStateBase = taskStateBase
        self.gdtBase = gdtBase
        self.idtBase = idtBase
        self.stackPointer = stackPointer
        self.instructionPointer = instructionPointer
    }
}

/// The pages and tables that the control fields of a virtual CPU point to.
public struct ControlStructures: Equatable, Sendable {
    public var ioBitmapA: HostPhysicalAddress
    public var ioBitmapB: HostPhysicalAddress
    public var msrBitmaps: HostPhysicalAddress
    public var virtualAPICPage: HostPhysicalAddress
    /// What the nested page tables map at the local APIC's place.
    public var apicAccessPage: HostPhysicalAddress
    /// Nil where the guest has only shadow tables.
    public var extendedPageTables: EPTPointer?
    /// A page for the lists of MSRs that VM entries and VM exits load, where VMX has no controls to switch them.
    public var loadedMSRs: HostPhysicalAddress?
    public var tag: UInt16

    public init(
        ioBitmapA: HostPhysicalAddress, ioBitmapB: HostPhysicalAddress, msrBitmaps: HostPhysicalAddress,
        virtualAPICPage: HostPhysicalAddress, apicAccessPage: HostPhysicalAddress,
        extendedPageTables: EPTPointer?, loadedMSRs: HostPhysicalAddress? = nil, tag: UInt16
    ) {
        self.ioBitmapA = ioBitmapA
        self.ioBitmapB = ioBitmapB
        self.msrBitmaps = msrBitmaps
        self.virtualAPICPage = virtualAPICPage
        self.apicAccessPage = apicAccessPage
        self.extendedPageTables = extendedPageTables
        self.loadedMSRs = loadedMSRs
        self.tag = tag
    }
}

extension VMCS {
    /// Fills the current, cleared VMCS: controls, host state, and the guest state that no kind of guest start changes.
    public func prepare(
        _ controls: VMXControls, _ structures: ControlStructures, _ host: HostState, _ guestOwned: GuestOwnedBits
    ) {
        write(controls, structures)
        write(host)
        if let page = structures.loadedMSRs { LoadedMSRs(page, controls).write(host, to: self) }
        writeConstantGuestState()
        self[.cr0GuestHostMask] = .init(rawValue: ~guestOwned.cr0.rawValue)
        self[.cr4GuestHostMask] = .init(rawValue: ~guestOwned.cr4.rawValue)
    }

    private func write(_ controls: VMXControls, _ structures: ControlStructures) {
        self[.pinControls] = controls.pin
        self[.primaryControls] = controls.primary
        if controls.primary.contains(.activateSecondaryControls) { self[.secondaryControls] = controls.secondary }
        self[.exitControls] = controls.exit
        self[.entryControls] = controls.entry
        self[.exceptionBitmap] = VMCS.observedExceptions
        self[.pageFaultErrorCodeMask] = 0
        self[.pageFaultErrorCodeMatch] = 0
        self[.cr3TargetCount] = 0
        self[.exitMSRStoreCount] = 0
        self[.exitMSRLoadCount] = 0
        self[.entryMSRLoadCount] = 0
        self[.entryInterruptionInformation] = .none
        self[.timeStampCounterOffset] = 0
        self[.ioBitmapA] = structures.ioBitmapA
        self[.ioBitmapB] = structures.ioBitmapB
        self[.msrBitmaps] = structures.msrBitmaps
        if let tables = structures.extendedPageTables { self[.extendedPageTablePointer] = tables }
        // A feature whose page is missing is never enabled: the field is only written with the page.
        if controls.primary.contains(.useTPRShadow) {
            self[.virtualAPICAddress] = structures.virtualAPICPage
            self[.tprThreshold] = 0
        }
        if controls.localAPIC.contains(.virtualizeAPICAccesses) { self[.apicAccessAddress] = structures.apicAccessPage }
        if controls.assistance == .delivery {
            self[.guestInterruptStatus] = 0
            self[.eoiExitBitmap0] = 0
            self[.eoiExitBitmap1] = 0
            self[.eoiExitBitmap2] = 0
            self[.eoiExitBitmap3] = 0
        }
        // XSAVES never exits: IA32_XSS is 0, so it saves what XSAVEC saves.
        if controls.secondary.contains(.enableXSAVES) { self[.xssExitingBitmap] = 0 }
        if controls.secondary.contains(.enableVPID) { self[.virtualProcessorIdentifier] = structures.tag }
    }

    private func write(_ host: HostState) {
        self[.hostCR0] = host.cr0
        self[.hostCR3] = host.cr3
        self[.hostCR4] = host.cr4
        if self[.exitControls].contains(.loadEFER) { self[.hostEFER] = host.extendedFeatures }
        if self[.exitControls].contains(.loadPAT) { self[.hostPAT] = host.pat }
        let data = SegmentSelector(rawValue: host.dataSelector)
        let none = SegmentSelector(rawValue: 0)
        self[.hostCSSelector] = SegmentSelector(rawValue: host.codeSelector)
        self[.hostSSSelector] = data
        self[.hostDSSelector] = data
        self[.hostESSelector] = data
        self[.hostFSSelector] = none
        self[.hostGSSelector] = none
        self[.hostTRSelector] = SegmentSelector(rawValue: host.taskSelector)
        self[.hostFSBase] = 0
        self[.hostGSBase] = host.gsBase
        self[.hostTRBase] = host.taskStateBase
        self[.hostGDTRBase] = host.gdtBase
        self[.hostIDTRBase] = host.idtBase
        self[.hostSysenterCS] = 0
        self[.hostSysenterESP] = 0
        self[.hostSysenterEIP] = 0
        self[.hostRSP] = host.stackPointer
        self[.hostRIP] = host.instructionPointer
    }

    /// #DB and #AC, whose delivery a guest can make endless inside the processor (benign exceptions are handled serially:
    /// SDM volume 3, 7.15, "Interrupt 8 - Double Fault Exception (#DF)"), and #MC, which is the host's.
    public static var observedExceptions: UInt32 { 1 << 1 | 1 << 17 | 1 << 18 }

    private func writeConstantGuestState() {
        self[.linkPointer] = HostPhysicalAddress(UInt64.max)
        self[.guestDebugControl] = 0
        self[.guestInterruptibility] = .none
        self[.guestActivityState] = .active
        self[.guestPendingDebugExceptions] = .none
        self[.guestSysenterCS] = 0
        self[.guestSysenterESP] = 0
        self[.guestSysenterEIP] = 0
        if self[.entryControls].contains(.loadPAT) { self[.guestPAT] = PageAttributeTable.atReset.rawValue }
        if self[.primaryControls].contains(.activateSecondaryControls), self[.secondaryControls].contains(.enableEPT) {
            setZeroPageDirectoryPointers()
        }
    }

    private func setZeroPageDirectoryPointers() {
        self[.guestPDPTE0] = 0
        self[.guestPDPTE1] = 0
        self[.guestPDPTE2] = 0
        self[.guestPDPTE3] = 0
    }
}

/// The bits of CR0 and CR4 that the guest changes without an exit.
public struct GuestOwnedBits: Equatable, Sendable {
    public let cr0: ControlRegister0
    public let cr4: ControlRegister4

    /// - Parameters:
    ///   - offered: the bits of CR4 that the guest may set; each write to the others exits, to be refused.
    ///   - hasShadowTables: those that take part in translation exit too.
    ///   - seesWriteProtect: CR0.WP exits too.
    public init(
        _ capabilities: VMXCapabilities, offered: ControlRegister4, hasShadowTables: Bool = false, seesWriteProtect: Bool = false
    ) {
        // PE and PG change the mode, which Martlet must see; NE, CD and NW are not for the guest to change. No write changes ET.
        let own: ControlRegister0 =
            (.taskSwitched | .writeProtect | .monitorCoprocessor | .emulation | .alignmentMask | .extensionType)
            & capabilities.cr0.fixed1 & .init(rawValue: ~capabilities.cr0.fixed0.rawValue)
        // VMXE is fixed; OSXSAVE and PKE show in CPUID; machine checks are the host's. PAE, PCIDE and LA57 take part in mode
        // changes, whose rules the processor knows.
        cr0 = hasShadowTables || seesWriteProtect ? own.subtracting(.writeProtect) : own
        var wanted = offered.subtracting(.vmxEnable | .smxEnable | .xsave | .machineCheckEnable | .protectionKeys)
        if hasShadowTables {
            wanted = wanted.subtracting(
                .pageGlobalEnable | .pageSizeExtensions | .physicalAddressExtension | .supervisorExecutionPrevention
                    | .supervisorAccessPrevention | .processContextIdentifiers | .fiveLevelPaging)
        }
        cr4 = wanted & capabilities.cr4.fixed1 & .init(rawValue: ~capabilities.cr4.fixed0.rawValue)
    }
}

import Memory
import X86

// Every field of the VMCS that Martlet knows: for snapshots, presence, names and listings. The functions that use the table are
// not compiled into other modules (`@export(interface)`), which would each have a copy of it.
extension VMCSFieldDescription {
    private static let rows: [170 of VMCSFieldDescription] = [
        // Control fields.
        .init(.virtualProcessorIdentifier, "virtual-processor identifier (VPID)", needs: .secondary(.enableVPID)),
        .init(.postedInterruptNotificationVector, "posted-interrupt notification vector", needs: .pin(.processPostedInterrupts)),
        .init(.eptpIndex, "EPTP index", needs: .secondary(.eptViolationException)),
        .init(.ioBitmapA, "address of I/O bitmap A"),
        .init(.ioBitmapB, "address of I/O bitmap B"),
        .init(.msrBitmaps, "address of MSR bitmaps", needs: .primary(.useMSRBitmaps)),
        .init(.exitMSRStoreAddress, "VM-exit MSR-store address"),
        .init(.exitMSRLoadAddress, "VM-exit MSR-load address"),
        .init(.entryMSRLoadAddress, "VM-entry MSR-load address"),
        .init(.executiveVMCSPointer, "executive-VMCS pointer", needs: .dualMonitorTreatment),
        .init(.pageModificationLogAddress, "PML address", needs: .secondary(.enablePML)),
        .init(.timeStampCounterOffset, "TSC offset"),
        .init(.virtualAPICAddress, "virtual-APIC address", needs: .primary(.useTPRShadow)),
        .init(.apicAccessAddress, "APIC-access address", needs: .secondary(.virtualizeAPICAccesses)),
        .init(.postedInterruptDescriptorAddress, "posted-interrupt descriptor address", needs: .pin(.processPostedInterrupts)),
        .init(.vmFunctionControls, "VM-function controls", needs: .secondary(.enableVMFunctions)),
        .init(.extendedPageTablePointer, "EPT pointer (EPTP)", needs: .secondary(.enableEPT)),
        .init(.eoiExitBitmap0, "EOI-exit bitmap 0", needs: .secondary(.virtualInterruptDelivery)),
        .init(.eoiExitBitmap1, "EOI-exit bitmap 1", needs: .secondary(.virtualInterruptDelivery)),
        .init(.eoiExitBitmap2, "EOI-exit bitmap 2", needs: .secondary(.virtualInterruptDelivery)),
        .init(.eoiExitBitmap3, "EOI-exit bitmap 3", needs: .secondary(.virtualInterruptDelivery)),
        .init(.eptpListAddress, "EPTP-list address", needs: .eptpSwitching),
        .init(.vmreadBitmap, "VMREAD-bitmap address", needs: .secondary(.vmcsShadowing)),
        .init(.vmwriteBitmap, "VMWRITE-bitmap address", needs: .secondary(.vmcsShadowing)),
        .init(
            .virtualizationExceptionAddress, "virtualization-exception information address",
            needs: .secondary(.eptViolationException)),
        .init(.xssExitingBitmap, "XSS-exiting bitmap", needs: .secondary(.enableXSAVES)),
        .init(.enclsExitingBitmap, "ENCLS-exiting bitmap", needs: .secondary(.enableENCLSExiting)),
        .init(.timeStampCounterMultiplier, "TSC multiplier", needs: .secondary(.useTSCScaling)),
        .init(.pinControls, "pin-based VM-execution controls"),
        .init(.primaryControls, "primary processor-based VM-execution controls"),
        .init(.exceptionBitmap, "exception bitmap"),
        .init(.pageFaultErrorCodeMask, "page-fault error-code mask"),
        .init(.pageFaultErrorCodeMatch, "page-fault error-code match"),
        .init(.cr3TargetCount, "CR3-target count"),
        .init(.exitControls, "VM-exit controls"),
        .init(.exitMSRStoreCount, "VM-exit MSR-store count"),
        .init(.exitMSRLoadCount, "VM-exit MSR-load count"),
        .init(.entryControls, "VM-entry controls"),
        .init(.entryMSRLoadCount, "VM-entry MSR-load count"),
        .init(.entryInterruptionInformation, "VM-entry interruption-information field"),
        .init(.entryExceptionErrorCode, "VM-entry exception error code"),
        .init(.entryInstructionLength, "VM-entry instruction length"),
        .init(.tprThreshold, "TPR threshold", needs: .primary(.useTPRShadow)),
        .init(.secondaryControls, "secondary processor-based VM-execution controls", needs: .primary(.activateSecondaryControls)),
        .init(.pauseLoopGap, "PLE_Gap", needs: .secondary(.pauseLoopExiting)),
        .init(.pauseLoopWindow, "PLE_Window", needs: .secondary(.pauseLoopExiting)),
        .init(.cr0GuestHostMask, "CR0 guest/host mask"),
        .init(.cr4GuestHostMask, "CR4 guest/host mask"),
        .init(.cr0ReadShadow, "CR0 read shadow"),
        .init(.cr4ReadShadow, "CR4 read shadow"),
        .init(.cr3TargetValue0, "CR3-target value 0", needs: .cr3Targets(1)),
        .init(.cr3TargetValue1, "CR3-target value 1", needs: .cr3Targets(2)),
        .init(.cr3TargetValue2, "CR3-target value 2", needs: .cr3Targets(3)),
        .init(.cr3TargetValue3, "CR3-target value 3", needs: .cr3Targets(4)),
        // VM-exit information.
        .init(.guestPhysicalAddress, "guest-physical address", needs: .secondary(.enableEPT)),
        .init(.instructionError, "VM-instruction error"),
        .init(.exitReason, "exit reason"),
        .init(.exitInterruptionInformation, "VM-exit interruption information"),
        .init(.exitInterruptionErrorCode, "VM-exit interruption error code"),
        .init(.vectoringInformation, "IDT-vectoring information field"),
        .init(.vectoringErrorCode, "IDT-vectoring error code"),
        .init(.exitInstructionLength, "VM-exit instruction length"),
        .init(.exitInstructionInformation, "VM-exit instruction information"),
        .init(.exitQualification, "exit qualification"),
        .init(.ioRCX, "I/O RCX", needs: .dualMonitorTreatment),
        .init(.ioRSI, "I/O RSI", needs: .dualMonitorTreatment),
        .init(.ioRDI, "I/O RDI", needs: .dualMonitorTreatment),
        .init(.ioRIP, "I/O RIP", needs: .dualMonitorTreatment),
        .init(.guestLinearAddress, "guest-linear address"),
        // Guest state.
        .init(.guestESSelector, "guest ES selector"),
        .init(.guestCSSelector, "guest CS selector"),
        .init(.guestSSSelector, "guest SS selector"),
        .init(.guestDSSelector, "guest DS selector"),
        .init(.guestFSSelector, "guest FS selector"),
        .init(.guestGSSelector, "guest GS selector"),
        .init(.guestLDTRSelector, "guest LDTR selector"),
        .init(.guestTRSelector, "guest TR selector"),
        .init(.guestInterruptStatus, "guest interrupt status", needs: .secondary(.virtualInterruptDelivery)),
        .init(.pageModificationLogIndex, "PML index", needs: .secondary(.enablePML)),
        .init(.linkPointer, "VMCS link pointer"),
        .init(.guestDebugControl, "guest IA32_DEBUGCTL"),
        .init(.guestPAT, "guest IA32_PAT", needs: .entryOrExit(.loadPAT, .savePAT)),
        .init(.guestEFER, "guest IA32_EFER", needs: .entryOrExit(.loadEFER, .saveEFER)),
        .init(.guestPerformanceControl, "guest IA32_PERF_GLOBAL_CTRL", needs: .entry(.loadPerformanceControl)),
        .init(.guestPDPTE0, "guest PDPTE0", needs: .secondary(.enableEPT)),
        .init(.guestPDPTE1, "guest PDPTE1", needs: .secondary(.enableEPT)),
        .init(.guestPDPTE2, "guest PDPTE2", needs: .secondary(.enableEPT)),
        .init(.guestPDPTE3, "guest PDPTE3", needs: .secondary(.enableEPT)),
        .init(
            .guestBoundConfiguration, "guest IA32_BNDCFGS", needs: .entryOrExit(.loadBoundConfiguration, .clearBoundConfiguration)
        ),
        .init(.guestESLimit, "guest ES limit"),
        .init(.guestCSLimit, "guest CS limit"),
        .init(.guestSSLimit, "guest SS limit"),
        .init(.guestDSLimit, "guest DS limit"),
        .init(.guestFSLimit, "guest FS limit"),
        .init(.guestGSLimit, "guest GS limit"),
        .init(.guestLDTRLimit, "guest LDTR limit"),
        .init(.guestTRLimit, "guest TR limit"),
        .init(.guestGDTRLimit, "guest GDTR limit"),
        .init(.guestIDTRLimit, "guest IDTR limit"),
        .init(.guestESAccessRights, "guest ES access rights"),
        .init(.guestCSAccessRights, "guest CS access rights"),
        .init(.guestSSAccessRights, "guest SS access rights"),
        .init(.guestDSAccessRights, "guest DS access rights"),
        .init(.guestFSAccessRights, "guest FS access rights"),
        .init(.guestGSAccessRights, "guest GS access rights"),
        .init(.guestLDTRAccessRights, "guest LDTR access rights"),
        .init(.guestTRAccessRights, "guest TR access rights"),
        .init(.guestInterruptibility, "guest interruptibility state"),
        .init(.guestActivityState, "guest activity state"),
        .init(.guestSMBASE, "guest SMBASE", needs: .dualMonitorTreatment),
        .init(.guestSysenterCS, "guest IA32_SYSENTER_CS"),
        .init(.preemptionTimer, "VMX-preemption timer value", needs: .pin(.activatePreemptionTimer)),
        .init(.guestCR0, "guest CR0"),
        .init(.guestCR3, "guest CR3"),
        .init(.guestCR4, "guest CR4"),
        .init(.guestESBase, "guest ES base"),
        .init(.guestCSBase, "guest CS base"),
        .init(.guestSSBase, "guest SS base"),
        .init(.guestDSBase, "guest DS base"),
        .init(.guestFSBase, "guest FS base"),
        .init(.guestGSBase, "guest GS base"),
        .init(.guestLDTRBase, "guest LDTR base"),
        .init(.guestTRBase, "guest TR base"),
        .init(.guestGDTRBase, "guest GDTR base"),
        .init(.guestIDTRBase, "guest IDTR base"),
        .init(.guestDR7, "guest DR7"),
        .init(.guestRSP, "guest RSP"),
        .init(.guestRIP, "guest RIP"),
        .init(.guestRFLAGS, "guest RFLAGS"),
        .init(.guestPendingDebugExceptions, "guest pending debug exceptions"),
        .init(.guestSysenterESP, "guest IA32_SYSENTER_ESP"),
        .init(.guestSysenterEIP, "guest IA32_SYSENTER_EIP"),
        // Host state.
        .init(.hostESSelector, "host ES selector"),
        .init(.hostCSSelector, "host CS selector"),
        .init(.hostSSSelector, "host SS selector"),
        .init(.hostDSSelector, "host DS selector"),
        .init(.hostFSSelector, "host FS selector"),
        .init(.hostGSSelector, "host GS selector"),
        .init(.hostTRSelector, "host TR selector"),
        .init(.hostPAT, "host IA32_PAT", needs: .exit(.loadPAT)),
        .init(.hostEFER, "host IA32_EFER", needs: .exit(.loadEFER)),
        .init(.hostPerformanceControl, "host IA32_PERF_GLOBAL_CTRL", needs: .exit(.loadPerformanceControl)),
        .init(.hostSysenterCS, "host IA32_SYSENTER_CS"),
        .init(.hostCR0, "host CR0"),
        .init(.hostCR3, "host CR3"),
        .init(.hostCR4, "host CR4"),
        .init(.hostFSBase, "host FS base"),
        .init(.hostGSBase, "host GS base"),
        .init(.hostTRBase, "host TR base"),
        .init(.hostGDTRBase, "host GDTR base"),
        .init(.hostIDTRBase, "host IDTR base"),
        .init(.hostSysenterESP, "host IA32_SYSENTER_ESP"),
        .init(.hostSysenterEIP, "host IA32_SYSENTER_EIP"),
        .init(.hostRSP, "host RSP"),
        .init(.hostRIP, "host RIP"),
        // Of features that Martlet does not use.
        .init(.tertiaryControls, "tertiary processor-based VM-execution controls", needs: .primary(.activateTertiaryControls)),
        .init(.subPagePermissionTable, "sub-page-permission-table pointer (SPPTP)", needs: .secondary(.subPageWritePermissions)),
        .init(.enclvExitingBitmap, "ENCLV-exiting bitmap", needs: .secondary(.enableENCLVExiting)),
        .init(.pconfigExitingBitmap, "PCONFIG-exiting bitmap", needs: .secondary(.enablePCONFIG)),
        .init(.secondaryExitControls, "secondary VM-exit controls", needs: .exit(.activateSecondaryControls)),
        .init(.guestTraceControl, "guest IA32_RTIT_CTL", needs: .entryOrExit(.loadTraceControl, .clearTraceControl)),
        .init(
            .guestLastBranchControl, "guest IA32_LBR_CTL", needs: .entryOrExit(.loadLastBranchControl, .clearLastBranchControl)),
        .init(.guestPKRS, "guest IA32_PKRS", needs: .entry(.loadPKRS)),
        .init(.guestSupervisorCET, "guest IA32_S_CET", needs: .entry(.loadCETState)),
        .init(.guestShadowStackPointer, "guest SSP", needs: .entry(.loadCETState)),
        .init(.guestInterruptShadowStackTable, "guest IA32_INTERRUPT_SSP_TABLE_ADDR", needs: .entry(.loadCETState)),
        .init(.hostPKRS, "host IA32_PKRS", needs: .exit(.loadPKRS)),
        .init(.hostSupervisorCET, "host IA32_S_CET", needs: .exit(.loadCETState)),
        .init(.hostShadowStackPointer, "host SSP", needs: .exit(.loadCETState)),
        .init(.hostInterruptShadowStackTable, "host IA32_INTERRUPT_SSP_TABLE_ADDR", needs: .exit(.loadCETState)),
    ]

    /// How many fields the table has.
    public static var count: Int { rows.count }

    /// The field at a place in the table, from 0 up to `count`.
    @inline(never) @export(interface)
    public static func field(at position: Int) -> VMCSFieldDescription { rows[position] }

    /// The place in the table of the field with an encoding, if it is there.
    @inline(never) @export(interface)
    public static func position(of encoding: VMCSFieldEncoding) -> Int? {
        for position in 0..<count where field(at: position).encoding == encoding { return position }
        return nil
    }

    /// The manual's name of the field with an encoding.
    @inline(never) @export(interface)
    public static func name(of encoding: VMCSFieldEncoding) -> StaticString {
        guard let position = position(of: encoding) else { return "unknown field" }
        return field(at: position).name
    }
}

extension VMCSFieldEncoding {
    /// Whether both the table and the processor have the field.
    public func exists(_ capabilities: VMXCapabilities) -> Bool {
        guard let position = VMCSFieldDescription.position(of: self) else { return false }
        return VMCSFieldDescription.field(at: position).exists(capabilities)
    }
}

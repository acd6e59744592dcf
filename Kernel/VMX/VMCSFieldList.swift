import Memory
import X86

/// Every field of the VMCS that Martlet knows, by its place in one list: for snapshots, checks and listings.
public struct VMCSFieldDescription: Sendable {
    public let encoding: VMCSFieldEncoding
    /// The manual's name.
    public let name: StaticString

    init<Value, Access>(_ field: VMCSField<Value, Access>, _ name: StaticString) {
        encoding = field.encoding
        self.name = name
    }
}

extension VMCSFieldDescription {
    /// How many fields the list has.
    public static var count: Int { 170 }

    /// The field at a place in the list, from 0 up to `count`.
    public static func field(at position: Int) -> VMCSFieldDescription {
        switch position {
        case 0: .init(VMCSField<UInt16, Writable>.virtualProcessorIdentifier, "virtual-processor identifier (VPID)")
        case 1: .init(VMCSField<UInt16, Writable>.postedInterruptNotificationVector, "posted-interrupt notification vector")
        case 2: .init(VMCSField<UInt16, Writable>.eptpIndex, "EPTP index")
        case 3: .init(VMCSField<HostPhysicalAddress, Writable>.ioBitmapA, "address of I/O bitmap A")
        case 4: .init(VMCSField<HostPhysicalAddress, Writable>.ioBitmapB, "address of I/O bitmap B")
        case 5: .init(VMCSField<HostPhysicalAddress, Writable>.msrBitmaps, "address of MSR bitmaps")
        case 6: .init(VMCSField<HostPhysicalAddress, Writable>.exitMSRStoreAddress, "VM-exit MSR-store address")
        case 7: .init(VMCSField<HostPhysicalAddress, Writable>.exitMSRLoadAddress, "VM-exit MSR-load address")
        case 8: .init(VMCSField<HostPhysicalAddress, Writable>.entryMSRLoadAddress, "VM-entry MSR-load address")
        case 9: .init(VMCSField<HostPhysicalAddress, Writable>.executiveVMCSPointer, "executive-VMCS pointer")
        case 10: .init(VMCSField<HostPhysicalAddress, Writable>.pageModificationLogAddress, "PML address")
        case 11: .init(VMCSField<UInt64, Writable>.timeStampCounterOffset, "TSC offset")
        case 12: .init(VMCSField<HostPhysicalAddress, Writable>.virtualAPICAddress, "virtual-APIC address")
        case 13: .init(VMCSField<HostPhysicalAddress, Writable>.apicAccessAddress, "APIC-access address")
        case 14:
            .init(
                VMCSField<HostPhysicalAddress, Writable>.postedInterruptDescriptorAddress, "posted-interrupt descriptor address")
        case 15: .init(VMCSField<UInt64, Writable>.vmFunctionControls, "VM-function controls")
        case 16: .init(VMCSField<EPTPointer, Writable>.extendedPageTablePointer, "EPT pointer (EPTP)")
        case 17: .init(VMCSField<UInt64, Writable>.eoiExitBitmap0, "EOI-exit bitmap 0")
        case 18: .init(VMCSField<UInt64, Writable>.eoiExitBitmap1, "EOI-exit bitmap 1")
        case 19: .init(VMCSField<UInt64, Writable>.eoiExitBitmap2, "EOI-exit bitmap 2")
        case 20: .init(VMCSField<UInt64, Writable>.eoiExitBitmap3, "EOI-exit bitmap 3")
        case 21: .init(VMCSField<HostPhysicalAddress, Writable>.eptpListAddress, "EPTP-list address")
        case 22: .init(VMCSField<HostPhysicalAddress, Writable>.vmreadBitmap, "VMREAD-bitmap address")
        case 23: .init(VMCSField<HostPhysicalAddress, Writable>.vmwriteBitmap, "VMWRITE-bitmap address")
        case 24:
            .init(
                VMCSField<HostPhysicalAddress, Writable>.virtualizationExceptionAddress,
                "virtualization-exception information address")
        case 25: .init(VMCSField<UInt64, Writable>.xssExitingBitmap, "XSS-exiting bitmap")
        case 26: .init(VMCSField<UInt64, Writable>.enclsExitingBitmap, "ENCLS-exiting bitmap")
        case 27: .init(VMCSField<UInt64, Writable>.timeStampCounterMultiplier, "TSC multiplier")
        case 28: .init(VMCSField<PinControls, Writable>.pinControls, "pin-based VM-execution controls")
        case 29: .init(VMCSField<PrimaryControls, Writable>.primaryControls, "primary processor-based VM-execution controls")
        case 30: .init(VMCSField<UInt32, Writable>.exceptionBitmap, "exception bitmap")
        case 31: .init(VMCSField<UInt32, Writable>.pageFaultErrorCodeMask, "page-fault error-code mask")
        case 32: .init(VMCSField<UInt32, Writable>.pageFaultErrorCodeMatch, "page-fault error-code match")
        case 33: .init(VMCSField<UInt32, Writable>.cr3TargetCount, "CR3-target count")
        case 34: .init(VMCSField<ExitControls, Writable>.exitControls, "VM-exit controls")
        case 35: .init(VMCSField<UInt32, Writable>.exitMSRStoreCount, "VM-exit MSR-store count")
        case 36: .init(VMCSField<UInt32, Writable>.exitMSRLoadCount, "VM-exit MSR-load count")
        case 37: .init(VMCSField<EntryControls, Writable>.entryControls, "VM-entry controls")
        case 38: .init(VMCSField<UInt32, Writable>.entryMSRLoadCount, "VM-entry MSR-load count")
        case 39:
            .init(
                VMCSField<InterruptionInformation, Writable>.entryInterruptionInformation,
                "VM-entry interruption-information field")
        case 40: .init(VMCSField<UInt32, Writable>.entryExceptionErrorCode, "VM-entry exception error code")
        case 41: .init(VMCSField<UInt32, Writable>.entryInstructionLength, "VM-entry instruction length")
        case 42: .init(VMCSField<UInt32, Writable>.tprThreshold, "TPR threshold")
        case 43:
            .init(VMCSField<SecondaryControls, Writable>.secondaryControls, "secondary processor-based VM-execution controls")
        case 44: .init(VMCSField<UInt32, Writable>.pauseLoopGap, "PLE_Gap")
        case 45: .init(VMCSField<UInt32, Writable>.pauseLoopWindow, "PLE_Window")
        case 46: .init(VMCSField<ControlRegister0, Writable>.cr0GuestHostMask, "CR0 guest/host mask")
        case 47: .init(VMCSField<ControlRegister4, Writable>.cr4GuestHostMask, "CR4 guest/host mask")
        case 48: .init(VMCSField<ControlRegister0, Writable>.cr0ReadShadow, "CR0 read shadow")
        case 49: .init(VMCSField<ControlRegister4, Writable>.cr4ReadShadow, "CR4 read shadow")
        case 50: .init(VMCSField<UInt64, Writable>.cr3TargetValue0, "CR3-target value 0")
        case 51: .init(VMCSField<UInt64, Writable>.cr3TargetValue1, "CR3-target value 1")
        case 52: .init(VMCSField<UInt64, Writable>.cr3TargetValue2, "CR3-target value 2")
        case 53: .init(VMCSField<UInt64, Writable>.cr3TargetValue3, "CR3-target value 3")
        case 54: .init(VMCSField<GuestPhysicalAddress, ReadOnly>.guestPhysicalAddress, "guest-physical address")
        case 55: .init(VMCSField<UInt32, ReadOnly>.instructionError, "VM-instruction error")
        case 56: .init(VMCSField<ExitReason, ReadOnly>.exitReason, "exit reason")
        case 57:
            .init(VMCSField<InterruptionInformation, ReadOnly>.exitInterruptionInformation, "VM-exit interruption information")
        case 58: .init(VMCSField<UInt32, ReadOnly>.exitInterruptionErrorCode, "VM-exit interruption error code")
        case 59: .init(VMCSField<InterruptionInformation, ReadOnly>.vectoringInformation, "IDT-vectoring information field")
        case 60: .init(VMCSField<UInt32, ReadOnly>.vectoringErrorCode, "IDT-vectoring error code")
        case 61: .init(VMCSField<UInt32, ReadOnly>.exitInstructionLength, "VM-exit instruction length")
        case 62: .init(VMCSField<UInt32, ReadOnly>.exitInstructionInformation, "VM-exit instruction information")
        case 63: .init(VMCSField<UInt64, ReadOnly>.exitQualification, "exit qualification")
        case 64: .init(VMCSField<UInt64, ReadOnly>.ioRCX, "I/O RCX")
        case 65: .init(VMCSField<UInt64, ReadOnly>.ioRSI, "I/O RSI")
        case 66: .init(VMCSField<UInt64, ReadOnly>.ioRDI, "I/O RDI")
        case 67: .init(VMCSField<UInt64, ReadOnly>.ioRIP, "I/O RIP")
        case 68: .init(VMCSField<GuestVirtualAddress, ReadOnly>.guestLinearAddress, "guest-linear address")
        case 69: .init(VMCSField<SegmentSelector, Writable>.guestESSelector, "guest ES selector")
        case 70: .init(VMCSField<SegmentSelector, Writable>.guestCSSelector, "guest CS selector")
        case 71: .init(VMCSField<SegmentSelector, Writable>.guestSSSelector, "guest SS selector")
        case 72: .init(VMCSField<SegmentSelector, Writable>.guestDSSelector, "guest DS selector")
        case 73: .init(VMCSField<SegmentSelector, Writable>.guestFSSelector, "guest FS selector")
        case 74: .init(VMCSField<SegmentSelector, Writable>.guestGSSelector, "guest GS selector")
        case 75: .init(VMCSField<SegmentSelector, Writable>.guestLDTRSelector, "guest LDTR selector")
        case 76: .init(VMCSField<SegmentSelector, Writable>.guestTRSelector, "guest TR selector")
        case 77: .init(VMCSField<UInt16, Writable>.guestInterruptStatus, "guest interrupt status")
        case 78: .init(VMCSField<UInt16, Writable>.pageModificationLogIndex, "PML index")
        case 79: .init(VMCSField<HostPhysicalAddress, Writable>.linkPointer, "VMCS link pointer")
        case 80: .init(VMCSField<UInt64, Writable>.guestDebugControl, "guest IA32_DEBUGCTL")
        case 81: .init(VMCSField<UInt64, Writable>.guestPAT, "guest IA32_PAT")
        case 82: .init(VMCSField<ExtendedFeatureEnable, Writable>.guestEFER, "guest IA32_EFER")
        case 83: .init(VMCSField<UInt64, Writable>.guestPerformanceControl, "guest IA32_PERF_GLOBAL_CTRL")
        case 84: .init(VMCSField<UInt64, Writable>.guestPDPTE0, "guest PDPTE0")
        case 85: .init(VMCSField<UInt64, Writable>.guestPDPTE1, "guest PDPTE1")
        case 86: .init(VMCSField<UInt64, Writable>.guestPDPTE2, "guest PDPTE2")
        case 87: .init(VMCSField<UInt64, Writable>.guestPDPTE3, "guest PDPTE3")
        case 88: .init(VMCSField<UInt64, Writable>.guestBoundConfiguration, "guest IA32_BNDCFGS")
        case 89: .init(VMCSField<UInt32, Writable>.guestESLimit, "guest ES limit")
        case 90: .init(VMCSField<UInt32, Writable>.guestCSLimit, "guest CS limit")
        case 91: .init(VMCSField<UInt32, Writable>.guestSSLimit, "guest SS limit")
        case 92: .init(VMCSField<UInt32, Writable>.guestDSLimit, "guest DS limit")
        case 93: .init(VMCSField<UInt32, Writable>.guestFSLimit, "guest FS limit")
        case 94: .init(VMCSField<UInt32, Writable>.guestGSLimit, "guest GS limit")
        case 95: .init(VMCSField<UInt32, Writable>.guestLDTRLimit, "guest LDTR limit")
        case 96: .init(VMCSField<UInt32, Writable>.guestTRLimit, "guest TR limit")
        case 97: .init(VMCSField<UInt32, Writable>.guestGDTRLimit, "guest GDTR limit")
        case 98: .init(VMCSField<UInt32, Writable>.guestIDTRLimit, "guest IDTR limit")
        case 99: .init(VMCSField<SegmentAccessRights, Writable>.guestESAccessRights, "guest ES access rights")
        case 100: .init(VMCSField<SegmentAccessRights, Writable>.guestCSAccessRights, "guest CS access rights")
        case 101: .init(VMCSField<SegmentAccessRights, Writable>.guestSSAccessRights, "guest SS access rights")
        case 102: .init(VMCSField<SegmentAccessRights, Writable>.guestDSAccessRights, "guest DS access rights")
        case 103: .init(VMCSField<SegmentAccessRights, Writable>.guestFSAccessRights, "guest FS access rights")
        case 104: .init(VMCSField<SegmentAccessRights, Writable>.guestGSAccessRights, "guest GS access rights")
        case 105: .init(VMCSField<SegmentAccessRights, Writable>.guestLDTRAccessRights, "guest LDTR access rights")
        case 106: .init(VMCSField<SegmentAccessRights, Writable>.guestTRAccessRights, "guest TR access rights")
        case 107: .init(VMCSField<InterruptibilityState, Writable>.guestInterruptibility, "guest interruptibility state")
        case 108: .init(VMCSField<ActivityState, Writable>.guestActivityState, "guest activity state")
        case 109: .init(VMCSField<UInt32, Writable>.guestSMBASE, "guest SMBASE")
        case 110: .init(VMCSField<UInt32, Writable>.guestSysenterCS, "guest IA32_SYSENTER_CS")
        case 111: .init(VMCSField<UInt32, Writable>.preemptionTimer, "VMX-preemption timer value")
        case 112: .init(VMCSField<ControlRegister0, Writable>.guestCR0, "guest CR0")
        case 113: .init(VMCSField<UInt64, Writable>.guestCR3, "guest CR3")
        case 114: .init(VMCSField<ControlRegister4, Writable>.guestCR4, "guest CR4")
        case 115: .init(VMCSField<UInt64, Writable>.guestESBase, "guest ES base")
        case 116: .init(VMCSField<UInt64, Writable>.guestCSBase, "guest CS base")
        case 117: .init(VMCSField<UInt64, Writable>.guestSSBase, "guest SS base")
        case 118: .init(VMCSField<UInt64, Writable>.guestDSBase, "guest DS base")
        case 119: .init(VMCSField<UInt64, Writable>.guestFSBase, "guest FS base")
        case 120: .init(VMCSField<UInt64, Writable>.guestGSBase, "guest GS base")
        case 121: .init(VMCSField<UInt64, Writable>.guestLDTRBase, "guest LDTR base")
        case 122: .init(VMCSField<UInt64, Writable>.guestTRBase, "guest TR base")
        case 123: .init(VMCSField<UInt64, Writable>.guestGDTRBase, "guest GDTR base")
        case 124: .init(VMCSField<UInt64, Writable>.guestIDTRBase, "guest IDTR base")
        case 125: .init(VMCSField<UInt64, Writable>.guestDR7, "guest DR7")
        case 126: .init(VMCSField<UInt64, Writable>.guestRSP, "guest RSP")
        case 127: .init(VMCSField<UInt64, Writable>.guestRIP, "guest RIP")
        case 128: .init(VMCSField<RFlags, Writable>.guestRFLAGS, "guest RFLAGS")
        case 129: .init(VMCSField<PendingDebugExceptions, Writable>.guestPendingDebugExceptions, "guest pending debug exceptions")
        case 130: .init(VMCSField<UInt64, Writable>.guestSysenterESP, "guest IA32_SYSENTER_ESP")
        case 131: .init(VMCSField<UInt64, Writable>.guestSysenterEIP, "guest IA32_SYSENTER_EIP")
        case 132: .init(VMCSField<SegmentSelector, Writable>.hostESSelector, "host ES selector")
        case 133: .init(VMCSField<SegmentSelector, Writable>.hostCSSelector, "host CS selector")
        case 134: .init(VMCSField<SegmentSelector, Writable>.hostSSSelector, "host SS selector")
        case 135: .init(VMCSField<SegmentSelector, Writable>.hostDSSelector, "host DS selector")
        case 136: .init(VMCSField<SegmentSelector, Writable>.hostFSSelector, "host FS selector")
        case 137: .init(VMCSField<SegmentSelector, Writable>.hostGSSelector, "host GS selector")
        case 138: .init(VMCSField<SegmentSelector, Writable>.hostTRSelector, "host TR selector")
        case 139: .init(VMCSField<UInt64, Writable>.hostPAT, "host IA32_PAT")
        case 140: .init(VMCSField<ExtendedFeatureEnable, Writable>.hostEFER, "host IA32_EFER")
        case 141: .init(VMCSField<UInt64, Writable>.hostPerformanceControl, "host IA32_PERF_GLOBAL_CTRL")
        case 142: .init(VMCSField<UInt32, Writable>.hostSysenterCS, "host IA32_SYSENTER_CS")
        case 143: .init(VMCSField<ControlRegister0, Writable>.hostCR0, "host CR0")
        case 144: .init(VMCSField<UInt64, Writable>.hostCR3, "host CR3")
        case 145: .init(VMCSField<ControlRegister4, Writable>.hostCR4, "host CR4")
        case 146: .init(VMCSField<UInt64, Writable>.hostFSBase, "host FS base")
        case 147: .init(VMCSField<UInt64, Writable>.hostGSBase, "host GS base")
        case 148: .init(VMCSField<UInt64, Writable>.hostTRBase, "host TR base")
        case 149: .init(VMCSField<UInt64, Writable>.hostGDTRBase, "host GDTR base")
        case 150: .init(VMCSField<UInt64, Writable>.hostIDTRBase, "host IDTR base")
        case 151: .init(VMCSField<UInt64, Writable>.hostSysenterESP, "host IA32_SYSENTER_ESP")
        case 152: .init(VMCSField<UInt64, Writable>.hostSysenterEIP, "host IA32_SYSENTER_EIP")
        case 153: .init(VMCSField<UInt64, Writable>.hostRSP, "host RSP")
        case 154: .init(VMCSField<UInt64, Writable>.hostRIP, "host RIP")
        case 155: .init(VMCSField<UInt64, Writable>.tertiaryControls, "tertiary processor-based VM-execution controls")
        case 156:
            .init(VMCSField<HostPhysicalAddress, Writable>.subPagePermissionTable, "sub-page-permission-table pointer (SPPTP)")
        case 157: .init(VMCSField<UInt64, Writable>.enclvExitingBitmap, "ENCLV-exiting bitmap")
        case 158: .init(VMCSField<UInt64, Writable>.pconfigExitingBitmap, "PCONFIG-exiting bitmap")
        case 159: .init(VMCSField<UInt64, Writable>.secondaryExitControls, "secondary VM-exit controls")
        case 160: .init(VMCSField<UInt64, Writable>.guestTraceControl, "guest IA32_RTIT_CTL")
        case 161: .init(VMCSField<UInt64, Writable>.guestLastBranchControl, "guest IA32_LBR_CTL")
        case 162: .init(VMCSField<UInt64, Writable>.guestPKRS, "guest IA32_PKRS")
        case 163: .init(VMCSField<UInt64, Writable>.guestSupervisorCET, "guest IA32_S_CET")
        case 164: .init(VMCSField<UInt64, Writable>.guestShadowStackPointer, "guest SSP")
        case 165: .init(VMCSField<UInt64, Writable>.guestInterruptShadowStackTable, "guest IA32_INTERRUPT_SSP_TABLE_ADDR")
        case 166: .init(VMCSField<UInt64, Writable>.hostPKRS, "host IA32_PKRS")
        case 167: .init(VMCSField<UInt64, Writable>.hostSupervisorCET, "host IA32_S_CET")
        case 168: .init(VMCSField<UInt64, Writable>.hostShadowStackPointer, "host SSP")
        default: .init(VMCSField<UInt64, Writable>.hostInterruptShadowStackTable, "host IA32_INTERRUPT_SSP_TABLE_ADDR")
        }
    }

    /// The place in the list of the field with an encoding, if it is there.
    public static func position(of encoding: VMCSFieldEncoding) -> Int? {
        for position in 0..<count where field(at: position).encoding == encoding { return position }
        return nil
    }

    /// The manual's name of the field with an encoding.
    public static func name(of encoding: VMCSFieldEncoding) -> StaticString {
        guard let position = position(of: encoding) else { return "unknown field" }
        return field(at: position).name
    }
}

extension ExitReason {
    /// What makes the processor exit for this reason: the control bit, or "always", and the title of the manual's
    /// section (SDM volume 3, mostly of the chapter "VMX Non-Root Operation").
    public var cause: StaticString {
        switch basic {
        case .exceptionOrNMI: "its bit in the exception bitmap, or \"NMI exiting\" (\"Other Causes of VM Exits\")"
        case .externalInterrupt: "\"external-interrupt exiting\" (\"Other Causes of VM Exits\")"
        case .tripleFault, .initSignal, .startupIPI: "always (\"Other Causes of VM Exits\")"
        case .ioSMI, .otherSMI: "always under the dual-monitor treatment of SMIs (\"Other Causes of VM Exits\")"
        case .interruptWindow: "\"interrupt-window exiting\" (\"Other Causes of VM Exits\")"
        case .nmiWindow: "\"NMI-window exiting\" (\"Other Causes of VM Exits\")"
        case .taskSwitch: "always (\"Treatment of Task Switches\")"
        case .cpuid, .getsec, .invd, .vmcall, .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmread, .vmresume, .vmwrite, .vmxoff,
            .vmxon, .invept, .invvpid, .xsetbv:
            "always (\"Instructions That Cause VM Exits Unconditionally\")"
        case .hlt: "\"HLT exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .invlpg: "\"INVLPG exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .rdpmc: "\"RDPMC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .rdtsc: "\"RDTSC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .rsm: "always in system-management mode (\"Instructions That Cause VM Exits Conditionally\")"
        case .controlRegisterAccess:
            "a bit of the CR0 or CR4 guest/host mask, or CR3/CR8 exiting (\"Instructions That Cause VM Exits Conditionally\")"
        case .movDR: "\"MOV-DR exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .ioInstruction: "its bit in the I/O bitmaps, or \"unconditional I/O exiting\" (\"I/O-Bitmap Addresses\")"
        case .rdmsr, .wrmsr: "its bit in the MSR bitmaps, or none there (\"MSR-Bitmap Address\")"
        case .entryFailureGuestState: "always (\"Checks on the Guest State Area\")"
        case .entryFailureMSRLoading: "always (\"Loading MSRs\")"
        case .mwait: "\"MWAIT exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .monitorTrapFlag: "\"monitor trap flag\" (\"Monitor Trap Flag\")"
        case .monitor: "\"MONITOR exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .pause: "\"PAUSE exiting\" or \"PAUSE-loop exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .entryFailureMachineCheck: "always (\"Machine-Check Events During VM Entry\")"
        case .tprBelowThreshold: "\"use TPR shadow\" and the TPR threshold (\"TPR Virtualization\")"
        case .apicAccess: "\"virtualize APIC accesses\" (\"Virtualizing Memory-Mapped APIC Accesses\")"
        case .virtualizedEOI:
            "\"virtual-interrupt delivery\" and the vector's bit in the EOI-exit bitmap (\"EOI Virtualization\")"
        case .gdtrOrIDTRAccess, .ldtrOrTRAccess:
            "\"descriptor-table exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .eptViolation: "the extended page tables do not allow the access (\"EPT Violations\")"
        case .eptMisconfiguration: "an entry of the extended page tables is misconfigured (\"EPT Misconfigurations\")"
        case .rdtscp: "\"enable RDTSCP\" and \"RDTSC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .preemptionTimerExpired: "\"activate VMX-preemption timer\" (\"VMX-Preemption Timer\")"
        case .wbinvd: "\"WBINVD exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .apicWrite: "\"APIC-register virtualization\" or \"virtual-interrupt delivery\" (\"APIC-Write VM Exits\")"
        case .rdrand: "\"RDRAND exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .invpcid: "\"enable INVPCID\" and \"INVLPG exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .vmfunc: "\"enable VM functions\", and a function that is off or fails (\"VM Functions\")"
        case .encls: "\"enable ENCLS exiting\" and its bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case .rdseed: "\"RDSEED exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .pageModificationLogFull: "\"enable PML\" (\"Page-Modification Logging\")"
        case .xsaves, .xrstors:
            "\"enable XSAVES/XRSTORS\" and the XSS-exiting bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case .pconfig: "\"enable PCONFIG\" and its bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case .sppEvent: "\"sub-page write permissions for EPT\" (\"Sub-Page Write Permissions\")"
        case .umwait, .tpause:
            "\"enable user wait and pause\" and \"RDTSC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .loadiwkey: "\"LOADIWKEY exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case .enclv: "\"enable ENCLV exiting\" and its bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case .enqcmdPASIDFailure, .enqcmdsPASIDFailure: "\"PASID translation\" (\"PASID Translation\")"
        case .busLock: "\"VMM bus-lock detection\" (\"Other Causes of VM Exits\")"
        case .instructionTimeout: "\"instruction timeout\" (\"Other Causes of VM Exits\")"
        case .seamcall, .tdcall: "always (\"Instructions That Cause VM Exits Unconditionally\")"
        case .rdmsrlist, .wrmsrlist:
            "\"enable MSR-list instructions\" and the MSR bitmaps (\"Instructions That Cause VM Exits Conditionally\")"
        case .urdmsr, .uwrmsr, .rdmsrImmediate, .wrmsrnsImmediate:
            "its bit in the MSR bitmaps, or none there (\"MSR-Bitmap Address\")"
        case .reserved35, .reserved38, .reserved42, .reserved71, .reserved82, .reserved83, nil:
            "nothing: the manual reserves the number (\"VMX Basic Exit Reasons\")"
        }
    }

    /// The control that makes the processor exit for this reason, if the guest has the instruction at all; nil where there is
    /// none, or where a bitmap, a mask or one of two controls decides.
    public var control: ExitControl? {
        switch basic {
        case .externalInterrupt: .pin(.externalInterruptExiting)
        case .interruptWindow: .primary(.interruptWindowExiting)
        case .nmiWindow: .primary(.nmiWindowExiting)
        case .hlt: .primary(.hltExiting)
        case .invlpg, .invpcid: .primary(.invlpgExiting)
        case .rdpmc: .primary(.rdpmcExiting)
        case .rdtsc, .rdtscp, .umwait, .tpause: .primary(.rdtscExiting)
        case .movDR: .primary(.movDRExiting)
        case .mwait: .primary(.mwaitExiting)
        case .monitorTrapFlag: .primary(.monitorTrapFlag)
        case .monitor: .primary(.monitorExiting)
        case .apicAccess: .secondary(.virtualizeAPICAccesses)
        case .gdtrOrIDTRAccess, .ldtrOrTRAccess: .secondary(.descriptorTableExiting)
        case .eptViolation, .eptMisconfiguration: .secondary(.enableEPT)
        case .preemptionTimerExpired: .pin(.activatePreemptionTimer)
        case .wbinvd: .secondary(.wbinvdExiting)
        case .rdrand: .secondary(.rdrandExiting)
        case .rdseed: .secondary(.rdseedExiting)
        case .pageModificationLogFull: .secondary(.enablePML)
        default: nil
        }
    }
}

/// A control of one of the three fields that let an exit happen.
public enum ExitControl: Equatable, Sendable {
    case pin(PinControls)
    case primary(PrimaryControls)
    case secondary(SecondaryControls)
}

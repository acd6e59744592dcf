import X86

/// Pin-based VM-execution controls: asynchronous events (SDM volume 3, "Pin-Based VM-Execution Controls").
public struct PinControls: ControlSet {
    public static var kind: VMCSValueKind { .pinControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var externalInterruptExiting: Self { .init(bit: 0) }
    public static var nmiExiting: Self { .init(bit: 3) }
    public static var virtualNMIs: Self { .init(bit: 5) }
    public static var activatePreemptionTimer: Self { .init(bit: 6) }
    public static var processPostedInterrupts: Self { .init(bit: 7) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .externalInterruptExiting:
            .init("external-interrupt exiting", "external interrupts exit instead of going through the guest's IDT")
        case .nmiExiting: .init("NMI exiting", "NMIs exit instead of going through the guest's IDT")
        case .virtualNMIs:
            .init(
                "virtual NMIs",
                "NMIs are never blocked for the hypervisor; blocking by NMI in the interruptibility state is the guest's own")
        case .activatePreemptionTimer:
            .init("activate VMX-preemption timer", "the preemption timer counts down while the guest runs and exits at zero")
        case .processPostedInterrupts:
            .init("process posted interrupts", "interrupts posted in the descriptor in memory reach the guest without an exit")
        default: nil
        }
    }
}

/// Primary processor-based VM-execution controls: instructions and windows (SDM volume 3,
/// "Processor-Based VM-Execution Controls").
public struct PrimaryControls: ControlSet {
    public static var kind: VMCSValueKind { .primaryControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var interruptWindowExiting: Self { .init(bit: 2) }
    public static var useTSCOffsetting: Self { .init(bit: 3) }
    public static var hltExiting: Self { .init(bit: 7) }
    public static var invlpgExiting: Self { .init(bit: 9) }
    public static var mwaitExiting: Self { .init(bit: 10) }
    public static var rdpmcExiting: Self { .init(bit: 11) }
    public static var rdtscExiting: Self { .init(bit: 12) }
    public static var cr3LoadExiting: Self { .init(bit: 15) }
    public static var cr3StoreExiting: Self { .init(bit: 16) }
    public static var activateTertiaryControls: Self { .init(bit: 17) }
    public static var cr8LoadExiting: Self { .init(bit: 19) }
    public static var cr8StoreExiting: Self { .init(bit: 20) }
    public static var useTPRShadow: Self { .init(bit: 21) }
    public static var nmiWindowExiting: Self { .init(bit: 22) }
    public static var movDRExiting: Self { .init(bit: 23) }
    public static var unconditionalIOExiting: Self { .init(bit: 24) }
    public static var useIOBitmaps: Self { .init(bit: 25) }
    public static var monitorTrapFlag: Self { .init(bit: 27) }
    public static var useMSRBitmaps: Self { .init(bit: 28) }
    public static var monitorExiting: Self { .init(bit: 29) }
    public static var pauseExiting: Self { .init(bit: 30) }
    public static var activateSecondaryControls: Self { .init(bit: 31) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .interruptWindowExiting:
            .init(
                "interrupt-window exiting",
                "exits before an instruction as soon as RFLAGS.IF is 1 and nothing blocks interrupts")
        case .useTSCOffsetting: .init("use TSC offsetting", "RDTSC, RDTSCP and reads of the TSC's MSR add the TSC offset")
        case .hltExiting: .init("HLT exiting", "HLT exits")
        case .invlpgExiting: .init("INVLPG exiting", "INVLPG exits, and INVPCID where it is enabled")
        case .mwaitExiting: .init("MWAIT exiting", "MWAIT exits")
        case .rdpmcExiting: .init("RDPMC exiting", "RDPMC exits")
        case .rdtscExiting: .init("RDTSC exiting", "RDTSC and RDTSCP exit")
        case .cr3LoadExiting: .init("CR3-load exiting", "MOV to CR3 exits, except for the CR3-target values")
        case .cr3StoreExiting: .init("CR3-store exiting", "MOV from CR3 exits")
        case .activateTertiaryControls:
            .init("activate tertiary controls", "the tertiary controls count; without it they are taken as 0")
        case .cr8LoadExiting: .init("CR8-load exiting", "MOV to CR8 exits")
        case .cr8StoreExiting: .init("CR8-store exiting", "MOV from CR8 exits")
        case .useTPRShadow:
            .init("use TPR shadow", "CR8 and the task priority are those of the virtual-APIC page, with the TPR threshold")
        case .nmiWindowExiting: .init("NMI-window exiting", "exits before an instruction as soon as nothing blocks NMIs")
        case .movDRExiting: .init("MOV-DR exiting", "MOV to and from debug registers exits")
        case .unconditionalIOExiting:
            .init("unconditional I/O exiting", "every IN, OUT, INS and OUTS exits, unless the I/O bitmaps are in use")
        case .useIOBitmaps: .init("use I/O bitmaps", "IN, OUT, INS and OUTS exit when the port's bit in the I/O bitmaps is 1")
        case .monitorTrapFlag: .init("monitor trap flag", "exits after each instruction of the guest")
        case .useMSRBitmaps: .init("use MSR bitmaps", "RDMSR and WRMSR exit as the MSR bitmaps say; without it they always exit")
        case .monitorExiting: .init("MONITOR exiting", "MONITOR exits")
        case .pauseExiting: .init("PAUSE exiting", "PAUSE exits")
        case .activateSecondaryControls:
            .init("activate secondary controls", "the secondary controls count; without it they are taken as 0")
        default: nil
        }
    }
}

/// Secondary processor-based VM-execution controls (SDM volume 3, "Processor-Based VM-Execution Controls").
public struct SecondaryControls: ControlSet {
    public static var kind: VMCSValueKind { .secondaryControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var virtualizeAPICAccesses: Self { .init(bit: 0) }
    public static var enableEPT: Self { .init(bit: 1) }
    public static var descriptorTableExiting: Self { .init(bit: 2) }
    public static var enableRDTSCP: Self { .init(bit: 3) }
    public static var virtualizeX2APICMode: Self { .init(bit: 4) }
    public static var enableVPID: Self { .init(bit: 5) }
    public static var wbinvdExiting: Self { .init(bit: 6) }
    public static var unrestrictedGuest: Self { .init(bit: 7) }
    public static var apicRegisterVirtualization: Self { .init(bit: 8) }
    public static var virtualInterruptDelivery: Self { .init(bit: 9) }
    public static var pauseLoopExiting: Self { .init(bit: 10) }
    public static var rdrandExiting: Self { .init(bit: 11) }
    public static var enableINVPCID: Self { .init(bit: 12) }
    public static var enableVMFunctions: Self { .init(bit: 13) }
    public static var vmcsShadowing: Self { .init(bit: 14) }
    public static var enableENCLSExiting: Self { .init(bit: 15) }
    public static var rdseedExiting: Self { .init(bit: 16) }
    public static var enablePML: Self { .init(bit: 17) }
    public static var eptViolationException: Self { .init(bit: 18) }
    public static var concealVMXFromPT: Self { .init(bit: 19) }
    public static var enableXSAVES: Self { .init(bit: 20) }
    public static var pasidTranslation: Self { .init(bit: 21) }
    public static var modeBasedExecuteControl: Self { .init(bit: 22) }
    public static var subPageWritePermissions: Self { .init(bit: 23) }
    public static var ptUsesGuestPhysicalAddresses: Self { .init(bit: 24) }
    public static var useTSCScaling: Self { .init(bit: 25) }
    public static var enableUserWaitAndPause: Self { .init(bit: 26) }
    public static var enablePCONFIG: Self { .init(bit: 27) }
    public static var enableENCLVExiting: Self { .init(bit: 28) }
    public static var busLockDetection: Self { .init(bit: 30) }
    public static var instructionTimeout: Self { .init(bit: 31) }

    @inline(__always)
    public static func words(ofBit bit: Int) -> ControlWords? {
        switch Self(bit: bit) {
        case .virtualizeAPICAccesses:
            .init("virtualize APIC accesses", "accesses to the APIC-access page are virtualized or exit")
        case .enableEPT: .init("enable EPT", "guest-physical addresses go through the extended page tables")
        case .descriptorTableExiting: .init("descriptor-table exiting", "LGDT, LIDT, LLDT, LTR, SGDT, SIDT, SLDT and STR exit")
        case .enableRDTSCP: .init("enable RDTSCP", "RDTSCP and RDPID work; without it they raise #UD")
        case .virtualizeX2APICMode:
            .init("virtualize x2APIC mode", "RDMSR and WRMSR of x2APIC registers (800H to 8FFH) are virtualized")
        case .enableVPID: .init("enable VPID", "cached translations carry the VPID and survive VM entries and exits")
        case .wbinvdExiting: .init("WBINVD exiting", "WBINVD and WBNOINVD exit")
        case .unrestrictedGuest: .init("unrestricted guest", "the guest may run without paging and in real mode")
        case .apicRegisterVirtualization:
            .init(
                "APIC-register virtualization",
                "most reads of APIC registers come from the virtual-APIC page, most writes go there")
        case .virtualInterruptDelivery:
            .init(
                "virtual-interrupt delivery",
                "the processor evaluates and delivers pending virtual interrupts, and virtualizes EOI")
        case .pauseLoopExiting:
            .init("PAUSE-loop exiting", "a series of PAUSE at privilege level 0 that fits PLE_Gap and PLE_Window exits")
        case .rdrandExiting: .init("RDRAND exiting", "RDRAND exits")
        case .enableINVPCID: .init("enable INVPCID", "INVPCID works; without it it raises #UD")
        case .enableVMFunctions: .init("enable VM functions", "VMFUNC works; without it it raises #UD")
        case .vmcsShadowing:
            .init("VMCS shadowing", "the guest's VMREAD and VMWRITE may go to a shadow VMCS, as two bitmaps say")
        case .enableENCLSExiting: .init("enable ENCLS exiting", "ENCLS exits as its bitmap says")
        case .rdseedExiting: .init("RDSEED exiting", "RDSEED exits")
        case .enablePML: .init("enable PML", "guest-physical addresses of pages that get dirty are logged, until the log is full")
        case .eptViolationException:
            .init("EPT-violation #VE", "EPT violations become the exception #VE, unless the EPT entry suppresses it")
        case .concealVMXFromPT: .init("conceal VMX from PT", "Intel Processor Trace does not show VM entries and exits")
        case .enableXSAVES: .init("enable XSAVES/XRSTORS", "XSAVES and XRSTORS work; without it they raise #UD")
        case .pasidTranslation: .init("PASID translation", "ENQCMD and ENQCMDS translate the process-address-space identifier")
        case .modeBasedExecuteControl:
            .init(
                "mode-based execute control for EPT",
                "EPT entries give separate execute permissions for supervisor and user addresses")
        case .subPageWritePermissions:
            .init("sub-page write permissions for EPT", "EPT entries can give write permission to blocks of 128 bytes")
        case .ptUsesGuestPhysicalAddresses:
            .init(
                "Intel PT uses guest physical addresses",
                "Intel Processor Trace writes to guest-physical addresses, through EPT")
        case .useTSCScaling: .init("use TSC scaling", "RDTSC, RDTSCP and reads of the TSC's MSR multiply by the TSC multiplier")
        case .enableUserWaitAndPause:
            .init("enable user wait and pause", "TPAUSE, UMONITOR and UMWAIT work; without it they raise #UD")
        case .enablePCONFIG: .init("enable PCONFIG", "PCONFIG works; without it it raises #UD")
        case .enableENCLVExiting: .init("enable ENCLV exiting", "ENCLV exits as its bitmap says")
        case .busLockDetection: .init("VMM bus-lock detection", "a bus lock exits after the instruction")
        case .instructionTimeout: .init("instruction timeout", "exits when no instruction ends within the notify window")
        default: nil
        }
    }
}

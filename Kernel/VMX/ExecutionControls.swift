import X86

/// Pin-based VM-execution controls: asynchronous events (SDM volume 3, "Pin-Based VM-Execution Controls").
public struct PinControls: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .pinControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// An external interrupt exits instead of going through the guest's IDT.
    public static var externalInterruptExiting: Self { .init(bit: 0) }
    /// A non-maskable interrupt exits instead of going through the guest's IDT.
    public static var nmiExiting: Self { .init(bit: 3) }
    /// Blocking by NMI is the guest's own, and NMI windows can be asked for.
    public static var virtualNMIs: Self { .init(bit: 5) }
    /// The preemption timer counts down while the guest runs and exits at zero.
    public static var activatePreemptionTimer: Self { .init(bit: 6) }
    /// Interrupts posted in memory are delivered without an exit.
    public static var processPostedInterrupts: Self { .init(bit: 7) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "external-interrupt exiting"
        case 3: "NMI exiting"
        case 5: "virtual NMIs"
        case 6: "activate VMX-preemption timer"
        case 7: "process posted interrupts"
        default: nil
        }
    }
}

/// Primary processor-based VM-execution controls: instructions and windows (SDM volume 3,
/// "Processor-Based VM-Execution Controls").
public struct PrimaryControls: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .primaryControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Exits as soon as the guest can take an interrupt.
    public static var interruptWindowExiting: Self { .init(bit: 2) }
    /// RDTSC, RDTSCP and RDMSR of the TSC add the TSC offset.
    public static var useTSCOffsetting: Self { .init(bit: 3) }
    /// HLT exits: a halted guest must not halt the processor for the others.
    public static var hltExiting: Self { .init(bit: 7) }
    /// INVLPG exits.
    public static var invlpgExiting: Self { .init(bit: 9) }
    /// MWAIT exits.
    public static var mwaitExiting: Self { .init(bit: 10) }
    /// RDPMC exits.
    public static var rdpmcExiting: Self { .init(bit: 11) }
    /// RDTSC and RDTSCP exit.
    public static var rdtscExiting: Self { .init(bit: 12) }
    /// MOV to CR3 exits unless the value is a CR3-target value.
    public static var cr3LoadExiting: Self { .init(bit: 15) }
    /// MOV from CR3 exits.
    public static var cr3StoreExiting: Self { .init(bit: 16) }
    /// The tertiary controls count.
    public static var activateTertiaryControls: Self { .init(bit: 17) }
    /// MOV to CR8 exits.
    public static var cr8LoadExiting: Self { .init(bit: 19) }
    /// MOV from CR8 exits.
    public static var cr8StoreExiting: Self { .init(bit: 20) }
    /// CR8 reads and writes the virtual-APIC page instead of the processor's task priority.
    public static var useTPRShadow: Self { .init(bit: 21) }
    /// Exits as soon as the guest can take an NMI.
    public static var nmiWindowExiting: Self { .init(bit: 22) }
    /// MOV to and from debug registers exits.
    public static var movDRExiting: Self { .init(bit: 23) }
    /// Every port instruction exits.
    public static var unconditionalIOExiting: Self { .init(bit: 24) }
    /// Port instructions exit as the I/O bitmaps say.
    public static var useIOBitmaps: Self { .init(bit: 25) }
    /// Exits after each instruction of the guest.
    public static var monitorTrapFlag: Self { .init(bit: 27) }
    /// RDMSR and WRMSR exit as the MSR bitmaps say.
    public static var useMSRBitmaps: Self { .init(bit: 28) }
    /// MONITOR exits.
    public static var monitorExiting: Self { .init(bit: 29) }
    /// PAUSE exits.
    public static var pauseExiting: Self { .init(bit: 30) }
    /// The secondary controls count.
    public static var activateSecondaryControls: Self { .init(bit: 31) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 2: "interrupt-window exiting"
        case 3: "use TSC offsetting"
        case 7: "HLT exiting"
        case 9: "INVLPG exiting"
        case 10: "MWAIT exiting"
        case 11: "RDPMC exiting"
        case 12: "RDTSC exiting"
        case 15: "CR3-load exiting"
        case 16: "CR3-store exiting"
        case 17: "activate tertiary controls"
        case 19: "CR8-load exiting"
        case 20: "CR8-store exiting"
        case 21: "use TPR shadow"
        case 22: "NMI-window exiting"
        case 23: "MOV-DR exiting"
        case 24: "unconditional I/O exiting"
        case 25: "use I/O bitmaps"
        case 27: "monitor trap flag"
        case 28: "use MSR bitmaps"
        case 29: "MONITOR exiting"
        case 30: "PAUSE exiting"
        case 31: "activate secondary controls"
        default: nil
        }
    }
}

/// Secondary processor-based VM-execution controls (SDM volume 3, "Processor-Based VM-Execution Controls").
public struct SecondaryControls: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .secondaryControls }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Accesses to the APIC-access page exit or are virtualized.
    public static var virtualizeAPICAccesses: Self { .init(bit: 0) }
    /// Guest-physical addresses go through the extended page tables.
    public static var enableEPT: Self { .init(bit: 1) }
    /// LGDT, LIDT, LLDT, LTR, SGDT, SIDT, SLDT and STR exit.
    public static var descriptorTableExiting: Self { .init(bit: 2) }
    /// RDTSCP and RDPID work in the guest; without it they raise #UD.
    public static var enableRDTSCP: Self { .init(bit: 3) }
    /// RDMSR and WRMSR of x2APIC registers are virtualized.
    public static var virtualizeX2APICMode: Self { .init(bit: 4) }
    /// Cached translations carry the virtual CPU's tag and survive VM entries and exits.
    public static var enableVPID: Self { .init(bit: 5) }
    /// WBINVD and WBNOINVD exit.
    public static var wbinvdExiting: Self { .init(bit: 6) }
    /// The guest may run unpaged and in real mode.
    public static var unrestrictedGuest: Self { .init(bit: 7) }
    /// Reads of APIC registers come from the virtual-APIC page.
    public static var apicRegisterVirtualization: Self { .init(bit: 8) }
    /// The processor evaluates and delivers pending virtual interrupts.
    public static var virtualInterruptDelivery: Self { .init(bit: 9) }
    /// A series of PAUSE instructions exits.
    public static var pauseLoopExiting: Self { .init(bit: 10) }
    /// RDRAND exits.
    public static var rdrandExiting: Self { .init(bit: 11) }
    /// INVPCID works in the guest; without it it raises #UD.
    public static var enableINVPCID: Self { .init(bit: 12) }
    /// VMFUNC works in the guest.
    public static var enableVMFunctions: Self { .init(bit: 13) }
    /// VMREAD and VMWRITE in the guest may access a shadow VMCS.
    public static var vmcsShadowing: Self { .init(bit: 14) }
    /// ENCLS exits as its bitmap says.
    public static var enableENCLSExiting: Self { .init(bit: 15) }
    /// RDSEED exits.
    public static var rdseedExiting: Self { .init(bit: 16) }
    /// Guest-physical addresses written first are logged.
    public static var enablePML: Self { .init(bit: 17) }
    /// EPT violations may become exceptions of the guest.
    public static var eptViolationException: Self { .init(bit: 18) }
    /// Processor traces do not show VM entries and exits.
    public static var concealVMXFromPT: Self { .init(bit: 19) }
    /// XSAVES and XRSTORS work in the guest; without it they raise #UD.
    public static var enableXSAVES: Self { .init(bit: 20) }
    /// Execute permission is kept apart for supervisor and user addresses.
    public static var modeBasedExecuteControl: Self { .init(bit: 22) }
    /// Write permission can be given to 128-byte pieces.
    public static var subPageWritePermissions: Self { .init(bit: 23) }
    /// Processor traces go through the extended page tables.
    public static var ptUsesGuestPhysicalAddresses: Self { .init(bit: 24) }
    /// RDTSC multiplies by the TSC multiplier.
    public static var useTSCScaling: Self { .init(bit: 25) }
    /// TPAUSE, UMONITOR and UMWAIT work in the guest; without it they raise #UD.
    public static var enableUserWaitAndPause: Self { .init(bit: 26) }
    /// PCONFIG works in the guest; without it it raises #UD.
    public static var enablePCONFIG: Self { .init(bit: 27) }
    /// ENCLV exits as its bitmap says.
    public static var enableENCLVExiting: Self { .init(bit: 28) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "virtualize APIC accesses"
        case 1: "enable EPT"
        case 2: "descriptor-table exiting"
        case 3: "enable RDTSCP"
        case 4: "virtualize x2APIC mode"
        case 5: "enable VPID"
        case 6: "WBINVD exiting"
        case 7: "unrestricted guest"
        case 8: "APIC-register virtualization"
        case 9: "virtual-interrupt delivery"
        case 10: "PAUSE-loop exiting"
        case 11: "RDRAND exiting"
        case 12: "enable INVPCID"
        case 13: "enable VM functions"
        case 14: "VMCS shadowing"
        case 15: "enable ENCLS exiting"
        case 16: "RDSEED exiting"
        case 17: "enable PML"
        case 18: "EPT-violation #VE"
        case 19: "conceal VMX from PT"
        case 20: "enable XSAVES/XRSTORS"
        case 21: "PASID translation"
        case 22: "mode-based execute control for EPT"
        case 23: "sub-page write permissions for EPT"
        case 24: "Intel PT uses guest physical addresses"
        case 25: "use TSC scaling"
        case 26: "enable user wait and pause"
        case 27: "enable PCONFIG"
        case 28: "enable ENCLV exiting"
        case 30: "VMM bus-lock detection"
        case 31: "instruction timeout"
        default: nil
        }
    }
}

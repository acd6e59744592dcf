import Text

/// The exit-reason field: the basic reason and the flags above it (SDM volume 3, "Basic VM-Exit Information").
public struct ExitReason: Equatable, Sendable, VMCSValue {
    public static var kind: VMCSValueKind { .exitReason }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Without a flag.
    public init(_ basic: BasicExitReason) { rawValue = UInt32(basic.rawValue) }
    @inline(__always) public init(vmcsValue: UInt64) { rawValue = UInt32(truncatingIfNeeded: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(rawValue) }

    /// Bits 15:0, which may be a number above the manual's.
    public var basicNumber: UInt16 { UInt16(truncatingIfNeeded: rawValue) }
    /// The basic reason; nil if its number is above the manual's.
    public var basic: BasicExitReason? { BasicExitReason(rawValue: basicNumber) }
    /// The basic reason where no flag is set: that of an exit, never of a failed entry.
    @inline(__always) public var unflagged: BasicExitReason? { BasicExitReason(rawValue) }
    /// Bit 31: the VM entry itself failed; nothing of the guest ran.
    @inline(__always) public var isEntryFailure: Bool { rawValue & 1 << 31 != 0 }

    /// Whether the manual names the basic reason's number.
    public var isNamed: Bool {
        switch basic {
        case .reserved35, .reserved38, .reserved42, .reserved71, .reserved82, .reserved83, nil: false
        default: true
        }
    }

    /// The VM-exit interruption information is defined (SDM volume 3, "Information for VM Exits Due to Vectored Events").
    public var hasInterruptionInformation: Bool { basic == .exceptionOrNMI || basic == .externalInterrupt }
}

extension ExitReason: TextConvertible {
    public func write(to output: inout Line) { output.write(name) }

    /// The manual's name of the basic reason, shortened.
    public var name: StaticString {
        switch basic {
        case .exceptionOrNMI: "exception or NMI"
        case .externalInterrupt: "external interrupt"
        case .tripleFault: "triple fault"
        case .initSignal: "INIT signal"
        case .startupIPI: "start-up IPI"
        case .ioSMI: "I/O SMI"
        case .otherSMI: "other SMI"
        case .interruptWindow: "interrupt window"
        case .nmiWindow: "NMI window"
        case .taskSwitch: "task switch"
        case .cpuid: "CPUID"
        case .getsec: "GETSEC"
        case .hlt: "HLT"
        case .invd: "INVD"
        case .invlpg: "INVLPG"
        case .rdpmc: "RDPMC"
        case .rdtsc: "RDTSC"
        case .rsm: "RSM"
        case .vmcall: "VMCALL"
        case .vmclear: "VMCLEAR"
        case .vmlaunch: "VMLAUNCH"
        case .vmptrld: "VMPTRLD"
        case .vmptrst: "VMPTRST"
        case .vmread: "VMREAD"
        case .vmresume: "VMRESUME"
        case .vmwrite: "VMWRITE"
        case .vmxoff: "VMXOFF"
        case .vmxon: "VMXON"
        case .controlRegisterAccess: "control-register access"
        case .movDR: "MOV DR"
        case .ioInstruction: "I/O instruction"
        case .rdmsr: "RDMSR"
        case .wrmsr: "WRMSR"
        case .entryFailureGuestState: "entry failure, guest state"
        case .entryFailureMSRLoading: "entry failure, MSR loading"
        case .mwait: "MWAIT"
        case .monitorTrapFlag: "monitor trap flag"
        case .monitor: "MONITOR"
        case .pause: "PAUSE"
        case .entryFailureMachineCheck: "entry failure, machine check"
        case .tprBelowThreshold: "TPR below threshold"
        case .apicAccess: "APIC access"
        case .virtualizedEOI: "virtualized EOI"
        case .gdtrOrIDTRAccess: "access to GDTR or IDTR"
        case .ldtrOrTRAccess: "access to LDTR or TR"
        case .eptViolation: "EPT violation"
        case .eptMisconfiguration: "EPT misconfiguration"
        case .invept: "INVEPT"
        case .rdtscp: "RDTSCP"
        case .preemptionTimerExpired: "preemption timer expired"
        case .invvpid: "INVVPID"
        case .wbinvd: "WBINVD or WBNOINVD"
        case .xsetbv: "XSETBV"
        case .apicWrite: "APIC write"
        case .rdrand: "RDRAND"
        case .invpcid: "INVPCID"
        case .vmfunc: "VMFUNC"
        case .encls: "ENCLS"
        case .rdseed: "RDSEED"
        case .pageModificationLogFull: "page-modification log full"
        case .xsaves: "XSAVES"
        case .xrstors: "XRSTORS"
        case .pconfig: "PCONFIG"
        case .sppEvent: "SPP-related event"
        case .umwait: "UMWAIT"
        case .tpause: "TPAUSE"
        case .loadiwkey: "LOADIWKEY"
        case .enclv: "ENCLV"
        case .enqcmdPASIDFailure: "ENQCMD PASID failure"
        case .enqcmdsPASIDFailure: "ENQCMDS PASID failure"
        case .busLock: "bus lock"
        case .instructionTimeout: "instruction timeout"
        case .seamcall: "SEAMCALL"
        case .tdcall: "TDCALL"
        case .rdmsrlist: "RDMSRLIST"
        case .wrmsrlist: "WRMSRLIST"
        case .urdmsr: "URDMSR"
        case .uwrmsr: "UWRMSR"
        case .rdmsrImmediate: "RDMSR with an immediate operand"
        case .wrmsrnsImmediate: "WRMSRNS with an immediate operand"
        case .reserved35, .reserved38, .reserved42, .reserved71, .reserved82, .reserved83, nil: "reserved reason"
        }
    }
}

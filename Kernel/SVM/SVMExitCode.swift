/// Why the processor left the guest: EXITCODE (APM volume 2, appendix "SVM Intercept Exit Codes").
///
/// The codes up to A6H are the numbers of the intercept bits that ask for them, so that this is the table of intercepts, too.
/// In memory a case is its place in the table.
public enum SVMExitCode: UInt8, Equatable, Hashable, Sendable {
    case cr0Read = 0
    case cr1Read
    case cr2Read
    case cr3Read
    case cr4Read
    case cr5Read
    case cr6Read
    case cr7Read
    case cr8Read
    case cr9Read
    case cr10Read
    case cr11Read
    case cr12Read
    case cr13Read
    case cr14Read
    case cr15Read
    /// MOV to CR0, CLTS or LMSW.
    case cr0Write
    case cr1Write
    case cr2Write
    case cr3Write
    case cr4Write
    case cr5Write
    case cr6Write
    case cr7Write
    case cr8Write
    case cr9Write
    case cr10Write
    case cr11Write
    case cr12Write
    case cr13Write
    case cr14Write
    case cr15Write
    case dr0Read
    case dr1Read
    case dr2Read
    case dr3Read
    case dr4Read
    case dr5Read
    case dr6Read
    case dr7Read
    case dr8Read
    case dr9Read
    case dr10Read
    case dr11Read
    case dr12Read
    case dr13Read
    case dr14Read
    case dr15Read
    case dr0Write
    case dr1Write
    case dr2Write
    case dr3Write
    case dr4Write
    case dr5Write
    case dr6Write
    case dr7Write
    case dr8Write
    case dr9Write
    case dr10Write
    case dr11Write
    case dr12Write
    case dr13Write
    case dr14Write
    case dr15Write
    /// #DE.
    case exceptionDE
    /// #DB.
    case exceptionDB
    case exception2
    /// #BP.
    case exceptionBP
    /// #OF.
    case exceptionOF
    /// #BR.
    case exceptionBR
    /// #UD.
    case exceptionUD
    /// #NM.
    case exceptionNM
    /// #DF.
    case exceptionDF
    case exception9
    /// #TS.
    case exceptionTS
    /// #NP.
    case exceptionNP
    /// #SS.
    case exceptionSS
    /// #GP.
    case exceptionGP
    /// #PF.
    case exceptionPF
    case exception15
    /// #MF.
    case exceptionMF
    /// #AC.
    case exceptionAC
    /// #MC.
    case exceptionMC
    /// #XF.
    case exceptionXF
    case exception20
    /// #CP.
    case exceptionCP
    case exception22
    case exception23
    case exception24
    case exception25
    case exception26
    case exception27
    /// #HV.
    case exceptionHV
    /// #VC.
    case exceptionVC
    /// #SX.
    case exceptionSX
    case exception31
    /// A physical maskable interrupt.
    case interrupt
    case nonMaskableInterrupt
    case systemManagementInterrupt
    case initSignal
    /// The guest is about to take a virtual interrupt.
    case virtualInterrupt
    /// A write of CR0 that changes more than TS and MP, or LMSW.
    case cr0SelectiveWrite
    /// SIDT.
    case idtrRead
    /// SGDT.
    case gdtrRead
    /// SLDT.
    case ldtrRead
    /// STR.
    case trRead
    /// LIDT.
    case idtrWrite
    /// LGDT.
    case gdtrWrite
    /// LLDT.
    case ldtrWrite
    /// LTR.
    case trWrite
    case rdtsc
    case rdpmc
    case pushf
    case popf
    case cpuid
    case rsm
    case iret
    /// INT n.
    case softwareInterrupt
    case invd
    case pause
    case hlt
    case invlpg
    case invlpga
    /// IN, OUT, INS or OUTS of a port whose bit in the I/O permissions map is 1.
    case ioio
    /// RDMSR or WRMSR of a register whose bit in the MSR permissions map is 1, or that has none.
    case msr
    case taskSwitch
    /// The processor waits for an interrupt because of an x87 error.
    case ferrFreeze
    case shutdown
    case vmrun
    case vmmcall
    case vmload
    case vmsave
    case stgi
    case clgi
    case skinit
    case rdtscp
    case icebp
    /// WBINVD or WBNOINVD.
    case wbinvd
    /// MONITOR or MONITORX.
    case monitor
    /// MWAIT or MWAITX.
    case mwait
    /// The same while the monitor is armed.
    case mwaitConditional
    case xsetbv
    case rdpru
    /// EFER was written, and the instruction is over; so it is with the next ones.
    case eferWriteTrap
    case cr0WriteTrap
    case cr1WriteTrap
    case cr2WriteTrap
    case cr3WriteTrap
    case cr4WriteTrap
    case cr5WriteTrap
    case cr6WriteTrap
    case cr7WriteTrap
    case cr8WriteTrap
    case cr9WriteTrap
    case cr10WriteTrap
    case cr11WriteTrap
    case cr12WriteTrap
    case cr13WriteTrap
    case cr14WriteTrap
    case cr15WriteTrap
    case invlpgb
    case invlpgbIllegal
    case invpcid
    case mcommit
    case tlbsync
    /// A bus lock when the Bus Lock Threshold Counter is 0.
    case busLock
    /// HLT while no virtual interrupt is pending.
    case idleHLT
    case nestedPageFault
    /// The processor could not deliver a virtual interprocessor interrupt.
    case avicIncompleteIPI
    /// An access to a register of the virtual APIC that the processor does not work itself.
    case avicNoAcceleration
    case vmgexit
    /// Kept for the host: the processor never gives it.
    case reservedForHost
    /// VMRUN found the VMCB inconsistent: the guest did not run.
    case invalid
    /// The encrypted state is in use elsewhere.
    case busy
    /// The sibling thread is not idle.
    case idleRequired
    /// The state of the performance counters is inconsistent.
    case invalidPMC

    /// How many codes there are; their raw values run from 0.
    public static var count: Int { Int(SVMExitCode.invalidPMC.rawValue) + 1 }
    /// How many of them have an intercept.
    public static var interceptCount: Int { Int(SVMExitCode.idleHLT.rawValue) + 1 }

    /// The exit that an intercept bit asks for, by the bit's place in the VMCB; nil for a reserved bit.
    @inline(__always)
    public init?(interceptBit: Int) {
        guard interceptBit >= 0, interceptBit < SVMExitCode.interceptCount else { return nil }
        self = unsafeBitCast(UInt8(truncatingIfNeeded: interceptBit), to: SVMExitCode.self)
    }

    /// nil for a code that the manual does not name.
    public init?(_ code: UInt64) {
        if code < UInt64(SVMExitCode.interceptCount) {
            self.init(interceptBit: Int(code))
            return
        }
        switch code {
        case 0x400: self = .nestedPageFault
        case 0x401: self = .avicIncompleteIPI
        case 0x402: self = .avicNoAcceleration
        case 0x403: self = .vmgexit
        case 0xF0000000: self = .reservedForHost
        case UInt64(bitPattern: -1): self = .invalid
        case UInt64(bitPattern: -2): self = .busy
        case UInt64(bitPattern: -3): self = .idleRequired
        case UInt64(bitPattern: -4): self = .invalidPMC
        default: return nil
        }
    }

    /// What EXITCODE holds.
    public var number: UInt64 {
        switch self {
        case .nestedPageFault: 0x400
        case .avicIncompleteIPI: 0x401
        case .avicNoAcceleration: 0x402
        case .vmgexit: 0x403
        case .reservedForHost: 0xF0000000
        case .invalid: UInt64(bitPattern: -1)
        case .busy: UInt64(bitPattern: -2)
        case .idleRequired: UInt64(bitPattern: -3)
        case .invalidPMC: UInt64(bitPattern: -4)
        default: UInt64(rawValue)
        }
    }

    /// The place of its intercept bit in the VMCB; nil if nothing asks for it.
    @inline(__always)
    public var interceptBit: Int? { rawValue <= SVMExitCode.idleHLT.rawValue ? Int(rawValue) : nil }

    /// The vector of an exception that was intercepted, or nil.
    public var exceptionVector: UInt8? {
        let first = SVMExitCode.exceptionDE.rawValue
        return rawValue >= first && rawValue <= SVMExitCode.exception31.rawValue ? rawValue - first : nil
    }

    /// The manual's name, without VMEXIT_ before it.
    public var name: StaticString {
        switch self {
        case .cr0Read: "CR0_READ"
        case .cr1Read: "CR1_READ"
        case .cr2Read: "CR2_READ"
        case .cr3Read: "CR3_READ"
        case .cr4Read: "CR4_READ"
        case .cr5Read: "CR5_READ"
        case .cr6Read: "CR6_READ"
        case .cr7Read: "CR7_READ"
        case .cr8Read: "CR8_READ"
        case .cr9Read: "CR9_READ"
        case .cr10Read: "CR10_READ"
        case .cr11Read: "CR11_READ"
        case .cr12Read: "CR12_READ"
        case .cr13Read: "CR13_READ"
        case .cr14Read: "CR14_READ"
        case .cr15Read: "CR15_READ"
        case .cr0Write: "CR0_WRITE"
        case .cr1Write: "CR1_WRITE"
        case .cr2Write: "CR2_WRITE"
        case .cr3Write: "CR3_WRITE"
        case .cr4Write: "CR4_WRITE"
        case .cr5Write: "CR5_WRITE"
        case .cr6Write: "CR6_WRITE"
        case .cr7Write: "CR7_WRITE"
        case .cr8Write: "CR8_WRITE"
        case .cr9Write: "CR9_WRITE"
        case .cr10Write: "CR10_WRITE"
        case .cr11Write: "CR11_WRITE"
        case .cr12Write: "CR12_WRITE"
        case .cr13Write: "CR13_WRITE"
        case .cr14Write: "CR14_WRITE"
        case .cr15Write: "CR15_WRITE"
        case .dr0Read: "DR0_READ"
        case .dr1Read: "DR1_READ"
        case .dr2Read: "DR2_READ"
        case .dr3Read: "DR3_READ"
        case .dr4Read: "DR4_READ"
        case .dr5Read: "DR5_READ"
        case .dr6Read: "DR6_READ"
        case .dr7Read: "DR7_READ"
        case .dr8Read: "DR8_READ"
        case .dr9Read: "DR9_READ"
        case .dr10Read: "DR10_READ"
        case .dr11Read: "DR11_READ"
        case .dr12Read: "DR12_READ"
        case .dr13Read: "DR13_READ"
        case .dr14Read: "DR14_READ"
        case .dr15Read: "DR15_READ"
        case .dr0Write: "DR0_WRITE"
        case .dr1Write: "DR1_WRITE"
        case .dr2Write: "DR2_WRITE"
        case .dr3Write: "DR3_WRITE"
        case .dr4Write: "DR4_WRITE"
        case .dr5Write: "DR5_WRITE"
        case .dr6Write: "DR6_WRITE"
        case .dr7Write: "DR7_WRITE"
        case .dr8Write: "DR8_WRITE"
        case .dr9Write: "DR9_WRITE"
        case .dr10Write: "DR10_WRITE"
        case .dr11Write: "DR11_WRITE"
        case .dr12Write: "DR12_WRITE"
        case .dr13Write: "DR13_WRITE"
        case .dr14Write: "DR14_WRITE"
        case .dr15Write: "DR15_WRITE"
        case .exceptionDE: "EXCP0"
        case .exceptionDB: "EXCP1"
        case .exception2: "EXCP2"
        case .exceptionBP: "EXCP3"
        case .exceptionOF: "EXCP4"
        case .exceptionBR: "EXCP5"
        case .exceptionUD: "EXCP6"
        case .exceptionNM: "EXCP7"
        case .exceptionDF: "EXCP8"
        case .exception9: "EXCP9"
        case .exceptionTS: "EXCP10"
        case .exceptionNP: "EXCP11"
        case .exceptionSS: "EXCP12"
        case .exceptionGP: "EXCP13"
        case .exceptionPF: "EXCP14"
        case .exception15: "EXCP15"
        case .exceptionMF: "EXCP16"
        case .exceptionAC: "EXCP17"
        case .exceptionMC: "EXCP18"
        case .exceptionXF: "EXCP19"
        case .exception20: "EXCP20"
        case .exceptionCP: "EXCP21"
        case .exception22: "EXCP22"
        case .exception23: "EXCP23"
        case .exception24: "EXCP24"
        case .exception25: "EXCP25"
        case .exception26: "EXCP26"
        case .exception27: "EXCP27"
        case .exceptionHV: "EXCP28"
        case .exceptionVC: "EXCP29"
        case .exceptionSX: "EXCP30"
        case .exception31: "EXCP31"
        case .interrupt: "INTR"
        case .nonMaskableInterrupt: "NMI"
        case .systemManagementInterrupt: "SMI"
        case .initSignal: "INIT"
        case .virtualInterrupt: "VINTR"
        case .cr0SelectiveWrite: "CR0_SEL_WRITE"
        case .idtrRead: "IDTR_READ"
        case .gdtrRead: "GDTR_READ"
        case .ldtrRead: "LDTR_READ"
        case .trRead: "TR_READ"
        case .idtrWrite: "IDTR_WRITE"
        case .gdtrWrite: "GDTR_WRITE"
        case .ldtrWrite: "LDTR_WRITE"
        case .trWrite: "TR_WRITE"
        case .rdtsc: "RDTSC"
        case .rdpmc: "RDPMC"
        case .pushf: "PUSHF"
        case .popf: "POPF"
        case .cpuid: "CPUID"
        case .rsm: "RSM"
        case .iret: "IRET"
        case .softwareInterrupt: "SWINT"
        case .invd: "INVD"
        case .pause: "PAUSE"
        case .hlt: "HLT"
        case .invlpg: "INVLPG"
        case .invlpga: "INVLPGA"
        case .ioio: "IOIO"
        case .msr: "MSR"
        case .taskSwitch: "TASK_SWITCH"
        case .ferrFreeze: "FERR_FREEZE"
        case .shutdown: "SHUTDOWN"
        case .vmrun: "VMRUN"
        case .vmmcall: "VMMCALL"
        case .vmload: "VMLOAD"
        case .vmsave: "VMSAVE"
        case .stgi: "STGI"
        case .clgi: "CLGI"
        case .skinit: "SKINIT"
        case .rdtscp: "RDTSCP"
        case .icebp: "ICEBP"
        case .wbinvd: "WBINVD"
        case .monitor: "MONITOR"
        case .mwait: "MWAIT"
        case .mwaitConditional: "MWAIT_CONDITIONAL"
        case .xsetbv: "XSETBV"
        case .rdpru: "RDPRU"
        case .eferWriteTrap: "EFER_WRITE_TRAP"
        case .cr0WriteTrap: "CR0_WRITE_TRAP"
        case .cr1WriteTrap: "CR1_WRITE_TRAP"
        case .cr2WriteTrap: "CR2_WRITE_TRAP"
        case .cr3WriteTrap: "CR3_WRITE_TRAP"
        case .cr4WriteTrap: "CR4_WRITE_TRAP"
        case .cr5WriteTrap: "CR5_WRITE_TRAP"
        case .cr6WriteTrap: "CR6_WRITE_TRAP"
        case .cr7WriteTrap: "CR7_WRITE_TRAP"
        case .cr8WriteTrap: "CR8_WRITE_TRAP"
        case .cr9WriteTrap: "CR9_WRITE_TRAP"
        case .cr10WriteTrap: "CR10_WRITE_TRAP"
        case .cr11WriteTrap: "CR11_WRITE_TRAP"
        case .cr12WriteTrap: "CR12_WRITE_TRAP"
        case .cr13WriteTrap: "CR13_WRITE_TRAP"
        case .cr14WriteTrap: "CR14_WRITE_TRAP"
        case .cr15WriteTrap: "CR15_WRITE_TRAP"
        case .invlpgb: "INVLPGB"
        case .invlpgbIllegal: "INVLPGB_ILLEGAL"
        case .invpcid: "INVPCID"
        case .mcommit: "MCOMMIT"
        case .tlbsync: "TLBSYNC"
        case .busLock: "BUSLOCK"
        case .idleHLT: "IDLE_HLT"
        case .nestedPageFault: "NPF"
        case .avicIncompleteIPI: "AVIC_INCOMPLETE_IPI"
        case .avicNoAcceleration: "AVIC_NOACCEL"
        case .vmgexit: "VMGEXIT"
        case .reservedForHost: "unused, reserved for host"
        case .invalid: "INVALID"
        case .busy: "BUSY"
        case .idleRequired: "IDLE_REQUIRED"
        case .invalidPMC: "INVALID_PMC"
        }
    }
}

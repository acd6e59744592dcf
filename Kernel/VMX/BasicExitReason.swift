/// Why the processor left the guest: bits 15:0 of the exit reason (SDM volume 3, appendix "VMX Basic Exit Reasons").
///
/// The numbers that the manual reserves are cases too, so that a number becomes a case, and a case the place in a
/// table, without a search.
public enum BasicExitReason: UInt16, Sendable {
    /// An exception whose bit in the exception bitmap is 1, or an NMI: the VM-exit interruption information says which.
    case exceptionOrNMI = 0
    case externalInterrupt = 1
    case tripleFault = 2
    case initSignal = 3
    case startupIPI = 4
    /// A system-management interrupt for an SMM monitor, right after an I/O instruction.
    case ioSMI = 5
    /// Any other system-management interrupt for an SMM monitor.
    case otherSMI = 6
    /// The hypervisor asked to be notified as soon as the guest can take an interrupt.
    case interruptWindow = 7
    /// The same for an NMI.
    case nmiWindow = 8
    case taskSwitch = 9
    case cpuid = 10
    case getsec = 11
    case hlt = 12
    case invd = 13
    case invlpg = 14
    case rdpmc = 15
    case rdtsc = 16
    case rsm = 17
    case vmcall = 18
    case vmclear = 19
    case vmlaunch = 20
    case vmptrld = 21
    case vmptrst = 22
    case vmread = 23
    case vmresume = 24
    case vmwrite = 25
    case vmxoff = 26
    case vmxon = 27
    /// MOV to or from CR0, CR3, CR4 or CR8, CLTS, or LMSW.
    case controlRegisterAccess = 28
    /// MOV to or from a debug register.
    case movDR = 29
    /// IN, OUT, INS or OUTS.
    case ioInstruction = 30
    case rdmsr = 31
    case wrmsr = 32
    /// The checks of the guest state failed. With this and the two other failures, bit 31 of the exit reason is 1.
    case entryFailureGuestState = 33
    case entryFailureMSRLoading = 34
    case reserved35 = 35
    case mwait = 36
    case monitorTrapFlag = 37
    case reserved38 = 38
    case monitor = 39
    case pause = 40
    case entryFailureMachineCheck = 41
    case reserved42 = 42
    case tprBelowThreshold = 43
    case apicAccess = 44
    case virtualizedEOI = 45
    /// LGDT, LIDT, SGDT or SIDT.
    case gdtrOrIDTRAccess = 46
    /// LLDT, LTR, SLDT or STR.
    case ldtrOrTRAccess = 47
    case eptViolation = 48
    case eptMisconfiguration = 49
    case invept = 50
    case rdtscp = 51
    case preemptionTimerExpired = 52
    case invvpid = 53
    /// WBINVD or WBNOINVD.
    case wbinvd = 54
    case xsetbv = 55
    case apicWrite = 56
    case rdrand = 57
    case invpcid = 58
    case vmfunc = 59
    case encls = 60
    case rdseed = 61
    case pageModificationLogFull = 62
    case xsaves = 63
    case xrstors = 64
    case pconfig = 65
    /// Of sub-page write permissions: a missing or wrong entry in their table.
    case sppEvent = 66
    case umwait = 67
    case tpause = 68
    case loadiwkey = 69
    case enclv = 70
    case reserved71 = 71
    case enqcmdPASIDFailure = 72
    case enqcmdsPASIDFailure = 73
    case busLock = 74
    case instructionTimeout = 75
    case seamcall = 76
    case tdcall = 77
    case rdmsrlist = 78
    case wrmsrlist = 79
    case urdmsr = 80
    case uwrmsr = 81
    case reserved82 = 82
    case reserved83 = 83
    /// RDMSR, and next WRMSRNS, with the register's number in the instruction.
    case rdmsrImmediate = 84
    case wrmsrnsImmediate = 85

    /// The last number that the manual names.
    public static var highest: Self { .wrmsrnsImmediate }

    /// nil for a number above the highest.
    @inline(__always)
    public init?(rawValue: UInt16) { self.init(UInt32(rawValue)) }

    /// nil for a number above the highest.
    @inline(__always)
    init?(_ number: UInt32) {
        guard number <= BasicExitReason.highest.rawValue else { return nil }
        // The cases are numbered without a gap, and in memory a case is its number.
        self = unsafeBitCast(UInt8(truncatingIfNeeded: number), to: BasicExitReason.self)
    }
}

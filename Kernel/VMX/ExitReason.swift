import Text

/// The exit-reason field: the basic reason and the flags above it (SDM volume 3, "Basic VM-Exit Information";
/// reasons in appendix C, "VMX Basic Exit Reasons").
public struct ExitReason: Equatable, Sendable, VMCSValue {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inline(__always) public init(vmcsValue: UInt64) { rawValue = UInt32(truncatingIfNeeded: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(rawValue) }

    /// Bits 15:0.
    public var basic: UInt16 { UInt16(truncatingIfNeeded: rawValue) }
    /// Bit 31: the VM entry itself failed; nothing of the guest ran.
    @inline(__always) public var isEntryFailure: Bool { rawValue & 1 << 31 != 0 }

    /// The highest basic reason that the manual gives a name.
    public static var highestBasic: UInt16 { 85 }
    /// Whether the manual gives a basic reason a name.
    public static func isNamed(basic reason: UInt16) -> Bool {
        switch reason {
        case 35, 38, 42, 71, 82, 83: false
        default: reason <= highestBasic
        }
    }
}

extension ExitReason: TextConvertible {
    public func write(to output: inout Line) { output.write(ExitReason.name(ofBasic: basic)) }

    /// The manual's name of a basic reason.
    public static func name(ofBasic reason: UInt16) -> StaticString {
        switch reason {
        case 0: "exception or NMI"
        case 1: "external interrupt"
        case 2: "triple fault"
        case 3: "INIT signal"
        case 4: "start-up IPI"
        case 5: "I/O SMI"
        case 6: "other SMI"
        case 7: "interrupt window"
        case 8: "NMI window"
        case 9: "task switch"
        case 10: "CPUID"
        case 11: "GETSEC"
        case 12: "HLT"
        case 13: "INVD"
        case 14: "INVLPG"
        case 15: "RDPMC"
        case 16: "RDTSC"
        case 17: "RSM"
        case 18: "VMCALL"
        case 19: "VMCLEAR"
        case 20: "VMLAUNCH"
        case 21: "VMPTRLD"
        case 22: "VMPTRST"
        case 23: "VMREAD"
        case 24: "VMRESUME"
        case 25: "VMWRITE"
        case 26: "VMXOFF"
        case 27: "VMXON"
        case 28: "control-register access"
        case 29: "MOV DR"
        case 30: "I/O instruction"
        case 31: "RDMSR"
        case 32: "WRMSR"
        case 33: "entry failure, guest state"
        case 34: "entry failure, MSR loading"
        case 36: "MWAIT"
        case 37: "monitor trap flag"
        case 39: "MONITOR"
        case 40: "PAUSE"
        case 41: "entry failure, machine check"
        case 43: "TPR below threshold"
        case 44: "APIC access"
        case 45: "virtualized EOI"
        case 46: "access to GDTR or IDTR"
        case 47: "access to LDTR or TR"
        case 48: "EPT violation"
        case 49: "EPT misconfiguration"
        case 50: "INVEPT"
        case 51: "RDTSCP"
        case 52: "preemption timer expired"
        case 53: "INVVPID"
        case 54: "WBINVD or WBNOINVD"
        case 55: "XSETBV"
        case 56: "APIC write"
        case 57: "RDRAND"
        case 58: "INVPCID"
        case 59: "VMFUNC"
        case 60: "ENCLS"
        case 61: "RDSEED"
        case 62: "page-modification log full"
        case 63: "XSAVES"
        case 64: "XRSTORS"
        case 65: "PCONFIG"
        case 66: "SPP-related event"
        case 67: "UMWAIT"
        case 68: "TPAUSE"
        case 69: "LOADIWKEY"
        case 70: "ENCLV"
        case 72: "ENQCMD PASID failure"
        case 73: "ENQCMDS PASID failure"
        case 74: "bus lock"
        case 75: "instruction timeout"
        case 76: "SEAMCALL"
        case 77: "TDCALL"
        case 78: "RDMSRLIST"
        case 79: "WRMSRLIST"
        case 80: "URDMSR"
        case 81: "UWRMSR"
        case 84: "RDMSR with an immediate operand"
        case 85: "WRMSRNS with an immediate operand"
        default: "reserved reason"
        }
    }
}

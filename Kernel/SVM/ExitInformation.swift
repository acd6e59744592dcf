import Memory
import Virtualization
import X86

/// What EXITINFO1 and EXITINFO2 hold, which depends on the exit's code. Those of several fields have a type below.
public enum ExitInformationLayout: Equatable, Sendable {
    /// Neither field is defined.
    case none
    /// MOV to or from a control register: `ControlRegisterInformation`, with decode assists.
    case controlRegister
    /// MOV to or from a debug register: its general register, with decode assists.
    case debugRegister
    /// The error code of an exception that has one.
    case errorCode
    /// The error code of a page fault, and the linear address.
    case pageFault
    /// `SMIInformation`.
    case systemManagementInterrupt
    /// The vector of INT n, with decode assists.
    case softwareInterrupt
    /// The linear address of INVLPG, with decode assists.
    case linearAddress
    /// `IOIOInformation`, and the address of the next instruction.
    case io
    /// 0 for RDMSR, 1 for WRMSR.
    case msr
    /// `SVMTaskSwitchInformation`.
    case taskSwitch
    /// The value that was written.
    case writtenValue
    /// The linear address of INVPCID's descriptor, and its type.
    case invpcid
    /// `NestedPageFaultInformation`, and the guest-physical address.
    case nestedPageFault
    /// `AVICIncompleteIPIInformation`.
    case avicIncompleteIPI
    /// `AVICAccessInformation`.
    case avicAccess
}

extension SVMExitCode {
    /// What EXITINFO1 and EXITINFO2 hold.
    public var informationLayout: ExitInformationLayout {
        switch self {
        case .exceptionPF: return .pageFault
        case .exceptionNP, .exceptionSS, .exceptionGP, .exceptionAC, .exceptionCP, .exceptionSX: return .errorCode
        case .systemManagementInterrupt: return .systemManagementInterrupt
        case .softwareInterrupt: return .softwareInterrupt
        case .invlpg: return .linearAddress
        case .ioio: return .io
        case .msr: return .msr
        case .taskSwitch: return .taskSwitch
        case .invpcid: return .invpcid
        case .nestedPageFault: return .nestedPageFault
        case .avicIncompleteIPI: return .avicIncompleteIPI
        case .avicNoAcceleration: return .avicAccess
        default: break
        }
        if rawValue <= SVMExitCode.cr15Write.rawValue { return .controlRegister }
        if rawValue <= SVMExitCode.dr15Write.rawValue { return .debugRegister }
        if rawValue >= SVMExitCode.eferWriteTrap.rawValue, rawValue <= SVMExitCode.cr15WriteTrap.rawValue { return .writtenValue }
        return .none
    }
}

/// EXITINFO1 of a port instruction (APM volume 2, "IN and OUT Behavior", figure "EXITINFO1 for IOIO Intercept").
public struct IOIOInformation {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var isInput: Bool { rawValue & 1 != 0 }
    /// INS or OUTS.
    public var isString: Bool { rawValue & 1 << 2 != 0 }
    /// A REP prefix.
    public var isRepeated: Bool { rawValue & 1 << 3 != 0 }
    /// Bits 6:4, one of which is set: 1, 2 or 4 bytes.
    public var size: Int { Int(rawValue >> 4 & 7) }
    /// Bits 9:7, one of which is set: the width of addresses in bits.
    public var addressWidth: Int { Int(rawValue >> 7 & 7) * 16 }
    /// Bits 12:10: the segment of INS and OUTS, with decode assists.
    public var segment: SegmentRegister? { SegmentRegister(rawValue: UInt8(truncatingIfNeeded: rawValue >> 10) & 7) }
    public var port: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }
}

/// EXITINFO1 of MOV to or from a control register (APM volume 2, "MOV CRx/DRx Intercepts").
public struct ControlRegisterInformation {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Bit 63: the other operand is told. It is 0 for CLTS, LMSW and SMSW, and without decode assists.
    public var isMove: Bool { rawValue >> 63 != 0 }
    /// Bits 3:0: the other operand of MOV.
    public var general: RegisterNumber { .init(UInt8(truncatingIfNeeded: rawValue) & 15) }
}

/// EXITINFO1 of an SMI (APM volume 2, "SMI Intercept", figure "EXITINFO1 for SMI Intercept").
public struct SMIInformation {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Bit 0: it came from outside, not from an I/O trap.
    public var isExternal: Bool { rawValue & 1 != 0 }
    /// Bit 1: it stands for a machine check.
    public var isMachineCheck: Bool { rawValue & 2 != 0 }
    /// Bit 33: it came during a port instruction, and the bits above tell which.
    public var isDuringIO: Bool { rawValue & 1 << 33 != 0 }
    /// The port instruction, in the form of its own intercept.
    public var io: IOIOInformation {
        let upper = rawValue >> 32
        let kind = upper & 1 | (upper >> 2 & 3) << 2
        return .init(rawValue: kind | (upper >> 4 & 0x3F) << 4 | rawValue & 7 << 10 | (upper >> 16) << 16)
    }
}

/// EXITINFO1 and EXITINFO2 of a task switch (APM volume 2, "Task Switch Intercept").
public struct SVMTaskSwitchInformation {
    let information1: UInt64
    let information2: UInt64

    public init(_ information1: UInt64, _ information2: UInt64) {
        self.information1 = information1
        self.information2 = information2
    }

    /// Of the TSS of the task that comes.
    public var selector: SegmentSelector { .init(rawValue: UInt16(truncatingIfNeeded: information1)) }
    public var isByIRET: Bool { information2 & 1 << 36 != 0 }
    public var isByJump: Bool { information2 & 1 << 38 != 0 }
    /// What the new task finds on its stack.
    public var errorCode: UInt32? { information2 & 1 << 44 != 0 ? UInt32(truncatingIfNeeded: information2) : nil }
    /// What RFLAGS.RF would be in the TSS of the task that goes.
    public var resumeFlag: Bool { information2 & 1 << 48 != 0 }
}

/// EXITINFO1 of a nested page fault (APM volume 2, "Nested versus Guest Page Faults, Fault Ordering").
public struct NestedPageFaultInformation {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Bits 5:0: what the nested tables said, as in an error code of #PF.
    public var errorCode: PageFaultErrorCode { .init(rawValue: UInt32(truncatingIfNeeded: rawValue) & 0x3F) }
    /// Bit 6: an access to a shadow stack.
    public var isShadowStack: Bool { rawValue & 1 << 6 != 0 }
    /// Bit 32: the final translation faulted.
    public var isFinalTranslation: Bool { rawValue & 1 << 32 != 0 }
    /// Bit 33: the walk of the guest's own tables faulted.
    public var isDuringWalk: Bool { rawValue & 1 << 33 != 0 }
    /// Bit 37: the page is one for supervisor shadow stacks.
    public var isShadowStackPage: Bool { rawValue & 1 << 37 != 0 }
}

/// EXITINFO1 and EXITINFO2 of a virtual interprocessor interrupt that was not delivered (APM volume 2, "AVIC IPI Delivery Not
/// Completed").
public struct AVICIncompleteIPIInformation {
    let information1: UInt64
    let information2: UInt64

    public init(_ information1: UInt64, _ information2: UInt64) {
        self.information1 = information1
        self.information2 = information2
    }

    /// ICRH and ICRL.
    public var command: UInt64 { information1 }
    /// Bits 63:32 of EXITINFO2.
    public var cause: UInt32 { UInt32(truncatingIfNeeded: information2 >> 32) }
    /// Bits 11:0 of EXITINFO2: where in the table of physical or logical APIC IDs the processor stopped.
    public var index: UInt16 { UInt16(truncatingIfNeeded: information2) & 0xFFF }
}

/// EXITINFO1 and EXITINFO2 of an access to a virtual APIC register (APM volume 2, "AVIC Access to Un-accelerated vAPIC
/// Register").
public struct AVICAccessInformation {
    let information1: UInt64
    let information2: UInt64

    public init(_ information1: UInt64, _ information2: UInt64) {
        self.information1 = information1
        self.information2 = information2
    }

    public var isWrite: Bool { information1 & 1 << 32 != 0 }
    /// Bits 11:4 of EXITINFO1: the register's offset in the APIC page.
    public var offset: UInt16 { UInt16(truncatingIfNeeded: information1) & 0xFF0 }
    /// Bits 7:0 of EXITINFO2: the vector that an EOI ended.
    public var vector: UInt8 { UInt8(truncatingIfNeeded: information2) }
}

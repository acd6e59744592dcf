import Memory
import X86

/// Why the guest stopped executing, in words that both backends speak.
///
/// Every case has one handler; the compiler proves that none is forgotten.
public enum Exit: Equatable, Sendable {
    /// An exception that the exception bitmap asks for.
    case exception(ExceptionExit)
    case nonMaskableInterrupt
    /// A host interrupt; its vector, if it was acknowledged on the exit.
    case externalInterrupt(vector: UInt8?)
    case tripleFault
    case initSignal
    case startupIPI(vector: UInt8)
    case systemManagementInterrupt
    case interruptWindow
    case nonMaskableInterruptWindow
    case taskSwitch(TaskSwitch)
    case cpuid
    case halt
    case hypercall
    /// INVD (discarding) or WBINVD (writing back).
    case invalidateCaches(writesBack: Bool)
    case invalidatePage(GuestVirtualAddress)
    case invalidateByPCID
    case readTimeStamp(withAuxiliary: Bool)
    case readPerformanceCounter
    case readMSR
    case writeMSR
    case io(IOAccess)
    case controlRegister(ControlRegisterAccess)
    case debugRegister(DebugRegisterAccess)
    /// LGDT, SIDT, LTR and their kind.
    case descriptorTable
    case setExtendedControlRegister
    case monitor
    case wait
    case pause
    case monitorTrap
    case random(seed: Bool)
    case nestedPageFault(NestedPageFault)
    case nestedPageMisconfiguration(GuestPhysicalAddress)
    case timerExpired
    /// An instruction of VMX or SVM itself.
    case virtualizationInstruction
    /// An instruction that Martlet never offers to guests and that exits anyway.
    case unofferedInstruction
    /// What the virtual APIC page and access page report.
    case virtualAPIC(VirtualAPICExit)
    /// The processor's log of written pages is full.
    case modificationLogFull
    /// The processor refused the guest's state: nothing of the guest ran.
    case failedEntry(reason: UInt32)
    /// A reason that Martlet has no control set for, by the backend's number.
    case unexpected(reason: UInt32)
}

/// An exception taken from the guest.
public struct ExceptionExit: Equatable, Sendable {
    public var vector: ExceptionVector
    /// An exception raised by the processor, or by INT1, INT3 or INTO.
    public var kind: Event.Kind
    public var errorCode: UInt32?
    /// CR2 for a page fault, DR6's new bits for a debug exception, else 0.
    public var qualification: UInt64

    public init(vector: ExceptionVector, errorCode: UInt32?, qualification: UInt64, kind: Event.Kind = .exception) {
        self.vector = vector
        self.errorCode = errorCode
        self.qualification = qualification
        self.kind = kind
    }

    /// Whether a debug exception is a single step, perhaps with breakpoints too: DR6.BS (SDM volume 3, "Debug Status Register
    /// (DR6)").
    public var isSingleStep: Bool { !kind.isSoftware && qualification & DebugStatus.singleStep != 0 }
}

/// A hardware task switch, which 64-bit processors leave to the hypervisor.
public struct TaskSwitch: Equatable, Sendable {
    public enum Source: UInt8, Sendable { case call = 0, iret = 1, jump = 2, taskGate = 3 }
    public var selector: UInt16
    public var source: Source

    public init(selector: UInt16, source: Source) {
        self.selector = selector
        self.source = source
    }
}

/// A port instruction.
public struct IOAccess: Equatable, Sendable {
    public var port: UInt16
    /// 1, 2 or 4 bytes.
    public var size: Int
    public var isInput: Bool
    /// INS or OUTS: the data is in memory.
    public var isString: Bool
    /// A REP prefix: RCX counts.
    public var isRepeated: Bool

    public init(port: UInt16, size: Int, isInput: Bool, isString: Bool = false, isRepeated: Bool = false) {
        self.port = port
        self.size = size
        self.isInput = isInput
        self.isString = isString
        self.isRepeated = isRepeated
    }
}

/// A control-register instruction.
public enum ControlRegisterAccess: Equatable, Sendable {
    /// MOV to control register 0, 3, 4 or 8.
    case write(register: UInt8, from: RegisterNumber)
    /// MOV from control register 3 or 8.
    case read(register: UInt8, to: RegisterNumber)
    /// CLTS.
    case clearTaskSwitched
    /// LMSW with its 16-bit operand.
    case loadMachineStatus(UInt16)
}

/// MOV to or from a debug register.
public struct DebugRegisterAccess: Equatable, Sendable {
    public var register: UInt8
    public var isRead: Bool
    public var general: RegisterNumber

    public init(register: UInt8, isRead: Bool, general: RegisterNumber) {
        self.register = register
        self.isRead = isRead
        self.general = general
    }
}

/// An access that the nested page tables (EPT, NPT) do not allow.
public struct NestedPageFault: Equatable, Sendable {
    public var address: GuestPhysicalAddress
    public var isRead: Bool
    public var isWrite: Bool
    public var isFetch: Bool
    /// Whether anything is mapped at the address at all.
    public var isMapped: Bool
    /// The guest's page walk itself made the access, not the instruction.
    public var duringWalk: Bool

    public init(address: GuestPhysicalAddress, isRead: Bool, isWrite: Bool, isFetch: Bool, isMapped: Bool, duringWalk: Bool) {
        self.address = address
        self.isRead = isRead
        self.isWrite = isWrite
        self.isFetch = isFetch
        self.isMapped = isMapped
        self.duringWalk = duringWalk
    }
}

/// What the processor's APIC virtualization reports.
public enum VirtualAPICExit: Equatable, Sendable {
    /// An access to the APIC-access page that is not virtualized.
    case access(offset: UInt16, isWrite: Bool, isFetch: Bool)
    /// The guest wrote a register of the virtual-APIC page.
    case write(offset: UInt16)
    case endOfInterrupt(vector: UInt8)
    case priorityBelowThreshold
    /// The delivery of an event, or the processor's own page walk, touched the APIC-access page.
    case accessDuringDelivery(offset: UInt16)
}

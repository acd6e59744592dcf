import Devices
import Memory
import Trace
import Virtualization
import X86

/// One virtual CPU of a virtual machine, with all that belongs to it alone.
///
/// The world switch knows its beginning: the general registers (120 bytes), then the run loop's stack pointer, then where
/// exits are recorded.
public struct VirtualCPU<Processor: VirtualProcessor, Host: HostServices>: ~Copyable {
    public var registers = GeneralRegisters()
    /// The world switch's: the run loop's stack pointer while the guest runs.
    var runLoopStackPointer: UInt64 = 0
    /// Where exits are recorded.
    public var records = RecordSlots()
    /// How many VM exits there were.
    public internal(set) var exitCount: UInt64 = 0
    /// What the run loop is to do about the last exit.
    public internal(set) var pending = Outcome.resume

    public let processor: Processor
    public let host: Host
    var memory: GuestMemory
    /// The devices of the machine, whose owner is the virtual machine.
    let board: UnsafeMutablePointer<Board>
    var apic: LocalAPIC
    /// The time stamp when the machine was started.
    var startTime: UInt64
    /// The next moment at which a device of the machine or the local APIC does something.
    var nextEvent = MachineTime.never
    /// Interrupt-window exiting is on.
    var isWindowOpen = false
    /// The class that the guest's task priority must fall below, as the processor was told.
    var awaitedPriorityClass: UInt8 = 0
    /// The guest moved its local APIC's registers away from their usual place.
    var hasMovedAPIC = false
    var isNonMaskablePending = false
    /// An I/O APIC passed the request of the 8259 pair on.
    var takesExternalMessage = false
    /// The state of the I/O APIC's table that the processor was told of.
    var seenRedirectionChanges: UInt64 = .max
    /// INIT reached this virtual CPU.
    var isResetPending = false
    var answers: CPUIDAnswers
    var msrs: EmulatedMSRs
    var timer = GuestTimer()
    var features: GuestFeatures
    /// Accesses to guest-physical memory that is not there.
    public internal(set) var absentMemoryAccesses: UInt64 = 0
    /// Exits with a register that Martlet does not have: #GP was the answer.
    public internal(set) var refusedMSRs: UInt64 = 0
    /// What the guest wants kept when it is started anew: a word for hypercalls 3 and 4.
    public var note: UInt64 = 0
    /// How many time-stamp ticks a guest runs at most before Martlet looks at it.
    let slice: UInt64

    /// - Parameters:
    ///   - board: the machine's devices, which live as long as the virtual CPU.
    ///   - apicPage: 4 KiB for the local APIC's registers, likewise; the processor's virtual-APIC page.
    public init(
        processor: Processor, host: Host, memory: GuestMemory, board: UnsafeMutablePointer<Board>,
        apicPage: UnsafeMutablePointer<UInt32>, features: GuestFeatures, answers: consuming CPUIDAnswers, slice: UInt64
    ) {
        self.processor = processor
        self.host = host
        self.memory = memory
        self.board = board
        apic = LocalAPIC(
            page: apicPage, identifier: 0, isBootstrap: true, physicalAddressWidth: features.physicalAddressWidth,
            timerShift: features.localAPICTimerShift)
        startTime = host.timeStamp()
        self.features = features
        self.slice = slice
        self.answers = answers
        msrs = EmulatedMSRs(features)
    }

    /// How many port accesses found no device.
    public var absentPortAccesses: UInt64 { board.pointee.absentAccesses }

    /// What a message, or the lack of any sign of progress, makes of the guest.
    var demandedEnd: Ending? {
        if isResetPending { return .reset }
        return board.pointee.isOverdue ? .overdue : nil
    }

    // MARK: One exit

    @inline(__always)
    public mutating func countExit() { exitCount &+= 1 }

    // Each of these finishes an exit whole, where nothing has to be waited for. The first two do nothing and return false if
    // the exit needs another way; the others return true to resume the guest at once, false for the run loop.

    /// CPUID, hypercall and timer, in the fewest instructions.
    @inline(__always)
    public mutating func finishMostFrequentExit(_ reason: UInt32) -> Bool {
        switch processor.frequentExit(reason) {
        case .cpuid: answerQuickCPUID()
        case .hypercall: answerSignature()
        case .timerExpired: extendSlice()
        default: false
        }
    }

    /// RDMSR and WRMSR of emulated registers.
    @inline(__always)
    public mutating func finishMSRExit(_ exit: FrequentExit) -> Bool {
        switch exit {
        case .readMSR: readEmulatedMSR()
        case .writeMSR: writeEmulatedMSR()
        default: false
        }
    }

    /// Whether a WRMSR exit is an end of interrupt, which has a way of its own.
    @inline(__always)
    public var writesEndOfInterrupt: Bool {
        mutating get { UInt32(truncatingIfNeeded: registers.rcx) == 0x80B }
    }

    /// Whether it may be an interrupt to itself or a new deadline, which have another: from IA32_TSC_DEADLINE to the last
    /// register of the local APIC's.
    @inline(__always)
    public var writesAPICRegister: Bool {
        mutating get { UInt32(truncatingIfNeeded: registers.rcx) &- 0x6E0 <= 0x83F - 0x6E0 }
    }

    /// IN and OUT of the ports that are used most. Returns false for all others, and nothing was done.
    @inline(__always)
    public mutating func finishFrequentIO() -> Bool {
        guard performFrequentIO(processor.decodeIO()) else { return false }
        processor.stepPastInstruction()
        return true
    }

    @inline(__always)
    public mutating func finishHalt() -> Bool { apply(halt()) }

    @inline(__always)
    public mutating func finishNestedPageFault() -> Bool {
        apply(resolve(processor.decodeNestedPageFault()))
    }

    @inline(__always)
    public mutating func finishAnyExit() -> Bool { applyAndAttend(handle(processor.decodeExit())) }

    /// Handles an exit as those above do, for the run loop, which looks on.
    public mutating func finishObservedExit(_ exit: Exit) -> Outcome {
        countExit()
        let outcome = handle(exit)
        pending = .resume
        _ = applyAndAttend(outcome)
        return outcome
    }

    /// Brings about what a handler decided: the one place that moves RIP or injects.
    /// - Returns: false if the run loop has something to do, which is then `pending`.
    @inline(__always)
    public mutating func apply(_ outcome: Outcome) -> Bool {
        switch outcome {
        case .resume: return true
        case .step:
            processor.stepPastInstruction()
            return true
        case .stepLength(let length):
            processor.stepPastInstruction(length: UInt64(length))
            return true
        case .inject(let event):
            processor.inject(event)
            return true
        case .wait, .end:
            pending = outcome
            return false
        }
    }

    /// The same, and what the devices ask for besides: of nothing of that an exit pays that touches none.
    @inline(__always)
    mutating func applyAndAttend(_ outcome: Outcome) -> Bool {
        guard apply(outcome) else { return false }
        return board.pointee.needsAttention ? attend() : true
    }

    /// What happens on each exit. Every case is named; the compiler proves that none is forgotten.
    @inline(__always)
    public mutating func handle(_ exit: Exit) -> Outcome {
        switch exit {
        case .cpuid: answerCPUID()
        case .hypercall: answerHypercall()
        case .io(let access): access.isString ? performStringIO(access) : performIO(access)
        case .readMSR: readMSR()
        case .writeMSR: writeMSR()
        case .nestedPageFault(let fault): resolve(fault)
        case .timerExpired: serveTimer()
        case .halt: halt()
        case .interruptWindow: openInterruptWindow()
        case .controlRegister(let access): accessControlRegister(access)
        case .debugRegister(let access): accessDebugRegister(access)
        case .setExtendedControlRegister: setExtendedControlRegister()
        case .exception(let exception): reflect(exception)
        case .externalInterrupt(let vector): finishHostInterrupt(vector)
        case .nonMaskableInterrupt: finishHostNonMaskableInterrupt()
        case .nonMaskableInterruptWindow: openNonMaskableInterruptWindow()
        case .virtualAPIC(let exit): serve(exit)
        case .monitorTrap: .resume  // its control is the monitor's, which looks on
        case .modificationLogFull, .random, .invalidatePage, .invalidateByPCID, .readTimeStamp, .pause,
            .descriptorTable:
            .end(.unsupported(.controlNotSet))
        case .invalidateCaches: .step  // guest RAM is coherent, and no device of the guest's sees memory behind the caches
        case .readPerformanceCounter: .inject(.generalProtection)  // no counters are offered
        case .monitor, .wait, .virtualizationInstruction, .unofferedInstruction: .inject(.invalidOpcode)
        case .tripleFault: .end(.tripleFault)
        case .initSignal: .end(.unsupported(.initSignal))
        case .startupIPI: .end(.unsupported(.startupIPI))
        case .systemManagementInterrupt: .end(.unsupported(.systemManagementInterrupt))
        case .taskSwitch: .end(.unsupported(.taskSwitch))
        case .nestedPageMisconfiguration: .end(.unsupported(.nestedPageMisconfiguration))
        case .unexpected(let reason):
            .end(reason & 1 << 31 != 0 ? .entryFailure(reason: reason) : .unsupported(.unknownReason(reason)))
        }
    }
}

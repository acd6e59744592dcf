import Devices
import Memory
import Trace
import Virtualization
import X86

/// One virtual CPU of a virtual machine, with everything that belongs to it alone.
///
/// The world switch knows its beginning: the general registers (120 bytes), then the run loop's stack pointer, then where
/// exits are recorded.
public struct VirtualCPU<Processor: ProcessorBackend, Host: HostServices>: ~Copyable {
    public typealias Machine = VirtualMachine<Processor, Host>

    public var registers = GeneralRegisters()
    /// The world switch's: the run loop's stack pointer while the guest runs.
    var runLoopStackPointer: UInt64 = 0
    /// Where exits are recorded.
    public var records = RecordSlots()
    /// How many VM exits there were.
    public internal(set) var exitCount: UInt64 = 0
    /// What the run loop is to do about the last exit.
    public internal(set) var pending = Outcome.resume
    /// What became of the last exit that someone observed.
    var observed = Outcome.resume

    public let processor: Processor
    public let host: Host
    var memory: GuestMemory
    /// The machine that it belongs to, and that machine's devices.
    public let machine: Machine.Pointer
    let board: UnsafeMutablePointer<Board>
    /// Its place in the machine's list, which is its local APIC's identifier.
    public let number: Int
    var apic: LocalAPIC
    /// The time stamp when the machine was started.
    var startTime: UInt64
    /// The next moment at which a device of the machine or the local APIC does something.
    var nextEvent = MachineTime.never
    /// The time stamp at which something is due: of the devices, the local APIC, or the guest's own timer.
    var dueMoment = MachineTime.farthest.ticks
    /// The time stamp from which the clock must be checked before the guest goes on: something is then due, or the timer that
    /// should end the guest's run no longer tells when it will be.
    var nextLook = MachineTime.farthest.ticks
    /// Interrupt-window exiting is on.
    var isWindowOpen = false
    /// The class that the guest's task priority must fall below, as the processor was told.
    var awaitedPriorityClass: UInt8 = 0
    /// Waiting events that RFLAGS.IF does not mask: an NMI, and the debug trap that the last instruction raised.
    var unmasked = BoundaryEvents.none
    /// An I/O APIC passed on the 8259 pair's request.
    var takesExternalMessage = false
    /// The page of RAM over which the guest has moved its local APIC.
    var pageUnderLocalAPIC: GuestPhysicalAddress?
    /// How often the output of the 8259 pair had risen at the last look.
    var seenExternalRises: UInt32 = 0
    /// The state of the I/O APIC's table that the processor knows.
    var seenRedirectionChanges: UInt64 = .max
    /// Shadow tables wait for the guest to load segments of protected mode; it traps after each instruction.
    public internal(set) var awaitsSegments = false
    /// Where the last page fault came that the shadow tables did not explain.
    var fruitlessFault: GuestVirtualAddress?
    /// INIT reached this virtual CPU.
    var isResetPending = false
    /// What needs attention before the guest goes on.
    var attention = Attention.none
    var answers: CPUIDAnswers
    var msrs = EmulatedMSRs()
    var msrPlaces: MSRPlaces
    var timer = HypercallTimer()
    var features: GuestFeatures
    /// Accesses to guest-physical memory that is not there.
    public internal(set) var absentMemoryAccesses: UInt64 = 0
    /// Accesses to MSRs that Martlet refused with #GP.
    public internal(set) var refusedMSRs: UInt64 = 0
    /// How many time-stamp ticks a guest runs at most before Martlet checks on it.
    let slice: UInt64

    /// - Parameters:
    ///   - machine: must stay where it is as long as the virtual CPU lives.
    ///   - number: its place in the machine's list; that of number 0 is the bootstrap processor.
    ///   - apicPage: 4 KiB for the local APIC's registers, likewise; the processor's virtual-APIC page.
    public init(
        processor: Processor, host: Host, machine: Machine.Pointer, number: Int,
        apicPage: UnsafeMutablePointer<UInt32>, features: GuestFeatures, answers: consuming CPUIDAnswers, slice: UInt64
    ) {
        self.processor = processor
        self.host = host
        self.machine = machine
        self.number = number
        memory = machine.pointee.memory
        board = machine.pointee.boardPointer
        apic = LocalAPIC(
            page: apicPage, identifier: UInt32(number), isBootstrap: number == 0,
            physicalAddressWidth: features.physicalAddressWidth,
            timerShift: features.localAPICTimerShift, hasDeadlineMode: features.hasTimeStampDeadline)
        startTime = host.timeStamp()
        self.features = features
        self.slice = slice
        self.answers = answers
        msrPlaces = MSRPlaces(features, &msrs)
    }

    /// How many port accesses found no device.
    public var absentPortAccesses: UInt64 { board.pointee.absentAccesses }

    /// The end that a message, the lack of any sign of progress, or the person who runs Martlet demands.
    var demandedEnd: Ending? {
        if isResetPending { return .reset }
        if host.isToldToStop { return .stopped }
        return board.pointee.isOverdue ? .overdue : nil
    }
}

import Virtualization

/// What is to happen after an exit was handled. One place carries it out: the end of ExitHandling.swift.
public enum Outcome: Equatable, Sendable {
    /// Execute the instruction again, or continue where the event came.
    case resume
    /// The instruction was emulated: continue after it.
    case step
    /// The instruction was emulated, and its length is known from its bytes alone.
    case stepLength(UInt8)
    /// Some elements of a repeated string instruction were emulated: it continues.
    case iterate
    /// The processor is to execute the instruction, on stand-ins for pages that are not RAM (Emulation/StandInExecution.swift).
    case execute
    /// The instruction faults: deliver the exception, RIP stays.
    case inject(Event)
    /// An interrupt ended HLT at once, with RIP already past it: deliver it.
    case wake(Event)
    /// The guest sleeps, with RIP past HLT, until something wakes it.
    case wait
    /// The guest has ended.
    case end(Ending)
}

/// Why a guest ended.
public enum Ending: Equatable, Sendable {
    /// It wrote a value to the debug-exit port.
    case debugExit(UInt32)
    /// It halted, and nothing can wake it.
    case halted(interruptsEnabled: Bool)
    case tripleFault
    /// It switched the machine off.
    case powerOff
    /// It reset the machine, which starts again.
    case reset
    /// It did not leave a note in time.
    case overdue
    /// It was ended from the monitor.
    case dismissed
    /// The person who runs Martlet wants it to end.
    case stopped
    /// It did something that Martlet does not emulate.
    case unsupported(Unsupported)
    /// The VM entry failed (exit reason bit 31).
    case entryFailure(reason: UInt32)
}

/// What Martlet does not emulate; each ends the guest in words.
public enum Unsupported: Equatable, Sendable {
    case initSignal
    case startupIPI
    case systemManagementInterrupt
    /// An exit whose control Martlet never sets.
    case controlNotSet
    case unknownReason(UInt32)
    /// An instruction on a device or absent memory that the decoder does not know.
    case instruction
    /// Code in absent memory.
    case fetchFromAbsentMemory
    /// A page table or descriptor table in absent memory.
    case tableInAbsentMemory
    case nestedPageMisconfiguration
    /// The machine itself reported an error while the guest ran.
    case machineCheck
    /// Under direct paging, what the guest did to its paging.
    case directPaging(DirectObstacle)
}

/// Why direct paging cannot begin, or go on.
public enum DirectObstacle: UInt8, Equatable, Sendable {
    // The tables that the guest turned paging on with, as a DirectRefusal.
    case foreign = 1
    case wrongTable = 2
    case reservedBits = 3
    case writableTable = 4
    case inUse = 5
    case tooMany = 6
    /// Paging other than with four levels in long mode.
    case otherMode = 7
    /// CR0.WP is clear.
    case noWriteProtection = 8
    /// CR0.PG is clear again.
    case pagingOff = 9
    /// A segment register holds what protected mode does not load.
    case segments = 10
}

import Debug
import VMX
import X86

/// The guest as a debugger sees it while it is stopped.
///
/// Virtual CPUs are threads, numbered from 1 as the protocol wants it. Nothing here may trap for any argument: they all
/// come from the debugger.
public protocol DebugTarget: AnyObject {
    /// Waits until there is a guest to be asked.
    /// - Parameter isPatient: called now and then meanwhile.
    func awaitGuest(_ isPatient: () -> Void)

    /// The number of virtual CPUs, at least one.
    var threadCount: UInt32 { get }

    /// The mode that a virtual CPU executes in.
    func mode(of thread: UInt32) -> ProcessorMode

    /// A register; nil if it cannot be read.
    func read(_ register: GuestRegister, of thread: UInt32) -> UInt64?

    /// Changes a register.
    /// - Throws: why the register or the value is refused; nothing was done then.
    func write(_ value: UInt64, to register: GuestRegister, of thread: UInt32) throws(Complaint)

    /// The VMCS fields of this processor.
    var fields: [VMCSFieldDescription] { get }

    /// A VMCS field; nil if it cannot be read.
    func read(_ field: VMCSFieldEncoding, of thread: UInt32) -> UInt64?

    /// Changes a field of the guest's state.
    func write(_ value: UInt64, to field: VMCSFieldEncoding, of thread: UInt32) throws(Complaint)

    /// Bytes of the guest's RAM by linear address, regardless of access rights, up to the first that is unreadable: a device is not
    /// read because a person looks at it. Software breakpoints are not in them.
    func read(_ count: Int, at address: UInt64, of thread: UInt32) -> [UInt8]

    /// Changes bytes of the guest's RAM.
    /// - Returns: false, and nothing was done, if one has no place.
    func write(_ bytes: [UInt8], at address: UInt64, of thread: UInt32) -> Bool

    /// Watches a range of linear addresses for all virtual CPUs. To ask again for what is there already is no error, and
    /// neither counts twice.
    func insert(_ watch: DebugWatch) -> WatchAnswer

    /// Ends a watch. To end what is not there is no error.
    func remove(_ watch: DebugWatch) -> WatchAnswer

    /// Ends all watches: a new debugger does not know of them.
    func removeAllWatches()

    /// Does a command of the monitor's.
    /// - Parameter command: its line, as it was typed.
    /// - Returns: what it says, and whether the guest is to run on.
    func perform(_ command: String) -> (lines: [String], answer: CommandAnswer)

    /// Where the guest stopped again, after a command that let it run.
    var stopReport: [String] { get }
}

/// A watch of a debugger's.
public struct DebugWatch: Hashable, Sendable {
    /// By the protocol's numbers.
    public enum Kind: UInt8, Equatable, Sendable {
        /// INT3 in the place of the instruction.
        case software
        case execute, write, read, access
    }

    public var kind: Kind
    public var address: UInt64
    /// In bytes, as the debugger says it; 1 for instructions.
    public var length: UInt64

    public init(_ kind: Kind, at address: UInt64, length: UInt64) {
        self.kind = kind
        self.address = address
        self.length = length
    }
}

/// What became of the wish for a watch.
public enum WatchAnswer: Equatable, Sendable {
    case done
    /// There is no such kind here.
    case unsupported
    /// There is no memory there.
    case noMemory
    /// There is, but not for this address and length, or not for one more.
    case refused
}

/// What became of a command of the monitor's.
public enum CommandAnswer: Equatable, Sendable {
    case done
    /// The guest is to run on; what stops it ends the command.
    case resume
}

/// What the guest does after the debugger's last word.
public enum Resumption: Equatable, Sendable {
    case `continue`
    /// One instruction of a virtual CPU.
    case step(thread: UInt32)
    /// As a command of the monitor's has said (`CommandAnswer.resume`).
    case command
    /// On its own, without a debugger.
    case detach
    /// The debugger's connection is lost: the guest stays where it is until the next one connects.
    case lost
    /// The run ends.
    case kill
}

/// Why the guest stopped, and on which virtual CPU.
public struct DebugStop: Equatable, Sendable {
    public enum Reason: Equatable, Sendable {
        /// It has not run yet.
        case start
        case step
        /// At an instruction in whose place a software breakpoint is; RIP is there.
        case softwareBreakpoint
        case hardwareBreakpoint
        /// After an access to this address.
        case watchpoint(DebugWatch.Kind, UInt64)
        /// The debugger, or a person, asked for it.
        case interrupt
        case signal(DebugSignal)
        /// The guest has ended with this status, and runs no more.
        case exit(UInt8)
    }

    public var reason: Reason
    public var thread: UInt32

    public init(_ reason: Reason, thread: UInt32 = 1) {
        self.reason = reason
        self.thread = thread
    }

    var signal: DebugSignal {
        switch reason {
        case .start, .step, .softwareBreakpoint, .hardwareBreakpoint, .watchpoint, .exit: .trap
        case .interrupt: .interrupt
        case .signal(let signal): signal
        }
    }
}

/// Signals by GDB's numbers ("Stop Reply Packets" in its manual).
public enum DebugSignal: UInt8, Equatable, Sendable {
    case interrupt = 2, illegalInstruction = 4, trap = 5, abort = 6, arithmetic = 8, bus = 10, segmentation = 11
}

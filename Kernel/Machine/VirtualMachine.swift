import Devices
import Memory
import Text
import Trace
import Virtualization

/// What a virtual machine holds of its guest, as a plain value, without RAM and virtual CPUs.
public struct VirtualMachineState: Equatable {
    var board: Board.State
    var note: UInt64
}

/// One virtual machine: its RAM, its devices, its virtual CPUs, and its statistics. It lives through all resets of its guest.
///
/// It must stay where it is while it has virtual CPUs: they know its place.
public struct VirtualMachine<Processor: ProcessorBackend, Host: HostServices>: ~Copyable {
    public typealias CPU = VirtualCPU<Processor, Host>
    public typealias State = VirtualMachineState
    public typealias Pointer = UnsafeMutablePointer<VirtualMachine<Processor, Host>>

    /// The guest's name.
    public let name: Line
    public let memory: GuestMemory
    public private(set) var board: Board
    /// Of all its virtual CPUs' exits that someone observed.
    public var statistics = ExitStatistics()
    /// What the guest wants kept when it is restarted: a word for hypercalls 3 and 4.
    public internal(set) var note: UInt64 = 0
    /// The page of RAM that the nested page tables do not map, since a local APIC is placed there.
    var hiddenPage: GuestPhysicalAddress?
    /// The tables that translate for its guest in place of nested ones; nil where those do.
    public var shadow: UnsafeMutablePointer<ShadowTables<GuestMemory>>?
    /// Which of its guest's pages are tables that the processor walks directly; nil where other tables translate.
    public var direct: UnsafeMutablePointer<DirectTables<GuestMemory>>?
    /// What its devices were made with.
    private var parameters: Board.Parameters
    private var cpus: [8 of CPU.Pointer?] = .init(repeating: nil)
    /// How many virtual CPUs it has; their local APICs' identifiers are the numbers below.
    public private(set) var cpuCount = 0

    public static var maximumCPUCount: Int { 8 }

    public init(name: Line, memory: GuestMemory, _ parameters: Board.Parameters) {
        self.name = name
        self.memory = memory
        self.parameters = parameters
        board = Board(parameters)
    }

    /// A reset: its devices are as at the start, except for what a battery keeps; virtual CPUs must be added again.
    @inline(never)
    public mutating func restart(_ parameters: Board.Parameters) {
        self.parameters = parameters
        hiddenPage = nil
        board.restart(parameters)
        cpus = .init(repeating: nil)
        cpuCount = 0
    }

    /// Makes the devices again, as they were made: nothing the guest did to them is left.
    @inline(never)
    public mutating func makeAnew() {
        board = Board(parameters)
        note = 0
    }

    /// Everything it holds of its guest, except its RAM and what its virtual CPUs hold.
    public var state: State { State(board: board.state, note: note) }
    public mutating func restore(_ state: State) {
        board.restore(state.board)
        note = state.note
    }

    /// Where the devices are, as long as the machine stays where it is.
    var boardPointer: UnsafeMutablePointer<Board> {
        mutating get { withUnsafeMutablePointer(to: &board) { $0 } }
    }

    /// Adds a virtual CPU, which was made with the number that `cpuCount` is.
    public mutating func add(_ cpu: CPU.Pointer) {
        precondition(cpu.pointee.number == cpuCount && cpuCount < Self.maximumCPUCount)
        cpus[cpuCount] = cpu
        cpuCount += 1
    }

    // MARK: Interrupt messages

    /// Hands a message to its destination virtual CPUs, except the one that asks, which takes it itself. Of the destinations of a
    /// lowest-priority message, the one with the lowest processor priority takes it, and of several such, the first
    /// (SDM volume 3, "Lowest Priority Delivery Mode").
    /// - Parameters:
    ///   - asking: the number of the virtual CPU that asks.
    ///   - isForSender: the message is meant for it too.
    ///   - priority: its processor priority.
    /// - Returns: whether it takes the message, and whether another accepted it.
    mutating func deliver(
        _ message: InterruptMessage, askedBy asking: Int, isForSender: Bool, priority: UInt8
    ) -> (isForSender: Bool, isAccepted: Bool) {
        if message.deliveryMode == .lowestPriority { return arbitrate(message, asking, isForSender, priority) }
        var isAccepted = false
        for number in 0..<cpuCount where number != asking {
            guard let cpu = cpus[number], cpu.pointee.apic.matches(message) else { continue }
            if cpu.pointee.acceptHere(message) { isAccepted = true }
        }
        return (isForSender, isAccepted)
    }

    /// Makes the other virtual CPUs look at the devices once before they go on.
    func callOthers(than asking: Int) {
        for number in 0..<cpuCount where number != asking {
            guard let cpu = cpus[number], cpu.pointee.seenRedirectionChanges != board.redirectionChanges else { continue }
            cpu.pointee.attention.insert(.devices)
        }
    }

    private mutating func arbitrate(
        _ message: InterruptMessage, _ asking: Int, _ isForSender: Bool, _ priority: UInt8
    ) -> (isForSender: Bool, isAccepted: Bool) {
        var chosen: Int?
        var least = UInt8.max
        for number in 0..<cpuCount {
            guard let cpu = cpus[number], number == asking ? isForSender : cpu.pointee.apic.matches(message) else { continue }
            let own = number == asking ? priority : cpu.pointee.apic.processorPriority
            guard chosen == nil || own < least else { continue }
            (chosen, least) = (number, own)
        }
        guard let chosen else { return (false, false) }
        if chosen == asking { return (true, false) }
        return (false, cpus[chosen]?.pointee.acceptHere(message) ?? false)
    }
}

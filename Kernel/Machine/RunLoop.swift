import Memory
import Trace
import Virtualization
import X86

/// An exit that comes to the run loop to be observed, with the guest's state when it came.
public struct ObservedExit {
    public let exit: Exit
    /// The backend's number of the reason, and its name.
    public let reason: UInt32
    public let name: StaticString
    public let place: CodeAddress
    public let registers: GeneralRegisters
    /// The host's time stamp when it came, and how long the guest had run.
    public let arrival: UInt64
    public let guestTicks: UInt64
}

/// What the run loop needs from its surroundings: the way into the guest, and its observers.
public protocol RunLoopServices {
    associatedtype Processor: ProcessorBackend
    associatedtype Host: HostServices
    typealias CPU = VirtualCPU<Processor, Host>

    /// The guest is about to be entered.
    /// - Returns: false, with the reason reported, if it must not be.
    mutating func willEnter(_ cpu: CPU.Pointer) -> Bool
    /// Enters the guest until an exit returns.
    /// - Returns: false, with the reason reported, if the instruction that enters it failed.
    mutating func enter(_ cpu: CPU.Pointer) -> Bool

    /// The stand-ins for instructions on what is not RAM; nil if the processor cannot stop after one instruction.
    mutating func standIns() -> StandIns?
    /// Makes every exit return, observed or not, or only those that did before.
    mutating func leadBack(_ all: Bool, _ cpu: CPU.Pointer)

    /// Whether every exit returns before it is handled; else only those that the exit handler left.
    var seesExits: Bool { get }
    /// Decides about an exit before it is handled.
    /// - Returns: the exit to handle, perhaps not the one that came; nil if there is nothing to do.
    mutating func judge(_ seen: ObservedExit, _ cpu: CPU.Pointer) -> Exit?
    /// An exit was handled.
    /// - Parameters:
    ///   - exit: what `judge` made of it.
    ///   - ticks: how long that took.
    mutating func didHandle(_ seen: ObservedExit, as exit: Exit, _ outcome: Outcome, ticks: UInt64, _ cpu: CPU.Pointer)
    /// The guest may be held here for any length of time.
    /// - Returns: how it ends, if someone decides that.
    mutating func hold(_ cpu: CPU.Pointer) -> Ending?
    /// The host is needed while the guest sleeps in HLT.
    mutating func holdAsleep(_ cpu: CPU.Pointer) -> Ending?
    /// Takes a page of the guest's RAM out of its nested page tables, or puts it back.
    mutating func setHidden(_ page: GuestPhysicalAddress, _ isHidden: Bool, _ cpu: CPU.Pointer)
    /// Nothing is left to do about the exit.
    mutating func didFinish(_ cpu: CPU.Pointer)
}

extension VirtualCPU {
    /// Enters the guest until it ends, and does what an exit leaves to do: shows it, and waits out HLT.
    /// - Returns: why it ended; nil if it could not be entered.
    public static func run<Services: RunLoopServices>(_ cpu: Pointer, _ services: inout Services) -> Ending?
    where Services.Processor == Processor, Services.Host == Host {
        cpu.pointee.followPaging()
        if case .end(let ending) = cpu.pointee.followDirectPaging() { return ending }
        while true {
            guard services.willEnter(cpu) else { return nil }
            let entry = cpu.pointee.host.timeStamp()
            guard services.enter(cpu) else { return nil }
            if services.seesExits {
                guard show(cpu, since: entry, &services) else { return nil }
                if let ending = services.hold(cpu) { return ending }
            }
            followLocalAPIC(cpu, &services)
            while cpu.pointee.pending == .execute {
                switch execute(cpu, &services) {
                case .over: break
                case .interrupted:
                    cpu.pointee.pending = .resume
                    let exit = lastExit(cpu)
                    _ = handleExit(exit, cpu)
                    // Nothing can stand in there, so nothing would change.
                    if cpu.pointee.operandFault(of: exit) != nil, cpu.pointee.pending == .execute {
                        cpu.pointee.end(.unsupported(.instruction))
                    }
                case .refused: return nil
                }
            }
            while case .wait = cpu.pointee.pending, !cpu.pointee.sleep() {
                if let ending = services.holdAsleep(cpu) { return ending }
            }
            services.didFinish(cpu)
            if case .end(let ending) = cpu.pointee.pending { return ending }
        }
    }

    /// A local APIC placed over RAM hides it (SDM volume 3, "Relocating the Local APIC Registers").
    private static func followLocalAPIC<Services: RunLoopServices>(_ cpu: Pointer, _ services: inout Services)
    where Services.Processor == Processor, Services.Host == Host {
        let (wanted, hidden) = (cpu.pointee.pageUnderLocalAPIC, cpu.pointee.machine.pointee.hiddenPage)
        guard wanted != hidden else { return }
        if let hidden { services.setHidden(hidden, false, cpu) }
        if let wanted { services.setHidden(wanted, true, cpu) }
        cpu.pointee.machine.pointee.hiddenPage = wanted
        guard let shadow = cpu.pointee.machine.pointee.shadow else { return }
        shadow.pointee.setHole(wanted)
        cpu.pointee.followPaging()
    }

    /// Shows an exit, and any other that comes before it is fully handled.
    /// - Returns: false if the guest could not be entered.
    private static func show<Services: RunLoopServices>(_ cpu: Pointer, since entry: UInt64, _ services: inout Services) -> Bool
    where Services.Processor == Processor, Services.Host == Host {
        var entry = entry
        while true {
            let arrival = cpu.pointee.host.timeStamp()
            let reason = cpu.pointee.processor.exitReasonNumber
            let seen = ObservedExit(
                exit: lastExit(cpu), reason: reason, name: Processor.name(ofReason: reason),
                place: cpu.pointee.codeAddress, registers: cpu.pointee.registers, arrival: arrival, guestTicks: arrival &- entry)
            cpu.pointee.pending = .resume
            guard let exit = services.judge(seen, cpu) else { return true }
            let start = cpu.pointee.host.timeStamp()
            var outcome = handleExit(exit, cpu)
            var isInterrupted = false
            if outcome == .execute {
                switch execute(cpu, &services) {
                case .over: if case .end = cpu.pointee.pending { outcome = cpu.pointee.pending }
                case .interrupted: isInterrupted = true
                case .refused: return false
                }
            }
            entry = cpu.pointee.host.timeStamp()
            services.didHandle(seen, as: exit, outcome, ticks: entry &- start, cpu)
            if !isInterrupted { return true }
        }
    }
}

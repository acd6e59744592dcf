import Memory
import VMX
import VMXChecks

/// What the agent needs of the kernel.
public protocol AgentHost {
    /// Puts a byte on the line to the host program.
    func put(_ byte: UInt8)
    /// Puts a byte where the guest's COM1 takes its input from.
    /// - Returns: false if there is no room.
    func type(_ byte: UInt8) -> Bool
    var capabilities: VMXCapabilities { get }
    /// What the VM-entry checks have to know of the processor besides.
    var circumstances: EntryCircumstances { get }
    /// Time-stamp ticks a second.
    var frequency: UInt64 { get }
    /// Memory for a state of each `StateMoment`, by its number.
    var states: UnsafeMutablePointer<StateSnapshot> { get }
    associatedtype HostMemory: PhysicalMemory
    /// The machine's memory.
    var hostMemory: HostMemory { get }
    /// Whether this frame of 4 KiB is memory that may be looked at: the guest's RAM, and the tables that its processor works
    /// with; no device, and nothing that is not mapped.
    func hasMemory(in frame: HostPhysicalAddress) -> Bool
    /// Gives pages of the guest's memory other permissions (`PageProtection`).
    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, isForGood: Bool) -> Bool
}

extension AgentHost {
    func state(_ moment: StateMoment) -> UnsafeMutablePointer<StateSnapshot> { states + Int(moment.rawValue) }
}

extension StateMoment {
    public static var count: Int { 3 }
}

import Memory
import VMX
import VMXChecks

/// What the agent needs from the kernel.
public protocol AgentHost {
    /// Puts a byte on the line to the host program.
    func put(_ byte: UInt8)
    /// Puts a byte where the guest's COM1 takes its input from.
    /// - Returns: false if there is no room.
    func type(_ byte: UInt8) -> Bool
    var capabilities: VMXCapabilities { get }
    /// What else the VM-entry checks must know about the processor.
    var circumstances: EntryCircumstances { get }
    /// Time-stamp ticks a second.
    var frequency: UInt64 { get }
    /// Memory for a state of each `StateMoment`, by its number.
    var states: UnsafeMutablePointer<StateSnapshot> { get }
    associatedtype HostMemory: PhysicalMemory
    /// The machine's memory.
    var hostMemory: HostMemory { get }
    /// Whether this 4 KiB frame is memory that may be inspected: the guest's RAM, and the tables that its processor uses; no
    /// device, and nothing unmapped.
    func hasMemory(in frame: HostPhysicalAddress) -> Bool
    /// Changes the permissions of pages of the guest's memory (`PageProtection`).
    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, isForGood: Bool) -> Bool
}

extension AgentHost {
    func state(_ moment: StateMoment) -> UnsafeMutablePointer<StateSnapshot> { states + Int(moment.rawValue) }
}

extension StateMoment {
    public static var count: Int { 3 }
}

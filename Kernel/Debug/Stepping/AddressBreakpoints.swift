import Machine
import VMX
import Virtualization
import X86

/// Breakpoints on linear addresses, in the debug registers that the guest leaves free while it runs (SDM volume 3,
/// "Debug Registers"). While it is stopped, they hold what it put there.
struct AddressBreakpoints {
    static var capacity: Int { 4 }

    private(set) var isLoaded = false
    /// Which of the stops each register has; -1 for none.
    private var owners: [4 of Int] = [-1, -1, -1, -1]
    /// The guest's.
    private var addresses: [4 of UInt64] = [0, 0, 0, 0]
    private var control = DebugRegister7(rawValue: 0)

    /// How many registers the guest leaves free.
    static func freeCount(beside control: DebugRegister7) -> Int {
        var count = 0
        for number in 0..<capacity where !control.isEnabled(number) { count += 1 }
        return count
    }

    /// Begins changing registers.
    mutating func beginLoading<Access: VMCSAccess, Host: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) {
        control = cpu.pointee.processor.debugRegister7
        for number in 0..<AddressBreakpoints.capacity {
            owners[number] = -1
            addresses[number] = cpu.pointee.host.readDebugAddress(number)
        }
        isLoaded = true
    }

    /// Puts a breakpoint into a free register; without one, it is not set.
    mutating func load<Access: VMCSAccess, Host: HostServices>(
        _ owner: Int, at address: UInt64, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) {
        for number in 0..<AddressBreakpoints.capacity {
            guard owners[number] < 0, !control.isEnabled(number) else { continue }
            owners[number] = owner
            cpu.pointee.host.loadDebugAddress(number, address)
            cpu.pointee.processor.debugRegister7 = cpu.pointee.processor.debugRegister7.breaking(number)
            return
        }
    }

    /// Gives the guest its registers back.
    mutating func unload<Access: VMCSAccess, Host: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) {
        guard isLoaded else { return }
        isLoaded = false
        for number in 0..<AddressBreakpoints.capacity where owners[number] >= 0 {
            cpu.pointee.host.loadDebugAddress(number, addresses[number])
        }
        cpu.pointee.processor.debugRegister7 = control
    }

    /// The breakpoint in a given register, if a debug exception hit it.
    /// - Parameter bits: DR6's, of the exit qualification.
    func breakpoint(_ number: Int, meeting bits: UInt64) -> Int? {
        owners[number] >= 0 && bits >> UInt64(number) & 1 != 0 ? owners[number] : nil
    }

    /// Whether the registers, as they are, stop the guest before an instruction.
    static func stops<Access: VMCSAccess, Host: HostServices>(
        at address: UInt64, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) -> Bool {
        let control = cpu.pointee.processor.debugRegister7
        for number in 0..<capacity where control.isEnabled(number) && control.kind(number) == .execution {
            if cpu.pointee.host.readDebugAddress(number) == address { return true }
        }
        return false
    }

    /// The bits of a debug exception that the guest sees.
    func guestBits(of bits: UInt64) -> UInt64 {
        var result = bits
        for number in 0..<AddressBreakpoints.capacity where owners[number] >= 0 { result &= ~(1 << UInt64(number)) }
        return result
    }

    /// Whether such bits are a reason for a debug exception: a breakpoint may be reported as hit though it is not enabled.
    static func areReason(_ bits: UInt64, with control: DebugRegister7) -> Bool {
        if bits & ~DebugStatus.breakpoints != 0 { return true }
        for number in 0..<capacity where bits >> UInt64(number) & 1 != 0 && control.isEnabled(number) { return true }
        return false
    }
}

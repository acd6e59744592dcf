import Machine
import Memory
import Text
import VMX
import VMXChecks
import Virtualization
import X86

/// What of the kernel the debugger's view of a guest needs, besides what the monitor does.
public protocol DebugServices: MonitorHost {
    /// Gives pages of the guest's memory other permissions (`PageProtection`).
    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, isForGood: Bool) -> Bool
}

/// A virtual CPU and the monitor, as a debugger sees them.
///
/// Watches of data are the monitor's breakpoints on guest-physical memory, so that a range may not leave its page; those of
/// instructions are its breakpoints on linear addresses.
public struct GuestTarget<Access: VMCSAccess, Host: HostServices, Services: DebugServices>: DebugTarget {
    let cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    let monitor: UnsafeMutablePointer<Monitor>
    let services: Services
    /// What a command of the monitor's has decided last.
    public private(set) var decision = Monitor.Decision.run

    public init(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>, _ monitor: UnsafeMutablePointer<Monitor>,
        _ services: Services
    ) {
        self.cpu = cpu
        self.monitor = monitor
        self.services = services
    }

    public var threadCount: UInt32 { 1 }

    public mutating func mode(of thread: UInt32) -> ProcessorMode { cpu.pointee.processor.mode }

    // MARK: Registers

    public mutating func read(_ register: GuestRegister, of thread: UInt32) -> UInt64? {
        GuestRegisters(cpu, services).read(register)
    }

    public mutating func write(_ value: UInt64, to register: GuestRegister, of thread: UInt32) throws(Complaint) {
        try GuestRegisters(cpu, services).write(value, to: register)
    }

    // MARK: Memory

    public mutating func translate(_ address: GuestVirtualAddress, of thread: UInt32) -> GuestPhysicalAddress? {
        cpu.pointee.locate(address)
    }

    public mutating func readByte(at address: GuestPhysicalAddress) -> UInt8? { cpu.pointee.guestMemory.readUInt8(at: address) }

    public mutating func writeByte(_ byte: UInt8, at address: GuestPhysicalAddress) -> Bool {
        cpu.pointee.guestMemory.write(UInt64(byte), count: 1, at: address)
    }

    // MARK: Watches

    public mutating func insert(_ watch: DebugWatch) -> WatchAnswer {
        if monitor.pointee.has(watch) { return .done }
        guard let kind = kind(of: watch) else { return .refused }
        return monitor.pointee.insert(watch, as: kind) { services.protect($0, $1, isForGood: $2) } ? .done : .refused
    }

    public mutating func remove(_ watch: DebugWatch) -> WatchAnswer {
        monitor.pointee.remove(watch) { services.protect($0, $1, isForGood: $2) }
        return .done
    }

    public mutating func removeAllWatches() {
        monitor.pointee.removeAllWatches { services.protect($0, $1, isForGood: $2) }
    }

    /// The breakpoint that a watch is; nil if it cannot be one now.
    private func kind(of watch: DebugWatch) -> Breakpoint.Kind? {
        let access: MemoryWatch.Kind
        switch watch.kind {
        case .execute:
            let hasRoom = monitor.pointee.hasRoomForBreakpoints(beside: cpu.pointee.processor.debugRegister7, more: 1)
            return hasRoom ? .address(watch.address.rawValue) : nil
        case .write: access = .write
        case .read: access = .read
        case .access: access = .access
        }
        guard let place = place(of: watch) else { return nil }
        return .memory(MemoryWatch(first: place.rawValue, last: place.rawValue &+ watch.length &- 1, kind: access))
    }

    /// Where a watch begins in the guest's RAM, if it lies in one page of it.
    private func place(of watch: DebugWatch) -> GuestPhysicalAddress? {
        let offset = watch.address.rawValue & 0xFFF
        guard watch.length > 0, watch.length <= 0x1000 - offset, let place = cpu.pointee.locate(watch.address),
            cpu.pointee.guestMemory.contains(place, count: watch.length)
        else { return nil }
        return place
    }

    // MARK: Commands

    public mutating func perform(
        _ command: UnsafeRawBufferPointer, saying output: inout some TextOutput
    ) -> CommandAnswer {
        let services = services
        let decided = withUnsafeMutablePointer(to: &output) { output in
            var line = DebuggerLine(output: output, services: services)
            return monitor.pointee.command(Line(command), cpu, on: &line) { services.protect($0, $1, isForGood: $2) }
        }
        guard let decided else { return .done }
        decision = decided
        return .resume
    }

    public mutating func reportStop(to output: inout some TextOutput) {
        output.write("stopped at ")
        output.write(cpu.pointee.codeAddress)
        output.write(byte: 0x0A)
    }
}

/// The monitor's line where a debugger has asked: what it says goes to the debugger's console.
struct DebuggerLine<Output: TextOutput, Services: DebugServices>: MonitorHost {
    let output: UnsafeMutablePointer<Output>
    var services: Services

    mutating func write(byte: UInt8) { output.pointee.write(byte: byte) }
    mutating func readLine() -> Line { Line() }
    mutating func type(_ byte: UInt8) -> Bool { services.type(byte) }
    func printStatistics(to print: (Line) -> Void) { services.printStatistics(to: print) }
    var capabilities: VMXCapabilities { services.capabilities }
    var circumstances: EntryCircumstances { services.circumstances }
    var pageFaultAddress: UInt64 { services.pageFaultAddress }
    var hostMemory: Services.HostMemory { services.hostMemory }
    var states: UnsafeMutablePointer<StateSnapshot> { services.states }
}

import Instructions
import Machine
import Memory
import Study
import Text
import Trace
import VMX
import VMXChecks

/// The server of GDB's protocol on the second serial port.
enum DebugSession {
    nonisolated(unsafe) private(set) static var isOn = false

    /// It lies in memory of its own, with the packets behind it.
    static var server: UnsafeMutablePointer<GDBServer> {
        debugger_memory()!.assumingMemoryBound(to: GDBServer.self)
    }

    static func open() {
        SerialLine.com2.open()
        let packets = UnsafeMutableRawBufferPointer(start: debugger_memory()! + 4096, count: 8192)
        server.initialize(to: GDBServer(memory: packets))
        isOn = true
    }

    /// Whether what has come on the line asks for the guest's stop.
    static func takesInterrupt() -> Bool {
        while SerialLine.com2.hasInput {
            if server.pointee.isInterruptRequested(by: SerialLine.com2.take()) { return true }
        }
        return false
    }
}

/// The line to the debugger.
struct DebugPort: DebugChannel {
    mutating func read() -> UInt8? { SerialLine.com2.take() }
    mutating func write(_ byte: UInt8) { SerialLine.com2.put(byte) }
}

/// What a debugger's view of the guest needs of the kernel.
struct HardwareDebugServices: DebugServices {
    var port: MonitorPort
    let protector: PageProtector

    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, isForGood: Bool) -> Bool {
        protector.protect(range, passed, isForGood)
    }

    mutating func write(byte: UInt8) {}
    mutating func readLine() -> Line { Line() }
    mutating func type(_ byte: UInt8) -> Bool { port.type(byte) }
    func printStatistics(to print: (Line) -> Void) { port.printStatistics(to: print) }
    var capabilities: VMXCapabilities { port.capabilities }
    var circumstances: EntryCircumstances { port.circumstances }
    var pageFaultAddress: UInt64 { port.pageFaultAddress }
    var hostMemory: IdentityMemory { port.hostMemory }
    var states: UnsafeMutablePointer<StateSnapshot> { port.states }
}

/// Changes the guest's EPT while the run loop has it.
struct PageProtector {
    let guest: UnsafeMutablePointer<GuestMachine>
    let machine: UnsafeMutablePointer<HostMachine>

    func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, _ isForGood: Bool) -> Bool {
        guest.pointee.protect(range, passed, merges: isForGood, on: &machine.pointee)
    }
}

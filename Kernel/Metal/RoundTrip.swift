import Devices
import Instructions
import Machine
import Memory
import Text

/// Moves a guest's state out of its virtual CPU and devices and into newly made ones, again and again while it runs: the
/// guest would miss whatever a snapshot left out. (The kernel's word "roundtrip".)
struct RoundTrip {
    /// How many exits apart.
    private let interval: UInt64
    /// When the last one was.
    private var last: UInt64 = 0
    // A frame for each; the second of each kind is for the state as it comes back.
    private let states: (HostPhysicalAddress, HostPhysicalAddress)
    private let machines: (HostPhysicalAddress, HostPhysicalAddress)
    private let extendedStates: (HostPhysicalAddress, HostPhysicalAddress)

    init?(_ machine: inout HostMachine) {
        guard let interval = machine.options.roundTrip, !machine.options.isStudied else { return nil }
        guard MemoryLayout<HardwareCPU.State>.size <= 4096, MemoryLayout<HardwareCPU.Machine.State>.size <= 4096 else {
            Panic.stop("a guest's state does not fit a frame")
        }
        self.interval = interval
        states = (machine.frame(), machine.frame())
        machines = (machine.frame(), machine.frame())
        extendedStates = (machine.frame(), machine.frame())
    }

    func end(on machine: inout HostMachine) {
        machine.frames.freeFrame(states.0)
        machine.frames.freeFrame(states.1)
        machine.frames.freeFrame(machines.0)
        machine.frames.freeFrame(machines.1)
        machine.frames.freeFrame(extendedStates.0)
        machine.frames.freeFrame(extendedStates.1)
    }

    /// Makes one if it is due, before a VM entry.
    /// - Returns: whether it did; the VMCS must then be launched.
    mutating func makeIfDue(_ guest: borrowing GuestMachine, on host: borrowing HostMachine) -> Bool {
        let exits = guest.cpu.pointee.exitCount
        guard exits / interval != last / interval else { return false }
        last = exits
        make(guest, on: host)
        return true
    }

    @inline(never)
    private func make(_ guest: borrowing GuestMachine, on host: borrowing HostMachine) {
        let now = guest.cpu.pointee.now
        take(guest, states.0, machines.0, extendedStates.0, at: now)
        guest.makeAnew(on: host)
        let machine: UnsafeMutablePointer<HardwareCPU.Machine.State> = Self.pointer(machines.0)
        guest.machine.pointee.restore(machine.pointee)
        let extendedState: UnsafeMutablePointer<UInt8> = Self.pointer(extendedStates.0)
        guest.cpu.pointee.restore(Self.pointer(states.0), extendedState: extendedState)
        take(guest, states.1, machines.1, extendedStates.1, at: now)
        compare(HardwareCPU.State.self, states, "virtual CPU")
        compare(HardwareCPU.Machine.State.self, machines, "machine")
        for offset in stride(from: 0, to: UInt64(4096), by: 8) {
            let (before, after) = (
                extendedStates.0.advanced(by: ByteCount(offset)), extendedStates.1.advanced(by: ByteCount(offset))
            )
            guard IdentityMemory().readUInt64(at: before) != IdentityMemory().readUInt64(at: after) else { continue }
            Panic.stop("the extended state did not come back as it was, at offset \(hex: offset)")
        }
        // The time that this took does not pass for the guest.
        guest.cpu.pointee.skipTime(guest.cpu.pointee.now.ticks &- now.ticks)
    }

    private func take(
        _ guest: borrowing GuestMachine, _ state: HostPhysicalAddress, _ machine: HostPhysicalAddress,
        _ extendedState: HostPhysicalAddress, at now: MachineTime
    ) {
        IdentityMemory().zeroFrame(at: extendedState)
        let area: UnsafeMutablePointer<UInt8> = Self.pointer(extendedState)
        guest.cpu.pointee.save(to: Self.pointer(state), extendedState: area, at: now)
        let place: UnsafeMutablePointer<HardwareCPU.Machine.State> = Self.pointer(machine)
        place.initialize(to: guest.machine.pointee.state)
    }

    private func compare<State: Equatable>(
        _: State.Type, _ frames: (HostPhysicalAddress, HostPhysicalAddress), _ what: StaticString
    ) {
        let (before, after): (UnsafeMutablePointer<State>, UnsafeMutablePointer<State>) =
            (Self.pointer(frames.0), Self.pointer(frames.1))
        guard before.pointee == after.pointee else { Panic.stop("the state of the \(what) did not come back as it was") }
    }

    private static func pointer<Value>(_ frame: HostPhysicalAddress) -> UnsafeMutablePointer<Value> {
        UnsafeMutablePointer(bitPattern: UInt(frame.rawValue))!
    }
}

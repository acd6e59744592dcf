import Machine
import Memory
import Text
import VMX
import X86

/// Reports why the guest ended, and returns the status; nil for a reset.
func conclude(
    _ ending: Ending?, _ name: Line, _ cpu: UnsafeMutablePointer<HardwareCPU>, _ machine: borrowing HostMachine,
    restarts: UInt64
) -> Status? {
    guard let ending else { return .failedEntry }
    let absent = cpu.pointee.absentMemoryAccesses
    if absent > 0 { machine.log("martlet: \(accesses(absent)) to memory that is not there") }
    let ports = cpu.pointee.absentPortAccesses
    if ports > 0 { machine.log("martlet: \(accesses(ports)) to ports without a device") }
    let refused = cpu.pointee.refusedMSRs
    if refused > 0 { machine.log("martlet: \(accesses(refused)) to MSRs that do not exist or with values they do not take") }
    if let shadow = cpu.pointee.machine.pointee.shadow {
        let counts = shadow.pointee.counts
        machine.log(
            "martlet: shadow tables: \(shadow.pointee.mostPages) pages at most, \(counts.fills) page faults filled in, \(counts.outOfStep) writes to tables in step, \(counts.comparisons) tables compared, \(counts.reclaims) times short of room"
        )
    }
    switch ending {
    case .debugExit(let value):
        machine.log("martlet: \(name): \(ending)")
        return .guestValue(value)
    case .reset:
        machine.log("martlet: \(name): \(ending)")
        return nil
    case .halted, .powerOff, .dismissed:
        machine.log("martlet: \(name): \(ending)")
        return .ended
    case .stopped:
        machine.log("martlet: \(name): \(ending), at \(cpu.pointee.codeAddress)")
        return .stopped
    case .tripleFault:
        tell("\(name): triple fault at \(cpu.pointee.codeAddress)", machine, restarts: restarts)
        return .tripleFault
    case .overdue:
        tell("\(name): \(ending), at \(cpu.pointee.codeAddress)", machine, restarts: restarts)
        return .overdue
    case .unsupported(let reason):
        tell("\(name): \(ending), at \(cpu.pointee.codeAddress)", machine, restarts: restarts)
        if reason == .instruction {
            tell("  \(cpu.pointee.fetchInstruction(in: cpu.pointee.processor.mode))", machine, restarts: restarts, isDetail: true)
        }
        return .unsupported
    case .entryFailure:
        Report.error("\(name): \(ending)")
        return .failedEntry
    }
}

private func accesses(_ count: UInt64) -> Line { count == 1 ? "1 access" : "\(count) accesses" }

/// Reports an end that is an error; for a guest that will be restarted it is not one, and may come any number of times.
private func tell(_ line: Line, _ machine: borrowing HostMachine, restarts: UInt64, isDetail: Bool = false) {
    if restarts > 0 {
        machine.log(isDetail ? line : "martlet: \(line)")
    } else if isDetail {
        Report.detail(line)
    } else {
        Report.error(line)
    }
}

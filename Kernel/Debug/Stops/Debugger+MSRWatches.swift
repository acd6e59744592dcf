import Machine
import VMX
import Virtualization
import X86

// Stops on registers that the guest reads or writes without an exit: their bits in the MSR bitmaps are set while the
// guest runs. For the one RDMSR or WRMSR that exits because of that they stay clear, so that the processor itself executes
// it, with any fault, and a step ends that.
//
// From an exit to the next VM entry the bitmaps are as Martlet has made them. Martlet does not know the debugger's bits, and
// changes those of the local APIC with the APIC's mode.

/// The stops, one bit each, that have set clear bits of the MSR bitmaps.
struct TakenBits: Equatable, Sendable {
    var reads: UInt16 = 0
    var writes: UInt16 = 0
}

extension Debugger {
    /// Makes the registers that stops are on exit, for a VM entry.
    mutating func watchRegisters<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) {
        for index in 0..<Stop.capacity {
            guard case .register(let number)? = stops.kind(index), number != passedRegister else { continue }
            let register = ModelSpecificRegister(number)
            if !processor.exits(at: register, isWrite: false) {
                processor.setExits(at: register, isWrite: false, to: true)
                takenBits.reads |= 1 << UInt16(index)
            }
            if !processor.exits(at: register, isWrite: true) {
                processor.setExits(at: register, isWrite: true, to: true)
                takenBits.writes |= 1 << UInt16(index)
            }
        }
    }

    /// Restores the MSR bitmaps after a VM exit, and records whether they caused it.
    mutating func releaseRegisters<Access: VMCSAccess, Services: HostServices>(
        _ exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) {
        watchedRegister = nil
        guard takenBits != TakenBits() else { return }
        let accessed = UInt32(truncatingIfNeeded: cpu.pointee.registers.rcx)
        for index in 0..<Stop.capacity {
            guard case .register(let number)? = stops.kind(index) else { continue }
            let register = ModelSpecificRegister(number)
            if takenBits.reads >> UInt16(index) & 1 != 0 {
                cpu.pointee.processor.setExits(at: register, isWrite: false, to: false)
                if exit == .readMSR, number == accessed { watchedRegister = number }
            }
            if takenBits.writes >> UInt16(index) & 1 != 0 {
                cpu.pointee.processor.setExits(at: register, isWrite: true, to: false)
                if exit == .writeMSR, number == accessed { watchedRegister = number }
            }
        }
        takenBits = TakenBits()
    }

    /// An access that exited only for the debugger is made when the guest goes on.
    mutating func pass<Access: VMCSAccess, Services: HostServices>(
        _ register: UInt32, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Interception {
        passedRegister = register
        var met: UInt16 = 0
        for index in 0..<Stop.capacity where stops.kind(index) == .register(register) {
            met |= 1 << UInt16(index)
        }
        return stop(at: met, cpu).map { .stop($0) } ?? .resume
    }
}

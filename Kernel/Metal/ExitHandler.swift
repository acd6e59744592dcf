import Instructions
import Machine
import Trace
import VMX
import Virtualization

// What the world switch calls on a VM exit that nobody observes. To return is to resume the guest at once.
//
// Each way is a function of its own that the one before calls last, so that none saves registers for another; and the
// run loop is reached by leaving, so that no exit has to tell that it is finished.

@c(martlet_handle_exit)
func handleExit(_ cpu: UnsafeMutableRawPointer) {
    let cpu = cpu.assumingMemoryBound(to: HardwareCPU.self)
    cpu.pointee.countExit()
    if !cpu.pointee.finishMostFrequentExit() { handleFrequentExit(cpu) }
}

@inline(never)
private func handleFrequentExit(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    let exit = cpu.pointee.processor.frequentExit
    switch exit {
    case .io: handleIO(cpu)
    case .nestedPageFault: handleNestedPageFault(cpu)
    case .writeMSR where cpu.pointee.writesFrequentAPICRegister: handleAPICWrite(cpu)
    default: if !cpu.pointee.finishMSRExit(exit) { handleAnyExit(cpu) }
    }
}

@inline(never)
private func handleAPICWrite(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if !cpu.pointee.finishFrequentAPICWrite() { handleAnyExit(cpu) }
}

@inline(never)
private func handleIO(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if !cpu.pointee.finishFrequentIO() { handleAnyExit(cpu) }
}

@inline(never)
private func handleNestedPageFault(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if !cpu.pointee.finishNestedPageFault() { martlet_leave_guest(cpu) }
}

@inline(never)
private func handleAnyExit(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if cpu.pointee.records.isOn { return handleRecordedExit(cpu) }
    if !cpu.pointee.finishAnyExit() { martlet_leave_guest(cpu) }
}

/// Any exit while exits are recorded. (The world switch records, and the quick ways above do nothing for it.)
@inline(never)
private func handleRecordedExit(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if !cpu.pointee.finishRecordedExit() { martlet_leave_guest(cpu) }
}

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
    let reason = cpu.pointee.processor.exitReasonNumber
    if !cpu.pointee.finishMostFrequentExit(reason) { handleFrequentExit(cpu, reason) }
}

@inline(never)
private func handleFrequentExit(_ cpu: UnsafeMutablePointer<HardwareCPU>, _ reason: UInt32) {
    let exit = cpu.pointee.processor.frequentExit(reason)
    switch exit {
    case .io: handleIO(cpu)
    case .nestedPageFault: handleNestedPageFault(cpu)
    case .writeMSR where cpu.pointee.writesEndOfInterrupt: handleEndOfInterrupt(cpu)
    case .writeMSR where cpu.pointee.writesAPICRegister: handleAPICWrite(cpu)
    case .interruptWindow: handleInterruptWindow(cpu)
    case .timerExpired: handleTimer(cpu)
    case .halt: handleHalt(cpu)
    default: if !cpu.pointee.finishMSRExit(exit) { handleAnyExit(cpu) }
    }
}

@inline(never)
private func handleEndOfInterrupt(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if !cpu.pointee.finishEndOfInterrupt() { handleAnyExit(cpu) }
}

@inline(never)
private func handleAPICWrite(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    switch cpu.pointee.finishFrequentAPICWrite() {
    case .resume: break
    case .leave: martlet_leave_guest(cpu)
    case .needsOtherWay: handleAnyExit(cpu)
    }
}

@inline(never)
private func handleInterruptWindow(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    cpu.pointee.finishInterruptWindow()
}

@inline(never)
private func handleTimer(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if !cpu.pointee.finishTimer() { martlet_leave_guest(cpu) }
}

@inline(never)
private func handleHalt(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
    if !cpu.pointee.finishHalt() { martlet_leave_guest(cpu) }
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

import Virtualization

// What a backend may have and SVM, as Martlet uses it, has not.

extension SVMProcessor {
    /// The processor does nothing of the local APIC: its accesses are nested page faults and exits of MSRs, and CR8 exits. (AVIC is
    /// not used, and V_TPR stays 0.)
    @inline(__always)
    public var interruptAssistance: InterruptAssistance { .none }

    public func setLocalAPICMode(_ mode: LocalAPICMode) {}
    public func setVirtualInterrupts(requested: UInt8, inService: UInt8) {}
    public func requestVirtualInterrupt(_ vector: UInt8) {}
    public func setTaskPriorityThreshold(_ priorityClass: UInt8) {}
    public func setEndOfInterruptExits(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {}

    /// The host's own timer interrupt takes the place of a preemption timer.
    @inline(__always)
    public func setTimer(ticks: UInt64) -> Bool { false }
    @inline(__always)
    public var hasTimer: Bool { false }

    /// The processor executes real mode as it is.
    @inline(__always)
    public var emulatesRealMode: Bool { false }

    /// VMRUN takes the segments that a task switch leaves.
    public func fitSegmentsOfTask() {}
}

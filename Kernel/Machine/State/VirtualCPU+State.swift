import Devices
import Virtualization
import X86

/// Everything a virtual CPU holds of its guest, as a plain value, except the extended state (x87, SSE, AVX, AVX-512, PKRU),
/// whose memory the processor lays out.
///
/// It excludes what the virtual CPU was made with and what follows from the rest. Its time is the machine's.
public struct VirtualCPUState<GuestState: Equatable>: Equatable {
    var registers: GeneralRegisters
    var guest: GuestState
    var held: HeldRegisters
    var apic: LocalAPIC.State
    var msrs: EmulatedMSRs
    /// When the state was taken.
    var time: MachineTime
    /// How far the guest's time stamp is ahead of machine time.
    var timeStampLead: UInt64
    /// When the timer of hypercall 1 is due, and the vector with which it then interrupts.
    var timerDeadline: MachineTime
    var timerVector: UInt8
    var awaitedPriorityClass: UInt8
    var isWindowOpen: Bool
    var isNonMaskablePending: Bool
    var takesExternalMessage: Bool
    var isResetPending: Bool
    /// It waits in HLT for an interrupt.
    var isAsleep: Bool
    var exitCount: UInt64
    var absentMemoryAccesses: UInt64
    var refusedMSRs: UInt64
}

extension VirtualCPU {
    public typealias State = VirtualCPUState<Processor.GuestState>

    /// The machine's time.
    public var now: MachineTime { clock.now }

    /// Saves the state, between two exits.
    /// - Parameters:
    ///   - extendedState: 4 KiB, aligned to 64 bytes, and zero.
    ///   - now: the machine's time.
    public mutating func save(
        to state: UnsafeMutablePointer<State>, extendedState: UnsafeMutableRawPointer, at now: MachineTime
    ) {
        host.saveExtendedState(features.extendedState, to: extendedState)
        var isAsleep = false
        if case .wait = pending { isAsleep = true }
        state.initialize(
            to: State(
                registers: registers, guest: processor.guestState, held: HeldRegisters(savedFrom: host, features),
                apic: apic.state, msrs: msrs, time: now, timeStampLead: processor.timeStampOffset &+ startTime,
                timerDeadline: timer.isArmed ? MachineTime(timer.deadline &- startTime) : .never,
                timerVector: timer.isArmed ? timer.vector : 0,
                awaitedPriorityClass: awaitedPriorityClass, isWindowOpen: isWindowOpen,
                isNonMaskablePending: unmasked.contains(.nonMaskableInterrupt), takesExternalMessage: takesExternalMessage,
                isResetPending: isResetPending, isAsleep: isAsleep, exitCount: exitCount,
                absentMemoryAccesses: absentMemoryAccesses, refusedMSRs: refusedMSRs))
    }

    /// Continues from the state of a virtual CPU that was made the same way, on this processor: its time continues from when that
    /// was saved. The machine's devices must be restored first.
    public mutating func restore(_ state: UnsafePointer<State>, extendedState: UnsafeRawPointer) {
        registers = state.pointee.registers
        startTime = host.timeStamp() &- state.pointee.time.ticks
        msrs = state.pointee.msrs
        apic.restore(state.pointee.apic)
        followAPICMode()
        processor.guestState = state.pointee.guest
        processor.timeStampOffset = state.pointee.timeStampLead &- startTime
        host.loadExtendedState(features.extendedState, from: extendedState)
        state.pointee.held.load(on: host, features)
        followControlRegisters()
        if features.extendedState != 0 { answers.updateExtendedState(host) }
        timer = HypercallTimer()
        if state.pointee.timerDeadline != .never {
            timer.arm(vector: state.pointee.timerVector, deadline: state.pointee.timerDeadline.ticks &+ startTime)
        }
        awaitedPriorityClass = state.pointee.awaitedPriorityClass
        isWindowOpen = state.pointee.isWindowOpen
        unmasked = .none
        unmasked.insert(.nonMaskableInterrupt, if: state.pointee.isNonMaskablePending)
        takesExternalMessage = state.pointee.takesExternalMessage
        isResetPending = state.pointee.isResetPending
        pending = state.pointee.isAsleep ? .wait : .resume
        exitCount = state.pointee.exitCount
        absentMemoryAccesses = state.pointee.absentMemoryAccesses
        refusedMSRs = state.pointee.refusedMSRs
        seenRedirectionChanges = .max
        seenExternalRises = board.pointee.externalInterruptRises
        apic.line0IsHigh = board.pointee.requestsExternalInterrupt
        attention = .devices
        arm(at: state.pointee.time)
    }
}

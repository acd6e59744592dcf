import Virtualization
import X86

extension VirtualCPU {
    /// The preemption timer ran out, and the guest's own timer is not armed: Martlet had its look at a guest that does not
    /// exit by itself; the quick way.
    @inline(__always)
    mutating func extendSlice() -> Bool {
        guard !timer.isArmed else { return false }
        processor.setTimer(ticks: slice)
        return true
    }

    /// The preemption timer ran out: perhaps the guest's own timer is due.
    @inline(never)
    mutating func serveTimer() -> Outcome {
        defer { setSlice() }
        guard timerIsDue else { return .resume }
        guard processor.canTakeInterrupt else {
            openWindow()
            return .resume
        }
        return .inject(takeTimerInterrupt())
    }

    /// The guest can take an interrupt now, and one was waiting.
    @inline(never)
    mutating func openInterruptWindow() -> Outcome {
        closeWindow()
        guard timerIsDue else { return .resume }
        let interrupt = takeTimerInterrupt()
        setSlice()
        return .inject(interrupt)
    }

    /// HLT ends when an interrupt can be delivered. Without one to come it is the guest's end.
    @inline(never)
    mutating func halt() -> Outcome {
        processor.stepPastInstruction()
        let interruptsEnabled = processor.flags.contains(.interruptEnable)
        guard interruptsEnabled, timer.isArmed else { return .end(.halted(interruptsEnabled: interruptsEnabled)) }
        guard timerIsDue else { return .wait }
        return .inject(wake())
    }

    /// Waits in root mode for the interrupt that ends HLT, and delivers it.
    ///
    /// The processor itself is never left in the HLT activity state: see "HLT exiting".
    public mutating func sleep() {
        while !timerIsDue { host.sleep(until: timer.deadline) }
        processor.inject(wake())
    }

    private mutating func wake() -> Event {
        defer { setSlice() }
        return takeTimerInterrupt()
    }

    private var timerIsDue: Bool {
        mutating get { timer.isArmed && host.timeStamp() >= timer.deadline }
    }

    private mutating func takeTimerInterrupt() -> Event {
        if timer.awaitsWindow { closeWindow() }
        defer { timer.disarm() }
        return .interrupt(timer.vector)
    }

    mutating func openWindow() {
        processor.requestInterruptWindow(true)
        timer.awaitsWindow = true
    }

    mutating func closeWindow() {
        processor.requestInterruptWindow(false)
        timer.awaitsWindow = false
    }

    /// Lets the guest run until its timer is due, but for no longer than a slice.
    public mutating func setSlice() {
        // A timer that waits for a window is past: the preemption timer would exit at once, again and again.
        guard timer.isArmed, !timer.awaitsWindow else { return processor.setTimer(ticks: slice) }
        let now = host.timeStamp()
        processor.setTimer(ticks: timer.deadline > now ? min(slice, timer.deadline - now) : 0)
    }
}

import Devices
import Instructions
import X86

/// This processor's own local APIC, as far as Martlet uses it: the 8259 pair's interrupts pass through it, and its timer
/// ends the kernel's sleep (SDM volume 3, chapter 12 "Advanced Programmable Interrupt Controller (APIC)").
struct LocalInterruptController {
    private enum Timer { case none, deadline, count }

    private static var timerVector: UInt8 { 0xF0 }
    private static var spuriousVector: UInt8 { 0xFF }

    private var timer = Timer.none
    private var isX2APIC = false
    private var page: UInt64 = 0
    // What the timer counted in how many ticks of the time stamp, where it has no deadline mode.
    private var countsInCalibration: UInt64 = 0
    private var calibrationTicks: UInt64 = 1

    private func write(_ register: APICRegister, _ value: UInt32) {
        if isX2APIC { write_msr(register.msr, UInt64(value)) } else { write_word(page + UInt64(register.rawValue), value) }
    }

    private func read(_ register: APICRegister) -> UInt32 {
        isX2APIC ? UInt32(truncatingIfNeeded: read_msr(register.msr)) : read_word(page + UInt64(register.rawValue))
    }

    /// Turns it on, if the processor has one and firmware did not turn it off.
    mutating func open() {
        let features = HardwareHost().cpuid(1, 0)
        guard features.has(.apic) else { return }
        let base = APICBase(rawValue: read_msr(ModelSpecificRegister.apicBase.number))
        guard base.isEnabled else { return }
        isX2APIC = base.isExtended
        page = base.address
        write(.spuriousInterrupt, 0x100 | UInt32(Self.spuriousVector))
        write(.line0, 7 << 8)  // ExtINT: the vector comes from the 8259 pair
        write(.divideConfiguration, 0b1011)  // by 1
        timer = features.has(.tscDeadline) ? .deadline : .count
        write(.timer, UInt32(Self.timerVector) | (timer == .deadline ? 2 << 17 : 0))
        // The manual requires the mode to be visible before the first deadline.
        memory_fence()
    }

    /// Lets the timer run while the time stamp is measured.
    func beginCalibration() {
        if timer == .count { write(.initialCount, .max) }
    }

    /// - Parameter ticks: of the time stamp, since the beginning.
    mutating func endCalibration(ticks: UInt64) {
        guard timer == .count else { return }
        calibrationTicks = ticks
        countsInCalibration = UInt64(UInt32.max - read(.currentCount))
        write(.initialCount, 0)
    }

    /// Whether there is a timer: without the preemption timer, nothing else could stop a guest.
    var hasTimer: Bool { timer != .none }

    /// Makes the timer interrupt at a time stamp, or earlier.
    func arm(at moment: UInt64) {
        switch timer {
        case .none: break
        case .deadline: write_msr(ModelSpecificRegister.timeStampDeadline.number, max(moment, 1))
        case .count:
            let now = read_tsc()
            write(.initialCount, count(of: moment > now ? moment - now : 0))
        }
    }

    /// At least 1, which interrupts at once: 0 would stop the timer.
    private func count(of ticks: UInt64) -> UInt32 {
        let count = ticks >> 10 &* countsInCalibration / max(calibrationTicks >> 10, 1)
        return UInt32(truncatingIfNeeded: min(max(count, 1), UInt64(UInt32.max)))
    }

    /// Waits for an interrupt; the timer's comes at a time stamp, or earlier. A machine without such a timer returns at
    /// once.
    func sleep(until moment: UInt64) {
        let now = read_tsc()
        guard moment > now else { return }
        if timer == .none { return spin_pause() }
        if moment != .max { arm(at: moment) }
        wait_for_interrupt()
        switch timer {
        case .deadline: write_msr(ModelSpecificRegister.timeStampDeadline.number, 0)
        case .count: write(.initialCount, 0)
        case .none: break
        }
    }

    /// SDM volume 3, "Signaling Interrupt Servicing Completion"; a spurious interrupt is not in service.
    func finish(_ vector: UInt8) {
        if timer != .none, vector != Self.spuriousVector { write(.endOfInterrupt, 0) }
    }
}

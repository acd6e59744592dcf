/// The programmable interval timer at ports 40h to 43h (Intel 82C54 data sheet): counter 0 gives IRQ 0, counter 1 once
/// paced memory refresh, counter 2 is the speaker's, with its gate at port 61h.
///
/// It starts as firmware leaves it: counter 0 a square wave of 18.2 Hz, counter 1 every 15 microseconds.
public struct IntervalTimer: Equatable, Sendable {
    public static var firstPort: UInt16 { 0x40 }
    public static var portCount: UInt16 { 4 }
    public static var channel2Port: UInt16 { firstPort + 2 }
    public static var controlPort: UInt16 { firstPort + 3 }
    /// The counters' clock, in Hz.
    public static var frequency: UInt64 { 1_193_182 }

    /// What the counters hold, in pulses of their own clock.
    public struct State: Equatable, Sendable {
        fileprivate var counters: [3 of IntervalCounter] = [.init(gate: true), .init(gate: true), .init(gate: false)]
        /// The latest clock pulse seen; counter 0's output was followed until then.
        fileprivate var now: UInt64 = 0
        /// Counter 0's output has risen, which has not been reported.
        fileprivate var hasRisen = false

        public static func == (left: Self, right: Self) -> Bool {
            for index in 0..<3 where left.counters[index] != right.counters[index] { return false }
            return left.now == right.now && left.hasRisen == right.hasRisen
        }
    }

    private let clock: TickConversion
    public private(set) var state = State()

    /// The next rise of counter 0's output; in the past if `advance` has not reported one yet.
    public private(set) var nextEvent = MachineTime.never

    /// Counter 0's output or its next rise may have changed since the last call.
    private var hasChanged = true

    /// - Parameter timeStampFrequency: in Hz, more than the timer's own.
    public init(timeStampFrequency: UInt64) {
        clock = TickConversion(frequency: Self.frequency, timeStampFrequency: timeStampFrequency)
        state.counters[0].program(0x36, at: 0)
        state.counters[0].write(0, at: 0)
        state.counters[0].write(0, at: 0)
        state.counters[1].program(0x54, at: 0)
        state.counters[1].write(18, at: 0)
        state.counters[2].program(0xB6, at: 0)
        findNextEvent()
    }

    /// Restores a saved state.
    public mutating func restore(_ state: State) {
        self.state = state
        hasChanged = true
        if state.hasRisen { nextEvent = MachineTime(0) } else { findNextEvent() }
    }

    // MARK: Ports

    /// Whether a counter can be read without carrying out anything first; if so, it is read at this time.
    @inline(__always)
    private mutating func isQuiet(_ index: Int, at time: MachineTime) -> Bool {
        let now = max(clock.count(at: time), state.now)
        guard now < state.counters[0].quietUntil, now < state.counters[index].quietUntil, !hasChanged else { return false }
        state.now = now
        return true
    }

    /// Reads a counter, if that is all there is to do.
    @inline(__always)
    mutating func readQuietly(_ offset: UInt8, at time: MachineTime) -> UInt8? {
        guard offset < 3, isQuiet(Int(offset), at: time) else { return nil }
        return state.counters[Int(offset)].read(at: state.now)
    }

    /// Reads the port at an offset from the first one. The control port is write-only.
    public mutating func read(_ offset: UInt16, at time: MachineTime) -> UInt8 {
        guard offset < 3 else {
            follow(0, to: time)
            return 0xFF
        }
        follow(Int(offset), to: time)
        return state.counters[Int(offset)].read(at: state.now)
    }

    /// Latches a count, if a write does only that.
    @inline(__always)
    mutating func latchQuietly(_ offset: UInt8, _ value: UInt8, at time: MachineTime) -> Bool {
        let index = Int(value >> 6)
        guard offset == 3, value & 0x30 == 0, index < 3, isQuiet(index, at: time) else { return false }
        state.counters[index].latchCount(at: state.now)
        return true
    }

    /// Writes the port at an offset from the first one.
    public mutating func write(_ offset: UInt16, _ value: UInt8, at time: MachineTime) {
        switch offset {
        case 0...2:
            let index = Int(offset)
            change(index, at: time) { $0.write(value, at: $1) }
        case 3 where value >> 6 == 3:
            // Read-back command: two bits that latch when clear. Counter 0 is followed, whichever are selected.
            follow(0, to: time)
            for index in 0..<3 where value & 2 << UInt8(index) != 0 {
                follow(index, to: time)
                if value & 0x20 == 0 { state.counters[index].latchCount(at: state.now) }
                if value & 0x10 == 0 { state.counters[index].latchStatus() }
            }
        case 3:
            let index = Int(value >> 6)
            follow(index, to: time)
            if value & 0x30 == 0 {
                state.counters[index].latchCount(at: state.now)
            } else {
                change(index, at: time) { $0.program(value, at: $1) }
            }
        default: break
        }
    }

    /// Changes a counter, and updates counter 0's output if that is the one.
    @inline(__always)
    private mutating func change(
        _ index: Int, at time: MachineTime, _ body: (inout IntervalCounter, _ now: UInt64) -> Void
    ) {
        follow(index, to: time)
        let wasHigh = state.counters[index].isHigh
        body(&state.counters[index], state.now)
        guard index == 0 else { return }
        hasChanged = true
        state.counters[0].follow(to: state.now)
        if !wasHigh && state.counters[0].isHigh { state.hasRisen = true }
        if state.hasRisen { nextEvent = min(nextEvent, time) } else { findNextEvent() }
    }

    /// Makes the output be checked again.
    mutating func expectLook() { hasChanged = true }

    /// Whether counter 0's output or its next rise may have changed since the last call.
    @inline(__always)
    public mutating func takeChange() -> Bool {
        guard hasChanged else { return false }
        hasChanged = false
        return true
    }

    // MARK: Lines

    /// Sets counter 2's gate; those of the others are always high.
    public mutating func setGate2(_ high: Bool, at time: MachineTime) {
        guard high != state.counters[2].gate else { return }
        follow(2, to: time)
        state.counters[2].setGate(high, at: state.now)
    }

    /// The level of counter 0's output, which is IRQ 0.
    public mutating func isOutput0High(at time: MachineTime) -> Bool {
        follow(0, to: time)
        return state.counters[0].isHigh
    }

    /// The level of counter 2's output, which goes to the speaker and to port 61h.
    public mutating func isOutput2High(at time: MachineTime) -> Bool {
        follow(2, to: time)
        return state.counters[2].isHigh
    }

    /// The same, if there is nothing to carry out first.
    @inline(__always)
    mutating func isOutput2HighQuietly(at time: MachineTime) -> Bool? {
        isQuiet(2, at: time) ? state.counters[2].isHigh : nil
    }

    /// Follows counter 0's output.
    /// - Returns: whether it has risen since the last call: IRQ 0 has an edge. Missed rises count as one edge, as they
    ///   would for an interrupt controller that is not served in time.
    public mutating func advance(to time: MachineTime) -> Bool {
        guard time >= nextEvent else { return false }
        follow(0, to: time)
        let result = state.hasRisen
        state.hasRisen = false
        findNextEvent()
        return result
    }

    /// Carries out what happened to counter 0's output, and to another counter, up to a time.
    private mutating func follow(_ index: Int, to time: MachineTime) {
        let now = max(clock.count(at: time), state.now)
        if now >= state.counters[0].quietUntil {
            hasChanged = true
            if state.counters[0].nextRise(after: state.now) <= now { state.hasRisen = true }
            state.counters[0].follow(to: now)
        }
        state.now = now
        state.counters[index].follow(to: now)
    }

    private mutating func findNextEvent() {
        let rise = state.counters[0].nextRise(after: state.now)
        nextEvent = rise == .max ? .never : clock.time(ofCount: rise)
    }
}

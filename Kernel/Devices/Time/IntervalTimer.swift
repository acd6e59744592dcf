/// The programmable interval timer at ports 40h to 43h (Intel 82C54 data sheet): counter 0 gives IRQ 0, counter 1 once
/// paced memory refresh, counter 2 is the speaker's, with its gate at port 61h.
///
/// It starts as firmware leaves it: counter 0 a square wave of 18.2 Hz, counter 1 every 15 microseconds.
public struct IntervalTimer: Equatable, Sendable {
    public static var firstPort: UInt16 { 0x40 }
    public static var portCount: UInt16 { 4 }
    /// Of the counters' clock, in Hz.
    public static var frequency: UInt64 { 1_193_182 }

    /// What the counters hold, by their own clock.
    public struct State: Equatable, Sendable {
        fileprivate var counter0 = IntervalCounter(gate: true)
        fileprivate var counter1 = IntervalCounter(gate: true)
        fileprivate var counter2 = IntervalCounter(gate: false)
        /// The latest pulse of the clock that was seen; counter 0's output was followed until then.
        fileprivate var now: UInt64 = 0
        /// Counter 0's output has risen, and nobody was told.
        fileprivate var hasRisen = false
    }

    private let clock: TickConversion
    public private(set) var state = State()

    /// The next rise of counter 0's output; in the past if one was not yet told by `advance`.
    public private(set) var nextEvent = MachineTime.never

    /// Counter 0's output stays as it is, and no count is loaded into it, before this pulse.
    private var quietUntil: UInt64 = 0
    /// Counter 0's output or its next rise may have changed since this was last asked.
    private var hasChanged = true

    /// - Parameter timeStampFrequency: in Hz, more than the timer's own.
    public init(timeStampFrequency: UInt64) {
        clock = TickConversion(frequency: Self.frequency, timeStampFrequency: timeStampFrequency)
        state.counter0.program(0x36, at: 0)
        state.counter0.write(0, at: 0)
        state.counter0.write(0, at: 0)
        state.counter1.program(0x54, at: 0)
        state.counter1.write(18, at: 0)
        state.counter2.program(0xB6, at: 0)
        findNextEvent()
    }

    /// Goes on from the state of another.
    public mutating func restore(_ state: State) {
        self.state = state
        forgetOutput()
        if state.hasRisen { nextEvent = MachineTime(0) } else { findNextEvent() }
    }

    // MARK: Ports

    /// Whether a moment, from which the ports are looked at then, brings nothing that counter 0's output has to be followed for.
    @inline(__always)
    mutating func isQuiet(at time: MachineTime) -> Bool {
        let pulse = clock.count(at: time)
        guard pulse < quietUntil, !hasChanged else { return false }
        state.now = max(pulse, state.now)
        return true
    }

    /// Reads the port at an offset from the first one. The control port is write-only.
    public mutating func read(_ offset: UInt16, at time: MachineTime) -> UInt8 {
        follow(to: time)
        return read(offset)
    }

    /// The same at the moment that was followed last.
    @inline(__always)
    mutating func read(_ offset: UInt16) -> UInt8 {
        switch offset {
        case 0: return state.counter0.read(at: state.now)
        case 1: return state.counter1.read(at: state.now)
        case 2: return state.counter2.read(at: state.now)
        default: return 0xFF
        }
    }

    /// Writes the port at an offset from the first one.
    public mutating func write(_ offset: UInt16, _ value: UInt8, at time: MachineTime) {
        follow(to: time)
        switch offset {
        case 1: return state.counter1.write(value, at: state.now)
        case 2: return state.counter2.write(value, at: state.now)
        // A latch, or another counter: nothing becomes of counter 0's output.
        case 3 where value & 0x30 == 0 || value >= 0x40: return control(value)
        case 0, 3: break
        default: return
        }
        let wasHigh = state.counter0.isHigh(at: state.now)
        if offset == 0 { state.counter0.write(value, at: state.now) } else { control(value) }
        forgetOutput()
        if !wasHigh && state.counter0.isHigh(at: state.now) { state.hasRisen = true }
        if state.hasRisen { nextEvent = min(nextEvent, time) } else { findNextEvent() }
    }

    private mutating func forgetOutput() {
        quietUntil = 0
        hasChanged = true
    }

    /// Has the output be looked at again.
    mutating func expectLook() { hasChanged = true }

    /// Whether counter 0's output or its next rise may have changed since this was last asked.
    @inline(__always)
    public mutating func takeChange() -> Bool {
        guard hasChanged else { return false }
        hasChanged = false
        return true
    }

    private mutating func control(_ value: UInt8) {
        let now = state.now
        switch value >> 6 {
        case 0: Self.control(&state.counter0, value, at: now)
        case 1: Self.control(&state.counter1, value, at: now)
        case 2: Self.control(&state.counter2, value, at: now)
        default:
            if value & 2 != 0 { Self.readBack(&state.counter0, value, at: now) }
            if value & 4 != 0 { Self.readBack(&state.counter1, value, at: now) }
            if value & 8 != 0 { Self.readBack(&state.counter2, value, at: now) }
        }
    }

    private static func control(_ counter: inout IntervalCounter, _ value: UInt8, at now: UInt64) {
        if value & 0x30 == 0 { counter.latchCount(at: now) } else { counter.program(value, at: now) }
    }

    /// Read-back command: two bits that latch when clear.
    private static func readBack(_ counter: inout IntervalCounter, _ value: UInt8, at now: UInt64) {
        if value & 0x20 == 0 { counter.latchCount(at: now) }
        if value & 0x10 == 0 { counter.latchStatus(at: now) }
    }

    // MARK: Lines

    /// Sets counter 2's gate; those of the others are always high.
    public mutating func setGate2(_ high: Bool, at time: MachineTime) {
        guard high != state.counter2.gate else { return }
        follow(to: time)
        state.counter2.setGate(high, at: state.now)
    }

    /// The level of counter 0's output, which is IRQ 0.
    public mutating func isOutput0High(at time: MachineTime) -> Bool {
        follow(to: time)
        return state.counter0.isHigh(at: state.now)
    }

    /// The level of counter 2's output, which goes to the speaker and to port 61h.
    @inline(__always)
    public mutating func isOutput2High(at time: MachineTime) -> Bool {
        follow(to: time)
        state.counter2.settle(at: state.now)
        return state.counter2.isHigh(at: state.now)
    }

    /// Follows counter 0's output.
    /// - Returns: whether it has risen since this was asked last: IRQ 0 has an edge. Rises that were missed are one
    ///   edge, as they would be for an interrupt controller that nobody served in time.
    public mutating func advance(to time: MachineTime) -> Bool {
        guard time >= nextEvent else { return false }
        follow(to: time)
        let result = state.hasRisen
        state.hasRisen = false
        findNextEvent()
        return result
    }

    @inline(__always)
    mutating func follow(to time: MachineTime) {
        let pulse = clock.count(at: time)
        if pulse < quietUntil { state.now = max(pulse, state.now) } else { followChange(to: pulse) }
    }

    @inline(never)
    private mutating func followChange(to pulse: UInt64) {
        defer { quietUntil = state.counter0.quietUntil(after: state.now) }
        hasChanged = true
        guard pulse > state.now else { return }
        if state.counter0.nextRise(after: state.now) <= pulse { state.hasRisen = true }
        state.now = pulse
        state.counter0.settle(at: pulse)
    }

    private mutating func findNextEvent() {
        let rise = state.counter0.nextRise(after: state.now)
        nextEvent = rise == .max ? .never : clock.time(ofCount: rise)
    }
}

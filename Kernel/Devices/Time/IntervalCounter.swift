/// One counter of an 8254, by its own clock (Intel 82C54 data sheet, "Mode Definitions"): every time here is a number
/// of that clock's pulses. A program, a count or a trigger takes effect with the pulse after it.
///
/// Nothing counts here: the count and the output are computed from the time at which counting began, once for each stretch in
/// which they go on evenly.
struct IntervalCounter: Equatable, Sendable {
    private enum Progress: Equatable {
        /// Without a count, waiting for a trigger, or stopped by the gate in a periodic mode.
        case idle
        /// Since the pulse that loaded the count.
        case running(since: UInt64)
        /// By the gate, in a mode that continues where it was, with this many pulses counted.
        case stopped(after: UInt64)
    }

    /// From when it was computed until its end, the output stays as it is and the count falls evenly.
    private struct Stretch: Equatable {
        var end: UInt64
        var isHigh: Bool
        /// What the count would have been at pulse 0, and how much it falls with each.
        var origin: UInt64
        var step: UInt64
    }

    private static var never: UInt64 { .max }

    /// As written: modes 2 and 3 have two encodings.
    private var modeBits: UInt8 = 0
    /// 1 the low byte, 2 the high byte, 3 both.
    private var access: UInt8 = 3
    private var isDecimal = false
    private(set) var gate: Bool

    private var progress = Progress.idle
    /// The count that was loaded, 1 to 65536.
    private var length: UInt64 = 1
    /// What is read while idle.
    private var held: UInt64 = 0
    /// The count register; 0 if not written since the control word.
    private var reload: UInt64 = 0
    /// The count register has not been loaded yet; it will be at `loadMoment`.
    private var isNull = true
    private var loadMoment = Self.never
    /// Ends at once after anything else changes the count.
    private var stretch = Stretch(end: 0, isHigh: false, origin: 0, step: 0)

    private var lowByte: UInt8 = 0
    private var writesHigh = false
    private var readsHigh = false
    private var latchedCount: UInt16?
    private var latchedStatus: UInt8?

    init(gate: Bool) { self.gate = gate }

    private var mode: UInt8 { modeBits & 2 != 0 ? modeBits & 3 : modeBits }
    private var isPeriodic: Bool { modeBits & 2 != 0 }
    private var modulus: UInt64 { isDecimal ? 10000 : 65536 }

    // MARK: Programming

    /// A control word with an access other than 0, which is the latch command.
    mutating func program(_ control: UInt8, at now: UInt64) {
        follow(to: now)
        let held = count(at: now)
        self = Self(programmed: control, gate: gate, held: held)
    }

    private init(programmed control: UInt8, gate: Bool, held: UInt64) {
        self.gate = gate
        self.held = held
        modeBits = control >> 1 & 7
        access = control >> 4 & 3
        isDecimal = control & 1 != 0
    }

    mutating func write(_ byte: UInt8, at now: UInt64) {
        follow(to: now)
        stretch.end = 0
        switch access {
        case 1: load(UInt16(byte), at: now)
        case 2: load(UInt16(byte) << 8, at: now)
        default:
            writesHigh.toggle()
            guard writesHigh else { return load(UInt16(byte) << 8 | UInt16(lowByte), at: now) }
            lowByte = byte
            if mode == 0 {  // the first byte stops counting
                held = count(at: now)
                progress = .idle
            }
        }
    }

    private mutating func load(_ raw: UInt16, at now: UInt64) {
        let count = isDecimal ? Self.binary(raw) : UInt64(raw)
        reload = count == 0 ? modulus : count
        // A count of 1 is illegal there, and has no output.
        if isPeriodic && reload == 1 { reload = 2 }
        isNull = true
        loadMoment = Self.never
        switch (mode, progress) {
        case (0, _), (4, _):
            start(at: now)
            if !gate { progress = .stopped(after: 0) }
        case (2, .idle), (3, .idle):
            if gate { start(at: now) }
        case (2, .running(let since)), (3, .running(let since)):
            loadMoment = partEnd(since: since, at: now)
        default: break  // taken by the next trigger
        }
    }

    private mutating func start(at now: UInt64) {
        length = reload
        progress = .running(since: now &+ 1)
        loadMoment = now &+ 1
    }

    /// A rising gate triggers, a low one holds, depending on the mode.
    mutating func setGate(_ high: Bool, at now: UInt64) {
        guard high != gate else { return }
        follow(to: now)
        stretch.end = 0
        gate = high
        switch (mode, progress, high) {
        case (0, .stopped(let pulses), true), (4, .stopped(let pulses), true):
            progress = .running(since: now &- pulses)
        case (0, .running(let since), false), (4, .running(let since), false):
            progress = .stopped(after: Self.pulses(since, now))
        case (2, .running, false), (3, .running, false):
            held = count(at: now)
            progress = .idle
            loadMoment = Self.never
        case (1, _, true), (2, _, true), (3, _, true), (5, _, true):
            if reload != 0 { start(at: now) }
        default: break
        }
    }

    /// Loads the count register.
    private mutating func loadCount() {
        isNull = false
        guard isPeriodic, case .running(let since) = progress else { return }
        // The second half of a square wave continues with the new count's second half.
        let isSecondHalf = mode == 3 && Self.pulses(since, loadMoment) % length != 0
        length = reload
        progress = .running(since: isSecondHalf ? loadMoment &- highLength : loadMoment)
    }

    // MARK: Time; it must not lie before the last one

    /// Carries out what happened up to a time.
    @inline(__always)
    mutating func follow(to now: UInt64) {
        if now >= stretch.end { findStretch(at: now) }
    }

    /// Until when there is nothing to carry out.
    var quietUntil: UInt64 {
        @inline(__always) get { stretch.end }
    }

    @inline(never)
    private mutating func findStretch(at now: UInt64) {
        if isNull, now >= loadMoment { loadCount() }
        switch progress {
        case .idle: stretch = Stretch(end: Self.never, isHigh: mode != 0, origin: held, step: 0)
        case .stopped(let pulses):
            stretch = Stretch(
                end: Self.never, isHigh: mode != 0 || pulses >= length, origin: newStretch(after: pulses).origin, step: 0)
        case .running(let since):
            stretch = newStretch(after: Self.pulses(since, now))
            if Self.hasReached(now, since) {
                stretch.end &+= now
                stretch.origin &+= now &* stretch.step
            } else {
                stretch.end = since
                stretch.step = 0
            }
        }
        if isNull { stretch.end = min(stretch.end, loadMoment) }
    }

    /// The stretch that begins that many pulses after the load, by a clock that begins there.
    private func newStretch(after pulses: UInt64) -> Stretch {
        let position = pulses % length
        switch mode {
        case 2:
            let isHigh = position != length &- 1
            return Stretch(end: isHigh ? length &- 1 &- position : 1, isHigh: isHigh, origin: length &- position, step: 1)
        case 3:
            let isHigh = position < highLength
            let half = isHigh ? position : position &- highLength
            return Stretch(
                end: (isHigh ? highLength : length) &- position, isHigh: isHigh, origin: length & ~1 &- 2 &* half, step: 2)
        default:
            let count = (length &+ modulus &- pulses % modulus) % modulus
            return Stretch(
                end: max(count, 1), isHigh: mode < 2 ? pulses >= length : pulses != length, origin: count, step: 1)
        }
    }

    /// The count at a time that has been reached.
    @inline(__always)
    private func count(at now: UInt64) -> UInt64 { stretch.origin &- now &* stretch.step }

    // MARK: Reading, at a time that has been reached

    @inline(__always)
    mutating func read(at now: UInt64) -> UInt8 {
        if let status = latchedStatus {
            latchedStatus = nil
            return status
        }
        let count = latchedCount ?? digits(at: now)
        let isHigh = access == 3 ? readsHigh : access == 2
        if access == 3 { readsHigh.toggle() }
        if !readsHigh { latchedCount = nil }
        return UInt8(truncatingIfNeeded: isHigh ? count >> 8 : count)
    }

    /// A count already latched stays.
    @inline(__always)
    mutating func latchCount(at now: UInt64) {
        if latchedCount == nil { latchedCount = digits(at: now) }
    }

    mutating func latchStatus() {
        guard latchedStatus == nil else { return }
        latchedStatus = (isHigh ? 0x80 : 0) | (isNull ? 0x40 : 0) | access << 4 | modeBits << 1 | (isDecimal ? 1 : 0)
    }

    @inline(__always)
    private func digits(at now: UInt64) -> UInt16 {
        UInt16(truncatingIfNeeded: isDecimal ? Self.decimal(count(at: now)) : count(at: now))
    }

    // MARK: The output, at a time that has been reached

    var isHigh: Bool {
        @inline(__always) get { stretch.isHigh }
    }

    /// The next time after `now` at which the output rises by itself; the largest number if there is none.
    mutating func nextRise(after now: UInt64) -> UInt64 {
        guard case .running(let since) = progress else { return Self.never }
        let rise: UInt64
        switch mode {
        case 0, 1: rise = since &+ length
        case 2, 3: rise = since &+ (Self.pulses(since, now) / length &+ 1) &* length
        default: rise = since &+ length &+ 1
        }
        if isNull && now < loadMoment && rise > loadMoment {
            var later = self
            later.follow(to: loadMoment)
            return later.nextRise(after: loadMoment)
        }
        return rise > now ? rise : Self.never
    }

    /// How long a square wave is high: the longer half.
    private var highLength: UInt64 { (length &+ 1) / 2 }

    /// The end of the period, or of the half of a square wave.
    private mutating func partEnd(since: UInt64, at now: UInt64) -> UInt64 {
        guard Self.hasReached(now, since) else { return since }
        let position = (now &- since) % length
        return now &- position &+ (mode == 3 && position < highLength ? highLength : length)
    }

    /// Pulses since the load, which may be the next one.
    private static func pulses(_ since: UInt64, _ now: UInt64) -> UInt64 { hasReached(now, since) ? now &- since : 0 }

    /// A square wave's first period may lie before the beginning of time.
    private static func hasReached(_ now: UInt64, _ since: UInt64) -> Bool { Int64(bitPattern: now &- since) >= 0 }

    // MARK: Binary-coded decimal

    private static func binary(_ raw: UInt16) -> UInt64 {
        let digits = UInt64(raw)
        return digits & 15 + (digits >> 4 & 15) * 10 + (digits >> 8 & 15) * 100 + (digits >> 12) * 1000
    }

    private static func decimal(_ value: UInt64) -> UInt64 {
        value % 10 | (value / 10 % 10) << 4 | (value / 100 % 10) << 8 | (value / 1000 % 10) << 12
    }
}

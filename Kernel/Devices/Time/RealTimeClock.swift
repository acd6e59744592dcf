/// The real-time clock with 128 bytes of memory, at ports 70h and 71h (Motorola MC146818A data sheet; the century in
/// byte 32h).
///
/// Its date is computed from machine time when it is read. While updates are inhibited (SET) or the divider is held,
/// the registers are plain memory; afterwards the clock goes on from what is written there.
public struct RealTimeClock: Equatable, Sendable {
    public static var firstPort: UInt16 { 0x70 }
    public static var portCount: UInt16 { 2 }

    private static var periodicFlag: UInt8 { 0x40 }
    private static var alarmFlag: UInt8 { 0x20 }
    private static var updateFlag: UInt8 { 0x10 }
    private static var set: UInt8 { 0x80 }
    /// The divider counts 2^15 per second.
    private static var secondShift: UInt64 { 15 }
    /// 244 microseconds.
    private static var updateWarning: UInt64 { 8 }

    /// What the chip holds, and what its date is computed from.
    public struct State: Equatable, Sendable {
        fileprivate var memory = NonvolatileMemory()
        fileprivate var index: UInt8 = 0
        fileprivate var registerA: UInt8 = 0x26
        fileprivate var registerB: UInt8 = 0x02
        /// Register C without its top bit.
        fileprivate var flags: UInt8 = 0
        /// Bit 7 of port 70h. The virtual PC has no source of NMIs behind it.
        fileprivate var isNMIMasked = false

        /// The latest tick seen of the 32.768 kHz clock; flags and alarms were followed until then.
        fileprivate var now: UInt64 = 0
        /// How far the divider is ahead of the clock, in ticks, less than a second.
        fileprivate var dividerLead: UInt64 = 0
        /// The date when the divider's count was 0, in Unix seconds.
        fileprivate var start = 0
        /// How far the guest's days of the week are ahead of the calendar's.
        fileprivate var weekdayLead = 0
    }

    private let clock: TickConversion
    public private(set) var state = State()

    public var isNMIMasked: Bool { state.isNMIMasked }
    /// The second, in Unix time, whose date the registers hold; none before the first read.
    private var storedSecond = Int.min
    /// The line or the next event may have changed since the last call.
    private var hasChanged = true
    /// When the interrupt line will rise by itself.
    public private(set) var nextEvent = MachineTime.never

    /// - Parameters:
    ///   - unixSeconds: the date and time, without a time zone, at the start of the machine; up to the year 9999.
    ///   - memoryBelow4GiB: the bytes of RAM that the CMOS memory reports.
    ///   - timeStampFrequency: in Hz.
    ///   - previous: the clock of the machine that is restarted, whose memory has kept its contents.
    public init(
        unixSeconds: UInt64, memoryBelow4GiB: UInt64, memoryAbove4GiB: UInt64 = 0, timeStampFrequency: UInt64,
        previous: Self? = nil
    ) {
        clock = TickConversion(frequency: 1 << Self.secondShift, timeStampFrequency: timeStampFrequency)
        if let previous { state.memory = previous.state.memory }
        state.memory.testSelf(memoryBelow4GiB: memoryBelow4GiB, memoryAbove4GiB: memoryAbove4GiB)
        state.start = Self.bounded(unixSeconds)
    }

    /// Restores a saved state.
    public mutating func restore(_ state: State) {
        self.state = state
        forget()
        findNextEvent()
    }

    /// Sets the current date and time.
    public mutating func setTime(unixSeconds: UInt64, at time: MachineTime) {
        follow(to: time)
        state.start = Self.bounded(unixSeconds) - dividerSeconds
        state.weekdayLead = 0
        forget()
        if !isRunning { storeDate() }
        findNextEvent()
    }

    private static func bounded(_ unixSeconds: UInt64) -> Int { Int(min(unixSeconds, 253_402_300_799)) }

    /// IRQ 8.
    public var interruptLine: Bool { state.flags & state.registerB != 0 }

    // MARK: Ports

    /// Reads the port at an offset from the first one. The index port is write-only.
    @inline(__always)
    public mutating func read(_ offset: UInt16, at time: MachineTime) -> UInt8 {
        guard offset == 1 else { return 0xFF }
        follow(to: time)
        switch state.index {
        case 0, 2, 4, 6, 7, 8, 9, 0x32:
            if storedSecond != state.start &+ dividerSeconds, isRunning { storeDate() }
            return state.memory[state.index]
        case 0x0A: return state.registerA | (isUpdateInProgress ? 0x80 : 0)
        case 0x0B: return state.registerB
        case 0x0C:
            let value = state.flags | (interruptLine ? 0x80 : 0)
            state.flags = 0
            hasChanged = true
            findNextEvent()
            return value
        case 0x0D: return 0x80  // the battery is good
        default: return state.memory[state.index]
        }
    }

    /// Forgets what follows from the state, which may have changed.
    private mutating func forget() {
        storedSecond = .min
        hasChanged = true
    }

    /// Whether the line or the next event may have changed since the last call.
    @inline(__always)
    public mutating func takeChange() -> Bool {
        guard hasChanged else { return false }
        hasChanged = false
        return true
    }

    /// Writes the port at an offset from the first one.
    public mutating func write(_ offset: UInt16, _ value: UInt8, at time: MachineTime) {
        guard offset == 1 else {
            if offset == 0 {
                state.index = value & 0x7F
                state.isNMIMasked = value & 0x80 != 0
            }
            return
        }
        follow(to: time)
        switch state.index {
        case 0, 2, 4, 6, 7, 8, 9, 0x32:
            if isRunning { storeDate() }
            state.memory[state.index] = value
            if isRunning { takeDate() }
        case 0x0A: control(a: value & 0x7F, b: state.registerB)
        // Inhibiting updates disables their interrupt.
        case 0x0B: control(a: state.registerA, b: value & Self.set != 0 ? value & ~Self.updateFlag : value)
        case 0x0C, 0x0D: return
        default: state.memory[state.index] = value
        }
        forget()
        findNextEvent()
    }

    private mutating func control(a: UInt8, b: UInt8) {
        if isRunning { storeDate() }
        let (wasRunning, wasDividing) = (isRunning, isDividing)
        (state.registerA, state.registerB) = (a, b)
        if isDividing && !wasDividing {
            // The first update comes half a second after the divider starts.
            state.dividerLead = (1 << (Self.secondShift - 1) &- state.now) & (1 << Self.secondShift - 1)
        }
        if isRunning && !wasRunning { takeDate() }
    }

    // MARK: Time

    /// The divider is set for the crystal of 32.768 kHz and not held in reset.
    private var isDividing: Bool { state.registerA & 0x70 == 0x20 }
    private var isRunning: Bool { isDividing && state.registerB & Self.set == 0 }

    private var divider: UInt64 { state.now &+ state.dividerLead }
    private var dividerSeconds: Int { Int(truncatingIfNeeded: divider >> Self.secondShift) }

    private var isUpdateInProgress: Bool {
        isRunning && ~divider & (1 << Self.secondShift - 1) < Self.updateWarning
    }

    /// Sets the flags for what has happened up to a time.
    @inline(__always)
    private mutating func follow(to time: MachineTime) {
        let tick = clock.count(at: time)
        if tick > state.now { follow(toTick: tick) }
    }

    @inline(never)
    private mutating func follow(toTick tick: UInt64) {
        hasChanged = true
        let (before, second) = (divider, dividerSeconds)
        state.now = tick
        guard isDividing else { return }
        if let shift = periodShift, before >> shift != divider >> shift { state.flags |= Self.periodicFlag }
        guard isRunning, second != dividerSeconds else { return }
        state.flags |= Self.updateFlag
        if let alarm = nextAlarm(after: state.start + second), alarm <= state.start + dividerSeconds {
            state.flags |= Self.alarmFlag
        }
    }

    /// Brings the flags and the interrupt line up to a time.
    public mutating func advance(to time: MachineTime) {
        guard time >= nextEvent else { return }
        follow(to: time)
        findNextEvent()
    }

    /// Ticks of the periodic interrupt, as a power of two.
    private var periodShift: UInt64? {
        switch UInt64(state.registerA & 0x0F) {
        case 0: nil
        case let rate where rate < 3: rate + 6
        case let rate: rate - 1
        }
    }

    private mutating func findNextEvent() {
        nextEvent = .never
        // The line cannot rise twice; without enabled interrupts, never.
        guard state.registerB & 0x70 != 0, isDividing, !interruptLine else { return }
        var event = UInt64.max
        if state.registerB & Self.periodicFlag != 0, let shift = periodShift { event = (divider >> shift &+ 1) << shift }
        if isRunning {
            var wait: Int?
            if state.registerB & Self.alarmFlag != 0, let alarm = nextAlarm(after: state.start + dividerSeconds) {
                wait = alarm - state.start - dividerSeconds
            }
            if state.registerB & Self.updateFlag != 0 { wait = 1 }
            if let wait { event = min(event, UInt64(truncatingIfNeeded: dividerSeconds &+ wait) << Self.secondShift) }
        }
        if event != .max { nextEvent = clock.time(ofCount: event &- state.dividerLead) }
    }

    // MARK: The alarm

    /// The first second after another that the alarm registers match; nil if none does.
    private func nextAlarm(after second: Int) -> Int? {
        let (seconds, minutes, hours) = (alarmField(1), alarmField(3), alarmField(5))
        guard isTime(1, seconds, below: 60), isTime(3, minutes, below: 60), isTime(5, hours, below: 24) else {
            return nil
        }
        var time = CalendarDate.modulo(second + 1, CalendarDate.secondsPerDay)
        let midnight = second + 1 - time
        // From the shortest unit: when a longer one skips, the shorter ones start again.
        if let seconds { time += CalendarDate.modulo(seconds - time, 60) }
        if let minutes, time / 60 % 60 != minutes {
            time = (time / 60 + CalendarDate.modulo(minutes - time / 60, 60)) * 60 + (seconds ?? 0)
        }
        if let hours, time / 3600 % 24 != hours {
            let hour = time / 3600 + CalendarDate.modulo(hours - time / 3600, 24)
            time = hour * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)
        }
        return midnight + time
    }

    /// What an alarm register asks for; nil for any.
    private func alarmField(_ register: UInt8) -> Int? {
        let raw = state.memory[register]
        if raw >= 0xC0 { return nil }
        return register == 5 ? decodeHour(raw) : decode(raw)
    }

    /// Whether the register's value, exactly as written, occurs in some time.
    private func isTime(_ register: UInt8, _ value: Int?, below limit: Int) -> Bool {
        guard let value else { return true }
        return value < limit && (register == 5 ? encodeHour(value) : encode(value)) == state.memory[register]
    }

    // MARK: The date as registers

    /// Brings the registers up to date.
    @inline(never)
    private mutating func storeDate() {
        let second = state.start &+ dividerSeconds
        let date = CalendarDate(unixSeconds: second)
        let yearOfCentury = CalendarDate.modulo(date.year, 100)
        state.memory[0] = encode(date.second)
        state.memory[2] = encode(date.minute)
        state.memory[4] = encodeHour(date.hour)
        state.memory[6] = encode((CalendarDate.weekday(unixSeconds: second) + state.weekdayLead) % 7 + 1)
        state.memory[7] = encode(date.day)
        state.memory[8] = encode(date.month)
        state.memory[9] = encode(yearOfCentury)
        state.memory[0x32] = encode((date.year - yearOfCentury) / 100)
        storedSecond = second
    }

    /// Continues from the date in the registers, whatever they hold.
    private mutating func takeDate() {
        let date = CalendarDate(
            year: decode(state.memory[0x32]) * 100 + decode(state.memory[9]), month: decode(state.memory[8]),
            day: decode(state.memory[7]),
            hour: decodeHour(state.memory[4]), minute: decode(state.memory[2]), second: decode(state.memory[0]))
        let second = date.unixSeconds
        state.start = second - dividerSeconds
        state.weekdayLead = CalendarDate.modulo(decode(state.memory[6]) - 1 - CalendarDate.weekday(unixSeconds: second), 7)
    }

    /// DM: binary, or two decimal digits.
    private var isBinary: Bool { state.registerB & 0x04 != 0 }
    /// 24/12.
    private var has24Hours: Bool { state.registerB & 0x02 != 0 }

    private func encode(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: isBinary ? value : (value / 10 % 10) << 4 | value % 10)
    }

    private func decode(_ raw: UInt8) -> Int { isBinary ? Int(raw) : Int(raw >> 4) * 10 + Int(raw & 0x0F) }

    private func encodeHour(_ hour: Int) -> UInt8 {
        if has24Hours { return encode(hour) }
        return encode((hour + 11) % 12 + 1) | (hour >= 12 ? 0x80 : 0)
    }

    private func decodeHour(_ raw: UInt8) -> Int {
        if has24Hours { return decode(raw) }
        return decode(raw & 0x7F) % 12 + (raw & 0x80 != 0 ? 12 : 0)
    }
}

/// ACPI's fixed hardware (ACPI specification 6.5, 4.8.3 "Fixed Hardware Registers"): the PM1a event and control
/// registers and the 32-bit power-management timer, in one block of ports. The machine is in ACPI mode from the start.
public struct PowerManagementTimer: Equatable, Sendable {
    public static var firstPort: UInt16 { 0x600 }
    public static var portCount: UInt16 { 0x0C }
    /// Where the parts are in the block.
    public static var controlOffset: UInt16 { 4 }
    public static var timerOffset: UInt16 { 8 }
    /// In Hz.
    public static var frequency: UInt64 { 3_579_545 }
    /// SLP_TYP of S5, soft off.
    public static var softOff: UInt16 { 5 }

    private static var timerBit: UInt16 { 1 << 0 }
    private static var powerButtonBit: UInt16 { 1 << 8 }
    /// Timer, global lock, power button, sleep button and clock alarm: ACPI drivers read back what they enable.
    private static var enableBits: UInt16 { 0x0721 }
    private static var systemControlEnable: UInt16 { 1 << 0 }
    private static var sleepEnable: UInt16 { 1 << 13 }
    /// BM_RLD and SLP_TYP.
    private static var controlBits: UInt16 { 0x1C02 }
    /// The timer's status is set when its top bit changes.
    private static var topBit: UInt64 { 31 }

    /// What the registers hold, except the timer, which follows from the time.
    public struct State: Equatable, Sendable {
        fileprivate var status: UInt16 = 0
        fileprivate var enable: UInt16 = 0
        fileprivate var control: UInt16 = 0
        /// Changes of the timer's top bit that the status shows, or has shown.
        fileprivate var changes: UInt64 = 0
    }

    private let clock: TickConversion
    public private(set) var state = State()

    /// When the interrupt line will rise by itself.
    public private(set) var nextEvent = MachineTime.never

    /// - Parameter timeStampFrequency: in Hz, more than the timer's own.
    public init(timeStampFrequency: UInt64) {
        clock = TickConversion(frequency: Self.frequency, timeStampFrequency: timeStampFrequency)
    }

    /// Restores a saved state.
    public mutating func restore(_ state: State) {
        self.state = state
        findNextEvent()
    }

    /// The timer.
    @inline(__always)
    public func count(at time: MachineTime) -> UInt32 { UInt32(truncatingIfNeeded: clock.count(at: time)) }

    /// The system control interrupt, level-triggered.
    public var interruptLine: Bool { state.status & state.enable != 0 }

    /// The power button is pressed.
    public mutating func pressPowerButton() { state.status |= Self.powerButtonBit }

    // MARK: Ports

    /// Reads 1, 2 or 4 bytes at an offset from the first port.
    public mutating func read(_ offset: UInt16, size: Int, at time: MachineTime) -> UInt32 {
        let low = register(offset & ~3, at: time) &>> (UInt32(offset & 3) &* 8)
        if size == 1 { return low & 0xFF }
        let next = UInt64(register(offset & ~3 &+ 4, at: time))
        let value = UInt32(truncatingIfNeeded: next << (32 &- UInt64(offset & 3 &* 8))) | low
        return size == 4 ? value : value & 0xFFFF
    }

    private mutating func register(_ offset: UInt16, at time: MachineTime) -> UInt32 {
        switch offset {
        case 0:
            follow(to: time)
            return UInt32(state.enable) << 16 | UInt32(state.status)
        case 4: return UInt32(state.control | Self.systemControlEnable)
        case 8: return count(at: time)
        default: return .max
        }
    }

    /// Writes 1, 2 or 4 bytes at an offset from the first port.
    public mutating func write(_ offset: UInt16, size: Int, _ value: UInt32, at time: MachineTime) -> PowerEffect {
        follow(to: time)
        var effect = PowerEffect.none
        for index in 0..<min(size, 4) {
            let byte = UInt8(truncatingIfNeeded: value &>> UInt32(8 &* index))
            if writeByte(offset &+ UInt16(truncatingIfNeeded: index), byte) { effect = .powerOff }
        }
        findNextEvent()
        return effect
    }

    /// - Returns: whether this switches the machine off.
    private mutating func writeByte(_ offset: UInt16, _ value: UInt8) -> Bool {
        let shift = (offset & 1) &* 8
        let word = UInt16(value) &<< shift
        let bits = UInt16(0xFF) &<< shift
        switch offset {
        case 0, 1: state.status &= ~word
        case 2, 3: state.enable = state.enable & ~bits | word & Self.enableBits
        case 4, 5:
            state.control = state.control & ~bits | word & Self.controlBits
            return word & Self.sleepEnable != 0 && state.control >> 10 & 7 == Self.softOff
        default: break
        }
        return false
    }

    // MARK: The timer's status

    private mutating func follow(to time: MachineTime) {
        let seen = clock.count(at: time) >> Self.topBit
        guard seen > state.changes else { return }
        state.changes = seen
        state.status |= Self.timerBit
    }

    /// Brings the status and the interrupt line up to a time.
    public mutating func advance(to time: MachineTime) {
        guard time >= nextEvent else { return }
        follow(to: time)
        findNextEvent()
    }

    private mutating func findNextEvent() {
        let isAwaited = state.enable & Self.timerBit != 0 && state.status & Self.timerBit == 0
        nextEvent = isAwaited ? clock.time(ofCount: (state.changes &+ 1) << Self.topBit) : .never
    }
}

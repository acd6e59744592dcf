/// Port 61h, system control port B (82371SB PIIX3 data sheet, "NMI Status and Control Register"): the speaker's gate,
/// the output of the timer's counter 2, and a bit that toggles with every memory refresh.
public struct SystemControlPort: Equatable, Sendable {
    public static var port: UInt16 { 0x61 }

    /// The refresh that counter 1 of the timer once paced: every 18 pulses.
    private let refresh: TickConversion
    public private(set) var state = State()

    /// What the register holds.
    public struct State: Equatable, Sendable {
        /// Gate 2, speaker data, and the two bits that mask board errors.
        fileprivate var control: UInt8 = 0
    }

    /// - Parameter timeStampFrequency: in Hz.
    public init(timeStampFrequency: UInt64) {
        refresh = TickConversion(frequency: IntervalTimer.frequency / 18, timeStampFrequency: timeStampFrequency)
    }

    /// Restores a saved state.
    public mutating func restore(_ state: State) { self.state = state }

    /// The gate of the timer's counter 2.
    public var gate2: Bool { state.control & 1 != 0 }
    /// Whether counter 2's output reaches the speaker.
    public var isSpeakerOn: Bool { state.control & 2 != 0 }

    /// - Parameter output2: the level of the output of the timer's counter 2.
    public func read(output2: Bool, at time: MachineTime) -> UInt8 {
        state.control | (refresh.count(at: time) & 1 != 0 ? 0x10 : 0) | (output2 ? 0x20 : 0)
    }

    /// The timer must be told of `gate2` afterwards.
    public mutating func write(_ value: UInt8) { state.control = value & 0x0F }
}

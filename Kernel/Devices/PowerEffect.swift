/// What a write to a register asks of the machine as a whole.
public enum PowerEffect: Equatable, Sendable {
    case none
    case powerOff
    case reset
}

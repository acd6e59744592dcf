/// The two 8259A of a PC: the second one's output is input 2 of the first (82371SB PIIX3 data sheet, "Interrupt
/// Controller"). Their 16 inputs are IRQ 0 to 15, without 2.
///
/// An interrupt line must stay high until its interrupt is acknowledged; a line that falls before takes the request back.
/// Until a controller is initialized it requests nothing.
public struct InterruptControllerPair: Equatable, Sendable {
    private var first = InterruptController8259(levelCapable: 0xF8, cascade: 1 << cascadeInput)
    /// IRQ 8, the clock's, and 13, the coprocessor's, are edge-triggered for ever, as are IRQ 0, 1 and 2.
    private var second = InterruptController8259(levelCapable: 0xDE)
    /// The lines as they are.
    private var lines: UInt16 = 0

    /// INTR: an interrupt waits for the processor.
    public private(set) var interruptOutput = false

    private static var cascadeInput: UInt8 { 2 }

    public init() {}

    /// Whether a port is one of the six.
    public static func isPresent(_ port: UInt16) -> Bool {
        port & ~1 == 0x20 || port & ~1 == 0xA0 || port & ~1 == 0x4D0
    }

    /// What both chips and their lines hold.
    public struct State: Equatable, Sendable {
        fileprivate var first: InterruptController8259.State
        fileprivate var second: InterruptController8259.State
        fileprivate var lines: UInt16
    }

    public var state: State { State(first: first.state, second: second.state, lines: lines) }

    /// Goes on from the state of another.
    public mutating func restore(_ state: State) {
        (first.state, second.state, lines) = (state.first, state.second, state.lines)
        update()
    }

    // MARK: Interrupts

    /// The line of an IRQ goes high or low.
    @inline(__always)
    public mutating func setLine(_ irq: UInt8, _ isHigh: Bool) {
        let isHighNow = lines &>> UInt16(irq & 15) & 1 != 0
        if isHigh != isHighNow { changeLine(irq, isHigh) }
    }

    @inline(never)
    private mutating func changeLine(_ irq: UInt8, _ isHigh: Bool) {
        guard irq < 16, irq != Self.cascadeInput else { return }
        lines ^= 1 &<< UInt16(irq)
        let bit: UInt8 = 1 &<< (irq & 7)
        if irq < 8 { first.setLine(bit, isHigh) } else { second.setLine(bit, isHigh) }
        update()
    }

    /// Whether anybody would hear of the timer.
    var passesTimer: Bool { first.passesFirstInput }

    /// INTA: the processor takes the interrupt. If none waits any more, it is a spurious one: input 7, not in service.
    /// - Returns: its vector.
    public mutating func acknowledge() -> UInt8 {
        let input = first.acknowledge()
        var vector = first.state.vectorBase | input
        if input == Self.cascadeInput, !first.state.isSingle { vector = second.state.vectorBase | second.acknowledge() }
        update()
        return vector
    }

    /// What follows from a change of either.
    private mutating func update() {
        first.setLine(1 << Self.cascadeInput, second.output)
        interruptOutput = first.output
    }

    // MARK: Ports

    /// IN from one of the ports; any other reads as ones.
    public mutating func read(_ port: UInt16) -> UInt8 {
        let value: UInt8
        switch port {
        case 0x20: value = first.readCommand()
        case 0x21: value = first.readData()
        case 0xA0: value = second.readCommand()
        case 0xA1: value = second.readData()
        case 0x4D0: return first.state.levelTriggered
        case 0x4D1: return second.state.levelTriggered
        default: return 0xFF
        }
        // The read may have been a poll.
        update()
        return value
    }

    /// OUT to one of the ports.
    public mutating func write(_ port: UInt16, _ value: UInt8) {
        switch port {
        case 0x20: first.writeCommand(value)
        case 0x21: first.writeData(value)
        case 0xA0: second.writeCommand(value)
        case 0xA1: second.writeData(value)
        case 0x4D0: first.setLevelTriggered(value)
        case 0x4D1: second.setLevelTriggered(value)
        default: return
        }
        update()
    }
}

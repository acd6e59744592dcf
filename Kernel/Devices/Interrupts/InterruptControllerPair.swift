/// The two 8259A of a PC: the second one's output is input 2 of the first (82371SB PIIX3 data sheet, "Interrupt
/// Controller"). Their 16 inputs are IRQ 0 to 15, without 2.
///
/// An interrupt line must stay high until its interrupt is acknowledged; a line that falls earlier withdraws the request.
/// Until it is initialized, a controller requests nothing.
public struct InterruptControllerPair: Equatable, Sendable {
    /// The command port of each controller; its data port is the next.
    public static var firstPort: UInt16 { 0x20 }
    public static var secondPort: UInt16 { 0xA0 }
    /// Which inputs are level-triggered: the first controller's; the second's port is the next.
    static var triggerPort: UInt16 { 0x4D0 }
    static var portCount: UInt16 { 2 }

    private var first = InterruptController8259(levelCapable: 0xF8, cascade: 1 << cascadeInput)
    /// IRQ 8 (clock) and 13 (coprocessor) are always edge-triggered, as are IRQ 0, 1 and 2.
    private var second = InterruptController8259(levelCapable: 0xDE)
    /// The lines as they are.
    private var lines: UInt16 = 0

    /// INTR: an interrupt is waiting for the processor.
    public private(set) var interruptOutput = false
    private var hasChanged = false
    /// How often it rose.
    public private(set) var outputRises: UInt32 = 0

    private static var cascadeInput: UInt8 { 2 }

    public init() {}

    /// The registers, by the number that `read` and `write` take.
    enum Register {
        static var firstCommand: UInt8 { 0 }
        static var firstData: UInt8 { 1 }
        static var secondCommand: UInt8 { 2 }
        static var secondData: UInt8 { 3 }
        static var firstTrigger: UInt8 { 4 }
        static var secondTrigger: UInt8 { 5 }
    }

    /// What both chips and their lines hold.
    public struct State: Equatable, Sendable {
        fileprivate var first: InterruptController8259.State
        fileprivate var second: InterruptController8259.State
        fileprivate var lines: UInt16
    }

    public var state: State { State(first: first.state, second: second.state, lines: lines) }

    /// Restores a saved state.
    public mutating func restore(_ state: State) {
        (first.state, second.state, lines) = (state.first, state.second, state.lines)
        update()
    }

    // MARK: Interrupts

    /// The level of an IRQ's line.
    @inline(__always)
    func isHigh(_ irq: UInt8) -> Bool { lines &>> UInt16(irq & 15) & 1 != 0 }

    /// The line of an IRQ goes high or low.
    public mutating func setLine(_ irq: UInt8, _ isHigh: Bool) {
        guard irq < 16, irq != Self.cascadeInput, isHigh != self.isHigh(irq) else { return }
        lines ^= 1 &<< UInt16(irq)
        let bit: UInt8 = 1 &<< (irq & 7)
        if irq < 8 { first.setLine(bit, isHigh) } else { second.setLine(bit, isHigh) }
        update()
    }

    /// Whether the timer's interrupt would get through.
    var passesTimer: Bool { first.passesFirstInput }

    /// INTA: the processor takes the interrupt. If none is waiting any more, it is spurious: input 7, not in service.
    /// - Returns: its vector.
    public mutating func acknowledge() -> UInt8 {
        let input = first.acknowledge()
        var vector = first.state.vectorBase | input
        if input == Self.cascadeInput, !first.state.isSingle { vector = second.state.vectorBase | second.acknowledge() }
        update()
        return vector
    }

    /// Whether anything is, or at the last look was, requested of the processor: if not, a change of either controller has no
    /// consequences.
    var isRequested: Bool {
        @inline(__always) get { first.wanted | second.wanted != 0 || first.isHigh(1 << Self.cascadeInput) || interruptOutput }
    }

    /// Updates what follows from a change of either.
    mutating func update() {
        let cascades = second.output
        if cascades != first.isHigh(1 << Self.cascadeInput) { first.setLine(1 << Self.cascadeInput, cascades) }
        let output = first.output
        if output != interruptOutput {
            interruptOutput = output
            if output { outputRises &+= 1 }
            hasChanged = true
        }
    }

    /// Whether the output has changed since the last call.
    @inline(__always)
    mutating func takeChange() -> Bool {
        guard hasChanged else { return false }
        hasChanged = false
        return true
    }

    // MARK: Registers

    /// IN; where there is no register, ones.
    @inline(__always)
    public mutating func read(_ register: UInt8) -> UInt8 {
        let isPoll = first.state.isPolled || second.state.isPolled
        let value: UInt8
        switch register {
        case Register.firstCommand: value = first.readCommand()
        case Register.firstData: value = first.readData()
        case Register.secondCommand: value = second.readCommand()
        case Register.secondData: value = second.readData()
        case Register.firstTrigger: value = first.state.levelTriggered
        case Register.secondTrigger: value = second.state.levelTriggered
        default: value = 0xFF
        }
        if isPoll { update() }
        return value
    }

    /// OUT.
    public mutating func write(_ register: UInt8, _ value: UInt8) {
        store(register, value)
        update()
    }

    /// The same without the consequences.
    @inline(__always)
    mutating func store(_ register: UInt8, _ value: UInt8) {
        switch register {
        case Register.firstCommand: first.writeCommand(value)
        case Register.firstData: first.writeData(value)
        case Register.secondCommand: second.writeCommand(value)
        case Register.secondData: second.writeData(value)
        case Register.firstTrigger: first.setLevelTriggered(value)
        case Register.secondTrigger: second.setLevelTriggered(value)
        default: break
        }
    }
}

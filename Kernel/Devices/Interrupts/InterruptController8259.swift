/// One 8259A (data sheet "8259A Programmable Interrupt Controller"), with the edge and level register that PC chip sets
/// add (82371SB PIIX3 data sheet, "ELCR1, ELCR2").
///
/// Vectors are those of 8086 mode, whatever ICW4 says. The register replaces ICW1's choice of level or edge for all inputs;
/// the 8085's addresses and intervals have no effect.
struct InterruptController8259: Equatable, Sendable {
    /// What the chip and its inputs hold.
    struct State: Equatable, Sendable {
        /// The inputs as they are, one bit each.
        fileprivate var lines: UInt8 = 0
        /// IRR. A request withdrawn before it is acknowledged is gone, on edge-triggered inputs too (data sheet, "Edge
        /// and Level Triggered Modes").
        fileprivate var requested: UInt8 = 0
        fileprivate var inService: UInt8 = 0
        fileprivate var masked: UInt8 = 0
        fileprivate(set) var vectorBase: UInt8 = 0
        /// The input with the lowest priority; the next one (0 follows 7) has the highest.
        fileprivate var lowest: UInt8 = 7
        /// Which inputs are level-triggered.
        fileprivate(set) var levelTriggered: UInt8 = 0

        fileprivate enum Step: UInt8, Sendable { case powerUp, vectorBase, cascade, mode, ready }
        fileprivate var step = Step.powerUp
        /// From ICW1: no ICW3 follows, and the controller takes itself to be the only one.
        fileprivate(set) var isSingle = false
        fileprivate var needsMode = false

        fileprivate var endsAutomatically = false
        fileprivate var rotatesAutomatically = false
        fileprivate var isSpecialFullyNested = false
        fileprivate var isSpecialMask = false
        fileprivate var readsInService = false
        /// The next read is a poll.
        fileprivate(set) var isPolled = false
    }

    var state = State()
    /// Which inputs may be level-triggered.
    private let levelCapable: UInt8
    /// The input that the other controller's output drives, as a bit: it follows that output.
    private let cascade: UInt8

    /// - Parameters:
    ///   - levelCapable: the inputs whose trigger mode can be chosen.
    ///   - cascade: the input to which another controller is wired.
    init(levelCapable: UInt8, cascade: UInt8 = 0) {
        self.levelCapable = levelCapable
        self.cascade = cascade
    }

    // MARK: Inputs

    /// The level of a bit's input.
    @inline(__always)
    func isHigh(_ bit: UInt8) -> Bool { state.lines & bit != 0 }

    /// A bit's input goes high or low.
    mutating func setLine(_ bit: UInt8, _ isHigh: Bool) {
        if isHigh {
            state.requested |= bit & ~state.lines
            state.lines |= bit
        } else {
            state.lines &= ~bit
            state.requested &= ~bit
        }
    }

    /// Inputs whose request lasts while the line is high.
    private var following: UInt8 { state.levelTriggered | cascade }

    mutating func setLevelTriggered(_ value: UInt8) {
        let new = value & levelCapable
        let changed = new ^ state.levelTriggered
        state.levelTriggered = new
        state.requested = state.requested & ~changed | state.lines & new
    }

    // MARK: Priorities

    /// A set of inputs in the order of their priority: the highest is bit 0.
    @inline(__always)
    private func ordered(_ inputs: UInt8) -> UInt8 {
        let shift = (state.lowest &+ 1) & 7
        return inputs &>> shift | inputs &<< ((8 &- shift) & 7)
    }

    /// The highest-priority input in a set that is not empty.
    @inline(__always)
    private func highest(_ inputs: UInt8) -> UInt8 {
        (UInt8(truncatingIfNeeded: ordered(inputs).trailingZeroBitCount) &+ state.lowest &+ 1) & 7
    }

    /// The input to be served now (data sheet, "Fully Nested Mode", "Special Fully Nested Mode", "Special Mask Mode").
    ///
    /// Evaluated in place, like everything here that would otherwise copy the whole controller just to read it.
    private var request: UInt8? {
        @inline(never) mutating get {
            guard state.step == .ready else { return nil }
            let wanted = wanted
            guard wanted != 0 else { return nil }
            let input = highest(wanted)
            let bit: UInt8 = 1 &<< input
            var blocking = state.isSpecialMask ? state.inService & ~state.masked : state.inService
            // The other controller may have something more urgent than what is in service.
            if state.isSpecialFullyNested { blocking &= ~(cascade & bit) }
            guard blocking != 0 else { return input }
            return ordered(bit).trailingZeroBitCount < ordered(blocking).trailingZeroBitCount ? input : nil
        }
    }

    /// Whether a request of input 0 could come through: it is initialized, and the input is not masked.
    var passesFirstInput: Bool { state.step == .ready && state.masked & 1 == 0 }

    /// What is requested and not masked.
    var wanted: UInt8 {
        @inline(__always) get { state.requested & ~state.masked }
    }

    /// INT.
    var output: Bool {
        @inline(__always) mutating get { wanted != 0 && request != nil }
    }

    /// INTA: takes the highest-priority request.
    /// - Returns: its input; 7 if there is none any more, and it is then not in service.
    mutating func acknowledge() -> UInt8 {
        guard let input = request else { return 7 }
        take(input)
        return input
    }

    private mutating func take(_ input: UInt8) {
        let bit: UInt8 = 1 &<< input
        state.requested &= ~(bit & ~following)
        guard state.endsAutomatically else {
            state.inService |= bit
            return
        }
        if state.rotatesAutomatically { state.lowest = input }
    }

    // MARK: Reading

    mutating func readCommand() -> UInt8 {
        if state.isPolled { return poll() }
        return state.readsInService ? state.inService : state.requested
    }

    mutating func readData() -> UInt8 { state.isPolled ? poll() : state.masked }

    /// An acknowledgement through a read (data sheet, "Poll Command").
    private mutating func poll() -> UInt8 {
        state.isPolled = false
        guard let input = request else { return 0 }
        take(input)
        return 0x80 | input
    }

    // MARK: Writing

    @inline(__always)
    mutating func writeCommand(_ value: UInt8) {
        if value & 0x10 != 0 {
            initialize(value)
        } else if value & 0x08 != 0 {
            writeOperationControl3(value)
        } else {
            writeOperationControl2(value)
        }
    }

    @inline(__always)
    mutating func writeData(_ value: UInt8) {
        switch state.step {
        case .powerUp, .ready: state.masked = value
        case .vectorBase:
            state.vectorBase = value & 0xF8
            state.step = !state.isSingle ? .cascade : state.needsMode ? .mode : .ready
        case .cascade: state.step = state.needsMode ? .mode : .ready  // how the two are wired is known
        case .mode:
            state.endsAutomatically = value & 0x02 != 0
            state.isSpecialFullyNested = value & 0x10 != 0
            state.step = .ready
        }
    }

    /// ICW1. An input must go high again to request.
    @inline(__always)
    private mutating func initialize(_ value: UInt8) {
        state.requested &= following
        (state.inService, state.masked, state.lowest) = (0, 0, 7)
        (state.isSpecialMask, state.readsInService, state.isPolled, state.rotatesAutomatically) = (false, false, false, false)
        // Without ICW4 all its functions are off.
        (state.endsAutomatically, state.isSpecialFullyNested) = (false, false)
        state.needsMode = value & 0x01 != 0
        state.isSingle = value & 0x02 != 0
        state.step = .vectorBase
    }

    /// OCW2: ends of interrupts and rotations.
    @inline(__always)
    private mutating func writeOperationControl2(_ value: UInt8) {
        let rotates = value & 0x80 != 0
        let isSpecific = value & 0x40 != 0
        guard value & 0x20 != 0 else {
            if !isSpecific { state.rotatesAutomatically = rotates } else if rotates { state.lowest = value & 7 }
            return
        }
        var input = value & 7
        if !isSpecific {
            // In special mask mode, a masked interrupt can only be ended explicitly.
            let candidates = state.isSpecialMask ? state.inService & ~state.masked : state.inService
            guard candidates != 0 else { return }
            input = highest(candidates)
        }
        state.inService &= ~(1 &<< input)
        if rotates { state.lowest = input }
    }

    /// OCW3: special mask mode, poll, and what a read gives.
    @inline(__always)
    private mutating func writeOperationControl3(_ value: UInt8) {
        if value & 0x40 != 0 { state.isSpecialMask = value & 0x20 != 0 }
        if value & 0x04 != 0 { state.isPolled = true }
        if value & 0x02 != 0 { state.readsInService = value & 0x01 != 0 }
    }
}

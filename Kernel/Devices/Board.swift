/// The devices of a virtual machine and the wires between them. Each virtual CPU's local APIC is its own.
///
/// A plain value. Ports are in Board+Ports.swift, memory in Board+Memory.swift, what a snapshot keeps in Board+State.swift.
public struct Board: Equatable, Sendable {
    public internal(set) var serial = SerialPort()
    var controllers = InterruptControllerPair()
    var ioAPIC = IOAPIC(identifier: 1)
    var timer: IntervalTimer
    var speaker: SystemControlPort
    var clock: RealTimeClock
    var power: PowerManagementTimer
    var keyboard: KeyboardController
    var resetControl = ResetControl()
    var crtController = CRTController()
    /// COM1 has transmitted something.
    public internal(set) var hasTransmitted = false
    var pci = ConfigurationSpace()
    var configuration: FirmwareConfiguration
    let commandLine: CommandLine
    /// Of the test device; nil without one.
    let testMemory: DeviceMemory?
    var test = TestDevice()
    var progress: ProgressWatch
    /// The last progress code.
    var diagnostic: UInt8 = 0
    var ports = PortMap()
    var memory = MemoryMap()
    /// The lines that ISA devices, and those that PCI functions, drive high, one bit each: a line is high if either is.
    var deviceLines: UInt16 = 0
    var functionLines: UInt16 = 0
    var effect = PortEffect.none
    /// How many accesses found no device.
    public internal(set) var absentAccesses: UInt64 = 0

    /// An interrupt line changed, a message is waiting, or the time of the next device event changed: the virtual CPU has to
    /// look.
    public var needsAttention: Bool {
        @inline(__always) get { signals & 1 != 0 }
        set { signals = newValue ? signals | 1 : signals & ~1 }
    }
    /// A write asks something of the machine, which has not taken it yet.
    var hasEffect: Bool {
        get { signals & 2 != 0 }
        set { signals = newValue ? signals | 2 : signals & ~2 }
    }
    /// Neither is the case.
    @inline(__always)
    public var asksNothing: Bool { signals == 0 }
    private var signals: UInt8 = 0
    /// When a device will next act by itself.
    public private(set) var nextEvent = MachineTime.never
    /// When each device will, as `nextEvent` knows it.
    private(set) var seenEvents = DeviceEvents()

    struct DeviceEvents: Equatable, Sendable {
        /// Whether the 8259 pair passes the timer's interrupts.
        var passesTimer = false
        var timer = MachineTime.never
        var clock = MachineTime.never
        var power = MachineTime.never
        var keyboard = MachineTime.never
    }
    /// The guest did not report progress in time.
    public var isOverdue: Bool { progress.isOverdue }

    /// What a machine is made with.
    public struct Parameters: Equatable, Sendable {
        /// Bytes of RAM.
        public var memory: UInt64
        /// Of the time stamp, in Hz.
        public var timeStampFrequency: UInt64
        /// The date and time at the start, in Unix seconds.
        public var unixSeconds: UInt64
        public var commandLine: CommandLine
        /// Time-stamp ticks within which the guest must report progress, or nil.
        public var limit: UInt64?
        /// The test device's, if there is to be one.
        public var testMemory: DeviceMemory?

        public init(
            memory: UInt64, timeStampFrequency: UInt64, unixSeconds: UInt64, commandLine: CommandLine, limit: UInt64? = nil,
            testMemory: DeviceMemory? = nil
        ) {
            self.testMemory = testMemory
            self.memory = memory
            self.timeStampFrequency = timeStampFrequency
            self.unixSeconds = unixSeconds
            self.commandLine = commandLine
            self.limit = limit
        }
    }

    /// The guest's command line, where the boot loader left it.
    public struct CommandLine: Equatable, @unchecked Sendable {
        private let start: UnsafeRawPointer?
        let count: Int

        /// - Parameter bytes: must stay where they are as long as the machine lives.
        public init(_ bytes: UnsafeRawBufferPointer) {
            start = bytes.baseAddress
            count = bytes.count
        }

        func byte(at index: UInt32) -> UInt8 {
            guard let start, index < count else { return 0 }
            return start.load(fromByteOffset: Int(index), as: UInt8.self)
        }
    }

    public init(_ parameters: Parameters) { self.init(parameters, previousClock: nil) }

    /// A reset: everything is as at the start, except what a battery keeps.
    public mutating func restart(_ parameters: Parameters) { self = Board(parameters, previousClock: clock) }

    private init(_ parameters: Parameters, previousClock: RealTimeClock?) {
        let frequency = parameters.timeStampFrequency
        timer = IntervalTimer(timeStampFrequency: frequency)
        speaker = SystemControlPort(timeStampFrequency: frequency)
        clock = RealTimeClock(
            unixSeconds: parameters.unixSeconds, memoryBelow4GiB: parameters.memory, timeStampFrequency: frequency,
            previous: previousClock)
        power = PowerManagementTimer(timeStampFrequency: frequency)
        keyboard = KeyboardController(timeStampFrequency: frequency)
        commandLine = parameters.commandLine
        testMemory = parameters.testMemory
        progress = ProgressWatch(limit: parameters.limit)
        configuration = FirmwareConfiguration(
            memoryBelow4GiB: parameters.memory, commandLineLength: UInt32(truncatingIfNeeded: parameters.commandLine.count))
        // The firmware makes the system control interrupt level-triggered at the 8259s, as its tables say.
        controllers.write(InterruptControllerPair.Register.secondTrigger, 1 << (Line.systemControl - 8))
        nextEvent = progress.nextEvent
        wireFunctions()
    }

    // MARK: Wires

    /// The inputs of the interrupt controllers.
    enum Line {
        static var timer: UInt8 { 0 }
        static var keyboard: UInt8 { 1 }
        static var serial: UInt8 { 4 }
        static var clock: UInt8 { 8 }
        static var systemControl: UInt8 { 9 }
    }

    /// An ISA interrupt goes to both kinds of controller; that of the timer to pin 2 of the I/O APIC, as its table says.
    func pin(_ line: UInt8) -> UInt8 { line == Line.timer ? 2 : line }

    /// A device drives its line high or low.
    @inline(__always)
    mutating func setLine(_ line: UInt8, _ isHigh: Bool) {
        if (deviceLines &>> UInt16(line) & 1 != 0) != isHigh { changeLine(line) }
    }

    @inline(never)
    private mutating func changeLine(_ line: UInt8) {
        deviceLines ^= 1 &<< UInt16(line)
        drive(line)
    }

    /// Both kinds of controller see the same level of a line.
    @inline(never)
    mutating func drive(_ line: UInt8) {
        let isHigh = (deviceLines | functionLines | UInt16(truncatingIfNeeded: test.lines)) &>> UInt16(line) & 1 != 0
        controllers.setLine(line, isHigh)
        ioAPIC.setLine(pin(line), isHigh)
        if controllers.takeChange() || ioAPIC.hasMessage { needsAttention = true }
    }

    /// A write to the 8259 pair may have let an interrupt through, or withdrawn one.
    @inline(never)
    mutating func followControllers() {
        controllers.update()
        if controllers.takeChange() { needsAttention = true }
        if controllers.passesTimer != seenEvents.passesTimer { findNextEvent() }
    }

    /// Gives a line that is high a new edge.
    mutating func pulse(_ line: UInt8) {
        setLine(line, false)
        setLine(line, true)
    }

    @inline(__always)
    mutating func followSerial() {
        guard serial.takeChange() else { return }
        if serial.takePulse() { pulse(Line.serial) }
        setLine(Line.serial, serial.interruptLine)
        // There may be room for input waiting outside.
        if serial.takeRoom() { needsAttention = true }
    }

    @inline(__always)
    mutating func followKeyboard() {
        setLine(Line.keyboard, keyboard.interruptLine)
        if keyboard.nextEvent != seenEvents.keyboard { findNextEvent() }
    }

    @inline(__always)
    mutating func followClock() {
        setLine(Line.clock, clock.interruptLine)
        if clock.nextEvent != seenEvents.clock { findNextEvent() }
    }

    @inline(__always)
    mutating func followPower() {
        setLine(Line.systemControl, power.interruptLine)
        if power.nextEvent != seenEvents.power { findNextEvent() }
    }

    @inline(never)
    mutating func followTimer(at time: MachineTime) {
        // A rise seen late still makes a request: the line stays high until the next look.
        if timer.advance(to: time) {
            pulse(Line.timer)
            timer.expectLook()
        } else {
            setLine(Line.timer, timer.isOutput0High(at: time))
        }
        if timer.nextEvent != seenEvents.timer { findNextEvent() }
    }

    /// What the timer did until now comes before what the 8259 pair is now asked or told: a rise of its line while a request is
    /// already waiting adds nothing.
    mutating func catchUp(to time: MachineTime) {
        if timer.nextEvent <= time { followTimer(at: time) }
    }

    // MARK: Time and input

    private var nextDeviceEvent: MachineTime {
        // A timer that nothing listens to goes on without waking anything; its edge is kept.
        let isTimerHeard = controllers.passesTimer || ioAPIC.passes(pin(Line.timer))
        return min(
            min(isTimerHeard ? timer.nextEvent : .never, clock.nextEvent), min(power.nextEvent, keyboard.nextEvent))
    }

    /// A device will act by itself, which may end a halt.
    public var awaitsDevice: Bool { nextDeviceEvent != .never }

    /// The I/O APIC will send an NMI or INIT when a device acts by itself, or for input.
    public var awaitsUnmaskable: Bool {
        mutating get {
            let pins = ioAPIC.unmaskablePins
            func sends(_ line: UInt8) -> Bool { pins &>> UInt32(pin(line)) & 1 != 0 }
            return pins != 0
                && (sends(Line.timer) && timer.nextEvent != .never || sends(Line.clock) && clock.nextEvent != .never
                    || sends(Line.systemControl) && power.nextEvent != .never
                    || sends(Line.keyboard) && keyboard.nextEvent != .never || sends(Line.serial) && awaitsInput)
        }
    }

    @inline(never)
    mutating func findNextEvent() {
        seenEvents = DeviceEvents(
            passesTimer: controllers.passesTimer, timer: timer.nextEvent, clock: clock.nextEvent, power: power.nextEvent,
            keyboard: keyboard.nextEvent)
        let next = min(nextDeviceEvent, progress.nextEvent)
        guard next != nextEvent else { return }
        nextEvent = next
        needsAttention = true
    }

    /// Carries out what is due.
    public mutating func advance(to time: MachineTime) {
        if timer.nextEvent <= time, nextEvent <= time { followTimer(at: time) }
        if clock.nextEvent <= time {
            clock.advance(to: time)
            followClock()
        }
        if power.nextEvent <= time {
            power.advance(to: time)
            followPower()
        }
        if keyboard.nextEvent <= time {
            keyboard.advance(to: time)
            followKeyboard()
        }
        if progress.nextEvent <= time {
            progress.expire()
            needsAttention = true
        }
        findNextEvent()
    }

    /// The guest reports progress.
    public mutating func reportProgress(at time: MachineTime) {
        progress.report(at: time)
        findNextEvent()
    }

    /// Whether COM1 has room for a byte.
    public var canReceive: Bool { serial.canReceive }

    /// A byte arrives on COM1, which has room.
    public mutating func receive(_ byte: UInt8) {
        _ = serial.receive(byte)
        if serial.takePulse() { pulse(Line.serial) }
        setLine(Line.serial, serial.interruptLine)
    }

    /// Whether a byte that arrives on COM1 would interrupt.
    public var awaitsInput: Bool { serial.interruptsOnInput }

    /// Where the screen begins in the text buffer, and where the cursor is, if it is on; in characters.
    public var screenStart: UInt16 { crtController.start }
    public var screenCursor: UInt16? { crtController.cursor }

    // MARK: Interrupts

    /// The I/O APIC's next message for the local APICs.
    public mutating func takeMessage() -> InterruptMessage? { ioAPIC.takeMessage() }

    /// No local APIC accepted the last message.
    public mutating func refuseMessage() { ioAPIC.refuseMessage() }

    /// A local APIC may accept what none did before.
    public mutating func sendMessagesAgain() {
        ioAPIC.sendAgain()
        if ioAPIC.hasMessage { needsAttention = true }
    }

    /// A local APIC ended a level-triggered interrupt.
    public mutating func endOfInterrupt(_ vector: UInt8) {
        ioAPIC.endOfInterrupt(vector: vector)
        needsAttention = true
    }

    /// Incremented when `levelTriggeredVectors` changes.
    public var redirectionChanges: UInt64 { ioAPIC.redirectionChanges }

    /// The vectors whose end a local APIC must report.
    public mutating func levelTriggeredVectors() -> VectorSet { ioAPIC.levelTriggeredVectors() }

    /// How often the output of the 8259 pair rose.
    public var externalInterruptRises: UInt32 { controllers.outputRises }

    /// The output of the 8259 pair.
    public var requestsExternalInterrupt: Bool { controllers.interruptOutput }

    /// The processor takes the interrupt of the 8259 pair.
    /// - Returns: its vector.
    public mutating func acknowledgeExternalInterrupt(at time: MachineTime) -> UInt8 {
        catchUp(to: time)
        return controllers.acknowledge()
    }
}

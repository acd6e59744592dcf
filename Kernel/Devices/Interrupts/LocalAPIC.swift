/// A virtual CPU's local APIC (SDM volume 3, chapter 12 "Advanced Programmable Interrupt Controller (APIC)").
///
/// Its registers live in a page, in the architecture's layout: a processor that virtualizes the APIC reads and writes them
/// there. With such assistance only the page counts; without it, frequently used values are also kept outside.
public struct LocalAPIC {
    /// The virtual-APIC page.
    let page: UnsafeMutablePointer<UInt32>
    public let identifier: UInt32
    let physicalAddressWidth: Int
    private let isBootstrap: Bool
    public internal(set) var base: APICBase
    /// The processor itself delivers and ends interrupts: the page's ISR, IRR, TPR and PPR change under our feet.
    public private(set) var isAssisted = false

    // Which of the eight words of IRR and ISR have bits set, and the highest vector of each, 0 for none; with assistance all 0.
    var requestedWords: UInt8 = 0
    public internal(set) var highestRequested: UInt8 = 0
    var inServiceWords: UInt8 = 0
    public internal(set) var highestInService: UInt8 = 0
    /// Only one interrupt is in service, and it was edge-triggered: its end concerns nothing else. Only in x2APIC mode without
    /// assistance.
    private var isAlone = false

    /// The timer's entry in effect: a processor that virtualizes the APIC writes the page before Martlet hears of it.
    var timerEntry: UInt32 = 0
    /// The level of LINT0's pin, and whether it requested a level-triggered interrupt that has not ended.
    public var line0IsHigh = false
    var line0AwaitsEnd = false
    /// Errors found since the error status register was last written.
    var errors: UInt32 = 0
    public internal(set) var timer: LocalAPICTimer
    private let timerShift: UInt8
    let hasDeadlineMode: Bool

    /// - Parameters:
    ///   - page: 4 KiB that belong to this APIC for its lifetime.
    ///   - timerShift: 0 for a timer at the frequency of the time stamp, 1 at half of it.
    ///   - hasDeadlineMode: whether the timer has a mode for IA32_TSC_DEADLINE; its bit is reserved otherwise.
    public init(
        page: UnsafeMutablePointer<UInt32>, identifier: UInt32, isBootstrap: Bool, physicalAddressWidth: Int,
        timerShift: UInt8 = 0, hasDeadlineMode: Bool = true
    ) {
        self.timerShift = timerShift
        self.hasDeadlineMode = hasDeadlineMode
        timer = LocalAPICTimer(clockShift: timerShift)
        self.page = page
        self.identifier = identifier
        self.isBootstrap = isBootstrap
        self.physicalAddressWidth = physicalAddressWidth
        base = APICBase(isBootstrap: isBootstrap)
        reset()
    }

    /// As after power-up (SDM volume 3, "Local APIC State After Power-Up or Reset").
    public mutating func reset() {
        base = APICBase(isBootstrap: isBootstrap)
        resetRegisters()
    }

    /// As after INIT, which leaves the identifier and IA32_APIC_BASE alone (SDM volume 3, "Local APIC State After an INIT
    /// Reset").
    mutating func resetRegisters() {
        for index in 0..<1024 { page[index] = 0 }
        (requestedWords, inServiceWords, highestRequested, highestInService, errors) = (0, 0, 0, 0, 0)
        isAlone = false
        line0AwaitsEnd = false
        timer = LocalAPICTimer(clockShift: timerShift)
        set(.version, Self.version)
        set(.destinationFormat, .max)
        set(.spuriousInterrupt, 0xFF)
        var register = APICRegister.timer.rawValue
        while register <= APICRegister.errorInterrupt.rawValue {
            page[Int(register >> 2)] = Self.mask
            register += 0x10
        }
        timerEntry = Self.mask
        writeIdentifiers()
    }

    /// Six local interrupts, of an integrated APIC; end-of-interrupt broadcasts cannot be suppressed.
    static var version: UInt32 { 0x0005_0014 }
    /// Bit 16 of a local interrupt: masked.
    static var mask: UInt32 { 1 << 16 }

    /// The identifiers, whose format depends on the mode (SDM volume 3, "Deriving Logical x2APIC ID from the Local
    /// x2APIC ID").
    mutating func writeIdentifiers() {
        if base.isExtended {
            set(.identifier, identifier)
            set(.logicalDestination, (identifier >> 4) << 16 | 1 << (identifier & 0xF))
        } else {
            set(.identifier, identifier << 24)
            set(.logicalDestination, 0)
        }
    }

    /// Whether the processor delivers interrupts from the page from now on.
    public mutating func setAssisted(_ new: Bool) {
        isAssisted = new
        isAlone = false
        guard !isAssisted else {
            (requestedWords, inServiceWords, highestRequested, highestInService) = (0, 0, 0, 0)
            return
        }
        requestedWords = words(.requested)
        inServiceWords = words(.inService)
        highestRequested = highest(.requested)
        highestInService = highest(.inService)
    }

    private func words(_ array: APICRegister) -> UInt8 {
        var result: UInt8 = 0
        for index in 0..<8 where page[Int(array.rawValue >> 2) + 4 * index] != 0 { result |= 1 << UInt8(index) }
        return result
    }

    // MARK: The page

    @inline(__always)
    func value(_ register: APICRegister) -> UInt32 { page[Int(register.rawValue >> 2)] }

    @inline(__always)
    func set(_ register: APICRegister, _ value: UInt32) { page[Int(register.rawValue >> 2)] = value }

    /// The word of a bit array that holds a vector's bit.
    @inline(__always)
    private func word(_ array: APICRegister, _ vector: UInt8) -> UnsafeMutablePointer<UInt32> {
        page + Int(array.rawValue >> 2) + 4 * Int(vector >> 5)
    }

    @inline(__always)
    private static func bit(_ vector: UInt8) -> UInt32 { 1 &<< UInt32(vector & 31) }

    /// The highest vector of a bit array, 0 for none.
    @inline(never)
    private mutating func highest(_ array: APICRegister) -> UInt8 {
        var index = 7
        while index >= 0 {
            let word = page[Int(array.rawValue >> 2) + 4 * index]
            if word != 0 { return UInt8(32 * index + 31 - word.leadingZeroBitCount) }
            index -= 1
        }
        return 0
    }

    @inline(__always)
    private func highest(_ array: APICRegister, words: UInt8) -> UInt8 {
        guard words != 0 else { return 0 }
        let index = 7 &- words.leadingZeroBitCount
        let word = page[Int(array.rawValue >> 2) &+ 4 &* index]
        return UInt8(truncatingIfNeeded: 32 &* index &+ 31 &- word.leadingZeroBitCount)
    }

    // MARK: Priorities (SDM volume 3, "Interrupt, Task, and Processor Priority")

    /// SVR bit 8.
    @inline(__always)
    var isSoftwareEnabled: Bool { value(.spuriousInterrupt) & 1 << 8 != 0 }

    public var taskPriority: UInt8 {
        get { UInt8(truncatingIfNeeded: value(.taskPriority)) }
        nonmutating set { set(.taskPriority, UInt32(newValue)) }
    }

    /// The greater of task priority and the class of what is in service.
    public var processorPriority: UInt8 {
        @inline(__always)
        mutating get {
            let inService = (isAssisted ? highest(.inService) : highestInService) & 0xF0
            return inService > taskPriority & 0xF0 ? inService : taskPriority
        }
    }

    /// Formerly decided arbitration on the APIC bus; P6 processors still compute it (SDM volume 3, "System and APIC Bus
    /// Arbitration").
    var arbitrationPriority: UInt8 {
        mutating get {
            let task = taskPriority
            let requested = highest(.requested) & 0xF0
            let inService = highest(.inService) & 0xF0
            if task & 0xF0 >= requested, task & 0xF0 > inService { return task }
            return max(task & inService & 0xF0, requested)
        }
    }

    /// The vector that the processor would take now, 0 for none.
    public var pendingVector: UInt8 {
        @inline(__always) mutating get {
            if isAssisted { return pendingVectorInPage }
            guard highestRequested != 0 else { return 0 }
            return highestRequested & 0xF0 > processorPriority & 0xF0 ? highestRequested : 0
        }
    }

    private var pendingVectorInPage: UInt8 {
        @inline(never) mutating get {
            let requested = highest(.requested)
            return requested & 0xF0 > processorPriority & 0xF0 ? requested : 0
        }
    }

    /// The highest vectors that are requested and in service, as the page has them.
    public var requestedInPage: UInt8 { mutating get { highest(.requested) } }
    public var inServiceInPage: UInt8 { mutating get { highest(.inService) } }

    /// The priority class below which the task priority must fall for an interrupt to come, 0 if none is waiting for that.
    /// Only without assistance.
    public var awaitedPriorityClass: UInt8 {
        let requested = highestRequested & 0xF0
        return requested > highestInService & 0xF0 && requested <= taskPriority & 0xF0 ? requested >> 4 : 0
    }

    // MARK: Acceptance and end (SDM volume 3, "Interrupt Acceptance for Fixed Interrupts")

    /// Requests an interrupt.
    @inline(__always)
    mutating func request(_ vector: UInt8, isLevelTriggered: Bool) {
        word(.requested, vector).pointee |= Self.bit(vector)
        let trigger = word(.triggerMode, vector)
        if isLevelTriggered { trigger.pointee |= Self.bit(vector) } else { trigger.pointee &= ~Self.bit(vector) }
        guard !isAssisted else { return }
        requestedWords |= 1 &<< (vector >> 5)
        if vector > highestRequested { highestRequested = vector }
    }

    /// The processor takes `pendingVector`, which was not 0: it is now in service. Only without assistance.
    @inline(__always)
    public mutating func acknowledge() -> UInt8 {
        let vector = highestRequested
        let requested = word(.requested, vector)
        requested.pointee &= ~Self.bit(vector)
        if requested.pointee == 0 { requestedWords &= ~(1 &<< (vector >> 5)) }
        highestRequested = highest(.requested, words: requestedWords)
        word(.inService, vector).pointee |= Self.bit(vector)
        isAlone = base.isExtended && inServiceWords == 0 && !isLevelTriggered(vector)
        inServiceWords |= 1 &<< (vector >> 5)
        highestInService = vector
        return vector
    }

    /// Whether the end of the interrupt in service has no consequences.
    @inline(__always)
    public var endsQuietly: Bool { isAlone && highestRequested == 0 }

    /// Ends the highest interrupt in service.
    @inline(__always)
    public mutating func endInterrupt() -> LocalAPICEffect {
        if endsQuietly {
            word(.inService, highestInService).pointee = 0
            (inServiceWords, highestInService, isAlone) = (0, 0, false)
            return .none
        }
        if isAssisted { return endInterruptInPage() }
        isAlone = false
        let vector = highestInService
        guard vector != 0 else { return .none }
        let inService = word(.inService, vector)
        inService.pointee &= ~Self.bit(vector)
        if inService.pointee == 0 { inServiceWords &= ~(1 &<< (vector >> 5)) }
        highestInService = highest(.inService, words: inServiceWords)
        return isLevelTriggered(vector) ? .endOfInterrupt(vector) : .none
    }

    @inline(never)
    private mutating func endInterruptInPage() -> LocalAPICEffect {
        let vector = highest(.inService)
        guard vector != 0 else { return .none }
        word(.inService, vector).pointee &= ~Self.bit(vector)
        return isLevelTriggered(vector) ? .endOfInterrupt(vector) : .none
    }

    @inline(__always)
    private func isLevelTriggered(_ vector: UInt8) -> Bool { word(.triggerMode, vector).pointee & Self.bit(vector) != 0 }
}

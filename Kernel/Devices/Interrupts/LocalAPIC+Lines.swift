// LINT0, driven by the output of the 8259 pair. Nothing drives LINT1.

extension LocalAPIC {
    private typealias Mode = InterruptMessage.DeliveryMode

    private static var levelTriggered: UInt32 { 1 << 15 }
    private static var remoteRequest: UInt32 { 1 << 14 }

    /// The entry of LINT0, unless it is masked or the whole APIC is disabled.
    private var line0Entry: UInt32? {
        let entry = value(.line0)
        return base.isEnabled && entry & LocalAPIC.mask == 0 ? entry : nil
    }

    private static func mode(_ entry: UInt32) -> Mode? { Mode(rawValue: UInt8(truncatingIfNeeded: entry >> 8 & 7)) }

    /// Whether the output of the 8259 pair reaches the processor: through LINT0, or directly while the APIC is disabled (SDM
    /// volume 3, "Local Vector Table").
    public var passesExternalInterrupts: Bool {
        guard base.isEnabled else { return true }
        guard let entry = line0Entry else { return false }
        return Self.mode(entry) == .external
    }

    /// Whether a rise of LINT0 is an NMI or INIT, which nothing masks.
    public var passesUnmaskable: Bool {
        guard let entry = line0Entry else { return false }
        return Self.mode(entry) == .nonMaskable || Self.mode(entry) == .initialize
    }

    /// The vector that LINT0 requests by level, whose end must be reported.
    public var levelTriggeredVector: UInt8? {
        guard let entry = line0Entry, Self.mode(entry) == .fixed, entry & Self.levelTriggered != 0 else { return nil }
        return UInt8(truncatingIfNeeded: entry)
    }

    /// Sets the level of LINT0's pin, which may have risen since the last call. Only fixed interrupts obey the trigger mode; NMI,
    /// SMI and INIT are edge-triggered ("Local Vector Table", on the trigger mode).
    /// - Returns: what that means for the processor.
    public mutating func setLine0(isHigh: Bool, hasRisen: Bool) -> AcceptedInterrupt {
        line0IsHigh = isHigh
        guard let entry = line0Entry, let mode = Self.mode(entry) else { return .none }
        switch mode {
        case .fixed, .nonMaskable, .initialize, .systemManagement: break
        case .external, .lowestPriority, .reserved, .startup: return .none
        }
        let vector = UInt8(truncatingIfNeeded: entry)
        let isLevelTriggered = mode == .fixed && entry & Self.levelTriggered != 0
        guard isLevelTriggered ? isHigh && !line0AwaitsEnd : hasRisen else { return .none }
        let accepted = accept(InterruptMessage(vector: vector, deliveryMode: mode, isLevelTriggered: isLevelTriggered))
        if isLevelTriggered, accepted == .requested(vector) { setLine0AwaitsEnd(true) }
        return accepted
    }

    private mutating func setLine0AwaitsEnd(_ new: Bool) {
        line0AwaitsEnd = new
        let entry = value(.line0) & ~Self.remoteRequest
        set(.line0, new ? entry | Self.remoteRequest : entry)
    }

    /// The entry was written: a present level requests at once.
    mutating func followLine0Entry() -> LocalAPICEffect {
        setLine0AwaitsEnd(line0AwaitsEnd && levelTriggeredVector != nil)
        _ = setLine0(isHigh: line0IsHigh, hasRisen: false)
        return .acceptanceChanged
    }

    /// A level-triggered interrupt has ended: if it was LINT0's and the level is still high, it is requested again.
    public mutating func endOfLine0(_ vector: UInt8) -> AcceptedInterrupt {
        guard line0AwaitsEnd, UInt8(truncatingIfNeeded: value(.line0)) == vector else { return .none }
        setLine0AwaitsEnd(false)
        return setLine0(isHigh: line0IsHigh, hasRisen: false)
    }

    /// Remote IRR, as the page has it.
    var line0AwaitsEndInPage: Bool { value(.line0) & Self.remoteRequest != 0 }
}

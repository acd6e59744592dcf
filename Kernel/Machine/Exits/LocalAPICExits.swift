import Devices
import Memory
import Virtualization
import X86

// The guest's accesses to its local APIC, however they exit.

extension APICBase {
    var mode: LocalAPICMode {
        if !isEnabled { return .disabled }
        if isExtended { return .registers }
        return address == APICBase.usualAddress ? .memory : .movedMemory
    }
}

extension VirtualCPU {
    var clock: MachineClock<Host> {
        @inline(__always) get { MachineClock(host: host, start: startTime) }
    }

    // MARK: As MSRs

    /// Sets IA32_TSC_DEADLINE.
    @inline(__always)
    mutating func setDeadline(_ value: UInt64) {
        let stamp = host.timeStamp()
        let now = MachineTime(stamp &- startTime)
        let guestNow = stamp &+ processor.timeStampOffset
        // An earlier deadline that has passed comes first.
        requestTimerInterrupt(at: now)
        apic.writeDeadline(value, at: value > guestNow ? now.advanced(by: value &- guestNow) : now)
        // One already in the past requests its interrupt at once.
        requestTimerInterrupt(at: now)
        arm(at: now)
    }

    /// WRMSR of IA32_APIC_BASE.
    /// - Returns: false for #GP.
    @_optimize(speed)
    mutating func writeAPICBase(_ value: UInt64) -> Bool {
        guard features.hasX2APIC || value & APICBase.extended == 0, apic.writeBase(value) else { return false }
        followAPICMode()
        acceptanceChanged()
        return true
    }

    /// What depends on the local APIC's mode: the processor's assistance, and what CPUID shows.
    @_optimize(speed)
    mutating func followAPICMode() {
        let mode = apic.base.mode
        answers.update(apicEnabled: mode != .disabled)
        processor.setLocalAPICMode(mode)
        let isAtItsPlace = mode == .memory || mode == .registers
        pageUnderLocalAPIC = nil
        if mode == .movedMemory {
            board.pointee.includeLocalAPIC(apic.base.address)
            let page = GuestPhysicalAddress(apic.base.address)
            if memory.contains(page, count: 0x1000) { pageUnderLocalAPIC = page }
        }
        if pageUnderLocalAPIC != machine.pointee.hiddenPage { attention.insert(.memory) }
        apic.setAssisted(processor.interruptAssistance == .delivery && isAtItsPlace)
        refreshVirtualInterrupts()
    }

    /// Tells the processor again what the page holds.
    mutating func refreshVirtualInterrupts() {
        guard apic.isAssisted else { return }
        processor.setVirtualInterrupts(requested: apic.requestedInPage, inService: apic.inServiceInPage)
    }

    // MARK: In memory

    /// Whether a guest-physical address belongs to a device: on the bus, or the local APIC.
    @inline(__always)
    func isDevice(_ address: GuestPhysicalAddress) -> Bool { board.pointee.mayAnswer(at: address.rawValue) }

    /// Whether a guest-physical address belongs to the local APIC.
    @inline(__always)
    func isLocalAPIC(_ address: GuestPhysicalAddress) -> Bool {
        address.rawValue & ~0xFFF == apic.base.address && apic.base.isEnabled && !apic.base.isExtended
    }

    mutating func readLocalAPIC(at address: GuestPhysicalAddress) -> UInt32 {
        let value = apic.read(offset: UInt16(truncatingIfNeeded: address.rawValue & 0xFFF), at: clock.now)
        // The error of reading an absent register may interrupt.
        bringAbout(.priorityChanged)
        return value
    }

    @_optimize(speed)
    mutating func writeLocalAPIC(_ value: UInt32, at address: GuestPhysicalAddress) {
        bringAbout(apic.write(offset: UInt16(truncatingIfNeeded: address.rawValue & 0xFFF), value, at: clock.now))
    }

    // MARK: What the processor reports (SDM volume 3, chapter 30 "APIC Virtualization and Virtual Interrupts")

    @inline(never)
    mutating func serve(_ exit: VirtualAPICExit) -> Outcome {
        switch exit {
        case .accessDuringDelivery: return .end(.unsupported(.tableInAbsentMemory))
        case .access(let offset, let isWrite, let isFetch):
            return resolve(.ofLocalAPIC(offset, isWrite: isWrite, isFetch: isFetch))
        case .write(let offset):
            bringAbout(apic.written(offset: offset, at: clock.now))
        case .endOfInterrupt(let vector):
            endOfInterrupt(vector)
        case .priorityBelowThreshold:
            processor.endBlocking()  // as MOV to CR8 does; Bochs exits in the middle of it
            attention.insert(.interrupts)
        }
        // These exits come after the instruction, with the traps that it raised.
        if attention.contains(.interrupts), processor.isDebugTrapPending { unmasked.insert(.debugTrap) }
        return .resume
    }

    /// MOV to CR8, where the processor does not keep a virtual task priority.
    mutating func writeTaskPriority(_ value: UInt64) -> Outcome {
        guard value >> 4 == 0 else { return .inject(.generalProtection) }
        apic.taskPriority = UInt8(value) << 4
        attention.insert(.interrupts)
        return .step
    }

    // MARK: What a write brings about

    @inline(__always)
    mutating func bringAbout(_ effect: LocalAPICEffect) {
        switch effect {
        case .none: break
        case .requested(let vector): offer(vector)
        case .priorityChanged:
            // Only a waiting request is worth a look.
            if apic.highestRequested != 0 { attention.insert(.interrupts) }
            if apic.isAssisted { refreshVirtualInterrupts() }
        default: bringAboutRarely(effect)
        }
    }

    @inline(never)
    @_optimize(speed)
    private mutating func bringAboutRarely(_ effect: LocalAPICEffect) {
        switch effect {
        case .none, .priorityChanged, .requested: break
        case .endOfInterrupt(let vector):
            endOfInterrupt(vector)
            refreshVirtualInterrupts()
        // The timer may have requested an interrupt, or its illegal vector an error interrupt.
        case .timerChanged:
            refreshVirtualInterrupts()
            attention.insert(.interrupts)
            attention.insert(.time)
        case .acceptanceChanged:
            refreshVirtualInterrupts()
            acceptanceChanged()
        case .send(let message, let shorthand): send(message, shorthand)
        }
    }

    /// The local APIC may accept what it did not before, or has other vectors whose end it reports.
    @_optimize(speed)
    private mutating func acceptanceChanged() {
        board.pointee.sendMessagesAgain()
        seenRedirectionChanges = .max
        attention.insert(.devices)
    }

    /// A level-triggered interrupt has ended.
    private mutating func endOfInterrupt(_ vector: UInt8) {
        take(apic.endOfLine0(vector))
        board.pointee.endOfInterrupt(vector)
        followBoard()
    }

    /// An interprocessor interrupt.
    private mutating func send(_ message: InterruptMessage, _ shorthand: InterruptShorthand) {
        var message = message
        if shorthand == .toAll || shorthand == .toOthers {
            (message.destination, message.isLogical) = (.max, false)
        }
        switch shorthand {
        case .none, .toAll: accept(message)
        case .toSelf: acceptHere(message)
        case .toOthers: accept(message, isForSender: false)
        }
    }
}

extension NestedPageFault {
    /// An access to the APIC-access page, as the fault it would be without that page.
    static func ofLocalAPIC(_ offset: UInt16, isWrite: Bool, isFetch: Bool) -> Self {
        .init(
            address: GuestPhysicalAddress(APICBase.usualAddress + UInt64(offset)), isRead: !isWrite && !isFetch,
            isWrite: isWrite, isFetch: isFetch, isMapped: false, duringWalk: false)
    }
}

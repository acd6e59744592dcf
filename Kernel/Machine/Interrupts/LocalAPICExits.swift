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
    var clock: HostClock<Host> {
        @inline(__always) get { HostClock(host: host, start: startTime) }
    }

    // MARK: As MSRs

    /// RDMSR of a register of the local APIC's; nil for #GP.
    @inline(never)
    mutating func readLocalAPIC(_ register: ModelSpecificRegister) -> UInt64? {
        switch register.number {
        case ModelSpecificRegister.apicBase.number: apic.base.rawValue
        case ModelSpecificRegister.timeStampDeadline.number: apic.readDeadline(at: clock.now)
        default: apic.readMSR(register.number, at: clock.now)
        }
    }

    /// WRMSR.
    /// - Returns: false for #GP.
    @inline(never)
    mutating func writeLocalAPIC(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        switch register.number {
        case ModelSpecificRegister.timeStampDeadline.number: writeDeadline(value)
        case ModelSpecificRegister.apicBase.number: return writeAPICBase(value)
        default:
            guard let effect = apic.writeMSR(register.number, value, at: clock.now) else { return false }
            bringAbout(effect)
        }
        return true
    }

    /// WRMSR of 0 to the end-of-interrupt register, the quick way.
    /// - Returns: false, and nothing was done, if it needs the other way.
    @inline(__always)
    public mutating func finishEndOfInterrupt() -> Bool {
        guard (registers.rax | registers.rdx) & 0xFFFF_FFFF == 0, apic.endInterruptQuietly() else { return false }
        processor.stepPastInstruction()
        return true
    }

    /// WRMSR of a command that requests an interrupt here, or of a deadline; the quick way.
    @inline(__always)
    public mutating func finishFrequentAPICWrite() -> QuickResult {
        let low = UInt32(truncatingIfNeeded: registers.rax)
        switch UInt32(truncatingIfNeeded: registers.rcx) {
        case 0x6E0:
            let vector = setDeadline(registers.rdx << 32 | UInt64(low))
            processor.stepPastInstruction()
            return vector == 0 || deliverRequest(vector) ? .resume : .leave
        case 0x830, 0x83F:
            let isCommand = UInt32(truncatingIfNeeded: registers.rcx) == 0x830
            let destination = isCommand ? UInt32(truncatingIfNeeded: registers.rdx) : nil
            guard apic.requestHere(low, destination: destination) else { return .needsOtherWay }
            processor.stepPastInstruction()
            return deliverRequest(UInt8(truncatingIfNeeded: low)) ? .resume : .leave
        default: return .needsOtherWay
        }
    }

    mutating func writeDeadline(_ value: UInt64) {
        let vector = setDeadline(value)
        guard vector != 0 else { return }
        offer(vector)
        if !apic.isAssisted { board.pointee.needsAttention = true }
    }

    /// - Returns: the vector that a deadline which is past already requests at once, or 0.
    @inline(__always)
    private mutating func setDeadline(_ value: UInt64) -> UInt8 {
        let stamp = host.timeStamp()
        let now = MachineTime(stamp &- startTime)
        let guestNow = stamp &+ processor.timeStampOffset
        apic.writeDeadline(value, at: value > guestNow ? now.advanced(by: value &- guestNow) : now)
        let vector = apic.advance(to: now)
        arm(at: now)
        return vector
    }

    private mutating func writeAPICBase(_ value: UInt64) -> Bool {
        guard apic.writeBase(value) else { return false }
        followAPICMode()
        board.pointee.needsAttention = true
        return true
    }

    /// What depends on the mode of the local APIC: the processor's help, and what CPUID shows.
    mutating func followAPICMode() {
        let mode = apic.base.mode
        answers.update(apicEnabled: mode != .disabled)
        processor.setLocalAPICMode(mode)
        let isAtItsPlace = mode == .memory || mode == .registers
        hasMovedAPIC = mode == .movedMemory
        apic.setAssisted(processor.interruptAssistance == .delivery && isAtItsPlace)
        refreshVirtualInterrupts()
    }

    /// Tells the processor anew what the page holds.
    mutating func refreshVirtualInterrupts() {
        guard apic.isAssisted else { return }
        processor.setVirtualInterrupts(requested: apic.requestedInPage, inService: apic.inServiceInPage)
    }

    // MARK: In memory

    /// Whether a guest-physical address lies where devices are: I/O APIC and local APIC.
    @inline(__always)
    func isDevice(_ address: GuestPhysicalAddress) -> Bool {
        address.rawValue &- 0xFEC0_0000 <= 0x20_0FFF || hasMovedAPIC
    }

    /// Whether a guest-physical address is one of the local APIC's.
    @inline(__always)
    func isLocalAPIC(_ address: GuestPhysicalAddress) -> Bool {
        address.rawValue & ~0xFFF == apic.base.address && apic.base.isEnabled && !apic.base.isExtended
    }

    mutating func readLocalAPIC(at address: GuestPhysicalAddress) -> UInt32 {
        let value = apic.read(offset: UInt16(truncatingIfNeeded: address.rawValue & 0xFFF), at: clock.now)
        // The error of reading what is not there may interrupt.
        bringAbout(.priorityChanged)
        return value
    }

    mutating func writeLocalAPIC(_ value: UInt32, at address: GuestPhysicalAddress) {
        bringAbout(apic.write(offset: UInt16(truncatingIfNeeded: address.rawValue & 0xFFF), value, at: clock.now))
    }

    // MARK: What the processor reports (SDM volume 3, chapter 30 "APIC Virtualization and Virtual Interrupts")

    @inline(never)
    mutating func serve(_ exit: VirtualAPICExit) -> Outcome {
        switch exit {
        case .accessDuringDelivery: return .end(.unsupported(.tableInAbsentMemory))
        case .access(let offset, let isWrite, let isFetch):
            return resolve(
                NestedPageFault(
                    address: GuestPhysicalAddress(APICBase.usualAddress + UInt64(offset)), isRead: !isWrite && !isFetch,
                    isWrite: isWrite, isFetch: isFetch, isMapped: false, duringWalk: false))
        case .write(let offset):
            bringAbout(apic.written(offset: offset, at: clock.now))
        case .endOfInterrupt(let vector):
            board.pointee.endOfInterrupt(vector)
        case .priorityBelowThreshold:
            board.pointee.needsAttention = true
        }
        return .resume
    }

    /// MOV to CR8, where the processor does not keep a virtual task priority.
    mutating func writeTaskPriority(_ value: UInt64) -> Outcome {
        guard value >> 4 == 0 else { return .inject(.generalProtection) }
        apic.taskPriority = UInt8(value) << 4
        board.pointee.needsAttention = true
        return .step
    }

    // MARK: What a write brings about

    @inline(__always)
    mutating func bringAbout(_ effect: LocalAPICEffect) {
        switch effect {
        case .none: break
        case .priorityChanged:
            // Only a request that waits is worth a look.
            if apic.highestRequested != 0 { board.pointee.needsAttention = true }
            if apic.isAssisted { refreshVirtualInterrupts() }
        default: bringAboutRarely(effect)
        }
    }

    @inline(never)
    private mutating func bringAboutRarely(_ effect: LocalAPICEffect) {
        switch effect {
        case .none, .priorityChanged: break
        case .endOfInterrupt(let vector):
            board.pointee.endOfInterrupt(vector)
            refreshVirtualInterrupts()
        // The timer, or the error that its vector is, may have requested an interrupt.
        case .timerChanged: refreshVirtualInterrupts()
        case .send(let message, let shorthand): send(message, shorthand)
        }
        board.pointee.needsAttention = true
    }

    /// An interprocessor interrupt. This virtual CPU is alone: what is for others reaches nobody.
    private mutating func send(_ message: InterruptMessage, _ shorthand: InterruptShorthand) {
        switch shorthand {
        case .none: accept(message)
        case .toSelf, .toAll: acceptHere(message)
        case .toOthers: break
        }
    }
}

// Reading and writing the registers, as memory and as MSRs.

/// The bits of each register that software may write; the others are reserved or read-only.
private enum Writable {
    static var spuriousInterrupt: UInt32 { 0x3FF }
    static var interruptCommand: UInt32 { 0x000C_CFFF }
    static var divideConfiguration: UInt32 { 0xB }

    /// Of an entry of the local vector table (SDM volume 3, figure "Local Vector Table (LVT)").
    static func localInterrupt(_ register: APICRegister, hasDeadlineMode: Bool) -> UInt32 {
        switch register {
        case .timer: hasDeadlineMode ? 0x7_00FF : 0x3_00FF
        case .line0, .line1: 0x1_A7FF
        case .errorInterrupt: 0x1_00FF
        default: 0x1_07FF
        }
    }

    /// The bits of such an entry that are not reserved: delivery status and, for a line, remote IRR are read-only.
    static func defined(_ register: APICRegister, hasDeadlineMode: Bool) -> UInt32 {
        localInterrupt(register, hasDeadlineMode: hasDeadlineMode) | RedirectionEntry.isWaiting
            | (register == .line0 || register == .line1 ? RedirectionEntry.isInService : 0)
    }
}

extension LocalAPIC {
    // MARK: In memory

    /// Reads 4 bytes at an offset in the page, which exists only in xAPIC mode. Registers stand every 16 bytes; what
    /// lies between them reads as 0.
    public mutating func read(offset: UInt16, at time: MachineTime) -> UInt32 {
        guard isInMemory else { return .max }
        guard offset & 0xF == 0 else { return 0 }
        if let value = read(offset, at: time) { return value }
        note(.illegalRegister)
        return 0
    }

    private var isInMemory: Bool { base.isEnabled && !base.isExtended }

    private mutating func read(_ offset: UInt16, at time: MachineTime) -> UInt32? {
        switch offset {
        case 0x100...0x270: page[Int(offset >> 2)]
        default:
            switch APICRegister(rawValue: offset) {
            case .none, .selfInterrupt: nil
            case .currentCount: timer.currentCount(at: time)
            case .processorPriority: UInt32(processorPriority)
            case .arbitrationPriority: UInt32(arbitrationPriority)
            case .endOfInterrupt: 0
            case .some(let register): value(register)
            }
        }
    }

    /// Writes 4 bytes at an offset in the page, which exists only in xAPIC mode.
    public mutating func write(offset: UInt16, _ new: UInt32, at time: MachineTime) -> LocalAPICEffect {
        guard isInMemory, offset & 0xF == 0 else { return .none }
        return write(offset, new, at: time)
    }

    private mutating func write(_ offset: UInt16, _ new: UInt32, at time: MachineTime) -> LocalAPICEffect {
        if 0x100...0x270 ~= offset { return .none }  // read-only
        guard let register = APICRegister(rawValue: offset) else { return report(.illegalRegister) }
        return write(register, new, at: time)
    }

    /// The guest itself wrote the page, and the processor reports it (SDM volume 3, "APIC-Write Emulation").
    public mutating func written(offset: UInt16, at time: MachineTime) -> LocalAPICEffect {
        let offset = offset & 0xFF0
        let new = page[Int(offset >> 2)]
        guard base.isExtended else { return write(offset, new, at: time) }
        switch APICRegister(rawValue: offset) {
        case .interruptCommand:
            // One register of 64 bits.
            return writeCommand(new & Writable.interruptCommand, destination: page[Int(offset >> 2) + 1])
        case .selfInterrupt: return writeSelfInterrupt(new)
        default: return write(offset, new, at: time)
        }
    }

    // MARK: As MSRs

    /// Reads the register of an MSR from 800H to 8FFH; nil for #GP (SDM volume 3, table "Local APIC Register Address Map
    /// Supported by x2APIC").
    public mutating func readMSR(_ number: UInt32, at time: MachineTime) -> UInt64? {
        guard base.isExtended, let offset = APICRegister.offset(ofMSR: number) else { return nil }
        switch APICRegister(rawValue: offset) {
        case .endOfInterrupt, .arbitrationPriority, .remoteRead, .destinationFormat, .interruptCommandHigh, .selfInterrupt:
            return nil
        case .interruptCommand: return UInt64(page[0x304 >> 2]) << 32 | UInt64(value(.interruptCommand))
        default:
            guard let low = read(offset, at: time) else { return nil }
            return UInt64(low)
        }
    }

    /// Writes one of the two registers that send interrupts; nil for #GP.
    /// - Parameter isForSelf: the self-IPI register ("SELF IPI Register").
    @inline(__always)
    public mutating func writeCommandMSR(_ new: UInt64, isForSelf: Bool) -> LocalAPICEffect? {
        let command = UInt32(truncatingIfNeeded: new)
        guard base.isExtended, isForSelf ? new & ~0xFF == 0 : command & ~Writable.interruptCommand == 0 else { return nil }
        return isForSelf
            ? writeSelfInterrupt(command) : writeCommand(command, destination: UInt32(truncatingIfNeeded: new >> 32))
    }

    /// Whether such a write requests a fixed interrupt here, by shorthand or by the self-IPI register: the most frequent one.
    @inline(__always)
    public mutating func requestsHere(_ new: UInt64, isForSelf: Bool) -> Bool {
        let command = UInt32(truncatingIfNeeded: new)
        // It is the same whether asserted or not, physical or logical.
        let isPlain =
            isForSelf
            ? new & ~0xFF == 0
            : command & ~(0xFF | InterruptCommand.logical | InterruptCommand.assert) == UInt32(InterruptShorthand.toSelf.rawValue)
                << 18
        return isPlain && base.isExtended && command & 0xF0 != 0 && isSoftwareEnabled
    }

    /// Does what such a write asks for.
    /// - Returns: the vector that is requested.
    @inline(__always)
    public mutating func requestHere(_ new: UInt64, isForSelf: Bool) -> UInt8 {
        if !isForSelf { keepCommand(UInt32(truncatingIfNeeded: new), destination: UInt32(truncatingIfNeeded: new >> 32)) }
        let vector = UInt8(truncatingIfNeeded: new)
        request(vector, isLevelTriggered: false)
        return vector
    }

    /// Writes the register of an MSR from 800H to 8FFH; nil for #GP.
    public mutating func writeMSR(_ number: UInt32, _ new: UInt64, at time: MachineTime) -> LocalAPICEffect? {
        switch number {
        case APICRegister.interruptCommand.msr: return writeCommandMSR(new, isForSelf: false)
        case APICRegister.selfInterrupt.msr: return writeCommandMSR(new, isForSelf: true)
        default: return writeRegisterMSR(number, new, at: time)
        }
    }

    private mutating func writeRegisterMSR(_ number: UInt32, _ new: UInt64, at time: MachineTime) -> LocalAPICEffect? {
        let low = UInt32(truncatingIfNeeded: new)
        guard base.isExtended, let offset = APICRegister.offset(ofMSR: number), let register = APICRegister(rawValue: offset)
        else { return nil }
        let defined: UInt64
        switch register {
        case .taskPriority: defined = 0xFF
        case .spuriousInterrupt: defined = UInt64(Writable.spuriousInterrupt)
        case .errorStatus, .endOfInterrupt: defined = 0
        case .timer, .thermalSensor, .performanceCounter, .line0, .line1, .errorInterrupt:
            defined = UInt64(Writable.defined(register, hasDeadlineMode: hasDeadlineMode))
        case .initialCount: defined = 0xFFFF_FFFF
        case .divideConfiguration: defined = UInt64(Writable.divideConfiguration)
        default: return nil
        }
        guard new & ~defined == 0 else { return nil }
        return write(register, low, at: time)
    }

    // MARK: Each register

    @inline(__always)
    private mutating func writeSelfInterrupt(_ new: UInt32) -> LocalAPICEffect {
        writeCommand(UInt32(InterruptShorthand.toSelf.rawValue) << 18 | new & 0xFF, keeps: false)
    }

    private mutating func write(_ register: APICRegister, _ new: UInt32, at time: MachineTime) -> LocalAPICEffect {
        switch register {
        case .taskPriority:
            set(register, new & 0xFF)
            return .priorityChanged
        case .endOfInterrupt: return endOfInterrupt()
        case .identifier: set(register, identifier << 24)  // fixed, as on all processors of the last decades
        case .logicalDestination:
            set(register, new & 0xFF00_0000)
            return .acceptanceChanged
        case .destinationFormat:
            set(register, new | 0x0FFF_FFFF)
            return .acceptanceChanged
        case .spuriousInterrupt:
            _ = advance(to: time)
            set(register, new & Writable.spuriousInterrupt)
            if !isSoftwareEnabled { maskLocalInterrupts() }
            return .acceptanceChanged
        case .errorStatus:
            set(register, errors)
            errors = 0
        case .interruptCommand:
            return writeCommand(new & Writable.interruptCommand, destination: value(.interruptCommandHigh) >> 24)
        case .interruptCommandHigh: set(register, new & 0xFF00_0000)
        case .timer:
            _ = advance(to: time)
            setLocalInterrupt(register, new)
            timerEntry = value(.timer)
            timer.setMode(.init(rawValue: UInt8(truncatingIfNeeded: timerEntry >> 17 & 3)) ?? .reserved)
            set(.initialCount, timer.initialCount)
            return .timerChanged
        case .line0:
            setLocalInterrupt(register, new)
            return followLine0Entry()
        case .thermalSensor, .performanceCounter, .line1, .errorInterrupt: setLocalInterrupt(register, new)
        case .initialCount:
            _ = advance(to: time)
            timer.start(count: new, at: time)
            set(register, timer.initialCount)
            return .timerChanged
        case .divideConfiguration:
            set(register, new & Writable.divideConfiguration)
            _ = advance(to: time)
            timer.setDivide(new, at: time)
            return .timerChanged
        case .selfInterrupt: return report(.illegalRegister)  // in x2APIC mode only
        case .version, .arbitrationPriority, .processorPriority, .remoteRead, .inService, .triggerMode, .requested,
            .currentCount:
            break  // read-only
        }
        return .none
    }

    /// A write of the end-of-interrupt register.
    @inline(__always)
    public mutating func endOfInterrupt() -> LocalAPICEffect {
        let effect = endInterrupt()
        return effect == .none ? .priorityChanged : effect
    }

    private mutating func setLocalInterrupt(_ register: APICRegister, _ new: UInt32) {
        let writable = Writable.localInterrupt(register, hasDeadlineMode: hasDeadlineMode)
        set(register, new & writable | (isSoftwareEnabled ? 0 : LocalAPIC.mask))
    }

    /// A disabled APIC has all its local interrupts masked ("Local APIC State After It Has Been Software Disabled").
    private mutating func maskLocalInterrupts() {
        var offset = APICRegister.timer.rawValue
        while offset <= APICRegister.errorInterrupt.rawValue {
            page[Int(offset >> 2)] |= LocalAPIC.mask
            offset += 0x10
        }
        timerEntry = value(.timer)
    }

    // MARK: Errors

    /// By their bit in the error status register.
    enum RegisterError: UInt32 {
        case sentIllegalVector = 5
        case receivedIllegalVector = 6
        case illegalRegister = 7
    }

    /// Records an error, and requests the error interrupt for one not yet recorded since the last write of the status.
    /// - Returns: the vector that was requested, or 0.
    @inline(never)
    @discardableResult
    mutating func note(_ error: RegisterError) -> UInt8 {
        let bit: UInt32 = 1 << error.rawValue
        guard errors & bit == 0 else { return 0 }
        errors |= bit
        let entry = value(.errorInterrupt)
        guard entry & LocalAPIC.mask == 0 else { return 0 }
        let vector = UInt8(truncatingIfNeeded: entry)
        guard vector >= 16 else {
            errors |= 1 << RegisterError.receivedIllegalVector.rawValue
            return 0
        }
        request(vector, isLevelTriggered: false)
        return vector
    }

    /// Records an error caused by a write.
    mutating func report(_ error: RegisterError) -> LocalAPICEffect { note(error) == 0 ? .none : .priorityChanged }
}

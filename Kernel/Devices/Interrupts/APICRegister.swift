/// The registers of a local APIC, by their offset in its page (SDM volume 3, table "Local APIC Register Address Map"). As
/// x2APIC registers they are the MSRs from 800H on, one for every 16 bytes.
public enum APICRegister: UInt16, Sendable {
    case identifier = 0x020
    case version = 0x030
    case taskPriority = 0x080
    case arbitrationPriority = 0x090
    case processorPriority = 0x0A0
    case endOfInterrupt = 0x0B0
    case remoteRead = 0x0C0
    case logicalDestination = 0x0D0
    case destinationFormat = 0x0E0
    case spuriousInterrupt = 0x0F0
    /// The first of eight, like the next two.
    case inService = 0x100
    case triggerMode = 0x180
    case requested = 0x200
    case errorStatus = 0x280
    case interruptCommand = 0x300
    case interruptCommandHigh = 0x310
    case timer = 0x320
    case thermalSensor = 0x330
    case performanceCounter = 0x340
    case line0 = 0x350
    case line1 = 0x360
    case errorInterrupt = 0x370
    case initialCount = 0x380
    case currentCount = 0x390
    case divideConfiguration = 0x3E0
    /// In x2APIC mode only.
    case selfInterrupt = 0x3F0

    /// The number of the same register as an MSR.
    @inline(__always)
    public var msr: UInt32 { Self.firstMSR + UInt32(rawValue >> 4) }

    /// The offset of the register that an MSR is; nil for the MSRs that have no registers.
    @inline(__always)
    static func offset(ofMSR number: UInt32) -> UInt16? {
        guard number &- firstMSR < 0x40 else { return nil }
        return UInt16(truncatingIfNeeded: (number &- firstMSR) << 4)
    }

    private static var firstMSR: UInt32 { 0x800 }
}

/// What a write to the local APIC asks of the machine.
public enum LocalAPICEffect: Equatable, Sendable {
    case none
    /// The processor priority may have fallen, or one of the APIC's own interrupts was requested: one may come.
    case priorityChanged
    /// A level-triggered interrupt ended: the I/O APICs are told.
    case endOfInterrupt(UInt8)
    /// An interrupt was requested here.
    case requested(UInt8)
    case send(InterruptMessage, InterruptShorthand)
    /// The timer's next event changed; it may also have requested its interrupt.
    case timerChanged
    /// The same, and the APIC may accept interrupts that it did not before.
    case acceptanceChanged
}

/// Bits 19:18 of the interrupt command register.
public enum InterruptShorthand: UInt8, Sendable {
    case none = 0
    case toSelf = 1
    case toAll = 2
    case toOthers = 3
}

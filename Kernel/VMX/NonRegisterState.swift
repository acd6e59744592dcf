import X86

/// What blocks events in the guest (SDM volume 3, "Guest Non-Register State", table "Format of Interruptibility
/// State").
public struct InterruptibilityState: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .interruptibility }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// STI was the last instruction: interrupts wait for one more.
    public static var blockingBySTI: Self { .init(bit: 0) }
    /// MOV SS or POP SS was the last instruction.
    public static var blockingByMovSS: Self { .init(bit: 1) }
    public static var blockingBySMI: Self { .init(bit: 2) }
    /// An NMI is being handled (until IRET).
    public static var blockingByNMI: Self { .init(bit: 3) }
    public static var enclaveInterruption: Self { .init(bit: 4) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .blockingBySTI: "blocking by STI"
        case .blockingByMovSS: "blocking by MOV SS"
        case .blockingBySMI: "blocking by SMI"
        case .blockingByNMI: "blocking by NMI"
        case .enclaveInterruption: "enclave interruption"
        default: nil
        }
    }
}

/// Whether the guest executes or sleeps (SDM volume 3, "Guest Non-Register State").
public struct ActivityState: Equatable, Sendable, VMCSValue {
    public static var kind: VMCSValueKind { .activity }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inline(__always) public init(vmcsValue: UInt64) { rawValue = UInt32(truncatingIfNeeded: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(rawValue) }

    public static var active: Self { .init(rawValue: 0) }
    public static var halted: Self { .init(rawValue: 1) }
    public static var shutdown: Self { .init(rawValue: 2) }
    public static var waitForStartupIPI: Self { .init(rawValue: 3) }
}

/// Debug exceptions that wait for the next instruction boundary (SDM volume 3, "Guest Non-Register State").
public struct PendingDebugExceptions: FlagSet, VMCSValue {
    public static var kind: VMCSValueKind { .pendingDebugExceptions }
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var breakpoint0: Self { .init(bit: 0) }
    public static var breakpoint1: Self { .init(bit: 1) }
    public static var breakpoint2: Self { .init(bit: 2) }
    public static var breakpoint3: Self { .init(bit: 3) }
    /// A breakpoint that was hit is enabled in DR7.
    public static var enabledBreakpoint: Self { .init(bit: 12) }
    /// BS: a single-step trap.
    public static var singleStep: Self { .init(bit: 14) }
    /// RTM: inside a transactional region.
    public static var transactional: Self { .init(bit: 16) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .breakpoint0: "B0"
        case .breakpoint1: "B1"
        case .breakpoint2: "B2"
        case .breakpoint3: "B3"
        case .enabledBreakpoint: "enabled breakpoint"
        case .singleStep: "BS"
        case .transactional: "RTM"
        default: nil
        }
    }
}

/// An event as the VMCS describes it, for VM entries, VM exits and interrupted deliveries alike (SDM volume 3,
/// "VM-Entry Controls for Event Injection", "Information for VM Exits Due to Vectored Events", and "Information for VM Exits
/// That Occur During Event Delivery").
public struct InterruptionInformation: Equatable, Sendable, VMCSValue {
    public static var kind: VMCSValueKind { .interruptionInformation }
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inline(__always) public init(vmcsValue: UInt64) { rawValue = UInt32(truncatingIfNeeded: vmcsValue) }
    @inline(__always) public var vmcsValue: UInt64 { UInt64(rawValue) }

    /// Bits 10:8.
    public enum Kind: UInt32, Sendable {
        case externalInterrupt = 0, reserved = 1, nonMaskableInterrupt = 2, hardwareException = 3
        case softwareInterrupt = 4, privilegedSoftwareException = 5, softwareException = 6, other = 7
    }

    public init(kind: Kind, vector: UInt8, deliversErrorCode: Bool) {
        rawValue = 1 << 31 | kind.rawValue << 8 | UInt32(vector) | (deliversErrorCode ? 1 << 11 : 0)
    }

    /// No event.
    public static var none: Self { .init(rawValue: 0) }

    public var vector: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
    public var kind: Kind { Kind(rawValue: rawValue >> 8 & 7)! }
    /// Bit 11: an error code goes with it.
    public var deliversErrorCode: Bool { rawValue & 1 << 11 != 0 }
    /// Bit 12 in an exit's information about an event: IRET, which raised it, had already ended the blocking of NMIs (SDM volume
    /// 3, "Information About NMI Unblocking Due to IRET").
    public var unblocksNonMaskableInterrupts: Bool { rawValue & 1 << 12 != 0 }
    /// Bit 31.
    public var isValid: Bool { rawValue & 1 << 31 != 0 }
}

/// The debug registers except DR7 (SDM volume 3, "Debug Registers").
public struct DebugRegisters: Equatable, Sendable {
    /// DR0 to DR3.
    public var addresses: [4 of UInt64]
    /// DR6.
    public var status: UInt64

    /// As after reset.
    public init() {
        addresses = [0, 0, 0, 0]
        status = DebugStatus.initial
    }

    public static func == (left: Self, right: Self) -> Bool {
        for number in 0..<4 where left.addresses[number] != right.addresses[number] { return false }
        return left.status == right.status
    }
}

/// The bits of DR6 (SDM volume 3, "Debug Status Register (DR6)"). B0 to B3 and BS are the same in the exit qualification of a
/// debug exception.
public enum DebugStatus {
    /// B0 to B3: the breakpoints that were hit.
    public static var breakpoints: UInt64 { 0xF }
    /// BS: a single step.
    public static var singleStep: UInt64 { 1 << 14 }
    /// BT: a task switch.
    public static var taskSwitch: UInt64 { 1 << 15 }
    /// As after reset: the bits that always read 1, and those that report by being 0.
    public static var initial: UInt64 { 0xFFFF_0FF0 }
    /// What MOV leaves there of a value outside 64-bit mode: B0 to B3, BD, BS and BT.
    public static func written(_ value: UInt64) -> UInt64 { value & 0xE00F | initial }
}

/// DR7 (SDM volume 3, "Debug Control Register (DR7)"): which of the breakpoints in DR0 to DR3 are enabled, and what they watch.
public struct DebugRegister7: Equatable, Sendable {
    public var rawValue: UInt64
    @inline(__always) public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What MOV leaves there of a value outside 64-bit mode.
    public init(written value: UInt64) { rawValue = value & 0xFFFF_2BFF | Self.alwaysSet.rawValue }

    /// What a breakpoint watches, as R/W0 to R/W3 number it.
    public enum Kind: UInt8, Sendable {
        case execution, write
        /// Only with CR4.DE.
        case port
        /// Reads and writes.
        case access
    }

    /// L0 to L3 and LE, which a task switch clears.
    public static var local: Self { .init(rawValue: 0x155) }
    /// GD: MOV DR raises #DB.
    public static var generalDetect: Self { .init(rawValue: 1 << 13) }
    /// Bit 10, which always reads 1.
    public static var alwaysSet: Self { .init(rawValue: 1 << 10) }

    /// Whether any breakpoint is enabled, by its L or G bit.
    public var enablesAny: Bool { @inline(__always) get { rawValue & 0xFF != 0 } }
    public var detectsAccess: Bool { rawValue & Self.generalDetect.rawValue != 0 }

    public func isEnabled(_ number: Int) -> Bool { rawValue >> UInt64(2 * number) & 3 != 0 }

    @inline(__always)
    public func kind(_ number: Int) -> Kind { unsafeBitCast(UInt8(truncatingIfNeeded: field(number) & 3), to: Kind.self) }

    /// How many bytes a breakpoint watches, which LEN0 to LEN3 tell, less one. They are aligned.
    public func extent(_ number: Int) -> UInt64 {
        let length = field(number) >> 2 & 3
        return length == 2 ? 7 : length
    }

    @inline(__always)
    private func field(_ number: Int) -> UInt64 { rawValue >> UInt64(16 + 4 * number) }

    public func without(_ other: Self) -> Self { .init(rawValue: rawValue & ~other.rawValue) }

    /// The same with a breakpoint on an instruction enabled, for all tasks: its kind and length are 0.
    public func breaking(_ number: Int) -> Self {
        .init(rawValue: rawValue & ~(0xF << UInt64(16 + 4 * number)) | 2 << UInt64(2 * number))
    }
}

/// The bits of IA32_DEBUGCTL (SDM volume 3, "IA32_DEBUGCTL MSR").
public enum DebugControl {
    /// LBR: the last branches are recorded.
    public static var lastBranchRecords: UInt64 { 1 << 0 }
    /// BTF: RFLAGS.TF traps only branches.
    public static var branchSteps: UInt64 { 1 << 1 }
    /// BLD: bus locks raise #DB.
    public static var busLocks: UInt64 { 1 << 2 }
    /// TR.
    public static var traceMessages: UInt64 { 1 << 6 }
    /// BTS.
    public static var traceStore: UInt64 { 1 << 7 }
    /// BTINT.
    public static var traceInterrupt: UInt64 { 1 << 8 }
    /// BTS_OFF_OS.
    public static var noTraceOfSupervisor: UInt64 { 1 << 9 }
    /// BTS_OFF_USR.
    public static var noTraceOfUser: UInt64 { 1 << 10 }
    /// FREEZE_LBRS_ON_PMI.
    public static var freezeLastBranchRecords: UInt64 { 1 << 11 }
    /// FREEZE_PERFMON_ON_PMI.
    public static var freezeCounters: UInt64 { 1 << 12 }
    /// UNCORE_PMI_EN.
    public static var uncoreInterrupt: UInt64 { 1 << 13 }
    /// FREEZE_WHILE_SMM.
    public static var freezeInManagementMode: UInt64 { 1 << 14 }
    /// RTM: #DB in transactional regions.
    public static var transactional: UInt64 { 1 << 15 }

    /// Those that every processor of today has.
    public static var usual: UInt64 {
        lastBranchRecords | branchSteps | traceMessages | traceStore | traceInterrupt | noTraceOfSupervisor | noTraceOfUser
            | freezeLastBranchRecords | freezeCounters | uncoreInterrupt | freezeInManagementMode
    }
    /// Those that a guest may set.
    public static var ofGuests: UInt64 { lastBranchRecords | branchSteps }
}

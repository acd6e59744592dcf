/// IA32_APIC_BASE (SDM volume 3, "Local APIC Status and Location", and "Detecting and Enabling x2APIC Mode").
public struct APICBase: Equatable, Sendable {
    public private(set) var rawValue: UInt64

    private static var bootstrap: UInt64 { 1 << 8 }
    /// EXTD: x2APIC mode.
    public static var extended: UInt64 { 1 << 10 }
    private static var enabled: UInt64 { 1 << 11 }
    /// Where the registers are after reset.
    public static var usualAddress: UInt64 { 0xFEE0_0000 }

    /// As a processor has it.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// As after reset: enabled, at the usual address.
    init(isBootstrap: Bool) { rawValue = Self.usualAddress | Self.enabled | (isBootstrap ? Self.bootstrap : 0) }

    public var isEnabled: Bool { rawValue & Self.enabled != 0 }
    /// x2APIC mode: the registers are MSRs.
    public var isExtended: Bool { rawValue & Self.extended != 0 }
    /// Where the registers are in memory, unless the mode is x2APIC.
    public var address: UInt64 { rawValue & ~0xFFF }

    /// Whether WRMSR may replace this value with another; #GP otherwise (SDM volume 3, "x2APIC State Transitions").
    func allows(_ new: UInt64, physicalAddressWidth: Int) -> Bool {
        let defined = Self.bootstrap | Self.extended | Self.enabled | ~0xFFF
        guard new & ~defined == 0, new >> UInt64(physicalAddressWidth) == 0 else { return false }
        switch (new & Self.enabled != 0, new & Self.extended != 0) {
        case (false, false): return true
        case (false, true): return false
        case (true, false): return !isExtended
        case (true, true): return isEnabled
        }
    }

    mutating func set(_ new: UInt64) { rawValue = new }
}

/// Which function of which device on which bus: bus in bits 15:8, device in 7:3, function in 2:0 (PCI local bus
/// specification 3.0, 3.2.2.3.2 "Software Generation of Configuration Transactions").
struct PCIAddress: Equatable, Sendable {
    let rawValue: UInt16

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// On bus 0, which is the only one.
    init(device: UInt8, function: UInt8 = 0) { rawValue = UInt16(device & 31) << 3 | UInt16(function & 7) }

    var device: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 3) & 31 }
}

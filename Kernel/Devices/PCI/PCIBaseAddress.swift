/// One of a function's base addresses: how much it claims, and for which device (PCI local bus specification
/// 3.0, 6.2.5.1 "Address Maps"). Its size is a power of two.
enum PCIBaseAddress: Sendable {
    case none
    /// 4 to 256 ports.
    case ports(UInt16, PortDevice)
    /// Memory of 16 bytes or more, anywhere below 4 GiB, which must not be prefetched.
    case memory(UInt32, MemoryDevice)

    static var count: Int { 6 }

    /// The lowest bits, which are hard-wired.
    var type: UInt32 {
        if case .ports = self { 1 } else { 0 }
    }

    /// The bits that software can change. A PC has 16 bits of ports, and the upper bits are hard-wired.
    var addressBits: UInt32 {
        switch self {
        case .none: 0
        case .ports(let count, _): UInt32(0 &- count)
        case .memory(let size, _): 0 &- size
        }
    }

    /// What is claimed when the register has a value and the command register allows it.
    ///
    /// Policy, as in QEMU: 0 is not an address yet, and all ones serve to learn the size, even if decoding is on.
    func claim(_ value: UInt32, command: UInt32) -> BusClaim? {
        let address = value & addressBits
        guard address != 0, address != addressBits else { return nil }
        switch self {
        case .ports(let count, let device) where command & PCICommand.ioSpace != 0:
            return .ports(PortClaim(UInt16(truncatingIfNeeded: address), count, device))
        case .memory(let size, let device) where command & PCICommand.memorySpace != 0:
            return .memory(MemoryClaim(UInt64(address), UInt64(size), device))
        default: return nil
        }
    }
}

/// What a function claims on the bus.
enum BusClaim: Sendable {
    case ports(PortClaim)
    case memory(MemoryClaim)
}

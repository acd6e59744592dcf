/// PCI configuration mechanism 1: an address at port CF8h, a window of four bytes at CFCh (PCI local bus specification
/// 3.0, 3.2.2.3.2 "Software Generation of Configuration Transactions"). A function that is not there reads as ones.
public struct ConfigurationSpace: Equatable, Sendable {
    /// Takes doublewords alone; other accesses go past it, to other devices.
    public static var addressPort: UInt16 { 0xCF8 }
    public static var firstDataPort: UInt16 { 0xCFC }
    public static var dataPortCount: UInt16 { 4 }

    private static var enable: UInt32 { 0x8000_0000 }
    /// Enable, bus, device, function and register.
    private static var addressBits: UInt32 { 0x80FF_FFFC }

    private var address: UInt32 = 0
    private var hostBridge = PCIFunctionRegisters(.hostBridge)
    private var isaBridge = PCIFunctionRegisters(.isaBridge)

    public init() {}

    public func readAddress() -> UInt32 { address }

    public mutating func writeAddress(_ value: UInt32) { address = value & Self.addressBits }

    /// Reads 1, 2 or 4 bytes at an offset (0 to 3) from the first data port; beyond the window are ones.
    public func readData(_ offset: UInt16, size: Int) -> UInt32 {
        let value = UInt64(UInt32.max) << 32 | UInt64(selectedRegister)
        return UInt32(truncatingIfNeeded: value >> UInt64(offset & 3 &* 8)) & Self.bits(size)
    }

    private var selectedRegister: UInt32 {
        switch selected {
        case nil: .max
        case .hostBridge: hostBridge.read(register)
        case .isaBridge: isaBridge.read(register)
        }
    }

    /// Writes 1, 2 or 4 bytes at an offset (0 to 3) from the first data port; beyond the window nothing is.
    public mutating func writeData(_ offset: UInt16, size: Int, _ value: UInt32) {
        let shift = UInt32(offset & 3 &* 8)
        let (value, mask) = (value << shift, Self.bits(size) << shift)
        switch selected {
        case nil: break
        case .hostBridge: hostBridge.write(register, value, mask: mask)
        case .isaBridge: isaBridge.write(register, value, mask: mask)
        }
    }

    private var selected: PCIFunction? {
        address & Self.enable == 0 ? nil : PCIFunction(rawValue: UInt16(truncatingIfNeeded: address >> 8))
    }

    private var register: UInt8 { UInt8(truncatingIfNeeded: address) >> 2 }

    private static func bits(_ size: Int) -> UInt32 {
        switch size {
        case 1: 0xFF
        case 2: 0xFFFF
        default: .max
        }
    }
}

import VMX
import X86

/// The VMX capability MSRs of some processors, and the capabilities that they make.
public struct CapabilitySet: Sendable, CustomStringConvertible {
    public let name: String
    public var registers: [UInt32: UInt64]
    public var description: String { name }

    public init(_ name: String, _ registers: [UInt32: UInt64]) {
        self.name = name
        self.registers = registers
    }

    /// As `VMXCapabilities` reads them from a host that has just these registers.
    public var capabilities: VMXCapabilities { capabilities(on: host) }

    public var host: SimulatedHost {
        let host = SimulatedHost()
        host.registers = registers
        return host
    }

    public func capabilities(on host: SimulatedHost) -> VMXCapabilities {
        VMXCapabilities(reading: host, physicalAddressWidth: 39, linearAddressWidth: 48)
    }

    /// The set with some registers replaced.
    public func replacing(_ changes: [UInt32: UInt64]) -> CapabilitySet {
        CapabilitySet(name + " changed", registers.merging(changes) { $1 })
    }

    /// What Linux 6.1's nested KVM offers on Bochs' skylake_x.
    public static let nestedKVM = CapabilitySet(
        "nested KVM",
        [
            0x480: 0x00D8_1000_11E5_7ED0, 0x481: 0x7F_0000_0016, 0x482: 0xFFF9_FFFE_0401_E172,
            0x483: 0x007F_FFFF_0003_6DFF, 0x484: 0xF3FF_0000_11FF, 0x485: 0x2000_0165, 0x486: 0x8000_0021,
            0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x37_2FFF, 0x48A: 0x32, 0x48B: 0x0213_7BFF_0000_0000,
            0x48C: 0xF01_0633_4041, 0x48D: 0x7F_0000_0016, 0x48E: 0xFFF9_FFFE_0400_6172, 0x48F: 0x007F_FFFF_0003_6DFB,
            0x490: 0xF3FF_0000_11FB, 0x491: 1,
        ])

    /// All that a processor of the skylake_x kind has.
    public static let skylakeX = CapabilitySet(
        "skylake_x",
        [
            0x480: 0x00DA_1000_0000_0001, 0x481: 0xFF_0000_0016, 0x482: 0xFFF9_FFFE_0401_E172,
            0x483: 0x01FF_FFFF_0003_6DFF, 0x484: 0x3_FFFF_0000_11FF, 0x485: 0x7004_C1E0, 0x486: 0x8000_0021,
            0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x37_67FF, 0x48A: 0x2E, 0x48B: 0x0257_FFFF_0000_0000,
            0x48C: 0xF01_0673_4141, 0x48D: 0xFF_0000_0016, 0x48E: 0xFFF9_FFFE_0400_6172, 0x48F: 0x01FF_FFFF_0003_6DFB,
            0x490: 0x3_FFFF_0000_11FB, 0x491: 1,
        ])

    /// skylakeX with every bit of CR4 that Martlet knows how to give.
    public static let everything = skylakeX.replacing([0x489: 0x77_7FFF])

    /// EPT without 1-GiB pages, unrestricted guest, true controls; no EFER switch is missing, but INVPCID is.
    public static let arrandale = CapabilitySet(
        "arrandale",
        [
            0x480: 0x00DA_0400_0000_000F, 0x481: 0x7F_0000_0016, 0x482: 0xFFF9_FFFE_0401_E172,
            0x483: 0x007F_FFFF_0003_6DFF, 0x484: 0xFFFF_0000_11FF, 0x485: 0x0004_01E5, 0x486: 0x8000_0021,
            0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x27_67FF, 0x48A: 0x2A, 0x48B: 0xFF_0000_0000,
            0x48C: 0xF01_0611_4141, 0x48D: 0x7F_0000_0016, 0x48E: 0xFFF9_FFFE_0400_6172, 0x48F: 0x007F_FFFF_0003_6DFB,
            0x490: 0xFFFF_0000_11FB,
        ])

    /// VMX of the first years: no secondary controls, so that 48BH, 48CH and 491H do not exist, and no true controls.
    public static let penryn = CapabilitySet(
        "penryn",
        [
            0x480: 0x005A_0400_0000_000D, 0x481: 0x3F_0000_0016, 0x482: 0x77F9_FFFE_0401_E172,
            0x483: 0x0003_EFFF_0003_6DFF, 0x484: 0x1FFF_0000_11FF, 0x485: 0x0004_03C0, 0x486: 0x8000_0021,
            0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x0000_27FF, 0x48A: 0x2C,
        ])
}

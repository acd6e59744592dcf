import X86

/// The machine-check registers of a virtual CPU, which never report an error (SDM volume 3, "Machine-Check MSRs"): the
/// machine's own errors are Martlet's, and a virtual one has none.
struct MachineCheckRegisters: Equatable, Sendable {
    private static var bankCount: UInt32 { 10 }

    /// IA32_MCG_STATUS, bits 2:0.
    private var status: UInt64 = 0
    /// IA32_MCG_CTL and the IA32_MCi_CTL hold all zeros or all ones.
    private var enablesAll = false
    private var enabledBanks: UInt16 = 0

    /// The bank of a register and which of the bank's four it is: control, status, address, miscellaneous.
    private static func bank(_ register: ModelSpecificRegister) -> (index: UInt16, register: UInt32)? {
        guard register.number >= 0x400, register.number < 0x400 + 4 * bankCount else { return nil }
        return (UInt16(register.number - 0x400) / 4, register.number % 4)
    }

    /// The value of a register, or nil if it is none of these.
    func read(_ register: ModelSpecificRegister) -> UInt64? {
        switch register {
        case .machineCheckCapability: return 1 << 8 | UInt64(Self.bankCount)
        case .machineCheckStatus: return status
        case .machineCheckControl: return enablesAll ? .max : 0
        default:
            guard let bank = Self.bank(register) else { return nil }
            return bank.register == 0 && enabledBanks >> bank.index & 1 != 0 ? .max : 0
        }
    }

    /// Writes a register.
    /// - Returns: false if it is none of these or does not take the value.
    mutating func write(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        let isAll = value == .max
        switch register {
        case .machineCheckStatus:
            guard value & ~0b111 == 0 else { return false }
            status = value
        case .machineCheckControl:
            guard value == 0 || isAll else { return false }
            enablesAll = isAll
        default:
            guard let bank = Self.bank(register), value == 0 || (isAll && bank.register == 0) else { return false }
            if bank.register == 0 {
                enabledBanks = isAll ? enabledBanks | 1 << bank.index : enabledBanks & ~(1 << bank.index)
            }
        }
        return true
    }
}
